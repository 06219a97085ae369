import hashlib
import json

import pytest

from toy.datasets import config
from xvr.engine import unit as unit_module
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt, UnitFiles, UnitWriter
from xvr.engine.unit import run_unit
from xvr.sources import index, parse_source


@pytest.fixture
def files(tmp_path):
    return UnitFiles(tmp_path, "train-00-abc")


def test_a_unit_is_done_when_its_receipt_is_there(files):
    receipt = Receipt(
        unit="train-00-abc",
        config="c",
        filled=[("temporal_verification", 3)],
        keys=["k"],
        refusals={"temporal_verification": {"instants_too_close": 2}},
    )
    assert files.committed("c") is None
    files.commit(receipt)
    assert files.committed("c") == receipt


def test_a_receipt_of_another_build_does_not_count(files):
    files.commit(Receipt(unit="train-00-abc", config="other"))
    assert files.committed("c") is None


def test_images_and_records_come_back_and_their_hashes_are_told(files):
    with UnitWriter(files) as writer:
        places = [writer.add_image(data) for data in (b"abc", b"", b"defgh")]
        writer.add_record({"images": places})
        hashes = writer.write()
    assert places == [(0, 3), (3, 0), (3, 5)]
    assert files.blob.read_bytes() == b"abcdefgh"
    assert list(files.read_records()) == [{"images": [list(place) for place in places]}]
    assert hashes == {
        "blob": hashlib.sha256(b"abcdefgh").hexdigest(),
        "records": hashlib.sha256(files.records.read_bytes()).hexdigest(),
    }


def test_a_writer_that_fails_leaves_nothing(files, tmp_path):
    def fail():
        with UnitWriter(files) as writer:
            writer.add_image(b"abc")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_finished_unit_is_not_read_again(sources, tmp_path, monkeypatch):
    ref = index(parse_source(sources[1]))[0]
    task = ("temporal_verification", 0)
    unit = Unit(split="train", round=0, ref=ref, partner=None, slots=(task,))
    wanted = config(sources[1])
    first = run_unit(unit, wanted, tmp_path, "print")
    assert first.filled == [task]
    monkeypatch.setattr(unit_module, "load", lambda _: pytest.fail("read again"))
    assert run_unit(unit, wanted, tmp_path, "print") == first


def test_a_unit_depends_on_its_arguments_alone(sources, tmp_path):
    refs = index(parse_source(sources[1]))
    slots = tuple(("cross_scenario_localization", n) for n in range(4))
    unit = Unit(split="train", round=1, ref=refs[0], partner=refs[2], slots=slots)
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        found.append(run_unit(unit, config(sources[1]), tmp_path / name, "print"))
    assert found[0] == found[1]
    assert found[0].sha256
    record = json.loads((tmp_path / "a" / f"{unit.name}.jsonl").read_text().splitlines()[0])
    assert record["provenance"]["source"]["episodes"] == [refs[0].id, refs[2].id]

"""Several runs of one build in one folder."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from toy.datasets import config, hashes
from xvr.engine import build as build_module
from xvr.engine import unit as unit_module
from xvr.engine.build import build
from xvr.engine.executor import Crew
from xvr.errors import UserError


def rank(number, world=3, **choices):
    return Crew(rank=number, world=world, **choices)


def test_ranks_at_the_same_time_write_the_bytes_of_one_process(small, sources, tmp_path):
    out = tmp_path / "out"

    def run(number):
        return build(out, config(*sources), rank(number))

    with ThreadPoolExecutor(3) as pool:
        complete = list(pool.map(run, range(3)))
    assert complete[0]
    assert hashes(out) == hashes(small)


def test_any_rank_does_what_others_leave_and_rank_0_writes(small, sources, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert not build(out, config(*sources), rank(2))
    assert not (out / "train.jsonl").exists()
    monkeypatch.setattr(unit_module, "load", lambda _: pytest.fail("done twice"))
    assert not build(out, config(*sources), rank(1))
    assert build(out, config(*sources), rank(0))
    assert hashes(out) == hashes(small)


def test_a_rank_starts_with_its_share(sources, tmp_path):
    made = {}
    for number in range(2):
        out = tmp_path / str(number)

        def stop(*_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build(out, config(*sources), rank(number, world=2), stop)
        (made[number],) = [path.name for path in (out / ".build").glob("*.receipt.json")]
    assert made[0] != made[1]


@pytest.mark.parametrize("finisher", [Crew(), Crew(workers=2), rank(0), rank(0, world=7)])
def test_a_lost_rank_loses_nothing(small, sources, tmp_path, finisher):
    out = tmp_path / "out"

    def stop(made, _wanted):
        if made > 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(out, config(*sources), rank(1), stop)
    assert build(out, config(*sources), finisher)
    assert hashes(out) == hashes(small)


def test_a_rank_that_still_works_when_rank_0_has_finished_ends_in_peace(small, sources, tmp_path):
    out = tmp_path / "out"
    finish = iter([lambda: build(out, config(*sources), rank(0))])

    def progress(*_):
        next(finish, bool)()

    assert build(out, config(*sources), rank(1), progress)
    assert hashes(out) == hashes(small)


def test_a_rank_that_starts_when_all_is_done_changes_nothing(small, sources, tmp_path):
    out = shutil.copytree(small, tmp_path / "out")
    assert build(out, config(*sources), rank(1))
    assert hashes(out) == hashes(small)
    assert not (out / ".build").exists()


def test_ranks_and_other_builds_keep_out_of_each_others_way(sources, tmp_path):
    out, refused = tmp_path / "out", []

    def progress(*_):
        for crew in (Crew(), rank(1)):
            with pytest.raises(UserError) as caught:
                build(out, config(*sources), crew)
            refused.append(str(caught.value))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(out, config(*sources), rank(1), progress)
    assert "another build is writing to" in refused[0]
    assert "rank 1 of the build of" in refused[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "merge", lambda *_: build(out, config(*sources), rank(1)))
        with pytest.raises(UserError, match="another build is writing to"):
            build(out, config(*sources))

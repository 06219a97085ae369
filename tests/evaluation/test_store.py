"""The folder of a run: what survives, what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from asking import Scripted, ask, item, says

from xvr.errors import UserError
from xvr.evaluation.attempt import attempt_of, from_line, to_line
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.store import RunLog, read_run

ITEMS = (item("i1", "p1", "p2", cluster="s", facts={"x": [1, 2]}), item("i2"))


def rows(out):
    return [json.loads(line) for line in (out / "attempts.jsonl").read_text().splitlines()]


def test_a_run_says_what_it_is(tmp_path):
    ask(tmp_path / "run", Scripted(says(), decoding={"t": 0}), *ITEMS, limit=5)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest.pop("versions").keys() >= {"xvr", "python"}
    assert manifest.pop("started").endswith("+00:00")
    assert manifest == {
        "benchmark": "toy",
        "data": "data",
        "revision": "r1",
        "model": "scripted",
        "model_revision": "1",
        "decoding": {"t": 0},
        "tasks": None,
        "limit": 5,
        "items": 2,
        "notes": [],
    }


def test_a_run_is_read_back_without_its_benchmark(tmp_path):
    ask(tmp_path / "run", Scripted(says("Red.")), *ITEMS)
    run = read_run(tmp_path / "run")
    assert run.targets == tuple(one.target for one in ITEMS)
    assert run.images == {"i1": ("p1", "p2"), "i2": ()}
    assert run.answers == {"i1": "Red.", "i2": "Red."}
    assert run.manifest.model == "scripted"


def test_a_row_holds_the_answer_or_the_error(tmp_path):
    def reply(prompt):
        if prompt.item_id == "i2":
            return Failure(kind="timeout", message="120 s", retries=6)
        return Answer(text="x", input_tokens=3, cost_usd=0.5, retries=1, details={"stop": None})

    ask(tmp_path / "run", Scripted(reply), *ITEMS)
    first, second = rows(tmp_path / "run")
    for row in (first, second):
        assert len(row.pop("key")) == 64
        assert row.pop("seconds") >= 0
    assert first == {
        "item_id": "i1",
        "attempt": 1,
        "status": "answered",
        "text": "x",
        "retries": 1,
        "input_tokens": 3,
        "cost_usd": 0.5,
        "details": {"stop": None},
    }
    assert second == {
        "item_id": "i2",
        "attempt": 1,
        "status": "failed",
        "error": {"kind": "timeout", "message": "120 s"},
        "retries": 6,
    }


@pytest.mark.parametrize("text", ["", "a\nb\r\u2028c", "né ✓ 図", "\x00", "half a pair \ud83d"])
def test_every_text_can_be_read_again(text):
    attempt = attempt_of("i", "k", 1, Answer(text=text))
    line = to_line(attempt)
    assert line.count(b"\n") == 1
    assert from_line(line).text == text.replace("\ud83d", "?")


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_line_that_was_cut_short_is_dropped_and_its_item_asked_again(tmp_path, cut, caplog):
    out = tmp_path / "run"
    ask(out, Scripted(says()), *ITEMS)
    whole = (out / "attempts.jsonl").read_bytes()
    (out / "attempts.jsonl").write_bytes(whole[:-cut])
    assert read_run(out).answers.keys() == {"i1"}
    model = Scripted(says())
    ask(out, model, *ITEMS)
    assert model.names == ["i2"]
    assert "cut short" in caplog.text
    assert [row["item_id"] for row in rows(out)] == ["i1", "i2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "Invalid JSON"),
        (b'{"key": "k", "item_id": "i", "attempt": 1, "status": "answered"}', "has a text"),
        (b'{"key": "k", "item_id": "i", "attempt": 1, "status": "failed"}', "has an error"),
        (b'{"key": "k", "item_id": "i", "attempt": 1, "status": "maybe"}', "status: Input should"),
        (b"", "Invalid JSON"),
    ],
)
def test_a_line_that_is_damaged_otherwise_is_told(tmp_path, line, reason):
    out = tmp_path / "run"
    ask(out, Scripted(says()), *ITEMS)
    good = (out / "attempts.jsonl").read_bytes()
    (out / "attempts.jsonl").write_bytes(line + b"\n" + good)
    with pytest.raises(UserError, match=rf"attempts.jsonl:1: .*{reason}"):
        read_run(out)
    with pytest.raises(UserError, match=rf"attempts.jsonl:1: .*{reason}"):
        ask(out, Scripted(says()), *ITEMS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "other"}, "model is 'scripted' there and 'other' now"),
        ({"model_revision": "2"}, "model_revision is '1' there and '2' now"),
        ({"decoding": {"seed": 1}}, "decoding is {} there and {'seed': 1} now"),
        ({"revision": "r2"}, "revision is 'r1' there and 'r2' now"),
        ({"limit": 1}, "limit is None there and 1 now; items is 2 there and 1 now"),
        ({"tasks": ("a",)}, r"tasks is None there and \('a',\) now"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(tmp_path, change, told):
    out = tmp_path / "run"
    ask(out, Scripted(says()), *ITEMS)
    before = (out / "attempts.jsonl").read_bytes()
    options = {key: change[key] for key in change if key in ("revision", "limit", "tasks")}
    named = {"name": "name", "model_revision": "revision", "decoding": "decoding"}
    model = Scripted(says(), **{named[key]: change[key] for key in change if key in named})
    with pytest.raises(UserError, match=rf"holds another run: {told}; choose another folder"):
        ask(out, model, *ITEMS, **options)
    assert (out / "attempts.jsonl").read_bytes() == before


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(UserError, match=r"holds photo.jpg and no run"):
        ask(tmp_path, Scripted(says()), *ITEMS)
    with pytest.raises(UserError, match="is a file"):
        ask(tmp_path / "photo.jpg", Scripted(says()), *ITEMS)
    with pytest.raises(UserError, match="holds no run"):
        read_run(tmp_path)


def test_a_run_that_died_before_its_first_item_goes_on(tmp_path):
    out = tmp_path / "run"
    ask(out, Scripted(says()), *ITEMS)
    (out / "run.json").unlink()
    (out / "attempts.jsonl").unlink()
    assert ask(out, Scripted(says()), *ITEMS).answered == 2


def test_two_runs_never_share_a_folder(tmp_path):
    out = tmp_path / "run"
    refused = []

    def reply(prompt):
        code = f"""
import fcntl
with open({str(out / ".lock")!r}, "a+") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        refused.append(b"BlockingIOError" in done.stderr)
        with pytest.raises(UserError, match=r"another run is writing to .*; wait for it to end"):
            ask(out, Scripted(says()), *ITEMS)
        return Answer(text=prompt.item_id)

    ask(out, Scripted(reply), ITEMS[0])
    assert refused == [True]
    assert ask(out, Scripted(says()), ITEMS[0]).complete


def test_a_full_disk_is_told(tmp_path):
    out = tmp_path / "run"
    ask(out, Scripted(says()), *ITEMS)
    with Path("/dev/full").open("ab", buffering=0) as full:
        log = RunLog(read_run(out), full)
        with pytest.raises(UserError, match=r"cannot write to .*: No space left .*: make room"):
            log.append(attempt_of("i1", "k", 1, Answer(text="red")))
        assert not log.is_answered("i1", "k")


def test_an_answer_is_the_last_one_to_what_was_last_asked(tmp_path):
    out = tmp_path / "run"
    ask(out, Scripted(says("1")), item("i", "p"))
    lines = (out / "attempts.jsonl").read_bytes()
    old = json.loads(lines)

    def add(**changes):
        with (out / "attempts.jsonl").open("a") as file:
            file.write(json.dumps(old | changes) + "\n")

    add(text="2", attempt=2)
    assert read_run(out).answers == {"i": "2"}
    failed = {"status": "failed", "text": None, "error": {"kind": "x", "message": "y"}}
    add(attempt=3, **failed)
    assert read_run(out).answers == {"i": "2"}
    add(attempt=4, key="other", **failed)
    assert read_run(out).answers == {}
    add(attempt=5, key="other", text="3")
    assert read_run(out).answers == {"i": "3"}

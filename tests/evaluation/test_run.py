"""A run: what is asked, what is asked again, and when it stops."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from asking import Scripted, ask, item, picture, says

from xvr.errors import UserError
from xvr.evaluation.item import Picture
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.store import read_run

ITEMS = tuple(item(f"i{number}", f"p{number}", f"q{number}") for number in range(10))
HERE = Path(__file__).parent


def busy(prompt):  # noqa: ARG001
    return Failure(kind="rate_limited", message="429 too many requests", retries=3)


def only(*names):
    """Answers these; the server is busy for others."""
    return lambda prompt: Answer(text="red") if prompt.item_id in names else busy(prompt)


def test_every_item_is_asked_once_and_in_order(tmp_path):
    model = Scripted(says(), batch_size=4)
    outcome = ask(tmp_path / "run", model, *ITEMS)
    assert [len(batch) for batch in model.asked] == [4, 4, 2]
    assert model.names == [one.target.item_id for one in ITEMS]
    assert outcome.complete
    assert (outcome.items, outcome.answered, outcome.asked, outcome.failed) == (10, 10, 10, {})
    again = Scripted(says())
    assert ask(tmp_path / "run", again, *ITEMS).asked == 0
    assert again.asked == []


def test_a_run_goes_on_whatever_its_decoding_is_made_of(tmp_path):
    for _ in range(2):
        model = Scripted(says(), decoding={"stop": ("a", "b"), "temperature": None})
        assert ask(tmp_path / "run", model, *ITEMS).complete


def test_parts_keep_their_order_and_the_model_gets_the_bytes(tmp_path):
    seen = []

    def reply(prompt):
        seen.extend(p.read() if isinstance(p, Picture) else p for p in prompt.parts)
        return Answer(text="")

    ask(tmp_path / "run", Scripted(reply), ITEMS[3])
    assert seen == ["i3?\n", b"p3", b"q3", "Which?"]


def test_what_fails_is_never_an_answer_and_is_asked_again(tmp_path):
    out = tmp_path / "run"
    outcome = ask(out, Scripted(only("i1")), *ITEMS[:3])
    assert not outcome.complete
    assert (outcome.answered, outcome.failed) == (
        1,
        {"rate_limited": ["429 too many requests"] * 2},
    )
    assert read_run(out).answers == {"i1": "red"}
    model = Scripted(only("i2"))
    assert ask(out, model, *ITEMS[:3]).failed == {"rate_limited": ["429 too many requests"]}
    assert model.names == ["i0", "i2"]
    assert ask(out, Scripted(only("i0")), *ITEMS[:3]).complete
    numbers = [(a.item_id, a.attempt, a.status) for a in read_run(out).attempts]
    assert [n for n in numbers if n[0] == "i0"] == [
        ("i0", 1, "failed"),
        ("i0", 2, "failed"),
        ("i0", 3, "answered"),
    ]


def test_a_missing_image_fails_its_item_only(tmp_path):
    items = (ITEMS[0], item("broken", "p", "no.png"), ITEMS[1])
    outcome = ask(tmp_path / "run", Scripted(says(), batch_size=3), *items)
    assert (outcome.answered, outcome.failed) == (2, {"missing_image": ["no image no.png"]})
    (failed,) = [a for a in read_run(tmp_path / "run").attempts if a.error]
    assert (failed.error.message, failed.key) == ("no image no.png", "")


def test_an_answer_outlives_its_images_and_is_not_asked_for_again_when_they_are_back(tmp_path):
    out, model = tmp_path / "run", Scripted(says())
    one = item("i", "p")
    lost = replace(one, prompt=item("i", "no.png").prompt)
    assert ask(out, model, one).complete
    outcome = ask(out, model, lost)
    assert not outcome.complete
    assert (outcome.answered, outcome.failed) == (1, {"missing_image": ["no image no.png"]})
    assert read_run(out).answers == {"i": "red"}
    assert ask(out, model, one).complete
    assert model.names == ["i"]


def test_an_item_that_breaks_the_model_does_not_stop_the_others(tmp_path, caplog):
    def reply(prompt):
        if prompt.item_id == "i1":
            raise ValueError("no such token")
        return Answer(text="red")

    model = Scripted(reply, batch_size=5)
    outcome = ask(tmp_path / "run", model, *ITEMS[:3])
    message = "ValueError: no such token"
    assert (outcome.answered, outcome.failed) == (2, {"model_error": [message]})
    assert "broke over item i1" in caplog.text
    (failed,) = [a for a in read_run(tmp_path / "run").attempts if a.error]
    assert failed.error.message == message


def test_a_model_that_can_answer_nothing_stops_the_run_and_keeps_the_rest(tmp_path):
    def reply(prompt):
        if prompt.item_id == "i2":
            raise UserError("the key is not valid")
        return Answer(text="red")

    for concurrency in (1, 4):
        out = tmp_path / str(concurrency)
        with pytest.raises(UserError, match="the key is not valid"):
            ask(out, Scripted(reply, concurrency=concurrency), *ITEMS)
        answered = set(read_run(out).answers)
        assert {"i0", "i1"} <= answered
        assert len(answered) < 9


def test_other_bytes_of_an_image_are_another_question(tmp_path):
    out = tmp_path / "run"
    ask(out, Scripted(says("old")), *ITEMS[:3])
    changed = item("i1", "p1")
    parts = ("i1?\n", picture("p1"), picture("q1", b"other bytes"), "Which?")
    changed = type(changed)(
        prompt=type(changed.prompt)(item_id="i1", parts=parts), target=changed.target
    )
    model = Scripted(says("new"))
    ask(out, model, ITEMS[0], changed, ITEMS[2])
    assert model.names == ["i1"]
    assert read_run(out).answers == {"i0": "old", "i1": "new", "i2": "old"}


def test_a_remote_model_is_called_from_threads_and_no_more_than_it_allows(tmp_path):
    together = Barrier(3)

    def reply(prompt):
        together.wait(timeout=30)
        return Answer(text=prompt.item_id)

    model = Scripted(reply, concurrency=3)
    outcome = ask(tmp_path / "run", model, *ITEMS[:9])
    assert outcome.complete
    assert model.most_at_once == 3
    assert read_run(tmp_path / "run").answers == {name: name for name in model.names}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_it_stops_in_order_when_the_money_is_spent(tmp_path, concurrency):
    out = tmp_path / "run"

    def model():
        return Scripted(says(cost_usd=0.25), concurrency=concurrency)

    outcome = ask(out, model(), *ITEMS, max_cost_usd=1.0)
    assert outcome.over_budget
    assert 4 <= outcome.answered <= 4 + concurrency - 1
    assert outcome.not_asked == 10 - outcome.answered
    assert outcome.cost_usd == 0.25 * outcome.answered
    again = model()
    assert ask(out, again, *ITEMS, max_cost_usd=1.0).over_budget
    assert again.asked == []
    assert ask(out, model(), *ITEMS, max_cost_usd=9.0).complete


def test_a_budget_without_prices_is_refused(tmp_path):
    with pytest.raises(UserError, match="what scripted costs is unknown; give --input-price-usd"):
        ask(tmp_path / "run", Scripted(says()), *ITEMS, max_cost_usd=1.0)
    assert len(read_run(tmp_path / "run").answers) == 1


def test_progress_counts_items_of_all_sorts(tmp_path):
    seen = []
    out = tmp_path / "run"
    items = (*ITEMS[:2], item("broken", "no.png"))
    ask(out, Scripted(says(), batch_size=2), *items, progress=lambda *at: seen.append(at))
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    seen.clear()
    ask(out, Scripted(says()), *items, progress=lambda *at: seen.append(at))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_calls_under_way_are_kept_when_it_is_interrupted(tmp_path):
    """Ctrl-C comes while the first images of a later item are read."""
    out = tmp_path / "run"

    def interrupted():
        raise KeyboardInterrupt

    stop = item("stop", "p")
    stop = type(stop)(
        prompt=type(stop.prompt)(item_id="stop", parts=(Picture(name="p", read=interrupted),)),
        target=stop.target,
    )
    with pytest.raises(KeyboardInterrupt):
        ask(out, Scripted(says(), concurrency=4, wait_s=0.05), *ITEMS[:2], stop, *ITEMS[2:])
    assert read_run(out).answers.keys() == {"i0", "i1"}
    left = item("stop", "p")
    assert ask(out, Scripted(says(), concurrency=4), *ITEMS[:2], left, *ITEMS[2:]).complete


SLOW = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from asking import Scripted, ask, item, says
items = [item(f"i{n}", f"p{n}") for n in range(400)]
ask(Path(sys.argv[2]), Scripted(says(), wait_s=0.01, concurrency=int(sys.argv[3])), *items)
"""


def wait_for_lines(path, count, process):
    until = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(("sent", "concurrency"), [("SIGKILL", 5), ("SIGINT", 1), ("SIGINT", 5)])
def test_a_killed_run_goes_on_to_the_item(tmp_path, sent, concurrency):
    out = tmp_path / "run"
    command = [sys.executable, "-c", SLOW, str(HERE), str(out), str(concurrency)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            wait_for_lines(out / "attempts.jsonl", 20, process)
            process.send_signal(getattr(signal, sent))
            process.wait(timeout=60)
        finally:
            process.kill()
    done = read_run(out).answers
    assert 20 <= len(done) < 400
    items = [item(f"i{number}", f"p{number}") for number in range(400)]
    model = Scripted(says())
    assert ask(out, model, *items).complete
    assert len(model.names) == 400 - len(done)
    assert not set(model.names) & set(done)
    assert len(read_run(out).attempts) == 400

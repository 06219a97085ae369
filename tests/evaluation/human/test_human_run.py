from pathlib import Path

import pytest

from xvr.errors import UserError
from xvr.evaluation.answers import strict
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.human.run import open_sessions
from xvr.evaluation.item import Item, Picture, Prompt, Target
from xvr.evaluation.run import RunOptions
from xvr.evaluation.store import read_run


@pytest.fixture
def pictures():
    return {f"{number}.jpg": b"\xff\xd8\xff" + bytes([number]) for number in range(3)}


@pytest.fixture
def loaded(pictures):
    items = []
    for name in pictures:
        picture = Picture(name=name, read=lambda name=name: pictures[name])
        target = Target(item_id=name, task="t", kind="yes_no", answer="yes", options=("yes", "no"))
        items.append(Item(prompt=Prompt(item_id=name, parts=(picture, "Well?")), target=target))
    return Loaded(items=tuple(items), revision="1")


@pytest.fixture
def benchmark(loaded):
    return Benchmark(
        name="toy",
        load=lambda path: loaded,  # noqa: ARG005
        scorers={"strict": strict},
        totals=(Total(name="overall", mean="micro"),),
    )


@pytest.fixture
def sessions(benchmark, loaded, tmp_path):
    def opened(*names, **options):
        chosen = RunOptions(data=Path("data"), **options)
        return open_sessions(benchmark, loaded, tmp_path / "run", chosen, names)

    return opened


def answer(session, item_id, text):
    position = [item.target.item_id for item in session.items].index(item_id)
    session.answer(position, text, 2.0)


def test_the_answer_of_most_people_is_that_of_the_run(sessions, tmp_path):
    with sessions("Ann", "Bob") as (ann, bob):
        answer(ann, "0.jpg", "no")
        answer(bob, "0.jpg", "yes")
        answer(bob, "1.jpg", "no")
    assert read_run(tmp_path / "run").answers == {"0.jpg": "no", "1.jpg": "no"}
    with sessions("Cid") as (cid,):
        answer(cid, "0.jpg", "yes")
    run = read_run(tmp_path / "run")
    assert run.answers == {"0.jpg": "yes", "1.jpg": "no"}
    assert [attempt.attempt for attempt in run.attempts] == [1, 2, 1, 3]
    assert {attempt.seconds for attempt in run.attempts} == {2.0}
    assert run.manifest.model == "human"


def test_a_person_finds_their_own_answers_again(sessions):
    with sessions("Ann", "Bob") as (ann, bob):
        answer(ann, "0.jpg", "no")
        answer(bob, "1.jpg", "no")
    with sessions("Ann") as (ann,):
        assert sum(ann.answered) == 1
        assert ann.answered[[item.target.item_id for item in ann.items].index("0.jpg")]


def test_a_picture_that_was_replaced_is_asked_about_again(sessions, pictures, tmp_path):
    with sessions("Ann") as (ann,):
        answer(ann, "0.jpg", "no")
        answer(ann, "1.jpg", "no")
    pictures["1.jpg"] += b"other"
    with sessions("Ann") as (ann,):
        assert sum(ann.answered) == 1
        answer(ann, "1.jpg", "no")
    first, second = read_run(tmp_path / "run").attempts[1:]
    assert first.key != second.key


def test_another_choice_of_items_needs_another_folder(sessions):
    with sessions("Ann", limit=2) as (ann,):
        assert len(ann.items) == 2
    with pytest.raises(UserError, match="limit is 2 there and 1 now"), sessions("Ann", limit=1):
        pass


def test_two_programs_do_not_write_one_run(sessions):
    with sessions("Ann"), pytest.raises(UserError, match="another run"), sessions("Bob"):
        pass


@pytest.mark.parametrize("names", [(), ("Ann", "Ann")])
def test_everyone_is_named_once(names, sessions, tmp_path):
    with pytest.raises(UserError, match="--annotator"), sessions(*names):
        pass
    assert not (tmp_path / "run").exists()

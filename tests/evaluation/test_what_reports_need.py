from dataclasses import replace

import numpy as np
import pytest
from writing import TASKS, first, targets, write_run

from xvr.evaluation.attempt import attempt_of, to_line
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.difficulty import curves
from xvr.evaluation.given import given_answers
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.pick import pick
from xvr.evaluation.results import gather
from xvr.evaluation.scoring import score_run
from xvr.evaluation.summary import by_task

POINTS, TIMES = TASKS


def judged(number, correct=lambda _: True):
    asked = [t for t in targets(2 * number) if t.task == TIMES]
    return [
        Judged(target=t, text="", parsed="2", correct=correct(place))
        for place, t in enumerate(asked)
    ]


def test_answers_given_are_counted_beside_those_that_are_right(tmp_path):
    asked = targets()
    ids = [t.item_id for t in asked if t.task == TIMES]
    answers = {ids[0]: "3", ids[1]: "3", ids[2]: "no idea", ids[3]: Failure(kind="x", message="")}
    run = score_run(write_run(tmp_path / "run", asked, answers), resamples=10)
    found = given_answers(by_task(get_benchmark("xvr"), run.default.judged)[TIMES])
    assert found.answers == ("1", "2", "3")
    assert found.right == {"2": 6}
    assert found.given == {"3": 2, "2": 2}
    assert found.pairs == {"2": {"3": 2, "2": 2}}
    assert (found.unparsed, found.unanswered) == (1, 1)


def test_points_have_no_answers_to_count():
    target = Target(item_id="a", task="context", kind="point", answer="")
    assert given_answers([Judged(target=target, text="", parsed=None, correct=False)]) is None


def test_accuracy_falls_with_difficulty_where_it_does():
    items = judged(40, correct=lambda place: place < 20)
    angles = {i.target.item_id: {"angle_deg": float(place)} for place, i in enumerate(items)}
    bins = curves(items, angles)["angle_deg"]
    assert [(one.n, one.right) for one in bins] == [(10, 10), (10, 10), (10, 0), (10, 0)]
    assert [(one.low, one.high) for one in bins] == [(0, 9), (10, 19), (20, 29), (30, 39)]
    assert bins[3].interval.low == 0


def test_a_measure_of_few_values_has_a_bin_for_each_and_one_of_one_value_none():
    items = judged(30)
    ids = [item.target.item_id for item in items]
    few = {name: {"views": float(place % 3), "same": 1.0} for place, name in enumerate(ids)}
    found = curves(items, few)
    assert list(found) == ["views"]
    assert [(one.low, one.high, one.n) for one in found["views"]] == [(v, v, 10) for v in (0, 1, 2)]


def test_too_few_items_say_nothing_of_difficulty():
    items = judged(19)
    assert curves(items, {i.target.item_id: {"a": n} for n, i in enumerate(items)}) == {}


def verdicts(asked, right):
    return {t.item_id: (right(place), True) for place, t in enumerate(asked)}


def test_items_to_look_at_are_of_every_task_right_and_wrong_alike():
    asked = targets(400)
    rare = verdicts(asked, lambda place: place not in (6, 11, 13))
    chosen = pick(asked, rare, 8, seed=0)
    assert [t.task for t in chosen].count(POINTS) == 4
    wrong = {t.item_id for t in chosen if not rare[t.item_id][0]}
    assert wrong == {"item_006", "item_011", "item_013"}


def test_more_items_to_look_at_are_the_same_and_others():
    asked = targets(100)
    drawn = verdicts(asked, lambda place: bool(np.random.default_rng(place).integers(2)))
    few, many = ({t.item_id for t in pick(asked, drawn, number, seed=1)} for number in (10, 30))
    assert few < many
    assert few != {t.item_id for t in pick(asked, drawn, 10, seed=2)}
    assert len(pick(asked, drawn, 1000, seed=1)) == 100
    assert pick(asked, drawn, 0, seed=1) == []


def test_all_numbers_of_several_runs_are_gathered(tmp_path):
    asked = targets(60, clusters=10)
    paths = [
        write_run(tmp_path / "a", asked, first(asked, POINTS, 8, "green")),
        write_run(tmp_path / "b", asked, {}, model="hf:someone/Model-4B"),
    ]
    measures = {t.item_id: {"angle_deg": float(place)} for place, t in enumerate(asked)}
    found = gather(paths, measures=measures, resamples=100)
    assert list(found.runs) == ["Model-2B", "Model-4B"]
    assert list(found.comparisons) == ["Model-4B"]
    assert found.tasks == [POINTS, TIMES]
    assert list(found.curves[POINTS]["angle_deg"]) == ["Model-2B", "Model-4B"]
    assert found.given[POINTS]["Model-2B"].given["green"] == 8
    table = found.tables()[0]
    assert {row.kind for row in table.rows} == {"theirs", "ours"}
    assert any("published by others" in note for note in table.notes)
    ours = {row.cells[0]: row.cells for row in table.rows if row.kind == "ours"}
    assert ours["Model-4B"][-1].startswith("100.0 (")
    assert found.to_json()["published_by_others"]


def test_a_published_total_over_more_tasks_than_ours_is_not_set_beside_ours(tmp_path):
    table = gather([write_run(tmp_path / "a", targets(), {})], resamples=10).tables()[0]
    theirs = {row.cells[0].split("\u00a0")[0]: row.cells for row in table.rows}
    assert theirs["GPT-5"] == ("GPT-5\u00a0*", "83.3", "65.3", "–")
    assert "a published total over tasks that no run was asked is left out (–)" in table.notes


@pytest.mark.parametrize("scorer", ["strict", "lenient"])
def test_the_scorer_is_the_one_that_was_asked_for(tmp_path, scorer):
    found = gather([write_run(tmp_path / "a", targets(), {})], scorer, resamples=10)
    assert found.scorer == scorer
    assert scorer in found.tables()[0].title


def test_agreement_is_told_of_runs_that_several_people_answered(tmp_path):
    asked = targets(4)
    alone = write_run(tmp_path / "alone", asked, {})
    crowd = write_run(tmp_path / "crowd", asked, dict.fromkeys([t.item_id for t in asked]))
    said = {"Ann": ("red", "2", "red", "2"), "Bob": ("red", "2", "red", "3")}
    with (crowd / "attempts.jsonl").open("wb") as lines:
        for person, answers in said.items():
            for target, text in zip(asked, answers, strict=True):
                attempt = attempt_of(target.item_id, "key", 1, Answer(text=text))
                lines.write(to_line(replace(attempt, annotator=person)))
    assert [t.title for t in gather([alone]).tables()][-1] == "Cost"
    table = gather([alone, crowd]).tables()[-1]
    assert table.title == "Agreement between people"
    assert [row.cells[1:4] for row in table.rows] == [("4", "2", "75.0")]

import json

import pytest
from writing import TASKS, first, targets, write_run

from xvr.errors import UserError
from xvr.evaluation.area import polygon_share
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged
from xvr.evaluation.model import Failure
from xvr.evaluation.scoring import score_run, write_scores
from xvr.evaluation.statistics import wilson
from xvr.evaluation.summary import by_task, chance, summarize
from xvr.evaluation.tables import score_table, to_markdown, to_text, warnings

POINTS, TIMES = TASKS
SQUARE = [[0.25, 0.25], [0.5, 0.25], [0.5, 0.5], [0.25, 0.5]]


def scored(path, *args, **options):
    return score_run(path, *args, resamples=200, **options)


def test_a_run_is_scored_by_task_and_in_total(tmp_path):
    asked = targets()
    path = write_run(tmp_path / "run", asked, first(asked, POINTS, 3, "green"))
    found = scored(path).default
    assert list(found.tasks) == [POINTS, TIMES]
    one = found.tasks[POINTS]
    assert (one.n, one.answered, one.right, one.accuracy) == (6, 6, 3, 0.5)
    assert one.wilson == wilson(3, 6)
    assert found.tasks[TIMES].accuracy == 1.0
    total = found.totals["overall"]
    assert (total.n, total.right, total.accuracy) == (12, 9, 0.75)
    assert total.clusters == 6
    assert total.bootstrap.low < 0.75 < total.bootstrap.high


def test_chance_is_the_mean_over_options_and_majority_the_most_frequent_right_answer(tmp_path):
    asked = targets()
    total = scored(write_run(tmp_path / "run", asked, {})).default.totals["overall"]
    assert total.chance == pytest.approx((6 / 4 + 6 / 3) / 12)
    assert total.majority == 1.0  # each task has one right answer throughout


def test_points_have_the_area_of_their_region_as_chance_and_no_majority():
    point = Target(item_id="a", task="context", kind="point", answer="", facts={"polygon": SQUARE})
    bare = Target(item_id="b", task="context", kind="point", answer="")
    assert chance(point) == pytest.approx(0.0625)
    assert chance(bare) is None
    judged = [Judged(target=t, text="(0, 0)", parsed="(0, 0)", correct=True) for t in (point, bare)]
    both = summarize({"context": judged}, macro=False, seed=0, resamples=10)
    assert (both.chance, both.majority) == (None, None)


@pytest.mark.parametrize(
    ("polygon", "share"),
    [
        (SQUARE, 0.0625),
        ([[0, 0], [1, 0], [0, 1]], 0.5),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], 0.5),  # edges cross: two triangles
        ([[-1, -1], [2, -1], [2, 2], [-1, 2]], 1.0),
        ([[0.5, 0.5]], 0.0),
    ],
)
def test_the_share_of_the_image_in_a_polygon(polygon, share):
    assert polygon_share(polygon) == pytest.approx(share, abs=0.005)


def test_a_macro_total_is_the_mean_over_tasks():
    def judged(task, right):
        target = Target(item_id=task, task=task, kind="yes_no", answer="yes", options=("yes", "no"))
        return Judged(target=target, text="", parsed="yes", correct=right)

    tasks = {"a": [judged("a", True)] * 3, "b": [judged("b", False)]}
    micro = summarize(tasks, macro=False, seed=0, resamples=10)
    macro = summarize(tasks, macro=True, seed=0, resamples=10)
    assert (micro.accuracy, macro.accuracy) == (0.75, 0.5)
    assert macro.wilson is None


def test_missing_answers_count_as_wrong_and_are_said_loudly(tmp_path):
    asked = targets()
    answers = {
        asked[0].item_id: Failure(kind="timeout", message="no reply in 60 s"),
        asked[2].item_id: None,
    }
    run = scored(write_run(tmp_path / "run", asked, answers))
    assert not run.complete
    assert run.default.tasks[POINTS].accuracy == pytest.approx(4 / 6)
    assert run.usage.unanswered == {"timeout": 1, "not_asked": 1}
    assert run.usage.failures == {"timeout": 1}
    (loud,) = [text for text in warnings(run) if text.startswith("NOT COMPLETE")]
    assert "2 of 12 items have no answer" in loud
    assert loud in to_text(score_table(run, run.default))


def test_every_scorer_is_asked_and_what_it_cannot_read_is_told(tmp_path):
    asked = targets()
    path = write_run(tmp_path / "run", asked, first(asked, POINTS, 2, "The answer is red."))
    scores = scored(path).scores
    assert list(scores) == list(get_benchmark("xvr").scorers)
    strict = scores["strict"].tasks[POINTS]
    assert (strict.right, strict.unparsed) == (4, 2)
    assert strict.unparsed_share == pytest.approx(2 / 6)
    assert scores["lenient"].tasks[POINTS].right == 6


def test_scores_are_written_with_all_they_depend_on_and_the_same_each_time(tmp_path):
    path = write_run(tmp_path / "run", targets(), {})
    written = write_scores(scored(path, seed=3)).read_bytes()
    assert write_scores(scored(path, seed=3)).read_bytes() == written
    found = json.loads(written)
    assert found["complete"] is True
    assert (found["seed"], found["resamples"], found["confidence"]) == (3, 200, 0.95)
    assert found["data_revision"] == "5ca1ab1e"
    assert found["version"]
    assert found["usage"]["input_tokens"] == 1200
    assert found["usage"]["call_seconds"] == 0.5
    assert list(found["scorers"]["strict"]["totals"]) == ["overall"]


def test_a_part_of_a_benchmark_is_called_so(tmp_path):
    run = scored(write_run(tmp_path / "run", targets(), {}, limit=12, tasks=[POINTS, TIMES]))
    assert [text for text in warnings(run) if "only a part" in text] == [
        "only a part of the benchmark: --limit 12",
        f"only a part of the benchmark: --tasks {POINTS} {TIMES}",
    ]


def test_a_run_of_no_items_and_an_unknown_scorer_are_mistakes(tmp_path):
    with pytest.raises(UserError, match="no items"):
        scored(write_run(tmp_path / "empty", [], {}))
    with pytest.raises(UserError, match="unknown scorer of xvr 'strickt': did you mean 'strict'"):
        scored(write_run(tmp_path / "run", targets(), {}), "strickt")


def test_unknown_tasks_come_after_those_of_the_table():
    items = [
        Judged(
            target=Target(item_id=task, task=task, kind="letter", answer="A", options=("A",)),
            text="A",
            parsed="A",
            correct=True,
        )
        for task in ("zebra", TIMES, "among", POINTS)
    ]
    assert list(by_task(get_benchmark("xvr"), items)) == [POINTS, TIMES, "zebra", "among"]


def test_markdown_escapes_what_would_break_the_table(tmp_path):
    run = scored(write_run(tmp_path / "run", targets(), {}, model="replay:a|b_c.jsonl"))
    text = to_markdown(score_table(run, run.default))
    assert r"replay:a\|b\_c.jsonl" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {11}

import json
from dataclasses import replace

import pytest
from writing import TASKS, first, targets, write_run

from xvr.errors import UserError
from xvr.evaluation.compare import compare_runs
from xvr.evaluation.model import Failure
from xvr.evaluation.names import names_of, short_model
from xvr.evaluation.statistics import holm, mcnemar
from xvr.evaluation.tables import comparison_table, to_text

POINTS, TIMES = TASKS


def compared(*paths, **options):
    return compare_runs(list(paths), resamples=200, **options)


def two_runs(tmp_path, asked):
    """Of the points only B has 8 right and only A 1; of the times they differ in nothing."""
    wrong = first(asked, POINTS, 8, "green")
    other = {[t.item_id for t in asked if t.task == POINTS][-1]: "blue"}
    return write_run(tmp_path / "a", asked, wrong), write_run(tmp_path / "b", asked, other)


def test_two_runs_are_compared_item_by_item(tmp_path):
    asked = targets(40, clusters=10)
    (found,) = compared(*two_runs(tmp_path, asked))
    one = found.tasks[POINTS]
    assert (one.n, one.only_first, one.only_second) == (20, 1, 8)
    assert (one.first, one.second) == (0.6, 0.95)
    assert one.difference == pytest.approx(0.35)
    assert one.interval.low < 0.35 < one.interval.high
    assert one.p == mcnemar(1, 8) == pytest.approx(0.0391, abs=1e-4)
    assert [d.p_holm for d in found.tasks.values()] == holm([d.p for d in found.tasks.values()])
    total = found.totals["overall"]
    assert (total.n, total.only_first, total.only_second) == (40, 1, 8)
    assert total.p_holm is None


def test_the_other_way_round_the_difference_changes_its_sign_only(tmp_path):
    paths = two_runs(tmp_path, targets(40, clusters=10))
    (there,), (back,) = compared(*paths), compared(*paths[::-1])
    for task, one in there.tasks.items():
        assert back.tasks[task].difference == -one.difference
        assert back.tasks[task].p == one.p


def test_a_run_against_itself_differs_in_nothing(tmp_path):
    asked = targets()
    path = write_run(tmp_path / "a", asked, first(asked, POINTS, 2, "blue"))
    (found,) = compared(path, path)
    total = found.totals["overall"]
    assert (total.difference, total.interval, total.p) == (0.0, (0.0, 0.0), 1.0)
    assert total.detectable is None


def test_several_runs_are_held_against_the_first(tmp_path):
    asked = targets()
    paths = [write_run(tmp_path / name, asked, {}) for name in "abc"]
    assert [(c.first, c.second) for c in compared(*paths)] == [
        (paths[0], paths[1]),
        (paths[0], paths[2]),
    ]


def test_only_items_that_both_were_asked_count_and_the_rest_is_told(tmp_path):
    asked = targets()
    whole = write_run(tmp_path / "whole", asked, {})
    part = write_run(tmp_path / "part", asked[3:9], {}, limit=6)
    (found,) = compared(whole, part)
    assert found.totals["overall"].n == 6
    assert (found.only_in_first, found.only_in_second) == (6, 0)
    assert "6 items that only A was asked are left out" in to_text(
        comparison_table(found, "whole", "part")
    )


def test_items_without_an_answer_count_as_wrong_and_are_told(tmp_path):
    asked = targets()
    failed = {asked[0].item_id: Failure(kind="timeout", message="")}
    paths = write_run(tmp_path / "a", asked, {}), write_run(tmp_path / "b", asked, failed)
    (found,) = compared(*paths)
    assert found.tasks[POINTS].only_first == 1
    assert (found.unanswered_first, found.unanswered_second) == (0, 1)
    assert "NOT COMPLETE: 1 items have no answer of B" in to_text(comparison_table(found, "a", "b"))


def test_another_revision_of_the_data_is_refused(tmp_path):
    asked = targets()
    one = write_run(tmp_path / "a", asked, {})
    other = write_run(tmp_path / "b", asked, {}, revision="0ddba11")
    with pytest.raises(UserError, match="the data revision is '5ca1ab1e' in one and '0ddba11'"):
        compared(one, other)


def test_another_right_answer_is_refused_with_what_differs(tmp_path):
    asked = targets()
    changed = [replace(asked[0], answer="blue"), *asked[1:]]
    one, other = write_run(tmp_path / "a", asked, {}), write_run(tmp_path / "b", changed, {})
    with pytest.raises(UserError, match="answer of item item_000 is 'red' in one and 'blue'"):
        compared(one, other)


def test_runs_that_share_no_item_and_a_single_run_are_refused(tmp_path):
    asked = targets()
    one = write_run(tmp_path / "a", asked[::2], {})
    other = write_run(tmp_path / "b", asked[1::2], {})
    with pytest.raises(UserError, match="share no item"):
        compared(one, other)
    with pytest.raises(UserError, match="name at least two"):
        compared(one)


def test_a_comparison_can_be_written_as_json(tmp_path):
    asked = targets()
    path = write_run(tmp_path / "a", asked, {})
    (found,) = compared(path, path, scorer="lenient")
    told = json.loads(json.dumps(found.to_json()))
    assert (told["scorer"], told["seed"], told["power"]) == ("lenient", 0, 0.8)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("random", "random"),
        ("hf:Qwen/Qwen3-VL-2B-Instruct", "Qwen3-VL-2B-Instruct"),
        ("hf:/runs/tuned/", "tuned"),
        ("openai:gpt-5@https://api.example.com/v1", "gpt-5"),
        ("text-only:hf:Qwen/Qwen3-VL-2B-Instruct", "text-only:Qwen3-VL-2B-Instruct"),
    ],
)
def test_a_model_has_a_short_name(model, name):
    assert short_model(model) == name


def test_names_of_runs_side_by_side_are_all_different(tmp_path):
    def named(*runs):
        return names_of([(tmp_path / folder, model) for folder, model in runs])

    assert named(("a", "hf:x/M"), ("b", "random")) == ["M", "random"]
    assert named(("a", "hf:x/M"), ("b", "hf:y/M")) == ["hf:x/M", "hf:y/M"]
    assert named(("a", "hf:x/M"), ("b", "hf:x/M")) == ["M (a)", "M (b)"]
    assert len(set(named(("a", "hf:x/M"), ("a", "hf:x/M"), ("1/a", "hf:x/M")))) == 3

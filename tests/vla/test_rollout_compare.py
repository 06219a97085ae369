"""Two policies held against each other, on runs that were written by hand."""

import json
from dataclasses import asdict, replace

import pytest

from xvr.errors import UserError
from xvr.evaluation.statistics import mcnemar, wilson
from xvr.evaluation.tables import to_text
from xvr.vla.compare import compare_rollouts
from xvr.vla.comparison_table import comparison_table
from xvr.vla.environment import make_plans
from xvr.vla.rollout_folder import RolloutManifest, Row, open_rollouts

MANIFEST = RolloutManifest(
    policy="p",
    policy_revision="r",
    policy_contract=None,
    environment="embedded",
    environment_contract={},
    horizon={"a": 10, "b": 10},
    execute=8,
    seed=0,
    started="2026-01-01",
)


def write(path, wins, manifest=MANIFEST, seed=0, meta=None):
    """A run whose episodes succeed as told: `{"a": "1101"}`."""
    plans = [plan for task, text in wins.items() for plan in make_plans(task, len(text), seed)]
    marks = "".join(wins.values())
    with open_rollouts(path, manifest, plans) as (_, log):
        for plan, mark in zip(plans, marks, strict=True):
            if mark != "-":
                log.append(row(plan, mark == "1", meta))
    return path


def row(plan, success, meta):
    return Row(
        task=plan.task,
        index=plan.index,
        seed=plan.seed,
        success=success,
        steps=5,
        queries=1,
        instruction="go",
        meta=meta,
        actions="",
    )


def test_shares_differences_and_discordant_episodes_are_counted_by_task(tmp_path):
    first = write(tmp_path / "one", {"a": "1100", "b": "0000"})
    second = write(tmp_path / "two", {"a": "1011", "b": "1110"})
    (found,) = compare_rollouts([first, second])
    a, b = found.tasks["a"], found.tasks["b"]
    assert (a.first.share, a.second.share, a.difference) == (0.5, 0.75, 0.25)
    assert (a.only_first, a.only_second) == (1, 2)
    assert (b.only_first, b.only_second) == (0, 3)
    assert a.p == mcnemar(1, 2)
    assert b.p_holm == min(1.0, 2 * mcnemar(0, 3))
    assert a.first.interval == wilson(2, 4)
    assert found.mean == pytest.approx(0.5)
    assert a.over_training is None
    assert a.by_training_seed == (0.25,)


def test_the_order_in_which_episodes_ended_does_not_matter(tmp_path):
    wins = {"a": "110010"}
    first, second = write(tmp_path / "one", wins), write(tmp_path / "two", wins)
    lines = (second / "rows.jsonl").read_text().splitlines(keepends=True)
    (second / "rows.jsonl").write_text("".join(reversed(lines)))
    (found,) = compare_rollouts([first, second])
    assert (found.tasks["a"].only_first, found.tasks["a"].only_second) == (0, 0)
    assert found.tasks["a"].over_episodes == (0, 0)


def test_training_seeds_are_paired_and_drawn_whole(tmp_path):
    """A gain of one training seed alone is certain over episodes and uncertain over training."""
    for seed, wins in enumerate(("1" * 30, "0" * 30, "0" * 30)):
        write(tmp_path / "tuned" / f"seed{seed}", {"a": wins})
        write(tmp_path / "base" / f"seed{seed}", {"a": "0" * 30})
    (found,) = compare_rollouts([tmp_path / "base", tmp_path / "tuned"])
    task = found.tasks["a"]
    assert found.training_seeds == 3
    assert task.by_training_seed == (1.0, 0.0, 0.0)
    assert task.difference == pytest.approx(1 / 3)
    assert task.over_episodes.low == pytest.approx(1 / 3)
    assert task.over_training.low == 0
    assert task.over_training.high == pytest.approx(1.0)
    assert (task.first.episodes, task.episodes) == (90, 30)
    text = to_text(comparison_table(found))
    assert "B - A for each of 3 training seeds: a: +100.0, +0.0, +0.0" in text


def test_one_training_seed_is_said_to_tell_nothing_of_training(tmp_path):
    runs = [write(tmp_path / name, {"a": "10"}) for name in ("one", "two")]
    assert "one training seed each" in to_text(comparison_table(compare_rollouts(runs)[0]))


def test_published_numbers_stand_beside_robocasa_only_and_as_theirs(tmp_path):
    ours = MANIFEST
    theirs = replace(ours, environment="robocasa:v0.2", horizon={"TurnOffMicrowave": 500})
    for name, manifest in (("ours", ours), ("theirs", theirs)):
        for run in ("one", "two"):
            write(tmp_path / name / run, {"TurnOffMicrowave": "10"}, manifest)
    texts = {
        name: to_text(
            comparison_table(compare_rollouts([tmp_path / name / run for run in ("one", "two")])[0])
        )
        for name in ("ours", "theirs")
    }
    assert "published:" not in texts["ours"]
    assert "published: TurnOffMicrowave, policy on the base model" in texts["theirs"]
    assert "45.7" in texts["theirs"]
    assert "72.7" in texts["theirs"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"environment": "robocasa:v0.2"}, "the environment is 'embedded' in one and 'robocasa"),
        ({"horizon": {"a": 20, "b": 10}}, "the horizon is"),
    ],
)
def test_runs_of_other_worlds_are_refused(tmp_path, change, told):
    first = write(tmp_path / "one", {"a": "10"})
    second = write(tmp_path / "two", {"a": "10"}, replace(MANIFEST, **change))
    with pytest.raises(UserError, match=told):
        compare_rollouts([first, second])


def test_runs_of_other_episodes_are_refused_and_the_way_out_is_told(tmp_path):
    first = write(tmp_path / "one", {"a": "10"})
    with pytest.raises(UserError, match="2 episodes in one and 3 in the other; run one again with"):
        compare_rollouts([first, write(tmp_path / "two", {"a": "100"})])
    with pytest.raises(UserError, match=r"a episode 0 has seed \d+ in one"):
        compare_rollouts([first, write(tmp_path / "three", {"a": "10"}, seed=5)])


def test_episodes_that_the_simulator_began_differently_are_refused(tmp_path):
    first = write(tmp_path / "one", {"a": "10"}, meta={"layout": 1})
    with pytest.raises(UserError, match="began a episode 0 differently"):
        compare_rollouts([first, write(tmp_path / "two", {"a": "10"}, meta={"layout": 2})])
    compare_rollouts([first, write(tmp_path / "three", {"a": "10"}, meta={"layout": 1})])


def test_unfinished_runs_unlike_arms_and_single_ones_are_refused(tmp_path):
    first = write(tmp_path / "one", {"a": "10"})
    with pytest.raises(UserError, match="1 of 2 episodes are missing"):
        compare_rollouts([first, write(tmp_path / "two", {"a": "1-"})])
    with pytest.raises(UserError, match="one policy cannot be compared"):
        compare_rollouts([first])
    for name in ("s0", "s1"):
        write(tmp_path / "arm" / name, {"a": "10"})
    with pytest.raises(UserError, match=r"holds 1 runs and .* 2: runs are paired"):
        compare_rollouts([first, tmp_path / "arm"])
    with pytest.raises(UserError, match="holds no rollouts"):
        compare_rollouts([first, tmp_path / "nothing"])


def test_a_damaged_row_is_told_by_its_line(tmp_path):
    run = write(tmp_path / "one", {"a": "10"})
    lines = (run / "rows.jsonl").read_text().splitlines(keepends=True)
    (run / "rows.jsonl").write_text(lines[0] + '{"task": "a"}\n')
    with pytest.raises(UserError, match=r"rows.jsonl:2: index: Field required"):
        compare_rollouts([run, run])
    strange = json.loads(lines[0]) | {"index": 77}
    (run / "rows.jsonl").write_text(json.dumps(strange) + "\n")
    with pytest.raises(UserError, match=r"is not among plans\.jsonl"):
        compare_rollouts([run, run])


def test_a_comparison_is_json(tmp_path):
    runs = [write(tmp_path / name, {"a": "10", "b": "11"}) for name in ("one", "two")]
    (found,) = compare_rollouts(runs)
    content = json.loads(json.dumps(found.to_json()))
    assert content["tasks"]["a"]["first"]["successes"] == 1
    assert content["confidence"] == 0.95
    assert asdict(MANIFEST)["seed"] == content["seed"]

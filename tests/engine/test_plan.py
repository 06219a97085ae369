"""Planning on references alone: splits, quotas, rounds."""

import tracemalloc
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toy.datasets import config
from xvr.engine.config import apportion
from xvr.engine.plan import SplitPlanner, assign_splits, split_counts
from xvr.sources.records import Ref
from xvr.tasks import TASKS, get_task

ALL = {task.name: 1 / len(TASKS) for task in TASKS}


def scenes(count, per_group=1):
    return [
        Ref(
            format="wildrgbd",
            root="/data",
            id=f"toy/scenes/scene_{n:05d}",
            group=f"object_{n // per_group:05d}",
            kind="scene",
        )
        for n in range(count)
    ]


def episodes(count, rigs=1):
    return [
        Ref(
            format="lerobot",
            root="/data",
            id=f"kitchen/episode_{n:06d}",
            group=f"kitchen/episode_{n:06d}",
            kind="episode",
            rig=f"rig_{n % rigs}",
        )
        for n in range(count)
    ]


def run(planner, fill, rounds=400):
    """Let units fill what `fill` says until nothing is open or possible; returns all units."""
    units = []
    for _ in range(rounds):
        if not planner.open_slots or not (batch := planner.next_units()):
            return units
        for unit in batch:
            filled = fill(unit)
            planner.account(unit, filled, [f"{unit.name}-{n}" for n in range(len(filled))])
        planner.finish_round()
        units += batch
    raise AssertionError("the planner does not end")


def test_every_slot_of_2000_scenes_and_episodes_is_filled_exactly_once():
    counts = apportion(9_001, ALL)
    planner = SplitPlanner(split="train", refs=scenes(1500) + episodes(500), counts=counts)
    units = run(planner, lambda unit: unit.slots)
    slots = Counter(slot for unit in units for slot in unit.slots)
    assert set(slots.values()) == {1}
    assert Counter(task for task, _ in slots) == counts
    assert len({unit.name for unit in units}) == len(units)
    domains = {task.name: task.domain for task in TASKS}
    for unit in units:
        kinds = {"scene" if domains[task] == "general" else "episode" for task, _ in unit.slots}
        assert kinds == {unit.ref.kind}


def test_what_poor_units_leave_open_is_filled_by_others():
    """Every third scene gives nothing, every other one gives half of what it is asked for."""

    def fill(unit):
        number = int(unit.ref.id[-5:])
        if number % 3 == 0:
            return ()
        return unit.slots[::2] if number % 2 else unit.slots

    counts = apportion(2_000, ALL)
    planner = SplitPlanner(split="train", refs=scenes(1400) + episodes(600), counts=counts)
    units = run(planner, fill)
    assert not planner.open_slots
    filled = Counter(slot for unit in units for slot in fill(unit))
    assert set(filled.values()) == {1}
    assert Counter(task for task, _ in filled) == counts


def test_the_plan_is_the_same_each_time():
    def plan():
        planner = SplitPlanner(
            split="train", refs=scenes(120) + episodes(80, rigs=7), counts=apportion(700, ALL)
        )
        return run(planner, lambda unit: unit.slots[1:])

    assert plan() == plan()


def test_the_order_in_which_units_finish_changes_nothing():
    counts = apportion(300, ALL)
    planners = [
        SplitPlanner(split="train", refs=scenes(40) + episodes(20), counts=counts) for _ in range(2)
    ]
    for _ in range(6):
        first, second = (planner.next_units() for planner in planners)
        assert first == second
        for planner, batch in zip(planners, (first, second[::-1]), strict=True):
            for unit in batch:
                planner.account(
                    unit, unit.slots[::2], [f"{unit.name}-{slot}" for slot in unit.slots]
                )
            planner.finish_round()


def test_planning_ends_when_nothing_can_be_filled():
    counts = apportion(800, ALL)
    planner = SplitPlanner(split="train", refs=scenes(30) + episodes(30), counts=counts)
    units = run(planner, lambda _: ())
    assert planner.open_slots == 800
    asked = Counter((task, unit.ref.id) for unit in units for task in {t for t, _ in unit.slots})
    assert set(asked.values()) == {1}  # no scene is asked twice for what it does not have


def test_planning_ends_when_every_unit_runs_dry():
    left = defaultdict(lambda: 3)

    def fill(unit):
        given = unit.slots[: left[unit.ref.id]]
        left[unit.ref.id] -= len(given)
        return given

    planner = SplitPlanner(split="train", refs=scenes(10), counts={"point_correspondence": 1000})
    run(planner, fill)
    assert planner.open_slots == 1000 - 30


def test_a_split_without_scenes_plans_no_unit_for_their_tasks():
    planner = SplitPlanner(split="train", refs=episodes(3), counts={"point_correspondence": 5})
    assert planner.next_units() == []


def test_a_unit_carries_the_questions_of_its_earlier_rounds():
    planner = SplitPlanner(split="train", refs=scenes(1), counts={"point_correspondence": 20})
    (first,) = planner.next_units()
    planner.account(first, first.slots[:12], ["a", "b"])
    planner.finish_round()
    (second,) = planner.next_units()
    assert second.taken == ("a", "b")
    assert set(second.slots) == set(first.slots[12:])
    assert second.name != first.name


def test_a_partner_is_another_episode_of_the_same_rig_and_another_one_each_round():
    refs = episodes(12, rigs=3)
    planner = SplitPlanner(split="train", refs=refs, counts={"cross_scenario_localization": 96})
    partners = defaultdict(list)
    for _ in range(3):
        for unit in planner.next_units():
            partners[unit.ref.id].append(unit.partner)
            planner.account(unit, unit.slots[:1], [])
        planner.finish_round()
    rig = {ref.id: ref.rig for ref in refs}
    for own, found in partners.items():
        assert all(partner.rig == rig[own] and partner.id != own for partner in found)
        assert len({partner.id for partner in found}) == len(found)


def test_the_only_episode_of_a_rig_has_no_partner():
    planner = SplitPlanner(
        split="train", refs=episodes(2, rigs=2), counts={"cross_scenario_localization": 4}
    )
    assert {unit.partner for unit in planner.next_units()} == {None}


def test_no_unit_is_opened_for_a_few_samples_when_others_have_room():
    planner = SplitPlanner(split="train", refs=scenes(5000), counts={"point_correspondence": 160})
    assert len(planner.next_units()) <= 20


@given(
    st.integers(1, 60), st.integers(0, 60), st.integers(1, 5), st.booleans(), st.integers(0, 2**31)
)
def test_splits_are_disjoint_by_group_and_lose_nothing(count, robots, per_group, evaluation, seed):
    refs = scenes(count, per_group) + episodes(robots)
    asked = config("x:y", samples=400, evaluation=evaluation, seed=seed)
    splits = assign_splits(refs, asked)
    placed = [ref for found in splits.values() for ref in found]
    assert sorted(placed, key=refs.index) == refs
    groups = [{ref.group for ref in found} for found in splits.values()]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert bool(splits["xvr_eval"]) <= evaluation
    for found in (splits["valid"], splits["xvr_eval"]):
        assert sum(ref.kind == "episode" for ref in found) != 1  # one has no partner


def test_splits_do_not_depend_on_the_order_of_the_sources():
    refs, asked = scenes(50) + episodes(50), config("x:y", samples=400)
    turned = assign_splits(refs[::-1], asked)
    for split, found in assign_splits(refs, asked).items():
        assert {ref.id for ref in found} == {ref.id for ref in turned[split]}


@given(st.integers(1, 3000), st.floats(0.0, 0.9), st.integers(0, 12), st.integers(0, 12))
def test_train_and_valid_together_have_the_samples_that_were_asked_for(
    samples, valid_share, count, robots
):
    asked = config("x:y", samples=samples, valid_share=valid_share, tasks=())
    splits = assign_splits(scenes(count) + episodes(robots), asked)
    counts = split_counts(asked, splits)
    total = Counter()
    for split in ("train", "valid"):
        total.update(counts[split])
    assert total == Counter(apportion(samples, asked.shares()))
    assert counts["xvr_eval"] == {}


def test_a_benchmark_has_the_counts_of_the_published_one():
    asked = config("x:y", samples=0, evaluation=True, tasks=(), mixture="xvr")
    splits = assign_splits(scenes(40) + episodes(40), asked)
    counts = split_counts(asked, splits)
    assert counts["xvr_eval"] == {task.name: task.eval_count for task in TASKS}
    assert counts["train"] == {}
    assert not splits["train"]


@given(
    st.integers(0, 10_000),
    st.dictionaries(st.text("abcdef", min_size=1), st.floats(0.01, 1), min_size=1),
)
def test_apportioned_counts_sum_up_and_are_never_off_by_one_or_more(total, weights):
    whole = sum(weights.values())
    shares = {name: weight / whole for name, weight in weights.items()}
    counts = apportion(total, shares)
    assert sum(counts.values()) == total
    assert all(abs(counts[name] - total * share) < 1 + 1e-6 for name, share in shares.items())


def test_18000_scenes_and_70000_episodes_plan_within_200_megabytes():
    refs = scenes(18_000) + episodes(70_000, rigs=12)
    asked = config("x:y", samples=100_000, tasks=(), mixture="xvr")
    tracemalloc.start()
    splits = assign_splits(refs, asked)
    counts = split_counts(asked, splits)
    planner = SplitPlanner(split="train", refs=splits["train"], counts=counts["train"])
    units = planner.next_units()
    for unit in units:
        planner.account(unit, unit.slots, [])
    planner.finish_round()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not planner.open_slots
    assert sum(len(unit.slots) for unit in units) == sum(counts["train"].values())
    assert peak < 200e6


@pytest.mark.parametrize("rigs", [1, 500])
def test_quotas_reach_many_rigs(rigs):
    """Samples spread over as many episodes as they need, whatever the number of rigs."""
    planner = SplitPlanner(
        split="train", refs=episodes(1000, rigs), counts={"temporal_verification": 800}
    )
    units = planner.next_units()
    assert 90 <= len(units) <= 110
    assert max(len(unit.slots) for unit in units) <= 9


def test_a_partner_is_read_for_as_many_questions_as_an_episode_is():
    """In train: eight of a hundred episodes have a partner to decode, and 64 questions with it."""
    counts = {"cross_scenario_localization": 64, "temporal_verification": 160}
    planner = SplitPlanner(split="train", refs=episodes(100, rigs=3), counts=counts)
    units = planner.next_units()
    tasks = [Counter(task for task, _ in unit.slots) for unit in units]
    assert (
        sorted(map(dict, tasks), key=str)
        == [{"cross_scenario_localization": 8}] * 8 + [{"temporal_verification": 8}] * 20
    )
    assert len({unit.partner for unit in units if "cross" in unit.slots[0][0]}) == 8


def test_held_out_questions_with_partners_are_spread_over_all_episodes():
    counts = {"cross_scenario_localization": 64, "temporal_verification": 160}
    planner = SplitPlanner(split="xvr_eval", refs=episodes(100), counts=counts)
    found = [Counter(task for task, _ in unit.slots) for unit in planner.next_units()]
    assert len(found) == 28
    assert all(2 <= tasks["cross_scenario_localization"] <= 3 for tasks in found)


def test_the_answers_of_a_unit_do_not_follow_from_its_place_in_the_plan():
    """Slots are handed out at random: units do not get the same answers in turns."""
    task = get_task("point_correspondence")
    planner = SplitPlanner(split="train", refs=scenes(400), counts={task.name: 3200})
    found = Counter(
        tuple(sorted(task.slot("train", index).answer for _, index in unit.slots))
        for unit in planner.next_units()
    )
    assert max(found.values()) < 20


def test_the_name_of_a_unit_tells_all_that_it_is_asked():
    (unit,) = SplitPlanner("train", scenes(1), {"point_correspondence": 3}).next_units()
    others = [
        replace(unit, slots=unit.slots[:2]),
        replace(unit, taken=("a",)),
        replace(unit, partner=unit.ref),
        replace(unit, round=1),
        replace(unit, split="valid"),
    ]
    assert len({other.name for other in (unit, *others)}) == 6
    assert replace(unit).name == unit.name


def test_a_source_given_twice_is_one_source():
    planner = SplitPlanner("train", scenes(2) * 2, {"point_correspondence": 32})
    assert len(planner.next_units()) == 2


def test_a_million_samples_are_exact_though_scenes_give_nothing_or_half():
    """180,000 scenes, a third without any sample, a third with half; no image, no global pass."""
    asked = config("x:y", samples=1_000_000, tasks=(), mixture="general", valid_share=0.0)
    splits = assign_splits(scenes(180_000), asked)
    counts = split_counts(asked, splits)["train"]
    planner = SplitPlanner(split="train", refs=splits["train"], counts=counts)
    times = {task: np.zeros(count, dtype=int) for task, count in counts.items()}
    while planner.open_slots:
        for unit in planner.next_units():
            yields = int(unit.ref.id[-5:]) % 3
            given = unit.slots[::yields] if yields else ()
            for task, index in given:
                times[task][index] += 1
            planner.account(unit, given)
        planner.finish_round()
        assert planner.round < 40
    assert sum(counts.values()) == 1_000_000
    for name, filled in times.items():
        assert (filled == 1).all()
        task = get_task(name)
        cells = Counter(
            (slot.images, slot.answer) for slot in map(slot_of(task), range(len(filled)))
        )
        assert set(cells) == set(task.cells)
        assert max(cells.values()) - min(cells.values()) <= 1


def slot_of(task):
    return lambda index: task.slot("train", index)

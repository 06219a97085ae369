from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xvr.errors import UserError
from xvr.tasks import ALL_TASK_NAMES, ALL_TASKS, TASKS, get_task

tasks = st.sampled_from(ALL_TASKS)


@given(tasks, st.integers(1, 5000))
def test_every_answer_is_used_equally_often_to_one_sample_in_any_number_of_samples(task, count):
    """Per number of images, as both are taken in turn."""
    slots = [task.slot("train", index) for index in range(count)]
    used = Counter((slot.images, slot.answer) for slot in slots)
    numbers = [used[cell] for cell in task.cells]
    assert sum(numbers) == count
    assert max(numbers) - min(numbers) <= 1


@given(tasks, st.integers(1, 5000))
def test_every_variant_is_used_equally_often_with_every_answer(task, count):
    slots = [task.slot("train", index) for index in range(count)]
    by_cell = Counter((slot.images, slot.answer, slot.variant) for slot in slots)
    for cell in task.cells:
        used = [by_cell[*cell, variant] for variant in range(task.variants)]
        assert max(used) - min(used) <= 1


@given(tasks, st.sampled_from(["train", "valid", "xvr_eval"]), st.integers(0, 10**6))
def test_a_slot_depends_on_its_split_and_index_alone(task, split, index):
    slot = task.slot(split, index)
    assert slot == task.slot(split, index)
    assert (slot.task, slot.split, slot.index) == (task.name, split, index)
    assert (slot.images, slot.answer) in task.cells
    assert 0 <= slot.variant < task.variants


def test_the_eight_tasks_have_their_published_ids_and_numbers_of_choices():
    table = {
        task.name: (task.released_id, task.domain, sorted({images for images, _ in task.cells}))
        for task in TASKS
    }
    assert table == {
        "point_correspondence": ("task9", "general", [3, 4, 5]),
        "directional_correspondence": ("task10", "general", [3, 4, 5]),
        "spatial_verification": ("task6", "general", [4, 5]),
        "temporal_verification": ("task1", "robotic", [3]),
        "viewpoint_localization": ("task5", "general", [4, 5, 6]),
        "directional_view_localization": ("task3", "robotic", [3]),
        "cross_scenario_localization": ("task2", "robotic", [6]),
        "language_conditioned_localization": ("task4", "robotic", [3]),
    }


def test_a_task_is_found_by_its_name_and_an_unknown_one_gets_the_closest():
    assert [get_task(name).name for name in ALL_TASK_NAMES] == list(ALL_TASK_NAMES)
    with pytest.raises(UserError, match="did you mean 'point_correspondence'"):
        get_task("point_corespondence")

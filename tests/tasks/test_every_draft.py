"""What holds for the drafts of all tasks."""

import re

import numpy as np
import pytest

from toy import room
from toy.drafting import RULES, drafts, episode, pair, pool, tries
from xvr.tasks import ALL_TASK_NAMES, get_task
from xvr.tasks.draft import COLORS


def right_value(draft):
    """The answer that the slot fixed in advance, in words."""
    shown = {
        "point_correspondence": COLORS,
        "directional_correspondence": COLORS,
        "spatial_verification": "12345",
        "temporal_verification": "123",
        "viewpoint_localization": str.join("", map(str, range(draft.slot.images - 2, 7))),
        "directional_view_localization": "23",
        "cross_scenario_localization": "456",
        "language_conditioned_localization": "23",
        "relative_pose": "ABCD",
        "view_overlap": "23",
        "depth_order": "234",
        "temporal_order": "ABCDEF",
        "temporal_sync": "234",
    }
    return shown[draft.slot.task][draft.slot.answer]


every_draft = pytest.mark.parametrize("task", ALL_TASK_NAMES)


@every_draft
def test_the_answer_is_the_one_of_the_slot(task):
    for index, (_, draft) in enumerate(drafts(task)):
        assert draft.slot == get_task(task).slot("train", index)
        assert draft.answer == right_value(draft)
        assert len(draft.images) == draft.slot.images


@every_draft
def test_exactly_one_option_is_right_and_all_differ(task):
    for _, draft in drafts(task):
        values = [option.value for option in draft.options]
        assert len(set(values)) == len(values)
        assert [option.value for option in draft.options if option.correct] == [draft.answer]
        assert [option.why for option in draft.options].count("answer") == 1


@every_draft
def test_the_prompt_shows_every_image_once_in_order_between_words(task):
    for _, draft in drafts(task):
        numbers = [block for block in draft.blocks if isinstance(block, int)]
        assert numbers == list(range(1, len(draft.images) + 1))
        texts = [block for block in draft.blocks if isinstance(block, str)]
        assert isinstance(draft.blocks[0], str)
        assert isinstance(draft.blocks[-1], str)
        assert all(text.strip() and "{" not in text for text in texts)
        labels = [draft.blocks[draft.blocks.index(number) - 1] for number in numbers]
        for number, label in zip(numbers, labels, strict=True):
            assert re.match(rf"Image {number}\b.*:$", label)


@every_draft
def test_no_two_images_of_a_sample_are_the_same(task):
    for _, draft in drafts(task):
        shown = [(image.episode, image.view, image.frame_index) for image in draft.images]
        assert len(set(shown)) == len(shown)


@every_draft
def test_every_option_is_mentioned_in_the_prompt(task):
    for _, draft in drafts(task):
        text = " ".join(block for block in draft.blocks if isinstance(block, str))
        for option in draft.options:
            assert re.search(rf"\b{option.value}\b", text)


@every_draft
def test_checks_and_difficulty_are_finite_numbers(task):
    for _, draft in drafts(task):
        values = [*draft.checks.values(), *draft.difficulty.values()]
        assert values
        assert all(type(value) is float and np.isfinite(value) for value in values)


@every_draft
def test_the_same_generator_gives_the_same_draft(task):
    def subject():
        return pool(0) if get_task(task).domain == "general" else pair(episode(0), episode(1))

    assert tries(task, subject(), count=8) == tries(task, subject(), count=8)


@every_draft
def test_marks_lie_inside_their_images_by_the_margin(task):
    margin = RULES.margin_share * room.HEIGHT
    for _, draft in drafts(task):
        for mark in draft.marks:
            assert 1 <= mark.image <= len(draft.images)
            for u, v in filter(None, (mark.uv_px, mark.uv_end_px)):
                assert margin <= u <= room.WIDTH - margin
                assert margin <= v <= room.HEIGHT - margin


@pytest.mark.parametrize(
    "task",
    [
        name
        for name in ALL_TASK_NAMES
        if get_task(name).domain == "general" and name not in ("relative_pose", "view_overlap")
    ],
)
def test_colours_of_reference_marks_do_not_tell_the_answer(task):
    """Each of the five colours comes up, whatever the answer."""
    used = {
        mark.color
        for _, draft in drafts(task)
        for mark in draft.marks
        if mark.label in ("Target", "Point", "Camera")
    }
    assert used == set(COLORS)

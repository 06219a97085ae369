"""Answers of the robotic tasks, found again from the toy episodes' own formulas."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from toy import robot
from toy.drafting import ROLES, RULES, drafts, episode, pair, tries
from toy.room import look_at
from xvr.tasks import wordings
from xvr.tasks.draft import Draft, Refusal

NAMES = {role: name for name, role in ROLES.items()}


def text(draft):
    return " ".join(block for block in draft.blocks if isinstance(block, str))


def pixels(image):
    """What an image of a draft shows."""
    return robot.frame_pixels(
        robot.CAMERAS.index(NAMES[image.view]), image.episode, image.frame_index
    )


def gray(image):
    return (image @ (0.299, 0.587, 0.114)).round().astype(np.uint8).repeat(2, 0).repeat(2, 1)


def answered(draft):
    """The image that the answer names."""
    return draft.images[int(draft.answer) - 1]


@pytest.mark.parametrize(
    "task",
    [
        "temporal_verification",
        "directional_view_localization",
        "cross_scenario_localization",
        "language_conditioned_localization",
    ],
)
def test_times_are_those_of_the_frames_and_no_camera_is_shown_twice(task):
    for _, draft in drafts(task):
        for image in draft.images:
            assert image.time_s == pytest.approx(image.frame_index / robot.FPS)
        shown = [(image.episode, image.view) for image in draft.images]
        assert len(set(shown)) == len(shown)


def test_only_the_odd_camera_is_from_another_time():
    for _, draft in drafts("temporal_verification"):
        odd = answered(draft)
        others = {image.frame_index for image in draft.images if image is not odd}
        assert len(others) == 1
        time = others.pop()
        assert abs(odd.frame_index - time) / robot.FPS >= RULES.min_time_gap_s
        path = robot.effector_path(0)
        moved_m = np.linalg.norm(path[odd.frame_index] - path[time])
        assert moved_m >= RULES.min_effector_move_m
        assert draft.checks["effector_move_m"] == pytest.approx(moved_m)


def test_the_odd_camera_and_another_one_saw_change():
    """With a similarity of our own; the images are compared at another size, hence the slack."""
    for _, draft in drafts("temporal_verification"):
        odd = answered(draft)
        time = next(image.frame_index for image in draft.images if image is not odd)
        alike = {}
        for image in draft.images:
            camera = robot.CAMERAS.index(NAMES[image.view])
            two = [gray(robot.frame_pixels(camera, 0, f)) for f in (time, odd.frame_index)]
            alike[image.view] = structural_similarity(*two)
        assert alike.pop(odd.view) <= RULES.max_ssim + 0.03
        assert min(alike.values()) <= RULES.max_ssim + 0.03


def test_the_odd_one_is_each_camera_in_turn():
    odd = [answered(draft).view for _, draft in drafts("temporal_verification")]
    assert set(odd) == set(ROLES.values())


def test_the_answer_stands_on_the_side_that_is_asked_for():
    center = robot.poses("front_view", 0)[0]
    for _, draft in drafts("directional_view_localization"):
        side = draft.world["side"]
        assert side in draft.blocks[-1]
        assert ("left" in draft.blocks[-1]) != ("right" in draft.blocks[-1])
        assert draft.images[0].view == "fix_center"
        assert len({image.frame_index for image in draft.images}) == 1
        for image in draft.images[1:]:
            place = robot.poses(NAMES[image.view], 0)[image.frame_index][:3, 3]
            x, y, z = center[:3, :3].T @ (place - center[:3, 3])
            assert abs(x) >= RULES.min_side_dominance * max(abs(y), abs(z))
            is_asked = x < 0 if side == "left" else x > 0
            assert is_asked == (image is answered(draft))


def test_both_sides_are_asked_for_and_both_answers_given():
    seen = {
        (draft.world["side"], draft.answer) for _, draft in drafts("directional_view_localization")
    }
    assert len(seen) == 4


def test_the_answer_of_another_episode_is_the_camera_asked_for():
    for _, draft in drafts("cross_scenario_localization"):
        first, second = draft.images[:3], draft.images[3:]
        assert {image.episode for image in first} == {0}
        assert {image.episode for image in second} == {1}
        assert {image.view for image in first} == {image.view for image in second}
        asked = first[draft.world["asked_image"] - 1]
        assert f"Image {draft.world['asked_image']} " in draft.blocks[-1]
        assert asked.view in draft.blocks[-1]
        assert answered(draft).view == asked.view
        assert int(draft.answer) > 3
        assert not np.array_equal(pixels(asked), pixels(answered(draft)))


def test_the_order_of_cameras_in_scenario_two_does_not_follow_scenario_one():
    orders = [
        [image.view for image in draft.images[:3]] == [image.view for image in draft.images[3:]]
        for _, draft in drafts("cross_scenario_localization")
    ]
    assert 0 < sum(orders) < len(orders) / 2


def roles_described(sentence):
    return {
        role
        for role, descriptions in wordings.ROLE_DESCRIPTIONS.items()
        if any(description in sentence for description in descriptions)
    }


def test_the_description_fits_the_answer_and_no_other_image():
    for _, draft in drafts("language_conditioned_localization"):
        described, *candidates = draft.images
        assert roles_described(draft.blocks[1]) == {described.view}
        assert roles_described(draft.blocks[-1]) == {answered(draft).view}
        fitting = [n for n in (2, 3) if draft.images[n - 1].view == answered(draft).view]
        assert fitting == [int(draft.answer)]
        assert described.view not in {image.view for image in candidates}
        assert len({image.frame_index for image in draft.images}) == 1


def test_no_description_fits_two_roles():
    """Otherwise two cameras could be right."""
    said = [d for texts in wordings.ROLE_DESCRIPTIONS.values() for d in texts]
    assert len(set(said)) == len(said)
    for role, descriptions in wordings.ROLE_DESCRIPTIONS.items():
        assert all(roles_described(description) == {role} for description in descriptions)


def test_the_images_that_can_be_the_answer_carry_no_description():
    for _, draft in drafts("language_conditioned_localization"):
        assert [block for block in draft.blocks if block in ("Image 2:", "Image 3:")] == [
            "Image 2:",
            "Image 3:",
        ]


HEAD = look_at((0.0, -0.4, 1.2), (0.0, 0.3, 0.4))
"""Behind the hands and above them, so that they are ahead of it more than beside it."""


def two_handed(side_m):
    """An episode of a robot whose head stands still between two hands that move."""

    def poses(name, number):
        found = np.tile(HEAD, (robot.LENGTH, 1, 1))
        if name != "front_view":
            found[:, :3, 3] = 0.2 * robot.effector_path(number) + (0.0, 0.3, 0.3)
            found[:, 0, 3] += -side_m if name == "left_view" else side_m
        return found

    roles = dict(zip(robot.CAMERAS, ("ego_head", "ego_left", "ego_right"), strict=False))
    made = episode(0, robot.CAMERAS[:3], poses=poses)
    cameras = [replace(c, role=roles[c.key.rpartition(".")[2]]) for c in made.cameras]
    return pair(replace(made, cameras=tuple(cameras)))


def test_hands_are_at_the_sides_of_a_head_that_they_are_ahead_of():
    found = tries("directional_view_localization", two_handed(0.3))
    assert all(isinstance(draft, Draft) for draft in found)
    for draft in found:
        checks = draft.checks
        assert checks["ego_left_x_m"] < -RULES.min_side_m
        assert checks["ego_right_x_m"] > RULES.min_side_m
        assert checks["ego_left_dominance"] < RULES.min_side_dominance
        assert answered(draft).view == f"ego_{draft.world['side']}"


def test_hands_that_cross_are_at_no_side():
    found = tries("directional_view_localization", two_handed(-0.3))
    assert {refusal.reason for refusal in found} == {"side_not_clear_from_poses"}


def test_a_head_that_stands_still_can_be_described():
    found = tries("language_conditioned_localization", two_handed(0.3))
    assert not [refusal for refusal in found if isinstance(refusal, Refusal)]
    assert {draft.world["asked_role"] for draft in found} == {"ego_head", "ego_left", "ego_right"}

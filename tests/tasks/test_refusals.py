"""Every reason for which a task refuses, in the situation that it is there for."""

import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import xvr.tasks
from toy import robot
from toy.drafting import RULES, episode, fresh, grid, pair, pool, tries
from toy.room import look_at
from xvr.tasks import ALL_TASKS, get_task
from xvr.tasks.draft import Refusal
from xvr.tasks.grid import EpisodePair


def reasons(task, subject, rules):
    made = tries(task, subject, replace(RULES, **rules), count=60)
    return {draft.reason for draft in made if isinstance(draft, Refusal)}


@cache
def reasons_in(situation):
    """Reasons given in one of the situations of `GENERAL` and `ROBOTIC`, by its place."""
    task, _, subject, rules = (*GENERAL, *ROBOTIC)[situation]
    return reasons(task, subject(), rules)


def blind():
    """A pool whose points no view sees."""
    return replace(pool(), visible=np.zeros_like(pool().visible))


def few(count):
    """A pool of the points that most views see."""
    full = pool()
    kept = np.sort(np.argsort(-full.visible.sum(axis=0))[:count])

    def some(value):
        if isinstance(value, tuple):
            return tuple(some(part) for part in value)
        of_points = isinstance(value, np.ndarray) and value.shape[:2] == full.visible.shape
        return value[:, kept] if of_points else value

    changes = {field.name: some(getattr(full, field.name)) for field in fields(full)}
    return replace(full, **changes | {"points_world": full.points_world[kept]})


FAR_APART = {"min_view_angle_deg": 170.0, "max_view_angle_deg": 180.0}
GENERAL = [
    *(
        (task, "too_few_views_see_the_point", blind, {})
        for task in ("point_correspondence", "directional_correspondence", "spatial_verification")
    ),
    *(
        (task, "no_views_at_allowed_angles", pool, FAR_APART)
        for task in ("point_correspondence", "directional_correspondence", "spatial_verification")
    ),
    *(
        (task, "too_few_shared_points", lambda: few(4), {})
        for task in ("point_correspondence", "directional_correspondence", "spatial_verification")
    ),
    ("point_correspondence", "no_.*", pool, {"min_option_scene_share": 9.0}),
    (
        "point_correspondence",
        "no_distractors_of_the_color_rank",
        pool,
        {"hard_depth_share": 0.0, "hard_color_distance": 0.0},
    ),
    ("directional_correspondence", "too_few_drawable_arrows", pool, {"arrow_scene_share": 0.001}),
    ("directional_correspondence", "too_few_drawable_arrows", pool, {"min_arrow_px_share": 2.0}),
    (
        "directional_correspondence",
        "no_.*",
        pool,
        {"min_arrow_gap_deg": 150.0},
    ),
    ("directional_correspondence", "no_.*", pool, {"min_plane_angle_deg": 90.1}),
    ("spatial_verification", "no_.*", pool, {"min_option_scene_share": 9.0}),
    ("spatial_verification", "no_.*", pool, {"min_option_px_share": 1.0}),
    ("viewpoint_localization", "no_cameras_in_view", pool, {"margin_share": 0.5}),
    ("viewpoint_localization", "no_candidates_apart", pool, {"min_candidate_angle_deg": 179.0}),
    ("viewpoint_localization", "no_candidates_apart", pool, {"min_option_px_share": 1.0}),
    (
        "viewpoint_localization",
        "camera_on_the_principal_point",
        pool,
        {"min_principal_px_share": 1.0},
    ),
    ("relative_pose", "no_turns_that_look_alike", pool, {"min_turn_gap_deg": 90.0}),
    ("relative_pose", "no_turns_that_look_alike", pool, {"min_turn_ratio": 9.0}),
    ("relative_pose", "no_turns_that_look_alike", pool, {"min_turn_dominance": 1e9}),
    ("relative_pose", "no_turns_that_look_alike", pool, {"max_turn_likeness_sd": 0.0}),
    ("relative_pose", "no_turns_that_look_alike", pool, {"margin_share": 0.6}),
    ("view_overlap", "no_references_that_look_alike", pool, {"min_overlap_gap_share": 1.0}),
    ("view_overlap", "no_references_that_look_alike", pool, {"max_overlap_likeness_sd": 0.0}),
    ("view_overlap", "no_references_that_look_alike", pool, {"min_candidate_angle_deg": 179.0}),
    ("view_overlap", "overlap_needs_depth", lambda: without_depth(), {}),
    ("depth_order", "no_viewer_for_every_point", pool, {"min_distance_ratio": 9.0}),
    ("depth_order", "no_viewer_for_every_point", pool, {"min_option_scene_share": 9.0}),
]


def without_depth():
    """A pool as feature tracks give it."""
    return replace(pool(), views=tuple(view._replace(depth=None) for view in pool().views))


def still(camera, number, _frame):
    """A camera that always shows the same."""
    return robot.frame_pixels(camera, number, 0)


def only_front_changes(camera, number, frame):
    return robot.frame_pixels(camera, number, frame if camera == 0 else 0)


def poses_with(name, pose):
    """Toy poses, but one camera stands at `pose` in all frames."""

    def poses(camera, number):
        found = robot.poses(camera, number)
        return np.tile(pose, (len(found), 1, 1)) if camera == name else found

    return poses


def rolling_left(camera, number):
    """The left camera is pushed around during the episode."""
    found = robot.poses(camera, number)
    if camera == "left_view":
        found[:, 0, 3] -= np.linspace(0, 0.5, len(found))
    return found


AHEAD = look_at((0.0, -0.6, 0.7), (0.0, 0.2, 0.4))
"""Before the centre camera, on neither side."""
ELSEWHERE = look_at((-0.4, -1.1, 0.8), (0.0, 0.2, 0.4))


def two_instants():
    """An episode at too few instants for three frames."""
    return grid(episode(), frames=(0, 50))


def moved_partner():
    return pair(partner=episode(1, poses=poses_with("left_view", ELSEWHERE)))


def shared_place():
    """Left and right camera stand at one place in both episodes."""
    at_left = robot.poses("left_view", 0)[0]
    two = [episode(n, poses=poses_with("right_view", at_left)) for n in (0, 1)]
    return pair(*two)


ROBOTIC = [
    *(
        situation
        for task in ("temporal_order", "temporal_sync")
        for situation in (
            (task, "too_few_cameras", lambda: pair(episode(0, robot.CAMERAS[:1])), {}),
            (task, "too_few_instants", lambda: EpisodePair(own=two_instants(), partner=None), {}),
            (task, "instants_too_close", pair, {"min_time_gap_s": 23.0}),
            (task, "effector_did_not_move", pair, {"min_moment_move_m": 9.0}),
            (task, "camera_saw_no_change", lambda: pair(episode(0, frame=still)), {}),
        )
    ),
    ("temporal_order", "frames_look_otherwise_in_time", pair, {}),
    ("temporal_verification", "too_few_cameras", lambda: pair(episode(0, robot.CAMERAS[:2])), {}),
    ("temporal_verification", "instants_too_close", pair, {"min_time_gap_s": 23.0}),
    ("temporal_verification", "effector_did_not_move", pair, {"min_effector_move_m": 9.0}),
    (
        "temporal_verification",
        "odd_camera_saw_no_change",
        lambda: pair(episode(0, frame=still)),
        {},
    ),
    (
        "temporal_verification",
        "other_cameras_saw_no_change",
        lambda: pair(episode(0, frame=only_front_changes)),
        {},
    ),
    (
        "directional_view_localization",
        "no_centre_with_two_sides",
        lambda: pair(episode(0, robot.CAMERAS[:2])),
        {},
    ),
    (
        "directional_view_localization",
        "side_not_clear_from_poses",
        lambda: pair(episode(0, poses=poses_with("left_view", AHEAD))),
        {},
    ),
    (
        "cross_scenario_localization",
        "no_second_episode_of_the_rig",
        lambda: EpisodePair(own=grid(episode()), partner=None),
        {},
    ),
    (
        "cross_scenario_localization",
        "too_few_shared_cameras",
        lambda: pair(partner=episode(1, robot.CAMERAS[:2])),
        {},
    ),
    (
        "cross_scenario_localization",
        "scenarios_show_the_same_content",
        lambda: pair(episode(0, frame=still), episode(0, frame=still)),
        {},
    ),
    ("cross_scenario_localization", "camera_moved_between_episodes", moved_partner, {}),
    ("cross_scenario_localization", "two_cameras_at_one_place", shared_place, {}),
    (
        "language_conditioned_localization",
        "too_few_describable_cameras",
        lambda: pair(episode(0, robot.CAMERAS[:2])),
        {},
    ),
    (
        "language_conditioned_localization",
        "fixed_camera_moves",
        lambda: pair(episode(0, poses=rolling_left)),
        {},
    ),
    (
        "language_conditioned_localization",
        "hand_camera_does_not_move",
        lambda: pair(episode(0, poses=poses_with("wrist_view", AHEAD))),
        {},
    ),
    (
        "language_conditioned_localization",
        "side_not_clear_from_poses",
        lambda: pair(episode(0, poses=poses_with("left_view", AHEAD))),
        {},
    ),
]


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        pytest.param(number, reason, id=f"{task}-{number}")
        for number, (task, reason, _, _) in enumerate((*GENERAL, *ROBOTIC))
    ],
)
def test_a_task_refuses_in_the_situation_that_the_reason_is_for(situation, reason):
    assert any(re.fullmatch(reason, given) for given in reasons_in(situation))


@pytest.mark.parametrize(
    ("task", "rules"),
    [
        (task, rules)
        for task, _, _, rules in GENERAL
        if rules and "hard_color_distance" not in rules  # equal colours are hard in any case
    ],
)
def test_a_rule_that_cannot_be_met_gives_no_draft(task, rules):
    made = tries(task, pool(), replace(RULES, **rules), count=25)
    assert all(isinstance(draft, Refusal) for draft in made)


def test_a_temporal_sample_needs_two_cameras_that_saw_change():
    """Only the odd one changes: nothing in the images tells which instant the others show."""
    made = tries("temporal_verification", pair(episode(0, frame=only_front_changes)))
    assert {draft.reason for draft in made if isinstance(draft, Refusal)} >= {
        "odd_camera_saw_no_change",
        "other_cameras_saw_no_change",
    }
    assert all(isinstance(draft, Refusal) for draft in made)


@pytest.mark.parametrize(
    "task",
    [
        "temporal_verification",
        "directional_view_localization",
        "cross_scenario_localization",
        "language_conditioned_localization",
        "temporal_order",
        "temporal_sync",
    ],
)
def test_without_poses_and_effector_the_roles_and_pixels_decide(task):
    bare = [episode(n, poses=None, effector=False) for n in (0, 1)]
    made = tries(task, pair(*bare), count=100)
    assert any(not isinstance(draft, Refusal) for draft in made)


def test_every_reason_in_the_code_is_given_in_one_of_these_situations():
    folder = Path(xvr.tasks.__file__).parent
    code = "".join(file.read_text() for file in folder.glob("*.py"))
    given = set().union(*(reasons_in(number) for number in range(len(GENERAL) + len(ROBOTIC))))
    for task in ALL_TASKS:
        if task.domain == "general":
            given |= reasons(task.name, pool(), {}) | reasons(task.name, pool(1), {})
    assert set(re.findall(r'reason="(\w+)"', code)) <= given


@pytest.mark.parametrize("task", ["point_correspondence", "spatial_verification"])
def test_a_refusal_is_final_once_all_views_were_looked_at(task):
    """So a slot that a scene cannot fill costs no more tries than there are views to survey."""
    rules = replace(RULES, min_option_scene_share=9.0)
    subject, rng, chosen = fresh(pool()), np.random.default_rng(0), get_task(task)
    made = [chosen.draft(subject, chosen.slot("train", 0), rng, rules) for _ in range(60)]
    final = [refusal.final for refusal in made]
    assert 0 < final.index(True) <= 60
    assert final == sorted(final)

"""Checks of the extended tasks, on samples made by hand: right ones pass, changed ones do not."""

import numpy as np
import pytest
from audit_room import (
    PATCHES,
    dot,
    general_entry,
    relabelled,
    rig_entry,
    rig_episode,
    room_scene,
    room_views,
)

from xvr.audit.answers import GENERAL_CHECKS
from xvr.audit.evidence import gather
from xvr.audit.rigs import check_robotic
from xvr.audit.thresholds import Thresholds
from xvr.audit.wording import choices_of

TURNS = {"A": ("left", 20), "B": ("right", 60), "C": ("right", 20), "D": ("left", 60)}


def reasons(entry, kind="answer", limits=None):
    (evidence,) = gather(room_scene(), [entry], np.zeros(1, bool))
    check = GENERAL_CHECKS[entry.proof.task]
    found = check(entry, evidence, limits or Thresholds())
    return {problem.reason for problem in found if problem.kind == kind}


def timed(entry, kind="answer"):
    found = check_robotic(entry, (rig_episode(),), Thresholds())
    return {problem.reason for problem in found if problem.kind == kind}


def pose_entry(second=3, answer="C", turns=TURNS):
    """From view 2 at -12 degrees of the arc, counted towards the right."""
    views = [room_views()[i] for i in (2, second)]
    spelled = "; ".join(
        f"{k}: to the {side} by about {n} degrees" for k, (side, n) in turns.items()
    )
    return general_entry(
        task="relative_pose",
        views=views,
        parts=("reference", "target"),
        marks=(),
        world={"scene_center_m": (0.0, 0.0, 0.3), "text": f"which move? {spelled}"},
        options=tuple(turns),
        answer=answer,
    )


def overlap_entry(shown=(2, 4, 5), answer="2"):
    views = [room_views()[i] for i in (1, *shown)]
    entry = general_entry(
        task="view_overlap",
        views=views,
        parts=("reference", "candidate", "candidate", "candidate"),
        marks=(),
        world={},
        options=("2", "3", "4"),
        answer=answer,
    )
    entry.proof.checks["min_overlap_gap_share"] = 0.2
    return entry


def depth_entry(points=(2, 0, 1), answer="3"):
    """The camera of image 1 is nearest to the first of the room's points."""
    views = [room_views()[i] for i in (3, 1, 2, 4)]
    marks = [dot(views, n, PATCHES[p], "red") for n, p in enumerate(points, start=2)]
    return general_entry(
        task="depth_order",
        views=views,
        parts=("reference", "candidate", "candidate", "candidate"),
        marks=marks,
        world={},
        options=("2", "3", "4"),
        answer=answer,
    )


def order_entry(frames=(100, 180, 20), ends=(20, 180), answer="F"):
    text = "which order? A: 3, 4, 5; B: 3, 5, 4; C: 4, 3, 5; D: 4, 5, 3; E: 5, 4, 3; F: 5, 3, 4"
    return rig_entry(
        task="temporal_order",
        shown=[
            *(("fix_left", frame, None) for frame in ends),
            *(("ego", frame, None) for frame in frames),
        ],
        world={"text": text},
        options=tuple("ABCDEF"),
        answer=answer,
    )


def sync_entry(asked=100, frames=(20, 100, 180), answer="3", role="ego"):
    return rig_entry(
        task="temporal_sync",
        shown=[("fix_left", asked, None), *((role, frame, None) for frame in frames)],
        world={},
        options=("2", "3", "4"),
        answer=answer,
    )


def test_options_are_read_from_the_question():
    question = "which? a: to the left by about 40 degrees; b: 3, 5, 4. answer with one letter."
    assert choices_of(question) == {"A": "to the left by about 40 degrees", "B": "3, 5, 4"}


@pytest.mark.parametrize("entry", [pose_entry(), overlap_entry(), depth_entry()])
def test_a_right_general_answer_passes(entry):
    assert reasons(entry) == set()


@pytest.mark.parametrize("entry", [order_entry(), sync_entry()])
def test_a_right_answer_on_time_passes(entry):
    assert timed(entry) == timed(entry, "rule") == set()


@pytest.mark.parametrize("make", [pose_entry, overlap_entry, depth_entry])
def test_every_other_answer_of_a_general_task_is_found(make):
    entry = make()
    for option in entry.proof.options:
        if not option.correct:
            assert "wrong_answer" in reasons(relabelled(entry, option.value))


def test_an_order_may_run_against_time():
    assert not timed(order_entry(ends=(180, 20), answer="C"))
    assert timed(order_entry(ends=(180, 20), answer="F")) == {"wrong_answer"}


@pytest.mark.parametrize("make", [order_entry, sync_entry])
def test_every_other_answer_on_time_is_found(make):
    entry = make()
    for option in entry.proof.options:
        if not option.correct:
            assert timed(relabelled(entry, option.value)) == {"wrong_answer"}


def test_an_angle_that_is_not_the_true_one_is_found():
    wide = {letter: (side, {20: 40, 60: 110}[n]) for letter, (side, n) in TURNS.items()}
    assert reasons(pose_entry(turns=wide)) == {"no_option_fits"}


def test_angles_on_offer_that_are_too_near_are_found():
    near = {letter: (side, {20: 20, 60: 40}[n]) for letter, (side, n) in TURNS.items()}
    assert "options_too_close" in reasons(pose_entry(turns=near), "rule")


def test_options_of_a_move_that_are_not_two_sides_and_two_angles_are_found():
    odd = TURNS | {"D": ("left", 90)}
    assert "wrong_options" in reasons(pose_entry(turns=odd))
    assert reasons(pose_entry(turns={"A": TURNS["A"], "C": ("up", 30)})) == {"wrong_options"}


def test_a_turn_outside_the_allowed_angles_is_found():
    limits = Thresholds(min_view_angle_deg=50.0)
    assert "turn_out_of_range" in reasons(pose_entry(), "rule", limits)


def test_candidates_that_share_as_much_are_found():
    """Views 24 degrees to either side of the reference."""
    assert "ambiguous" in reasons(overlap_entry(shown=(2, 0, 5)))


def test_an_overlap_that_is_not_clear_by_the_rule_is_found():
    entry = overlap_entry()
    entry.proof.checks["min_overlap_gap_share"] = 0.1
    assert reasons(entry, "rule") == {"overlaps_too_similar"}


def test_distances_that_are_too_similar_are_found():
    limits = Thresholds(min_distance_ratio=3.0)
    assert "distances_too_similar" in reasons(depth_entry(), "rule", limits)


def test_a_dot_beside_its_point_is_found():
    entry = depth_entry()
    mark = entry.proof.marks[1]
    u, v = mark.uv_px
    entry.proof.marks[1] = mark.model_copy(update={"uv_px": (u + 3, v)})
    assert "mark_off_point" in reasons(entry)


def test_dots_in_other_images_are_found():
    entry = depth_entry()
    entry.proof.marks.pop()
    assert reasons(entry) == {"wrong_marks"}


def test_witnesses_that_are_not_the_ends_are_found():
    assert timed(order_entry(ends=(20, 100))) == {"witness_differs"}


def test_frames_of_one_camera_alone_are_found():
    assert timed(sync_entry(role="fix_left")) == {"wrong_options"}


def test_a_moment_that_no_candidate_shows_is_found():
    assert timed(sync_entry(asked=60)) == {"wrong_answer"}


def test_moments_too_close_in_time_or_place_are_found():
    found = timed(order_entry(frames=(25, 180, 20)), "rule")
    assert found == {"times_too_close", "effector_still"}

import numpy as np
import pytest
from audit_room import (
    PATCHES,
    arrow,
    direction_entry,
    dot,
    point_entry,
    relabelled,
    room_scene,
    room_views,
    spatial_entry,
    viewpoint_entry,
    viewpoint_views,
    with_marks,
)

from xvr.audit.answers import GENERAL_CHECKS
from xvr.audit.evidence import gather
from xvr.audit.thresholds import Thresholds
from xvr.sources.records import Scene


def problems(entry, scene=None, limits=None):
    found = gather(scene or room_scene(), [entry], np.array([False]))
    check = GENERAL_CHECKS[entry.proof.task]
    return list(check(entry, found[0], limits or Thresholds()))


def reasons(entry, kind="answer", scene=None):
    return {problem.reason for problem in problems(entry, scene) if problem.kind == kind}


def viewpoint_scene():
    return Scene(id="far", dataset="hand", category="room", views=viewpoint_views())


@pytest.mark.parametrize("right", range(5))
def test_a_right_point_answer_passes_every_check(right):
    assert problems(point_entry(right)) == []


def test_a_wrong_point_answer_is_found():
    assert "wrong_answer" in reasons(relabelled(point_entry(0), "green"))


def test_a_reference_dot_on_another_surface_point_is_found():
    entry = point_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    moved = [dot(views, 1, PATCHES[3], "red"), *entry.proof.marks[1:]]
    assert "rays_do_not_meet" in reasons(with_marks(entry, moved))


def test_a_dot_drawn_beside_its_point_is_found():
    entry = point_entry()
    first = entry.proof.marks[0]
    beside = first.model_copy(update={"uv_px": (first.uv_px[0] + 3, first.uv_px[1])})
    assert "mark_off_point" in reasons(with_marks(entry, [beside, *entry.proof.marks[1:]]))


def test_marks_that_are_all_half_a_pixel_off_are_found():
    entry = point_entry()
    shifted = [
        mark.model_copy(update={"uv_px": (mark.uv_px[0] + 0.5, mark.uv_px[1] + 0.5)})
        for mark in entry.proof.marks
    ]
    assert "mark_off_point" in reasons(with_marks(entry, shifted))


def test_a_point_behind_a_surface_fails_by_depth_though_all_rays_meet():
    entry = point_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    inside = (0.3, 0.3, 0.15)
    marks = [dot(views, 1, inside, "red"), dot(views, 2, inside, "blue")]
    marks += [dot(views, 3, inside, "red"), *entry.proof.marks[3:]]
    entry = with_marks(entry, marks)
    entry.proof.world["point_m"] = inside
    assert reasons(entry) == {"depth_disagrees"}


def test_two_target_dots_on_the_point_are_ambiguous():
    entry = point_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    twin = dot(views, 3, (0.35, 0.31, 0.3), entry.proof.marks[3].color)
    found = reasons(with_marks(entry, [*entry.proof.marks[:3], twin, *entry.proof.marks[4:]]))
    assert {"ambiguous", "wrong_option_on_point"} <= found


def test_a_record_of_another_world_point_is_found():
    entry = point_entry()
    entry.proof.world["point_m"] = (0.35, 0.3, 0.4)
    assert reasons(entry) == {"world_differs"}


def test_broken_rules_are_kept_apart_from_wrong_answers():
    strict = Thresholds(min_view_angle_deg=50.0, min_option_px_share=0.5)
    found = problems(point_entry(), limits=strict)
    assert {(p.kind, p.reason) for p in found} == {
        ("rule", "views_too_similar"),
        ("rule", "options_too_close"),
    }


def test_options_close_in_space_break_a_rule():
    entry = point_entry()
    entry.proof.checks["scene_extent_m"] = 20.0
    (problem,) = problems(entry)
    assert (problem.kind, problem.reason) == ("rule", "points_too_close")


def test_an_option_hidden_in_a_reference_breaks_a_rule():
    entry = point_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    side = (-0.1, 0.2, 0.36)
    marks = [*entry.proof.marks[:3], dot(views, 3, side, "green"), *entry.proof.marks[4:]]
    assert "not_visible" in reasons(with_marks(entry, marks), "rule")


@pytest.mark.parametrize("right", range(4))
def test_a_right_direction_passes_every_check(right):
    assert problems(direction_entry(right)) == []


def test_a_wrong_direction_answer_is_found():
    assert "wrong_answer" in reasons(relabelled(direction_entry(0), "green"))


def test_a_reversed_reference_arrow_is_found():
    entry = direction_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    anchor = np.array(PATCHES[1])
    back = arrow(views, 1, anchor, anchor - (0.0, 0.28, 0.21), "red")
    assert "heads_disagree" in reasons(with_marks(entry, [back, *entry.proof.marks[1:]]))


def test_a_direction_labelled_with_its_opposite_is_found():
    entry = direction_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    anchor = np.array(PATCHES[1])
    back = arrow(views, 3, anchor, anchor - (0.0, 0.28, 0.21), "red")
    marks = [*entry.proof.marks[:2], back, *entry.proof.marks[3:]]
    assert "no_option_fits" in reasons(with_marks(entry, marks))


def test_all_references_reversed_contradict_the_answer():
    entry = direction_entry()
    views = [room_views()[i] for i in (0, 2, 4)]
    anchor = np.array(PATCHES[1])
    end = anchor - (0.0, 0.28, 0.21)
    marks = [arrow(views, i, anchor, end, "red") for i in (1, 2)]
    found = reasons(with_marks(entry, [*marks, *entry.proof.marks[2:]]))
    assert {"wrong_answer", "world_differs"} <= found


@pytest.mark.parametrize("odd", range(1, 5))
def test_a_right_spatial_answer_passes_every_check(odd):
    assert problems(spatial_entry(odd)) == []


def test_a_wrong_spatial_answer_is_found():
    assert "wrong_answer" in reasons(relabelled(spatial_entry(2), "3"))


def test_four_dots_on_one_point_have_no_odd_image():
    entry = spatial_entry(2)
    views = [room_views()[i] for i in (0, 1, 3, 4)]
    same = dot(views, 2, PATCHES[0], "green")
    marks = [entry.proof.marks[0], same, *entry.proof.marks[2:]]
    assert {"ambiguous", "wrong_option_on_point"} <= reasons(with_marks(entry, marks))


@pytest.mark.parametrize("right", range(2, 5))
def test_a_right_viewpoint_passes_every_check(right):
    assert problems(viewpoint_entry(right), viewpoint_scene()) == []


def test_a_wrong_viewpoint_answer_is_found():
    entry = relabelled(viewpoint_entry(2), "4")
    assert "wrong_answer" in reasons(entry, scene=viewpoint_scene())


def test_a_scene_without_the_view_is_unusable():
    entry = point_entry()
    entry.proof.images[0] = entry.proof.images[0].model_copy(update={"view": "gone.png"})
    (found,) = gather(room_scene(), [entry], np.array([False]))
    assert found.reason == "unknown_view"

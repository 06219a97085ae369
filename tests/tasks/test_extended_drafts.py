"""Answers of the extended tasks, found again from the toy world's own formulas."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from toy import robot, room
from toy.drafting import RULES, drafts, pool
from xvr.tasks import EXTENDED_TASKS, get_task

TIMED = ("temporal_order", "temporal_sync")


def cameras(seed, draft):
    """The cameras of a draft's images."""
    return [room.orbit(seed)[int(image.view.removesuffix(".png"))] for image in draft.images]


def choice(draft):
    """What the letter of the answer stands for."""
    return draft.world["choices"][draft.answer]


def surface(seed, camera):
    """Points behind a grid of pixels."""
    u, v = np.meshgrid(np.arange(4.5, room.WIDTH, 8), np.arange(4.5, room.HEIGHT, 8))
    rays = room.pixel_rays(camera, np.column_stack([u.ravel(), v.ravel()]))
    return camera.center + room.cast(room.furnish(seed), camera.center, rays)[:, None] * rays


def test_the_extended_tasks_are_off_by_default():
    names = [task.name for task in EXTENDED_TASKS]
    assert names == ["relative_pose", "view_overlap", "depth_order", *TIMED]
    assert all(task.released_id == task.name for task in EXTENDED_TASKS)


def test_the_turn_is_the_one_between_the_cameras_around_the_table():
    for seed, draft in drafts("relative_pose"):
        center = np.array(draft.world["scene_center_m"])
        first, second = (camera.center - center for camera in cameras(seed, draft))
        cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        side = "right" if np.cross(first, second)[2] > 0 else "left"
        assert choice(draft).startswith(f"to the {side} by about ")
        assert abs(int(choice(draft).split()[-2]) - np.degrees(np.arccos(cosine))) <= 5.0


def test_the_moves_on_offer_are_two_sides_with_the_same_two_angles():
    for _, draft in drafts("relative_pose"):
        words = [text.split() for text in draft.world["choices"].values()]
        angles = sorted({int(text[-2]) for text in words})
        assert len(angles) == 2
        assert angles[1] - angles[0] >= RULES.min_turn_gap_deg
        assert angles[1] >= RULES.min_turn_ratio * angles[0]
        assert {(text[2], int(text[-2])) for text in words} == {
            (side, angle) for side in ("left", "right") for angle in angles
        }


def test_every_move_is_asked_at_every_letter():
    asked = Counter(
        (draft.answer, draft.options[ord(draft.answer) - 65].why, draft.slot.variant)
        for _, draft in drafts("relative_pose")
    )
    assert {(letter, variant) for letter, _, variant in asked} >= {
        (letter, variant) for letter in "ABCD" for variant in range(4)
    }


def test_the_right_candidate_shows_most_of_the_reference():
    for seed, draft in drafts("view_overlap"):
        reference, *candidates = cameras(seed, draft)
        points = surface(seed, reference)
        shares = []
        for camera in candidates:
            seen = [room.pixel_of(camera, point) for point in points]
            inside = [z > 0 and 0 < u < room.WIDTH and 0 < v < room.HEIGHT for u, v, z in seen]
            rays = points - camera.center
            first = room.cast(room.furnish(seed), camera.center, rays)
            shares.append((np.array(inside) & (first > 0.98)).mean())
        assert str(2 + int(np.argmax(shares))) == draft.answer


def test_the_right_point_is_nearest_to_the_viewer_who_sees_all_three():
    for seed, draft in drafts("depth_order"):
        viewer, *_ = shown = cameras(seed, draft)
        points = [
            room.hit(room.furnish(seed), shown[mark.image - 1], mark.uv_px) for mark in draft.marks
        ]
        away = [float(np.linalg.norm(point - viewer.center)) for point in points]
        assert str(2 + int(np.argmin(away))) == draft.answer
        assert sorted(away)[1] / sorted(away)[0] >= 0.99 * RULES.min_distance_ratio
        for point in points:
            reach = room.cast(room.furnish(seed), viewer.center, (point - viewer.center)[None])
            assert reach[0] > 0.98


def test_dots_do_not_depend_on_which_of_them_is_nearest():
    """Each dot of a question could be the answer: some view of the pool is nearest to it."""
    for seed, draft in drafts("depth_order"):
        points = np.array([mark.point_m for mark in draft.marks])
        away = np.linalg.norm(pool(seed).centers_world[:, None] - points, axis=2)
        assert set(away.argmin(axis=1).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("task", TIMED)
def test_one_camera_is_the_witness_and_another_one_took_the_candidates(task):
    witnesses = 2 if task == "temporal_order" else 1
    for _, draft in drafts(task):
        roles = [image.view for image in draft.images]
        assert len(set(roles[:witnesses])) == len(set(roles[witnesses:])) == 1
        assert roles[0] != roles[-1]


def test_frames_in_the_order_of_the_answer_lead_from_the_first_image_to_the_second():
    for _, draft in drafts("temporal_order"):
        frames = [draft.images[int(n) - 1].frame_index for n in choice(draft).split(", ")]
        assert frames in (sorted(frames), sorted(frames, reverse=True))
        assert [image.frame_index for image in draft.images[:2]] == [frames[0], frames[2]]


def test_orders_run_against_time_as_often_as_with_it():
    for letter in "ABCDEF":
        shown = [draft for _, draft in drafts("temporal_order") if draft.answer == letter]
        forwards = [draft.images[0].frame_index < draft.images[1].frame_index for draft in shown]
        assert 2 * sum(forwards) == len(forwards) > 0


def test_the_right_frame_is_at_the_witness_moment():
    for _, draft in drafts("temporal_sync"):
        frames = [image.frame_index for image in draft.images]
        assert [str(n + 1) for n in (1, 2, 3) if frames[n] == frames[0]] == [draft.answer]


@pytest.mark.parametrize("task", TIMED)
def test_every_two_moments_are_apart(task):
    path = robot.effector_path(0)
    for _, draft in drafts(task):
        frames = sorted(image.frame_index for image in draft.images if image.part == "candidate")
        gaps = [(b - a) / robot.FPS for a, b in pairwise(frames)]
        assert min(gaps) >= RULES.min_time_gap_s
        moves = [np.linalg.norm(path[a] - path[b]) for a in frames for b in frames if a < b]
        assert min(moves) >= RULES.min_moment_move_m


def test_the_right_frame_is_first_second_and_last_in_time_equally_often():
    task = get_task("temporal_sync")
    places = Counter()
    for _, draft in drafts("temporal_sync"):
        frames = [image.frame_index for image in draft.images[1:]]
        places[sorted(frames).index(draft.images[0].frame_index)] += 1
    assert set(places) == set(range(task.variants))
    assert max(places.values()) - min(places.values()) <= len(task.cells)


def test_an_overlap_has_a_twin_that_looks_alike_and_has_the_other_answer():
    for seed, draft in drafts("view_overlap"):
        seen, alike = pool(seed).visible.astype(float), pool(seed).similarity
        shown = [int(image.view.removesuffix(".png")) for image in draft.images]
        reference, right, wrong = (
            shown[0],
            *sorted(shown[1:], key=lambda v: v != shown[answer(draft)]),
        )
        others = seen @ (seen[wrong] - seen[right]) > 0
        others &= (alike[:, right] > alike[:, wrong]) == (
            alike[reference, right] > alike[reference, wrong]
        )
        others[[reference, right, wrong]] = False
        assert others.any()


def answer(draft):
    """Place of the image that is the answer."""
    return int(draft.answer) - 1

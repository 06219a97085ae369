import numpy as np
import pytest
from skimage.metrics import structural_similarity

from toy import robot
from toy.drafting import FRAMES, episode, grid
from xvr.geometry.similarity import gray_thumbnail
from xvr.tasks.draft import Refusal
from xvr.tasks.grid import draw_roles, is_fixed, rides_on_hand


def test_each_camera_is_decoded_once_and_only_when_it_is_looked_at():
    read = []

    def frame(camera, number, index):
        read.append((camera, index))
        return robot.frame_pixels(camera, number, index)

    found = grid(episode(0, frame=frame))
    assert read == []
    found.image("fix_left", 3)
    found.ssim("fix_left", 0, 5)
    found.image("fix_left", 9)
    assert read == [(1, index) for index in FRAMES]


def test_the_instant_th_frame_is_shown():
    found = grid(episode(2))
    np.testing.assert_array_equal(found.image("ego", 4), robot.frame_pixels(3, 2, FRAMES[4]))
    assert found.time_s(4) == pytest.approx(FRAMES[4] / robot.FPS)


def test_similarity_is_that_of_the_small_grey_frames_in_either_order():
    found = grid(episode())
    two = [
        gray_thumbnail(robot.frame_pixels(0, 0, FRAMES[n]), 160).astype(np.float64) for n in (1, 6)
    ]
    expected = structural_similarity(*two, data_range=255)
    assert found.ssim("fix_center", 1, 6) == pytest.approx(expected, abs=1e-6)
    assert found.ssim("fix_center", 6, 1) == found.ssim("fix_center", 1, 6)
    assert found.ssim("fix_center", 6, 6) == pytest.approx(1.0)


def test_the_effector_moves_as_its_path_says_where_there_is_one():
    path = robot.effector_path(0)
    moved_m = np.linalg.norm(path[FRAMES[2]] - path[FRAMES[7]])
    assert grid(episode()).effector_move_m(2, 7) == pytest.approx(moved_m)
    assert grid(episode(effector=False)).effector_move_m(2, 7) is None


def test_the_camera_of_an_instant_has_the_pose_of_its_frame():
    found = grid(episode()).camera("ego", 5)
    assert found is not None
    expected = robot.poses("wrist_view", 0)[FRAMES[5]]
    np.testing.assert_allclose(found.world_from_camera, expected)
    assert grid(episode(poses=None)).camera("ego", 5) is None


def test_roles_are_drawn_without_repeats_in_every_order():
    rng = np.random.default_rng(0)
    drawn = {draw_roles(("a", "b", "c"), 2, rng) for _ in range(100)}
    assert drawn == {("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")}
    assert draw_roles(("a", "b"), 3, rng) is None


def test_cameras_on_hands_and_heads_are_not_fixed():
    assert [is_fixed(role) for role in ("fix_left", "fix_center_1", "ego", "ego_head")] == [
        True,
        True,
        False,
        False,
    ]


def test_cameras_on_the_head_do_not_ride_on_a_hand():
    roles = ("fix_left", "ego", "ego_1", "ego_left", "ego_head", "ego_head_left")
    riding = [role for role in roles if rides_on_hand(role)]
    assert riding == ["ego", "ego_1", "ego_left"]


def test_instants_are_drawn_at_random_and_equally_often():
    found, rng = grid(episode()), np.random.default_rng(0)
    rounds = [[found.draw(rng) for _ in FRAMES] for _ in range(3)]
    assert all(sorted(drawn) == list(range(len(FRAMES))) for drawn in rounds)
    assert len({tuple(drawn) for drawn in rounds}) == 3


def test_instants_apart_are_all_pairs_that_are_apart_in_time_and_by_what_moved():
    path = robot.effector_path(0)[list(FRAMES)]
    by_time = [
        [a, b]
        for a in range(len(FRAMES))
        for b in range(len(FRAMES))
        if (FRAMES[b] - FRAMES[a]) / robot.FPS >= 2
    ]
    moves_m = [np.linalg.norm(path[b] - path[a]) for a, b in by_time]
    least_m = float(np.median(moves_m)) + 1e-9
    moved = [pair for pair, move_m in zip(by_time, moves_m, strict=True) if move_m >= least_m]
    assert 0 < len(moved) < len(by_time)
    for effector, expected in ((True, moved), (False, by_time)):
        found = grid(episode(effector=effector)).apart(2.0, least_m)
        assert not isinstance(found, Refusal)
        assert found.tolist() == expected


def test_no_instants_apart_are_told_with_the_reason():
    found = grid(episode())
    assert found.apart(1e6, 0.0) == Refusal(reason="instants_too_close")
    assert found.apart(2.0, 1e6) == Refusal(reason="effector_did_not_move")

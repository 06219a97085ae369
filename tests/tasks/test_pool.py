from dataclasses import replace

import numpy as np
import pytest

from toy import room
from toy.drafting import RULES, fresh, pool, tries, views
from xvr.errors import Unusable
from xvr.geometry.cielab import lab_of_srgb
from xvr.sources.records import Tracks
from xvr.tasks.draft import Draft
from xvr.tasks.pool import build_pool

SEED = 0


def without_depth():
    return [view._replace(depth=None) for view in views(SEED)]


def rng():
    return np.random.default_rng(SEED)


def test_points_lie_on_the_surface_that_their_views_show():
    world, found = room.furnish(SEED), pool(SEED)
    for point in range(0, len(found.points_world), 37):
        for view in np.flatnonzero(found.visible[:, point])[:4]:
            camera, uv_px = found.camera(view), found.uv_px[view, point]
            u, v, depth_m = room.pixel_of(camera, found.points_world[point])
            assert uv_px == pytest.approx((u, v))
            assert found.depth_m[view, point] == pytest.approx(depth_m)
            gap_m = np.linalg.norm(room.hit(world, camera, uv_px) - found.points_world[point])
            assert gap_m < 2 * RULES.depth_tolerance_share * depth_m


def test_every_point_is_seen_by_enough_views_inside_the_margin():
    found, margin = pool(SEED), RULES.margin_share * room.HEIGHT
    assert found.visible.sum(axis=0).min() >= RULES.min_views
    uv_px = found.uv_px[found.visible]
    assert uv_px.min() >= margin
    assert (uv_px <= (room.WIDTH - margin, room.HEIGHT - margin)).all()
    for view, seen in enumerate(found.visible):
        assert found.place(view, np.flatnonzero(seen)).max() <= 1
    assert np.isfinite(found.error_m[found.visible]).all()


def test_a_motion_of_the_whole_world_moves_the_points_and_changes_no_question():
    """By a quarter turn: the scene's centre is a median along the axes."""
    turn = np.array([[0.0, -1, 0, 5], [0, 0, -1, -2], [1, 0, 0, 1], [0, 0, 0, 1]])
    moved_views = [
        view._replace(
            camera=replace(view.camera, world_from_camera=turn @ view.camera.world_from_camera)
        )
        for view in views(SEED)
    ]
    still, moved = pool(SEED), build_pool(moved_views, None, RULES, rng())
    np.testing.assert_array_equal(moved.visible, still.visible)
    expected = still.points_world @ turn[:3, :3].T + turn[:3, 3]
    np.testing.assert_allclose(moved.points_world, expected, atol=1e-9)
    np.testing.assert_allclose(moved.similarity, still.similarity)
    for task in ("point_correspondence", "viewpoint_localization"):
        drafts = [tries(task, subject, count=25) for subject in (still, moved)]
        answers = [[(d.answer, d.blocks) for d in made if isinstance(d, Draft)] for made in drafts]
        assert answers[0] == answers[1]
        for one, other in zip(*drafts, strict=True):
            if isinstance(one, Draft) and isinstance(other, Draft):
                assert [m.uv_px for m in one.marks] == [
                    pytest.approx(m.uv_px, abs=0.002) for m in other.marks
                ]


def test_tracks_are_seen_where_they_say_and_inside_the_margin():
    full = pool(SEED)
    points, seen = full.points_world[:300], full.visible[:, :300].T.copy()
    seen[:, 3] = True  # says so of points that fall outside of its image, too
    tracked = build_pool(without_depth(), Tracks(points, seen), RULES, rng())
    assert len(tracked.points_world) > 250
    assert (tracked.error_m == 0).all()
    margin = RULES.margin_share * room.HEIGHT
    for point, visible in zip(tracked.points_world, tracked.visible.T, strict=True):
        number = int(np.argmin(np.linalg.norm(points - point, axis=1)))
        for view, camera in enumerate(v.camera for v in tracked.views):
            u, v, depth_m = room.pixel_of(camera, point)
            within = margin <= u <= room.WIDTH - margin and margin <= v <= room.HEIGHT - margin
            assert visible[view] == (seen[number, view] and depth_m > 0 and within)


def test_a_scene_with_tracks_alone_gives_questions():
    full = pool(SEED)
    tracks = Tracks(full.points_world, full.visible.T)
    tracked = build_pool(without_depth(), tracks, RULES, rng())
    for task in ("point_correspondence", "directional_correspondence"):
        assert any(isinstance(made, Draft) for made in tries(task, tracked))


@pytest.mark.parametrize(
    ("shown", "tracks", "detail"),
    [
        (without_depth(), None, "no depth and there are no tracks"),
        (
            without_depth(),
            Tracks(np.zeros((4, 3)), np.zeros((4, room.VIEWS), bool)),
            "no surface point is seen by 3",
        ),
        ([*views(SEED)[:1], *without_depth()[1:]], None, "no depth and there are no tracks"),
        (views(SEED)[:2], None, "no surface point is seen by 3"),
        ([v._replace(depth=np.zeros_like(v.depth)) for v in views(SEED)], None, "no surface point"),
    ],
)
def test_a_scene_without_points_is_unusable(shown, tracks, detail):
    with pytest.raises(Unusable, match=detail) as caught:
        build_pool(shown, tracks, RULES, rng())
    assert caught.value.reason == "no_points"


def test_colors_are_means_of_the_square_patch_around_the_projection():
    """The patch of a small image is 3 by 3."""
    found = fresh(pool(SEED))
    for view in range(0, len(found.views), 5):
        image = found.views[view].image
        asked = np.flatnonzero(found.visible[view])[::97]
        lab, rgb = found.colors(view, asked)
        for point in asked:
            u, v = (int(x) for x in found.uv_px[view, point])
            patch = image[v - 1 : v + 2, u - 1 : u + 2].reshape(-1, 3)
            assert rgb[point] == pytest.approx(100 * patch.mean(axis=0) / 255, abs=1e-3)
            assert lab[point] == pytest.approx(lab_of_srgb(*rgb[point].astype(float)), abs=1e-3)
        others = np.delete(np.arange(len(rgb)), asked)
        assert np.isnan(rgb[others]).all()

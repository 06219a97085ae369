import numpy as np
import pytest

from toy import room
from xvr.errors import Unusable
from xvr.sources.records import Episode, EpisodeCamera, Scene, View
from xvr.tasks.filters import check_episode, check_points, check_scene
from xvr.tasks.rules import Rules

RULES = Rules()


def scene(views):
    made = tuple(
        View(name=str(n), camera=room.orbit(0)[0], frame_index=n, read_image=lambda: None)
        for n in range(views)
    )
    return Scene(id="toy", dataset="toy", category="toy", views=made)


def episode(roles=("fix_left", "fix_right", "ego"), length=100, path=None):
    cameras = tuple(EpisodeCamera(key=r, role=r, read_frames=lambda _: []) for r in roles)
    return Episode(
        id="episode_7",
        dataset="toy",
        rig="toy",
        instruction="",
        fps=5.0,
        length=length,
        cameras=cameras,
        effector_positions=path,
    )


def reason(check, *arguments):
    with pytest.raises(Unusable) as caught:
        check(*arguments)
    return caught.value.reason, caught.value.detail


def test_a_scene_needs_three_views():
    check_scene(scene(3), RULES)
    found, detail = reason(check_scene, scene(2), RULES)
    assert found == "too_few_views"
    assert "2 views, 3 are needed" in detail


def test_a_scene_needs_enough_points_on_the_voxel_grid():
    lens = room.orbit(0)[0]
    depth = room.render(room.furnish(0), lens)[1]
    rules = Rules(min_scene_points=18_000)
    check_points("toy", [(lens, depth)], rules)
    found, detail = reason(check_points, "toy", [(lens, depth)] * 2, Rules(min_scene_points=20_000))
    assert found == "too_few_points"
    assert "min_scene_points is 20000" in detail


def test_maps_are_read_only_until_there_are_enough_points():
    lens = room.orbit(0)[0]
    depth = room.render(room.furnish(0), lens)[1]

    def maps():
        yield lens, depth
        raise AssertionError("the second map was read")

    check_points("toy", maps(), Rules(min_scene_points=1000))


def test_no_map_is_read_when_no_points_are_asked_for():
    check_points("toy", (pytest.fail("read") for _ in range(1)), Rules(min_scene_points=0))


def test_an_episode_without_effector_needs_cameras_and_time_only():
    check_episode(episode(), RULES)


@pytest.mark.parametrize("roles", [(), ("ego",), ("fix_left", "ego")])
def test_an_episode_needs_three_cameras(roles):
    found, detail = reason(check_episode, episode(roles), RULES)
    assert found == "too_few_cameras"
    assert f"{len(roles)} cameras" in detail
    assert all(role in detail for role in roles)


@pytest.mark.parametrize(("length", "seconds"), [(99, "19.8 s"), (0, "0.0 s")])
def test_an_episode_must_last(length, seconds):
    found, detail = reason(check_episode, episode(length=length), RULES)
    assert found == "too_short"
    assert seconds in detail


def test_the_effector_must_travel_and_reach():
    steps = np.linspace(0, 1, 100)[:, None]
    check_episode(episode(path=steps * (0.6, 0.0, 0.0)), RULES)
    still = np.zeros((100, 3))
    short = steps * (0.4, 0.0, 0.0)  # far, but 0.4 m of path only
    trembling = 0.02 * (np.arange(100)[:, None] % 2) * (1.0, 0.0, 0.0)  # 2 m within 2 cm
    for path in (still, short, trembling):
        assert reason(check_episode, episode(path=path), RULES)[0] == "effector_barely_moves"

"""Which scenes and episodes are worth asking about (the paper's filters)."""

from collections.abc import Iterable

import numpy as np

from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.geometry.voxels import VoxelCounter
from xvr.sources.records import Depth, Episode, Scene
from xvr.tasks.rules import Rules


def check_scene(scene: Scene, rules: Rules) -> None:
    """Raise `Unusable` unless the scene has enough views."""
    if len(scene.views) < rules.min_views:
        raise Unusable(
            "too_few_views",
            f"{scene.id} has {len(scene.views)} views, {rules.min_views} are needed",
        )


def check_points(scene_id: str, maps: Iterable[tuple[Camera, Depth]], rules: Rules) -> None:
    """Raise `Unusable` unless the fused depth maps touch enough voxels.

    Maps are taken one by one and only until there are enough.
    """
    if rules.min_scene_points == 0:
        return
    counter = VoxelCounter(rules.scene_voxel_m, rules.min_scene_points)
    for camera, depth in maps:
        counter.add(camera, depth)
        if counter.full:
            return
    raise Unusable(
        "too_few_points",
        f"{scene_id} has {counter.count} points at {rules.scene_voxel_m * 1000:g} mm, "
        f"min_scene_points is {rules.min_scene_points}",
    )


def check_episode(episode: Episode, rules: Rules) -> None:
    """Raise `Unusable` unless the episode has cameras, lasts and moves enough."""
    if len(episode.cameras) < rules.min_cameras:
        roles = ", ".join(sorted(camera.role for camera in episode.cameras)) or "none"
        raise Unusable(
            "too_few_cameras",
            f"{episode.id} has {len(episode.cameras)} cameras with a known role ({roles}), "
            f"{rules.min_cameras} are needed",
        )
    if episode.duration_s < rules.min_episode_s:
        raise Unusable(
            "too_short",
            f"{episode.id} lasts {episode.duration_s:.1f} s, less than {rules.min_episode_s} s",
        )
    positions = episode.effector_positions
    if positions is None:
        return
    path_m = float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())
    extent_m = float(np.linalg.norm(np.ptp(positions, axis=0)))
    if path_m < rules.min_effector_path_m or extent_m < rules.min_effector_extent_m:
        raise Unusable(
            "effector_barely_moves",
            f"{episode.id}: the end effector travels {path_m:.2f} m within {extent_m:.2f} m",
        )

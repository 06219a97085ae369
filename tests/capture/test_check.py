from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corrupt import MISTAKES, cameras, noisy, poses

from toy import room
from xvr.capture.check import (
    check,
    check_record,
    refuse_inconsistent_episode,
    refuse_inconsistent_scene,
)
from xvr.errors import Unusable
from xvr.geometry.camera import project
from xvr.sources import Source, index, load
from xvr.sources.records import Episode, EpisodeCamera, Scene, Sightings, Tracks
from xvr.tasks.rules import Rules

RULES = Rules()
KINECT = Path("/work/shared/data/kinect_wildrgbd")


def verdict_of(record):
    return check_record(record, RULES).verdict


@pytest.fixture(scope="module")
def scene(captures):
    record = load(index(Source(format="wildrgbd", path=captures))[0])
    assert isinstance(record, Scene)
    maps = {view.name: view.read_depth() for view in record.views}
    views = [replace(v, read_depth=lambda name=v.name: maps[name]) for v in record.views]
    return replace(record, views=tuple(views))


@pytest.fixture(scope="module")
def tracked(scene):
    """The same place without depth, as structure from motion leaves it."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.8, -0.7, 0.7), (0.8, 0.7, 1.0), (400, 3))
    sightings, seen = [], np.zeros((400, len(scene.views)), bool)
    for column, view in enumerate(scene.views):
        uv_px, _ = project(view.camera, points)
        inside = (uv_px > 0).all(axis=1) & (uv_px < (room.WIDTH, room.HEIGHT)).all(axis=1)
        rows = np.flatnonzero(inside)
        seen[rows, column] = True
        sightings.append(Sightings(rows, uv_px[rows] + rng.normal(0, 0.5, (len(rows), 2))))
    views = tuple(replace(view, read_depth=None) for view in scene.views)
    return replace(scene, views=views, tracks=Tracks(points, seen, lambda: sightings))


def test_a_right_capture_is_consistent(scene):
    verdict = verdict_of(scene)
    assert (verdict.kind, verdict.mistake) == ("consistent", "")
    assert verdict.given.share_unhidden > 0.97


def test_a_noisy_capture_is_consistent(scene):
    verdict = verdict_of(noisy(scene, depth_share=0.015, move_m=0.01, turn_deg=0.4))
    assert verdict.kind == "consistent"
    assert 0.5 < verdict.given.share_unhidden < 0.95  # so that mistakes were looked for


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_named(name, scene):
    corrupt, looks_like = MISTAKES[name]
    verdict = verdict_of(corrupt(scene))
    assert (verdict.kind, verdict.mistake) == ("inconsistent", looks_like)
    assert verdict.looks_like
    if looks_like != "unknown":
        assert verdict.repaired is not None
        assert verdict.repaired.share_unhidden > 0.9


@pytest.mark.parametrize("name", ["opengl axes", "5000 per metre", "ray depth", "unregistered"])
def test_a_mistake_is_found_in_a_noisy_capture_too(name, scene):
    corrupt, looks_like = MISTAKES[name]
    verdict = verdict_of(corrupt(noisy(scene, depth_share=0.01, move_m=0.005, turn_deg=0.2)))
    assert (verdict.kind, verdict.mistake) == ("inconsistent", looks_like)


def test_the_same_capture_gets_the_same_verdict(scene):
    assert verdict_of(scene) == verdict_of(scene)


def test_tracks_that_reproject_are_consistent(tracked):
    found = check_record(tracked, RULES)
    assert (found.by, found.verdict.kind) == ("tracks", "consistent")


@pytest.mark.parametrize("name", ["opengl axes", "world to camera", "reversed", "shuffled"])
def test_mistakes_are_found_by_tracks(name, tracked):
    corrupt, looks_like = MISTAKES[name]
    verdict = verdict_of(corrupt(tracked))
    assert (verdict.kind, verdict.mistake) == ("inconsistent", looks_like)


def test_intrinsics_of_larger_images_are_found_by_tracks(tracked):
    larger = cameras(
        tracked, lambda c: replace(c, fx=2 * c.fx, fy=2 * c.fy, cx=2 * c.cx, cy=2 * c.cy)
    )
    verdict = verdict_of(larger)
    assert (verdict.kind, verdict.mistake) == ("inconsistent", "intrinsics_of_another_size")


def test_a_scene_without_depth_and_tracks_cannot_be_checked(scene):
    views = tuple(replace(view, read_depth=None) for view in scene.views)
    assert verdict_of(replace(scene, views=views)).kind == "unchecked"


def test_views_of_different_places_cannot_be_checked(scene):
    places = iter(range(len(scene.views)))

    def apart(pose):
        moved = pose.copy()
        moved[:3, 3] += 1000.0 * next(places) ** 2
        return moved

    assert verdict_of(poses(scene, apart)).kind == "unchecked"


def test_an_unreadable_scene_does_not_end_the_check(tmp_path):
    room.write_scene(tmp_path / "toy/scenes/scene_000", 0)
    room.write_scene(tmp_path / "toy/scenes/scene_001", 1)
    (tmp_path / "toy/scenes/scene_000/cam_poses.txt").write_text("0 nan\n")
    kinds = [f.verdict.kind for f in check(Source(format="wildrgbd", path=tmp_path), RULES)]
    assert kinds == ["unchecked", "consistent"]


def kitchen(change=lambda pose: pose, depth=True):
    """Three cameras around the toy table, at rest."""
    furniture, views = room.furnish(0), room.orbit(0)[1:12:4]
    maps = [room.render(furniture, camera)[1] for camera in views]
    roles = ("fix_left", "fix_right", "fix_front")
    return Episode(
        id="kitchen/episode_000000",
        dataset="kitchen",
        rig="kitchen",
        instruction="",
        fps=10.0,
        length=300,
        cameras=tuple(
            EpisodeCamera(
                key=role,
                role=role,
                read_frames=lambda _: [],
                calibration=lambda _, c=camera: replace(
                    c, world_from_camera=change(c.world_from_camera)
                ),
                read_depth=(lambda _, m=found: m) if depth else None,
            )
            for role, camera, found in zip(roles, views, maps, strict=True)
        ),
    )


def test_cameras_of_an_episode_are_compared_at_one_instant():
    found = check_record(kitchen(), RULES)
    assert (found.by, found.verdict.kind) == ("depth", "consistent")
    refuse_inconsistent_episode(kitchen(), RULES)


def test_inverted_extrinsics_of_an_episode_are_refused():
    with pytest.raises(Unusable, match=r"inconsistent_calibration: .*world-to-camera"):
        refuse_inconsistent_episode(kitchen(np.linalg.inv), RULES)


def test_a_single_camera_with_inverted_extrinsics_is_found():
    episode = kitchen()
    first, *rest = episode.cameras
    wrong = replace(first, calibration=kitchen(np.linalg.inv).cameras[0].calibration)
    verdict = verdict_of(replace(episode, cameras=(wrong, *rest)))
    assert (verdict.kind, verdict.mistake) == ("inconsistent", "inverted_poses")
    assert verdict.looks_like.endswith("for fix_left alone")


def test_exchanged_calibrations_are_found():
    episode = kitchen()
    first, second, third = episode.cameras
    swapped = (
        replace(first, calibration=second.calibration),
        replace(second, calibration=first.calibration),
        third,
    )
    verdict = verdict_of(replace(episode, cameras=swapped))
    assert (verdict.kind, verdict.mistake) == ("inconsistent", "exchanged_cameras")
    assert verdict.looks_like == "calibrations of fix_left and fix_right are exchanged"


def test_an_episode_without_depth_says_what_can_be_checked(episodes):
    assert "no depth" in verdict_of(kitchen(depth=False)).looks_like
    refuse_inconsistent_episode(kitchen(np.linalg.inv, depth=False), RULES)
    record = load(index(Source(format="lerobot", path=episodes))[0])
    assert verdict_of(record).kind == "unchecked"


def test_the_gate_can_be_switched_off(scene):
    corrupt, _ = MISTAKES["opengl axes"]
    wrong = corrupt(scene)
    depths = [view.read_depth() for view in wrong.views]
    refuse_inconsistent_scene(wrong, wrong.views, depths, Rules(min_consistent_share=0))
    with pytest.raises(Unusable) as caught:
        refuse_inconsistent_scene(wrong, wrong.views, depths, RULES)
    assert caught.value.reason == "inconsistent_calibration"
    assert "OpenGL" in caught.value.detail


@pytest.mark.data
@pytest.mark.skipif(not KINECT.is_dir(), reason="the Kinect capture is not here")
@pytest.mark.parametrize("name", ["right", *MISTAKES])
def test_a_real_capture_passes_and_its_corruptions_do_not(name):
    record = load(index(Source(format="wildrgbd", path=KINECT))[0])
    assert isinstance(record, Scene)
    if name == "right":
        assert verdict_of(record).kind == "consistent"
        assert verdict_of(record).given.share_unhidden > 0.9
    else:
        corrupt, looks_like = MISTAKES[name]
        verdict = verdict_of(corrupt(record))
        assert (verdict.kind, verdict.mistake) == ("inconsistent", looks_like)

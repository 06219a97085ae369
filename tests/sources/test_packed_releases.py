"""Builds from releases as they are downloaded: archives give what extracted folders give."""

from collections.abc import Callable
from pathlib import Path

import pytest
import write_agibot
import write_co3d

from toy import room
from toy.datasets import config, hashes
from xvr.audit import audit
from xvr.engine.build import build
from xvr.engine.config import BuildConfig
from xvr.engine.executor import Crew

GENERAL = ("point_correspondence", "spatial_verification", "viewpoint_localization")
ROBOTIC = (
    "temporal_verification",
    "directional_view_localization",
    "cross_scenario_localization",
    "language_conditioned_localization",
)


def write_rooms(root: Path) -> None:
    """Two toy rooms as CO3D sequences; lengths are those of CO3D, which are not metres."""
    sequences = {}
    for seed, name in enumerate(("110_13051_23361", "189_20393_38136")):
        furniture = room.furnish(seed)
        sequences[name] = []
        for camera in room.orbit(seed):
            rgb, depth_m = room.render(furniture, camera)
            numbers = (camera.fx, camera.fy, camera.cx, camera.cy)
            shot = write_co3d.Shot(rgb, depth_m, numbers, camera.world_from_camera)
            sequences[name].append(shot)
    write_co3d.write_category(root, sequences)


def write_episodes(root: Path) -> None:
    write_agibot.write_release(root, length=110, fps=5, cameras=write_agibot.CAMERAS[:3])


def arguments(name: str, path: Path) -> BuildConfig:
    tasks = GENERAL if name == "co3d" else ROBOTIC
    return config(f"{name}:{path}", tasks=tasks, samples=12, valid_share=0.0)


@pytest.mark.parametrize(
    ("name", "write", "pack", "pixels"),
    [
        ("agibot", write_episodes, write_agibot.pack, 4),
        ("co3d", write_rooms, write_co3d.pack, 0),  # in so small images labels cover too much
    ],
)
def test_workers_build_the_same_from_archives_and_every_answer_is_right(
    tmp_path: Path,
    name: str,
    write: Callable[[Path], None],
    pack: Callable[[Path], None],
    pixels: int,
):
    release = tmp_path / "release"
    write(release)
    build(tmp_path / "one", arguments(name, release))
    pack(release)
    build(tmp_path / "two", arguments(name, release), Crew(workers=2))
    written, again = hashes(tmp_path / "one"), hashes(tmp_path / "two")
    changed = {place for place in written if written[place] != again[place]}
    assert changed <= {"manifest.json"}  # which tells the archives' sizes
    report = audit(tmp_path / "two", pixels=pixels)
    assert report.answers_checked == 12
    assert report.images_checked == pixels
    assert report.findings == ()

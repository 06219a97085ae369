import sys

import cv2
import numpy as np
import pytest

from toy import room
from xvr.capture.check import check_record
from xvr.capture.reconstruct import Request, reconstruct
from xvr.errors import UserError
from xvr.geometry.camera import Camera
from xvr.sources import Source, index, load
from xvr.tasks.rules import Rules

VIEWS = 6
SIZE = (320, 240)


def walk():
    """Cameras on an arc of a third of a circle around the table."""
    cameras = []
    for number in range(VIEWS):
        angle = np.radians(10 * number)
        center = (1.6 * np.cos(angle), 1.6 * np.sin(angle), 1.6)
        cameras.append(
            Camera(
                width=SIZE[0],
                height=SIZE[1],
                fx=300,
                fy=300,
                cx=SIZE[0] / 2,
                cy=SIZE[1] / 2,
                world_from_camera=room.look_at(center, (0, 0, 0.75)),
            )
        )
    return cameras


def photograph(camera):
    """The toy room with rich texture: noise on its surfaces, the same from everywhere."""
    furniture = room.furnish(0)
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = room.pixel_rays(camera, np.column_stack([u.ravel(), v.ravel()]))
    depth = room.cast(furniture, camera.center, rays)
    points = camera.center + depth[:, None] * rays
    value = np.zeros(len(points))
    for cell_m, weight in ((0.02, 50), (0.05, 60), (0.15, 60)):
        cells = np.floor(points / cell_m + 1e-6).astype(np.int64)
        mixed = cells @ np.array([73856093, 19349663, 83492791])
        value += weight * ((mixed * 2654435761 % 1024) / 1024)
    gray = value.reshape(camera.height, camera.width)
    return cv2.GaussianBlur(gray, (3, 3), 0.7).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, camera in enumerate(walk()):
        cv2.imwrite(str(folder / f"{number}.png"), photograph(camera))
    return folder


@pytest.fixture(scope="module")
def made(photos, tmp_path_factory):
    pytest.importorskip("pycolmap")
    out = tmp_path_factory.mktemp("made") / "scene"
    shown = []
    result = reconstruct(
        Request(photos=str(photos), scale=2.0), out, progress=lambda *counts: shown.append(counts)
    )
    assert shown[-1] == (VIEWS, VIEWS)
    return out, result


def test_photographs_become_a_scene_that_is_consistent(made):
    out, result = made
    assert result.registered == result.photographs == VIEWS
    (ref,) = index(Source(format="colmap", path=out))
    found = check_record(load(ref), Rules())
    assert (found.by, found.verdict.kind) == ("tracks", "consistent")
    assert sorted(path.name for path in out.iterdir()) == [
        "images",
        "reconstruction.json",
        "sparse",
    ]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_the_cameras_are_where_they_were_but_for_a_similarity(made):
    out, _ = made
    (ref,) = index(Source(format="colmap", path=out))
    found = np.array([view.camera.center for view in load(ref).views])
    truth = np.array([camera.center for camera in walk()])
    spans = [
        np.linalg.norm(c[:, None] - c[None], axis=-1)[np.triu_indices(VIEWS, 1)]
        for c in (found, truth)
    ]
    ratios = spans[0] / spans[1]
    assert ratios.std() / ratios.mean() < 0.02


def test_the_same_photographs_give_the_same_model_and_scale_scales_it(made, photos, tmp_path):
    reconstruct(Request(photos=str(photos)), tmp_path / "unscaled")
    unscaled, scaled = (
        np.array([v.camera.center for v in load(index(Source(format="colmap", path=p))[0]).views])
        for p in (tmp_path / "unscaled", made[0])
    )
    np.testing.assert_allclose(scaled, 2 * unscaled, rtol=1e-12, atol=1e-12)


def test_a_finished_one_is_kept_and_anything_else_refused(made, photos, tmp_path):
    out, result = made
    assert reconstruct(Request(photos=str(photos), scale=2.0), out) == result
    with pytest.raises(UserError, match="holds something else"):
        reconstruct(Request(photos=str(photos), seed=1), out)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        reconstruct(Request(photos=str(photos)), tmp_path)


def test_too_few_photographs_are_refused(photos, tmp_path):
    pytest.importorskip("pycolmap")
    (tmp_path / "few").mkdir()
    for number in range(2):
        (tmp_path / f"few/{number}.png").write_bytes((photos / f"{number}.png").read_bytes())
    with pytest.raises(UserError, match="2 photographs, at least 3"):
        reconstruct(Request(photos=str(tmp_path / "few")), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["few"]


def test_photographs_of_nothing_are_refused(tmp_path):
    pytest.importorskip("pycolmap")
    (tmp_path / "blank").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"blank/{number}.png"), np.full((60, 80), 90, np.uint8))
    with pytest.raises(UserError, match="0 of 3 photographs could be registered"):
        reconstruct(Request(photos=str(tmp_path / "blank")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_photograph_is_told(photos, tmp_path):
    pytest.importorskip("pycolmap")
    (tmp_path / "damaged").mkdir()
    for number in range(3):
        (tmp_path / f"damaged/{number}.png").write_bytes((photos / f"{number}.png").read_bytes())
    (tmp_path / "damaged/1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be read: .*1\.png"):
        reconstruct(Request(photos=str(tmp_path / "damaged")), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_a_missing_library_names_the_line_that_installs_it(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    with pytest.raises(UserError, match=r'pip install "xvr\[sfm\]"'):
        reconstruct(Request(photos=str(photos)), tmp_path / "out")


def test_wrong_numbers_are_refused():
    with pytest.raises(UserError, match="scale 0 must be positive"):
        Request(photos="x", scale=0)
    with pytest.raises(UserError, match="at least 3 are needed"):
        Request(photos="x", frames=2)

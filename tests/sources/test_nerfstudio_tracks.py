import struct
from pathlib import Path

import numpy as np
import pytest
from write_colmap import SIZE
from write_dl3dv import APPLIED, CAMERA, FACTOR, FRAMES, model_points, write_dl3dv, write_model

from xvr.errors import Unusable
from xvr.geometry.camera import project
from xvr.sources.nerfstudio import index, key_files, load
from xvr.sources.records import Scene


def only(path: Path) -> Scene:
    (ref,) = index(path)
    return load(ref)


def reason(path: Path) -> str:
    with pytest.raises(Unusable) as caught:
        only(path)
    return caught.value.reason


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("place", ["colmap/sparse/0", "colmap", "sparse/0", "sparse"])
def test_tracks_come_from_the_model_in_the_world_of_the_poses(
    tmp_path: Path, scale: float, place: str
):
    scene = only(write_dl3dv(tmp_path / "s", scale=scale, model=place))
    assert scene.metric is False
    assert scene.tracks is not None
    expected = scale * model_points() @ APPLIED[:3, :3].T
    order = np.lexsort(expected.T)
    found = scene.tracks.points_world
    np.testing.assert_allclose(found[np.lexsort(found.T)], expected[order], atol=1e-9)
    row = int(np.abs(found - expected[3]).sum(axis=1).argmin())
    assert scene.tracks.seen[row].tolist() == [(image + 3) % 4 != 0 for image in range(FRAMES)]


def test_intrinsics_fit_the_smaller_images(tmp_path: Path):
    view = only(write_dl3dv(tmp_path / "s")).views[0]
    assert view.name == f"images_{FACTOR}/frame_00001.png"
    assert (view.camera.width, view.camera.height) == (SIZE[0] // FACTOR, SIZE[1] // FACTOR)
    assert view.camera.fx == CAMERA[0] / FACTOR
    assert view.camera.distortion[:4] == CAMERA[4:]
    uv, depth = project(view.camera, model_points() @ APPLIED[:3, :3].T)
    assert (depth > 0).all()
    assert ((uv > 0) & (uv < (view.camera.width, view.camera.height))).mean() > 0.9


def test_the_release_of_dl3dv_is_indexed_by_hash(tmp_path: Path):
    write_dl3dv(tmp_path / "1K" / "0a1b")
    write_dl3dv(tmp_path / "2K" / "7f52" / "nerfstudio", model="")
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == ["1K/0a1b", "2K/7f52/nerfstudio"]
    names = [name for name, path in key_files(tmp_path, refs) if path.is_file()]
    assert "1K/0a1b/colmap/sparse/0/points3D.bin" in names
    assert len(names) == 5


def test_without_a_whole_model_there_are_no_tracks(tmp_path: Path):
    assert only(write_dl3dv(tmp_path / "a", model="")).tracks is None
    folder = write_dl3dv(tmp_path / "b")
    (folder / "colmap" / "sparse" / "0" / "points3D.bin").unlink()
    assert only(folder).tracks is None


def test_of_several_models_the_one_that_agrees_counts(tmp_path: Path):
    folder = write_dl3dv(tmp_path / "s", shifted=[2])
    names = [f"frame_{number:05d}.png" for number in range(1, FRAMES + 1)]
    write_model(folder / "colmap" / "sparse" / "1", names)
    assert only(folder).tracks is not None


def test_a_model_of_other_poses_is_refused(tmp_path: Path):
    assert reason(write_dl3dv(tmp_path / "s", shifted=[2])) == "model_disagrees"


def test_a_model_of_other_images_is_refused(tmp_path: Path):
    folder = write_dl3dv(tmp_path / "s", model="")
    write_model(folder / "colmap", [f"other_{number}.png" for number in range(FRAMES)])
    assert reason(folder) == "model_disagrees"


def test_a_model_of_another_camera_is_refused(tmp_path: Path):
    folder = write_dl3dv(tmp_path / "s")
    values = struct.pack("<8d", 60.0, *CAMERA[1:])
    path = folder / "colmap" / "sparse" / "0" / "cameras.bin"
    path.write_bytes(path.read_bytes()[:-64] + values)
    assert reason(folder) == "model_disagrees"


def test_a_damaged_model_is_refused(tmp_path: Path):
    folder = write_dl3dv(tmp_path / "s")
    path = folder / "colmap" / "sparse" / "0" / "points3D.bin"
    path.write_bytes(path.read_bytes()[:-20])
    assert reason(folder) == "truncated_model"

import json
import os
from pathlib import Path

import numpy as np
import pytest
from write_wildrgbd import HEIGHT, WIDTH, arc_pose, write_category, write_scene

from xvr.errors import Unusable, UserError
from xvr.sources.wildrgbd import index, key_files, load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_category(tmp_path / "data" / "cup", ("scene_000", "scene_007"))
    write_category(tmp_path / "data" / "boat", ("scenes_3",))
    return tmp_path / "data"


def refuse(folder: Path) -> str:
    with pytest.raises(Unusable) as caught:
        load(index(folder)[0])
    assert folder.name in caught.value.detail
    return caught.value.reason


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    folder = tmp_path / "cup" / "scenes" / "scene_000"
    write_scene(folder)
    return folder


def test_index_of_the_root_lists_all_scenes_sorted(root: Path):
    refs = index(root)
    names = ["boat/scenes/scenes_3", "cup/scenes/scene_000", "cup/scenes/scene_007"]
    assert [ref.id for ref in refs] == names
    assert all(ref.kind == "scene" and ref.group == ref.id for ref in refs)


def test_ids_do_not_depend_on_the_level_of_the_path(root: Path):
    assert [r.id for r in index(root / "cup")] == ["cup/scenes/scene_000", "cup/scenes/scene_007"]
    assert [r.id for r in index(root / "cup" / "scenes" / "scene_007")] == ["cup/scenes/scene_007"]
    for path in (root, root / "cup", root / "cup" / "scenes" / "scene_007"):
        ref = index(path)[-1]
        assert ref.id == "cup/scenes/scene_007"
        assert len(load(ref).views) == 4
        names = {name for name, _ in key_files(path, [ref])}
        assert names == {
            "cup/scenes/scene_007/metadata",
            "cup/scenes/scene_007/cam_poses.txt",
        }


def test_a_scene_alone_outside_of_the_layout_is_read(tmp_path: Path):
    write_scene(tmp_path / "mine")
    (ref,) = index(tmp_path / "mine")
    assert ref.id == "mine"
    assert len(load(ref).views) == 4


def test_a_path_without_scenes_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no WildRGB-D scene"):
        index(tmp_path)


def test_views_have_column_major_intrinsics_camera_to_world_poses_and_metres(root: Path):
    scene = load(index(root / "cup")[0])
    assert (scene.id, scene.dataset, scene.category) == ("cup/scenes/scene_000", "wildrgbd", "cup")
    assert scene.metric
    view = scene.views[2]
    camera = view.camera
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (30.0, 31.0, 16.5, 12.5)
    np.testing.assert_allclose(camera.world_from_camera, arc_pose(2))
    assert view.name == "00002.png"
    assert view.frame_index == 2
    image = view.read_image()
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [200, 100, 2]
    assert view.read_depth is not None
    depth_m = view.read_depth()
    assert depth_m.dtype == np.float32
    assert depth_m[0, 0] == 0
    np.testing.assert_allclose(depth_m[1:], 1.002, rtol=1e-6)


def test_missing_metadata_is_refused(scene: Path):
    (scene / "metadata").unlink()
    assert refuse(scene) == "missing_metadata"


@pytest.mark.parametrize("text", ["{", "[]", '{"w": 3}', '{"w": 4, "h": 3, "K": [1, 2]}', "\xff"])
def test_damaged_metadata_is_refused(scene: Path, text: str):
    (scene / "metadata").write_text(text, encoding="latin-1")
    assert refuse(scene) == "bad_metadata"


@pytest.mark.parametrize(
    "matrix",
    [
        [30, 0, 16, 0, 31, 12, 0, 0, 1],  # row-major
        [0, 0, 0, 0, 31, 0, 16, 12, 1],
        [float("nan"), 0, 0, 0, 31, 0, 16, 12, 1],
    ],
)
def test_impossible_intrinsics_are_refused(scene: Path, matrix: list[float]):
    (scene / "metadata").write_text(json.dumps({"w": WIDTH, "h": HEIGHT, "K": matrix}))
    assert refuse(scene) == "bad_intrinsics"


def test_missing_poses_are_refused(scene: Path):
    (scene / "cam_poses.txt").unlink()
    assert refuse(scene) == "missing_poses"


def test_fewer_poses_than_images_are_refused(scene: Path):
    lines = (scene / "cam_poses.txt").read_text().splitlines()
    (scene / "cam_poses.txt").write_text("\n".join(lines[:-1]))
    assert refuse(scene) == "pose_count_mismatch"


@pytest.mark.parametrize(
    "line",
    [
        "1 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0",
        "5 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "1 nan 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "1 -inf 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "1 2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "1 -1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "one 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
    ],
)
def test_a_line_that_is_no_rigid_pose_is_refused(scene: Path, line: str):
    lines = (scene / "cam_poses.txt").read_text().splitlines()
    (scene / "cam_poses.txt").write_text("\n".join([lines[0], line, *lines[2:]]))
    assert refuse(scene) == "bad_pose"


def test_an_empty_pose_file_is_refused(scene: Path):
    (scene / "cam_poses.txt").write_text("\n")
    assert refuse(scene) == "bad_pose"


def test_a_gap_in_the_frames_is_refused(scene: Path):
    (scene / "rgb" / "00002.png").rename(scene / "rgb" / "00009.png")
    with pytest.raises(Unusable, match=r"missing_image: .*00002\.png"):
        load(index(scene)[0])


def test_a_missing_depth_map_is_refused(scene: Path):
    (scene / "depth" / "00001.png").unlink()
    with pytest.raises(Unusable, match=r"missing_depth: .*00001\.png"):
        load(index(scene)[0])


def test_hidden_and_foreign_files_are_ignored(scene: Path):
    (scene / "rgb" / ".DS_Store").write_bytes(b"")
    (scene / "rgb" / "._00000.png").write_bytes(b"")
    (scene / "rgb" / "notes.txt").write_bytes(b"")
    assert len(load(index(scene)[0]).views) == 4


def test_an_image_of_another_size_is_refused_when_read(scene: Path):
    (scene / "metadata").write_text(
        json.dumps({"w": WIDTH, "h": HEIGHT + 1, "K": [30, 0, 0, 0, 31, 0, 16, 12, 1]})
    )
    view = load(index(scene)[0]).views[0]
    with pytest.raises(Unusable, match="wrong_image_size"):
        view.read_image()
    assert view.read_depth is not None
    with pytest.raises(Unusable, match="wrong_depth_size"):
        view.read_depth()


def real_capture() -> Path:
    here = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("XVR_TEST_DATA", here)) / "kinect_wildrgbd"


@pytest.mark.data
@pytest.mark.skipif(not real_capture().is_dir(), reason="real capture absent")
def test_the_real_kinect_capture_is_read():
    (ref,) = index(real_capture())
    scene = load(ref)
    assert len(scene.views) == 40
    view = scene.views[0]
    assert view.read_image().shape == (480, 640, 3)
    assert view.read_depth is not None
    depth_m = view.read_depth()
    assert 0.5 < np.median(depth_m[depth_m > 0]) < 5

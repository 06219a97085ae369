import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xvr.errors import Unusable, UserError
from xvr.sources.nerfstudio import index, key_files, load
from xvr.sources.records import Scene

WIDTH, HEIGHT = 64, 48


def opengl_pose(number: int) -> list[list[float]]:
    """Camera-to-world of a camera at (number, 0, 2) that looks along -z, x right, y up."""
    pose = np.eye(4)
    pose[:3, 3] = (number, 0.0, 2.0)
    return pose.tolist()


def content() -> dict[str, Any]:
    return {
        "camera_model": "OPENCV",
        "fl_x": 50.0,
        "fl_y": 52.0,
        "cx": 32.0,
        "cy": 24.0,
        "w": WIDTH,
        "h": HEIGHT,
        "frames": [
            {"file_path": f"images/frame_0000{n}.png", "transform_matrix": opengl_pose(n)}
            for n in (3, 1, 2)
        ],
    }


def write_scene(
    folder: Path,
    change: Callable[[dict[str, Any]], Any] = lambda _: None,
    images: str = "images",
    factor: int = 1,
) -> Path:
    values = content()
    change(values)
    (folder / images).mkdir(parents=True)
    for number in (1, 2, 3):
        image = np.zeros((HEIGHT // factor, WIDTH // factor, 3), np.uint8)
        image[..., 2] = 10 * number
        cv2.imwrite(str(folder / images / f"frame_0000{number}.png"), image)
    (folder / "transforms.json").write_text(json.dumps(values))
    return folder


def only(path: Path) -> Scene:
    (ref,) = index(path)
    return load(ref)


def reason(path: Path) -> str:
    with pytest.raises(Unusable) as caught:
        only(path)
    assert path.name in caught.value.detail
    return caught.value.reason


def test_frames_are_sorted_and_axes_become_opencv(tmp_path: Path):
    scene = only(write_scene(tmp_path / "s"))
    assert [view.name for view in scene.views] == [f"images/frame_0000{n}.png" for n in (1, 2, 3)]
    camera = scene.views[0].camera
    np.testing.assert_allclose(camera.center, (1, 0, 2))
    np.testing.assert_allclose(camera.forward, (0, 0, -1))
    np.testing.assert_allclose(camera.world_from_camera[:3, 1], (0, -1, 0))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (50, 52, 32, 24)
    assert camera.model == "pinhole"
    assert scene.metric is False
    assert scene.views[0].read_depth is None
    assert scene.views[2].read_image()[0, 0].tolist() == [30, 0, 0]


@pytest.mark.parametrize("factor", [2, 4])
def test_intrinsics_are_scaled_to_smaller_copies(tmp_path: Path, factor: int):
    folder = write_scene(tmp_path / "s", images=f"images_{factor}", factor=factor)
    view = only(folder).views[1]
    camera = view.camera
    assert (camera.width, camera.height) == (WIDTH // factor, HEIGHT // factor)
    assert (camera.fx, camera.fy) == (50 / factor, 52 / factor)
    assert (camera.cx, camera.cy) == (32 / factor, 24 / factor)
    assert view.name == f"images_{factor}/frame_00002.png"
    assert view.read_image().shape == (HEIGHT // factor, WIDTH // factor, 3)


def test_sizes_are_whole_so_that_a_copy_may_be_rounded(tmp_path: Path):
    folder = write_scene(
        tmp_path / "s", lambda c: c.update(w=2 * WIDTH + 1, h=2 * HEIGHT, cx=64.5), factor=1
    )
    camera = only(folder).views[0].camera
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert camera.cx == pytest.approx(32.0)


def test_a_cropped_image_is_refused(tmp_path: Path):
    folder = write_scene(tmp_path / "s", lambda c: c.update(w=2 * WIDTH, h=3 * HEIGHT))
    assert reason(folder) == "wrong_image_size"


def test_intrinsics_of_a_frame_win(tmp_path: Path):
    def change(values: dict[str, Any]) -> None:
        values["frames"][0] |= {"fl_x": 70.0, "k1": 0.1}

    cameras = [view.camera for view in only(write_scene(tmp_path / "s", change)).views]
    assert [camera.fx for camera in cameras] == [50, 50, 70]
    assert [camera.model for camera in cameras] == ["pinhole", "pinhole", "brown"]


def test_a_field_of_view_replaces_focal_lengths_and_centre(tmp_path: Path):
    def change(values: dict[str, Any]) -> None:
        for name in ("fl_x", "fl_y", "cx", "cy", "w", "h", "camera_model"):
            del values[name]
        values["camera_angle_x"] = np.pi / 2

    camera = only(write_scene(tmp_path / "s", change)).views[0].camera
    np.testing.assert_allclose((camera.fx, camera.fy, camera.cx, camera.cy), (32, 32, 32, 24))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"k1": 1, "k2": 2, "k3": 3, "p1": 4, "p2": 5}, ("brown", (1, 2, 4, 5, 3))),
        ({"distortion_params": [1, 2, 3, 0, 4, 5]}, ("brown", (1, 2, 4, 5, 3))),
        ({"k1": 0.0, "k2": 0.0}, ("pinhole", ())),
        ({"camera_model": "PINHOLE"}, ("pinhole", ())),
        (
            {"camera_model": "OPENCV_FISHEYE", "k1": 1, "k2": 2, "k3": 3, "k4": 4},
            ("fisheye", (1, 2, 3, 4)),
        ),
    ],
)
def test_distortion_follows_the_model(
    tmp_path: Path, change: dict[str, Any], expected: tuple[str, tuple[float, ...]]
):
    camera = only(write_scene(tmp_path / "s", lambda c: c.update(change))).views[0].camera
    assert (camera.model, camera.distortion) == expected


@pytest.mark.parametrize("change", [{"camera_model": "EQUIRECTANGULAR"}, {"k4": 0.1}])
def test_other_models_are_refused(tmp_path: Path, change: dict[str, Any]):
    folder = write_scene(tmp_path / "s", lambda c: c.update(change))
    assert reason(folder) == "unknown_camera_model"


def with_depth(values: dict[str, Any]) -> None:
    for frame in values["frames"]:
        frame["depth_file_path"] = "depth/" + Path(frame["file_path"]).name


@pytest.mark.parametrize(("scale", "metres"), [(None, 1.5), (0.01, 15.0)])
def test_depth_files_make_a_scene_metric(tmp_path: Path, scale: float | None, metres: float):
    def change(values: dict[str, Any]) -> None:
        with_depth(values)
        if scale:
            values["depth_unit_scale_factor"] = scale

    folder = write_scene(tmp_path / "s", change)
    (folder / "depth").mkdir()
    raw = np.full((HEIGHT, WIDTH), 1500, np.uint16)
    raw[0] = 0
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / "depth" / f"frame_0000{number}.png"), raw)
    scene = only(folder)
    assert scene.metric
    read_depth = scene.views[0].read_depth
    assert read_depth is not None
    depth_m = read_depth()
    assert (depth_m[0] == 0).all()
    np.testing.assert_allclose(depth_m[1:], metres, rtol=1e-6)


def test_a_missing_depth_file_is_refused(tmp_path: Path):
    assert reason(write_scene(tmp_path / "s", with_depth)) == "missing_depth"


def test_a_missing_image_is_refused(tmp_path: Path):
    folder = write_scene(tmp_path / "s")
    (folder / "images" / "frame_00002.png").unlink()
    assert reason(folder) == "missing_image"


def test_file_names_without_ending_are_png(tmp_path: Path):
    def change(values: dict[str, Any]) -> None:
        for frame in values["frames"]:
            frame["file_path"] = frame["file_path"].removesuffix(".png")

    assert len(only(write_scene(tmp_path / "s", change)).views) == 3


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.diag([2.0, 1, 1, 1]).tolist(), "bad_pose"),
        (np.full((4, 4), np.nan).tolist(), "bad_pose"),
        (np.eye(3).tolist(), "bad_pose"),
        ([["a"]], "bad_metadata"),
        (None, "bad_pose"),
    ],
)
def test_a_matrix_that_is_no_pose_is_refused(tmp_path: Path, matrix: object, expected: str):
    folder = write_scene(tmp_path / "s", lambda c: c["frames"][0].update(transform_matrix=matrix))
    assert reason(folder) == expected


def test_a_pose_of_three_rows_is_read(tmp_path: Path):
    rows = opengl_pose(5)[:3]
    folder = write_scene(tmp_path / "s", lambda c: c["frames"][0].update(transform_matrix=rows))
    np.testing.assert_allclose(only(folder).views[2].camera.center, (5, 0, 2))


@pytest.mark.parametrize(
    "change", [{"fl_x": -1}, {"fl_x": float("nan")}, {"cx": float("inf")}], ids=str
)
def test_impossible_intrinsics_are_refused(tmp_path: Path, change: dict[str, Any]):
    folder = write_scene(tmp_path / "s", lambda c: c.update(change))
    assert reason(folder) == "bad_intrinsics"


@pytest.mark.parametrize(
    "change", [{"fl_x": "wide"}, {"frames": [1]}, {"frames": 3}, {"w": 0}, {"k1": []}], ids=str
)
def test_damaged_metadata_is_refused(tmp_path: Path, change: dict[str, Any]):
    folder = write_scene(tmp_path / "s", lambda c: c.update(change))
    assert reason(folder) == "bad_metadata"
    (folder / "transforms.json").write_text("{")
    assert reason(folder) == "bad_metadata"


def test_scenes_are_found_up_to_three_levels_below(tmp_path: Path):
    for name in ("1K/abc", "2K/def/nerfstudio", "plain"):
        write_scene(tmp_path / name)
    write_scene(tmp_path / "plain" / "inner")
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == ["1K/abc", "2K/def/nerfstudio", "plain"]
    assert len(load(refs[1]).views) == 3
    names = [name for name, path in key_files(tmp_path, refs) if path.is_file()]
    assert names == [f"{ref.id}/transforms.json" for ref in refs]


def test_a_path_without_scenes_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no nerfstudio scene"):
        index(tmp_path)


def test_a_scene_that_disappeared_is_refused(tmp_path: Path):
    folder = write_scene(tmp_path / "s")
    (ref,) = index(tmp_path)
    (folder / "transforms.json").unlink()
    with pytest.raises(Unusable, match="missing_metadata"):
        load(ref)

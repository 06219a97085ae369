import gzip
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from write_co3d import HEIGHT, SCALE, WIDTH, pack, ring, write_category, write_jgz

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import project
from xvr.sources.co3d import index, key_files, load
from xvr.sources.records import Scene

NAMES = ("110_13051_23361", "189_20393_38136")
RADIUS_M = 0.8


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    root = tmp_path_factory.mktemp("co3d")
    write_category(root, {NAMES[0]: ring(), NAMES[1]: ring(3)})
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "co3d"))


def first(root: Path) -> Scene:
    scene = load(index(root)[0])
    assert isinstance(scene, Scene)
    return scene


def refuse(root: Path) -> str:
    with pytest.raises(Unusable) as caught:
        first(root)
    return caught.value.reason


def change(root: Path, place: str, value: Any, frame: int | None = 2) -> None:
    """Set one value of one frame of the first sequence, or of all its frames."""
    path = root / "apple" / "frame_annotations.jgz"
    frames = json.loads(gzip.decompress(path.read_bytes()))
    for entry in frames:
        if entry["sequence_name"] == NAMES[0] and entry["frame_number"] == (
            entry["frame_number"] if frame is None else frame
        ):
            *above, last = place.split(".")
            for name in above:
                entry = entry[name]
            entry[last] = value
    write_jgz(path, frames)


def test_index_lists_the_sequences_that_are_there(root: Path):
    refs = index(root)
    assert [ref.id for ref in refs] == [f"apple/{name}" for name in NAMES]
    assert all(ref.kind == "scene" and ref.group == ref.id for ref in refs)
    assert [ref.id for ref in index(root / "apple")] == [ref.id for ref in refs]
    shutil.rmtree(root / "apple" / NAMES[0])
    assert [ref.id for ref in index(root)] == [f"apple/{NAMES[1]}"]


def test_a_path_without_sequences_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no CO3D sequence"):
        index(tmp_path)


@pytest.mark.parametrize("form", ["ndc_isotropic", "ndc_norm_image_bounds"])
def test_cameras_are_opencv_in_both_forms_of_intrinsics(tmp_path: Path, form: str):
    shots = ring()
    write_category(tmp_path, {NAMES[0]: shots}, form)
    scene = first(tmp_path)
    assert (scene.id, scene.dataset, scene.category) == (f"apple/{NAMES[0]}", "co3d", "apple")
    assert scene.metric is False
    assert len(scene.views) == len(shots)
    for view, shot in zip(scene.views, shots, strict=True):
        camera = view.camera
        assert (camera.width, camera.height) == (WIDTH, HEIGHT)
        found = [camera.fx, camera.fy, camera.cx, camera.cy]
        np.testing.assert_allclose(found, shot.intrinsics)
        expected = shot.world_from_camera.copy()
        expected[:3, 3] /= RADIUS_M
        np.testing.assert_allclose(camera.world_from_camera, expected, atol=1e-9)


def test_a_viewpoint_that_does_not_say_is_in_units_of_each_side(root: Path):
    view = first(root).views[2]
    change(root, "viewpoint.intrinsics_format", None)
    other = first(root).views[2]
    assert other.camera.fx == pytest.approx(view.camera.fx * WIDTH / HEIGHT)
    assert other.camera.fy == pytest.approx(view.camera.fy)


def test_a_point_projects_as_the_definition_of_the_release_says(written: Path):
    """Independent of the reader: x_ndc = f x / z + p, left and up positive, half a short side."""
    frames = json.loads(gzip.decompress((written / "apple/frame_annotations.jgz").read_bytes()))
    point_m = np.array([2.1, -0.9, 0.6])
    for view, frame in zip(first(written).views, frames, strict=False):
        told = frame["viewpoint"]
        x, y, z = point_m * SCALE @ np.array(told["R"]) + told["T"]
        ndc = np.array(told["focal_length"]) * (x / z, y / z) + told["principal_point"]
        expected = np.array([WIDTH, HEIGHT]) / 2 - ndc * HEIGHT / 2
        uv_px, depth_m = project(view.camera, point_m[None] / RADIUS_M)
        np.testing.assert_allclose(uv_px[0], expected)
        assert depth_m[0] == pytest.approx(z / SCALE / RADIUS_M)


def test_pixels_and_depth_are_read_with_the_mask(root: Path):
    view = first(root).views[3]
    assert (view.name, view.frame_index, view.time_s) == ("images/frame000004.jpg", 3, 0.3)
    assert abs(int(view.read_image()[12, 20, 0]) - 90) < 3
    assert view.read_depth is not None
    depth = view.read_depth()
    assert depth.dtype == np.float32
    assert (depth[:8] == 0).all()
    np.testing.assert_allclose(depth[8:], (RADIUS_M + 3 / 64) / RADIUS_M, rtol=1e-3)
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[20:] = 0
    path = root / "apple" / NAMES[0] / "depth_masks" / "frame000004.png"
    cv2.imwrite(str(path), mask, [cv2.IMWRITE_PNG_BILEVEL, 1])
    assert (view.read_depth()[20:] == 0).all()


def test_depth_that_is_no_number_is_unknown(root: Path):
    path = root / "apple" / NAMES[0] / "depths" / "frame000001.jpg.geometric.png"
    bits = np.full((HEIGHT, WIDTH), 0x3C00, np.uint16)  # 1.0
    bits[10, :4] = 0x7C00, 0x7E01, 0x7D01, 0xBC00  # infinite, two that are no number, -1.0
    cv2.imwrite(str(path), bits)
    view = first(root).views[0]
    assert view.read_depth is not None
    assert view.read_depth()[10, :5].tolist()[:4] == [0.0] * 4
    assert view.read_depth()[10, 4] > 0


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_sequence_in_zips_is_the_same_as_on_disk(root: Path, method: int):
    before = first(root)
    refs = index(root)
    told = {name: path for name, path in key_files(root, refs)}
    pack(root, method)
    assert sorted(path.name for path in root.iterdir()) == ["apple_000.zip", "apple_001.zip"]
    assert index(root) == refs
    after = first(root)
    for one, other in zip(before.views, after.views, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.camera.world_from_camera, other.camera.world_from_camera)
    expected = index(root)[0]
    assert load(expected).views[1].read_image().shape == (HEIGHT, WIDTH, 3)
    depth = after.views[1].read_depth
    assert depth is not None
    assert depth().max() > 0
    packed = dict(key_files(root, refs))
    assert sorted(packed) == sorted(told)
    assert set(packed.values()) == {root / "apple_000.zip"}


def test_frames_that_the_release_blackens_are_left_out(root: Path):
    lists = root / "apple" / "set_lists"
    hidden = [[NAMES[0], 1, "apple/.../frame000002.jpg"], [NAMES[1], 0, "..."]]
    content = {"train": [[NAMES[0], 3, ""]], "val": [], "test": hidden}
    (lists / "set_lists_manyview_test_0.json").write_text(json.dumps(content))
    assert [view.frame_index for view in first(root).views] == [0, 2, 3, 4, 5]
    (lists / "set_lists_fewview_test.json").write_text("{}")
    assert refuse(root) == "bad_metadata"


def test_frames_without_camera_or_depth_are_left_out(root: Path):
    change(root, "depth", None, frame=1)
    change(root, "viewpoint", None, frame=4)
    assert [view.frame_index for view in first(root).views] == [0, 2, 3, 5]
    change(root, "depth", None, frame=None)
    assert refuse(root) == "missing_poses"


def test_frames_come_in_order_of_their_numbers(root: Path):
    path = root / "apple" / "frame_annotations.jgz"
    frames = json.loads(gzip.decompress(path.read_bytes()))
    write_jgz(path, frames[::-1])
    assert [view.frame_index for view in first(root).views] == list(range(6))


def test_annotations_written_with_other_spaces_and_order_are_read_too(root: Path):
    before = first(root).views
    path = root / "apple" / "frame_annotations.jgz"
    frames = json.loads(gzip.decompress(path.read_bytes()))
    for text in (
        json.dumps(frames, indent=1),
        json.dumps(frames, sort_keys=True),
        json.dumps(frames, separators=(",", ":")),
    ):
        path.write_bytes(gzip.compress(text.encode()))
        after = first(root).views
        assert [view.name for view in after] == [view.name for view in before]
    write_jgz(path, [])
    assert refuse(root) == "missing_poses"


def test_the_unit_does_not_depend_on_which_frames_are_shown(root: Path):
    before = first(root).views[5].camera.center
    change(root, "depth", None, frame=1)
    np.testing.assert_array_equal(first(root).views[4].camera.center, before)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("viewpoint.R", [[1, 0, 0], [0, 2, 0], [0, 0, 1]], "bad_pose"),
        ("viewpoint.R", [[1, 0], [0, 1]], "bad_metadata"),
        ("viewpoint.T", [0.0, 0.0, float("nan")], "bad_pose"),
        ("viewpoint.focal_length", [0.0, 1.0], "bad_intrinsics"),
        ("viewpoint.focal_length", [1.0, 1.0, 1.0], "bad_metadata"),
        ("viewpoint.principal_point", [float("nan"), 0.0], "bad_intrinsics"),
        ("viewpoint.intrinsics_format", "pixels", "bad_metadata"),
        ("image.size", [24], "bad_metadata"),
        ("depth.scale_adjustment", None, "bad_metadata"),
        ("image.path", "apple/x/images/lost.jpg", "missing_image"),
        ("depth.path", "apple/x/depths/lost.png", "missing_depth"),
        ("depth.mask_path", "apple/x/depth_masks/lost.png", "missing_depth"),
    ],
)
def test_a_frame_that_says_nonsense_refuses_the_sequence(
    root: Path, place: str, value: Any, reason: str
):
    change(root, place, value)
    assert refuse(root) == reason


def test_cameras_in_one_place_are_refused(root: Path):
    frames = json.loads(gzip.decompress((root / "apple/frame_annotations.jgz").read_bytes()))
    change(root, "viewpoint.R", frames[0]["viewpoint"]["R"], frame=None)
    change(root, "viewpoint.T", [0.0, 0.0, 1.0], frame=None)
    assert refuse(root) == "bad_pose"


def test_a_mask_that_is_absent_hides_nothing(root: Path):
    change(root, "depth.mask_path", None)
    view = first(root).views[2]
    assert view.read_depth is not None
    assert (view.read_depth()[8:] > 0).all()


def test_missing_or_damaged_annotations_are_told(root: Path):
    path = root / "apple" / "frame_annotations.jgz"
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    assert refuse(root) == "bad_metadata"
    path.write_bytes(b"not gzipped")
    assert refuse(root) == "bad_metadata"
    write_jgz(path, [{"frame_number": 1}])
    assert refuse(root) == "bad_metadata"
    path.unlink()
    assert refuse(root) == "missing_metadata"
    (root / "apple" / "sequence_annotations.jgz").write_bytes(b"not gzipped")
    with pytest.raises(UserError, match=r"sequence_annotations\.jgz.*download it again"):
        index(root)

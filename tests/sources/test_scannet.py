import numpy as np
import pytest
from write_scannet import DEPTH_FOCAL, DEPTH_SIZE, Frame, frames, write_exported, write_sens

from xvr.capture.check import check_record
from xvr.errors import Unusable, UserError
from xvr.geometry.camera import project
from xvr.sources import Source, fingerprint, index, load
from xvr.tasks.rules import Rules


def source(path):
    return Source(format="scannet", path=path)


@pytest.fixture(params=["exported", "sens"])
def scans(request, tmp_path):
    """Two scans of one place and one of another."""
    for name in ("scene0000_00", "scene0000_01", "scene0007_00"):
        if request.param == "exported":
            write_exported(tmp_path / name, frames(4))
        else:
            write_sens(tmp_path / name / f"{name}.sens", frames(4))
    return tmp_path


def test_scans_of_one_place_are_one_group(scans):
    refs = index(source(scans))
    assert [ref.id for ref in refs] == ["scene0000_00", "scene0000_01", "scene0007_00"]
    assert [ref.group for ref in refs] == ["scene0000", "scene0000", "scene0007"]


def test_a_path_may_be_one_scan(scans):
    (ref,) = index(source(scans / "scene0007_00"))
    assert ref.id == "scene0007_00"
    assert len(load(ref).views) == 3


def test_lost_frames_are_left_out(scans):
    views = load(index(source(scans))[0]).views
    assert [view.frame_index for view in views] == [0, 2, 3]
    np.testing.assert_allclose(views[1].camera.center, (0.2, 0, 0), atol=1e-6)


def test_views_are_those_of_the_depth_camera(scans):
    view = load(index(source(scans))[0]).views[0]
    assert (view.camera.width, view.camera.height) == DEPTH_SIZE
    assert view.camera.fx == pytest.approx(DEPTH_FOCAL)
    assert (view.camera.cx, view.camera.cy) == (19.5, 15.5)
    depth, image = view.read_depth(), view.read_image()
    assert depth.shape == image.shape[:2] == DEPTH_SIZE[::-1]
    assert depth[0, 0] == 0
    assert depth[5, 5] == pytest.approx(1.5)


def test_colour_is_resampled_to_where_the_depth_camera_sees_it(scans):
    image = load(index(source(scans))[0]).views[0].read_image()
    red = image[..., 0] > 140
    rows, columns = np.nonzero(red)
    # colour pixels 20 to 39 of 81x61 are depth pixels 9.75 to 19.0 of 40x30, and 9.67 to 18.85
    assert (columns.min(), columns.max()) in {(10, 18), (10, 19), (9, 18), (9, 19)}
    assert columns.mean() == pytest.approx(14.4, abs=0.3)
    assert rows.mean() == pytest.approx(14.3, abs=0.3)


def test_both_forms_of_a_scan_give_the_same_views(tmp_path):
    write_exported(tmp_path / "a/scene0000_00", frames(4))
    write_sens(tmp_path / "b/scene0000_00/scene0000_00.sens", frames(4))
    one, other = (load(index(source(tmp_path / name))[0]) for name in "ab")
    for view, packed in zip(one.views, other.views, strict=True):
        np.testing.assert_array_equal(view.read_image(), packed.read_image())
        np.testing.assert_allclose(view.read_depth(), packed.read_depth(), rtol=1e-6)
        np.testing.assert_allclose(
            view.camera.world_from_camera, packed.camera.world_from_camera, atol=1e-5
        )
    assert [view.time_s for view in other.views] == pytest.approx([0.033, 0.099, 0.132])


def test_a_scan_of_a_wall_is_consistent(scans):
    scene = load(index(source(scans))[0])
    uv_px, _ = project(scene.views[0].camera, np.array([[0.0, 0.0, 1.5]]))
    np.testing.assert_allclose(uv_px, [[19.5, 15.5]])
    assert check_record(scene, Rules()).verdict.kind == "consistent"


def test_the_fingerprint_does_not_depend_on_the_place(tmp_path):
    prints = set()
    for name in "ab":
        write_sens(tmp_path / name / "scene0000_00/scene0000_00.sens", frames(2))
        prints.add(fingerprint(index(source(tmp_path / name)), source(tmp_path / name)))
    assert len(prints) == 1


def test_an_empty_folder_is_no_scan(tmp_path):
    with pytest.raises(UserError, match="holds no ScanNet scan"):
        index(source(tmp_path))


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("pose/2.txt", "1 0 0\n", "bad_pose"),
        ("pose/2.txt", "2 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "bad_pose"),
        ("intrinsic/intrinsic_depth.txt", "0 0 0 0\n" * 4, "bad_intrinsics"),
        ("intrinsic/intrinsic_color.txt", None, "bad_intrinsics"),
        ("color/3.jpg", None, "missing_image"),
        ("depth/3.png", None, "missing_depth"),
        ("depth/0.png", None, "missing_depth"),
    ],
)
def test_what_is_missing_or_damaged_is_told(file, content, reason, tmp_path):
    write_exported(tmp_path / "scene0000_00", frames(4))
    (ref,) = index(source(tmp_path))
    path = tmp_path / "scene0000_00" / file
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(Unusable) as caught:
        load(ref)
    assert caught.value.reason == reason


def test_a_scan_without_poses_is_refused(tmp_path):
    write_exported(tmp_path / "scene0000_00", [])
    with pytest.raises(Unusable, match="bad_pose"):
        load(index(source(tmp_path))[0])


@pytest.mark.parametrize(
    ("options", "cut", "reason"),
    [
        ({"version": 3}, None, "bad_sens"),
        ({"depth_type": 2}, None, "unknown_compression"),
        ({}, 2, "truncated_sens"),
        ({}, 100, "truncated_sens"),
        ({}, -10, "truncated_sens"),
    ],
)
def test_a_packed_scan_that_cannot_be_read_is_refused(options, cut, reason, tmp_path):
    path = tmp_path / "scene0000_00.sens"
    write_sens(path, frames(4), **options)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Unusable) as caught:
        load(index(source(tmp_path))[0])
    assert caught.value.reason == reason


def test_a_packed_depth_map_that_is_damaged_is_refused(tmp_path):
    path = tmp_path / "scene0000_00.sens"
    write_sens(path, frames(1))
    path.write_bytes(path.read_bytes()[:-8] + b"12345678")
    view = load(index(source(tmp_path))[0]).views[0]
    with pytest.raises(Unusable, match="unreadable_depth"):
        view.read_depth()


def test_a_packed_image_of_another_size_is_refused(tmp_path):
    first = frames(1)[0]
    path = tmp_path / "scene0000_00.sens"
    write_sens(path, [Frame(first.pose, first.bgr[:-2], first.depth_mm)])
    view = load(index(source(tmp_path))[0]).views[0]
    with pytest.raises(Unusable, match="wrong_image_size"):
        view.read_image()

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from write_colmap import SIZE, Picture, Point, write_binary, write_pictures, write_text

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import project
from xvr.sources.colmap import index, key_files, load
from xvr.sources.colmap_tracks import MAX_POINTS
from xvr.sources.records import Scene

CAMERAS = {1: ("PINHOLE", (50.0, 51.0, 32.0, 24.0)), 7: ("SIMPLE_RADIAL", (50.0, 32.0, 24.0, 0.1))}
WRITERS = [write_text, write_binary]


def pictures() -> list[Picture]:
    """Three cameras, not in the order of their names, that look at the origin's neighbourhood."""
    found = []
    for number, (name, camera) in enumerate([("b/second view.jpg", 1), ("c.jpg", 7), ("a.jpg", 1)]):
        turn = Rotation.from_euler("y", 0.2 * number - 0.2)
        w_last = turn.as_quat()
        points = [(3.0, 4.0, 5), (1.5, 2.5, -1)] if number else []  # an empty line in the text
        found.append(
            Picture(
                11 + number,
                name,
                camera,
                [w_last[3], *w_last[:3]],
                [0.1 * number, 0.0, 3.0],
                points,
            )
        )
    return found


POINTS = [
    Point(5, (0.1, 0.2, 0.3), 0.4, [(12, 0), (13, 0)]),
    Point(6, (0.4, 0.0, 0.1), 1.9, [(11, 0), (12, 0), (13, 1), (13, 2)]),
    Point(8, (0.4, 0.0, 0.1), 2.5, [(11, 0), (12, 0), (13, 1)]),
    Point(9, (0.4, 0.0, 0.1), -1.0, [(11, 0), (12, 0), (13, 1)]),
    Point(10, (0.4, 0.0, 0.1), 0.1, [(11, 0), (11, 1)]),
    Point(12, (float("nan"), 0.0, 0.1), 0.1, [(11, 0), (12, 1)]),
]


@pytest.fixture(params=WRITERS, ids=["text", "binary"])
def writer(request: pytest.FixtureRequest) -> Callable[..., None]:
    return request.param


@pytest.fixture
def scene(writer: Callable[..., None], tmp_path: Path) -> Path:
    folder = tmp_path / "fox"
    writer(folder / "sparse" / "0", CAMERAS, pictures(), POINTS)
    write_pictures(folder / "images", [picture.name for picture in pictures()])
    return folder


def only(path: Path) -> Scene:
    (ref,) = index(path)
    return load(ref)


def reason(path: Path) -> str:
    with pytest.raises(Unusable) as caught:
        only(path)
    assert str(path.name) in caught.value.detail
    return caught.value.reason


def test_views_are_sorted_by_name_and_carry_inverted_poses(scene: Path):
    loaded = only(scene)
    assert loaded.metric is False
    assert [view.name for view in loaded.views] == ["a.jpg", "b/second view.jpg", "c.jpg"]
    assert [view.frame_index for view in loaded.views] == [0, 1, 2]
    by_name = {picture.name: picture for picture in pictures()}
    for view in loaded.views:
        w, x, y, z = by_name[view.name].quaternion_wxyz
        rotation = Rotation.from_quat([x, y, z, w]).as_matrix()
        expected = -rotation.T @ by_name[view.name].translation
        np.testing.assert_allclose(view.camera.center, expected, atol=1e-12)
        np.testing.assert_allclose(view.camera.camera_from_world[:3, :3], rotation, atol=1e-12)
        assert view.read_depth is None


def test_cameras_follow_their_model(scene: Path):
    a, b, c = (view.camera for view in only(scene).views)
    assert (a.fx, a.fy, a.cx, a.cy, a.model) == (50.0, 51.0, 32.0, 24.0, "pinhole")
    assert (b.width, b.height) == SIZE
    assert (c.fx, c.fy, c.model, c.distortion) == (50.0, 50.0, "brown", (0.1,))


def test_images_are_those_of_the_names(scene: Path):
    for number, view in enumerate(only(scene).views):
        image = view.read_image()
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert abs(float(image[..., 0].mean()) - 40 * number) < 3


def test_tracks_keep_sane_points_with_the_views_that_see_them(scene: Path):
    tracks = only(scene).tracks
    assert tracks is not None
    np.testing.assert_allclose(tracks.points_world, [POINTS[1].position, POINTS[0].position])
    # Views in order are images 13, 11, 12.
    assert tracks.seen.tolist() == [[True, True, True], [True, False, True]]
    assert MAX_POINTS > 1000


@pytest.mark.parametrize(
    ("model", "params", "expected"),
    [
        ("SIMPLE_PINHOLE", (50, 32, 24), (50, 50, "pinhole", ())),
        ("RADIAL", (50, 32, 24, 0.1, 0.2), (50, 50, "brown", (0.1, 0.2))),
        ("OPENCV", (50, 51, 32, 24, 1, 2, 3, 4), (50, 51, "brown", (1, 2, 3, 4))),
        ("OPENCV", (50, 51, 32, 24, 0, 0, 0, 0), (50, 51, "pinhole", ())),
        ("OPENCV_FISHEYE", (50, 51, 32, 24, 1, 2, 3, 4), (50, 51, "fisheye", (1, 2, 3, 4))),
        (
            "FULL_OPENCV",
            (50, 51, 32, 24, 1, 2, 3, 4, 5, 0, 0, 0),
            (50, 51, "brown", (1, 2, 3, 4, 5)),
        ),
        ("SIMPLE_RADIAL_FISHEYE", (50, 32, 24, 0.1), (50, 50, "fisheye", (0.1,))),
        ("RADIAL_FISHEYE", (50, 32, 24, 0.1, 0.2), (50, 50, "fisheye", (0.1, 0.2))),
    ],
)
def test_every_readable_model_is_read(
    scene: Path,
    writer: Callable[..., None],
    model: str,
    params: Sequence[float],
    expected: tuple[float, float, str, tuple[float, ...]],
):
    writer(scene / "sparse" / "0", {1: (model, params)}, pictures()[:1], [])
    camera = only(scene).views[0].camera
    assert (camera.fx, camera.fy, camera.model, camera.distortion) == expected
    assert (camera.cx, camera.cy) == (32, 24)


@pytest.mark.parametrize(
    ("model", "params"),
    [("FOV", (50, 51, 32, 24, 0.9)), ("FULL_OPENCV", (50, 51, 32, 24, 1, 2, 3, 4, 5, 6, 0, 0))],
)
def test_other_models_are_refused(
    scene: Path, writer: Callable[..., None], model: str, params: Sequence[float]
):
    writer(scene / "sparse" / "0", {1: (model, params)}, pictures()[:1], [])
    assert reason(scene) == "unknown_camera_model"


def test_simple_radial_agrees_with_the_formula(scene: Path):
    camera = only(scene).views[2].camera
    point = camera.center + camera.forward * 2 + camera.world_from_camera[:3, 0] * 0.5
    uv_px, _ = project(camera, point[None])
    x = 0.25
    np.testing.assert_allclose(uv_px, [[50 * x * (1 + 0.1 * x * x) + 32, 24]], atol=1e-9)


@pytest.mark.parametrize("place", [".", "sparse", "sparse/0", "sparse/1"])
def test_models_are_found_in_the_usual_places(
    tmp_path: Path, writer: Callable[..., None], place: str
):
    writer(tmp_path / "s" / place, CAMERAS, pictures()[:1], [])
    write_pictures(tmp_path / "s" / "images", ["b/second view.jpg"])
    for path, name in ((tmp_path, "s"), (tmp_path / "s", "s"), (tmp_path / "s" / place, None)):
        (ref,) = index(path)
        if name:
            assert ref.id == (f"s/{place}" if place != "." else "s")
            assert ref.group == "s"
        assert len(load(ref).views) == 1
        assert {Path(key).stem for key, _ in key_files(path, [ref])} == {
            "cameras",
            "images",
            "points3D",
        }


def test_models_of_one_place_share_a_group(tmp_path: Path, writer: Callable[..., None]):
    for number in (0, 1):
        writer(tmp_path / "s" / "sparse" / str(number), CAMERAS, pictures()[:1], [])
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == ["s/sparse/0", "s/sparse/1"]
    assert {ref.group for ref in refs} == {"s"}


def test_a_model_without_points_has_no_tracks(scene: Path):
    next((scene / "sparse" / "0").glob("points3D.*")).unlink()
    assert only(scene).tracks is None


def test_a_path_without_models_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no COLMAP model"):
        index(tmp_path)


def test_a_model_that_disappeared_is_refused(scene: Path):
    (ref,) = index(scene.parent)
    next((scene / "sparse" / "0").glob("images.*")).unlink()
    with pytest.raises(Unusable, match="missing_model"):
        load(ref)


def test_a_missing_picture_is_refused(scene: Path):
    (scene / "images" / "c.jpg").unlink()
    assert reason(scene) == "missing_image"
    for file in (scene / "images").rglob("*.jpg"):
        file.unlink()
    (scene / "images" / "b").rmdir()
    (scene / "images").rmdir()
    assert reason(scene) == "missing_image"


def test_a_zero_quaternion_is_refused(scene: Path, writer: Callable[..., None]):
    broken = pictures()[0]._replace(quaternion_wxyz=[0, 0, 0, 0])
    writer(scene / "sparse" / "0", CAMERAS, [broken], [])
    assert reason(scene) == "bad_pose"


def test_an_unknown_camera_number_is_refused(scene: Path, writer: Callable[..., None]):
    writer(scene / "sparse" / "0", CAMERAS, [pictures()[0]._replace(camera_id=99)], [])
    assert reason(scene) == "bad_model"


def test_a_negative_focal_length_is_refused(scene: Path, writer: Callable[..., None]):
    writer(scene / "sparse" / "0", {1: ("SIMPLE_PINHOLE", (-5, 1, 1))}, pictures()[:1], [])
    assert reason(scene) == "bad_intrinsics"


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_truncated_binary_files_are_refused_at_every_length(tmp_path: Path, name: str):
    folder = tmp_path / "fox"
    write_binary(folder / "sparse" / "0", CAMERAS, pictures(), POINTS)
    write_pictures(folder / "images", [picture.name for picture in pictures()])
    file = folder / "sparse" / "0" / f"{name}.bin"
    content = file.read_bytes()
    for length in range(0, len(content), 13):
        file.write_bytes(content[:length])
        assert reason(folder) in ("truncated_model", "bad_model")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cameras", "1 PINHOLE 64 48 50 51 32"),
        ("cameras", "1 PINHOLE 64 high 50 51 32 24"),
        ("images", "1 1 0 0 0 0 0 0 one a.jpg\n\n"),
        ("images", "1 1 0 0"),
        ("points3D", "1 0 0 0 1 2"),
    ],
)
def test_damaged_text_files_are_refused(tmp_path: Path, name: str, content: str):
    folder = tmp_path / "fox"
    write_text(folder / "sparse", CAMERAS, pictures(), POINTS)
    write_pictures(folder / "images", [picture.name for picture in pictures()])
    (folder / "sparse" / f"{name}.txt").write_text(content)
    assert reason(folder) == "bad_model"


def test_sightings_are_where_each_view_saw_its_points(scene: Path):
    tracks = only(scene).tracks
    assert tracks is not None
    assert tracks.read_sightings is not None
    (point,) = np.flatnonzero(np.isclose(tracks.points_world[:, 2], 0.3))
    seen = tracks.read_sightings()
    # views in the order of names: a.jpg and c.jpg see point 5, b has no 2D point
    assert [sightings.rows.tolist() for sightings in seen] == [[point], [], [point]]
    np.testing.assert_array_equal(seen[0].uv_px, [[3.0, 4.0]])
    assert seen[1].uv_px.shape == (0, 2)

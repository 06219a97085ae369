import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from write_droid import (
    LEFT,
    RIGHT,
    ROWS,
    SERIALS,
    SIZE,
    code,
    effector,
    episode_id,
    write_episode,
    write_release,
    write_rows,
)
from write_video import WIDTH, code_of

from xvr.errors import Unusable, UserError
from xvr.sources.droid import index, key_files, load
from xvr.sources.poses import poses_from_euler
from xvr.sources.records import Episode

TIME, OTHER = "Fri_Jul__7_09:42:23_2023", "Fri_Jul__7_10:01:05_2023"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One episode that a test may damage."""
    write_episode(tmp_path / "droid")
    return tmp_path / "droid"


def folder_of(root: Path) -> Path:
    return next(root.glob("*/*/*/*"))


def only(root: Path) -> Episode:
    (ref,) = index(root)
    return load(ref)


def reason(root: Path) -> str:
    with pytest.raises(Unusable) as caught:
        only(root)
    return caught.value.reason


def test_an_episode_is_its_rows_and_videos_by_number(root: Path):
    episode = only(root)
    assert episode.id == f"AUTOLab/success/2023-07-07/{TIME}"
    assert episode.dataset == "droid"
    assert episode.fps == 15
    assert episode.length == ROWS - 1
    assert episode.instruction == "Move an object to another place"
    np.testing.assert_allclose(episode.effector_positions, effector(ROWS)[:-1, :3])
    for name, camera in zip(SERIALS, episode.cameras, strict=True):
        assert camera.key == f"{SERIALS[name]}_left"
        images = camera.read_frames([0, 4, 5, 10])
        assert [code_of(image[:, :WIDTH]) for image in images] == [
            code(name, frame) for frame in (0, 4, 5, 10)
        ]
        assert images[0].shape == (SIZE[1], SIZE[0], 3)


def test_without_the_release_nothing_is_measured(root: Path):
    episode = only(root)
    assert [camera.role for camera in episode.cameras] == ["ego", "fix_side", "fix_side_1"]
    assert all(camera.calibration is None for camera in episode.cameras)


def test_of_a_stereo_video_the_left_eye_is_shown(tmp_path: Path):
    write_episode(tmp_path, stereo=True)
    write_release(tmp_path, [TIME], {"ext1": LEFT})
    camera = only(tmp_path).cameras[1]
    (image,) = camera.read_frames([3])
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert image.flags.c_contiguous
    assert code_of(image[:, :WIDTH]) == code("ext1", 3)
    assert camera.calibration is not None
    assert camera.calibration(0).width == SIZE[0]


@pytest.mark.parametrize("place", [".", "..", "calibration", "../calibration"])
def test_the_release_is_found_beside_the_data(root: Path, place: str):
    write_release(root / place, [TIME], {"ext1": LEFT})
    assert only(root).instruction == "Put the cup on the plate"


def test_the_release_calibrates_the_cameras(root: Path):
    moved = tuple(np.add(LEFT, (0.01, 0.02, 0, 0, 0, 0.1)))
    write_release(root, [TIME], {"ext1": moved}, {"ext1": RIGHT, "ext2": RIGHT})
    wrist, ext1, ext2 = only(root).cameras
    assert [camera.role for camera in (wrist, ext1, ext2)] == ["ego", "fix_left", "fix_right"]
    assert wrist.calibration is not None
    assert ext1.calibration is not None
    assert ext2.calibration is not None
    camera = ext1.calibration(3)
    assert (camera.width, camera.height) == SIZE
    np.testing.assert_allclose(
        (camera.fx, camera.fy, camera.cx, camera.cy), np.array((530, 531, 637, 358)) / 8
    )
    expected = poses_from_euler(np.array([moved, RIGHT]))
    np.testing.assert_allclose(camera.world_from_camera, expected[0])
    np.testing.assert_allclose(ext2.calibration(0).world_from_camera, expected[1])
    shift = wrist.calibration(5).center - wrist.calibration(0).center
    np.testing.assert_allclose(shift, effector(ROWS)[5, :3] - effector(ROWS)[0, :3])


def test_a_camera_the_release_lacks_has_the_pose_of_the_metadata_and_no_side(root: Path):
    write_release(root, [TIME], {"ext2": RIGHT})
    _, ext1, ext2 = only(root).cameras
    assert (ext1.role, ext2.role) == ("fix_side", "fix_right")
    assert ext1.calibration is not None
    expected = poses_from_euler(np.array([LEFT]))[0]
    np.testing.assert_allclose(ext1.calibration(0).world_from_camera, expected)


def test_two_cameras_on_one_side_have_roles_of_their_own(root: Path):
    write_release(root, [TIME], {"ext1": LEFT, "ext2": LEFT})
    assert [camera.role for camera in only(root).cameras[1:]] == ["fix_left", "fix_left_1"]


def test_a_camera_near_the_middle_has_no_side(root: Path):
    write_release(root, [TIME], {"ext1": (1.0, 0.1, 0.4, 0, 0, 0), "ext2": RIGHT})
    assert [camera.role for camera in only(root).cameras[1:]] == ["fix_side", "fix_right"]


def test_intrinsics_may_be_a_camera_matrix_or_stand_in_the_rows(tmp_path: Path):
    write_episode(tmp_path / "a")
    matrix = {"cameraMatrix": [530.0, 637.0, 531.0, 358.0], "distCoeffs": []}
    write_release(tmp_path / "a", [TIME], {}, intrinsics=matrix)
    write_episode(tmp_path / "b", intrinsics_in_rows=True)
    for name in ("a", "b"):
        calibration = only(tmp_path / name).cameras[1].calibration
        assert calibration is not None
        np.testing.assert_allclose((calibration(0).fx, calibration(0).cy), (530 / 8, 358 / 8))


def test_zeros_stand_for_a_missing_pose(tmp_path: Path):
    write_episode(tmp_path, extrinsics={"ext1": [0.0] * 6}, intrinsics_in_rows=True)
    wrist, ext1, ext2 = only(tmp_path).cameras
    assert ext1.calibration is None
    assert wrist.calibration is not None
    assert ext2.calibration is not None


def test_failures_are_left_out_unless_they_are_named(tmp_path: Path):
    write_episode(tmp_path, TIME)
    write_episode(tmp_path, OTHER, outcome="failure")
    assert [ref.id for ref in index(tmp_path)] == [f"AUTOLab/success/2023-07-07/{TIME}"]
    (ref,) = index(tmp_path / "AUTOLab" / "failure")
    assert ref.id == f"2023-07-07/{OTHER}"
    assert load(ref).length == ROWS - 1


def test_a_path_may_be_one_episode(root: Path):
    (ref,) = index(folder_of(root))
    assert ref.id == TIME
    assert load(ref).length == ROWS - 1


def test_a_rig_is_the_same_until_a_tripod_moves(tmp_path: Path):
    write_episode(tmp_path, TIME)
    write_episode(tmp_path, OTHER)
    moved = "Fri_Jul__7_11:00:00_2023"
    write_episode(tmp_path, moved, extrinsics={"ext1": np.add(LEFT, 0.01).tolist()})
    elsewhere = "Fri_Jul__7_12:00:00_2023"
    write_episode(tmp_path, elsewhere, change=lambda m: m.update(scene_id=7))
    rigs = {ref.id.split("/")[-1]: ref.rig for ref in index(tmp_path)}
    groups = {ref.id.split("/")[-1]: ref.group for ref in index(tmp_path)}
    assert rigs[TIME] == rigs[OTHER]
    assert len(set(rigs.values())) == 3
    assert groups[TIME] == groups[OTHER] == groups[moved] != groups[elsewhere]


def test_key_files_are_the_rows_the_metadata_and_the_release(root: Path):
    write_release(root, [TIME], {})
    names = [name for name, path in key_files(root, index(root)) if path.is_file()]
    assert len(names) == 6
    assert "intrinsics.json" in names
    assert f"AUTOLab/success/2023-07-07/{TIME}/trajectory.h5" in names


def test_a_path_without_episodes_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no raw DROID episode"):
        index(tmp_path)


def test_a_missing_h5py_names_its_extra(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r'pip install "xvr\[hdf5\]"'):
        index(root)


def damaged_rows(folder: Path, rows: int = ROWS, **places: Any) -> None:
    (folder / "trajectory.h5").unlink()
    given = {"wrist": LEFT, "ext1": LEFT, "ext2": RIGHT} | places
    write_rows(folder / "trajectory.h5", rows, given)


def metadata_of(folder: Path) -> Path:
    return folder / f"metadata_{episode_id(TIME)}.json"


def cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def without_cartesian(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "trajectory.h5", "a") as file:
        del file["observation/robot_state/cartesian_position"]


def with_effector(folder: Path, values: Any) -> None:
    import h5py

    without_cartesian(folder)
    with h5py.File(folder / "trajectory.h5", "a") as file:
        file["observation/robot_state/cartesian_position"] = values


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda f: (f / "trajectory.h5").unlink(), "missing_hdf5"),
        (lambda f: cut(f / "trajectory.h5"), "unreadable_hdf5"),
        (lambda f: (f / "trajectory.h5").write_bytes(b""), "unreadable_hdf5"),
        (without_cartesian, "missing_column"),
        (lambda f: with_effector(f, ["a"] * ROWS), "bad_column"),
        (lambda f: with_effector(f, np.full((ROWS, 6), np.nan)), "bad_effector_position"),
        (lambda f: with_effector(f, np.zeros(ROWS)), "bad_effector_position"),
        (lambda f: with_effector(f, np.zeros((0, 6))), "zero_length"),
        (lambda f: damaged_rows(f, rows=ROWS + 20), "length_mismatch"),
        (lambda f: cut(metadata_of(f)), "bad_metadata"),
        (lambda f: metadata_of(f).write_text("[]"), "bad_metadata"),
        (lambda f: metadata_of(f).write_text("{}"), "bad_metadata"),
        (lambda f: (f / "recordings/MP4/22008760.mp4").unlink(), "missing_video"),
        (lambda f: cut(f / "recordings/MP4/22008760.mp4"), "unreadable_video"),
    ],
)
def test_damage_is_refused(root: Path, damage: Callable[[Path], Any], expected: str):
    damage(folder_of(root))
    assert reason(root) == expected


def test_an_episode_that_disappeared_is_refused(root: Path):
    (ref,) = index(root)
    metadata_of(folder_of(root)).unlink()
    with pytest.raises(Unusable, match="missing_metadata"):
        load(ref)


@pytest.mark.parametrize(
    ("intrinsics", "expected"),
    [
        ((-530.0, 637.0, 531.0, 358.0), "bad_intrinsics"),
        ((530.0, 2000.0, 531.0, 358.0), "bad_intrinsics"),
        ((530.0, 637.0, np.nan, 358.0), "bad_intrinsics"),
        ((530.0, 637.0, 531.0), "bad_metadata"),
        (("a", 637.0, 531.0, 3.0), "bad_metadata"),
    ],
)
def test_impossible_intrinsics_are_refused(root: Path, intrinsics: Any, expected: str):
    write_release(root, [TIME], {}, intrinsics=intrinsics)
    assert reason(root) == expected


@pytest.mark.parametrize(
    ("pose", "expected"), [([np.nan] * 6, "bad_pose"), ([1.0] * 5, "bad_metadata")]
)
def test_a_pose_that_is_none_is_refused(root: Path, pose: list[float], expected: str):
    write_release(root, [TIME], {"ext1": pose})
    assert reason(root) == expected


def test_a_release_that_ends_inside_an_entry_is_refused(root: Path):
    write_release(root, [TIME], {"ext1": LEFT})
    path = root / "intrinsics.json"
    text = path.read_text()
    path.write_text(text[: text.index('"18026681": [') + 15])
    assert reason(root) == "bad_metadata"


@pytest.mark.parametrize("text", ["", "version https://git-lfs.github.com/spec/v1\n", "[1, 2]"])
def test_a_release_without_episodes_is_a_user_error(root: Path, text: str):
    (root / "intrinsics.json").write_text(text)
    with pytest.raises(UserError, match=r"intrinsics.json holds no episode"):
        index(root)


def test_a_release_of_other_episodes_says_nothing(root: Path):
    write_release(root, [OTHER], {"ext1": LEFT})
    episode = only(root)
    assert all(camera.calibration is None for camera in episode.cameras)
    assert episode.instruction == "Move an object to another place"

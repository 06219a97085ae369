import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from write_lerobot import CAMERAS, write_dataset
from write_video import HEIGHT, WIDTH

from xvr.errors import Unusable
from xvr.sources.lerobot import index, load
from xvr.sources.poses import poses_from_euler
from xvr.sources.records import Episode

LENGTHS = (4, 5)
FRAMES = sum(LENGTHS)
RNG_SEED = 3


def entry(values: np.ndarray, names: Any = None) -> tuple[dict[str, Any], np.ndarray]:
    return {"dtype": str(values.dtype), "shape": list(values.shape[1:]), "names": names}, values


def episodes(
    root: Path, version: str = "v2.1", **columns: tuple[dict[str, Any], np.ndarray]
) -> list[Episode]:
    named = {name.replace("__", "."): value for name, value in columns.items()}
    write_dataset(root / "d", version, lengths=LENGTHS, columns=named, stored_as="image")
    return [load(ref) for ref in index(root / "d")]


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).normal(size=(FRAMES, *shape))


def poses() -> np.ndarray:
    matrices = np.tile(np.eye(4), (FRAMES, 1, 1))
    matrices[:, :3, :3] = Rotation.from_rotvec(numbers(3)).as_matrix()
    matrices[:, :3, 3] = numbers(3)
    return matrices


def intrinsics() -> np.ndarray:
    return np.tile([100.0, 101.0, 48.5, 32.5], (FRAMES, 1))


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_calibration_is_given_per_frame(tmp_path: Path, version: str):
    first, second = episodes(
        tmp_path,
        version,
        camera_intrinsics__left_view=entry(intrinsics()),
        camera_extrinsics__left_view=entry(poses().reshape(FRAMES, 16)),
    )
    left, right, _ = second.cameras
    assert right.calibration is None
    assert first.cameras[0].calibration is not None
    assert left.calibration is not None
    camera = left.calibration(2)
    np.testing.assert_allclose(camera.world_from_camera, poses()[4 + 2])
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (100.0, 101.0, 48.5, 32.5)


def test_matrices_may_be_declared_4_by_4(tmp_path: Path):
    features, values = entry(poses())
    assert features["shape"] == [4, 4]
    episode = episodes(
        tmp_path,
        camera_intrinsics__left_view=entry(intrinsics()),
        camera_extrinsics__left_view=(features, values),
    )[0]
    assert episode.cameras[0].calibration is not None
    np.testing.assert_allclose(episode.cameras[0].calibration(1).world_from_camera, poses()[1])


def test_droid_vectors_are_camera_to_base_with_fixed_axes_angles():
    vectors = numbers(6)
    expected = Rotation.from_euler("xyz", vectors[:, 3:]).as_matrix()
    found = poses_from_euler(vectors)
    np.testing.assert_allclose(found[:, :3, :3], expected, atol=1e-12)
    np.testing.assert_allclose(found[:, :3, 3], vectors[:, :3])
    np.testing.assert_allclose(found[:, 3], np.tile([0, 0, 0, 1], (FRAMES, 1)))


def test_droid_vectors_with_intrinsics_calibrate(tmp_path: Path):
    vectors = numbers(6).astype(np.float32)
    episode = episodes(
        tmp_path,
        camera_intrinsics__left_view=entry(intrinsics()),
        camera_extrinsics__left_view=entry(vectors),
    )[0]
    assert episode.cameras[0].calibration is not None
    pose = episode.cameras[0].calibration(0).world_from_camera
    np.testing.assert_allclose(pose, poses_from_euler(vectors.astype(np.float64))[0], atol=1e-6)


def test_extrinsics_alone_or_all_zero_give_no_calibration(tmp_path: Path):
    episode = episodes(
        tmp_path,
        camera_extrinsics__left_view=entry(numbers(6)),
        camera_intrinsics__right_view=entry(intrinsics()),
        camera_extrinsics__right_view=entry(np.zeros((FRAMES, 6), np.float32)),
    )[0]
    assert all(camera.calibration is None for camera in episode.cameras)


@pytest.mark.parametrize(
    ("matrices", "focal", "reason"),
    [
        (numbers(16), 100.0, "bad_pose"),
        (numbers(9), 100.0, "bad_pose"),
        (np.full((FRAMES, 6), np.nan), 100.0, "bad_pose"),
        (numbers(6), -1.0, "bad_intrinsics"),
        (numbers(6), np.inf, "bad_intrinsics"),
    ],
)
def test_wrong_calibration_is_refused(
    tmp_path: Path, matrices: np.ndarray, focal: float, reason: str
):
    with pytest.raises(Unusable, match=reason):
        episodes(
            tmp_path,
            camera_intrinsics__left_view=entry(np.full((FRAMES, 4), focal)),
            camera_extrinsics__left_view=entry(matrices),
        )


def test_intrinsics_of_another_shape_are_refused(tmp_path: Path):
    with pytest.raises(Unusable, match="bad_intrinsics"):
        episodes(
            tmp_path,
            camera_intrinsics__left_view=entry(numbers(9)),
            camera_extrinsics__left_view=entry(numbers(6)),
        )


@pytest.mark.parametrize("name", ["end_effector_position", "cartesian_position"])
def test_effector_positions_come_from_a_feature_of_their_own(tmp_path: Path, name: str):
    values = numbers(6).astype(np.float32)
    columns = {f"observation__state__{name}": entry(values), "observation__state": entry(values)}
    _, second = episodes(tmp_path, "v3.0", **columns)
    np.testing.assert_allclose(second.effector_positions, values[4:, :3])
    assert second.effector_positions is not None
    assert second.effector_positions.dtype == np.float64


@pytest.mark.parametrize(
    "names",
    [
        ["gripper", "x", "y", "z", "q"],
        [["gripper", "ee.x", "ee.y", "ee.z", "q"]],
        {"motors": ["gripper", "eef_pos_x", "eef_pos_y", "eef_pos_z", "base_x"]},
        {"axes": ["a", "end_effector_position_x", "tcp_y", "EE_Z", "q"]},
    ],
)
def test_effector_positions_come_from_names_in_the_state(tmp_path: Path, names: object):
    values = numbers(5)
    first, _ = episodes(tmp_path, observation__state=entry(values, names))
    np.testing.assert_allclose(first.effector_positions, values[:4, 1:4])


def test_effector_positions_come_from_the_modality_file(tmp_path: Path):
    values = numbers(12)
    write_dataset(
        tmp_path / "d",
        lengths=LENGTHS,
        columns={"observation.state": entry(values, [f"s{n}" for n in range(12)])},
        stored_as="image",
    )
    state = {"end_effector_position_absolute": {"start": 7, "end": 10}}
    (tmp_path / "d" / "meta" / "modality.json").write_text(json.dumps({"state": state}))
    first = load(index(tmp_path / "d")[0])
    np.testing.assert_allclose(first.effector_positions, values[:4, 7:10])


def test_joint_names_are_no_effector_position(tmp_path: Path):
    names = ["base_x", "base_y", "base_z", "joint_0", "roll_x"]
    assert (
        episodes(tmp_path, observation__state=entry(numbers(5), names))[0].cameras[0].key in CAMERAS
    )
    assert load(index(tmp_path / "d")[0]).effector_positions is None


@pytest.mark.parametrize("values", [np.full((FRAMES, 3), np.nan), numbers(2)])
def test_missing_effector_positions_are_refused(tmp_path: Path, values: np.ndarray):
    with pytest.raises(Unusable, match="bad_effector_position"):
        episodes(tmp_path, observation__state__end_effector_position=entry(values))

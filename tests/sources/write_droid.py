"""Writes small episodes of raw DROID and its annotation release, in the true on-disk formats.

Every frame spells `code(camera, frame)`, with a gap of 1000 between cameras. Videos claim 60 frames
per second although rows come at 15, and have one frame less than there are rows, as in DROID.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from write_video import coded_frame, write_frames

LAB, DATE = "AUTOLab", "2023-07-07"
SERIALS = {"wrist": "18026681", "ext1": "22008760", "ext2": "24400334"}
STALE_SERIAL = "11111111"
"""A camera of another rig whose numbers linger in the file."""
SIZE = (160, 90)
ROWS = 12
FULL_INTRINSICS = (530.0, 637.0, 531.0, 358.0)
"""fx, cx, fy, cy, pixels of 1280x720."""
LEFT = (0.3, 0.55, 0.4, -1.9, 0.1, -2.3)
RIGHT = (0.2, -0.6, 0.5, -1.8, -0.1, -0.8)
"""Cameras on the left and right of the robot, camera to base."""


def code(camera: str, frame: int) -> int:
    return 1000 * list(SERIALS).index(camera) + frame


def effector(rows: int) -> np.ndarray:
    """(rows, 6): position in metres and angles."""
    turn = np.arange(rows)[:, None] / 7.0 + np.arange(6)
    return 0.4 + 0.2 * np.sin(turn)


def write_episode(
    root: Path,
    time: str = "Fri_Jul__7_09:42:23_2023",
    *,
    rows: int = ROWS,
    frames: int | None = None,
    outcome: str = "success",
    stereo: bool = False,
    extrinsics: Mapping[str, Sequence[float]] | None = None,
    change: Callable[[dict[str, Any]], Any] = lambda _: None,
    intrinsics_in_rows: bool = False,
) -> Path:
    """One episode; returns its folder. `change` edits the metadata before it is written."""
    folder = root / LAB / outcome / DATE / time
    uuid = episode_id(time)
    places = {"wrist": LEFT, "ext1": LEFT, "ext2": RIGHT} | dict(extrinsics or {})
    metadata: dict[str, Any] = {
        "uuid": uuid,
        "lab": LAB,
        "user": "A Person",
        "user_id": "0d4edc4b",
        "date": DATE,
        "timestamp": uuid.split("+")[-1],
        "hdf5_path": f"{outcome}/{DATE}/{time}/trajectory.h5",
        "building": "Lab",
        "scene_id": 2723909284,
        "success": outcome == "success",
        "robot_serial": "panda-295341-1325481",
        "r2d2_version": "1.1",
        "current_task": "Move an object to another place ",
        "trajectory_length": rows,
    }
    for name, serial in SERIALS.items():
        metadata[f"{name}_cam_serial"] = serial
        metadata[f"{name}_cam_extrinsics"] = list(places[name])
        metadata[f"{name}_mp4_path"] = f"{outcome}/{DATE}/{time}/recordings/MP4/{serial}.mp4"
    change(metadata)
    folder.mkdir(parents=True)
    (folder / f"metadata_{uuid}.json").write_text(json.dumps(metadata))
    write_rows(folder / "trajectory.h5", rows, places, intrinsics_in_rows)
    for name, serial in SERIALS.items():
        count = rows - 1 if frames is None else frames
        pictures = [_picture(code(name, frame), stereo) for frame in range(count)]
        file = f"{serial}-stereo.mp4" if stereo else f"{serial}.mp4"
        write_frames(folder / "recordings" / "MP4" / file, pictures, fps=60)
    return folder


def write_rows(
    path: Path, rows: int, places: Mapping[str, Sequence[float]], intrinsics: bool = False
) -> None:
    """`trajectory.h5`, with the arrays that DROID's own code writes for every step."""
    with h5py.File(path, "w") as file:
        file.attrs["current_task"] = "Move an object to another place "
        file.attrs["success"] = True
        state = file.create_group("observation/robot_state")
        state["cartesian_position"] = effector(rows)
        state["joint_positions"] = np.zeros((rows, 7))
        state["gripper_position"] = np.zeros(rows)
        file["action/cartesian_position"] = effector(rows)
        file["action/gripper_position"] = np.zeros(rows)
        for name, serial in SERIALS.items():
            kind = 0 if name == "wrist" else 1
            file[f"observation/camera_type/{serial}"] = np.full(rows, kind)
            vectors = np.tile(places[name], (rows, 1))
            if name == "wrist":
                vectors[:, :3] += effector(rows)[:, :3]
                file[f"observation/camera_extrinsics/{serial}_left_gripper_offset"] = vectors
            for eye, shift in (("left", 0.0), ("right", 0.06)):
                file[f"observation/camera_extrinsics/{serial}_{eye}"] = vectors + shift
            if intrinsics:
                fx, cx, fy, cy = FULL_INTRINSICS
                matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
                stack = np.tile(matrix, (rows, 1, 1))
                file[f"observation/camera_intrinsics/{serial}_left"] = stack
        file[f"observation/camera_extrinsics/{STALE_SERIAL}_left"] = np.ones((rows, 6))


def write_release(
    folder: Path,
    times: Sequence[str],
    extrinsics: Mapping[str, Sequence[float]],
    superset: Mapping[str, Sequence[float]] | None = None,
    intrinsics: Sequence[float] | Mapping[str, Any] = FULL_INTRINSICS,
) -> None:
    """The annotation release: an object of episodes in each of its files."""
    folder.mkdir(parents=True, exist_ok=True)
    uuids = [episode_id(time) for time in times]
    quality = {
        "relative_path": "AUTOLab/success",
        "iou": 0.91,
        "22008760_metric_type": "IOU" * 9000,
    }
    poses = {"cam2base_extrinsics": extrinsics, "cam2base_extrinsic_superset": superset or {}}
    for name, cameras in poses.items():
        entry = {SERIALS[camera]: list(vector) for camera, vector in cameras.items()}
        _write(folder / f"{name}.json", {uuid: quality | entry for uuid in uuids})
    value = intrinsics if isinstance(intrinsics, Mapping) else list(intrinsics)
    _write(folder / "intrinsics.json", {u: dict.fromkeys(SERIALS.values(), value) for u in uuids})
    words = {"language_instruction1": "", "language_instruction2": "Put the cup on the plate"}
    _write(folder / "droid_language_annotations.json", dict.fromkeys(uuids, words))


def episode_id(time: str) -> str:
    """The id that DROID gives an episode, here from its clock time alone."""
    clock = next(part for part in time.replace(":", "-").split("_") if part.count("-") == 2)
    hours, minutes, seconds = clock.split("-")
    return f"{LAB}+0d4edc4b+{DATE}-{hours}h-{minutes}m-{seconds}s"


def _write(path: Path, content: dict[str, Any]) -> None:
    """With other episodes before and after, one of which names ours in a value."""
    other = {"relative_path": next(iter(content)), "iou": 0.5, "words": "x" * 40000}
    path.write_text(json.dumps({"RAIL+a+before": other} | content | {"RAIL+a+after": other}))


def _picture(number: int, stereo: bool) -> np.ndarray:
    height, width = SIZE[1], SIZE[0]
    eyes = [np.zeros((height, width, 3), np.uint8) for _ in range(1 + stereo)]
    for eye, picture in enumerate(eyes):
        coded = coded_frame(number + 500 * eye)
        picture[: coded.shape[0], : coded.shape[1]] = coded
    return np.hstack(eyes)

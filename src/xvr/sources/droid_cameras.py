"""The cameras of a raw DROID episode: which video is whose, their roles and their calibration.

Roles follow the metadata: `wrist`, and `ext1` and `ext2` on tripods. A tripod's camera is called
left or right when the annotation release knows where it stands; the extrinsics in the metadata are
too often wrong for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.droid_release import FULL_SIZE, Annotations, numbers
from xvr.sources.poses import camera_by_frame, poses_from_euler
from xvr.sources.records import EpisodeCamera, Image
from xvr.sources.roles import role_of_name
from xvr.sources.video import probe, read_by_index

VIDEOS = "recordings/MP4"
WRIST = "wrist"
FIXED = ("ext1", "ext2")
MIN_SIDE_M = 0.2
"""How far left or right of the robot's base a camera must stand for its role to say so."""
MAX_STRETCH = 0.01
"""How far a video's shape may be from that of `FULL_SIZE`, because sizes are whole."""

Stored = Mapping[str, Float[np.ndarray, "..."] | None]
"""What `trajectory.h5` holds of a camera, by `stored_names`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """What one camera of an episode recorded."""

    name: str
    """`wrist`, `ext1` or `ext2`."""
    serial: str
    video: Path
    stereo: bool
    """Whether a frame shows both eyes, the left one on the left."""
    size: tuple[int, int]
    """Width and height of one eye, pixels."""


def find_recordings(folder: Path, metadata: Mapping[str, Any]) -> list[Recording]:
    """The videos of the wrist and the two tripods.

    Raises:
        Unusable: `bad_metadata`, `missing_video` or `unreadable_video`.
    """
    return [_recording(folder, metadata, name) for name in (WRIST, *FIXED)]


def stored_names(recordings: Sequence[Recording]) -> list[str]:
    """Arrays of `trajectory.h5` with calibration; only those of the episode's own cameras count."""
    return [
        _stored(recording, kind)
        for recording in recordings
        for kind in ("extrinsics", "intrinsics")
    ]


def episode_cameras(
    recordings: Sequence[Recording],
    metadata: Mapping[str, Any],
    notes: Annotations,
    stored: Stored,
    length: int,
) -> tuple[EpisodeCamera, ...]:
    """The cameras of an episode of `length` frames.

    Raises:
        Unusable: `bad_metadata`, `bad_intrinsics` or `bad_pose`.
    """
    cameras: list[EpisodeCamera] = []
    for recording in recordings:
        intrinsics = _intrinsics(recording, notes, stored)
        vectors = _poses(recording, metadata, notes, stored, length)
        cameras.append(
            EpisodeCamera(
                key=f"{recording.serial}_left",
                role=_role(recording, notes, {camera.role for camera in cameras}),
                read_frames=partial(_read_frames, recording.video, recording.stereo),
                calibration=_calibration(recording, intrinsics, vectors),
            )
        )
    return tuple(cameras)


def _recording(folder: Path, metadata: Mapping[str, Any], name: str) -> Recording:
    serial = str(metadata.get(f"{name}_cam_serial") or "")
    if not serial:
        raise Unusable("bad_metadata", f"{folder}: no {name}_cam_serial")
    video, stereo = folder / VIDEOS / f"{serial}.mp4", False
    if not video.is_file():
        video, stereo = folder / VIDEOS / f"{serial}-stereo.mp4", True
    if not video.is_file():
        raise Unusable("missing_video", str(folder / VIDEOS / f"{serial}.mp4"))
    width, height = probe(video).size
    size = (width // 2 if stereo else width, height)
    return Recording(name=name, serial=serial, video=video, stereo=stereo, size=size)


def _poses(
    recording: Recording,
    metadata: Mapping[str, Any],
    notes: Annotations,
    stored: Stored,
    length: int,
) -> Float[np.ndarray, "length 6"] | None:
    """Camera to robot base per frame, None where unknown; all zeros stand for unknown."""
    key = f"{recording.name}_cam_extrinsics"
    if recording.name == WRIST:
        vectors = stored[_stored(recording, "extrinsics")]
    elif recording.serial in notes.extrinsics:
        vectors = np.tile(notes.extrinsics[recording.serial], (length, 1))
    elif metadata.get(key) is not None:
        vectors = np.tile(numbers(metadata[key], 6, f"{recording.video}: {key}"), (length, 1))
    else:
        vectors = None
    if vectors is None or not vectors.any():
        return None
    if vectors.ndim != 2 or vectors.shape[1] != 6 or len(vectors) < length:
        raise Unusable("bad_pose", f"camera of {recording.video}: extrinsics {vectors.shape}")
    return vectors[:length]


def _intrinsics(
    recording: Recording, notes: Annotations, stored: Stored
) -> Float[np.ndarray, "4"] | None:
    """fx, fy, cx, cy in pixels of the recording, None where unknown."""
    found = notes.intrinsics.get(recording.serial)
    matrices = stored[_stored(recording, "intrinsics")]
    if found is None and matrices is not None and matrices.shape[1:] == (3, 3) and len(matrices):
        found = matrices[0][[0, 1, 0, 1], [0, 1, 2, 2]]
    if found is None or not found.any():
        return None
    scale_x, scale_y = np.divide(recording.size, FULL_SIZE)
    inside = (found[2:] > 0).all() and (found[2:] < FULL_SIZE).all()
    if not inside or abs(scale_x / scale_y - 1) > MAX_STRETCH:
        raise Unusable(
            "bad_intrinsics",
            f"camera of {recording.video}, {recording.size[0]}x{recording.size[1]}: "
            f"{found.tolist()} are not of {FULL_SIZE[0]}x{FULL_SIZE[1]}",
        )
    return found * (scale_x, scale_y, scale_x, scale_y)


def _calibration(
    recording: Recording,
    intrinsics: Float[np.ndarray, "4"] | None,
    vectors: Float[np.ndarray, "n 6"] | None,
) -> Callable[[int], Camera] | None:
    if intrinsics is None or vectors is None:
        return None
    stack = np.tile(intrinsics, (len(vectors), 1))
    return camera_by_frame(
        recording.size, stack, poses_from_euler(vectors), f"camera of {recording.video}"
    )


def _stored(recording: Recording, kind: str) -> str:
    return f"observation/camera_{kind}/{recording.serial}_left"


def _role(recording: Recording, notes: Annotations, taken: set[str]) -> str:
    """The role of a camera; its side is told where the annotation release knows the pose."""
    role = role_of_name(f"{recording.name}_cam")
    assert role is not None, recording.name
    if recording.name in FIXED and recording.serial in notes.extrinsics:
        left_m = float(notes.extrinsics[recording.serial][1])
        if abs(left_m) >= MIN_SIDE_M:
            role = "fix_left" if left_m > 0 else "fix_right"
    return f"{role}_1" if role in taken else role


def _read_frames(video: Path, stereo: bool, indices: Sequence[int]) -> list[Image]:
    images = read_by_index(video, indices)
    if not stereo:
        return images
    return [np.ascontiguousarray(image[:, : image.shape[1] // 2]) for image in images]

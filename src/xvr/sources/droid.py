"""DROID as its raw release has it: a folder per episode with HDF5, metadata and full-size videos.

    <root>/<lab>/success/<date>/<time>/
        metadata_<id>.json   trajectory.h5   recordings/MP4/<serial>.mp4

Three stereo cameras: one on the wrist, two on tripods; their left eye is used. Row i of
`trajectory.h5`, written at 15 Hz, is frame i of each video, whatever rate its container claims; a
video is often one frame shorter. Extrinsics are six numbers, camera to robot base with OpenCV axes
(see `xvr.sources.poses`); the base has x forward, y left, z up. Those of the tripods' cameras come
from the annotation release (`xvr.sources.droid_release`) or else from the metadata, those of the
wrist from `trajectory.h5`, frame by frame.

Source: https://github.com/droid-dataset/droid, docs/the-droid-dataset.md and
droid/postprocessing/{schema,parse}.py; that a video lacks a frame: issue 54.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xvr.errors import Unusable, UserError
from xvr.sources.droid_cameras import (
    FIXED,
    WRIST,
    Recording,
    episode_cameras,
    find_recordings,
    stored_names,
)
from xvr.sources.droid_release import check_release, read_annotations, release_files
from xvr.sources.folders import find_folders
from xvr.sources.hdf5 import open_hdf5, read_numbers, require_h5py
from xvr.sources.records import Episode, Ref, SourceFormat
from xvr.sources.video import frame_times

FPS = 15.0
TRAJECTORY = "trajectory.h5"
MAX_FRAMES_APART = 3
"""Frames by which a video and the rows may differ in number: a fifth of a second."""
EFFECTOR = "observation/robot_state/cartesian_position"


def index(path: Path) -> list[Ref]:
    """All episodes below a path that succeeded; of a path inside `failure/`, all.

    Raises:
        UserError: there is none, a file of the annotation release is of no use, or h5py is not
            installed.
    """
    require_h5py()
    check_release(release_files(path).values())
    refs = [_ref(path, name, folder) for name, folder in _episode_folders(path)]
    if not refs:
        raise UserError(
            f"{path} holds no raw DROID episode: expected LAB/success/DATE/TIME/metadata_*.json "
            "below it (episodes in failure/ are read only when the path itself lies there)"
        )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Episode:
    """The episode of a ref, as long as the shortest of its rows and videos.

    Raises:
        Unusable: `missing_metadata`, `bad_metadata`, `missing_hdf5`, `unreadable_hdf5`,
            `missing_column`, `bad_column`, `zero_length`, `missing_video`, `unreadable_video`,
            `length_mismatch`, `bad_effector_position`, `bad_intrinsics` or `bad_pose`.
    """
    folder = _folder(ref)
    metadata = _read_metadata(folder)
    notes = read_annotations(release_files(Path(ref.root)), _id(folder))
    recordings = find_recordings(folder, metadata)
    with open_hdf5(folder / TRAJECTORY) as file:
        stored = {name: read_numbers(file, name) for name in (EFFECTOR, *stored_names(recordings))}
    effector = stored[EFFECTOR]
    if effector is None:
        raise Unusable("missing_column", f"{folder / TRAJECTORY}: {EFFECTOR}")
    if effector.ndim != 2 or effector.shape[1] != 6 or not np.isfinite(effector).all():
        raise Unusable(
            "bad_effector_position", f"{folder / TRAJECTORY}: {effector.shape}, or not finite"
        )
    length = _length(folder, len(effector), recordings)
    return Episode(
        id=ref.id,
        dataset="droid",
        rig=ref.rig,
        instruction=notes.instruction or str(metadata.get("current_task") or "").strip(),
        fps=FPS,
        length=length,
        cameras=episode_cameras(recordings, metadata, notes, stored, length),
        effector_positions=effector[:length, :3],
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """Metadata and rows of each episode, and the annotation release where it is."""
    yield from release_files(path).items()
    for ref in refs:
        folder = _folder(replace(ref, root=str(path)))
        metadata = _metadata_file(folder)
        for file in (metadata, folder / TRAJECTORY):
            if file is not None:
                yield f"{ref.id}/{file.name}", file


def _episode_folders(path: Path) -> list[tuple[str, Path]]:
    found = find_folders(path, lambda folder: _metadata_file(folder) is not None, levels=4)
    return [(name, folder) for name, folder in found if "failure" not in Path(name).parts]


def _folder(ref: Ref) -> Path:
    root = Path(ref.root)
    return root if _metadata_file(root) is not None else root / ref.id


def _metadata_file(folder: Path) -> Path | None:
    return min(folder.glob("metadata_*.json"), default=None)


def _id(folder: Path) -> str:
    file = _metadata_file(folder)
    return "" if file is None else file.stem.removeprefix("metadata_")


def _read_metadata(folder: Path) -> dict[str, Any]:
    file = _metadata_file(folder)
    if file is None:
        raise Unusable("missing_metadata", f"{folder}/metadata_*.json")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unusable("bad_metadata", f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise Unusable("bad_metadata", f"{file}: expected an object")
    return content


def _ref(path: Path, name: str, folder: Path) -> Ref:
    """The ref of an episode; damaged metadata is told when it is loaded."""
    try:
        metadata = _read_metadata(folder)
    except (Unusable, OSError):
        metadata = {}
    place = "/".join(str(metadata.get(key) or "") for key in ("lab", "building", "scene_id"))
    known = bool(metadata.get("scene_id"))
    return Ref(
        format="droid",
        root=str(path),
        id=name,
        group=f"droid/{place}" if known else name,
        kind="episode",
        rig=f"droid/{place}/{_rig(metadata)}" if known else f"droid/{name}",
    )


def _rig(metadata: Mapping[str, Any]) -> str:
    """Tells apart the set-ups at one place: cameras and, because tripods are moved, where they are.

    Calibration is repeated when something moved, and its numbers stay the same until then.
    """
    keys = [f"{name}_cam_{what}" for name in FIXED for what in ("serial", "extrinsics")]
    values = [metadata.get(key) for key in (f"{WRIST}_cam_serial", *keys)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


def _length(folder: Path, rows: int, recordings: Sequence[Recording]) -> int:
    counts = {TRAJECTORY: rows}
    counts |= {recording.video.name: len(frame_times(recording.video)) for recording in recordings}
    shortest, longest = min(counts.values()), max(counts.values())
    if shortest == 0:
        raise Unusable("zero_length", f"{folder}: {counts}")
    if longest - shortest > MAX_FRAMES_APART:
        raise Unusable("length_mismatch", f"{folder}: rows and frames are {counts}")
    return shortest


DROID = SourceFormat(
    name="droid",
    kind="episode",
    calibration="with the annotation release",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)

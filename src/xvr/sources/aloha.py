"""ALOHA and Mobile ALOHA episodes as ACT records them: one HDF5 file each.

    <root>/.../episode_0.hdf5
        attributes sim, compress
        observations/qpos (length, 14), observations/images/<camera>
        action (length, 14), base_action (length, 2) where the robot drives
        compress_len (cameras, length) where images are JPEG

Files record no times: there are 50 frames per second. Nor do they say whether colours are RGB or
BGR, and recorders differ (JPEG is encoded by OpenCV, which takes every array for BGR): `channels`
in `reader.json` says it. Only simulated episodes are known to be RGB. Names with `depth` are no
cameras; `mirror_episode_0.hdf5` and files of features are not read.

Sources: https://github.com/MarkFzp/mobile-aloha, aloha_scripts/record_episodes.py;
https://github.com/MarkFzp/act-plus-plus, compress_data.py; https://github.com/tonyzhaozh/act.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from xvr.errors import Unusable, UserError
from xvr.sources.hdf5 import open_hdf5
from xvr.sources.hdf5_frames import Node, file_of, find_files, is_camera, members, read_frames
from xvr.sources.reader_notes import Channels, ReaderNotes, check_cameras, notes_file, read_notes
from xvr.sources.records import Episode, EpisodeCamera, Ref, SourceFormat

FPS = 50.0
FILES = "episode_*.hdf5"
IMAGES = "observations/images"
VECTORS = ("observations/qpos", "observations/qvel", "observations/effort", "action", "base_action")
"""Datasets with one row per frame."""


def index(path: Path) -> list[Ref]:
    """One episode per file; the first file of each folder is opened to see whether it is simulated.

    Raises:
        UserError: the path holds no such file, or the order of colours is not known.
    """
    found = find_files(path, FILES)
    files = {name: file for name, file in found.items() if "features" not in file.name}
    if not files:
        raise UserError(f"{path} holds no ALOHA episode: expected {FILES} in it or below it")
    folders = {file.parent: file for file in reversed(files.values())}
    for folder, first in folders.items():
        notes = read_notes(folder, path)
        if notes.channels is None and not _is_simulated(first):
            raise _unknown_channels(first, notes)
    return [
        Ref(
            format="aloha",
            root=str(path),
            id=name,
            group=name,
            kind="episode",
            rig=_dataset_name(path, file),
        )
        for name, file in sorted(files.items())
    ]


def load(ref: Ref) -> Episode:
    """The episode of a ref, the lengths of its datasets checked against each other.

    Raises:
        UserError: the order of its colours is not known.
        Unusable: `unknown_episode`, `unreadable_hdf5`, `no_cameras`, `zero_length`,
            `length_mismatch` or `too_few_cameras`.
    """
    top = Path(ref.root)
    path = file_of(top, ref.id, ".hdf5")
    notes = read_notes(path.parent, top)
    with open_hdf5(path) as file:
        images = members(file, IMAGES)
        names = [name for name in images if "depth" not in name.lower() and is_camera(images[name])]
        if not names:
            raise Unusable("no_cameras", f"{path}: no images in {IMAGES}")
        assignment = notes.roles(f"{IMAGES}/{name}" for name in names)
        check_cameras(assignment, notes, str(path))
        length = _length(file, assignment.roles, path)
        channels = _channels(file, notes, path)
    return Episode(
        id=ref.id,
        dataset=_dataset_name(top, path),
        rig=ref.rig,
        instruction="",
        fps=notes.fps or FPS,
        length=length,
        cameras=tuple(
            EpisodeCamera(key=key, role=role, read_frames=partial(read_frames, path, key, channels))
            for key, role in assignment.roles.items()
        ),
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The files of the episodes and the notes beside them."""
    files = {ref.id: file_of(path, ref.id, ".hdf5") for ref in refs}
    yield from files.items()
    for folder in sorted({file.parent for file in files.values()}):
        yield from notes_file(read_notes(folder, path))


def _dataset_name(top: Path, file: Path) -> str:
    """The folder of a file: one task of one robot."""
    folder = file.resolve().parent
    within = folder.relative_to(top.resolve()) if top.is_dir() else Path()
    return within.as_posix() if within.parts else folder.name


def _length(file: Node, cameras: Iterable[str], path: Path) -> int:
    lengths = {key: len(file[key]) for key in (*cameras, *VECTORS) if key in file}
    if not any(lengths.values()):
        raise Unusable("zero_length", f"{path}: no frame")
    if len(set(lengths.values())) > 1:
        raise Unusable("length_mismatch", f"{path}: rows by dataset are {lengths}")
    return next(iter(lengths.values()))


def _channels(file: Node, notes: ReaderNotes, path: Path) -> Channels:
    if notes.channels is None and not file.attrs.get("sim", False):
        raise _unknown_channels(path, notes)
    return notes.channels or "rgb"


def _is_simulated(path: Path) -> bool:
    try:
        with open_hdf5(path) as file:
            return bool(file.attrs.get("sim", False))
    except Unusable:  # `load` tells
        return True


def _unknown_channels(path: Path, notes: ReaderNotes) -> UserError:
    return UserError(
        f"{path}: the file does not say whether its colours are RGB or BGR, and recorders differ; "
        f'write {{"channels": "rgb"}} or {{"channels": "bgr"}} into {notes.path} and look at the '
        "images of a small build (files of Mobile ALOHA's own recorder with JPEG are bgr)"
    )


ALOHA = SourceFormat(
    name="aloha",
    kind="episode",
    calibration="none",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)

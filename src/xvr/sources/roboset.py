"""RoboSet as RoboHive logs it: HDF5 files with many trials each.

    <root>/.../<name>.h5
        Trial0/data/time (length), rgb_left, rgb_right, rgb_top, rgb_wrist (length, h, w, 3) uint8
        Trial0/derived/pose_ee (length, 3 and rotation) where it was computed, metres

Every top-level group with `data/rgb_*` is an episode. Depth (`d_*`) is not read: no calibration
belongs to it. Without `data/time`, 5 frames per second are taken, the rate of the TFDS copy.

Sources: https://github.com/vikashplus/robohive, robohive/logger/roboset_logger.py;
https://robopen.github.io/roboset.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.sources.hdf5 import open_hdf5
from xvr.sources.hdf5_frames import Node, file_of, find_files, is_camera, members, read_frames
from xvr.sources.reader_notes import check_cameras, notes_file, read_notes
from xvr.sources.records import Episode, EpisodeCamera, Ref, SourceFormat

FPS = 5.0
FILES = "*.h5"


def index(path: Path) -> list[Ref]:
    """All trials of the file at a path or of the files below it; files are opened to list them.

    A file that cannot be opened stands as one episode, which `load` refuses. The files of a folder
    are taken for one rig.

    Raises:
        UserError: the path holds no trial.
    """
    refs = []
    for name, file in find_files(path, FILES).items():
        for trial, cameras in _trials(file).items():
            episode_id = f"{name}/{trial}"
            refs.append(
                Ref(
                    format="roboset",
                    root=str(path),
                    id=episode_id,
                    group=episode_id,
                    kind="episode",
                    rig="|".join(["roboset", str(Path(name).parent), *cameras]),
                )
            )
    if not refs:
        raise UserError(
            f"{path} holds no RoboSet trial: expected files {FILES} with groups such as "
            "Trial0/data/rgb_left"
        )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Episode:
    """The episode of a ref, its datasets checked against each other.

    Raises:
        Unusable: `unknown_episode`, `unreadable_hdf5`, `zero_length`, `length_mismatch`,
            `too_few_cameras`, `bad_timestamps` or `bad_effector_position`.
    """
    top = Path(ref.root)
    name, _, trial = ref.id.rpartition("/")
    path = file_of(top, name, ".h5")
    notes = read_notes(path.parent, top)
    where = f"{path}, {trial}"
    with open_hdf5(path) as file:
        if trial not in file:
            raise Unusable("unknown_episode", f"{path} holds no {trial}")
        group = file[trial]
        assignment = notes.roles(_cameras(group))
        check_cameras(assignment, notes, where)
        length = _length(group, assignment.roles, where)
        fps = notes.fps or _rate(group, where)
        positions = _positions(group, length, where)
    return Episode(
        id=ref.id,
        dataset="roboset",
        rig=ref.rig,
        instruction="",
        fps=fps,
        length=length,
        cameras=tuple(
            EpisodeCamera(
                key=key,
                role=role,
                read_frames=partial(read_frames, path, f"{trial}/{key}", notes.channels or "rgb"),
            )
            for key, role in assignment.roles.items()
        ),
        effector_positions=positions,
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The files of the trials and the notes beside them."""
    names = sorted({ref.id.rpartition("/")[0] for ref in refs})
    files = {name: file_of(path, name, ".h5") for name in names}
    yield from files.items()
    for folder in sorted({file.parent for file in files.values()}):
        yield from notes_file(read_notes(folder, path))


def _trials(path: Path) -> dict[str, list[str]]:
    """Names of the trials of a file with the short names of their cameras."""
    try:
        with open_hdf5(path) as file:
            found = {name: _cameras(file[name]) for name in file}
    except Unusable:
        return {"unreadable": []}
    return {
        trial: [key.removeprefix("data/") for key in keys] for trial, keys in found.items() if keys
    }


def _cameras(group: Node) -> list[str]:
    data = members(group, "data")
    return [f"data/{n}" for n, node in data.items() if n.startswith("rgb_") and is_camera(node)]


def _length(group: Node, cameras: Iterable[str], where: str) -> int:
    lengths = {key: len(group[key]) for key in (*cameras, "data/time") if key in group}
    if not any(lengths.values()):
        raise Unusable("zero_length", f"{where}: no frame")
    if len(set(lengths.values())) > 1:
        raise Unusable("length_mismatch", f"{where}: rows by dataset are {lengths}")
    return next(iter(lengths.values()))


def _rate(group: Node, where: str) -> float:
    """Frames per second, from regular times."""
    if "data/time" not in group:
        return FPS
    times_s = np.asarray(group["data/time"][()], np.float64).ravel()
    if len(times_s) < 2:
        return FPS
    step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    late_s = np.abs(times_s - times_s[0] - step_s * np.arange(len(times_s))).max()
    if not (step_s > 0 and late_s <= step_s and (np.diff(times_s) > 0).all()):
        raise Unusable(
            "bad_timestamps",
            f"{where}: data/time must ascend evenly, it is up to {late_s:.3f} s away from that",
        )
    return 1 / step_s


def _positions(group: Node, length: int, where: str) -> Float[np.ndarray, "length 3"] | None:
    if "derived/pose_ee" not in group:
        return None
    poses = np.asarray(group["derived/pose_ee"][()], np.float64)
    if poses.ndim != 2 or poses.shape[0] != length or poses.shape[1] < 3:
        raise Unusable("bad_effector_position", f"{where}: derived/pose_ee is {poses.shape}")
    if not np.isfinite(poses[:, :3]).all():
        raise Unusable("bad_effector_position", f"{where}: derived/pose_ee is not finite")
    return poses[:, :3]


ROBOSET = SourceFormat(
    name="roboset",
    kind="episode",
    calibration="none",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)

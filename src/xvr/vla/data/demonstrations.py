"""Demonstrations of one or more LeRobot data sets: numbers in memory, pictures read when asked for.

    demonstrations = read_demonstrations([Path("kitchen")], DataOptions())
    demonstrations.contract(chunk=16)

Files are read by `xvr.sources` (LeRobot v2.0, v2.1, v3.0; GR00T's flavour where there is a
`meta/modality.json`). An episode that cannot be used is skipped with its reason; when none is left
nothing is trained.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from xvr.errors import Unusable, UserError
from xvr.sources.gr00t import annotated_instruction
from xvr.sources.lerobot import check_times, dataset_roots, open_dataset, task_of_rows
from xvr.sources.lerobot_episodes import EpisodeFiles, Episodes
from xvr.sources.lerobot_frames import frame_reader
from xvr.sources.lerobot_meta import MODALITY, Dataset
from xvr.sources.lerobot_rows import read_columns
from xvr.sources.records import Image
from xvr.vla.contract import PLAIN_PROMPT, CameraSpec, Contract, FieldSpec, Kind
from xvr.vla.data.kinds import settle
from xvr.vla.data.layout import Layout, Slot, choose, read_layout
from xvr.vla.statistics import check_binary


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What of the data is used, and how."""

    cameras: tuple[str, ...] = ()
    """Cameras in the order in which the policy sees them; all when left out, `none` for none."""
    state: tuple[str, ...] = ()
    """State fields in order; all when left out, `none` for a policy without a state."""
    action: tuple[str, ...] = ()
    """Action fields in order; all when left out."""
    kinds: tuple[str, ...] = ()
    """Kinds of fields where names and data do not tell, such as gripper=binary_pm1."""
    image_size: int = 224
    """Height and width of the pictures that the policy sees, pixels."""
    episodes: int | None = None
    """Most episodes of each data set, its first ones."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.image_size < 16:
            raise UserError(f"image size {self.image_size}: write at least 16")
        if self.episodes is not None and self.episodes < 1:
            raise UserError(f"episodes {self.episodes}: write at least 1")

    @property
    def kinds_by_name(self) -> dict[str, Kind]:
        """`kinds` as a mapping."""
        pairs = {}
        for text in self.kinds:
            name, separator, kind = text.partition("=")
            if not separator:
                raise UserError(f"kind {text!r}: write FIELD=KIND, such as gripper=binary_pm1")
            pairs[name] = kind
        return pairs


class Pictures(NamedTuple):
    """The frames of one camera in one episode."""

    key: Callable[[], str]
    """Hash of the video's content and of which of its frames they are; reads the whole file."""
    read: Callable[[Sequence[int]], list[Image]]
    """Frames at ascending row numbers."""
    video: Path | None
    """The file; None where pictures stand in the rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Demonstration:
    """One episode."""

    id: str
    instruction: str
    state: Float32[np.ndarray, "t n"]
    action: Float32[np.ndarray, "t m"]
    pictures: Mapping[str, Pictures]
    """By camera name."""

    def __len__(self) -> int:
        """Frames."""
        return len(self.action)


class Skipped(NamedTuple):
    """An episode that is not used."""

    episode: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Demonstrations:
    """All episodes that can be used, and what they have in common."""

    cameras: tuple[CameraSpec, ...]
    state: tuple[FieldSpec, ...]
    action: tuple[FieldSpec, ...]
    fps: float
    episodes: tuple[Demonstration, ...]
    skipped: tuple[Skipped, ...]

    @property
    def frames(self) -> int:
        """Of all episodes."""
        return sum(map(len, self.episodes))

    @property
    def hash(self) -> str:
        """SHA-256 of the states, actions and words; not of where the files lie."""
        digest = hashlib.sha256(repr((self.state, self.action, self.fps)).encode())
        for episode in self.episodes:
            digest.update(repr((len(episode), episode.instruction)).encode())
            digest.update(np.ascontiguousarray(episode.state).tobytes())
            digest.update(np.ascontiguousarray(episode.action).tobytes())
        return digest.hexdigest()

    def contract(self, chunk: int, prompt: str = PLAIN_PROMPT, normalizer: str = "") -> Contract:
        """What a policy trained on them agrees to."""
        return Contract(
            cameras=self.cameras,
            state=self.state,
            action=self.action,
            fps=self.fps,
            chunk=chunk,
            prompt=prompt,
            normalizer=normalizer or None,
        )


def read_demonstrations(paths: Sequence[Path], options: DataOptions) -> Demonstrations:
    """All usable episodes of the data sets at or below the paths.

    Raises:
        UserError: no data set, none of its episodes can be used, it lacks what `options` ask for,
            or data sets differ in their fields, cameras or rate.
    """
    roots = [(name, root) for path in paths for name, root in dataset_roots(path)]
    sets = [(root, _read_set(root, name, options)) for name, root in roots]
    usable = [(root, one) for root, one in sets if one.episodes]
    skipped = tuple(skip for _, one in sets for skip in one.skipped)
    if not usable:
        why = "".join(f"\n  {skip.episode}: {skip.reason}: {skip.detail}" for skip in skipped[:5])
        raise UserError(f"no episode of {', '.join(map(str, paths))} can be used:{why}")
    (_, first), *others = usable
    for root, other in others:
        other.contract(1).require(first.contract(1), f"{root} (the first data set is the policy)")
    episodes = tuple(episode for _, one in usable for episode in one.episodes)
    return replace(first, episodes=episodes, skipped=skipped)


def _read_set(root: Path, name: str, options: DataOptions) -> Demonstrations:
    by_modality = (root / MODALITY).is_file()
    dataset, listed = open_dataset(root, name, by_modality=by_modality, every_camera=True)
    layout = choose(
        read_layout(dataset), options.cameras, options.state, options.action, options.kinds_by_name
    )
    episodes, skipped = [], []
    for number in sorted(listed.numbers)[: options.episodes]:
        try:
            episodes.append(_read_episode(dataset, listed, layout, number))
        except Unusable as error:
            skip = Skipped(f"{name}/episode_{number:06d}", error.reason, error.detail)
            skipped.append(skip)
    side = options.image_size
    action = tuple(slot.spec for slot in layout.action)
    if episodes:
        decided = {text.rpartition(".")[2] for text in options.kinds_by_name}
        action = settle(action, (episode.action for episode in episodes), decided)
    return Demonstrations(
        cameras=tuple(CameraSpec(name=one, height=side, width=side) for one in layout.cameras),
        state=tuple(slot.spec for slot in layout.state),
        action=action,
        fps=dataset.fps,
        episodes=tuple(episodes),
        skipped=tuple(skipped),
    )


def _read_episode(dataset: Dataset, listed: Episodes, layout: Layout, number: int) -> Demonstration:
    files = listed.files(number)
    where = f"{files.data}, episode {number}"
    if files.length <= 0:
        raise Unusable("zero_length", f"{where}: length {files.length}")
    columns = ["timestamp", *layout.columns]
    if "task_index" in dataset.features:
        columns.append("task_index")
    rows = read_columns(files.data, number, columns)
    times_s = rows["timestamp"].astype(np.float64)
    check_times(dataset, files, times_s)
    state, action = (_vector(rows, slots, where) for slots in (layout.state, layout.action))
    instruction = _instruction(dataset, listed, files, number) or task_of_rows(listed, rows)
    if not instruction:
        raise Unusable("no_instruction", f"{where}: nothing says what is done")
    return Demonstration(
        id=f"{dataset.name}/episode_{number:06d}",
        instruction=instruction,
        state=state,
        action=action,
        pictures={
            name: _pictures(dataset, files, number, key, times_s)
            for name, key in layout.cameras.items()
        },
    )


def _instruction(dataset: Dataset, listed: Episodes, files: EpisodeFiles, number: int) -> str:
    described = ""
    if dataset.modality:
        described = annotated_instruction(dataset, listed, files.data, number)
    return described or files.instruction


def _vector(
    rows: Mapping[str, np.ndarray], slots: Sequence[Slot], where: str
) -> Float32[np.ndarray, "t n"]:
    parts = [np.zeros((len(rows["timestamp"]), 0))]
    for slot in slots:
        values = rows[slot.column]
        values = values[:, None] if values.ndim == 1 else values
        if values.shape[1] <= max(slot.entries):
            raise Unusable("bad_column", f"{where}: {slot.column} has {values.shape[1]} entries")
        parts.append(values[:, list(slot.entries)])
        if not np.isfinite(parts[-1].astype(np.float64)).all():
            row = int(np.flatnonzero(~np.isfinite(parts[-1].astype(np.float64)).all(axis=1))[0])
            raise Unusable("not_finite", f"{where}, row {row}: {slot.spec.name} is not finite")
    vector = np.concatenate(parts, axis=1).astype(np.float32)
    told = check_binary([slot.spec for slot in slots], vector, where)
    if told:
        raise Unusable("not_binary", told)
    return vector


def _pictures(
    dataset: Dataset,
    files: EpisodeFiles,
    number: int,
    key: str,
    times_s: Float[np.ndarray, " n"],
) -> Pictures:
    read = frame_reader(dataset, files, number, key, times_s)
    if key not in files.videos:
        return Pictures(partial(_key, files.data, (key, number), times_s), read, None)
    path, start_s = files.videos[key]
    if not path.is_file():
        raise Unusable("missing_video", str(path))
    return Pictures(partial(_key, path, (start_s,), times_s), read, path)


def _key(path: Path, which: tuple[object, ...], times_s: Float[np.ndarray, " n"]) -> str:
    status = path.stat()
    content = _file_hash(path, status.st_size, status.st_mtime_ns)
    return hashlib.sha256(repr((content, which)).encode() + times_s.tobytes()).hexdigest()


@lru_cache(maxsize=4096)
def _file_hash(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001 - tell a new file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

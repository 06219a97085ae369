r"""What is in a data set for a policy, and what is wrong with it, before hours are spent on it.

    report = check_data([Path("demos")], DataOptions(), chunk=16)
    print("\\n".join(report.lines))

Rows of all episodes are read, and the headers of all videos; with `decode` every frame too.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xvr.errors import Unusable
from xvr.sources.lerobot import dataset_roots, open_dataset
from xvr.sources.lerobot_meta import MODALITY
from xvr.sources.video import probe
from xvr.vla.contract import FieldSpec
from xvr.vla.data.demonstrations import (
    DataOptions,
    Demonstration,
    Demonstrations,
    Skipped,
    read_demonstrations,
)
from xvr.vla.statistics import measure

BLOCK = 128
"""Frames that are decoded at once."""
SHOWN = 5
"""Episodes that are named for each reason."""


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was found."""

    lines: tuple[str, ...]
    """For people."""
    skipped: tuple[Skipped, ...]
    """Episodes that training would skip."""

    @property
    def sound(self) -> bool:
        """Whether every episode can be used."""
        return not self.skipped


def check_data(
    paths: Sequence[Path],
    options: DataOptions,
    *,
    chunk: int = 16,
    decode: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> DataReport:
    """Read data sets as training would, and tell what is there.

    Args:
        paths: LeRobot data sets, or folders of them.
        options: what of them is used.
        chunk: actions that a policy gives at once.
        decode: whether every frame is decoded, or the first one of each video.
        progress: called with the episodes whose videos were looked at and their number.

    Raises:
        UserError: nothing can be used (`read_demonstrations`).
    """
    found = read_demonstrations(paths, options)
    bad = []
    for done, episode in enumerate(found.episodes, start=1):
        bad += _video_faults(episode, found.fps, decode)
        progress(done, len(found.episodes))
    skipped = (*found.skipped, *bad)
    lines = [
        *_sets(paths),
        *_contents(found, chunk),
        *_fields("state", found.state, [episode.state for episode in found.episodes]),
        *_fields("action", found.action, [episode.action for episode in found.episodes]),
        *_faults(skipped),
    ]
    return DataReport(lines=tuple(lines), skipped=skipped)


def _sets(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        for name, root in dataset_roots(path):
            by_modality = (root / MODALITY).is_file()
            dataset, listed = open_dataset(root, name, by_modality=by_modality, every_camera=True)
            version = ".".join(map(str, dataset.version))
            flavour = f", {MODALITY}" if by_modality else ""
            left_out = ", ".join(dataset.assignment.left_out)
            yield f"{root}: LeRobot v{version}{flavour}, {len(listed.numbers)} episodes listed" + (
                f"; cameras without any file: {left_out}" if left_out else ""
            )


def _contents(found: Demonstrations, chunk: int) -> Iterator[str]:
    lengths = [len(episode) for episode in found.episodes]
    yield (
        f"{len(lengths)} episodes, {found.frames} frames at {found.fps:g} per second, "
        f"{min(lengths)} to {max(lengths)} frames each"
    )
    short = sum(length < chunk for length in lengths)
    if short:
        yield (
            f"{short} of them shorter than a chunk of {chunk}: their missing steps are masked, "
            "not learned"
        )
    words = Counter(episode.instruction for episode in found.episodes)
    shown = ", ".join(f"{text!r} ({count})" for text, count in words.most_common(3))
    yield f"{len(words)} instructions: {shown}" + (", ..." if len(words) > 3 else "")
    names = [f"{camera.name} {camera.width}x{camera.height}" for camera in found.cameras]
    yield f"cameras, as a policy would see them: {', '.join(names) or 'none'}"


def _fields(part: str, specs: Sequence[FieldSpec], values: Sequence[np.ndarray]) -> Iterator[str]:
    measured = measure(values, values[0].shape[1])
    start = 0
    for spec in specs:
        low, high = (side[start : start + spec.dims] for side in (measured.low, measured.high))
        still = int((high - low <= 1e-6 * np.maximum(1, np.abs(high))).sum())
        note = f", {still} of them never change" if still and spec.dims > 1 else ""
        note = ", never changes" if still and spec.dims == 1 else note
        yield (
            f"{part} {spec.name}: {spec.dims} x {spec.kind}, "
            f"{low.min():.4g} to {high.max():.4g}{note}"
        )
        start += spec.dims


def _video_faults(episode: Demonstration, fps: float, decode: bool) -> list[Skipped]:
    for pictures in episode.pictures.values():
        try:
            if pictures.video is not None:
                rate = probe(pictures.video).fps
                if abs(rate - fps) > 0.01 * fps:
                    raise Unusable(
                        "wrong_fps",
                        f"{pictures.video}: {rate:g} per second, info.json says {fps:g}",
                    )
            for start in range(0, len(episode) if decode else 1, BLOCK):
                pictures.read(range(start, min(start + BLOCK, len(episode)) if decode else 1))
        except Unusable as error:
            return [Skipped(episode.id, error.reason, error.detail)]
    return []


def _faults(skipped: Sequence[Skipped]) -> Iterator[str]:
    for reason, count in Counter(skip.reason for skip in skipped).most_common():
        yield f"skipped: {count} x {reason}"
        for skip in [skip for skip in skipped if skip.reason == reason][:SHOWN]:
            yield f"  {skip.episode}: {skip.detail}"
    if not skipped:
        yield "every episode can be used"

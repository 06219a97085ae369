"""What a form of export must do: write the samples of a split, then what belongs to all splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xvr.dataset.record import Sample
from xvr.dataset.shards import ShardReader

SHARD_BYTES = 500 << 20
"""A shard of parquet or webdataset is closed when its images have so many bytes."""


class Writer(Protocol):
    """Writes the samples of one split."""

    def add(self, sample: Sample) -> None:
        """Write one sample with its images."""

    def close(self) -> None:
        """Complete the split."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form that trainers read."""

    name: str
    open: Callable[[Path, str, ShardReader], Writer]
    """(folder, split, images) -> writer of the split."""
    finish: Callable[[Path, Sequence[str]], None]
    """(folder, splits) writes what belongs to all splits."""
    front_matter: Callable[[Sequence[str]], str]
    """Splits -> what the hub reads in the README, or nothing."""
    usage: str
    """How it is read, Markdown."""


def nothing(folder: Path, splits: Sequence[str]) -> None:
    """For a form whose splits are all there is."""


def no_front_matter(splits: Sequence[str]) -> str:  # noqa: ARG001
    """For a form that the hub does not read."""
    return ""

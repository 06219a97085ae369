"""What a benchmark is: how its items are loaded, how answers are judged, how totals are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xvr.evaluation.item import Item
from xvr.evaluation.score import Scorer


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A benchmark read from disk; images are not."""

    items: tuple[Item, ...]
    revision: str
    """sha256 of the files that hold the questions and answers."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as that this is not a known revision."""


@dataclass(frozen=True, kw_only=True)
class Total:
    """One number over several tasks."""

    name: str
    """Such as `overall`."""
    mean: Literal["micro", "macro"]
    """Micro: over items; macro: over the accuracies of the tasks."""
    without: tuple[str, ...] = ()
    """Tasks that it leaves out."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One benchmark."""

    name: str
    """As on the command line, such as `mindcube-tiny`."""
    load: Callable[[Path], Loaded]
    """Reads the folder or file of the user.

    Raises:
        UserError: what is missing or wrong, where, and how to fix it.
    """
    scorers: Mapping[str, Scorer]
    """By name, the default first; every number says which one made it."""
    totals: tuple[Total, ...]
    """The first is the one that a benchmark is known by."""
    counts: Mapping[str, int] | None = None
    """Published number of items of each task, where there is one."""

"""Which sample comes when: a function of (seed, position), so that a run goes on where it stopped.

Samples are parted into strata, one per dataset and task. An epoch is a deck with a fixed number of
cards for each stratum, shuffled anew every time; the n-th card of a stratum is the n-th of its
samples in an order of its own. No sample comes again before all others of its stratum have come.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int32, Int64

from xvr.engine.config import apportion
from xvr.engine.seeds import child_rng
from xvr.errors import UserError, unknown_name
from xvr.training.samples import Source, Survey


@dataclass(frozen=True, kw_only=True, eq=False)
class Stratum:
    """The usable samples of one task in one dataset."""

    source: int
    """Index of the dataset."""
    name: str
    """Dataset and task, for seeds."""
    task: str
    lines: Int64[np.ndarray, " n"]
    share: float
    """Of all samples drawn."""


def strata_of(
    sources: Sequence[Source], surveys: Sequence[Survey], task_weights: Mapping[str, float]
) -> tuple[Stratum, ...]:
    """The strata with their shares; those of weight 0 are left out.

    Without weights a share is that of the samples. The weight of a dataset is its share; the weight
    of a task multiplies its number of samples, and what is not named has weight 1.

    Args:
        sources: the datasets.
        surveys: of each of them.
        task_weights: by name of the task.

    Raises:
        UserError: a weight is negative, names a task that no dataset has, or leaves nothing.
    """
    _check_weights(task_weights, {task for survey in surveys for task in survey.tasks if task})
    found: list[Stratum] = []
    sizes = [len(survey.tasks) - len(survey.unusable) for survey in surveys]
    for number, (source, survey) in enumerate(zip(sources, surveys, strict=True)):
        lines: dict[str, list[int]] = defaultdict(list)
        for line, task in enumerate(survey.tasks):
            if line not in survey.unusable and task_weights.get(task, 1.0) > 0:
                lines[task].append(line)
        weight = sizes[number] if source.weight is None else source.weight
        masses = {task: len(lines[task]) * task_weights.get(task, 1.0) for task in sorted(lines)}
        total = sum(masses.values())
        found += [
            Stratum(
                source=number,
                name=f"{number}:{source.name}:{task}",
                task=task,
                lines=np.asarray(lines[task], np.int64),
                share=weight * mass / total,
            )
            for task, mass in masses.items()
        ]
    if not found:
        raise UserError("no sample is left to train on: check --data and --task-weights")
    whole = sum(stratum.share for stratum in found)
    return tuple(
        Stratum(source=s.source, name=s.name, task=s.task, lines=s.lines, share=s.share / whole)
        for s in found
    )


class Order:
    """Draws samples by position."""

    def __init__(self, strata: Sequence[Stratum], seed: int) -> None:
        """The deck has as many cards as the strata have samples."""
        self.strata = tuple(strata)
        self.epoch = sum(len(stratum.lines) for stratum in strata)
        """Samples drawn in an epoch."""
        self._seed = seed
        shares = {str(i): stratum.share for i, stratum in enumerate(strata)}
        counts = apportion(self.epoch, shares)
        self._counts = np.asarray([counts[str(i)] for i in range(len(strata))], np.int64)
        self._deck = lru_cache(2)(self._shuffled_deck)
        self._lines = lru_cache(2 * len(strata))(self._shuffled_lines)

    def draw(self, position: int) -> tuple[int, int]:
        """Dataset and line of the sample at a position, from 0 and without end."""
        epoch, place = divmod(position, self.epoch)
        cards, nth = self._deck(epoch)
        number = int(cards[place])
        stratum = self.strata[number]
        drawn = epoch * int(self._counts[number]) + int(nth[place])
        turn, card = divmod(drawn, len(stratum.lines))
        return stratum.source, int(self._lines(number, turn)[card])

    def counts(self) -> dict[str, int]:
        """Samples of each task in an epoch."""
        found: dict[str, int] = defaultdict(int)
        for stratum, count in zip(self.strata, self._counts, strict=True):
            found[stratum.task] += int(count)
        return dict(sorted(found.items()))

    def __reduce__(self) -> tuple[type["Order"], tuple[tuple[Stratum, ...], int]]:
        return type(self), (self.strata, self._seed)

    def _shuffled_deck(self, epoch: int) -> tuple[Int32[np.ndarray, " n"], Int32[np.ndarray, " n"]]:
        """Stratum of each position, and the how manieth of it that is."""
        cards = np.repeat(np.arange(len(self.strata), dtype=np.int32), self._counts)
        cards = child_rng(self._seed, "deck", epoch).permutation(cards)
        nth = np.empty_like(cards)
        order = np.argsort(cards, kind="stable")
        nth[order] = np.concatenate([np.arange(count, dtype=np.int32) for count in self._counts])
        return cards, nth

    def _shuffled_lines(self, number: int, turn: int) -> Int64[np.ndarray, " n"]:
        stratum = self.strata[number]
        return child_rng(self._seed, "lines", stratum.name, turn).permutation(stratum.lines)


def _check_weights(weights: Mapping[str, float], tasks: set[str]) -> None:
    for task, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise UserError(f"--task-weights {task}={weight}: a weight is 0 or more")
        if task not in tasks:
            raise unknown_name("task of the data in --task-weights", task, tasks)

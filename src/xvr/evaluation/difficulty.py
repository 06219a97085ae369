"""Accuracy against how hard an item is by its proof: the angle between views, a gap in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.dataset.reader import read_split, splits_of
from xvr.evaluation.judged import Judged
from xvr.evaluation.statistics import Interval, wilson

LEAST_ITEMS = 20
"""Fewer items with a measure say nothing."""
BINS = 4
"""Of equal numbers of items; a measure with at most so many values has a bin for each."""

Measures = Mapping[str, Mapping[str, float]]
"""{item: {name: value}}."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Items of one task whose measure lies between two values, ends included."""

    low: float
    high: float
    n: int
    right: int
    interval: Interval
    """Wilson, 95 %."""


def read_measures(dataset: Path) -> dict[str, dict[str, float]]:
    """What the provenance of a dataset holds under `difficulty`, by sample.

    Raises:
        UserError: the folder holds no dataset, or a line cannot be read.
    """
    return {
        sample.sample_id: dict(proof.difficulty)
        for split in splits_of(dataset)
        for sample, proof in read_split(dataset, split)
        if proof is not None
    }


def curves(items: Sequence[Judged], measures: Measures) -> dict[str, tuple[Bin, ...]]:
    """Accuracy by bins of every measure that the items of one task have.

    Args:
        items: of one task.
        measures: of items, by name.

    Returns:
        At least two bins by name of the measure, from low to high.
    """
    known = [(item, measures.get(item.target.item_id, {})) for item in items]
    found = {}
    for name in sorted({name for _, values in known for name in values}):
        pairs = [(values[name], item.correct) for item, values in known if name in values]
        if len(pairs) >= LEAST_ITEMS:
            values, right = np.array(pairs, dtype=np.float64).T
            bins = _bins(values, right)
            if len(bins) > 1:
                found[name] = bins
    return found


def _bins(values: Float[np.ndarray, " n"], right: Float[np.ndarray, " n"]) -> tuple[Bin, ...]:
    distinct = np.unique(values)
    if len(distinct) > BINS:
        edges = np.quantile(values, np.arange(1, BINS) / BINS)
        of = np.searchsorted(edges, values, side="left")
    else:
        of = np.searchsorted(distinct, values)
    bins = []
    for number in np.unique(of):
        mine = of == number
        n, correct = int(mine.sum()), int(right[mine].sum())
        low, high = float(values[mine].min()), float(values[mine].max())
        bins.append(Bin(low=low, high=high, n=n, right=correct, interval=wilson(correct, n)))
    return tuple(bins)

"""Wrong options that balance what a cheater could use instead of reasoning.

A cue, such as the colour around a mark, orders the options by how well they fit the references, in
several measures (to the mean of the references, to the nearest of them, ...). The right option gets
every rank equally often, per cue and independently between cues, and all measures of a cue agree on
the rank, so that picking by the cue is picking by chance.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int


def balanced_ranks(variant: int, options: int, cues: int) -> tuple[int, ...]:
    """Ranks of the right option by each cue, for the variant of a slot.

    All combinations come up within options^cues variants, and each rank of each cue once within
    every `options` variants.
    """
    first = variant % options
    return (first, *((variant // options**cue + first) % options for cue in range(1, cues)))


def fits_better(
    misfit: Float[np.ndarray, "m n"], own: Float[np.ndarray, " m"]
) -> Int[np.ndarray, " n"]:
    """1 where every measure fits better than the right option's, -1 where none does, else 0."""
    better = misfit < own[:, None]
    return better.all(axis=0).astype(np.int8) - (~better).all(axis=0).astype(np.int8)


def choose_decoys(
    candidates: Int[np.ndarray, " n"],
    fits: Int[np.ndarray, "c n"],
    ranks: tuple[int, ...],
    count: int,
    apart: Callable[[int, Int[np.ndarray, " m"]], Bool[np.ndarray, " m"]],
    rng: np.random.Generator,
) -> Int[np.ndarray, " k"] | None:
    """Candidates, pairwise apart, of which `ranks[i]` are better than the right option by cue i.

    Args:
        candidates: what may be chosen.
        fits: `fits_better` of every candidate, per cue; 0 is never chosen.
        ranks: how many of the chosen must be better, per cue.
        count: how many to choose.
        apart: which of the given candidates are far enough from one of them.
        rng: source of randomness.

    Returns:
        The chosen candidates, or None when a kind that is needed runs out.
    """
    wanted = [np.where(rng.permutation(count) < rank, 1, -1) for rank in ranks]
    chosen: list[int] = []
    for kind in zip(*wanted, strict=True):
        fitting = candidates[(fits == np.array(kind)[:, None]).all(axis=0)]
        if len(fitting) == 0:
            return None
        chosen.append(int(fitting[rng.integers(len(fitting))]))
        kept = apart(chosen[-1], candidates)
        candidates, fits = candidates[kept], fits[:, kept]
    return np.array(chosen)

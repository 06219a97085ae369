"""Wrong options that balance what a cheater could use instead of reasoning.

A cue, such as the colour around a mark, orders the options by how badly they fit the references, in
several measures (against the mean of the references, the nearest of them, ...). The right option
gets every rank equally often, per cue and independently between cues; all measures of a cue agree
on it, so that picking by any of them is picking by chance.
"""

import numba
import numpy as np
from jaxtyping import Bool, Float, Int


def balanced_ranks(variant: int, options: int, cues: int) -> tuple[int, ...]:
    """Ranks of the right option by each cue, for the variant of a slot.

    All combinations come up within options^cues variants, and each rank of each cue once within
    every `options` variants.
    """
    first = variant % options
    return (first, *((variant // options**cue + first) % options for cue in range(1, cues)))


def comparable(
    changes: Float[np.ndarray, "*m 1"], others: Float[np.ndarray, " n"], tolerance: float
) -> Bool[np.ndarray, "*m n"]:
    """Whether options would change as much between views as the right one, by |log| ratio.

    What looks alike from everywhere is seldom the answer of a question that cannot be solved by
    looks; only options that change as much as the answer leave the target alone without a hint.
    """
    return np.abs(np.log(changes / others)) <= tolerance


def fits_better(
    misfit: Float[np.ndarray, "m n"], own: Float[np.ndarray, " m"]
) -> Int[np.ndarray, " n"]:
    """1 where every measure fits better than the right option's, -1 where none does, else 0."""
    better = misfit < own[:, None]
    return better.all(axis=0).astype(np.int8) - (~better).all(axis=0).astype(np.int8)


def choose_decoys(
    fits: Int[np.ndarray, "c n"],
    apart: Bool[np.ndarray, "n n"],
    ranks: tuple[int, ...],
    count: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " k"] | None:
    """Candidates, pairwise apart, of which `ranks[i]` fit better than the right option by cue i.

    Args:
        fits: `fits_better` of every candidate, per cue; 0 is never chosen.
        apart: whether two candidates are far enough from each other.
        ranks: how many of the chosen must be better, per cue.
        count: how many to choose.
        rng: source of randomness.

    Returns:
        Indices of the chosen candidates, or None when a kind that is needed runs out.
    """
    wanted = np.stack([np.where(rng.permutation(count) < rank, 1, -1) for rank in ranks])
    chosen = _first_apart(fits, apart, wanted.astype(np.int8), rng.permutation(fits.shape[1]))
    return None if chosen[-1] < 0 else chosen


@numba.njit(cache=True)
def _first_apart(fits, apart, wanted, order):  # pragma: no cover - compiled
    """For each wanted kind, the first candidate in an order that is apart from those before."""
    cues, count = wanted.shape
    chosen = np.full(count, -1)
    for n in range(count):
        for candidate in order:
            suits = True
            for cue in range(cues):
                if fits[cue, candidate] != wanted[cue, n]:
                    suits = False
                    break
            for other in chosen[:n]:
                if not suits or not apart[other, candidate]:
                    suits = False
                    break
            if suits:
                chosen[n] = candidate
                break
        if chosen[n] < 0:
            chosen[-1] = -1
            return chosen
    return chosen

"""Wrong options that balance what a cheater could use instead of reasoning.

A cue, such as the colour around a mark, orders the options by how well they fit the references.
The right option gets every rank equally often, per cue and independently between cues, so that
picking by the cue is picking by chance.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int


def paired_ranks(variant: int, options: int) -> tuple[int, int]:
    """Ranks of the right option by two cues, for the variant of a slot.

    All pairs come up within options^2 variants, and each rank once within every `options` of them.
    """
    return variant % options, (variant // options + variant) % options


def choose_decoys(
    candidates: Int[np.ndarray, " n"],
    better: Bool[np.ndarray, "c n"],
    ranks: tuple[int, ...],
    count: int,
    apart: Callable[[int, Int[np.ndarray, " m"]], Bool[np.ndarray, " m"]],
    rng: np.random.Generator,
) -> Int[np.ndarray, " k"] | None:
    """Candidates, pairwise apart, of which `ranks[i]` are better than the right option by cue i.

    Args:
        candidates: what may be chosen.
        better: whether a candidate fits better than the right option, per cue.
        ranks: how many of the chosen must be better, per cue.
        count: how many to choose.
        apart: which of the given candidates are far enough from one of them.
        rng: source of randomness.

    Returns:
        The chosen candidates, or None when a kind that is needed runs out.
    """
    wanted = [rng.permutation(np.arange(count) < rank) for rank in ranks]
    chosen: list[int] = []
    for kind in zip(*wanted, strict=True):
        fitting = candidates[(better == np.array(kind)[:, None]).all(axis=0)]
        if len(fitting) == 0:
            return None
        chosen.append(int(fitting[rng.integers(len(fitting))]))
        kept = apart(chosen[-1], candidates)
        candidates, better = candidates[kept], better[:, kept]
    return np.array(chosen)

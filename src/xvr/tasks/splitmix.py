"""Random numbers inside compiled loops: SplitMix64, eight bytes of state, no library call.

Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

import numba
import numpy as np
from jaxtyping import UInt64

_STEP, _ALL_BITS = 0x9E3779B97F4A7C15, (1 << 64) - 1


def new_state(rng: np.random.Generator) -> UInt64[np.ndarray, "1"]:
    """A state for `draw_below`, seeded from a generator."""
    return np.array([rng.integers(2**63)], np.uint64)


def state_of(*numbers: int) -> UInt64[np.ndarray, "1"]:
    """The state that belongs to whole numbers up to 2^63; cheaper than a generator of theirs."""
    state = np.zeros(1, np.uint64)
    for number in numbers:
        state[0] = _mixed((int(state[0]) ^ number) + _STEP & _ALL_BITS)
    return state


@numba.njit(cache=True)
def draw_below(state, bound):  # pragma: no cover - compiled
    """A whole number in 0..bound-1, bound up to 2^32; changes the state."""
    state[0] += np.uint64(_STEP)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64(((z >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


def _mixed(z: int) -> int:
    """What `draw_below` makes of a state, all 64 bits."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _ALL_BITS
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _ALL_BITS
    return z ^ (z >> 31)

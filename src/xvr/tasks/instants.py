"""Moments of an episode that two cameras can tell apart: what ordering and syncing are asked about.

Every two of the moments are apart in time, the end effector moved between them, and both cameras
saw a change: then a person can match the frames of one with those of the other.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from xvr.tasks.draft import Refusal
from xvr.tasks.grid import FrameGrid, draw_roles
from xvr.tasks.rules import Rules

MOMENTS = 3


class Moments(NamedTuple):
    """Two cameras and instants of a grid at which the end effector is elsewhere."""

    witness: str
    """Role of the camera that shows what is asked about."""
    role: str
    """Role of the camera that took the candidates."""
    instants: tuple[int, ...]
    """Places in the grid, in order of time."""


def draw_moments(grid: FrameGrid, rng: np.random.Generator, rules: Rules) -> Moments | Refusal:
    """Two random cameras at three random instants, or why there are none."""
    drawn = draw_roles(grid.roles, 2, rng)
    if drawn is None:
        return Refusal(reason="too_few_cameras")
    sets = grid.keep("instants", lambda: _find_instants(grid, rules))
    if isinstance(sets, Refusal):
        return sets
    witness, role = drawn
    return Moments(witness, role, tuple(sets[int(rng.integers(len(sets)))].tolist()))


def check_moments(grid: FrameGrid, moments: Moments, rules: Rules) -> dict[str, float] | Refusal:
    """The measures of moments that pass the rules, or the refusal."""
    pairs = list(combinations(moments.instants, 2))
    checks = {"min_time_gap_s": min(grid.time_s(b) - grid.time_s(a) for a, b in pairs)}
    known = [move for a, b in pairs if (move := grid.effector_move_m(a, b)) is not None]
    if known:
        checks["min_moment_move_m"] = min(known)
    roles = {"witness_ssim": moments.witness, "candidate_ssim": moments.role}
    for name, role in roles.items():
        checks[name] = max(grid.ssim(role, a, b) for a, b in pairs)
        if checks[name] > rules.max_moment_ssim:
            return Refusal(reason="camera_saw_no_change")
    return checks


def _find_instants(grid: FrameGrid, rules: Rules) -> Int[np.ndarray, "n 3"] | Refusal:
    """All sets of instants, each in order of time, that are apart in time and by what moved."""
    if len(grid.frames) < MOMENTS:
        return Refusal(reason="too_few_instants")
    if not len(_triples(grid, grid.apart(rules.min_time_gap_s, 0.0))):
        return Refusal(reason="instants_too_close")
    sets = _triples(grid, grid.apart(rules.min_time_gap_s, rules.min_moment_move_m))
    return sets if len(sets) else Refusal(reason="effector_did_not_move")


def _triples(grid: FrameGrid, pairs: Int[np.ndarray, "n 2"] | Refusal) -> Int[np.ndarray, "m 3"]:
    """Sets of three of which every two are among the pairs."""
    allowed = np.zeros((len(grid.frames),) * 2, dtype=bool)
    if not isinstance(pairs, Refusal):
        allowed[tuple(pairs.T)] = True
    return np.argwhere(allowed[:, :, None] & allowed[:, None] & allowed)

"""Moments of an episode that two cameras can tell apart: what ordering and syncing are asked about.

Every two of the moments are apart in time, the end effector moved between them, and both cameras
saw a change: then a person can match the frames of one with those of the other.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from xvr.tasks.draft import Refusal
from xvr.tasks.grid import FrameGrid, draw_roles
from xvr.tasks.rules import Rules


class Moments(NamedTuple):
    """Instants of a grid that a witness and another camera both tell apart."""

    witness: str
    """Role of the camera that shows what is asked about."""
    role: str
    """Role of the camera that took the candidates."""
    instants: tuple[int, ...]
    """Places in the grid, in order of time."""
    checks: dict[str, float]
    """The measures that passed the rules."""


def draw_moments(
    grid: FrameGrid, count: int, rng: np.random.Generator, rules: Rules
) -> Moments | Refusal:
    """Two random cameras at `count` random instants, or why these do not do."""
    drawn = draw_roles(grid.roles, 2, rng)
    if drawn is None:
        return Refusal(reason="too_few_cameras")
    instants = _draw_instants(grid, count, rng)
    if instants is None:
        return Refusal(reason="too_few_instants")
    checks = check_instants(grid, drawn, instants, rules)
    if isinstance(checks, Refusal):
        return checks
    witness, role = drawn
    return Moments(witness, role, instants, checks)


def _draw_instants(grid: FrameGrid, count: int, rng: np.random.Generator) -> tuple[int, ...] | None:
    """Different instants of a grid in order of time; None when it has fewer."""
    if len(grid.frames) < count:
        return None
    return tuple(sorted(rng.choice(len(grid.frames), size=count, replace=False).tolist()))


def check_instants(
    grid: FrameGrid, roles: tuple[str, ...], instants: tuple[int, ...], rules: Rules
) -> dict[str, float] | Refusal:
    """The measures of instants that pass the rules, or the refusal.

    Args:
        grid: the episode.
        roles: the witness and the camera that took the candidates.
        instants: places in the grid, in order of time.
        rules: the rules.
    """
    pairs = list(combinations(instants, 2))
    checks = {"min_time_gap_s": min(grid.time_s(b) - grid.time_s(a) for a, b in pairs)}
    if checks["min_time_gap_s"] < rules.min_time_gap_s:
        return Refusal(reason="instants_too_close")
    moves = [grid.effector_move_m(a, b) for a, b in pairs]
    known = [move for move in moves if move is not None]
    if known:
        checks["min_moment_move_m"] = min(known)
        if checks["min_moment_move_m"] < rules.min_moment_move_m:
            return Refusal(reason="effector_did_not_move")
    for name, role in zip(("witness_ssim", "candidate_ssim"), roles, strict=True):
        checks[name] = max(grid.ssim(role, a, b) for a, b in pairs)
        if checks[name] > rules.max_moment_ssim:
            return Refusal(reason="camera_saw_no_change")
    return checks

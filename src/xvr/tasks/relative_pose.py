"""Relative pose: which way, and how far, did the camera go around the scene between two views?

    Image 1, Image 2 -> "C" (A: to the left by about 40 degrees; B: to the right by about 80 ...)

The angle is the one between the two cameras seen from the scene's centre, the side that of the
second camera in the frame of the first. Two sides and two angles make four options. From the first
view all four moves lead to a view, and these four look equally like the first: so neither the first
image nor likeness tells which of them was made.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import angles_seen_from
from xvr.geometry.camera import project
from xvr.geometry.visibility import inside
from xvr.tasks import extended_wordings
from xvr.tasks.compose import pick, prompt, triple, view_ref
from xvr.tasks.draft import LETTERS, Draft, Option, Refusal, Slot
from xvr.tasks.pool import PointPool, margin_px
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

SIDES = ("left", "right")
OPTIONS = 4
ANGLE_STEP_DEG = 10.0
"""Angles on offer are multiples of this; the true one is rounded."""
LIKENESS_SPREAD = 0.1
"""Largest difference of the four views' correlations with the first."""
CROWDS_TRIED = 8
REASONS = ("answer", "other_angle", "other_side", "other_side_and_angle")


class Turns(NamedTuple):
    """Moves from view i to view j around the scene's centre."""

    angle_deg: Float[np.ndarray, "v v"]
    dominance: Float[np.ndarray, "v v"]
    """Sideways offset over height offset, the smaller of both views' frames."""
    cell: Int[np.ndarray, "v v"]
    """Twice the angle in steps, plus one for a move to the right; 0 where the rules are not met."""


class Offer(NamedTuple):
    """A first view and where four moves lead: both angles to the left, then both to the right."""

    first: int
    seconds: tuple[int, ...]
    angles_deg: tuple[float, ...]


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the move that was made."""
    turns = _turns(pool, rules)
    first = int(rng.integers(len(pool.views)))
    offered = _angles_on_offer(turns.cell[first], rules)
    if not offered:
        return Refusal(reason="no_view_for_every_turn")
    offer = _offer(pool, turns, first, offered[rng.integers(len(offered))], rng)
    if offer is None:
        return Refusal(reason="no_turns_that_look_alike")
    second = offer.seconds[slot.variant]
    others = rng.permutation([move for move in range(OPTIONS) if move != slot.variant]).tolist()
    moves = [*others[: slot.answer], slot.variant, *others[slot.answer :]]
    letters = LETTERS[:OPTIONS]
    choices = {
        letter: extended_wordings.TURN.format(
            side=SIDES[move // 2], degrees=f"{offer.angles_deg[move % 2]:.0f}"
        )
        for letter, move in zip(letters, moves, strict=True)
    }
    question = pick(extended_wordings.RELATIVE_POSE, rng)
    angle_deg = float(turns.angle_deg[first, second])
    return Draft(
        slot=slot,
        images=(view_ref(pool, first, "reference"), view_ref(pool, second, "target")),
        blocks=prompt(
            pick(extended_wordings.PLAIN_OPENINGS, rng),
            ["Image 1:", "Image 2:"],
            question.format(choices=extended_wordings.spelled(choices)),
        ),
        options=tuple(
            Option(value=letter, correct=move == slot.variant, why=REASONS[move ^ slot.variant])
            for letter, move in zip(letters, moves, strict=True)
        ),
        answer=letters[slot.answer],
        key=(pool.views[first].name, pool.views[second].name),
        world={
            "scene_center_m": triple(pool.center_world),
            "turn_side": SIDES[slot.variant // 2],
            "turn_deg": round(angle_deg, 3),
            "choices": choices,
        },
        checks={
            "turn_deg": angle_deg,
            "min_turn_gap_deg": abs(
                offer.angles_deg[1 - slot.variant % 2] - offer.angles_deg[slot.variant % 2]
            ),
            "min_turn_ratio": offer.angles_deg[1] / offer.angles_deg[0],
            "min_turn_dominance": float(turns.dominance[first, second]),
        },
        difficulty={
            "turn_deg": angle_deg,
            "likeness": float(pool.similarity[first, second]),
        },
    )


@lru_cache(maxsize=1)
def _turns(pool: PointPool, rules: Rules) -> Turns:
    angle_deg = angles_seen_from(pool.center_world, pool.centers_world)
    offsets = np.stack(
        [(pool.centers_world - c.center) @ c.world_from_camera[:3, :3] for c in pool.cameras]
    )  # (v, v, 3): where view j stands in the frame of view i
    sideways, height = offsets[..., 0], np.abs(offsets[..., 1])
    dominance = np.abs(sideways) / np.maximum(height, 1e-9)
    dominance = np.minimum(np.minimum(dominance, dominance.T), 1e6)
    sees = _sees_the_center(pool, rules)
    allowed = (dominance >= rules.min_turn_dominance) & (sideways * sideways.T < 0)
    allowed &= sees & sees[:, None]
    allowed &= (angle_deg >= rules.min_view_angle_deg) & (angle_deg <= rules.max_view_angle_deg)
    cell = 2 * np.rint(angle_deg / ANGLE_STEP_DEG).astype(int) + (sideways > 0)
    return Turns(angle_deg, dominance, np.where(allowed, cell, 0))


def _sees_the_center(pool: PointPool, rules: Rules) -> Bool[np.ndarray, " v"]:
    """Whether a view has the scene's centre in the image, so that a turn around it can be told."""
    found = []
    for camera in pool.cameras:
        uv_px, _ = project(camera, pool.center_world[None])
        found.append(inside(uv_px, camera.width, camera.height, margin_px(camera, rules))[0])
    return np.array(found)


def _angles_on_offer(cells_of_first: Int[np.ndarray, " v"], rules: Rules) -> list[tuple[int, int]]:
    """Pairs of angles, in steps, that the rules allow and that both sides have a view for."""
    there = set(cells_of_first.tolist())
    steps = sorted({c // 2 for c in there if c > 1 and {c, c ^ 1} <= there})
    return [
        (small, large)
        for small in steps
        for large in steps
        if (large - small) * ANGLE_STEP_DEG >= rules.min_turn_gap_deg
        and large >= rules.min_turn_ratio * small
    ]


def _offer(
    pool: PointPool,
    turns: Turns,
    first: int,
    steps: tuple[int, int],
    rng: np.random.Generator,
) -> Offer | None:
    """One view for each move, all of them equally like the first view; None when there are none."""
    cells_wanted = [2 * step + side for side in (0, 1) for step in steps]
    by_move = [np.flatnonzero(turns.cell[first] == cell) for cell in cells_wanted]
    alike = pool.similarity[first]
    for _ in range(CROWDS_TRIED):
        seconds = [int(rng.choice(views)) for views in by_move]
        if np.ptp(alike[seconds]) <= LIKENESS_SPREAD:
            angles = tuple(step * ANGLE_STEP_DEG for step in steps)
            return Offer(first, tuple(seconds), angles)
    return None


TASK = Task(
    name="relative_pose",
    released_id="relative_pose",
    id_prefix="relative_pose",
    domain="general",
    question="Which way, and how far, did the camera go around the scene between two views?",
    cells=cells((2,), lambda _: OPTIONS),
    variants=OPTIONS,
    draft=draft,
    eval_count=200,
)

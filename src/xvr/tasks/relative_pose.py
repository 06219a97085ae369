"""Relative pose: which way, and how far, did the camera go around the scene between two views?

    Image 1, Image 2 -> "C" (A: to the left by about 40 degrees; B: to the right by about 80 ...)

The angle is the one between the two cameras seen from the scene's centre, the side that of the
second camera in the frame of the first. Two sides and two angles make four options. From the first
view there are moves to both sides; on either side, the views at both angles are about equally like
the first. So neither the first image nor likeness tells which of the moves was made.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import angles_seen_from, unit
from xvr.geometry.camera import project
from xvr.geometry.visibility import inside
from xvr.tasks import extended_wordings
from xvr.tasks.compose import pick, prompt, triple, view_ref
from xvr.tasks.draft import LETTERS, Draft, Option, Refusal, Slot
from xvr.tasks.likeness import allowed_gaps, view_likeness
from xvr.tasks.pool import PointPool, margin_px
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

SIDES = ("left", "right")
OPTIONS = 4
ANGLE_STEP_DEG = 10.0
"""Angles on offer are multiples of this; the true one is rounded."""
REASONS = ("answer", "other_angle", "other_side", "other_side_and_angle")


class Turns(NamedTuple):
    """Moves from view i to view j around the scene's centre."""

    angle_deg: Float[np.ndarray, "v v"]
    dominance: Float[np.ndarray, "v v"]
    """Sideways offset over height offset, the smaller of both views' frames."""
    doubt_deg: Float[np.ndarray, "v v"]
    """How far the turn is from its angle on offer when seen from the middle of what both see."""
    cell: Int[np.ndarray, "v v"]
    """Twice the angle in steps, plus one for a move to the right; 0 where the rules are not met."""


class Offer(NamedTuple):
    """Where moves from one view to one side lead."""

    seconds: tuple[int, int]
    """Views after the smaller and after the larger turn."""
    steps: tuple[int, int]
    """Both angles, in steps."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the move that was made."""
    side, size = divmod(slot.variant, 2)
    turns = pool.keep("turns", lambda: _turns(pool, rules))
    offers = pool.keep("offers", lambda: _offers(pool, turns, rules))
    if not offers:
        return Refusal(reason="no_turns_that_look_alike")
    first = int(rng.choice(list(offers)))
    seconds, steps = offers[first][side][int(rng.integers(len(offers[first][side])))]
    second = seconds[size]
    others = rng.permutation([move for move in range(OPTIONS) if move != slot.variant]).tolist()
    moves = [*others[: slot.answer], slot.variant, *others[slot.answer :]]
    letters = LETTERS[:OPTIONS]
    angles_deg = [step * ANGLE_STEP_DEG for step in steps]
    choices = {
        letter: extended_wordings.TURN.format(
            side=SIDES[move // 2], degrees=f"{angles_deg[move % 2]:.0f}"
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
            "turn_side": SIDES[side],
            "choices": choices,
        },
        checks={
            "turn_deg": angle_deg,
            "min_turn_gap_deg": angles_deg[1] - angles_deg[0],
            "min_turn_ratio": angles_deg[1] / angles_deg[0],
            "max_turn_doubt_share": float(turns.doubt_deg[first, second])
            / (angles_deg[1] - angles_deg[0]),
            "min_turn_dominance": float(turns.dominance[first, second]),
        },
        difficulty={
            "turn_deg": angle_deg,
            "likeness": float(pool.similarity[first, second]),
        },
    )


def _turns(pool: PointPool, rules: Rules) -> Turns:
    angle_deg = angles_seen_from(pool.center_world, pool.centers_world)
    cameras = [view.camera for view in pool.views]
    offsets = np.stack(
        [(pool.centers_world - c.center) @ c.world_from_camera[:3, :3] for c in cameras]
    )  # (v, v, 3): where view j stands in the frame of view i
    sideways, height = offsets[..., 0], np.abs(offsets[..., 1])
    dominance = np.abs(sideways) / np.maximum(height, 1e-9)
    dominance = np.minimum(np.minimum(dominance, dominance.T), 1e6)
    sees = _sees_the_center(pool, rules)
    allowed = (dominance >= rules.min_turn_dominance) & (sideways * sideways.T < 0)
    allowed &= sees & sees[:, None]
    allowed &= (angle_deg >= rules.min_view_angle_deg) & (angle_deg <= rules.max_view_angle_deg)
    steps = np.rint(angle_deg / ANGLE_STEP_DEG)
    doubt_deg = np.abs(_shared_angles(pool) - steps * ANGLE_STEP_DEG)
    cell = 2 * steps.astype(int) + (sideways > 0)
    return Turns(angle_deg, dominance, doubt_deg, np.where(allowed, cell, 0))


def _shared_angles(pool: PointPool) -> Float[np.ndarray, "v v"]:
    """Angle between two views as seen from the mean of the points that both see; 180 for none."""
    seen = pool.visible.astype(float)
    angles = np.full((len(seen), len(seen)), 180.0)
    for first, own in enumerate(seen):
        both = own * seen
        count = both.sum(axis=1)
        middle = both @ pool.points_world / np.maximum(count, 1)[:, None]  # (v, 3)
        arms = unit(pool.centers_world[first] - middle), unit(pool.centers_world - middle)
        cosine = np.clip((arms[0] * arms[1]).sum(axis=1), -1.0, 1.0)
        angles[first] = np.where(count > 0, np.degrees(np.arccos(cosine)), 180.0)
    return angles


def _sees_the_center(pool: PointPool, rules: Rules) -> Bool[np.ndarray, " v"]:
    """Whether a view has the scene's centre in the image, so that a turn around it can be told."""
    found = []
    for camera in (view.camera for view in pool.views):
        uv_px, _ = project(camera, pool.center_world[None])
        found.append(inside(uv_px, camera.width, camera.height, margin_px(camera, rules))[0])
    return np.array(found)


def _offers(
    pool: PointPool, turns: Turns, rules: Rules
) -> dict[int, tuple[list[Offer], list[Offer]]]:
    """Moves to the left and to the right from every view that has both."""
    likeness = view_likeness(pool)
    allowed = turns.cell > 0
    if not allowed.any():
        return {}
    gaps = allowed_gaps(rules.max_turn_likeness_sd) * likeness[:, allowed].std(axis=1)
    offers = {}
    for first, cell in enumerate(turns.cell):
        steps = cell // 2
        gap_deg = (steps - steps[:, None]) * ANGLE_STEP_DEG  # (v, v): to the row's view
        doubt_deg = np.maximum(turns.doubt_deg[first], turns.doubt_deg[first, :, None])
        larger = (gap_deg >= rules.min_turn_gap_deg) & (
            doubt_deg <= rules.max_turn_doubt_share * gap_deg
        )
        larger &= steps >= rules.min_turn_ratio * steps[:, None]
        apart = np.abs(likeness[:, first, :, None] - likeness[:, first, None])  # (m, v, v)
        alike = (apart <= gaps[:, None, None]).all(axis=0)
        left, right = (
            [
                Offer((small, large), (int(steps[small]), int(steps[large])))
                for small, large in np.argwhere(larger & alike & there & there[:, None]).tolist()
            ]
            for there in ((cell > 0) & (cell % 2 == side) for side in range(2))
        )
        if left and right:
            offers[first] = (left, right)
    return offers


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

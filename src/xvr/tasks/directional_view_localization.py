"""Directional view localization: the centre image is the agent's view; which image is its left?

    Image 1 (fix_center), Image 2, Image 3; "which image is its left side?" -> "3"

Sides come from calibrated poses where there are any: the side camera's centre in the centre
camera's frame, x dominant. A camera on a hand is always ahead too, so its x only has to be clear.
Otherwise sides come from the dataset's table of roles.
"""

from typing import NamedTuple

import numpy as np

from xvr.tasks import wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid, rides_on_hand
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

SIDES = ("left", "right")
TRIPLES = (
    ("fix_center", "fix_left", "fix_right"),
    ("fix_center", "ego_left", "ego_right"),
    ("ego_head", "ego_left", "ego_right"),
)
"""Centre, left and right roles that may be asked together, in order of preference."""


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the side asked for."""
    grid = pair.own
    triples = [roles for roles in TRIPLES if set(roles) <= set(grid.roles)]
    if not triples:
        return Refusal(reason="no_centre_with_two_sides")
    center, *sides = triples[int(rng.integers(len(triples)))]
    instant = grid.draw(rng)
    checks = {}
    for role, sign in zip(sides, (-1, 1), strict=True):
        offset = side_offset(grid, center, role, instant)
        if offset is None:
            continue
        ahead = offset.dominance < rules.min_side_dominance and not rides_on_hand(role)
        if sign * offset.x_m < rules.min_side_m or ahead:
            return Refusal(reason="side_not_clear_from_poses")
        checks[f"{role}_x_m"] = offset.x_m
        checks[f"{role}_dominance"] = offset.dominance
    asked = sides[slot.variant]
    shown = [role for role in sides if role != asked]
    shown.insert(slot.answer, asked)
    question = pick(wordings.DIRECTIONAL_VIEW, rng).format(center=center, side=SIDES[slot.variant])
    return Draft(
        slot=slot,
        images=(
            grid.ref(center, instant, "center"),
            *(grid.ref(role, instant, "side") for role in shown),
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            [f"Image 1 ({center}):", "Image 2:", "Image 3:"],
            question,
        ),
        options=tuple(
            Option(
                value=str(n + 2),
                correct=n == slot.answer,
                why="answer" if n == slot.answer else "other_side",
            )
            for n in range(len(shown))
        ),
        answer=str(slot.answer + 2),
        key=(grid.frames[instant], center, asked),
        world={"side": SIDES[slot.variant], "asked_role": asked},
        checks=checks,
        difficulty={"time_s": grid.time_s(instant)},
    )


class SideOffset(NamedTuple):
    """Where a side camera stands, seen from the centre camera."""

    x_m: float
    """Coordinate to the right in the centre camera's frame."""
    dominance: float
    """|x| over the larger of |y| and |z|."""


def side_offset(grid: FrameGrid, center: str, side: str, instant: int) -> SideOffset | None:
    """Offset of a side camera in the centre camera's frame; None without calibration."""
    return grid.keep(("side", center, side, instant), lambda: _offset(grid, center, side, instant))


def _offset(grid: FrameGrid, center: str, side: str, instant: int) -> SideOffset | None:
    a, b = grid.camera(center, instant), grid.camera(side, instant)
    if a is None or b is None:
        return None
    x, y, z = a.world_from_camera[:3, :3].T @ (b.center - a.center)
    return SideOffset(float(x), float(abs(x) / max(abs(y), abs(z), np.finfo(float).tiny)))


TASK = Task(
    name="directional_view_localization",
    released_id="task3",
    id_prefix="task3",
    domain="robotic",
    question="The centre image is the agent's frame: which image is its left (right) side?",
    cells=cells((3,), lambda _: 2),
    variants=2,
    draft=draft,
    eval_count=221,
    min_instants=4,
)

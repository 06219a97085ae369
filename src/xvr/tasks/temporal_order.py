"""Temporal order: in which order do three frames of one camera lead from one moment to another?

    Image 1, Image 2 (fix_left, both ends), Images 3, 4, 5 (ego) -> "D"

Another camera shows the moments at both ends. So the order follows from the images, whether or not
the motion can be told from its reverse. It is asked forwards in time as often as backwards: things
look otherwise after a robot's work than before, and who knows how would know the order. The middle
frame is the most to least like the two others equally often, and the one with the most to least
contrast. So neither smoothness nor looks give the order away.
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np

from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import LETTERS, Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid
from xvr.tasks.instants import MOMENTS, check_moments, draw_moments
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

ORDERS = tuple(permutations((3, 4, 5)))
"""Numbers of the images from first to last, in the order of the letters."""


class Wanted(NamedTuple):
    """What a slot asks of the frames."""

    contrast_rank: int
    """How many frames have more contrast than the middle one."""
    likeness_rank: int
    """How many frames are more like the two others than the middle one is."""
    backwards: bool
    """Whether the order that is asked for runs against time."""


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot says how the frames look and which way time runs."""
    grid = pair.own
    moments = draw_moments(grid, rng, rules)
    if isinstance(moments, Refusal):
        return moments
    witness, role, instants = moments
    wanted = _wanted(slot.variant)
    if _contrast_rank(grid, role, instants) != wanted.contrast_rank:
        return Refusal(reason="frames_look_otherwise_in_time")
    checks = check_moments(grid, moments, rules)
    if isinstance(checks, Refusal):
        return checks
    if _likeness_rank(grid, role, instants) != wanted.likeness_rank:
        return Refusal(reason="frames_look_otherwise_in_time")
    order = ORDERS[slot.answer]
    asked = instants[::-1] if wanted.backwards else instants
    instant_of = dict(zip(order, asked, strict=True))
    choices = {
        letter: ", ".join(map(str, numbers))
        for letter, numbers in zip(LETTERS, ORDERS, strict=True)
    }
    labels = [f"Image 1 ({witness}):", f"Image 2 ({witness}):"]
    labels += [f"Image {number} ({role}):" for number in sorted(order)]
    question = pick(extended_wordings.TEMPORAL_ORDER, rng)
    return Draft(
        slot=slot,
        images=(
            grid.ref(witness, asked[0], "reference"),
            grid.ref(witness, asked[2], "reference"),
            *(grid.ref(role, instant_of[number], "candidate") for number in sorted(order)),
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            labels,
            question.format(choices=extended_wordings.spelled(choices)),
        ),
        options=tuple(
            Option(
                value=letter,
                correct=numbers == order,
                why="answer" if numbers == order else "other_order",
            )
            for letter, numbers in zip(LETTERS, ORDERS, strict=True)
        ),
        answer=LETTERS[slot.answer],
        key=(tuple(grid.frames[i] for i in instants), witness, role),
        world={"times_s": [grid.time_s(instant) for instant in asked], "choices": choices},
        checks=checks,
        difficulty={
            "time_gap_s": checks["min_time_gap_s"],
            "middle_likeness_rank": float(wanted.likeness_rank),
        },
    )


def _wanted(variant: int) -> Wanted:
    ranks, backwards = divmod(variant, 2)
    return Wanted(*divmod(ranks, MOMENTS), bool(backwards))


def _contrast_rank(grid: FrameGrid, role: str, instants: tuple[int, ...]) -> int:
    """How many frames have more contrast than the middle one."""
    first, middle, last = (grid.gray(role, instant).std() for instant in instants)
    return int(first > middle) + int(last > middle)


def _likeness_rank(grid: FrameGrid, role: str, instants: tuple[int, ...]) -> int:
    """How many frames are more like the two others than the middle one is."""
    first, middle, last = instants
    early, late = grid.ssim(role, first, middle), grid.ssim(role, middle, last)
    ends = grid.ssim(role, first, last)
    return int(ends > late) + int(ends > early)


TASK = Task(
    name="temporal_order",
    released_id="temporal_order",
    id_prefix="temporal_order",
    domain="robotic",
    question="In which order do three frames of one camera lead from one moment to another?",
    cells=cells((2 + MOMENTS,), lambda _: len(ORDERS)),
    variants=MOMENTS * MOMENTS * 2,
    draft=draft,
    eval_count=200,
    min_instants=24,
)

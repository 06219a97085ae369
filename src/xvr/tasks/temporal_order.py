"""Temporal order: in which order did one camera take three frames?

    Image 1 (fix_left, first moment), Image 2 (fix_left, last moment), Images 3, 4, 5 (ego) -> "D"

Another camera shows the first and the last moment. So the order follows from the images, whether or
not the motion can be told from its reverse. The frame in the middle is the most to least like the
two others equally often, and the one with the most to least contrast; the last frame has more
contrast than the first as often as less. So neither smoothness nor looks give the order away.
"""

from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import LETTERS, Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid
from xvr.tasks.instants import draw_moments
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

FRAMES = 3
ORDERS = tuple(permutations((3, 4, 5)))
"""Numbers of the images from first to last, in the order of the letters."""


class FrameLooks(NamedTuple):
    """What the frames tell without another camera."""

    likeness_rank: int
    """How many frames are more like the two others than the middle one is."""
    contrast_rank: int
    """How many frames have more contrast than the middle one."""
    rises: bool
    """Whether the last frame has more contrast than the first."""


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot says how the frames look in order of time."""
    grid = pair.own
    moments = draw_moments(grid, FRAMES, rng, rules)
    if isinstance(moments, Refusal):
        return moments
    witness, role, instants, checks = moments
    looks = _looks(grid, role, instants)
    if looks != _looks_of(slot.variant):
        return Refusal(reason="frames_look_otherwise_in_time")
    order = ORDERS[slot.answer]
    instant_of = dict(zip(order, instants, strict=True))
    choices = {
        letter: ", ".join(map(str, numbers))
        for letter, numbers in zip(LETTERS, ORDERS, strict=True)
    }
    labels = [f"Image 1 ({witness}, first moment):", f"Image 2 ({witness}, last moment):"]
    labels += [f"Image {number} ({role}):" for number in sorted(order)]
    question = pick(extended_wordings.TEMPORAL_ORDER, rng)
    return Draft(
        slot=slot,
        images=(
            grid.ref(witness, instants[0], "reference"),
            grid.ref(witness, instants[2], "reference"),
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
        world={"times_s": [grid.time_s(instant) for instant in instants], "choices": choices},
        checks=checks,
        difficulty={
            "time_gap_s": checks["min_time_gap_s"],
            "middle_likeness_rank": float(looks.likeness_rank),
        },
    )


def _looks_of(variant: int) -> FrameLooks:
    """How the frames of a slot have to look."""
    rank, rest = divmod(variant, 2 * FRAMES)
    return FrameLooks(rank, rest // 2, bool(rest % 2))


def _looks(grid: FrameGrid, role: str, instants: tuple[int, ...]) -> FrameLooks:
    """How frames in order of time look."""
    alike = np.zeros((FRAMES, FRAMES))
    for a, b in combinations(range(FRAMES), 2):
        alike[a, b] = alike[b, a] = grid.ssim(role, instants[a], instants[b])
    total = alike.sum(axis=1)
    contrast = np.array([grid.gray(role, instant).std() for instant in instants])
    return FrameLooks(
        int((total > total[1]).sum()),
        int((contrast > contrast[1]).sum()),
        bool(contrast[2] > contrast[0]),
    )


TASK = Task(
    name="temporal_order",
    released_id="temporal_order",
    id_prefix="temporal_order",
    domain="robotic",
    question="In which order did one camera take three frames?",
    cells=cells((2 + FRAMES,), lambda _: len(ORDERS)),
    variants=FRAMES * FRAMES * 2,
    draft=draft,
    eval_count=200,
)

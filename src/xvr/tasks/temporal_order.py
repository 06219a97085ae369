"""Temporal order: in which order did one camera take three frames?

    Image 1 (fix_left, first moment), Image 2 (fix_left, last moment), Images 3, 4, 5 (ego) -> "D"

Another camera shows the first and the last moment. So the order follows from the images, whether or
not the motion can be told from its reverse. The frame in the middle is the most to least like the
two others equally often: that time goes by smoothly does not give it away.
"""

from itertools import combinations, permutations

import numpy as np

from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import LETTERS, Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid, draw_roles
from xvr.tasks.instants import check_instants, draw_instants
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

FRAMES = 3
ORDERS = tuple(permutations((3, 4, 5)))
"""Numbers of the images from first to last, in the order of the letters."""


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the likeness rank of the middle frame."""
    grid = pair.own
    drawn = draw_roles(grid.roles, 2, rng)
    if drawn is None:
        return Refusal(reason="too_few_cameras")
    witness, role = drawn
    instants = draw_instants(grid, FRAMES, rng)
    if instants is None:
        return Refusal(reason="too_few_instants")
    checks = check_instants(grid, drawn, instants, rules)
    if isinstance(checks, Refusal):
        return checks
    if _middle_rank(grid, role, instants) != slot.variant:
        return Refusal(reason="middle_frame_of_another_rank")
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
            "middle_rank": float(slot.variant),
        },
    )


def _middle_rank(grid: FrameGrid, role: str, instants: tuple[int, ...]) -> int:
    """How many of the frames are more like the others than the middle one is."""
    alike = np.zeros((FRAMES, FRAMES))
    for a, b in combinations(range(FRAMES), 2):
        alike[a, b] = alike[b, a] = grid.ssim(role, instants[a], instants[b])
    total = alike.sum(axis=1)
    return int((total > total[1]).sum())


TASK = Task(
    name="temporal_order",
    released_id="temporal_order",
    id_prefix="temporal_order",
    domain="robotic",
    question="In which order did one camera take three frames?",
    cells=cells((2 + FRAMES,), lambda _: len(ORDERS)),
    variants=FRAMES,
    draft=draft,
    eval_count=200,
)

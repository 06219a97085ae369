"""Temporal sync: which of three frames of one camera is the moment of another camera's frame?

    Image 1 (ego), Images 2, 3, 4 (fix_right) -> "2"

The three moments are drawn alike, and only then the one that Image 1 shows: so the candidates alone
tell nothing. It is the first, second or last of them in time equally often.
"""

import numpy as np

from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair
from xvr.tasks.instants import MOMENTS, check_moments, draw_moments
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the place of the right frame in time."""
    grid = pair.own
    moments = draw_moments(grid, rng, rules)
    if isinstance(moments, Refusal):
        return moments
    checks = check_moments(grid, moments, rules)
    if isinstance(checks, Refusal):
        return checks
    witness, role, instants = moments
    right = instants[slot.variant]
    shown = [i for i in rng.permutation(instants).tolist() if i != right]
    shown.insert(slot.answer, right)
    numbers = [str(2 + n) for n in range(MOMENTS)]
    question = pick(extended_wordings.TEMPORAL_SYNC, rng)
    return Draft(
        slot=slot,
        images=(
            grid.ref(witness, right, "reference"),
            *(grid.ref(role, instant, "candidate") for instant in shown),
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            [f"Image 1 ({witness}):", *(f"Image {n} ({role}):" for n in numbers)],
            question.format(candidates=", ".join(numbers), role=role),
        ),
        options=tuple(
            Option(
                value=n,
                correct=k == slot.answer,
                why="answer" if k == slot.answer else "other_time",
            )
            for k, n in enumerate(numbers)
        ),
        answer=numbers[slot.answer],
        key=(
            tuple(grid.frames[i] for i in instants),
            grid.frames[right],
            witness,
            role,
        ),
        world={"time_s": grid.time_s(right)},
        checks=checks,
        difficulty={
            "time_gap_s": checks["min_time_gap_s"],
            "candidate_ssim": checks["candidate_ssim"],
        },
    )


TASK = Task(
    name="temporal_sync",
    released_id="temporal_sync",
    id_prefix="temporal_sync",
    domain="robotic",
    question="Which of three frames of one camera is the moment of another camera's frame?",
    cells=cells((1 + MOMENTS,), lambda _: MOMENTS),
    variants=MOMENTS,
    draft=draft,
    eval_count=200,
)

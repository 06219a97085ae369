"""Temporal verification: three cameras are synchronous but one; which image is from another time?

    Image 1 (fix_left), Image 2 (ego), Image 3 (fix_right) -> "2"

The two instants are drawn alike and swapped at random, and every camera is equally often the odd
one, so no image alone tells.
"""

import numpy as np

from xvr.tasks import wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid, draw_roles
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

IMAGES = 3


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the odd camera among the three, by name."""
    grid = pair.own
    drawn = draw_roles(grid.roles, slot.images, rng)
    if drawn is None:
        return Refusal(reason="too_few_cameras")
    by_name = sorted(drawn)
    odd_role = by_name[slot.variant]
    shown = [role for role in drawn if role != odd_role]
    shown.insert(slot.answer, odd_role)
    pairs = grid.keep("apart", lambda: grid.apart(rules.min_time_gap_s, rules.min_effector_move_m))
    if isinstance(pairs, Refusal):
        return pairs
    time, odd_time = rng.permutation(pairs[int(rng.integers(len(pairs)))]).tolist()
    checks = _checks(grid, shown, odd_role, (time, odd_time), rules)
    if isinstance(checks, Refusal):
        return checks
    labels = [f"Image {n} ({role}):" for n, role in enumerate(shown, start=1)]
    return Draft(
        slot=slot,
        images=tuple(
            grid.ref(role, odd_time if role == odd_role else time, "candidate") for role in shown
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            labels,
            pick(wordings.TEMPORAL, rng).format(count=slot.images),
        ),
        options=tuple(
            Option(
                value=str(n + 1),
                correct=n == slot.answer,
                why="answer" if n == slot.answer else "synchronous",
            )
            for n in range(slot.images)
        ),
        answer=str(slot.answer + 1),
        key=(grid.frames[time], grid.frames[odd_time], odd_role, tuple(by_name)),
        world={"time_s": grid.time_s(time), "odd_time_s": grid.time_s(odd_time)},
        checks=checks,
        difficulty={"time_gap_s": checks["time_gap_s"], "odd_ssim": checks["odd_ssim"]},
    )


def _checks(
    grid: FrameGrid, roles: list[str], odd_role: str, instants: tuple[int, int], rules: Rules
) -> dict[str, float] | Refusal:
    """The measures of two instants, or why the images would not tell them apart."""
    first, second = instants
    checks = {"time_gap_s": abs(grid.time_s(second) - grid.time_s(first))}
    moved_m = grid.effector_move_m(first, second)
    if moved_m is not None:
        checks["effector_move_m"] = moved_m
    checks["odd_ssim"] = grid.ssim(odd_role, first, second)
    if checks["odd_ssim"] > rules.max_ssim:
        return Refusal(reason="odd_camera_saw_no_change")
    others = (grid.ssim(role, first, second) for role in roles if role != odd_role)
    checks["other_ssim"] = min(others)
    if checks["other_ssim"] > rules.max_ssim:
        return Refusal(reason="other_cameras_saw_no_change")
    return checks


TASK = Task(
    name="temporal_verification",
    released_id="task1",
    id_prefix="task1",
    domain="robotic",
    question="Cameras are synchronous, but one image is from another time: which?",
    cells=cells((IMAGES,), lambda images: images),
    variants=IMAGES,
    draft=draft,
    eval_count=170,
)

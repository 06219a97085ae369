"""Language-conditioned localization: which image matches this description of a camera position?

    Image 1 (a fixed camera on the left ...), Image 2, Image 3; "the robot's wrist camera" -> "3"

Image 1 carries its own description; the answer is among the images that carry none. Two cameras
that fit one description are never shown together.
"""

import numpy as np

from xvr.tasks import wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.directional_view_localization import side_offset
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid, draw_roles, is_fixed, rides_on_hand
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

IMAGES = 3


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the slot has no variants."""
    grid = pair.own
    describable = [role for role in grid.roles if role in wordings.ROLE_DESCRIPTIONS]
    drawn = draw_roles(describable, slot.images, rng)
    if drawn is None:
        return Refusal(reason="too_few_describable_cameras")
    described, *shown = drawn
    asked = shown.pop()
    shown.insert(slot.answer, asked)
    instant = grid.draw(rng)
    checks = {}
    for role in drawn:
        contradiction = _contradiction(grid, role, instant, rules, checks)
        if contradiction is not None:
            return Refusal(reason=contradiction)
    numbers = [str(n + 2) for n in range(len(shown))]
    question = pick(wordings.LANGUAGE, rng).format(
        candidates=" and ".join(numbers) if len(numbers) == 2 else ", ".join(numbers),
        description=pick(wordings.ROLE_DESCRIPTIONS[asked], rng),
    )
    own_description = pick(wordings.ROLE_DESCRIPTIONS[described], rng)
    return Draft(
        slot=slot,
        images=(
            grid.ref(described, instant, "reference"),
            *(grid.ref(role, instant, "candidate") for role in shown),
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            [f"Image 1 ({own_description}):", *(f"Image {number}:" for number in numbers)],
            question,
        ),
        options=tuple(
            Option(
                value=number,
                correct=n == slot.answer,
                why="answer" if n == slot.answer else "other_camera",
            )
            for n, number in enumerate(numbers)
        ),
        answer=numbers[slot.answer],
        key=(grid.frames[instant], described, tuple(sorted(shown)), asked),
        world={"asked_role": asked, "described_role": described},
        checks=checks,
        difficulty={"time_s": grid.time_s(instant)},
    )


def _contradiction(
    grid: FrameGrid, role: str, instant: int, rules: Rules, checks: dict[str, float]
) -> str | None:
    """Why calibrated poses contradict a role's description; adds what was measured to `checks`.

    A left or right camera must stand there as seen from the centre camera; a hand-mounted camera
    must move over the episode and a fixed one must not.
    """
    camera = grid.camera(role, instant)
    if camera is None:
        return None
    moved_m = grid.travel_m(role)
    checks[f"{role}_moved_m"] = moved_m
    if is_fixed(role) and moved_m > rules.max_same_pose_m:
        return "fixed_camera_moves"
    if rides_on_hand(role) and moved_m < rules.min_effector_move_m:
        return "hand_camera_does_not_move"
    side = role.removeprefix("fix_")
    if side in ("left", "right") and "fix_center" in grid.roles:
        offset = side_offset(grid, "fix_center", role, instant)
        if offset is not None:
            checks[f"{role}_x_m"] = offset.x_m
            if (-1 if side == "left" else 1) * offset.x_m < rules.min_side_m:
                return "side_not_clear_from_poses"
    return None


TASK = Task(
    name="language_conditioned_localization",
    released_id="task4",
    id_prefix="task4",
    domain="robotic",
    question="Which image matches this description of a camera position?",
    cells=cells((IMAGES,), lambda images: images - 1),
    variants=1,
    draft=draft,
    eval_count=221,
    min_instants=4,
)

"""Cross-scenario localization: which image of scenario 2 is the camera named in scenario 1?

    Images 1-3 (Scenario 1), Images 4-6 (Scenario 2); "the same fix_left camera as Image 2" -> "5"

The scenarios are two episodes of one rig; camera order is shuffled in both.
"""

import numpy as np

from xvr.geometry.angles import pose_distance
from xvr.geometry.similarity import ssim
from xvr.tasks import wordings
from xvr.tasks.compose import pick, prompt
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.grid import EpisodePair, FrameGrid, draw_roles, is_fixed
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

CAMERAS = 3


def draft(pair: EpisodePair, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the place of the asked camera in scenario 1."""
    own, partner = pair.own, pair.partner
    if partner is None:
        return Refusal(reason="no_second_episode_of_the_rig")
    first = draw_roles(sorted(set(own.roles) & set(partner.roles)), CAMERAS, rng)
    if first is None:
        return Refusal(reason="too_few_shared_cameras")
    asked = first[slot.variant]
    second = [role for role in rng.permutation(first).tolist() if role != asked]
    second.insert(slot.answer, asked)
    instant = own.draw(rng)
    other_instant = partner.draw(rng)
    alike = ssim(own.gray(asked, instant), partner.gray(asked, other_instant))
    if alike > rules.max_scenario_ssim:
        return Refusal(reason="scenarios_show_the_same_content")
    checks = _pose_checks(own, partner, asked, second, instant, other_instant)
    if (
        checks.get("same_camera_m", 0.0) > rules.max_same_pose_m
        or checks.get("same_camera_deg", 0.0) > rules.max_same_pose_deg
    ):
        return Refusal(reason="camera_moved_between_episodes")
    if (
        checks.get("other_camera_m", np.inf) <= rules.max_same_pose_m
        and checks["other_camera_deg"] <= rules.max_same_pose_deg
    ):
        return Refusal(reason="two_cameras_at_one_place")
    numbers = ", ".join(str(CAMERAS + 1 + n) for n in range(CAMERAS))
    return Draft(
        slot=slot,
        images=(
            *(own.ref(role, instant, "scenario1") for role in first),
            *(partner.ref(role, other_instant, "scenario2", episode=1) for role in second),
        ),
        blocks=prompt(
            pick(wordings.ROBOTIC_OPENINGS, rng),
            [f"Image {n}:" for n in range(1, 2 * CAMERAS + 1)],
            pick(wordings.CROSS_SCENARIO, rng).format(
                asked=slot.variant + 1, role=asked, candidates=numbers
            ),
            headers={1: "Scenario 1", CAMERAS + 1: "Scenario 2"},
        ),
        options=tuple(
            Option(
                value=str(CAMERAS + 1 + n),
                correct=n == slot.answer,
                why="answer" if n == slot.answer else "other_camera",
            )
            for n in range(CAMERAS)
        ),
        answer=str(CAMERAS + 1 + slot.answer),
        key=(
            own.frames[instant],
            partner.frames[other_instant],
            partner.episode.id,
            asked,
            tuple(sorted(first)),
        ),
        world={"asked_image": slot.variant + 1, "asked_role": asked},
        checks=checks | {"scenario_ssim": alike},
        difficulty={"scenario_ssim": alike},
    )


def _pose_checks(
    own: FrameGrid,
    partner: FrameGrid,
    asked: str,
    candidates: list[str],
    instant: int,
    other_instant: int,
) -> dict[str, float]:
    """Pose differences of the asked fixed camera to its match and to the nearest other one.

    A camera on the hand is elsewhere at every instant: its pose proves nothing and is not compared.
    """
    camera = own.camera(asked, instant)
    match = partner.camera(asked, other_instant)
    if camera is None or match is None or not is_fixed(asked):
        return {}
    metres, degrees = pose_distance(camera.world_from_camera, match.world_from_camera)
    checks = {"same_camera_m": metres, "same_camera_deg": degrees}
    others = [
        pose_distance(camera.world_from_camera, found.world_from_camera)
        for role in candidates
        if role != asked and is_fixed(role) and (found := partner.camera(role, other_instant))
    ]
    if others:
        nearest = others[int(np.argmin([metres for metres, _ in others]))]
        checks |= {"other_camera_m": nearest[0], "other_camera_deg": nearest[1]}
    return checks


TASK = Task(
    name="cross_scenario_localization",
    released_id="task2",
    id_prefix="task2",
    domain="robotic",
    question="Scenario 1 names a camera; which image of another episode is that camera?",
    cells=cells((2 * CAMERAS,), lambda _: CAMERAS),
    variants=CAMERAS,
    draft=draft,
    eval_count=221,
    min_instants=4,
)

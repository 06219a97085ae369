"""Relative pose, decided by the surfaces that the two images show.

The task takes the scene's centre from its own points; the audit takes the middle of what the depth
maps of these two images, or the tracks, show. Seen from there it measures the turn, and the side by
which way the turn goes about the first camera's upward axis. The option that fits must be the
answer from both centres.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from xvr.audit.evidence import Evidence
from xvr.audit.optics import depths_at, pair_angles_deg, pixel_rays, pixels_of
from xvr.audit.report import Problem
from xvr.audit.sightings import ANGLE_SLACK_DEG, check_recorded
from xvr.audit.thresholds import Thresholds
from xvr.audit.wording import choices_of, question_of
from xvr.audit.written import Entry
from xvr.sources.records import View

ROUNDING_DEG = 5.0
"""An angle on offer is at most this far from the true one, seen from the recorded centre."""
GRID_STEP_SHARE = 1 / 48
"""Of the image's width: distance of the pixels whose surfaces are looked at."""
CACHED_VIEWS = 64


class Turn(NamedTuple):
    """A move around the scene."""

    side: str
    degrees: float


def check_move(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The option whose side and angle fit the two poses."""
    choices = _turns(entry)
    center = entry.proof.world.get("scene_center_m")
    if len(evidence.views) != 2 or len(choices) != len(entry.proof.options) or center is None:
        yield Problem("answer", "wrong_options", f"{len(evidence.views)} images, {choices}")
        return
    recorded = _measure(evidence, np.array(center, dtype=float))
    for turn in (recorded, _measure(evidence, _middle(evidence))):
        best = min(choices, key=lambda letter: _misfit(choices[letter], turn))
        if best != entry.answer:
            detail = f"{best} fits a turn to the {turn.side} by {turn.degrees:.1f} deg"
            yield Problem("answer", "wrong_answer", f"{detail}, not {entry.answer}")
    right = choices.get(entry.answer)
    if right is None or abs(right.degrees - recorded.degrees) > ROUNDING_DEG + ANGLE_SLACK_DEG:
        yield Problem("answer", "no_option_fits", f"the turn is {recorded.degrees:.2f} deg")
    yield from check_recorded(entry, {"turn_deg": recorded.degrees})
    yield from _check_offer(list(choices.values()), limits)
    yield from _check_center(evidence, np.array(center, dtype=float), limits)
    if not (
        limits.min_view_angle_deg - ANGLE_SLACK_DEG
        <= recorded.degrees
        <= limits.max_view_angle_deg + ANGLE_SLACK_DEG
    ):
        yield Problem("rule", "turn_out_of_range", f"{recorded.degrees:.2f} deg")


def _turns(entry: Entry) -> dict[str, Turn]:
    """Options of the question by letter."""
    turns = {k: turn_of(text) for k, text in choices_of(question_of(entry)).items()}
    return {letter: turn for letter, turn in turns.items() if turn is not None}


def turn_of(text: str) -> Turn | None:
    """The move that an option names, such as "to the left by about 40 degrees"."""
    side, degrees = re.search(r"\b(left|right)\b", text), re.search(r"\b(\d+)\b", text)
    return Turn(side.group(1), float(degrees.group(1))) if side and degrees else None


def _measure(evidence: Evidence, center: Float[np.ndarray, "3"]) -> Turn:
    """The turn as seen from a centre."""
    first, second = evidence.centers - center
    up = -evidence.views[0].camera.world_from_camera[:3, 1]
    side = "right" if np.cross(first, second) @ up > 0 else "left"
    return Turn(side, float(pair_angles_deg(center, evidence.centers)[0]))


def _misfit(choice: Turn, turn: Turn) -> float:
    """Difference of two turns, degrees; to the right counts as positive."""
    signed = [t.degrees if t.side == "right" else -t.degrees for t in (choice, turn)]
    return abs(signed[0] - signed[1])


def _middle(evidence: Evidence) -> Float[np.ndarray, "3"]:
    """The median of what both images show, or of the tracks."""
    if evidence.tracks is not None and not evidence.has_depth:
        return np.median(evidence.tracks.points_world, axis=0)
    return np.median(np.concatenate([surface_of(view) for view in evidence.views]), axis=0)


def _check_offer(turns: list[Turn], limits: Thresholds) -> Iterator[Problem]:
    """Two sides and two angles, and the angles clearly differ."""
    angles = sorted({turn.degrees for turn in turns})
    if len(angles) != 2 or len(set(turns)) != len(turns) or len({t.side for t in turns}) != 2:
        yield Problem("answer", "wrong_options", f"{turns}")
    elif (
        angles[1] - angles[0] < limits.min_turn_gap_deg - 1e-6
        or angles[1] < limits.min_turn_ratio * angles[0] - 1e-6
    ):
        yield Problem("rule", "options_too_close", f"{angles[0]:.0f} and {angles[1]:.0f} deg")


def _check_center(
    evidence: Evidence, center: Float[np.ndarray, "3"], limits: Thresholds
) -> Iterator[Problem]:
    for number, view in enumerate(evidence.views, start=1):
        camera = view.camera
        (uv,), _ = pixels_of(camera, center[None])
        margin = limits.margin_share * min(camera.width, camera.height) - 0.01
        far = np.array([camera.width, camera.height]) - margin
        if not ((uv >= margin) & (uv <= far)).all():
            yield Problem("rule", "outside_margin", f"the scene's centre in image {number}")


@lru_cache(maxsize=CACHED_VIEWS)
def surface_of(view: View) -> Float[np.ndarray, "n 3"]:
    """World points on the surfaces that a view with depth shows, at the nodes of a grid."""
    assert view.read_depth is not None, view.name
    camera = view.camera
    step = max(round(camera.width * GRID_STEP_SHARE), 1)
    u, v = np.meshgrid(
        np.arange(step / 2, camera.width, step), np.arange(step / 2, camera.height, step)
    )
    uv_px = np.column_stack([u.ravel(), v.ravel()])
    depth_m = depths_at(depth_of(view), uv_px).depth_m
    rays = pixel_rays(camera, uv_px)
    along = rays @ camera.world_from_camera[:3, 2]
    points = camera.world_from_camera[:3, 3] + rays * (depth_m / along)[:, None]
    return points[np.isfinite(depth_m)]


@lru_cache(maxsize=CACHED_VIEWS)
def depth_of(view: View) -> Float[np.ndarray, "h w"]:
    """The depth map of a view; samples of a scene share views."""
    assert view.read_depth is not None, view.name
    return view.read_depth()

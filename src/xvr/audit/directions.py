"""Directional correspondence, decided by the planes that arrows span with their camera.

An arrow in an image fixes a plane through the camera's centre; the direction is the line common to
all planes of the references, its sign the side on which the heads lie. A target arrow fits when it
lies in the plane of the anchor's ray and the direction, on the same side.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from xvr.audit.evidence import Evidence
from xvr.audit.optics import meeting_point
from xvr.audit.report import Problem
from xvr.audit.sightings import (
    DEPTH_SLACK,
    PIXEL_TOLERANCE,
    check_marks,
    check_recorded,
    check_views,
    check_visible,
    check_world_point,
    depth_gaps,
    misses_px,
)
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry

DIRECTION_OPTIONS = 4
FIT_DEG = 3.0
"""An arrow this close to the direction's plane fits."""
CLEAR_DEG = 8.0
"""Every other arrow must be further than this from it."""


def check_direction(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The target arrow in the half-plane of the direction that the references share."""
    parts = np.array([image.part for image in entry.proof.images])
    references = np.flatnonzero(parts[evidence.image] == "reference")
    options = np.flatnonzero(parts[evidence.image] == "target")
    colors = [entry.proof.marks[mark].color for mark in options]
    if len(options) != DIRECTION_OPTIONS or len(set(colors)) != DIRECTION_OPTIONS:
        yield Problem("answer", "wrong_options", f"target arrows are {', '.join(colors)}")
        return
    if len(references) < 2 or np.isnan(evidence.end_rays).any():
        yield Problem("answer", "wrong_references", f"{len(references)} reference arrows")
        return
    yield from check_marks(entry, evidence)
    marks = np.append(references, options[:1])
    anchor = meeting_point(evidence.mark_centers[marks], evidence.rays[marks])
    off = misses_px(evidence, np.append(references, options), anchor)
    if not off.max() <= PIXEL_TOLERANCE:
        yield Problem("answer", "tails_do_not_meet", f"the worst misses by {off.max():.2f} px")
    normals = _plane_normals(evidence, references)
    direction, sides = _common_direction(evidence, references, normals)
    if (sides <= 0).any():
        yield Problem("answer", "heads_disagree", "references point to both sides")
    yield from _check_planes(entry, normals, direction, limits)
    yield from _check_fit(entry, evidence, options, direction, colors)
    yield from _check_anchor(entry, evidence, anchor, direction, limits)
    yield from check_views(entry, evidence, anchor, limits)
    yield from _check_arrows(entry, evidence, options, limits)
    wanted = np.zeros(evidence.seen_z_m.shape, dtype=bool)
    wanted[np.arange(len(evidence.image)), evidence.image] = True
    yield from check_visible(entry, evidence, wanted, limits)


def _plane_normals(evidence: Evidence, marks: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k 3"]:
    normals = np.cross(evidence.rays[marks], evidence.end_rays[marks])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _across(vectors: np.ndarray, rays: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "k 3"]:
    """The parts of vectors (`3` or `k 3`) perpendicular to rays, unit length."""
    along = np.sum(vectors * rays, axis=1, keepdims=True)
    across = vectors - along * rays
    return across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)


def _common_direction(
    evidence: Evidence, references: Int[np.ndarray, " k"], normals: Float[np.ndarray, "k 3"]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, " k"]]:
    """The line in all planes, signed towards most heads, and each head's side of it."""
    line = np.linalg.svd(normals, full_matrices=True)[2][-1]
    rays = evidence.rays[references]
    heads = _across(evidence.end_rays[references], rays)
    sides = np.einsum("nk,nk->n", _across(line, rays), heads)
    sign = 1.0 if sides.sum() >= 0 else -1.0
    return sign * line, sign * sides


def _check_planes(
    entry: Entry,
    normals: Float[np.ndarray, "k 3"],
    direction: Float[np.ndarray, "3"],
    limits: Thresholds,
) -> Iterator[Problem]:
    first, second = np.triu_indices(len(normals), 1)
    across = np.linalg.norm(np.cross(normals[first], normals[second]), axis=1)
    widest = np.degrees(np.arcsin(np.clip(across, 0, 1))).max()
    yield from check_recorded(entry, {"max_plane_angle_deg": widest})
    if widest < limits.min_plane_angle_deg - 0.2:
        yield Problem("rule", "direction_undetermined", f"planes meet at {widest:.2f} deg")
    lift = np.degrees(np.arcsin(np.clip(np.abs(normals @ direction), 0, 1))).max()
    if lift > FIT_DEG:
        yield Problem("answer", "planes_do_not_meet", f"{lift:.2f} deg from a common line")


def _check_fit(
    entry: Entry,
    evidence: Evidence,
    options: Int[np.ndarray, " k"],
    direction: Float[np.ndarray, "3"],
    colors: list[str],
) -> Iterator[Problem]:
    rays = evidence.rays[options]
    heads = _across(evidence.end_rays[options], rays)
    cosines = np.einsum("nk,nk->n", _across(direction, rays), heads)
    turns = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    best = int(turns.argmin())
    if colors[best] != entry.answer:
        yield Problem("answer", "wrong_answer", f"{colors[best]} fits, not {entry.answer}")
    if turns[best] > FIT_DEG:
        yield Problem("answer", "no_option_fits", f"{colors[best]} is off by {turns[best]:.2f} deg")
    second = float(np.sort(turns)[1])
    if second < CLEAR_DEG:
        yield Problem("answer", "ambiguous", f"a second arrow is off by only {second:.2f} deg")


def _check_anchor(
    entry: Entry,
    evidence: Evidence,
    anchor: Float[np.ndarray, "3"],
    direction: Float[np.ndarray, "3"],
    limits: Thresholds,
) -> Iterator[Problem]:
    """The record and the depth maps agree with the anchor and the direction found."""
    world = entry.proof.world
    reach = float(np.linalg.norm(evidence.centers - anchor, axis=1).min())
    yield from check_world_point(world.get("point_m"), anchor, reach, "point_m")
    recorded = np.asarray(world.get("direction", (0, 0, 0)), dtype=float)
    cosine = recorded @ direction / max(float(np.linalg.norm(recorded)), 1e-12)
    if cosine < np.cos(np.radians(FIT_DEG)):
        turn = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        yield Problem("answer", "world_differs", f"direction is {turn:.2f} deg from the planes'")
    if not evidence.has_depth:
        return
    _, marks = np.unique(evidence.image, return_index=True)
    for mark, gap in zip(marks, depth_gaps(evidence, marks, anchor, limits), strict=True):
        if gap > DEPTH_SLACK:
            detail = f"image {evidence.image[mark] + 1} anchors {gap:.1f} tolerances away"
            yield Problem("answer", "depth_disagrees", detail)


def _check_arrows(
    entry: Entry, evidence: Evidence, options: Int[np.ndarray, " k"], limits: Thresholds
) -> Iterator[Problem]:
    """Drawn arrows are long enough, inside, and apart from each other in the target."""
    arrows = evidence.uv_end_px - evidence.uv_px
    lengths = np.linalg.norm(arrows, axis=1) / evidence.diagonal_px[evidence.image]
    if lengths.min() < limits.min_arrow_px_share - 1e-3:
        yield Problem("rule", "arrow_too_short", f"{lengths.min():.2%} of the diagonal")
    angles = np.arctan2(arrows[options, 1], arrows[options, 0])
    first, second = np.triu_indices(len(options), 1)
    turns = np.degrees(np.abs(np.angle(np.exp(1j * (angles[first] - angles[second])))))
    measured = {"min_arrow_px_share": lengths.min(), "min_arrow_gap_deg": turns.min()}
    yield from check_recorded(entry, measured)
    if turns.min() < limits.min_arrow_gap_deg - 0.05:
        yield Problem("rule", "arrows_too_close", f"{turns.min():.2f} deg apart in the target")

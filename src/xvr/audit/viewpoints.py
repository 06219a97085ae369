"""Viewpoint localization, decided by which candidate's centre lies on the rays through the dots."""

from collections.abc import Iterator

import numpy as np

from xvr.audit.evidence import Evidence
from xvr.audit.optics import miss_angles, pair_angles_deg, pair_distances, pixels_of
from xvr.audit.report import Problem
from xvr.audit.sightings import (
    CLEAR_PIXELS,
    PIXEL_TOLERANCE,
    check_marks,
    check_recorded,
    check_world_point,
)
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry

CANDIDATES = 3


def check_viewpoint(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The candidate that every reference ray points at."""
    parts = np.array([image.part for image in entry.proof.images])
    references = np.flatnonzero(parts == "reference")
    candidates = np.flatnonzero(parts == "candidate")
    marks = np.arange(len(evidence.image))
    if len(candidates) != CANDIDATES or sorted(evidence.image) != sorted(references):
        yield Problem("answer", "wrong_marks", f"parts {parts.tolist()}, dots {evidence.image + 1}")
        return
    yield from check_marks(entry, evidence)
    centers = evidence.centers[candidates]
    angles = np.array(
        [miss_angles(evidence.mark_centers, evidence.rays, center) for center in centers]
    )  # (candidates, marks)
    misses = (angles * evidence.mark_focal_px).max(axis=1)
    best = int(misses.argmin())
    number = str(candidates[best] + 1)
    if number != entry.answer:
        yield Problem("answer", "wrong_answer", f"image {number} fits, not {entry.answer}")
    if not misses[best] <= PIXEL_TOLERANCE:
        yield Problem("answer", "no_option_fits", f"the best misses by {misses[best]:.2f} px")
    second = float(np.sort(misses)[1])
    if second < CLEAR_PIXELS:
        yield Problem("answer", "ambiguous", f"a second candidate misses by only {second:.2f} px")
    reach = float(np.linalg.norm(evidence.mark_centers - centers[best], axis=1).min())
    recorded = entry.proof.world.get("camera_center_m")
    yield from check_world_point(recorded, centers[best], reach, "camera_center_m")
    yield from _check_candidates(entry, evidence, candidates, marks, limits)
    middle = entry.proof.world.get("scene_center_m")
    if middle is not None:
        angle = float(pair_angles_deg(np.array(middle), centers).min())
        yield from check_recorded(entry, {"min_candidate_angle_deg": angle})
        if angle < limits.min_candidate_angle_deg - 0.05:
            yield Problem("rule", "candidates_too_similar", f"{angle:.2f} deg apart")


def _check_candidates(
    entry: Entry,
    evidence: Evidence,
    candidates: np.ndarray,
    marks: np.ndarray,
    limits: Thresholds,
) -> Iterator[Problem]:
    """Dots keep the margin, and some reference shows the candidates' centres apart."""
    widest = 0.0
    for mark in marks:
        view = evidence.image[mark]
        camera = evidence.views[view].camera
        margin = limits.margin_share * min(camera.width, camera.height) - 0.01
        uv = evidence.uv_px[mark]
        if (uv < margin).any() or (uv > np.array([camera.width, camera.height]) - margin).any():
            yield Problem("rule", "outside_margin", f"dot of image {view + 1}")
        off = np.linalg.norm(uv - (camera.cx, camera.cy)) / evidence.diagonal_px[view]
        if off < limits.min_principal_px_share - 1e-4:
            yield Problem("rule", "dot_on_principal_point", f"{off:.2%} of the diagonal")
        seen, _ = pixels_of(camera, evidence.centers[candidates])
        apart = pair_distances(seen)
        apart = np.where(np.isnan(apart), np.inf, apart)  # a centre behind the camera is far apart
        widest = max(widest, float(apart.min()) / float(evidence.diagonal_px[view]))
    yield from check_recorded(entry, {"min_candidate_px_share": widest})
    if widest < limits.min_option_px_share - 1e-3:
        yield Problem("rule", "options_too_close", f"{widest:.2%} of the diagonal at best")

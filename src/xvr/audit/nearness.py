"""Depth order, decided by the surfaces under the dots.

The task knows its points; the audit takes each dot into space by the depth map of its own image
and measures from there to the camera of Image 1.
"""

from collections.abc import Iterator

import numpy as np

from xvr.audit.evidence import Evidence
from xvr.audit.optics import pair_distances
from xvr.audit.report import Problem
from xvr.audit.sightings import (
    DEPTH_SLACK,
    check_marks,
    check_recorded,
    check_views,
    check_visible,
    depth_gaps,
)
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry

POINTS = 3


def check_nearness(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The dot whose surface is nearest to the first camera."""
    if evidence.image.tolist() != [1, 2, 3] or len(evidence.views) != POINTS + 1:
        yield Problem("answer", "wrong_marks", f"dots in images {(evidence.image + 1).tolist()}")
        return
    yield from check_marks(entry, evidence)
    recorded = np.array([mark.point_m for mark in entry.proof.marks])
    points = evidence.surface if evidence.has_depth else recorded
    distance_m = np.linalg.norm(points - evidence.centers[0], axis=1)
    if not np.isfinite(distance_m).all():
        yield Problem("answer", "no_depth_at_mark", f"distances are {distance_m.round(3)} m")
        return
    number = str(2 + int(distance_m.argmin()))
    if number != entry.answer:
        told = ", ".join(f"{value:.3f}" for value in distance_m)
        yield Problem("answer", "wrong_answer", f"{told} m: {number}, not {entry.answer}")
    yield from _check_depths(evidence, recorded, limits)
    nearest, second = np.sort(np.linalg.norm(recorded - evidence.centers[0], axis=1))[:2]
    measured = {"min_distance_ratio": float(second / nearest)}
    if measured["min_distance_ratio"] < limits.min_distance_ratio - 1e-3:
        yield Problem("rule", "distances_too_similar", f"{nearest:.3f} and {second:.3f} m")
    extent_m = entry.proof.checks.get("scene_extent_m")
    if extent_m is not None:
        measured["min_option_scene_share"] = float(pair_distances(recorded).min()) / extent_m
        if measured["min_option_scene_share"] < limits.min_option_scene_share - 1e-3:
            yield Problem("rule", "points_too_close", f"of {extent_m:.3f} m")
    yield from check_recorded(entry, measured)
    for point in recorded:
        yield from check_views(entry, evidence, point, limits)
    wanted = np.ones(evidence.seen_z_m.shape, dtype=bool)
    yield from check_visible(entry, evidence, wanted, limits)


def _check_depths(
    evidence: Evidence, recorded: np.ndarray, limits: Thresholds
) -> Iterator[Problem]:
    """Every dot lies on its recorded point by depth."""
    if not evidence.has_depth:
        return
    for mark, point in enumerate(recorded):
        (gap,) = depth_gaps(evidence, np.array([mark]), point, limits)
        if gap > DEPTH_SLACK:
            detail = f"image {mark + 2} marks a surface {gap:.1f} tolerances away"
            yield Problem("answer", "depth_disagrees", detail)

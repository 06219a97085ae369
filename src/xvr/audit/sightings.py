"""Checks of every marked sample: marks show their points, points are seen, views differ."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.audit.evidence import Evidence
from xvr.audit.optics import miss_angles, pair_angles_deg
from xvr.audit.report import Problem
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry

PIXEL_TOLERANCE = 0.25
"""Marks may miss what they show by this much, pixels; half a pixel would be a wrong convention."""
CLEAR_PIXELS = 4.0
"""A wrong option must miss by more than this, pixels."""
DEPTH_SLACK = 1.5
"""The audit reads depth its own way, so it allows this multiple of the rule's tolerance."""
ANGLE_SLACK_DEG = 0.05


def misses_px(
    evidence: Evidence, marks: Int[np.ndarray, " k"], points: np.ndarray
) -> Float[np.ndarray, " k"]:
    """Angles between the marks' rays and the points (`3` or `k 3`), in pixels at the centre."""
    angles = miss_angles(evidence.mark_centers[marks], evidence.rays[marks], points)
    return angles * evidence.mark_focal_px[marks]


def depth_gaps(
    evidence: Evidence,
    marks: Int[np.ndarray, " k"],
    point: Float[np.ndarray, "3"],
    limits: Thresholds,
) -> Float[np.ndarray, " k"]:
    """Distance from a point to the surface under each mark, in tolerances; NaN without depth."""
    away = np.linalg.norm(evidence.surface[marks] - point, axis=1)
    depth = evidence.depth_m[marks]
    slant = np.linalg.norm(evidence.surface[marks] - evidence.mark_centers[marks], axis=1)
    with np.errstate(invalid="ignore"):
        return away / (limits.depth_tolerance(depth) * np.maximum(slant / depth, 1.0))


def check_marks(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    """Every dot and arrow lies where its recorded 3D points are seen."""
    marks = entry.proof.marks
    points = np.array([mark.point_m for mark in marks])
    off = misses_px(evidence, np.arange(len(marks)), points)
    for number in np.flatnonzero(~(off <= PIXEL_TOLERANCE)).tolist():
        yield Problem("answer", "mark_off_point", f"{_name(entry, number)} by {off[number]:.2f} px")
    for number, mark in enumerate(marks):
        if mark.kind == "arrow":
            yield from _check_head(entry, evidence, number)


def check_world_point(
    recorded: object, found: Float[np.ndarray, "3"], reach_m: float, name: str
) -> Iterator[Problem]:
    """A point in `world` is where the rays meet, up to 1 % of the distance to the cameras."""
    if recorded is None:
        yield Problem("answer", "missing_world_entry", name)
        return
    away = float(np.linalg.norm(np.asarray(recorded, dtype=float) - found))
    if not away <= 0.01 * reach_m:
        yield Problem("answer", "world_differs", f"{name} is {away:.4f} m from where the rays meet")


def check_recorded(entry: Entry, measured: Mapping[str, float]) -> Iterator[Problem]:
    """The figures in `checks` are those that the audit measures, up to 1 % and rounding."""
    for name, value in measured.items():
        recorded = entry.proof.checks.get(name)
        if recorded is not None and not abs(recorded - value) <= 0.01 * abs(value) + 1e-3:
            yield Problem(
                "rule", "recorded_check_differs", f"{name} is {value:.4f}, not {recorded}"
            )


def check_views(
    entry: Entry, evidence: Evidence, point: Float[np.ndarray, "3"], limits: Thresholds
) -> Iterator[Problem]:
    """Any two views differ enough, but not too much, seen from the point."""
    angles = pair_angles_deg(point, evidence.centers)
    measured = {"min_view_angle_deg": angles.min(), "max_view_angle_deg": angles.max()}
    yield from check_recorded(entry, measured)
    if angles.min() < limits.min_view_angle_deg - ANGLE_SLACK_DEG:
        yield Problem("rule", "views_too_similar", f"{angles.min():.2f} deg seen from the point")
    if angles.max() > limits.max_view_angle_deg + ANGLE_SLACK_DEG:
        yield Problem("rule", "views_too_different", f"{angles.max():.2f} deg seen from the point")


def check_visible(
    entry: Entry, evidence: Evidence, wanted: Bool[np.ndarray, "m v"], limits: Thresholds
) -> Iterator[Problem]:
    """The marks' points are seen in the wanted views: inside the margin and not hidden.

    With depth, the depth map agrees with the point; without, the point's track has the view.
    """
    size = np.array([(view.camera.width, view.camera.height) for view in evidence.views])
    margin = limits.margin_share * size.min(axis=1, keepdims=True)
    uv = evidence.seen_uv_px
    slack = 0.01
    with np.errstate(invalid="ignore"):
        inside = ((uv >= margin - slack) & (uv <= size - margin + slack)).all(axis=2)
    for mark, view in np.argwhere(wanted & ~inside).tolist():
        yield Problem("rule", "outside_margin", f"{_name(entry, mark)} in image {view + 1}")
    hidden = np.zeros_like(inside)
    if evidence.has_depth:
        gap = np.abs(evidence.seen_depth_m - evidence.seen_z_m)
        allowed = DEPTH_SLACK * limits.depth_tolerance(evidence.seen_z_m)
        hidden = ~(gap <= allowed)
    elif evidence.tracked is not None:
        hidden = ~evidence.tracked
    for mark, view in np.argwhere(wanted & inside & hidden).tolist():
        found = evidence.seen_depth_m[mark, view]
        expected = evidence.seen_z_m[mark, view]
        detail = f"{_name(entry, mark)} in image {view + 1}: {expected:.3f} m, map {found:.3f} m"
        yield Problem("rule", "not_visible", detail)


def _check_head(entry: Entry, evidence: Evidence, number: int) -> Iterator[Problem]:
    mark = entry.proof.marks[number]
    if mark.end_point_m is None:
        yield Problem("answer", "arrow_without_end", _name(entry, number))
        return
    center = evidence.mark_centers[[number]]
    angle = miss_angles(center, evidence.end_rays[[number]], np.array(mark.end_point_m))[0]
    off = float(angle * evidence.mark_focal_px[number])
    if not off <= PIXEL_TOLERANCE:
        yield Problem("answer", "head_off_point", f"{_name(entry, number)} by {off:.2f} px")


def _name(entry: Entry, number: int) -> str:
    mark = entry.proof.marks[number]
    return f"{mark.color} {mark.kind} of image {mark.image}"

"""Point correspondence and spatial verification, decided by where rays meet.

The engine projects a 3D point; the audit goes the other way: it intersects the rays through the
drawn dots, and asks the depth maps whether they lie on the same surface point.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from xvr.audit.evidence import Evidence
from xvr.audit.optics import meeting_point, pair_distances
from xvr.audit.report import Problem
from xvr.audit.sightings import (
    CLEAR_PIXELS,
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

POINT_OPTIONS = 5


def check_point(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The target dot on the ray through the point where the references' rays meet."""
    parts = np.array([image.part for image in entry.proof.images])
    references = np.flatnonzero(parts[evidence.image] == "reference")
    options = np.flatnonzero(parts[evidence.image] == "target")
    colors = [entry.proof.marks[mark].color for mark in options]
    if len(options) != POINT_OPTIONS or len(set(colors)) != POINT_OPTIONS:
        yield Problem("answer", "wrong_options", f"target dots are {', '.join(colors)}")
        return
    if len(references) < 2 or len(set(evidence.image[references])) != len(references):
        yield Problem("answer", "wrong_references", f"{len(references)} reference dots")
        return
    yield from check_marks(entry, evidence)
    point = meeting_point(evidence.mark_centers[references], evidence.rays[references])
    yield from _check_agreement(misses_px(evidence, references, point))
    misses = misses_px(evidence, options, point)
    best = int(misses.argmin())
    if colors[best] != entry.answer:
        yield Problem("answer", "wrong_answer", f"{colors[best]} is nearest, not {entry.answer}")
    yield from _check_separation(misses, best, colors)
    right = np.append(references, options[best])
    yield from _check_depths(evidence, right, np.delete(options, best), point, limits)
    reach = float(np.linalg.norm(evidence.centers - point, axis=1).min())
    yield from check_world_point(entry.proof.world.get("point_m"), point, reach, "point_m")
    yield from check_views(entry, evidence, point, limits)
    wanted = np.zeros(evidence.seen_z_m.shape, dtype=bool)
    wanted[options] = True
    yield from check_visible(entry, evidence, wanted, limits)
    apart = pair_distances(evidence.uv_px[options]).min()
    share = apart / evidence.diagonal_px[evidence.image[options[0]]]
    if share < limits.min_option_px_share - 1e-3:
        yield Problem("rule", "options_too_close", f"{share:.2%} of the diagonal")
    places = np.array([entry.proof.marks[mark].point_m for mark in options])
    measured = {"min_option_px_share": float(share)}
    gap_m = float(pair_distances(places).min())
    yield from _check_gap(entry, gap_m, "min_option_scene_share", measured, limits)


def check_spatial(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The one image without which the rays of all others meet in a point."""
    marks = np.arange(len(evidence.image))
    if len(marks) < 4 or sorted(evidence.image) != list(range(len(evidence.views))):
        yield Problem("answer", "wrong_marks", f"{len(marks)} dots, images {evidence.image + 1}")
        return
    yield from check_marks(entry, evidence)
    spreads = []
    for left_out in marks:
        others = np.delete(marks, left_out)
        point = meeting_point(evidence.mark_centers[others], evidence.rays[others])
        spreads.append(misses_px(evidence, others, point).max())
    odd = int(np.argmin(spreads))
    number = str(evidence.image[odd] + 1)
    if number != entry.answer:
        yield Problem("answer", "wrong_answer", f"image {number} is odd, not {entry.answer}")
    others = np.delete(marks, odd)
    point = meeting_point(evidence.mark_centers[others], evidence.rays[others])
    yield from _check_agreement(misses_px(evidence, others, point))
    second = float(np.sort(spreads)[1])
    if second < CLEAR_PIXELS:
        yield Problem("answer", "ambiguous", f"another image is odd just as well ({second:.2f} px)")
    yield from _check_depths(evidence, others, marks[[odd]], point, limits)
    reach = float(np.linalg.norm(evidence.centers - point, axis=1).min())
    world = entry.proof.world
    yield from check_world_point(world.get("point_m"), point, reach, "point_m")
    odd_point = np.array(entry.proof.marks[odd].point_m)
    yield from check_world_point(world.get("odd_point_m"), odd_point, reach, "odd_point_m")
    yield from check_views(entry, evidence, point, limits)
    wanted = np.zeros(evidence.seen_z_m.shape, dtype=bool)
    wanted[marks, evidence.image] = True
    yield from check_visible(entry, evidence, wanted, limits)
    view = evidence.image[odd]
    true_uv = evidence.seen_uv_px[others[0], view]
    share = np.linalg.norm(evidence.uv_px[odd] - true_uv) / evidence.diagonal_px[view]
    if share < limits.min_option_px_share - 1e-3:
        yield Problem("rule", "odd_dot_too_close", f"{share:.2%} of the diagonal")
    gap_m = float(np.linalg.norm(odd_point - point))
    yield from _check_gap(entry, gap_m, "odd_scene_share", {"odd_px_share": float(share)}, limits)


def _check_gap(
    entry: Entry, gap_m: float, name: str, measured: dict[str, float], limits: Thresholds
) -> Iterator[Problem]:
    """Points are apart in space, by a share of the scene's extent where that is recorded."""
    extent_m = entry.proof.checks.get("scene_extent_m")
    if extent_m is not None:
        measured[name] = gap_m / extent_m
        if measured[name] < limits.min_option_scene_share - 1e-3:
            yield Problem("rule", "points_too_close", f"{gap_m:.3f} m of {extent_m:.3f} m")
    yield from check_recorded(entry, measured)


def _check_agreement(misses: Float[np.ndarray, " k"]) -> Iterator[Problem]:
    if not misses.max() <= PIXEL_TOLERANCE:
        yield Problem("answer", "rays_do_not_meet", f"the worst misses by {misses.max():.2f} px")


def _check_separation(
    misses: Float[np.ndarray, " k"], best: int, colors: list[str]
) -> Iterator[Problem]:
    if not misses[best] <= PIXEL_TOLERANCE:
        yield Problem("answer", "no_option_fits", f"{colors[best]} misses by {misses[best]:.2f} px")
    second = float(np.sort(misses)[1])
    if second < CLEAR_PIXELS:
        yield Problem("answer", "ambiguous", f"a second option misses by only {second:.2f} px")


def _check_depths(
    evidence: Evidence,
    right: Int[np.ndarray, " k"],
    wrong: Int[np.ndarray, " j"],
    point: Float[np.ndarray, "3"],
    limits: Thresholds,
) -> Iterator[Problem]:
    """Right marks lie on the point by depth, wrong ones on another surface point."""
    if not evidence.has_depth:
        return
    gaps = depth_gaps(evidence, right, point, limits)
    for mark, gap in zip(right, gaps, strict=True):
        if np.isnan(gap):
            yield Problem("rule", "no_depth_at_mark", f"image {evidence.image[mark] + 1}")
        elif gap > DEPTH_SLACK:
            detail = f"image {evidence.image[mark] + 1} marks a surface {gap:.1f} tolerances away"
            yield Problem("answer", "depth_disagrees", detail)
    for mark, gap in zip(wrong, depth_gaps(evidence, wrong, point, limits), strict=True):
        if gap <= 2 * DEPTH_SLACK:
            detail = f"in image {evidence.image[mark] + 1}, {gap:.1f} tolerances from the point"
            yield Problem("answer", "wrong_option_on_point", detail)

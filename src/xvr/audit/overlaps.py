"""View overlap, decided by the reference's own pixels.

The task counts points of a pool that were drawn from all views. The audit goes out from a grid of
the reference's pixels: each is taken into space by its depth and looked up in the depth map of
every candidate.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from xvr.audit.evidence import Evidence
from xvr.audit.moves import depth_of, surface_of
from xvr.audit.optics import depths_at, pixels_of
from xvr.audit.report import Problem
from xvr.audit.sightings import DEPTH_SLACK
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry
from xvr.sources.records import View

CLEAR_SHARE = 0.03
"""The right candidate must show at least this much more of the reference than any other."""


def check_overlap(entry: Entry, evidence: Evidence, limits: Thresholds) -> Iterator[Problem]:
    """The candidate that shows most of what the reference shows."""
    parts = [image.part for image in entry.proof.images]
    if parts[:1] != ["reference"] or len(parts) < 3 or set(parts[1:]) != {"candidate"}:
        yield Problem("answer", "wrong_options", f"parts are {parts}")
        return
    if not evidence.has_depth:
        yield Problem("answer", "no_depth", "without depth an overlap cannot be measured")
        return
    surface = surface_of(evidence.views[0])
    shares = np.array([_seen_share(view, surface, limits) for view in evidence.views[1:]])
    number = str(2 + int(shares.argmax()))
    told = ", ".join(f"{share:.1%}" for share in shares)
    if number != entry.answer:
        yield Problem("answer", "wrong_answer", f"{told}: image {number}, not {entry.answer}")
    gap = float(np.diff(np.sort(shares))[-1])
    if gap < CLEAR_SHARE:
        yield Problem("answer", "ambiguous", f"candidates show {told} of the reference")
    recorded = entry.proof.checks.get("min_overlap_gap_share", 0.0)
    if recorded < limits.min_overlap_gap_share - 1e-6:
        yield Problem("rule", "overlaps_too_similar", f"{recorded:.3f}")


def _seen_share(view: View, surface: Float[np.ndarray, "n 3"], limits: Thresholds) -> float:
    """Share of surface points that a view sees too."""
    uv_px, z_m = pixels_of(view.camera, surface)
    found = depths_at(depth_of(view), uv_px).depth_m
    with np.errstate(invalid="ignore"):
        return float((np.abs(found - z_m) <= DEPTH_SLACK * limits.depth_tolerance(z_m)).mean())

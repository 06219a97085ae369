"""Tracks from the points of a COLMAP model: which of them to keep."""

from collections.abc import Iterable, Mapping
from math import isfinite

import numpy as np

from xvr.sources.colmap_model import PointEntry
from xvr.sources.records import Tracks

MAX_ERROR_PX = 2.0
"""Points with a larger mean reprojection error are left out; COLMAP itself keeps up to 4."""
MIN_TRACK_VIEWS = 2
MAX_POINTS = 50_000
"""Points kept, those with the longest tracks first; more would only fill memory."""


def tracks_of(points: Iterable[PointEntry], columns: Mapping[int, int], views: int) -> Tracks:
    """The good points, in the model's world.

    Args:
        points: as `xvr.sources.colmap_model.read_points` gives them.
        columns: number of an image in the model to the number of its view.
        views: how many views there are.
    """
    kept = []
    for point in points:
        if not 0 <= point.error_px <= MAX_ERROR_PX or not all(map(isfinite, point.position)):
            continue
        seen = {columns[image_id] for image_id in point.image_ids if image_id in columns}
        if len(seen) >= MIN_TRACK_VIEWS:
            kept.append((point.position, sorted(seen)))
    kept.sort(key=lambda entry: (-len(entry[1]), entry[0]))
    kept = kept[:MAX_POINTS]
    seen_by = np.zeros((len(kept), views), dtype=bool)
    for row, (_, seen) in enumerate(kept):
        seen_by[row, seen] = True
    positions = np.array([position for position, _ in kept], dtype=np.float64)
    return Tracks(positions.reshape(-1, 3), seen_by)

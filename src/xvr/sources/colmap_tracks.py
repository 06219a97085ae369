"""Tracks from the points of a COLMAP model: which of them to keep."""

from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Int

from xvr.sources.colmap_model import PointEntry, read_observations
from xvr.sources.records import Sightings, Tracks

MAX_ERROR_PX = 2.0
"""Points with a larger mean reprojection error are left out; COLMAP itself keeps up to 4."""
MIN_TRACK_VIEWS = 2
MAX_POINTS = 50_000
"""Points kept, those with the longest tracks first; more would only fill memory."""


def tracks_of(
    points: Iterable[PointEntry],
    columns: Mapping[int, int],
    views: int,
    image_file: Path | None = None,
) -> Tracks:
    """The good points, in the model's world.

    Args:
        points: as `xvr.sources.colmap_model.read_points` gives them.
        columns: number of an image in the model to the number of its view.
        views: how many views there are.
        image_file: file of the model's images, which says where points were seen; None where
            the views are not those images.
    """
    kept = []
    for point in points:
        if not 0 <= point.error_px <= MAX_ERROR_PX or not all(map(isfinite, point.position)):
            continue
        seen = {columns[image_id] for image_id in point.image_ids if image_id in columns}
        if len(seen) >= MIN_TRACK_VIEWS:
            kept.append((point.position, sorted(seen), point.point_id))
    kept.sort(key=lambda entry: (-len(entry[1]), entry[0]))
    kept = kept[:MAX_POINTS]
    seen_by = np.zeros((len(kept), views), dtype=bool)
    for row, (_, seen, _) in enumerate(kept):
        seen_by[row, seen] = True
    positions = np.array([position for position, _, _ in kept], dtype=np.float64)
    ids = np.array([point_id for _, _, point_id in kept], dtype=np.int64)
    read = partial(_sightings, image_file, columns, views, ids) if image_file else None
    return Tracks(positions.reshape(-1, 3), seen_by, read)


def _sightings(
    image_file: Path, columns: Mapping[int, int], views: int, ids: Int[np.ndarray, " n"]
) -> list[Sightings]:
    """Per view, the points with these ids that it saw, and where."""
    order = np.argsort(ids)
    found = [Sightings(np.zeros(0, np.int64), np.zeros((0, 2)))] * views
    if not len(ids):
        return found
    for image_id, uv_px, point_ids in read_observations(image_file):
        if image_id not in columns:
            continue
        places = np.minimum(np.searchsorted(ids, point_ids, sorter=order), len(ids) - 1)
        rows = order[places]
        known = ids[rows] == point_ids
        found[columns[image_id]] = Sightings(rows[known], uv_px[known])
    return found

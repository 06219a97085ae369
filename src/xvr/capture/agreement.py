"""How well calibrated views agree with each other.

Two views with depth: pixels of one are carried into the other, where its depth map must say the
same. A pixel that would lie behind the other's surface is hidden and says little; one in front of
it floats where the other view looks through. A view with tracks: points that it saw must be where
it saw them. No image is decoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.camera import Camera, project, unproject
from xvr.geometry.visibility import Tolerance, carried_errors, lookup_depth
from xvr.sources.records import Depth

PIXELS_PER_PAIR = 300
EDGE = Tolerance(0.0, 0.03)
"""Depth is read where the four pixels around agree to this; the same in any unit."""

ReadDepth = Callable[
    [Camera, Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]], Float[np.ndarray, " n"]
]
"""Depth along z of pixels, from what the map says there."""


class Agreement(NamedTuple):
    """Counts over all pairs of views (or all views, for tracks)."""

    sampled: int
    """Pixels with depth, or sightings of points."""
    compared: int
    """Those that the other view can say something about."""
    agreeing: int
    in_front: int
    """Those that float in front of what the other view sees."""
    median_error: float
    """Median |error|, as a share of depth or of the image's diagonal; NaN when none compared."""

    @property
    def share(self) -> float:
        """Share of the compared that agree."""
        return self.agreeing / max(self.compared, 1)

    @property
    def share_unhidden(self) -> float:
        """Share of the compared and not hidden that agree."""
        return self.agreeing / max(self.agreeing + self.in_front, 1)

    @property
    def coverage(self) -> float:
        """Share of the sampled that could be compared."""
        return self.compared / max(self.sampled, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthViews:
    """Depth maps of views, which pairs of them are compared, and at which pixels."""

    depths: tuple[Depth, ...]
    pairs: tuple[tuple[int, int], ...]
    pixels: tuple[Float[np.ndarray, "n 2"], ...]
    """Per pair, pixels of its first view that have depth."""
    raw: tuple[Float[np.ndarray, " n"], ...]
    """What the map says at these pixels."""
    tolerance_share: float
    """Depths agree within this share of the depth."""

    def agreement(self, cameras: Sequence[Camera], read: ReadDepth | None = None) -> Agreement:
        """Compare all pairs, as these cameras and this reading of the maps have it."""
        errors = [
            self._errors(cameras[a], cameras[b], b, self.pixels[n], self.raw[n], read)
            for n, (a, b) in enumerate(self.pairs)
        ]
        error = np.concatenate(errors) if errors else np.zeros(0)
        return Agreement(
            sampled=sum(map(len, self.raw)),
            compared=len(error),
            agreeing=int((np.abs(error) <= self.tolerance_share).sum()),
            in_front=int((error < -self.tolerance_share).sum()),
            median_error=_median(error),
        )

    def _errors(
        self,
        near: Camera,
        far: Camera,
        other: int,
        uv_px: Float[np.ndarray, "n 2"],
        raw: Float[np.ndarray, " n"],
        read: ReadDepth | None,
    ) -> Float[np.ndarray, " m"]:
        """(depth of the carried point - depth map) / depth map, where comparable."""
        if read is None and near.model == far.model == "pinhole":
            return carried_errors(near, far, self.depths[other], uv_px, raw, EDGE)
        points = unproject(near, uv_px, read(near, uv_px, raw) if read else raw)
        found_px, depth_m = project(far, points)
        ahead = np.isfinite(found_px).all(axis=1)
        found_px, depth_m = found_px[ahead], depth_m[ahead]
        seen = lookup_depth(self.depths[other], found_px, EDGE)
        known = np.isfinite(seen)
        found_px, depth_m, seen = found_px[known], depth_m[known], seen[known]
        if read:
            seen = read(far, found_px, seen)
        return (depth_m - seen) / seen


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackViews:
    """Points of tracks, and where each view saw them."""

    points_world: Float[np.ndarray, "n 3"]
    rows: tuple[Int[np.ndarray, " k"], ...]
    """Per view, which points it saw."""
    uv_px: tuple[Float[np.ndarray, "k 2"], ...]
    """Per view, where."""
    tolerance_share: float
    """A point is where it was seen within this share of the image's diagonal."""

    def agreement(self, cameras: Sequence[Camera], read: ReadDepth | None = None) -> Agreement:  # noqa: ARG002
        """Compare all sightings; there is no depth to read."""
        errors = [np.zeros(0)]
        for camera, rows, seen_px in zip(cameras, self.rows, self.uv_px, strict=True):
            found_px, _ = project(camera, self.points_world[rows])
            error = np.linalg.norm(found_px - seen_px, axis=1) / camera.diagonal_px
            errors.append(np.where(np.isfinite(error), error, np.inf))
        error = np.concatenate(errors)
        agreeing = int((error <= self.tolerance_share).sum())
        return Agreement(len(error), len(error), agreeing, len(error) - agreeing, _median(error))


def sample_depths(
    cameras: Sequence[Camera],
    depths: Sequence[Depth],
    pairs: Sequence[tuple[int, int]],
    tolerance_share: float,
    rng: np.random.Generator,
) -> DepthViews:
    """Random pixels of the first view of each pair, where its depth is reliable."""
    pixels, raw = [], []
    for first, _ in pairs:
        size = (cameras[first].width, cameras[first].height)
        uv_px = rng.uniform((0, 0), size, size=(PIXELS_PER_PAIR, 2))
        found = lookup_depth(depths[first], uv_px, EDGE)
        known = np.isfinite(found)
        pixels.append(uv_px[known])
        raw.append(found[known])
    return DepthViews(
        depths=tuple(depths),
        pairs=tuple(pairs),
        pixels=tuple(pixels),
        raw=tuple(raw),
        tolerance_share=tolerance_share,
    )


def _median(error: Float[np.ndarray, " n"]) -> float:
    return float(np.median(np.abs(error))) if len(error) else float("nan")

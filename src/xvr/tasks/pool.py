"""The pool of proven points of a scene: what every general task draws its marks from.

A point enters from one depth map and is then tested against all others (or comes with its track);
the pool holds, for each view and point, the projection, the depth error, whether it is visible and
the colour around it. Points of one question are drawn from those that all its images see, so that
nothing in a single image tells the right one from the rest.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import cv2
import numba
import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.errors import Unusable
from xvr.geometry import visibility
from xvr.geometry.camera import Camera, project, unproject
from xvr.geometry.cielab import lab_of_srgb
from xvr.geometry.similarity import correlations, gray_thumbnail
from xvr.sources.records import Depth, Image, Tracks
from xvr.tasks.rules import Rules

POINTS_PER_POOL = 8000
NORMAL_STEP_PX = 3
PATCH_SIDE_SHARE = 0.011
"""Of the image diagonal: 9 pixels of a 640x480 image."""
THUMBNAIL_SIZE_PX = (40, 30)

T = TypeVar("T")


class ViewPixels(NamedTuple):
    """One view with its pixels."""

    name: str
    frame_index: int
    time_s: float | None
    camera: Camera
    image: Image
    depth: Depth | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PointPool:
    """v views of n points."""

    views: tuple[ViewPixels, ...]
    points_world: Float[np.ndarray, "n 3"]
    uv_px: Float[np.ndarray, "v n 2"]
    depth_m: Float[np.ndarray, "v n"]
    error_m: Float[np.ndarray, "v n"]
    """Depth error that passed the visibility rule; zero for tracks."""
    visible: Bool[np.ndarray, "v n"]
    sizes_px: Float[np.ndarray, "v 2"]
    """Widths and heights of the images."""
    centers_world: Float[np.ndarray, "v 3"]
    extent_m: float
    """Scene extent: twice the median distance of the points to their median."""
    center_world: Float[np.ndarray, "3"]
    """Scene centre: the median of the points."""
    seed: int
    """Of choices that belong to the pool and not to one question."""
    kept: dict[Hashable, Any] = field(default_factory=dict)
    """What tasks found out about the pool; see `keep`."""

    def colors(
        self, view: int, points: Int[np.ndarray, "..."]
    ) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
        """Mean colours around all projections in a view: CIE Lab, and RGB in levels of 100.

        Only those of points that were asked for are there, as many never are; others are NaN.
        """
        lab, rgb = self.keep(
            "colors", lambda: np.full((2, *self.visible.shape, 3), np.nan, np.float32)
        )
        image = self.views[view].image
        reach = round(PATCH_SIDE_SHARE * math.hypot(*image.shape[:2]) / 2 - 0.5)
        _color(image, self.uv_px[view], points.ravel(), reach, lab[view], rgb[view])
        return lab[view], rgb[view]

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, found once: many questions share views and looks."""
        if key not in self.kept:
            self.kept[key] = find()
        return self.kept[key]

    @property
    def similarity(self) -> Float[np.ndarray, "v v"]:
        """Correlation of the views' grey thumbnails."""
        return self.keep(
            "similarity",
            lambda: correlations(np.stack([_thumbnail(view.image) for view in self.views])),
        )

    def place(self, view: int, points: Int[np.ndarray, "*k"] | int) -> Float[np.ndarray, "*k 2"]:
        """Projections of points as shares of the image's width and height."""
        return self.uv_px[view, points] / self.sizes_px[view]

    def names(self, views: Iterable[int]) -> tuple[str, ...]:
        """Names of views, sorted."""
        return tuple(sorted(self.views[view].name for view in views))

    def camera(self, view: int) -> Camera:
        """The camera of a view."""
        return self.views[view].camera


def build_pool(
    views: Sequence[ViewPixels],
    tracks: Tracks | None,
    rules: Rules,
    rng: np.random.Generator,
) -> PointPool:
    """Draw points from the depth maps (or take the tracks) and test them in every view.

    Raises:
        Unusable: `no_points` when neither depth nor tracks give a point that three views see.
    """
    if all(view.depth is not None for view in views):
        points, normals = _surface_points(views, rules, rng)
        sights = [_see(view, points, normals, rules) for view in views]
    elif tracks is not None:
        chosen = rng.permutation(len(tracks.points_world))[:POINTS_PER_POOL]
        points = tracks.points_world[chosen]
        sights = [
            _follow(view, points, tracks.seen[chosen, i], rules) for i, view in enumerate(views)
        ]
    else:
        raise Unusable("no_points", "some views have no depth and there are no tracks")
    visible = np.stack([sight.visible for sight in sights])
    kept = np.flatnonzero(visible.sum(axis=0) >= rules.min_views)
    if not len(kept):
        raise Unusable("no_points", f"no surface point is seen by {rules.min_views} of the views")
    points, visible = points[kept], visible.take(kept, axis=1)
    uv_px = np.stack([sight.uv_px.take(kept, axis=0) for sight in sights])
    center = np.median(points, axis=0)
    return PointPool(
        views=tuple(views),
        points_world=points,
        uv_px=uv_px,
        depth_m=np.stack([sight.depth_m.take(kept) for sight in sights]),
        error_m=np.stack([sight.error_m.take(kept) for sight in sights]),
        visible=visible,
        sizes_px=np.array([(view.camera.width, view.camera.height) for view in views], float),
        centers_world=np.stack([view.camera.center for view in views]),
        extent_m=2 * float(np.median(np.linalg.norm(points - center, axis=1))),
        center_world=center,
        seed=int(rng.integers(2**63)),
    )


def margin_px(camera: Camera, rules: Rules) -> float:
    """How far inside the image a mark must lie."""
    return rules.margin_share * min(camera.width, camera.height)


def _surface_points(
    views: Sequence[ViewPixels], rules: Rules, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """Points at random pixels of every view where depth is reliable, with their normals."""
    tolerance = visibility.Tolerance(rules.depth_tolerance_m, rules.depth_tolerance_share)
    per_view = -(-POINTS_PER_POOL // len(views))
    points, normals = [], []
    for view in views:
        assert view.depth is not None
        size = (view.camera.width, view.camera.height)
        pixels = (rng.random((2 * per_view, 2)) * size).astype(np.int64)
        normal = visibility.estimate_normals(view.camera, view.depth, pixels, NORMAL_STEP_PX)
        uv_px = pixels + (0.25 + 0.5 * rng.random(pixels.shape))
        depth_m = visibility.lookup_depth(view.depth, uv_px, tolerance)
        kept = np.flatnonzero(np.isfinite(depth_m) & np.isfinite(normal).all(axis=1))[:per_view]
        # points that lie together are looked up faster in the other views
        kept = kept[np.lexsort(pixels[kept].T)]
        points.append(unproject(view.camera, uv_px[kept], depth_m[kept]))
        normals.append(normal[kept])
    return np.concatenate(points), np.concatenate(normals)


def _see(
    view: ViewPixels,
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    rules: Rules,
) -> visibility.Sight:
    assert view.depth is not None
    return visibility.see_points(
        view.camera,
        view.depth,
        points,
        normals,
        margin_px=margin_px(view.camera, rules),
        tolerance=visibility.Tolerance(rules.depth_tolerance_m, rules.depth_tolerance_share),
        max_grazing_deg=rules.max_grazing_deg,
    )


def _follow(
    view: ViewPixels,
    points: Float[np.ndarray, "n 3"],
    seen: Bool[np.ndarray, " n"],
    rules: Rules,
) -> visibility.Sight:
    uv_px, depth_m = project(view.camera, points)
    camera = view.camera
    inside = visibility.inside(uv_px, camera.width, camera.height, margin_px(camera, rules))
    return visibility.Sight(uv_px, depth_m, np.zeros(len(points)), seen & inside)


@numba.njit(cache=True)
def _color(image, uv_px, points, reach, lab, rgb):  # pragma: no cover - compiled
    """Fill in colours that are NaN: exact means over the pixels of a patch inside the image."""
    height, width = image.shape[:2]
    for i in points:
        if not math.isnan(rgb[i, 0]):
            continue
        column, row = int(uv_px[i, 0]), int(uv_px[i, 1])
        left, right = max(column - reach, 0), min(column + reach + 1, width)
        top, bottom = max(row - reach, 0), min(row + reach + 1, height)
        red, green, blue = 0, 0, 0
        for y in range(top, bottom):
            for x in range(left, right):
                red += image[y, x, 0]
                green += image[y, x, 1]
                blue += image[y, x, 2]
        scale = 2.55 * (right - left) * (bottom - top)
        rgb[i, 0], rgb[i, 1], rgb[i, 2] = red / scale, green / scale, blue / scale
        lab[i, 0], lab[i, 1], lab[i, 2] = lab_of_srgb(red / scale, green / scale, blue / scale)


def _thumbnail(image: Image) -> Float[np.ndarray, " k"]:
    """Coarse grey layout, of one size whatever the image's."""
    gray = gray_thumbnail(image, THUMBNAIL_SIZE_PX[0])
    return cv2.resize(gray, THUMBNAIL_SIZE_PX, interpolation=cv2.INTER_AREA).ravel()

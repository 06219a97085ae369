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
from jaxtyping import Bool, Float

from xvr.errors import Unusable
from xvr.geometry import visibility
from xvr.geometry.camera import Camera, project, unproject
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
    lab: Float[np.ndarray, "v n 3"]
    """Mean CIE Lab colour around the projection, where visible."""
    rgb: Float[np.ndarray, "v n 3"]
    """The same as RGB, in levels of 100."""
    place: Float[np.ndarray, "v n 2"]
    """Projections as shares of the image's width and height."""
    centers_world: Float[np.ndarray, "v 3"]
    similarity: Float[np.ndarray, "v v"]
    """Correlation of the views' grey thumbnails."""
    extent_m: float
    """Scene extent: twice the median distance of the points to their median."""
    center_world: Float[np.ndarray, "3"]
    """Scene centre: the median of the points."""
    seed: int
    """Of choices that belong to the pool and not to one question."""
    kept: dict[Hashable, Any] = field(default_factory=dict)
    """What tasks found out about the pool; see `keep`."""

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, found once: many questions share views and looks."""
        if key not in self.kept:
            self.kept[key] = find()
        return self.kept[key]

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
    kept = visible.sum(axis=0) >= rules.min_views
    if not kept.any():
        raise Unusable("no_points", f"no surface point is seen by {rules.min_views} of the views")
    points, visible = points[kept], visible[:, kept]
    uv_px = np.stack([sight.uv_px[kept] for sight in sights])
    center = np.median(points, axis=0)
    sizes = np.array([(view.camera.width, view.camera.height) for view in views], float)
    rgb = np.stack([_patch_rgb(v.image, uv_px[i], visible[i]) for i, v in enumerate(views)])
    thumbnails = [_thumbnail(view.image) for view in views]
    return PointPool(
        views=tuple(views),
        points_world=points,
        uv_px=uv_px,
        depth_m=np.stack([sight.depth_m[kept] for sight in sights]),
        error_m=np.stack([sight.error_m[kept] for sight in sights]),
        visible=visible,
        lab=cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB),
        rgb=100 * rgb,
        place=uv_px / sizes[:, None],
        centers_world=np.stack([view.camera.center for view in views]),
        similarity=correlations(np.stack(thumbnails)),
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
        pixels = rng.integers(0, size, size=(2 * per_view, 2))
        normal = visibility.estimate_normals(view.camera, view.depth, pixels, NORMAL_STEP_PX)
        uv_px = pixels + rng.uniform(0.25, 0.75, size=pixels.shape)
        depth_m = visibility.lookup_depth(view.depth, uv_px, tolerance)
        kept = np.flatnonzero(np.isfinite(depth_m) & np.isfinite(normal).all(axis=1))[:per_view]
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


def _patch_rgb(
    image: Image,
    uv_px: Float[np.ndarray, "n 2"],
    visible: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "n 3"]:
    """Mean colour of the square patch around each visible projection, 0..1; NaN elsewhere."""
    reach = round(PATCH_SIDE_SHARE * math.hypot(*image.shape[:2]) / 2 - 0.5)
    rgb = np.full((len(uv_px), 3), np.nan, np.float32)
    _mean_patches(image, uv_px, visible, reach, rgb)
    return rgb


@numba.njit(cache=True)
def _mean_patches(image, uv_px, visible, reach, out):  # pragma: no cover - compiled
    """Exact means; a patch that crosses the border has only its pixels inside."""
    height, width = image.shape[:2]
    for i in range(len(uv_px)):
        if not visible[i]:
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
        scale = 255.0 * (right - left) * (bottom - top)
        out[i, 0], out[i, 1], out[i, 2] = red / scale, green / scale, blue / scale


def _thumbnail(image: Image) -> Float[np.ndarray, " k"]:
    """Coarse grey layout, of one size whatever the image's."""
    gray = gray_thumbnail(image, THUMBNAIL_SIZE_PX[0])
    return cv2.resize(gray, THUMBNAIL_SIZE_PX, interpolation=cv2.INTER_AREA).ravel()

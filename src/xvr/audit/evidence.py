"""What the source says about every mark: its ray, the surface it lies on, the colour around it.

All samples of a scene are looked up together, view by view, so that each depth map and each image
is decoded once and kept no longer than needed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.audit.optics import depths_at, pixel_rays, pixels_of
from xvr.audit.written import Entry
from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.records import Scene, Tracks, View

PATCH_RADIUS_PX = 4
TRACK_TOLERANCE = 1e-4
"""A point is that of a track when it is this close to it, relative to the distance to the view."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """One sample's marks and views, re-read; `m` marks, `v` images, in the order of the proof."""

    views: tuple[View, ...]
    image: Int[np.ndarray, " m"]
    """Index into `views` of each mark."""
    centers: Float[np.ndarray, "v 3"]
    focal_px: Float[np.ndarray, " v"]
    diagonal_px: Float[np.ndarray, " v"]
    uv_px: Float[np.ndarray, "m 2"]
    uv_end_px: Float[np.ndarray, "m 2"]
    rays: Float[np.ndarray, "m 3"]
    """Through the dot or the tail."""
    end_rays: Float[np.ndarray, "m 3"]
    """Through the head; NaN for dots."""
    depth_m: Float[np.ndarray, " m"]
    """The depth map's at the dot or tail; NaN where unknown."""
    surface: Float[np.ndarray, "m 3"]
    """World point at that depth; NaN where unknown."""
    patches: Float[np.ndarray, "m 3"]
    """Mean RGB around the mark in the unmarked source image, 0 to 255."""
    seen_uv_px: Float[np.ndarray, "m v 2"]
    """Each mark's point seen from each view; NaN behind it."""
    seen_z_m: Float[np.ndarray, "m v"]
    seen_depth_m: Float[np.ndarray, "m v"]
    """The depth map's at `seen_uv_px`; NaN where unknown."""
    tracked: Bool[np.ndarray, "m v"] | None
    """Whether the point's feature track has the view; None for scenes without tracks."""
    has_depth: bool
    tracks: Tracks | None
    """Of the whole scene."""

    @property
    def mark_centers(self) -> Float[np.ndarray, "m 3"]:
        """Centre of the camera behind each mark."""
        return self.centers[self.image]

    @property
    def mark_focal_px(self) -> Float[np.ndarray, " m"]:
        """Mean focal length of the camera behind each mark."""
        return self.focal_px[self.image]


def gather(scene: Scene, entries: Sequence[Entry], patches: Bool[np.ndarray, " n"]) -> list:
    """Evidence of each entry of one scene, or the `Unusable` that prevents it.

    Args:
        scene: the scene, freshly loaded.
        entries: its samples.
        patches: for which of them the colours are wanted; images are decoded only for those.
    """
    by_name = {view.name: view for view in scene.views}
    found: list = []
    lookups: dict[str, list[_Lookup]] = defaultdict(list)
    for entry, wants_patches in zip(entries, patches, strict=True):
        try:
            sheet = _Sheet(entry, by_name)
        except Unusable as error:
            found.append(error)
            continue
        found.append(sheet)
        for number, view in enumerate(sheet.views):
            lookups[view.name].append(_Lookup(sheet, number, bool(wants_patches)))
    for name, wanted in lookups.items():
        _look_up(by_name[name], wanted)
    return [x.finish(scene) if isinstance(x, _Sheet) else x for x in found]


class _Sheet:
    """Arrays of one sample while they are being filled."""

    def __init__(self, entry: Entry, by_name: dict[str, View]) -> None:
        proof = entry.proof
        views = []
        for image in proof.images:
            view = by_name.get(image.view or "")
            if view is None or view.frame_index != image.frame_index:
                raise Unusable("unknown_view", f"{image.view!r} frame {image.frame_index}")
            views.append(view)
        self.views = tuple(views)
        count, marks = len(views), len(proof.marks)
        position = {image.image: number for number, image in enumerate(proof.images)}
        self.image = np.array([position[mark.image] for mark in proof.marks], dtype=int)
        self.uv = np.array([mark.uv_px for mark in proof.marks], dtype=float).reshape(-1, 2)
        ends = [mark.uv_end_px or (np.nan, np.nan) for mark in proof.marks]
        self.uv_end = np.array(ends, dtype=float).reshape(-1, 2)
        self.points = np.array([mark.point_m for mark in proof.marks], dtype=float).reshape(-1, 3)
        self.rays = np.full((marks, 3), np.nan)
        self.end_rays = np.full((marks, 3), np.nan)
        self.depth = np.full(marks, np.nan)
        self.patches = np.full((marks, 3), np.nan)
        self.seen_uv = np.full((marks, count, 2), np.nan)
        self.seen_z = np.full((marks, count), np.nan)
        self.seen_depth = np.full((marks, count), np.nan)

    def finish(self, scene: Scene) -> Evidence:
        cameras = [view.camera for view in self.views]
        centers = np.array([camera.world_from_camera[:3, 3] for camera in cameras])
        forward = np.array([camera.world_from_camera[:3, 2] for camera in cameras])[self.image]
        along = np.einsum("mk,mk->m", self.rays, forward)
        surface = centers[self.image] + self.rays * (self.depth / along)[:, None]
        return Evidence(
            views=self.views,
            image=self.image,
            centers=centers,
            focal_px=np.array([(camera.fx + camera.fy) / 2 for camera in cameras]),
            diagonal_px=np.array([np.hypot(camera.width, camera.height) for camera in cameras]),
            uv_px=self.uv,
            uv_end_px=self.uv_end,
            rays=self.rays,
            end_rays=self.end_rays,
            depth_m=self.depth,
            surface=surface,
            patches=self.patches,
            seen_uv_px=self.seen_uv,
            seen_z_m=self.seen_z,
            seen_depth_m=self.seen_depth,
            tracked=_tracked(scene, self),
            has_depth=all(view.read_depth is not None for view in self.views),
            tracks=scene.tracks,
        )


@dataclass(frozen=True)
class _Lookup:
    """One view of one sample."""

    sheet: _Sheet
    number: int
    patches: bool

    @property
    def marks(self) -> Int[np.ndarray, " k"]:
        return np.flatnonzero(self.sheet.image == self.number)


def _look_up(view: View, lookups: Sequence[_Lookup]) -> None:
    """Fill in everything that one view knows about the samples that use it."""
    camera = view.camera
    tails = np.concatenate([x.sheet.uv[x.marks] for x in lookups])
    heads = np.concatenate([x.sheet.uv_end[x.marks] for x in lookups])
    points = np.concatenate([x.sheet.points for x in lookups])
    rays = pixel_rays(camera, np.concatenate([tails, heads]))
    seen_uv, seen_z = pixels_of(camera, points)
    depths = np.full(len(tails) + len(points), np.nan)
    if view.read_depth is not None and len(points):
        depths = depths_at(view.read_depth(), np.concatenate([tails, seen_uv])).depth_m
    at, point_at, image = 0, 0, None
    for lookup in lookups:
        sheet, number, marks = lookup.sheet, lookup.number, lookup.marks
        here = slice(at, at + len(marks))
        there = slice(point_at, point_at + len(sheet.points))
        sheet.rays[marks] = rays[: len(tails)][here]
        sheet.end_rays[marks] = rays[len(tails) :][here]
        sheet.depth[marks] = depths[: len(tails)][here]
        sheet.seen_uv[:, number] = seen_uv[there]
        sheet.seen_z[:, number] = seen_z[there]
        sheet.seen_depth[:, number] = depths[len(tails) :][there]
        if lookup.patches and len(marks):
            image = view.read_image() if image is None else image
            sheet.patches[marks] = [_patch(image, camera, uv) for uv in sheet.uv[marks]]
        at, point_at = here.stop, there.stop


def _patch(image: np.ndarray, camera: Camera, uv_px: Float[np.ndarray, "2"]) -> np.ndarray:
    """Mean RGB of the square around a pixel, cut at the border."""
    column = int(np.clip(uv_px[0], 0, camera.width - 1))
    row = int(np.clip(uv_px[1], 0, camera.height - 1))
    top, left = max(row - PATCH_RADIUS_PX, 0), max(column - PATCH_RADIUS_PX, 0)
    square = image[top : row + PATCH_RADIUS_PX + 1, left : column + PATCH_RADIUS_PX + 1]
    return square.reshape(-1, 3).mean(axis=0)


def _tracked(scene: Scene, sheet: _Sheet) -> Bool[np.ndarray, "m v"] | None:
    if scene.tracks is None or not len(sheet.points) or not len(scene.tracks.points_world):
        return None
    numbers = {view.name: number for number, view in enumerate(scene.views)}
    columns = [numbers[view.name] for view in sheet.views]
    reach = TRACK_TOLERANCE * float(np.nanmedian(np.abs(sheet.seen_z)))
    rows = []
    for point in sheet.points:
        away = np.abs(scene.tracks.points_world - point).max(axis=1)
        nearest = int(away.argmin())
        rows.append(scene.tracks.seen[nearest, columns] & (away[nearest] <= reach))
    return np.array(rows, dtype=bool)

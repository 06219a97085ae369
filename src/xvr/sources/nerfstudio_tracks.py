"""Tracks for a nerfstudio scene, from the COLMAP model that it was made from.

nerfstudio keeps the model beside its images and turns the world, sometimes scales it. How is found
from the poses of the images that both have, and then proven: every point must appear in every
image that sees it where the model itself puts it. A point cloud (`ply_file_path`) does not say
which image sees a point, and is not used.

Source: https://github.com/nerfstudio-project/nerfstudio, nerfstudio/process_data/colmap_utils.py;
the models of DL3DV are https://huggingface.co/datasets/DL3DV/DL3DV-ALL-ColmapCache.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.geometry.camera import Camera, project
from xvr.sources.colmap_model import FILES, model_file, read_points, read_posed_images
from xvr.sources.colmap_tracks import tracks_of
from xvr.sources.records import Tracks, View

PLACES = ("colmap/sparse", "colmap", "sparse")
"""Folders that may hold a model, or numbered models, beside the images."""
MODEL_FILES = (*FILES, "points3D")
MIN_SHARED = 3
"""Images that a model and a scene must share."""
MAX_APART_SHARE = 0.001
"""How far a point may appear from where the model puts it, of the image diagonal."""


class Similarity(NamedTuple):
    """scale * rotation @ point + shift."""

    scale: float
    rotation: Float[np.ndarray, "3 3"]
    shift: Float[np.ndarray, "3"]

    def apply(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """The points in the other world."""
        return self.scale * points @ self.rotation.T + self.shift


def model_folders(folder: Path) -> list[Path]:
    """Folders beside a scene's images with a complete model."""
    places = [folder / place for place in PLACES]
    numbered = [child for place in places for child in sorted(place.glob("[0-9]*"))]
    return [
        found
        for found in (*numbered, *places)
        if all(model_file(found, name) for name in MODEL_FILES)
    ]


def model_tracks(folder: Path, views: Sequence[View]) -> Tracks | None:
    """The tracks of the first model beside a scene that agrees with its views; None without one.

    Raises:
        Unusable: `model_disagrees` when there are models and none agrees, and what
            `xvr.sources.colmap_model` raises for damage.
    """
    folders = model_folders(folder)
    for model in folders:
        tracks = _aligned(model, views)
        if tracks is not None:
            return tracks
    if folders:
        raise Unusable(
            "model_disagrees",
            f"{folder}: {', '.join(found.relative_to(folder).as_posix() for found in folders)}",
        )
    return None


def _aligned(model: Path, views: Sequence[View]) -> Tracks | None:
    """The tracks of a model in the world of the views, None unless they are proven to fit."""
    files = [file for name in MODEL_FILES if (file := model_file(model, name)) is not None]
    camera_file, image_file, point_file = files
    images = {image.name: image for image in read_posed_images(camera_file, image_file)}
    shared = {number: images[name] for number, name in _names(views).items() if name in images}
    if len(shared) < MIN_SHARED:
        return None
    mine = [views[number].camera for number in shared]
    fit = _fit([image.camera for image in shared.values()], mine)
    columns = {image.image_id: number for number, image in shared.items()}
    tracks = tracks_of(read_points(point_file), columns, len(views))
    moved = tracks._replace(points_world=fit.apply(tracks.points_world))
    apart = [
        _apart(
            image.camera, tracks.points_world[seen], views[number].camera, moved.points_world[seen]
        )
        for number, image in shared.items()
        if (seen := tracks.seen[:, number]).any()
    ]
    return moved if apart and max(apart) <= MAX_APART_SHARE else None


def _names(views: Iterable[View]) -> dict[int, str]:
    """Views by their number and the name that COLMAP had for them: without the images' folder."""
    return {n: view.name.partition("/")[2] or view.name for n, view in enumerate(views)}


def _fit(theirs: Sequence[Camera], mine: Sequence[Camera]) -> Similarity:
    """The similarity from their world to mine that fits the poses of the same images best."""
    pairs = zip(theirs, mine, strict=True)
    turns = [b.world_from_camera[:3, :3] @ a.camera_from_world[:3, :3] for a, b in pairs]
    u, _, vt = np.linalg.svd(np.mean(turns, axis=0))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    a, b = (np.array([camera.center for camera in cameras]) for cameras in (theirs, mine))
    spread_a, spread_b = (np.linalg.norm(c - c.mean(axis=0)) for c in (a, b))
    scale = float(spread_b / spread_a) if spread_a > 0 else 1.0
    return Similarity(scale, rotation, b.mean(axis=0) - scale * rotation @ a.mean(axis=0))


def _apart(
    theirs: Camera,
    their_points: Float[np.ndarray, "n 3"],
    mine: Camera,
    my_points: Float[np.ndarray, "n 3"],
) -> float:
    """Farthest that a point appears from where the model puts it, as a share of my diagonal."""
    wanted, _ = project(theirs, their_points)
    found, _ = project(mine, my_points)
    wanted *= (mine.width / theirs.width, mine.height / theirs.height)
    return float(np.nan_to_num(np.abs(found - wanted), nan=np.inf).max()) / mine.diagonal_px

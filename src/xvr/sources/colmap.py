"""COLMAP models, text or binary: images with poses and tracks, without metres.

A scene is a folder with `cameras`, `images` and optionally `points3D` (.bin or .txt) in it, in
`sparse/` or in `sparse/<n>/`; the pictures are in `images/` beside one of those. A path may be one
scene or a folder of scenes; each model of a scene is a scene of its own, in the same group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Int

from xvr.errors import Unusable, UserError
from xvr.sources.colmap_model import (
    FILES,
    model_file,
    read_cameras,
    read_images,
    read_observations,
    read_points,
    world_from_camera,
)
from xvr.sources.folders import find_folders
from xvr.sources.pixels import read_image
from xvr.sources.records import Ref, Scene, Sightings, SourceFormat, Tracks, View

MAX_ERROR_PX = 2.0
"""Points with a larger mean reprojection error are left out; COLMAP itself keeps up to 4."""
MIN_TRACK_VIEWS = 2
MAX_POINTS = 50_000
"""Points kept, those with the longest tracks first; more would only fill memory."""


def index(path: Path) -> list[Ref]:
    """All models at or below a path.

    Raises:
        UserError: there is none.
    """
    refs = [
        Ref(
            format="colmap",
            root=str(path),
            id=group if model == "." else f"{group}/{model}",
            group=group,
            kind="scene",
        )
        for group, folder in find_folders(path, lambda folder: bool(_models(folder)), levels=2)
        for model in _models(folder)
    ]
    if not refs:
        raise UserError(
            f"{path} holds no COLMAP model: expected cameras and images (.bin or .txt) in it, in "
            "sparse/ or sparse/0/, or in such folders below it"
        )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Scene:
    """The scene of a ref, with views in the order of their names.

    Raises:
        Unusable: `missing_model`, `truncated_model`, `bad_model`, `unknown_camera_model`,
            `bad_intrinsics`, `bad_pose` or `missing_image`.
    """
    folder = _model_folder(ref)
    camera_file, image_file = (model_file(folder, name) for name in FILES)
    if camera_file is None or image_file is None:
        raise Unusable("missing_model", str(folder))
    cameras = read_cameras(camera_file)
    entries = sorted(read_images(image_file), key=lambda entry: entry.name)
    pictures = _pictures(folder)
    views = []
    for number, entry in enumerate(entries):
        if entry.camera_id not in cameras:
            raise Unusable("bad_model", f"{image_file}: {entry.name}: no camera {entry.camera_id}")
        if not (pictures / entry.name).is_file():
            raise Unusable("missing_image", str(pictures / entry.name))
        try:
            camera = replace(cameras[entry.camera_id], world_from_camera=world_from_camera(entry))
        except ValueError as error:
            raise Unusable("bad_pose", f"{image_file}: {entry.name}: {error}") from error
        views.append(
            View(
                name=entry.name,
                camera=camera,
                frame_index=number,
                read_image=partial(
                    read_image, pictures / entry.name, (camera.width, camera.height)
                ),
            )
        )
    point_file = model_file(folder, "points3D")
    columns = {entry.image_id: number for number, entry in enumerate(entries)}
    return Scene(
        id=ref.id,
        dataset="colmap",
        category="",
        views=tuple(views),
        tracks=None if point_file is None else _tracks(point_file, image_file, columns),
        metric=False,
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The files of each model."""
    for ref in refs:
        folder = _model_folder(replace(ref, root=str(path)))
        for name in (*FILES, "points3D"):
            file = model_file(folder, name)
            if file is not None:
                yield f"{ref.id}/{file.name}", file


def _models(folder: Path) -> list[str]:
    """Folders of models below a scene's folder: `.`, `sparse`, or `sparse/0` and so on."""
    for name in (".", "sparse"):
        if all(model_file(folder / name, file) for file in FILES):
            return [name]
    numbered = sorted((folder / "sparse").glob("[0-9]*"))
    found = [child for child in numbered if all(model_file(child, file) for file in FILES)]
    return [child.relative_to(folder).as_posix() for child in found]


def _model_folder(ref: Ref) -> Path:
    root = Path(ref.root)
    scene = root if _models(root) else root / ref.group
    return scene / ref.id.removeprefix(ref.group).lstrip("/")


def _pictures(model: Path) -> Path:
    """The folder of the pictures: `images/` in the model's folder or up to two above it."""
    candidates = [folder / "images" for folder in (model, *model.resolve().parents[:2])]
    found = next((folder for folder in candidates if folder.is_dir()), None)
    if found is None:
        raise Unusable("missing_image", f"{model}: no images/ in it or in the two folders above")
    return found


def _tracks(point_file: Path, image_file: Path, columns: dict[int, int]) -> Tracks:
    kept = []
    for point in read_points(point_file):
        if not 0 <= point.error_px <= MAX_ERROR_PX or not all(map(isfinite, point.position)):
            continue
        seen = {columns[image_id] for image_id in point.image_ids if image_id in columns}
        if len(seen) >= MIN_TRACK_VIEWS:
            kept.append((point.position, sorted(seen), point.point_id))
    kept.sort(key=lambda entry: (-len(entry[1]), entry[0]))
    kept = kept[:MAX_POINTS]
    seen_by = np.zeros((len(kept), len(columns)), dtype=bool)
    for row, (_, seen, _) in enumerate(kept):
        seen_by[row, seen] = True
    positions = np.array([position for position, _, _ in kept], dtype=np.float64)
    ids = np.array([point_id for _, _, point_id in kept], dtype=np.int64)
    return Tracks(positions.reshape(-1, 3), seen_by, partial(_sightings, image_file, columns, ids))


def _sightings(
    image_file: Path, columns: dict[int, int], ids: Int[np.ndarray, " n"]
) -> list[Sightings]:
    """Per view, the points with these ids that it saw, and where."""
    order = np.argsort(ids)
    found = [Sightings(np.zeros(0, np.int64), np.zeros((0, 2)))] * len(columns)
    if not len(ids):
        return found
    for image_id, uv_px, point_ids in read_observations(image_file):
        places = np.minimum(np.searchsorted(ids, point_ids, sorter=order), len(ids) - 1)
        rows = order[places]
        known = ids[rows] == point_ids
        found[columns[image_id]] = Sightings(rows[known], uv_px[known])
    return found


COLMAP = SourceFormat(
    name="colmap",
    kind="scene",
    calibration="every image",
    geometry="tracks",
    index=index,
    load=load,
    key_files=key_files,
)

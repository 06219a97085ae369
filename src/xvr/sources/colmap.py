"""COLMAP models, text or binary: images with poses and tracks, without metres.

A scene is a folder with `cameras`, `images` and optionally `points3D` (.bin or .txt) in it, in
`sparse/` or in `sparse/<n>/`; the pictures are in `images/` beside one of those. A path may be one
scene or a folder of scenes; each model of a scene is a scene of its own, in the same group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from xvr.errors import Unusable, UserError
from xvr.sources.colmap_model import (
    FILES,
    model_file,
    read_points,
    read_posed_images,
)
from xvr.sources.colmap_tracks import tracks_of
from xvr.sources.folders import find_folders
from xvr.sources.pixels import read_image
from xvr.sources.records import Ref, Scene, SourceFormat, View


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
    images = read_posed_images(camera_file, image_file)
    pictures = _pictures(folder)
    views = []
    for number, (_, name, camera) in enumerate(images):
        picture = pictures / name
        if not picture.is_file():
            raise Unusable("missing_image", str(picture))
        size = (camera.width, camera.height)
        views.append(
            View(
                name=name,
                camera=camera,
                frame_index=number,
                read_image=partial(read_image, picture, size),
            )
        )
    point_file = model_file(folder, "points3D")
    columns = {image.image_id: number for number, image in enumerate(images)}
    return Scene(
        id=ref.id,
        dataset="colmap",
        category="",
        views=tuple(views),
        tracks=None
        if point_file is None
        else tracks_of(read_points(point_file), columns, len(views), image_file),
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


COLMAP = SourceFormat(
    name="colmap",
    kind="scene",
    calibration="every image",
    geometry="tracks",
    index=index,
    load=load,
    key_files=key_files,
)

"""CO3Dv2: videos around objects, with cameras and depth from structure from motion.

    <root>/<category>/frame_annotations.jgz   sequence_annotations.jgz   set_lists/set_lists_*.json
    <root>/<category>/<sequence>/images/frame000001.jpg
    <root>/<category>/<sequence>/depths/frame000001.jpg.geometric.png    depth_masks/   masks/

Annotations are gzipped JSON lists; paths in them begin at the root. Each category may be extracted
or still in the zip archives of the release (`apple_000.zip`, ...), which lie in the root. Cameras
are read by `xvr.sources.co3d_cameras`. A depth map holds 16-bit floats in the integers of a PNG, to
be multiplied by `scale_adjustment`; where its mask is zero it is not reliable and left out.

The unit of length is another one in each sequence. It is replaced by the typical distance of the
cameras from their middle, which is near a metre for someone who walks around a thing, so that rules
in metres mean about what they say.

The release blackens the frames that its challenge asks for: those under `test` of the set lists
`*_test*`. They are left out, as are frames without camera or depth.

Source: https://github.com/facebookresearch/co3d, README.md, co3d/dataset/data_types.py, issue 58.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from xvr.errors import Unusable, UserError
from xvr.sources.archives import File, Tree, open_tree
from xvr.sources.co3d_cameras import camera_of, unit_of_length
from xvr.sources.pixels import read_depth, read_image
from xvr.sources.records import Depth, Ref, Scene, SourceFormat, View

FRAMES = "frame_annotations.jgz"
SEQUENCES = "sequence_annotations.jgz"
NOT_USED = ("masks", "eval_batches")
_RECORD = b'{"sequence_name"'
"""How each frame begins in the release: the name is the first key of its record."""
_NAME = re.compile(rb'\s*:\s*"([^"]+)"')


def index(path: Path) -> list[Ref]:
    """The sequences whose folder is there, of all categories in a folder or of one category.

    Groups are sequences: which ones show the same object is not said.

    Raises:
        UserError: there is none, or an archive or the list of sequences is damaged.
    """
    tree = _tree(path)
    refs = []
    for category in [path.resolve().name] if _is_category(path) else tree.folders():
        listed = tree.find(f"{category}/{SEQUENCES}")
        if listed is None:
            continue
        present = set(tree.folders(category))
        try:
            names = {str(entry["sequence_name"]) for entry in json.loads(_unzip(listed))}
        except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
            raise UserError(f"{listed}: {error!r}; copy or download it again") from error
        refs += [
            Ref(
                format="co3d",
                root=str(path),
                id=f"{category}/{name}",
                group=f"{category}/{name}",
                kind="scene",
            )
            for name in names & present
        ]
    if not refs:
        raise UserError(
            f"{path} holds no CO3D sequence: expected CATEGORY/{SEQUENCES} and CATEGORY/SEQUENCE/ "
            "in it, or CATEGORY_*.zip"
        )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Scene:
    """The sequence of a ref; its frames in order of time.

    Raises:
        Unusable: `missing_metadata`, `bad_metadata`, `bad_intrinsics`, `bad_pose`, `missing_image`,
            `missing_depth`, or `missing_poses` when no frame has both camera and depth.
    """
    category, _, sequence = ref.id.partition("/")
    tree = _tree(Path(ref.root), category)
    where = f"{category}/{FRAMES}, {sequence}"
    hidden = _hidden(tree, category)
    try:
        frames = sorted(_frames(tree, category, sequence), key=lambda f: int(f["frame_number"]))
        posed = [frame for frame in frames if frame.get("viewpoint")]
        unit = unit_of_length([frame["viewpoint"] for frame in posed], where)
        views = [
            _view(tree, frame, unit, where)
            for frame in posed
            if frame.get("depth") and (sequence, frame["frame_number"]) not in hidden
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    if not views:
        raise Unusable("missing_poses", f"{where}: no frame has both camera and depth")
    return Scene(id=ref.id, dataset="co3d", category=category, views=tuple(views), metric=False)


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The annotations of each category, or the archives that hold them."""
    tree = _tree(path)
    for category in sorted({ref.id.partition("/")[0] for ref in refs}):
        for name in (FRAMES, SEQUENCES):
            file = tree.find(f"{category}/{name}")
            if file is not None:
                yield f"{category}/{name}", file if isinstance(file, Path) else file.archive


def _is_category(path: Path) -> bool:
    return (path / FRAMES).is_file()


def _tree(path: Path, category: str = "") -> Tree:
    """The files below the root, of one category if it is named."""
    root = path.resolve().parent if _is_category(path) else path
    return open_tree(root, [f"{category}*.zip"], NOT_USED)


def _view(tree: Tree, frame: Mapping[str, Any], unit: float, where: str) -> View:
    path = str(frame["image"]["path"])
    height, width = (int(side) for side in frame["image"]["size"])
    depth = frame["depth"]
    mask = str(depth["mask_path"]) if depth.get("mask_path") else None
    return View(
        name="/".join(path.split("/")[-2:]),
        camera=camera_of(frame["viewpoint"], (width, height), unit, f"{where}: {path}"),
        frame_index=int(frame["frame_number"]),
        time_s=float(frame.get("frame_timestamp") or 0.0),
        read_image=partial(read_image, _file(tree, path, "missing_image"), (width, height)),
        read_depth=partial(
            _read_depth,
            _file(tree, str(depth["path"]), "missing_depth"),
            None if mask is None else _file(tree, mask, "missing_depth"),
            (width, height),
            float(depth["scale_adjustment"]) / unit,
        ),
    )


def _read_depth(file: File, mask: File | None, size: tuple[int, int], scale: float) -> Depth:
    depth = read_depth(file, size, scale, half_floats=True)
    if mask is not None:
        depth[read_image(mask, size)[..., 0] == 0] = 0
    return depth


def _file(tree: Tree, name: str, reason: str) -> File:
    file = tree.find(name)
    if file is None:
        raise Unusable(reason, str(tree.root / name))
    return file


def _frames(tree: Tree, category: str, sequence: str) -> list[dict[str, Any]]:
    file = tree.find(f"{category}/{FRAMES}")
    if file is None:
        raise Unusable("missing_metadata", str(tree.root / category / FRAMES))
    records = _records(file, _changed_ns(file)).get(sequence, [])
    return [json.loads(record) for record in records]


@lru_cache(maxsize=2)
def _records(file: File, changed_ns: int) -> dict[str, list[bytes]]:  # noqa: ARG001
    """The frames of each sequence as JSON text; a category has 100,000, so they stay unparsed.

    The date only makes a rewritten file a new one.
    """
    found: dict[str, list[bytes]] = {}
    try:
        for name, record in _split(_unzip(file)):
            found.setdefault(name, []).append(record)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise Unusable("bad_metadata", f"{file}: {error!r}") from error
    return found


def _split(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and text of each record; records of another form than the release's are parsed."""
    opening, *records = data.strip().removesuffix(b"]").split(_RECORD)
    names = [_NAME.match(record) for record in records]
    if opening.strip() == b"[" and all(names):
        for name, record in zip(names, records, strict=True):
            if name is not None:
                yield name[1].decode(), _RECORD + record.rstrip().removesuffix(b",")
        return
    for entry in json.loads(data):
        yield str(entry["sequence_name"]), json.dumps(entry).encode()


def _hidden(tree: Tree, category: str) -> set[tuple[str, int]]:
    """Sequence and number of the frames that the release blackens."""
    found = set()
    for name in tree.files(f"{category}/set_lists"):
        file = tree.find(f"{category}/set_lists/{name}") if "_test" in name else None
        if file is not None:
            found |= _tested(file, _changed_ns(file))
    return found


@lru_cache(maxsize=64)
def _tested(file: File, changed_ns: int) -> frozenset[tuple[str, int]]:  # noqa: ARG001
    try:
        listed = json.loads(file.read_bytes())["test"]
        return frozenset((str(sequence), int(number)) for sequence, number, *_ in listed)
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable("bad_metadata", f"{file}: {error!r}, expected test") from error


def _unzip(file: File) -> bytes:
    return gzip.decompress(file.read_bytes())


def _changed_ns(file: File) -> int:
    return (file if isinstance(file, Path) else file.archive).stat().st_mtime_ns


CO3D = SourceFormat(
    name="co3d",
    kind="scene",
    calibration="every frame",
    geometry="depth, of structure from motion",
    index=index,
    load=load,
    key_files=key_files,
)

"""Episodes in HDF5 files: finding the files, and frames of a camera.

A camera is a dataset of arrays, uint8 (length, height, width, 3), or of encoded images: uint8
(length, bytes) with zeros at the end of each row, rows of variable length, or byte strings.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from xvr.errors import Unusable
from xvr.sources.hdf5 import open_hdf5
from xvr.sources.pixels import decode_image
from xvr.sources.reader_notes import Channels, in_rgb
from xvr.sources.records import Image, check_ascending

Node = Any
"""A file, group or dataset of h5py; its own types allow nothing without a check of each member."""


def find_files(path: Path, pattern: str) -> dict[str, Path]:
    """Files that match a pattern at or anywhere below a path, by their path from there.

    Names are without suffix. The file at the path itself matches always.
    """
    if path.is_file():
        return {path.stem: path}
    found = sorted(file for file in path.rglob(pattern) if file.is_file())
    return {file.relative_to(path).with_suffix("").as_posix(): file for file in found}


def file_of(path: Path, name: str, suffix: str) -> Path:
    """The file that `find_files` named."""
    file = path if path.is_file() else path / f"{name}{suffix}"
    if not file.is_file():
        raise Unusable("unknown_episode", f"{file} does not exist")
    return file


def members(node: Node, name: str) -> dict[str, Node]:
    """What the group of a name within a node holds; nothing where there is no such group."""
    import h5py

    below = node.get(name) if isinstance(node, h5py.Group) else None
    if not isinstance(below, h5py.Group):
        return {}
    return {key: below[key] for key in below if isinstance(key, str)}


def is_camera(node: Node) -> bool:
    """Whether a member of a group holds colour images."""
    import h5py

    if not isinstance(node, h5py.Dataset):
        return False
    if node.dtype == np.uint8:
        return node.ndim == 2 or (node.ndim == 4 and node.shape[3] == 3)
    encoded = node.dtype.kind == "S" or h5py.check_vlen_dtype(node.dtype) == np.uint8
    return node.ndim == 1 and encoded


def read_frames(path: Path, key: str, channels: Channels, indices: Sequence[int]) -> list[Image]:
    """Frames of a camera at ascending indices, each stored block read once.

    Raises:
        Unusable: `unreadable_hdf5`, `truncated_image` or `unreadable_image`.
    """
    check_ascending(indices)
    with open_hdf5(path) as file:
        rows = list(_rows(file[key], indices))
    images = []
    for index, row in zip(indices, rows, strict=True):
        if isinstance(row, np.ndarray) and row.ndim == 3:
            image = row
        else:
            data = row if isinstance(row, bytes) else np.asarray(row, np.uint8).tobytes()
            image = decode_image(data.rstrip(b"\0"), f"{path}, {key}, frame {index}")
        images.append(in_rgb(image, channels))
    return images


def _rows(data: Node, indices: Sequence[int]) -> Iterator[np.ndarray | bytes]:
    """Rows of a dataset, by slices within its blocks: h5py is slow at lists of indices."""
    per_block = data.chunks[0] if data.chunks else 1
    for _, group in groupby(indices, lambda index: index // per_block):
        wanted = list(group)
        block = data[wanted[0] : wanted[-1] + 1]
        yield from (block[index - wanted[0]].copy() for index in wanted)

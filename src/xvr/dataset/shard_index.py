"""Where the images of a shard lie: the index beside it, or a scan of the tar where there is none.

`images_000.index.json` holds `bytes` (size of the shard) and, member by member, `urls`, `offsets`
and `sizes` (bytes of the content), for reading any image with one `pread`.
"""

import json
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped

from xvr.dataset import atomic, ustar
from xvr.dataset.record import CLEAN
from xvr.errors import UserError


class Place(NamedTuple):
    """An image in a shard."""

    shard: Path
    offset: int
    """Where its data starts, bytes from the start of the shard."""
    size: int
    """Bytes of data."""


class Contents:
    """Where the images of one shard are; arrays, as 400,000 entries in a dict take 100 MB."""

    def __init__(
        self,
        shard: Path,
        names: Shaped[np.ndarray, " n"],
        offsets: Int64[np.ndarray, " n"],
        sizes: Int64[np.ndarray, " n"],
    ) -> None:
        order = np.argsort(names, kind="stable")
        self._shard = shard
        self._names = names[order]
        self._offsets = offsets[order]
        self._sizes = sizes[order]
        self._ends = (bytes(self._names[0]), bytes(self._names[-1])) if len(names) else None

    def find(self, name: bytes) -> Place | None:
        """Where the image with an encoded url is, or None when it is not in this shard."""
        if self._ends is None or not self._ends[0] <= name <= self._ends[1]:
            return None
        row = int(np.searchsorted(self._names, name))
        if self._names[row] != name:
            return None
        return Place(self._shard, int(self._offsets[row]), int(self._sizes[row]))


def index_path_of(shard: Path) -> Path:
    """Where the index of a shard is."""
    return shard.with_suffix(".index.json")


def read_contents(shard: Path) -> Contents:
    """What is in a shard, by its index or else by a scan.

    Raises:
        UserError: the index or the shard is damaged.
    """
    index_path = index_path_of(shard)
    if not index_path.is_file():
        return Contents(shard, *_columns(*_scan(shard)))
    try:
        index = json.loads(index_path.read_bytes())
        columns = _columns(index["urls"], index["offsets"], index["sizes"])
        expected_bytes = index["bytes"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{index_path}: not an index of a shard ({error}): delete it, and the shard is scanned"
        ) from error
    found_bytes = shard.stat().st_size
    if found_bytes != expected_bytes:
        raise ustar.damaged(shard, f"it has {found_bytes} bytes, its index says {expected_bytes}")
    return Contents(shard, *columns)


def write_index(
    shard: Path, size: int, urls: list[str], offsets: list[int], sizes: list[int]
) -> None:
    """Write the index of a shard of `size` bytes; the lists have an entry for every image."""
    index = {"bytes": size, "urls": urls, "offsets": offsets, "sizes": sizes}
    data = json.dumps(index, separators=(",", ":")).encode()
    atomic.write_bytes(index_path_of(shard), data)


def index_shard(shard: Path) -> None:
    """Write the index of a shard that came without one.

    Raises:
        UserError: the file is no tar archive, or is cut short.
    """
    write_index(shard, shard.stat().st_size, *_scan(shard))


def _scan(shard: Path) -> tuple[list[str], list[int], list[int]]:
    members = ustar.scan(shard)
    return (
        [_url_of(member.name) for member in members],
        [member.offset for member in members],
        [member.size for member in members],
    )


def _url_of(name: str) -> str:
    """An image is known by its file name, whatever its folder; unmarked copies by their own."""
    return name if name.startswith(CLEAN) else f"images/{PurePosixPath(name).name}"


def _columns(
    urls: list[str], offsets: list[int], sizes: list[int]
) -> tuple[Shaped[np.ndarray, " n"], Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    return (
        np.array([str(url).encode() for url in urls], dtype=np.bytes_),
        np.array(offsets, dtype=np.int64),
        np.array(sizes, dtype=np.int64),
    )

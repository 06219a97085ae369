"""Images in tar shards: `image_shards/images_000.tar`, 10,000 images each, with an index beside it.

The members of a shard are named as the records name images (`images/img_0000001.png`), so that
extracting every shard in the dataset's folder makes the urls files. The same images give the same
bytes (see `xvr.dataset.ustar`).

An index beside each shard lets any image be read with one `pread` (see `xvr.dataset.shard_index`).

    with ShardWriter(out) as shards:
        shards.add(image_url(1, ".png"), data)
    with ShardReader(out) as images:
        data = images.read("images/img_0000001.png")
"""

import os
from array import array
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO

from xvr.dataset import atomic, ustar
from xvr.dataset.shard_index import Contents, Place, read_contents, write_index
from xvr.errors import UserError

SHARD_FOLDER = "image_shards"
_BUFFER_BYTES = 1 << 20
_OPEN_SHARDS = 64
"""The most files a reader keeps open."""


def image_url(number: int, extension: str) -> str:
    """Url of an image, such as `images/img_0000001.png` for number 1 and extension `.png`."""
    return f"images/img_{number:07d}{extension}"


class ShardWriter:
    """Writes images into shards; a shard appears under its name only when it is complete.

    Args:
        dataset_dir: folder of the dataset; shards go to `image_shards/` in it.
        images_per_shard: a shard is closed when it holds so many.
        first_shard: number of the first shard to write.
    """

    def __init__(
        self, dataset_dir: Path, images_per_shard: int = 10_000, first_shard: int = 0
    ) -> None:
        if images_per_shard < 1:
            raise ValueError(f"images_per_shard is {images_per_shard}; it must be at least 1")
        self._folder = dataset_dir / SHARD_FOLDER
        self._images_per_shard = images_per_shard
        self._next_shard = first_shard
        self._shard: _OpenShard | None = None

    def add(self, url: str, data: bytes) -> None:
        """Append one image.

        Raises:
            ValueError: the url is no name that ustar can hold (ASCII, at most 100 bytes), or the
                shard has it already.
        """
        if self._shard is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._shard = _OpenShard(self._folder / f"images_{self._next_shard:03d}.tar")
            self._next_shard += 1
        self._shard.add(url, data)
        if len(self._shard) == self._images_per_shard:
            self.close()

    def close(self) -> None:
        """Complete the shard that is open, if any; a later `add` starts the next one."""
        if self._shard is not None:
            self._shard.commit()
            self._shard = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the last shard, or drop it when an error leaves the block."""
        if error_type is None:
            self.close()
        elif self._shard is not None:
            self._shard.discard()
            self._shard = None


class _OpenShard:
    """One tar file that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_suffix(".tar.tmp")
        self._file: BinaryIO = self._temporary.open("wb", buffering=_BUFFER_BYTES)
        self._end = 0
        self._sizes: dict[str, int] = {}
        self._offsets = array("q")

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, url: str, data: bytes) -> None:
        if url in self._sizes:
            raise ValueError(f"{self._path}: image {url!r} was added twice")
        # The header comes first, as it refuses bad names.
        head, tail = ustar.header(url, len(data)), ustar.padding(len(data))
        self._file.write(head)
        self._file.write(data)
        self._file.write(tail)
        self._sizes[url] = len(data)
        self._offsets.append(self._end + len(head))
        self._end += len(head) + len(data) + len(tail)

    def commit(self) -> None:
        ending = ustar.ending(self._end)
        self._file.write(ending)
        self._end += len(ending)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # The index goes first: whoever sees the shard may rely on its index.
        offsets, sizes = self._offsets.tolist(), list(self._sizes.values())
        write_index(self._path, self._end, list(self._sizes), offsets, sizes)
        self._temporary.replace(self._path)
        atomic.sync_folder(self._path.parent)

    def discard(self) -> None:
        try:
            self._file.close()  # writes what is buffered, which fails on a full disk
        finally:
            self._temporary.unlink()


class ShardReader:
    """Reads images of a dataset: from the unpacked `images/` folder, or from its shards.

    A shard without an index (the published release has none) is scanned once, when an image is not
    found in the shards before it. Readers can be pickled and used after a fork.

    Args:
        dataset_dir: folder that holds `images/` or `image_shards/`.
    """

    def __init__(self, dataset_dir: Path) -> None:
        self._dataset_dir = dataset_dir
        self._unpacked = (dataset_dir / "images").is_dir()
        self._unread = sorted((dataset_dir / SHARD_FOLDER).glob("*.tar"), reverse=True)
        self._contents: list[Contents] = []
        self._open: OrderedDict[Path, int] = OrderedDict()

    def read(self, url: str) -> bytes:
        """The bytes of the image file.

        Raises:
            UserError: no such image, or its shard is damaged.
        """
        path = self._unpacked_path(url)
        if path is not None:
            return path.read_bytes()
        member = self._find(url)
        if member is None:
            raise UserError(
                f"{self._dataset_dir}: no image {url!r} in images/ nor in the "
                f"{len(self._contents)} shards of {SHARD_FOLDER}/: download what is missing, or "
                "check the path of the dataset"
            )
        data = os.pread(self._descriptor(member.shard), member.size, member.offset)
        if len(data) != member.size:
            raise ustar.damaged(member.shard, f"it ends within {url}")
        return data

    def __contains__(self, url: str) -> bool:
        """Whether the image is there; its bytes are not read.

        Raises:
            UserError: a shard is damaged.
        """
        return self._unpacked_path(url) is not None or self._find(url) is not None

    def close(self) -> None:
        """Close the shards that are open; reading again opens them again."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self) -> "ShardReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[type["ShardReader"], tuple[Path]]:
        return type(self), (self._dataset_dir,)

    def _unpacked_path(self, url: str) -> Path | None:
        if not self._unpacked or PurePosixPath(url).is_absolute() or ".." in url:
            return None
        path = self._dataset_dir / url
        return path if path.is_file() else None

    def _find(self, url: str) -> Place | None:
        name = url.encode()
        for contents in self._contents:
            if (member := contents.find(name)) is not None:
                return member
        while self._unread:
            contents = read_contents(self._unread.pop())
            self._contents.append(contents)
            if (member := contents.find(name)) is not None:
                return member
        return None

    def _descriptor(self, shard: Path) -> int:
        if shard in self._open:
            self._open.move_to_end(shard)
        else:
            if len(self._open) == _OPEN_SHARDS:
                os.close(self._open.popitem(last=False)[1])
            self._open[shard] = os.open(shard, os.O_RDONLY)
        return self._open[shard]

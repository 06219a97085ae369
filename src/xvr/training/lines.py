"""A file of JSON lines whose n-th line can be read without the others."""

import hashlib
from pathlib import Path

import numpy as np

from xvr.errors import UserError


class Lines:
    """Where each line of a file starts; blank lines at the end do not count.

    Nothing stays open, so that it can be pickled and used after a fork.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file once.

        Raises:
            UserError: there is no such file.
        """
        self.path = path
        digest = hashlib.sha256()
        offsets = [0]
        try:
            with path.open("rb") as file:
                for line in file:
                    digest.update(line)
                    offsets.append(offsets[-1] + len(line))
        except FileNotFoundError as error:
            raise UserError(f"no file {path}: check the path of the data") from error
        self.sha256 = digest.hexdigest()
        """Of the whole file."""
        self._offsets = np.asarray(offsets, np.int64)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def read(self, number: int) -> bytes:
        """The line with a number, from 0."""
        begin, end = self._offsets[number : number + 2].tolist()
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    def where(self, number: int) -> str:
        """How a message names a line, such as `train.jsonl:12`."""
        return f"{self.path}:{number + 1}"

"""HDF5 files, by h5py, which is an extra: it is imported only when such a file is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError


def require_h5py() -> Any:
    """The module h5py.

    Raises:
        UserError: it is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise UserError('HDF5 files need h5py: pip install "xvr[hdf5]"') from error
    return h5py


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The open file, read only; damage that shows while it is open is told as `Unusable`.

    Raises:
        UserError: h5py is not installed.
        Unusable: `missing_hdf5` or `unreadable_hdf5`.
    """
    h5py = require_h5py()
    if not path.is_file():
        raise Unusable("missing_hdf5", str(path))
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:  # h5py raises all three for damage
        raise Unusable("unreadable_hdf5", f"{path}: {error}") from error


def read_numbers(file: Any, name: str) -> Float[np.ndarray, "..."] | None:
    """A whole array of numbers of an open file, as float64; None where there is none of this name.

    Raises:
        Unusable: `bad_column` when it holds no numbers.
    """
    found = file.get(name)
    if found is None or not hasattr(found, "dtype"):
        return None
    if found.dtype.kind not in "iuf":
        raise Unusable("bad_column", f"{file.filename}: {name} holds {found.dtype}, no numbers")
    return np.asarray(found[()], dtype=np.float64)

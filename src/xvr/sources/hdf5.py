"""HDF5 files, by h5py, which is an extra: it is imported only when such a file is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.sources.archives import File


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
def open_hdf5(file: File) -> Iterator[Any]:
    """The open file, read only; damage that shows while it is open is told as `Unusable`.

    Raises:
        UserError: h5py is not installed.
        Unusable: `missing_hdf5` or `unreadable_hdf5`.
    """
    h5py = require_h5py()
    try:
        with file.open("rb") as data, h5py.File(data, "r") as opened:
            yield opened
    except FileNotFoundError as error:
        raise Unusable("missing_hdf5", str(file)) from error
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # a damaged file makes h5py raise any of these
        raise Unusable("unreadable_hdf5", f"{file}: {error}") from error


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

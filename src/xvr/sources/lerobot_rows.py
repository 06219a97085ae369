"""Rows of one episode from a LeRobot parquet file: only its row groups and the columns asked for.

Everything is read in the calling thread, so that a process may fork at any time. The footer of a
file is kept for the next episode in it; open files are not.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xvr.errors import Unusable


def read_columns(path: Path, episode: int, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of an episode as arrays, (n,) or (n, k); lists of lists are flattened.

    Raises:
        Unusable: `missing_parquet`, `unreadable_parquet`, `missing_column` or `bad_column` (rows
            of different lengths, or empty cells).
    """
    table = _read(path, episode, columns)
    return {name: _to_numpy(table[name], f"{path}, {name}") for name in columns}


def read_cells(path: Path, episode: int, column: str, rows: Sequence[int]) -> list[dict | None]:
    """Cells of a column of structs, such as images, at some rows of an episode.

    Raises:
        Unusable: as `read_columns`; `missing_image` when the episode has fewer rows.
    """
    table = _read(path, episode, [column])
    if len(rows) and max(rows) >= len(table):
        raise Unusable("missing_image", f"{path}, {column}: row {max(rows)} of {len(table)}")
    return table[column].take(pa.array(rows, pa.int64())).to_pylist()


def _read(path: Path, episode: int, columns: Sequence[str]) -> pa.Table:
    try:
        stat = path.stat()
        footer = _footer(path, stat.st_size, stat.st_mtime_ns)
        with pq.ParquetFile(path, metadata=footer.metadata, pre_buffer=False) as file:
            names = [*columns, "episode_index"]
            missing = set(names).difference(file.schema_arrow.names)
            if missing:
                raise Unusable("missing_column", f"{path}: {min(missing)}")
            groups = [
                number
                for number, limits in enumerate(footer.episodes)
                if limits is None or limits[0] <= episode <= limits[1]
            ]
            table = file.read_row_groups(groups, columns=names, use_threads=False)
    except FileNotFoundError as error:
        raise Unusable("missing_parquet", str(path)) from error
    except (pa.ArrowException, OSError) as error:
        raise Unusable("unreadable_parquet", f"{path}: {error}") from error
    numbers = _to_numpy(table["episode_index"], f"{path}, episode_index")
    return table.filter(pa.array(numbers == episode))


class Footer(NamedTuple):
    """What the end of a parquet file says."""

    metadata: pq.FileMetaData
    episodes: list[tuple[int, int] | None]
    """Least and greatest `episode_index` of each row group, None where it is not written."""


@lru_cache(maxsize=16)
def _footer(path: Path, size: int, mtime_ns: int) -> Footer:  # noqa: ARG001
    """The footer of a file; size and time only make a rewritten file a new one."""
    metadata = pq.read_metadata(path)
    columns = [metadata.schema.column(n).path for n in range(metadata.num_columns)]
    numbers = [n for n, name in enumerate(columns) if name.split(".")[0] == "episode_index"]
    episodes: list[tuple[int, int] | None] = []
    for group in range(metadata.num_row_groups):
        found = metadata.row_group(group).column(numbers[0]).statistics if numbers else None
        episodes.append((found.min, found.max) if found and found.has_min_max else None)
    return Footer(metadata, episodes)


def _to_numpy(column: pa.ChunkedArray, where: str) -> np.ndarray:
    rows = len(column)
    values = column.combine_chunks()
    while not pa.types.is_primitive(values.type):
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        elif hasattr(values, "flatten") and not isinstance(values, pa.StructArray):
            values = values.flatten()
        else:
            raise Unusable("bad_column", f"{where}: {values.type} is no number or list of numbers")
    if values.null_count or (rows and len(values) % rows):
        raise Unusable("bad_column", f"{where}: empty cells or rows of different lengths")
    flat = values.to_numpy(zero_copy_only=False)
    return flat if len(flat) == rows else flat.reshape(rows, -1)

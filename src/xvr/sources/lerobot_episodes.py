"""Where the episodes of a LeRobot dataset lie: one file each (v2) or many to a file (v3).

v2.0 and v2.1 list episodes in `meta/episodes.jsonl`, a parquet file and a video per camera each.
v3.0 lists them in `meta/episodes/*/*.parquet` with the shared file that holds each, and the time
at which an episode starts in a shared video. Paths come from the templates in `meta/info.json`.

Source: https://github.com/huggingface/lerobot, docs/source/lerobot-dataset-v3.mdx and, for v2.1,
src/lerobot/datasets/utils.py at commit 9b9f4757.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xvr.errors import UserError
from xvr.sources.lerobot_meta import Dataset

EPISODES_V2 = "meta/episodes.jsonl"
TASKS_V2 = "meta/tasks.jsonl"
EPISODES_V3 = "meta/episodes"
TASKS_V3 = "meta/tasks.parquet"


@dataclass(frozen=True, kw_only=True)
class EpisodeFiles:
    """One episode's length, words and files."""

    length: int
    """Frames, as declared by the list of episodes."""
    instruction: str
    """Empty when the list of episodes has none."""
    data: Path
    """Parquet file with its rows, and in v3 those of other episodes."""
    videos: Mapping[str, tuple[Path, float]]
    """Camera key to video file and the time in it of the episode's first row, seconds."""


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """The list of episodes of one dataset."""

    numbers: Collection[int]
    """Values of `episode_index`."""
    files: Callable[[int], EpisodeFiles]
    """Where an episode lies; `KeyError` for a number that is not in the list."""
    tasks: Mapping[int, str]
    """Words of each `task_index`."""


def read_episodes(dataset: Dataset) -> Episodes:
    """The list of episodes of a dataset.

    Raises:
        UserError: the list is missing or damaged.
    """
    return _read_v3(dataset) if dataset.version >= (3, 0) else _read_v2(dataset)


def _read_v2(dataset: Dataset) -> Episodes:
    entries: dict[int, tuple[int, str]] = {}
    for where, entry in _json_lines(dataset.root / EPISODES_V2):
        try:
            number, length = int(entry["episode_index"]), int(entry["length"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{where}: {error!r}, expected episode_index and length") from error
        entries[number] = (length, _first_text(entry.get("tasks", entry.get("episode_tasks"))))
    tasks: dict[int, str] = {}
    if (dataset.root / TASKS_V2).is_file():
        for _, entry in _json_lines(dataset.root / TASKS_V2):
            tasks[int(entry.get("task_index", -1))] = str(entry.get("task", ""))
    return Episodes(numbers=entries, files=partial(_files_v2, dataset, entries), tasks=tasks)


def _files_v2(
    dataset: Dataset, entries: Mapping[int, tuple[int, str]], number: int
) -> EpisodeFiles:
    length, instruction = entries[number]
    values = {
        "episode_index": number,
        "episode_chunk": number // dataset.chunks_size,
        "total_episodes": dataset.total_episodes,
    }
    return EpisodeFiles(
        length=length,
        instruction=instruction,
        data=_fill(dataset, dataset.data_path, values),
        videos={
            key: (_fill(dataset, dataset.video_path, values | {"video_key": key}), 0.0)
            for key in dataset.video_keys
        },
    )


def _read_v3(dataset: Dataset) -> Episodes:
    columns = ["episode_index", "length", "tasks", "data/chunk_index", "data/file_index"]
    for key in dataset.video_keys:
        names = ("chunk_index", "file_index", "from_timestamp")
        columns += [f"videos/{key}/{name}" for name in names]
    folder = dataset.root / EPISODES_V3
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths:
        raise UserError(f"{folder} holds no parquet file; is this a LeRobot v3.0 dataset?")
    required = set(columns) - {"tasks"}
    tables = [_read_parquet(path, columns, required) for path in paths]
    table = pa.concat_tables(tables, promote_options="permissive")
    rows = {number: row for row, number in enumerate(table["episode_index"].to_pylist())}
    return Episodes(
        numbers=rows,
        files=partial(_files_v3, dataset, table, rows),
        tasks=_read_tasks_v3(dataset.root / TASKS_V3),
    )


def _files_v3(
    dataset: Dataset, table: pa.Table, rows: Mapping[int, int], number: int
) -> EpisodeFiles:
    (entry,) = table.slice(rows[number], 1).to_pylist()
    videos = {}
    for key in dataset.video_keys:
        values = _chunk_and_file(entry, f"videos/{key}") | {"video_key": key}
        start_s = float(entry[f"videos/{key}/from_timestamp"] or 0.0)
        videos[key] = (_fill(dataset, dataset.video_path, values), start_s)
    return EpisodeFiles(
        length=int(entry["length"] or 0),
        instruction=_first_text(entry.get("tasks")),
        data=_fill(dataset, dataset.data_path, _chunk_and_file(entry, "data")),
        videos=videos,
    )


def _chunk_and_file(entry: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    names = ("chunk_index", "file_index")
    return {name: int(entry[f"{prefix}/{name}"] or 0) for name in names}


def _fill(dataset: Dataset, template: str, values: Mapping[str, Any]) -> Path:
    try:
        return dataset.root / template.format(**values)
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(
            f"{dataset.root / 'meta/info.json'}: path template {template!r}: {error!r}"
        ) from error


def _first_text(tasks: object) -> str:
    texts = tasks if isinstance(tasks, list) else [tasks]
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _json_lines(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """The objects of a JSON lines file and where they stand."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}, line {number}", json.loads(line)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; is this a LeRobot v2 dataset?") from error
    except ValueError as error:
        raise UserError(f"{path}: not JSON lines: {error}") from error


def _read_parquet(path: Path, columns: list[str], required: set[str]) -> pa.Table:
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names = set(file.schema_arrow.names)
            if required - names:
                raise UserError(f"{path}: no column {min(required - names)!r}")
            wanted = [name for name in columns if name in names]
            return file.read(columns=wanted, use_threads=False).select(wanted)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: {error}") from error


def _read_tasks_v3(path: Path) -> dict[int, str]:
    """Task words by number; pandas writes them as an index, named `task` or not at all."""
    if not path.is_file():
        return {}
    table = _read_parquet(path, ["task_index", "task", "__index_level_0__"], {"task_index"})
    words = [name for name in table.column_names if name != "task_index"]
    if not words:
        return {}
    numbers, texts = table["task_index"].to_pylist(), table[words[0]].to_pylist()
    return dict(zip(numbers, map(str, texts), strict=True))

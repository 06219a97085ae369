"""The files of LeRobot v3.0: many episodes per parquet and per video file.

`meta/episodes` says where an episode is: rows by `dataset_from_index` and `dataset_to_index`,
pictures by `videos/<key>/from_timestamp` and `to_timestamp` in the file that
`videos/<key>/chunk_index` and `file_index` name. Source: huggingface/lerobot@7427f31
src/lerobot/datasets/dataset_writer.py, docs/source/lerobot-dataset-v3.mdx.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from xvr.sim.lerobot_stats import Stats, combined, to_json
from xvr.sim.lerobot_video import join_videos

if TYPE_CHECKING:
    from xvr.sim.lerobot_writer import Recording, StagedEpisode

DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"

FILES_PER_CHUNK = 1000
EPISODES_PER_FILE = 100
"""Simple and well below LeRobot's size limits (100 MB of rows, 200 MB of video per file)."""


def write(
    root: Path,
    recording: "Recording",
    episodes: Sequence["StagedEpisode"],
    tables: Sequence[pa.Table],
    stats: Sequence[Mapping[str, Stats]],
) -> dict[str, Any]:
    """Writes data, videos and meta files except `info.json`.

    Returns:
        The keys of `info.json` that describe the layout.
    """
    rows: list[dict[str, Any]] = []
    for first in range(0, len(episodes), EPISODES_PER_FILE):
        number = first // EPISODES_PER_FILE
        place = {
            "chunk_index": number // FILES_PER_CHUNK,
            "file_index": number % FILES_PER_CHUNK,
        }
        group = slice(first, first + EPISODES_PER_FILE)
        _write_rows(root / DATA_PATH.format(**place), tables[group])
        lengths = [episode.length for episode in episodes[group]]
        for key in recording.videos:
            target = root / VIDEO_PATH.format(video_key=key, **place)
            target.parent.mkdir(parents=True, exist_ok=True)
            parts = [episode.folder / f"{key}.mp4" for episode in episodes[group]]
            join_videos(parts, lengths, recording.fps, target)
        rows += _episode_rows(recording, episodes[group], first, place, stats[group], rows)
    target = root / EPISODES_PATH.format(chunk_index=0, file_index=0)
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), target)
    _write_tasks(root, [episode.task for episode in episodes])
    total = {name: to_json(combined([one[name] for one in stats])) for name in stats[0]}
    (root / "meta/stats.json").write_text(json.dumps(total, indent=2) + "\n")
    return {
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH,
    }


def _write_rows(target: Path, tables: Sequence[pa.Table]) -> None:
    """One row group per episode, so that a reader can take one of them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(target, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(table.num_rows, 1))


def _episode_rows(
    recording: "Recording",
    episodes: Sequence["StagedEpisode"],
    first: int,
    place: Mapping[str, int],
    stats: Sequence[Mapping[str, Stats]],
    before: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    rows, start = [], int(before[-1]["dataset_to_index"]) if before else 0
    file_start = start
    for offset, episode in enumerate(episodes):
        end = start + episode.length
        row: dict[str, Any] = {
            "episode_index": first + offset,
            "tasks": [episode.task],
            "length": episode.length,
            "data/chunk_index": place["chunk_index"],
            "data/file_index": place["file_index"],
            "dataset_from_index": start,
            "dataset_to_index": end,
        }
        for key in recording.videos:
            row[f"videos/{key}/chunk_index"] = place["chunk_index"]
            row[f"videos/{key}/file_index"] = place["file_index"]
            row[f"videos/{key}/from_timestamp"] = (start - file_start) / recording.fps
            row[f"videos/{key}/to_timestamp"] = (end - file_start) / recording.fps
        for name, held in stats[offset].items():
            for kind, value in held.items():
                row[f"stats/{name}/{kind}"] = value.tolist()
        row["meta/episodes/chunk_index"] = row["meta/episodes/file_index"] = 0
        rows.append(row)
        start = end
    return rows


def _write_tasks(root: Path, tasks: Sequence[str]) -> None:
    """`meta/tasks.parquet` as pandas writes a frame whose index is the task."""
    names = list(dict.fromkeys(tasks))
    table = pa.table({"task_index": pa.array(range(len(names)), pa.int64()), "task": names})
    columns = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": kind,
            "numpy_type": numpy_kind,
            "metadata": None,
        }
        for name, kind, numpy_kind in (
            ("task_index", "int64", "int64"),
            ("task", "unicode", "object"),
        )
    ]
    pandas_note = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": columns,
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    noted = table.replace_schema_metadata({"pandas": json.dumps(pandas_note)})
    pq.write_table(noted, root / "meta/tasks.parquet")

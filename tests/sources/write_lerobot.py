"""Writes small LeRobot datasets, v2.0, v2.1 and v3.0, in the true on-disk formats.

Every frame spells `code(camera, episode, frame)`. Video files hold two episodes each in v3.0 for
the first camera and all of them for the others, so that the shared files differ per camera.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from write_video import HEIGHT, WIDTH, coded_frame, write_video

FPS = 20
CAMERAS = (
    "observation.images.left_view",
    "observation.images.right_view",
    "observation.images.wrist_view",
)
V2_PATHS = {
    "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
}
V3_PATHS = {
    "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
    "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
}
DEFAULT_FEATURES = {
    "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    **{
        name: {"dtype": "int64", "shape": [1], "names": None}
        for name in ("frame_index", "episode_index", "index", "task_index")
    },
}


def code(camera: int, episode: int, frame: int) -> int:
    return 1000 * camera + 200 * episode + frame


def write_dataset(
    root: Path,
    version: str = "v2.1",
    lengths: Sequence[int] = (12, 9, 15),
    cameras: Sequence[str] = CAMERAS,
    columns: Mapping[str, tuple[dict[str, Any], np.ndarray]] | None = None,
    stored_as: str = "video",
    **info: Any,
) -> None:
    """Write a dataset.

    `columns` adds features: name to (entry of info.json, values for the frames of all episodes).
    """
    columns = dict(columns or {})
    image_feature = {
        "dtype": stored_as,
        "shape": [HEIGHT, WIDTH, 3],
        "names": ["height", "width", "channels"],
    }
    features = {key: image_feature for key in cameras} | DEFAULT_FEATURES
    features |= {name: entry for name, (entry, _) in columns.items()}
    (root / "meta").mkdir(parents=True)
    content = {
        "codebase_version": version,
        "robot_type": "panda",
        "total_episodes": 100,  # wrong on purpose: counters are not to be trusted
        "total_frames": 5,
        "chunks_size": 2 if version < "v3" else 1000,
        "fps": FPS,
        "splits": {"train": "0:100"},
        **(V3_PATHS if version >= "v3" else V2_PATHS),
        "features": features,
    }
    (root / "meta" / "info.json").write_text(json.dumps(content | info))
    tables, start = [], 0
    for episode, length in enumerate(lengths):
        part = {name: values[start : start + length] for name, (_, values) in columns.items()}
        images = cameras if stored_as == "image" else ()
        tables.append(_rows(episode, length, start, part, images))
        start += length
    if version >= "v3":
        _write_v3(root, tables, cameras if stored_as == "video" else ())
    else:
        _write_v2(root, tables, cameras if stored_as == "video" else ())


def _rows(
    episode: int, length: int, start: int, columns: Mapping[str, np.ndarray], images: Sequence[str]
) -> pa.Table:
    frames = np.arange(length)
    table = {
        "timestamp": pa.array((frames / FPS).astype(np.float32)),
        "frame_index": pa.array(frames),
        "episode_index": pa.array(np.full(length, episode)),
        "index": pa.array(start + frames),
        "task_index": pa.array(np.full(length, episode % 2)),
    }
    for name, values in columns.items():
        if values.ndim == 1:
            table[name] = pa.array(values)
            continue
        flat = values.reshape(length, -1)
        kind = pa.list_(pa.from_numpy_dtype(values.dtype), flat.shape[1])
        table[name] = pa.array(list(flat), kind)
    for camera, key in enumerate(images):
        pictures = [coded_frame(code(camera, episode, frame))[..., ::-1] for frame in frames]
        cells = [{"bytes": cv2.imencode(".png", p)[1].tobytes(), "path": None} for p in pictures]
        table[key] = pa.array(cells, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    return pa.table(table)


def _write_v2(root: Path, tables: Sequence[pa.Table], videos: Sequence[str]) -> None:
    lines = []
    for episode, table in enumerate(tables):
        values = {"episode_index": episode, "episode_chunk": episode // 2}
        path = root / V2_PATHS["data_path"].format(**values)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        for camera, key in enumerate(videos):
            numbers = [code(camera, episode, frame) for frame in range(len(table))]
            path = root / V2_PATHS["video_path"].format(**values, video_key=key)
            write_video(path, numbers, fps=FPS, gop=2)
        entry = {"episode_index": episode, "tasks": [_task(episode)], "length": len(table)}
        lines.append(json.dumps(entry))
    (root / "meta" / "episodes.jsonl").write_text("\n".join(lines) + "\n")
    tasks = [json.dumps({"task_index": n, "task": _task(n)}) for n in range(2)]
    (root / "meta" / "tasks.jsonl").write_text("\n".join(tasks) + "\n")


def _write_v3(root: Path, tables: Sequence[pa.Table], videos: Sequence[str]) -> None:
    entries: list[dict[str, Any]] = []
    for episode, table in enumerate(tables):
        start = sum(len(earlier) for earlier in tables[:episode])
        entries.append(
            {
                "episode_index": episode,
                "tasks": [_task(episode)],
                "length": len(table),
                "data/chunk_index": 0,
                "data/file_index": episode // 2,
                "dataset_from_index": start,
                "dataset_to_index": start + len(table),
                "stats/timestamp/max": [len(table) / FPS],
            }
        )
    for file in range((len(tables) + 1) // 2):
        path = root / V3_PATHS["data_path"].format(chunk_index=0, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, tables[0].schema) as writer:
            for table in tables[2 * file : 2 * file + 2]:
                writer.write_table(table)  # one row group per episode
    for camera, key in enumerate(videos):
        per_file = 2 if camera == 0 else len(tables)
        for first in range(0, len(tables), per_file):
            numbers: list[int] = []
            file = first // per_file
            for episode in range(first, min(first + per_file, len(tables))):
                length = len(tables[episode])
                entries[episode] |= {
                    f"videos/{key}/chunk_index": 0,
                    f"videos/{key}/file_index": file,
                    f"videos/{key}/from_timestamp": len(numbers) / FPS,
                    f"videos/{key}/to_timestamp": (len(numbers) + length) / FPS,
                }
                numbers += [code(camera, episode, frame) for frame in range(length)]
            values = {"video_key": key, "chunk_index": 0, "file_index": file}
            write_video(
                root / V3_PATHS["video_path"].format(**values),
                numbers,
                fps=FPS,
                codec="libsvtav1" if camera == 2 else "libx264",
                gop=2,
            )
    (root / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    for file, part in enumerate((entries[:2], entries[2:])):
        path = root / "meta" / "episodes" / "chunk-000" / f"file-{file:03d}.parquet"
        if part:
            pq.write_table(pa.Table.from_pylist(part), path)
    tasks = {"task_index": [0, 1], "__index_level_0__": [_task(0), _task(1)]}
    pq.write_table(pa.table(tasks), root / "meta" / "tasks.parquet")


def _task(number: int) -> str:
    return ("open the drawer", "close the drawer")[number % 2]

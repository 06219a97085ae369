"""Writes robot episodes as a LeRobot dataset, v2.1 (a file per episode) or v3.0 (shared files).

An episode is staged whole in a folder of its own (`stage_episode`), from a generator of pictures;
`assemble` then numbers the staged episodes, writes the data and the meta files of the format and
puts `meta/info.json` last, so that a folder with it is complete.

Formats: huggingface/lerobot@9b9f4757 src/lerobot/datasets/{utils,lerobot_dataset}.py (v2.1) and
huggingface/lerobot@7427f31 src/lerobot/datasets/{utils,dataset_writer,compute_stats}.py,
docs/source/lerobot-dataset-v3.mdx (v3.0).
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xvr.sim import lerobot_v3
from xvr.sim.lerobot_stats import Stats, column_stats, to_json
from xvr.sim.lerobot_video import VideoFile

LeRobotFormat = Literal["v2.1", "v3.0"]

CHUNK_SIZE = 1000
"""Episodes (v2.1) or files (v3.0) per chunk folder."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature as `meta/info.json` describes it."""

    dtype: str
    """A numpy dtype, `bool` or `video`."""
    shape: tuple[int, ...]
    """Of one frame; (1,) for a scalar, (height, width, 3) for a video."""
    names: tuple[str, ...] | None = None
    """One name per element."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What all episodes of a dataset share."""

    fps: int
    robot_type: str
    features: dict[str, Feature]
    """Without the default columns, which the writer adds."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Written as `xvr` into `meta/info.json`."""

    @property
    def videos(self) -> dict[str, Feature]:
        """The features that are pictures."""
        return {name: one for name, one in self.features.items() if one.dtype == "video"}

    @property
    def columns(self) -> dict[str, Feature]:
        """The features that are columns."""
        return {name: one for name, one in self.features.items() if one.dtype != "video"}


@dataclass(frozen=True, kw_only=True)
class StagedEpisode:
    """An episode that is written but not numbered yet."""

    folder: Path
    """Holds `rows.parquet`, `<video key>.mp4` and what else belongs to the episode."""
    task: str
    """Its instruction."""
    length: int
    """Frames."""
    stats: dict[str, Stats]

    def save(self) -> None:
        """Writes `episode.json`, which marks the folder as complete."""
        stats = {name: to_json(one) for name, one in self.stats.items()}
        text = json.dumps({"task": self.task, "length": self.length, "stats": stats})
        (self.folder / "episode.json").write_text(text)

    @staticmethod
    def load(folder: Path) -> "StagedEpisode":
        """Reads a staged episode back."""
        held = json.loads((folder / "episode.json").read_text())
        stats = {
            name: {key: np.asarray(value) for key, value in one.items()}
            for name, one in held["stats"].items()
        }
        return StagedEpisode(folder=folder, task=held["task"], length=held["length"], stats=stats)


DEFAULTS = {
    "timestamp": Feature(dtype="float32", shape=(1,)),
    "frame_index": Feature(dtype="int64", shape=(1,)),
    "episode_index": Feature(dtype="int64", shape=(1,)),
    "index": Feature(dtype="int64", shape=(1,)),
    "task_index": Feature(dtype="int64", shape=(1,)),
}
"""Columns that every LeRobot dataset has."""


def stage_episode(
    folder: Path,
    recording: Recording,
    task: str,
    columns: Mapping[str, np.ndarray],
    frames: Iterable[Mapping[str, np.ndarray]],
) -> StagedEpisode:
    """Encodes one episode into `folder`, which must exist.

    Args:
        folder: where to write; complete once `episode.json` is there.
        recording: the features of the dataset.
        task: the instruction.
        columns: feature name to array (frames, *shape); scalars are (frames,).
        frames: per frame the video key to its picture, uint8 (height, width, 3).

    Raises:
        ValueError: a column or a picture does not fit its feature.
    """
    length = len(next(iter(columns.values())))
    for name, feature in recording.columns.items():
        shape = () if feature.shape == (1,) else feature.shape
        if columns[name].shape != (length, *shape):
            want = (length, *shape)
            raise ValueError(f"column {name!r}: expected {want}, got {columns[name].shape}")
    clock = {
        "timestamp": (np.arange(length) / recording.fps).astype(np.float32),
        "frame_index": np.arange(length),
    }
    rows = {**{name: columns[name] for name in recording.columns}, **clock}
    features = {**recording.columns, **DEFAULTS}
    pq.write_table(_table(rows, features), folder / "rows.parquet")
    stats = {name: column_stats(values) for name, values in rows.items()}
    files = {
        name: VideoFile(folder / f"{name}.mp4", recording.fps, feature.shape)
        for name, feature in recording.videos.items()
    }
    shown = 0
    for pictures in frames:
        shown += 1
        for name, video in files.items():
            video.add(pictures[name])
    if shown != length:
        raise ValueError(f"{shown} frames of pictures for {length} rows")
    stats |= {name: video.close() for name, video in files.items()}
    staged = StagedEpisode(folder=folder, task=task, length=length, stats=stats)
    staged.save()
    return staged


def assemble(
    root: Path, recording: Recording, episodes: Sequence[StagedEpisode], format: LeRobotFormat
) -> None:
    """Writes the dataset at `root` from staged episodes; the stages stay as they are.

    What an interrupted call left behind is written again.
    """
    tasks = list(dict.fromkeys(episode.task for episode in episodes))
    tables, start = [], 0
    for number, episode in enumerate(episodes):
        tables.append(_numbered(episode, number, start, tasks.index(episode.task)))
        start += episode.length
    stats = [_numbered_stats(one, table) for one, table in zip(episodes, tables, strict=True)]
    if format == "v3.0":
        layout = lerobot_v3.write(root, recording, episodes, tables, stats)
    else:
        layout = _write_v21(root, recording, episodes, tables, stats)
    info = {
        "codebase_version": format,
        "robot_type": recording.robot_type,
        "total_episodes": len(episodes),
        "total_frames": start,
        "total_tasks": len(tasks),
        "chunks_size": CHUNK_SIZE,
        "fps": recording.fps,
        "splits": {"train": f"0:{len(episodes)}"},
        **layout,
        "features": _described(recording),
        "xvr": recording.notes,
    }
    write_whole(root / "meta/info.json", json.dumps(info, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a text file under a temporary name and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text)
    partial.replace(path)


def link_or_copy(source: Path, target: Path) -> None:
    """Makes `target` the same file as `source`, or a copy of it where links are impossible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write_v21(
    root: Path,
    recording: Recording,
    episodes: Sequence[StagedEpisode],
    tables: Sequence[pa.Table],
    stats: Sequence[Mapping[str, Stats]],
) -> dict[str, Any]:
    data_path = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
    video_path = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
    episode_lines, stats_lines = [], []
    for number, (episode, table) in enumerate(zip(episodes, tables, strict=True)):
        place = {"episode_chunk": number // CHUNK_SIZE, "episode_index": number}
        target = root / data_path.format(**place)
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, target)
        for key in recording.videos:
            video = root / video_path.format(video_key=key, **place)
            link_or_copy(episode.folder / f"{key}.mp4", video)
        line = {"episode_index": number, "tasks": [episode.task], "length": episode.length}
        episode_lines.append(line)
        held = {name: to_json(one) for name, one in stats[number].items()}
        stats_lines.append({"episode_index": number, "stats": held})
    tasks = list(dict.fromkeys(episode.task for episode in episodes))
    task_lines = [{"task_index": index, "task": task} for index, task in enumerate(tasks)]
    for name, lines in (
        ("episodes", episode_lines),
        ("tasks", task_lines),
        ("episodes_stats", stats_lines),
    ):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_whole(root / f"meta/{name}.jsonl", text)
    return {
        "total_videos": len(episodes) * len(recording.videos),
        "total_chunks": -(-len(episodes) // CHUNK_SIZE),
        "data_path": data_path,
        "video_path": video_path,
    }


def _table(columns: Mapping[str, np.ndarray], features: Mapping[str, Feature]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        kind = pa.from_numpy_dtype(np.dtype(features[name].dtype))
        flat = pa.array(np.asarray(values).reshape(-1), type=kind)
        width = 1 if values.ndim == 1 else values.shape[1]
        arrays[name] = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.table(arrays)


def _numbered(episode: StagedEpisode, number: int, start: int, task: int) -> pa.Table:
    """The rows with their place in the dataset."""
    table = pq.read_table(episode.folder / "rows.parquet")
    for name, values in (
        ("episode_index", np.full(episode.length, number)),
        ("index", start + np.arange(episode.length)),
        ("task_index", np.full(episode.length, task)),
    ):
        table = table.append_column(name, pa.array(values, type=pa.int64()))
    return table


def _numbered_stats(episode: StagedEpisode, table: pa.Table) -> dict[str, Stats]:
    added = ("episode_index", "index", "task_index")
    return episode.stats | {name: column_stats(table[name].to_numpy()) for name in added}


def _described(recording: Recording) -> dict[str, Any]:
    """The `features` of `meta/info.json`."""
    described = {}
    for name, feature in {**recording.features, **DEFAULTS}.items():
        entry: dict[str, Any] = asdict(feature)
        if feature.dtype == "video":
            height, width, channels = feature.shape
            entry["names"] = ["height", "width", "channels"]
            entry["info"] = {
                "video.fps": recording.fps,
                "video.height": height,
                "video.width": width,
                "video.channels": channels,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "has_audio": False,
            }
        described[name] = entry
    return described

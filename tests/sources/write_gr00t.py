"""Writes small GR00T datasets: LeRobot v2.0 with `meta/modality.json`, in the true on-disk format.

As in NVIDIA's demonstrations `info.json` also declares a camera and a state that have no file, and
its counters are wrong; timestamps are float64.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from write_lerobot import CAMERAS, write_dataset
from write_video import HEIGHT, WIDTH

STATE = {
    "base_position": {"start": 0, "end": 3},
    "base_rotation": {"start": 3, "end": 7, "rotation_type": "quaternion"},
    "end_effector_position_absolute": {"start": 7, "end": 10},
    "end_effector_position_relative": {"start": 10, "end": 13},
}
WIDTH_OF_STATE = 13
TEXTS = ("open the left drawer", "OpenDrawer", "valid", "invalid")
DESCRIPTION = "annotation.human.action.task_description"
TASK_NAME = "annotation.human.action.task_name"
VALIDITY = "annotation.human.validity"


def state(lengths: Sequence[int]) -> np.ndarray:
    """(frames of all episodes, 13)"""
    return np.random.default_rng(5).normal(size=(sum(lengths), WIDTH_OF_STATE))


def write_gr00t(
    root: Path,
    lengths: Sequence[int] = (5, 4),
    invalid: Sequence[int] = (),
    tasks_key: str = "tasks",
    videos: Mapping[str, str] | None = None,
    **modality: Any,
) -> None:
    """Write a dataset; `invalid` are episodes whose validity says so.

    `videos` are names of `modality.json` and keys of cameras; `modality` replaces its other parts.
    """
    named = {key.rpartition(".")[2]: key for key in CAMERAS} if videos is None else dict(videos)
    frames = np.repeat(np.arange(len(lengths)), lengths)
    flags = np.where(np.isin(frames, list(invalid)), 3, 2)
    floats = {"dtype": "float64", "shape": [WIDTH_OF_STATE]}
    numbers = {"dtype": "int64", "shape": [1]}
    columns = {
        "observation.state": (
            floats | {"names": [f"motor_{n}" for n in range(13)]},
            state(lengths),
        ),
        DESCRIPTION: (numbers, np.zeros(len(frames), np.int64)),
        TASK_NAME: (numbers, np.ones(len(frames), np.int64)),
        VALIDITY: (numbers, flags.astype(np.int64)),
        "next.done": ({"dtype": "bool", "shape": [1]}, frames > frames.max()),
    }
    write_dataset(root, "v2.0", lengths, sorted(named.values()), columns=columns)
    meta = root / "meta"
    entries = [
        {"episode_index": n, tasks_key: [TEXTS[1], TEXTS[0], "valid"], "length": length}
        for n, length in enumerate(lengths)
    ]
    (meta / "episodes.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in entries))
    tasks = [{"task_index": n, "task": text} for n, text in enumerate(TEXTS)]
    (meta / "tasks.jsonl").write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
    (meta / "stats.json").write_text("{}")
    content = {
        "state": STATE,
        "action": {"end_effector_position": {"start": 5, "end": 8, "original_key": "action"}},
        "video": {name: {"original_key": key} for name, key in named.items()},
        "annotation": {
            "human.action.task_description": {},
            "human.action.task_name": {},
            "human.validity": {},
        },
    }
    (meta / "modality.json").write_text(json.dumps(content | modality))
    info = json.loads((meta / "info.json").read_text())
    info["features"] |= {
        "observation.images.ego_view": {
            "dtype": "video",
            "shape": [HEIGHT, WIDTH, 3],
            "names": ["height", "width", "channel"],
            "video_info": {"video.fps": 20.0, "video.codec": "h264", "has_audio": False},
        },
        "observation.state.left_leg": {"dtype": "float64", "shape": [6]},
    }
    (meta / "info.json").write_text(json.dumps(info))
    for path in root.glob("data/*/*.parquet"):
        table = pq.read_table(path)
        times = table["timestamp"].cast(pa.float64())
        pq.write_table(table.set_column(0, "timestamp", times), path)

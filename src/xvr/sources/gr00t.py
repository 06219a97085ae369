"""GR00T's flavour of LeRobot, as NVIDIA's PhysicalAI-Robotics-GR00T-X-Embodiment-Sim has it.

A LeRobot dataset with `meta/modality.json`: it lists the cameras and names them, names parts of the
state (half-open slices) and annotations, whose values are numbers of texts in `meta/tasks.jsonl`.
Everything else is read as in `xvr.sources.lerobot`; features that are no camera in `modality.json`
are no camera here. A path may be one dataset or a folder of them.

Source: https://github.com/NVIDIA/Isaac-GR00T, getting_started/LeRobot_compatible_data_schema.md
and gr00t/data/dataset.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xvr.errors import Unusable, UserError
from xvr.sources.lerobot import (
    episode_files,
    key_files,
    list_episodes,
    name_and_number,
    open_dataset,
    read_episode,
    root_of,
)
from xvr.sources.lerobot_episodes import Episodes
from xvr.sources.lerobot_meta import MODALITY, Dataset
from xvr.sources.lerobot_rows import read_columns
from xvr.sources.records import Episode, Ref, SourceFormat

DESCRIPTIONS = ("task_description", "coarse_action")
"""Last parts of the names of annotations that tell the task, the best first."""
VALIDITY = "validity"
INVALID = "invalid"
"""Text of a validity annotation that says not to use the episode."""


def index(path: Path) -> list[Ref]:
    """All listed episodes of the dataset at a path, or of the datasets below it.

    Raises:
        UserError: the path holds no dataset, one without `meta/modality.json`, or damaged files.
    """
    return list_episodes(path, GR00T.name, _open)


def load(ref: Ref) -> Episode:
    """The episode of a ref, in the words of its annotations.

    Raises:
        Unusable: `invalid_episode` where an annotation says so, and the reasons of
            `xvr.sources.lerobot.load`.
    """
    name, number = name_and_number(ref)
    dataset, episodes = _open(root_of(ref, name), name)
    episode = read_episode(ref, dataset, episodes, number)
    data = episode_files(ref, dataset, episodes, number).data
    described = annotated_instruction(dataset, episodes, data, number)
    return replace(episode, instruction=described or episode.instruction)


def annotated_instruction(dataset: Dataset, episodes: Episodes, data: Path, number: int) -> str:
    """The words that the annotations in an episode's rows have for its task; empty for none.

    Raises:
        Unusable: `invalid_episode` where an annotation says so.
    """
    columns = _annotation_columns(dataset)
    rows = read_columns(data, number, list(columns.values()))
    texts = {kind: _texts(rows[column], episodes) for kind, column in columns.items()}
    if INVALID in map(str.lower, texts.get(VALIDITY, ())):
        raise Unusable("invalid_episode", f"{data}, episode {number}: {columns[VALIDITY]}")
    return next((text for kind in DESCRIPTIONS for text in texts.get(kind, ())), "")


def _open(root: Path, name: str) -> tuple[Dataset, Episodes]:
    if not (root / MODALITY).is_file():
        raise UserError(f"{root} has no {MODALITY}; read it with lerobot:{root}")
    return open_dataset(root, name, by_modality=True)


def _annotation_columns(dataset: Dataset) -> dict[str, str]:
    """Last part of an annotation's name to its column, for those that are looked at and exist."""
    annotations = dataset.modality.get("annotation")
    columns = {}
    for name, entry in annotations.items() if isinstance(annotations, Mapping) else ():
        kind = str(name).rpartition(".")[2]
        column = _column(str(name), entry)
        if kind in (*DESCRIPTIONS, VALIDITY) and column in dataset.features:
            columns.setdefault(kind, column)
    return columns


def _column(name: str, entry: Any) -> str:
    given = entry.get("original_key") if isinstance(entry, Mapping) else None
    return str(given or f"annotation.{name}")


def _texts(numbers: np.ndarray, episodes: Episodes) -> list[str]:
    """The texts that a column of numbers stands for, without unknown ones, each once."""
    found = (episodes.tasks.get(int(number), "").strip() for number in dict.fromkeys(numbers.flat))
    return [text for text in found if text]


GR00T = SourceFormat(
    name="gr00t",
    kind="episode",
    calibration="where the calibration features are there",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)

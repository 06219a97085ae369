"""What TFDS writes beside the records of an RLDS dataset, and what is known of a few datasets.

`features.json` tells which features are images, and their size; `dataset_info.json` the splits and
their files. Neither tells the rate of the steps or what a state means: that is in `_KNOWN`.

Source: https://github.com/tensorflow/datasets, core/features/features_dict.py, core/splits.py and
core/naming.py (shards are `NAME-SPLIT.tfrecord-00000-of-00004`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from xvr.errors import UserError
from xvr.sources.json_object import read_json_object
from xvr.sources.reader_notes import Channels, ReaderNotes, read_notes
from xvr.sources.roles import Assignment, moves_between_episodes, short_name

EXPECTED = "an RLDS dataset of TFDS"
FEATURES = "features.json"
INFO = "dataset_info.json"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one dataset and not in its files."""

    fps: float
    """Steps per second."""
    position: str = ""
    """Feature whose first three numbers are the end effector's position in metres; may be none."""
    channels: Channels = "rgb"


_BRIDGE = Known(fps=5, position="steps/observation/state")
_DROID = Known(fps=15, position="steps/observation/cartesian_position")
_KNOWN: dict[str, Known] = {
    "robo_set": Known(fps=5),
    "fmb": Known(fps=10, position="steps/observation/eef_pose", channels="bgr"),
    "aloha_mobile": Known(fps=50),
    "bridge_dataset": _BRIDGE,
    "bridge_orig": _BRIDGE,
    "bridge_data_v2": _BRIDGE,
    "r2d2_faceblur": _DROID,
    "droid_101": _DROID,
}
"""Rates and states: https://github.com/octo-models/octo, octo/data/oxe, and the OXE overview.

FMB was recorded in BGR (https://functional-manipulation-benchmark.github.io/dataset); that its TFDS
copy still is, we take from converters that turn it (https://github.com/Tavish9/any4lerobot)."""


class ShardFile(NamedTuple):
    """One file of a split."""

    name: str
    """Such as `train-00003`."""
    path: Path
    declared: int
    """Records that `dataset_info.json` says are in it; 0 where it says nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RldsDataset:
    """One version of one RLDS dataset, without its records."""

    name: str
    """As its builder named it, such as `bridge_dataset`."""
    root: Path
    shards: tuple[ShardFile, ...]
    """Files that are there, in order."""
    sizes: Mapping[str, tuple[int, int] | None]
    """Name of each feature of colour images, to their width and height where declared."""
    assignment: Assignment
    fps: float
    channels: Channels
    position: str
    notes: ReaderNotes

    def rig(self, episode_id: str) -> str:
        """Name of a rig; episodes share it when their cameras stand at the same places."""
        moved = any(moves_between_episodes(key, self.name) for key in self.sizes)
        names = sorted(map(short_name, self.sizes))
        return "|".join([self.name, *names, *([episode_id] if moved else [])])


def read_rlds(root: Path, top: Path) -> RldsDataset:
    """Read the metadata of the dataset in a folder.

    Args:
        root: folder of one version, with `features.json`.
        top: path of the source, where the search for `reader.json` ends.

    Raises:
        UserError: a file is missing or damaged, no record file is there, or the rate of the steps
            is not known.
    """
    info = read_json_object(root / INFO, EXPECTED)
    name = str(info.get("name") or root.resolve().parent.name)
    notes = read_notes(root, top)
    known = _KNOWN.get(name)
    fps = notes.fps or (known.fps if known else 0)
    if not fps:
        raise UserError(
            f"{root}: dataset {name!r} does not say how many steps a second has; write the rate "
            f'its robot was controlled at into {root / "reader.json"}, such as {{"fps": 10}}'
        )
    features = read_json_object(root / FEATURES, EXPECTED)
    try:
        sizes = dict(_cameras(features))
        shards = tuple(_shards(root, name, info))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{root}: {error!r} in {FEATURES} or {INFO}, expected what TFDS writes"
        ) from error
    if not shards:
        raise UserError(f"{root}: no file like {name}-train.tfrecord-00000-of-00001")
    return RldsDataset(
        name=name,
        root=root,
        shards=shards,
        sizes=sizes,
        assignment=notes.roles(sizes, name),
        fps=fps,
        channels=notes.channels or (known.channels if known else "rgb"),
        position=known.position if known else "",
        notes=notes,
    )


def _shards(root: Path, name: str, info: Mapping[str, Any]) -> Iterator[ShardFile]:
    """Record files in the folder; part of a dataset is as good as all of it."""
    declared = {
        str(split.get("name")): [int(count) for count in split.get("shardLengths") or []]
        for split in info.get("splits") or []
    }
    pattern = re.compile(rf"{re.escape(name)}-(\w+)\.tfrecord-(\d+)-of-(\d+)")
    for path in sorted(root.iterdir()):
        found = pattern.fullmatch(path.name)
        if found:
            split, number, total = found[1], int(found[2]), int(found[3])
            counts = declared.get(split, [])
            count = counts[number] if len(counts) == total and number < total else 0
            yield ShardFile(f"{split}-{number:05d}", path, count)


def _cameras(features: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """Name and size of the features of colour images in the observations of the steps."""
    for name, image in _images("", features):
        shape = [int(n) for n in (image.get("shape") or {}).get("dimensions") or []]
        if not name.startswith("steps/observation/") or shape[2:] not in ([], [3]):
            continue
        known = len(shape) == 3 and min(shape) > 0
        yield name, (shape[1], shape[0]) if known else None


def _images(name: str, feature: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "image" in feature:
        yield name, feature["image"]
    elif "featuresDict" in feature:
        for key, below in feature["featuresDict"]["features"].items():
            yield from _images(f"{name}/{key}" if name else key, below)
    elif "sequence" in feature:
        yield from _images(name, feature["sequence"]["feature"])

"""DROID's annotation release: better calibration and words for its episodes, joined by their ids.

Large JSON files (intrinsics.json has 126 MB), each one object whose keys are the episodes' ids. A
process keeps where in a file the entries begin and parses those of its own episodes; holding all of
them in every process would take gigabytes.

- `cam2base_extrinsics.json`, `cam2base_extrinsic_superset.json`: camera serial to six numbers, and
  measures of quality under other keys;
- `intrinsics.json`: serial to fx, cx, fy, cy in pixels of 1280x720, or to {"cameraMatrix": these};
- `droid_language_annotations.json`: language_instruction1, 2 and 3.

Source: https://huggingface.co/KarlP/droid, README.md and CalibrationExample.ipynb.
"""

import json
import mmap
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError

EXTRINSICS = ("cam2base_extrinsics.json", "cam2base_extrinsic_superset.json")
"""Both hold camera to robot base; the first that has a camera counts."""
INTRINSICS = "intrinsics.json"
LANGUAGE = "droid_language_annotations.json"
FILES = (*EXTRINSICS, INTRINSICS, LANGUAGE)
FOLDER = "calibration"
"""Optional name of a folder around the files."""
FULL_SIZE = (1280, 720)
"""Width and height that intrinsics refer to, pixels."""
_KEY = re.compile(rb'"([^"+]+\+[^"+]+\+[^"+]+)"\s*:\s*')
"""An episode's id as a key: lab, user and time, joined by plus signs."""
_CHUNK_BYTES = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What the release says of one episode; empty where it says nothing."""

    extrinsics: Mapping[str, Float[np.ndarray, "6"]]
    """Camera serial to x, y, z and angles, camera to robot base, as in `poses_from_euler`."""
    intrinsics: Mapping[str, Float[np.ndarray, "4"]]
    """Camera serial to fx, fy, cx, cy, pixels of `FULL_SIZE`."""
    instruction: str


def release_files(root: Path) -> dict[str, Path]:
    """The files of the release beside the data, by name.

    They are looked for in the path given by the user and in its parent, and in `calibration/` of
    either.
    """
    root = root.resolve()
    folders = [folder for base in (root, root.parent) for folder in (base, base / FOLDER)]
    found = {}
    for name in FILES:
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is not None:
            found[name] = path
    return found


def check_release(files: Iterable[Path]) -> None:
    """Raise `UserError` for a file that holds no episode; none of them is read in vain."""
    for path in files:
        stat = path.stat()
        if not _starts(path, stat.st_size, stat.st_mtime_ns):
            raise UserError(
                f"{path} holds no episode of DROID's annotation release; is it a Git LFS pointer? "
                "Download it again, or remove it to go without"
            )


def read_annotations(files: Mapping[str, Path], episode: str) -> Annotations:
    """All that the release says of an episode.

    Args:
        files: as `release_files` gives them.
        episode: its id, from the name of its metadata file.

    Raises:
        Unusable: `bad_metadata` when an entry is damaged.
    """
    extrinsics: dict[str, Any] = {}
    for name in reversed(EXTRINSICS):
        extrinsics |= _by_serial(files, name, episode)
    intrinsics = {
        serial: value["cameraMatrix"] if isinstance(value, Mapping) else value
        for serial, value in _by_serial(files, INTRINSICS, episode).items()
        if not isinstance(value, Mapping) or "cameraMatrix" in value
    }
    where = f"annotations of {episode}"
    focal = {serial: numbers(value, 4, where) for serial, value in intrinsics.items()}
    return Annotations(
        extrinsics={serial: numbers(value, 6, where) for serial, value in extrinsics.items()},
        intrinsics={serial: value[[0, 2, 1, 3]] for serial, value in focal.items()},
        instruction=_instruction(files, episode),
    )


def numbers(values: object, count: int, where: str) -> Float[np.ndarray, " count"]:
    """That many numbers.

    Raises:
        Unusable: `bad_metadata`.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{where}: {values!r} are no numbers") from error
    if array.shape != (count,):
        raise Unusable("bad_metadata", f"{where}: {values!r}, expected {count} numbers")
    return array


def read_entry(path: Path, episode: str) -> Any:
    """The entry of an episode in a file, None where there is none.

    Raises:
        Unusable: `bad_metadata` when the file ends inside the entry or it is no JSON.
    """
    stat = path.stat()
    start = _starts(path, stat.st_size, stat.st_mtime_ns).get(episode.encode())
    if start is None:
        return None
    size = _CHUNK_BYTES
    with path.open("rb") as file:
        while True:
            file.seek(start)
            text = file.read(size).decode("utf-8", errors="ignore")
            try:
                return json.JSONDecoder().raw_decode(text)[0]
            except ValueError as error:
                if start + size >= stat.st_size:
                    raise Unusable("bad_metadata", f"{path}: {episode}: {error}") from error
                size *= 4


@lru_cache(maxsize=2 * len(FILES))
def _starts(path: Path, size: int, mtime_ns: int) -> dict[bytes, int]:  # noqa: ARG001
    """Byte at which each entry begins; size and time only make a rewritten file a new one."""
    if size == 0:
        return {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return {found[1]: found.end() for found in _KEY.finditer(data)}


def _by_serial(files: Mapping[str, Path], name: str, episode: str) -> dict[str, Any]:
    """The values of an entry whose keys are camera serials; other keys are measures of quality."""
    entry = read_entry(files[name], episode) if name in files else None
    entry = entry if isinstance(entry, Mapping) else {}
    return {serial: value for serial, value in entry.items() if serial.isdigit()}


def _instruction(files: Mapping[str, Path], episode: str) -> str:
    entry = read_entry(files[LANGUAGE], episode) if LANGUAGE in files else None
    texts = [entry[name] for name in sorted(entry)] if isinstance(entry, Mapping) else [entry]
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")

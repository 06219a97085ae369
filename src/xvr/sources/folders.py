"""Finding the folders that hold a scene or dataset, at or below a path."""

import os
from collections.abc import Callable
from pathlib import Path


def find_folders(path: Path, holds: Callable[[Path], bool], levels: int) -> list[tuple[str, Path]]:
    """Names and folders for which `holds` is true, sorted; nothing is looked for inside of them.

    Args:
        path: where to begin; the path itself is named by its last part, folders below it by their
            path from there.
        holds: whether a folder is one of those looked for.
        levels: how deep to look below the path.
    """
    if holds(path):
        return [(path.resolve().name, path)]
    found = []
    level = [path]
    for _ in range(levels):
        below = [child for folder in level for child in _children(folder)]
        found += [child for child in below if holds(child)]
        held = set(found)
        level = [child for child in below if child not in held]
    return sorted((child.relative_to(path).as_posix(), child) for child in found)


def _children(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [folder / e.name for e in entries if e.is_dir() and not e.name.startswith(".")]

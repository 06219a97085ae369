"""Short names of runs that stand side by side."""

from collections.abc import Sequence
from pathlib import Path

from xvr.evaluation.store import read_run


def run_names(paths: Sequence[Path]) -> list[str]:
    """The model of each run, with the folder where models or the folder's names repeat."""
    return names_of([(path, read_run(path).manifest.model) for path in paths])


def names_of(runs: Sequence[tuple[Path, str]]) -> list[str]:
    """As `run_names`, of folders and models that are known; no two names are the same."""
    models = [model for _, model in runs]
    folders = [path.resolve().name for path, _ in runs]
    names = []
    for path, model in runs:
        folder = path.resolve().name
        if models.count(model) == 1:
            names.append(model)
        elif folders.count(folder) == 1:
            names.append(f"{model} ({folder})")
        else:
            names.append(f"{model} ({path})")
    return names

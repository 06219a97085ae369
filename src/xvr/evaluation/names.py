"""Short names of runs that stand side by side."""

from collections.abc import Sequence
from pathlib import Path

from xvr.evaluation.store import read_run

_AROUND = ("text-only:", "single-view:")
"""What a specification begins with that says how another model is asked."""


def run_names(paths: Sequence[Path]) -> list[str]:
    """A name for each run that no other has."""
    return names_of([(path, read_run(path).manifest.model) for path in paths])


def names_of(runs: Sequence[tuple[Path, str]]) -> list[str]:
    """As `run_names`, of folders and models that are known.

    The model in short; where that repeats the whole specification, then the folder with it.
    """
    choices = (
        [short_model(model) for _, model in runs],
        [model for _, model in runs],
        [f"{short_model(model)} ({path.resolve().name})" for path, model in runs],
        [f"{short_model(model)} ({path})" for path, model in runs],
        [f"{short_model(model)} ({path}) {place}" for place, (path, model) in enumerate(runs, 1)],
    )
    return [
        next(names[place] for names in choices if names.count(names[place]) == 1)
        for place in range(len(runs))
    ]


def short_model(model: str) -> str:
    """Without the way to it: `hf:Qwen/Qwen3-VL-2B-Instruct` is `Qwen3-VL-2B-Instruct`."""
    around = next((word for word in _AROUND if model.startswith(word)), "")
    path = model.removeprefix(around).partition(":")[2].partition("@")[0].rstrip("/")
    return around + path.rpartition("/")[2] if path else model

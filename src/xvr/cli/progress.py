"""What people see: progress bars, drawn only where someone watches, and lines at the end."""

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tqdm import tqdm


class Bar:
    """A bar on stderr; silent when stderr is no terminal."""

    def __init__(self, what: str, unit: str) -> None:
        self._bar = tqdm(desc=what, unit=unit, disable=not sys.stderr.isatty(), dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, done: int, total: int) -> None:
        """Draw `done` of `total`."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def tell(text: str) -> None:
    """A line for people."""
    sys.stderr.write(f"{text}\n")


def summary(dataset: Path) -> str:
    """What a dataset that was just written holds, in one line."""
    stats = json.loads((dataset / "stats.json").read_text())
    splits = ", ".join(f"{split} {sum(tasks.values())}" for split, tasks in stats["splits"].items())
    return (
        f"{dataset}: {stats['samples']} samples ({splits}), "
        f"{stats['images_per_sample']:.2f} images per sample"
    )

"""Progress bars, drawn only where someone watches."""

import sys
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

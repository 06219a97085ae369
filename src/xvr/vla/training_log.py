"""What a run reports while it trains: JSON lines, TensorBoard, and the rates behind them.

`wait_share` is the part of the time in which the computation waited for data; near 0 the processor
is the limit, near 1 the disk or the decoding of pictures.
"""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from xvr.dataset import atomic
from xvr.vla.run_folder import LOG


class TrainingLog:
    """One line every few steps; a resumed run goes on after the checkpoint's step."""

    def __init__(
        self, run: Path, resumed_at: int, batch: int, every: int, *, active: bool = True
    ) -> None:
        """Only one of several processes is active and writes."""
        self._path, self._batch, self._every = run / LOG, batch, every
        self._board: Any = None
        if active:
            from torch.utils.tensorboard import SummaryWriter

            _cut(self._path, resumed_at)
            self._board = SummaryWriter(str(run / "tensorboard"), purge_step=resumed_at + 1)
        self._began, self._waited, self._steps = time.perf_counter(), 0.0, 0
        self._losses: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._board is not None:
            self._board.close()

    def add(
        self, step: int, loss: float, rate: float, gradient: float, waited_s: float, last: bool
    ) -> float | None:
        """Note a step; the mean loss since the line before, where a line was due.

        Args:
            step: number of steps that are done.
            loss: of this step.
            rate: learning rate of the head.
            gradient: norm of the gradient before it was clipped.
            waited_s: seconds waited for data since training started.
            last: whether it was the last step.
        """
        self._losses.append(loss)
        self._steps += 1
        if step % self._every and not last:
            return None
        seconds = time.perf_counter() - self._began
        line = {
            "step": step,
            "loss": sum(self._losses) / len(self._losses),
            "learning_rate": rate,
            "gradient_norm": gradient,
            "samples_per_s": self._steps * self._batch / seconds,
            "wait_share": min(1.0, (waited_s - self._waited) / seconds),
        }
        self._began, self._waited, self._steps = time.perf_counter(), waited_s, 0
        self._losses = []
        self._write(step, line)
        return line["loss"]

    def _write(self, step: int, line: dict[str, Any]) -> None:
        if self._board is None:
            return
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in line.items():
            if name != "step":
                self._board.add_scalar(name, value, step)


def _cut(path: Path, step: int) -> None:
    """Drop lines after a step: they are of a run that was killed, and come again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError):  # the end of a line that a kill cut off
            break
    atomic.write_bytes(path, b"".join(kept))

"""What a run tells while it goes on: `log.jsonl`, TensorBoard, and lines for people.

    {"step": 20, "epoch": 0.4, "loss": 1.31, "right": 0.5, "right/temporal_order": 0.4, "time": ...}

A run that goes on from a checkpoint drops the lines after it, so that no step is told twice.
"""

import json
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.training.skips import Tell

LOG = "log.jsonl"


class JsonLog(TrainerCallback):
    """Writes `log.jsonl` and TensorBoard's files, and tells a line."""

    def __init__(self, run: Path, tell: Tell, *, from_step: int) -> None:
        """Drops what an earlier attempt told after `from_step`."""
        from torch.utils.tensorboard.writer import SummaryWriter

        self._path = run / LOG
        self._tell = tell
        _drop_after(self._path, from_step)
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=from_step + 1)

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """One line for all that is known of a step.

        Raises:
            UserError: the loss is no number any more.
        """
        line = {"step": state.global_step, **(logs or {}), "time": round(time.time(), 3)}
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in (logs or {}).items():
            self._board.add_scalar(name, value, state.global_step)
        self._tell(_in_words(line, state.max_steps))
        if not math.isfinite(line.get("loss", 0.0)):
            raise UserError(
                f"the loss is {line['loss']} at step {state.global_step}: lower --lr; the same "
                "command would go on from the last checkpoint, so choose another --out"
            )

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Everything to disk."""
        self._board.close()


def _in_words(line: dict[str, Any], last: int) -> str:
    words = [f"step {line['step']}/{last}"]
    for name in ("loss", "aux_loss", "right", "eval/overall", "train_loss"):
        if name in line:
            words.append(f"{name} {line[name]:.4f}")
    if "learning_rate" in line:
        words.append(f"lr {line['learning_rate']:.2e}")
    return "  ".join(words)


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError):
            continue  # cut short by a kill
    atomic.write_bytes(path, b"".join(kept))

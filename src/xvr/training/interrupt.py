"""Ctrl-C and SIGTERM (as batch systems send it) end a run after its step, with a checkpoint.

A second signal ends it at once; then the last checkpoint is what the run goes on from. Of several
processes none can know whether the others were told, so there the first signal ends at once.
"""

import signal
import threading
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Interrupt(TrainerCallback):
    """Looks after every step whether someone wants the run to stop."""

    def __init__(self, *, processes: int) -> None:
        self.asked = False
        """Whether the run was stopped."""
        self._before: dict[int, Any] = {}
        self._listens = processes == 1 and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Interrupt":
        if self._listens:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,
        **_: Any,
    ) -> None:
        """Save and stop, if asked."""
        if self.asked:
            control.should_save = control.should_training_stop = True

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

"""Evaluation every so many steps, on the first process, while the others wait."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from xvr.training.held_out import Examiner
from xvr.training.trainer import AnswerTrainer


class Examination(TrainerCallback):
    """Asks the model after a step, and logs what came out."""

    def __init__(self, examiner: Examiner, trainer: AnswerTrainer, *, every: int) -> None:
        self._examiner = examiner
        self._trainer = trainer
        self._every = every

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        """After every so many steps, and after the last."""
        if state.global_step % self._every and state.global_step != state.max_steps:
            return
        accelerator = self._trainer.accelerator
        if state.is_world_process_zero:
            model = accelerator.unwrap_model(self._trainer.model)
            wanted = control.should_log  # which a log of our own would take back
            self._trainer.log(dict(self._examiner.examine(model, state.global_step)))
            control.should_log = wanted
        accelerator.wait_for_everyone()

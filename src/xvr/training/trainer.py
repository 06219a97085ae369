"""The trainer: `transformers.Trainer` with a loss of ours, rates by part, and safe checkpoints.

The loss needs the logits of the answers alone (`logits_to_keep`); with a vocabulary of 150,000 and
nine images, all logits of one sample would be gigabytes. It is a mean over the answer tokens of the
whole batch, however many GPUs and accumulated parts that batch has.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from transformers import PrinterCallback, Trainer

from xvr.training import checkpoints
from xvr.training.auxiliary import AuxiliaryLoss
from xvr.training.collate import BatchLayout, Skipped
from xvr.training.encode import IGNORED
from xvr.training.parameters import muon_groups, parameter_groups
from xvr.training.recipes import Recipe

AUXILIARY_STATE = "auxiliary.safetensors"


class AnswerTrainer(Trainer):
    """Trains on answers; `data_collator` is a `Collator`.

    Args:
        run: folder of the run.
        recipe: has the learning rates.
        auxiliary: a second loss.
        keep: checkpoints to keep.
        on_skipped: told of samples that could not be used.
        dress: called with the folder of every model that is saved, to complete its files.
        kwargs: of `transformers.Trainer`.
    """

    def __init__(
        self,
        *,
        run: Path,
        recipe: Recipe,
        auxiliary: AuxiliaryLoss | None,
        keep: int,
        on_skipped: Callable[[tuple[Skipped, ...]], None],
        dress: Callable[[Path], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = True  # count the answer tokens of the whole batch
        self.loss_is_scaled_for_ga = True
        self._run = run
        self._recipe = recipe
        self._auxiliary = auxiliary
        self._keep = keep
        self._on_skipped = on_skipped
        self._dress = dress
        self._right: list[tuple[tuple[str, ...], Tensor]] = []
        self._auxiliary_losses: list[Tensor] = []
        self._stepped = True
        self._keeps_logits = _takes_logits_to_keep(self.accelerator.unwrap_model(self.model))
        if auxiliary is not None:
            auxiliary.module.to(self.args.device)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Cross-entropy of the answer tokens, and the auxiliary loss where there is one."""
        inputs = dict(inputs)
        layout: BatchLayout = inputs.pop("layout")
        labels: Tensor = inputs.pop("labels")
        keep: int = inputs.pop("keep")
        targets = inputs.pop("targets", None)
        if layout.skipped:
            self._on_skipped(layout.skipped)
        if self._keeps_logits:
            inputs["logits_to_keep"] = keep
        if targets is not None:
            inputs["output_hidden_states"] = True
        outputs = model(**inputs)
        # the logits before each answer token, and that token: (batch, keep - 1)
        logits = outputs.logits[:, -keep:-1].float()
        wanted = labels[:, 1 - keep :]
        total = functional.cross_entropy(
            logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        count = (wanted != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total * self._processes() / count
        if model.training:
            hits = (logits.argmax(-1) == wanted) | (wanted == IGNORED)
            self._right.append((layout.tasks, hits.all(dim=1).detach()))
        if self._auxiliary is not None and targets is not None:
            second = self._auxiliary.loss(outputs, layout, targets)
            self._auxiliary_losses.append(second.detach())
            parts = self.current_gradient_accumulation_steps
            loss = loss + self._auxiliary.weight * second / parts
        return (loss, outputs) if return_outputs else loss

    def create_optimizer(self, model: Any = None) -> Any:
        """AdamW with a group for every part of the model."""
        if self.optimizer is None:
            trained: Any = self.model if model is None else model
            decayed = set(self.get_decay_parameter_names(trained))
            groups = parameter_groups(trained, self._recipe, decayed)
            muon = self._recipe.optimizer == "muon"
            if muon:
                groups = muon_groups(trained, groups, self._recipe.muon_factor)
            own = list(self._auxiliary.module.parameters()) if self._auxiliary else []
            if own:
                groups.append({"params": own, "lr": self._recipe.lr, "weight_decay": 0.0})
            if muon:
                from xvr.training.muon import Muon

                self.optimizer = Muon(groups, beta2=self._recipe.adam_beta2)
                return self.optimizer
            kind, arguments = self.get_optimizer_cls_and_kwargs(self.args, trained)
            self.optimizer = kind(groups, **arguments)
        return self.optimizer

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """As usual; parameters of the auxiliary loss, which are not wrapped, are seen to."""
        if self._auxiliary is None:
            return super().training_step(*args, **kwargs)
        if self._stepped:
            self._auxiliary.module.zero_grad()
        loss = super().training_step(*args, **kwargs)
        self._stepped = self.accelerator.sync_gradients
        if self._stepped:
            _average_gradients(self._auxiliary.module)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As usual, with the share of answers that were right, by task, since the last time."""
        if "loss" in logs:
            logs |= self._taken()
        super().log(logs, start_time)

    def _taken(self) -> dict[str, float]:
        """What the first process saw since the last log, and forget it."""
        by_task: dict[str, list[float]] = defaultdict(list)
        for tasks, right in self._right:
            for task, hit in zip(tasks, right.tolist(), strict=True):
                by_task[task].append(float(hit))
        everything = [hit for hits in by_task.values() for hit in hits]
        found = {f"right/{task}": sum(hits) / len(hits) for task, hits in sorted(by_task.items())}
        if everything:
            found = {"right": sum(everything) / len(everything), **found}
        if self._auxiliary_losses:
            losses = [float(loss) for loss in self._auxiliary_losses]
            found["aux_loss"] = sum(losses) / len(losses)
        self._right, self._auxiliary_losses = [], []
        return found

    def _processes(self) -> int:
        """Gradients are averaged over them, and the loss is a share of a sum."""
        return self.accelerator.num_processes if self.args.average_tokens_across_devices else 1

    # Checkpoints

    def _get_output_dir(self, trial: Any) -> str:  # noqa: ARG002
        return str(self._run / checkpoints.FOLDER / checkpoints.PARTIAL)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        name = f"checkpoint-{self.state.global_step}"
        with checkpoints.writing(self._run):
            super()._save_checkpoint(model, trial)
            self._save_auxiliary(Path(self._get_output_dir(trial)) / name)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                checkpoints.commit(self._run, name)
                checkpoints.rotate(self._run, self._keep)
        self.accelerator.wait_for_everyone()

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        super()._save(output_dir, state_dict=state_dict)
        if self.args.should_save:
            self._dress(Path(output_dir or str(self.args.output_dir)))

    def _save_auxiliary(self, folder: Path) -> None:
        from safetensors.torch import save_model

        if self._auxiliary is not None and self.args.should_save:
            save_model(self._auxiliary.module, str(folder / AUXILIARY_STATE))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        from safetensors.torch import load_model

        super()._load_optimizer_and_scheduler(checkpoint)
        if self._auxiliary is not None and checkpoint is not None:
            load_model(self._auxiliary.module, str(Path(checkpoint) / AUXILIARY_STATE))


def _takes_logits_to_keep(model: Any) -> bool:
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(base.forward).parameters


def _average_gradients(module: nn.Module) -> None:
    """Over all processes, as they do for the model."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return
    for parameter in module.parameters():
        if parameter.grad is None:  # this batch had no use for it, another process's may have
            parameter.grad = torch.zeros_like(parameter)
        distributed.all_reduce(parameter.grad)
        parameter.grad /= distributed.get_world_size()

"""What a run leaves: the model, LoRA's adapter, the card, and the scores of the last evaluation."""

import json
from pathlib import Path
from typing import Any

from xvr.dataset import atomic
from xvr.evaluation.models.loading import Checkpoint
from xvr.training.card import model_card
from xvr.training.logs import LOG
from xvr.training.parameters import merged
from xvr.training.run_folder import ADAPTER, MODEL, read_run
from xvr.training.saved_model import complete
from xvr.training.trainer import AnswerTrainer


def write_model(trainer: AnswerTrainer, out: Path, base: Checkpoint, skipped: int) -> None:
    """Write `model/`, and `adapter/` after LoRA; each is whole or absent.

    The weights are saved in the numbers that the base checkpoint has.

    Args:
        trainer: at the end of its training; a model with LoRA is merged by this.
        out: folder of the run.
        base: where training started.
        skipped: samples that could not be used.
    """
    if (out / MODEL).exists():
        return
    card = model_card(read_run(out), last_scores(out), skipped)
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:  # all processes gather the weights
        folder = out / f".{MODEL}.partial"
        trainer.save_model(str(folder))
        if trainer.is_world_process_zero():
            (folder / "README.md").write_text(card)
            folder.replace(out / MODEL)
        trainer.accelerator.wait_for_everyone()
        return
    if not trainer.is_world_process_zero():
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "peft_config") and not (out / ADAPTER).exists():
        with atomic.new_folder(out / ADAPTER) as folder:
            model.save_pretrained(folder)
    model = _as_base(merged(model), base)
    with atomic.new_folder(out / MODEL) as folder:
        model.save_pretrained(folder)
        processor: Any = trainer.processing_class
        processor.save_pretrained(folder)
        complete(folder, base, processor)
        (folder / "README.md").write_text(card)


def last_scores(out: Path) -> dict[str, float]:
    """Accuracies of the last evaluation in the log; empty without one."""
    found: dict[str, float] = {}
    path = out / LOG
    for line in path.read_text().splitlines() if path.exists() else []:
        scores = {k: v for k, v in json.loads(line).items() if k.startswith("eval/")}
        found = scores or found
    return found


def _as_base(model: Any, base: Checkpoint) -> Any:
    """In the numbers of the base, which training may have widened.

    Checkpoints of Qwen3-VL tell them for the language model alone.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(base.source, revision=base.revision)
    told = config.dtype or config.get_text_config().dtype
    if told is None:
        return model
    return model.to(told if isinstance(told, torch.dtype) else getattr(torch, told))

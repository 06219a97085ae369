"""The settings of a run as `transformers.Trainer` takes them."""

import math
from typing import Any

from xvr.errors import UserError
from xvr.training import checkpoints
from xvr.training.config import TrainConfig
from xvr.training.mixture import Order


def total_steps(config: TrainConfig, order: Order) -> int:
    """Steps of a run."""
    if config.steps is not None:
        return config.steps
    return math.ceil(config.recipe.epochs * order.epoch / config.recipe.batch_size)


def training_arguments(config: TrainConfig, steps: int, *, text_only: bool) -> Any:
    """The arguments; processes and GPUs are those that `accelerate launch` started.

    Args:
        config: of the run.
        steps: in all.
        text_only: whether some samples have no image, and so no use for the vision tower.

    Raises:
        UserError: the batch does not part evenly, or a GPU is asked for and there is none.
    """
    import torch
    from transformers import TrainingArguments

    recipe, machine = config.recipe, config.machine
    if machine.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: PyTorch sees no GPU here")
    on_gpu = machine.device != "cpu" and torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(config.out / checkpoints.FOLDER),
        max_steps=steps,
        per_device_train_batch_size=machine.device_batch_size,
        learning_rate=max(recipe.lr, recipe.merger_lr, recipe.vision_lr),
        lr_scheduler_type=recipe.schedule,
        warmup_steps=math.ceil(recipe.warmup_share * steps),
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.adam_beta2,
        max_grad_norm=recipe.max_grad_norm,
        optim="adamw_torch",
        seed=config.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        activation_checkpointing=recipe.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=machine.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_steps=machine.save_every,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        train_sampling_strategy="sequential",  # the order is that of `Order`
        dataloader_num_workers=machine.workers,
        dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=text_only,
    )
    at_once = machine.device_batch_size * arguments.world_size
    if recipe.batch_size % at_once:
        raise UserError(
            f"a step of {recipe.batch_size} samples does not part into {arguments.world_size} "
            f"process(es) with {machine.device_batch_size} at a time: change --batch-size or "
            "--device-batch-size"
        )
    arguments.gradient_accumulation_steps = recipe.batch_size // at_once
    return arguments

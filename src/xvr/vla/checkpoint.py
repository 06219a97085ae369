"""Checkpoints: a policy that acts, and all that training needs to go on as if nothing happened.

    checkpoints/step_000500/policy.json, weights.safetensors   the running mean, as a policy
    checkpoints/step_000500/training.safetensors               weights and the optimiser's state

The order of the data, noise and dropout follow from the seed and the step, so nothing else needs
saving. A folder has its name only when it is whole.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.vla import learned
from xvr.vla.ema import RunningMean
from xvr.vla.learned import Recipe
from xvr.vla.run_folder import CHECKPOINTS, checkpoints

TRAINING = "training.safetensors"


def save(
    run: Path,
    step: int,
    recipe: Recipe,
    weights: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    mean: RunningMean,
    keep: int,
) -> Path:
    """Write the checkpoint after `step` steps and delete the oldest ones."""
    from safetensors.torch import save as to_bytes

    folder = run / CHECKPOINTS / f"step_{step:06d}"
    if not folder.exists():
        tensors = {f"weight.{name}": weight for name, weight in weights.items()}
        tensors |= {f"mean.{name}": weight for name, weight in mean.mean.items()}
        tensors |= _optimizer_state(optimizer, weights)
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with atomic.new_folder(folder) as partial:
            learned.write(partial, recipe, acting(weights, mean))
            atomic.write_bytes(partial / TRAINING, to_bytes(kept))
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return folder


def restore(
    folder: Path,
    weights: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    mean: RunningMean,
) -> None:
    """Put a checkpoint back into weights, optimiser and running mean.

    Raises:
        UserError: it is damaged or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / TRAINING
    try:
        tensors = load_file(path)
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(tensors[f"weight.{name}"])
                mean.mean[name].copy_(tensors[f"mean.{name}"])
                optimizer.state[weight] = {
                    key: tensors[f"optimizer.{key}.{name}"].to(
                        "cpu" if key == "step" else weight.device
                    )
                    for key in ("step", "exp_avg", "exp_avg_sq")
                }
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise UserError(
            f"{path} cannot be resumed from: {error}; delete {folder} and run the same command "
            "again to go on from the checkpoint before"
        ) from error


def acting(weights: Mapping[str, Tensor], mean: RunningMean) -> dict[str, Tensor]:
    """What a policy acts with: the running mean, in the weights' own precision."""
    return {name: mean.mean[name].to(weight.dtype) for name, weight in weights.items()}


def _optimizer_state(
    optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    return {
        f"optimizer.{key}.{name}": value
        for name, weight in weights.items()
        for key, value in optimizer.state[weight].items()
    }

"""What of a model is trained, and how fast: vision tower, merger and language model apart."""

import warnings
from collections.abc import Iterator
from typing import Any, Literal

from xvr.errors import UserError
from xvr.training.recipes import Recipe

Part = Literal["vision", "merger", "language"]

LORA_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
"""Linear layers of the language model, by the names that transformers gives them."""
_MERGERS = ("merger", "multi_modal_projector", "mm_projector", "connector")
_TOWERS = ("visual", "vision_tower", "vision_model")


def part_of(name: str) -> Part:
    """Which part of a vision-language model a parameter is in, by its name in transformers."""
    words = name.split(".")
    if any(merger in word for word in words for merger in _MERGERS):
        return "merger"
    return "vision" if any(word in _TOWERS for word in words) else "language"


def prepare(model: Any, recipe: Recipe) -> Any:
    """The model with what is not trained frozen; with LoRA, a PEFT model around it.

    Raises:
        UserError: PEFT is missing, or LoRA finds no layer.
    """
    rates = _rates(recipe)
    if recipe.lora_rank:
        model = _with_lora(model, recipe)
        rates = {"vision": 0.0, "merger": 0.0, "language": recipe.lr}
    for name, parameter in model.named_parameters():
        adapts = "lora_" in name
        parameter.requires_grad_(rates[part_of(name)] > 0 and (adapts or not recipe.lora_rank))
    return model


def parameter_groups(model: Any, recipe: Recipe, decayed: set[str]) -> list[dict[str, Any]]:
    """Groups of trained parameters with their learning rates, as PyTorch's optimizers take them.

    Args:
        model: as `prepare` gives it.
        recipe: has the rates.
        decayed: names of the parameters that weight decay is for.
    """
    rates = _rates(recipe)
    groups: dict[tuple[Part, bool], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((part_of(name), name in decayed), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rates[part],
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (part, decays), parameters in sorted(groups.items(), key=lambda group: group[0])
    ]


def muon_groups(model: Any, groups: list[dict[str, Any]], factor: float) -> list[dict[str, Any]]:
    """Groups parted into matrices, which Muon steps, and the rest; embeddings are of the rest.

    Args:
        model: whose parameters they are.
        groups: as `parameter_groups` gives them.
        factor: Muon's learning rate, in learning rates.
    """
    from torch import nn

    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    found = []
    for group in groups:
        matrices = [p for p in group["params"] if p.ndim == 2 and id(p) not in tables]
        others = [p for p in group["params"] if p.ndim != 2 or id(p) in tables]
        if matrices:
            lr = factor * group["lr"]
            found.append({**group, "params": matrices, "lr": lr, "muon": True})
        if others:
            found.append({**group, "params": others, "muon": False})
    return found


def counts(model: Any) -> dict[str, int]:
    """Number of parameters: in all, trained, and trained in each part."""
    found = {"all": 0, "trained": 0}
    for name, parameter in model.named_parameters():
        found["all"] += parameter.numel()
        if parameter.requires_grad:
            found["trained"] += parameter.numel()
            part = part_of(name)
            found[part] = found.get(part, 0) + parameter.numel()
    return found


def merged(model: Any) -> Any:
    """The model with LoRA's matrices added to its weights; others as they are."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _rates(recipe: Recipe) -> dict[Part, float]:
    return {"vision": recipe.vision_lr, "merger": recipe.merger_lr, "language": recipe.lr}


def _with_lora(model: Any, recipe: Recipe) -> Any:
    from importlib.util import find_spec

    if find_spec("peft") is None:
        raise UserError('LoRA needs peft; install it with: pip install "xvr[train]"')
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,  # pyright: ignore[reportArgumentType]
        lora_dropout=recipe.lora_dropout,
        target_modules=LORA_TARGETS,
    )
    if not any(_targets(model)):
        raise UserError(
            f"LoRA finds no layer in {type(model).__name__} by the names that transformers gives "
            "them; leave out --lora-rank to train all weights"
        )
    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.24 by an old name
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(model, settings)


def _targets(model: Any) -> Iterator[str]:
    import re

    for name, _ in model.named_modules():
        if re.fullmatch(LORA_TARGETS, name):
            yield name

"""Which weights of a vision-language model are trained."""

from typing import Any

from torch import nn

from xvr.errors import UserError
from xvr.vla.backbones.config import BackboneConfig


def tune(model: nn.Module, language: Any, config: BackboneConfig) -> None:
    """Make trainable what a configuration asks for, and nothing else.

    Args:
        model: the truncated model.
        language: its part with the language layers.
        config: names what is to be trained.

    Raises:
        UserError: more layers are asked for than the tap left.
    """
    model.requires_grad_(False)
    if config.tune_vision:
        language_weights = {id(weight) for weight in language.parameters()}
        for weight in model.parameters():
            if id(weight) not in language_weights:
                weight.requires_grad_(True)
    if config.tune == "full":
        language.requires_grad_(True)
    elif config.tune == "lora":
        _add_lora(language, config.lora_rank)
    elif config.tune.startswith("top-"):
        count = int(config.tune.removeprefix("top-"))
        if count > len(language.layers):
            raise UserError(
                f"--tune {config.tune}: the tap {config.tap} leaves {len(language.layers)} layers"
            )
        language.layers[-count:].requires_grad_(True)
    if not config.parsed_tap.normed:
        language.norm.requires_grad_(False)  # what is tapped has not seen it


def _add_lora(language: Any, rank: int) -> None:
    """Low-rank matrices beside every linear map of the layers (https://arxiv.org/abs/2106.09685)."""
    from peft import LoraConfig, inject_adapter_in_model

    linear = {
        name.rpartition(".")[2]
        for name, module in language.layers.named_modules()
        if isinstance(module, nn.Linear)
    }
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=sorted(linear))
    inject_adapter_in_model(config, language)

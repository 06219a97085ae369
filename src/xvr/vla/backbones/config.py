"""Which backbone a policy stands on, where it is tapped and what of it is trained."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from xvr.errors import UserError

SMALL = ("conv", "blind")
"""Backbones without pretrained weights."""


class Tap(NamedTuple):
    """Where features leave the language model."""

    layer: int
    """After so many of its layers."""
    normed: bool
    """Whether the model's last norm has been applied."""

    def __str__(self) -> str:
        """As `--tap` takes it."""
        return f"{self.layer}:{'post' if self.normed else 'pre'}"


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What is taken from a vision-language model, and what of it is trained."""

    tap: str = "16:pre"
    """Layer of the language model after which features are taken, and whether before (pre) or
    after (post) its last norm; layers above are dropped. N1.5 has 12:post, N1.7 16:pre."""
    tune: str = "frozen"
    """What of the language model is trained: frozen, lora, top-K for its last K kept layers, or
    full."""
    tune_vision: bool = False
    """Whether the vision tower is trained too."""
    lora_rank: int = 16
    """Rank of the LoRA matrices."""
    model_dtype: str = "auto"
    """Of the model's weights: auto is bfloat16 on a GPU and float32 on a CPU."""

    def __post_init__(self) -> None:
        """Checks the forms."""
        if not re.fullmatch(r"[1-9]\d*:(pre|post)", self.tap):
            raise UserError(f"tap {self.tap!r}: write LAYER:pre or LAYER:post, such as 16:pre")
        if not re.fullmatch(r"frozen|lora|full|top-[1-9]\d*", self.tune):
            raise UserError(
                f"tune {self.tune!r}: write frozen, lora, top-K (such as top-4) or full"
            )
        if self.lora_rank < 1:
            raise UserError(f"lora rank {self.lora_rank}: write at least 1")


@dataclass(frozen=True, kw_only=True)
class BackboneConfig(Tuning):
    """A backbone."""

    spec: str = "conv"
    """hf:ID or hf:FOLDER for a vision-language model; conv, a small encoder that is trained with
    the head; blind, which sees no picture."""

    def __post_init__(self) -> None:
        """Checks the forms."""
        super().__post_init__()
        if self.spec not in SMALL and not self.spec.startswith("hf:"):
            raise UserError(
                f"backbone {self.spec!r}: write hf:ID or hf:FOLDER for a vision-language model, "
                f"or {' or '.join(SMALL)}"
            )

    @property
    def parsed_tap(self) -> Tap:
        """`tap` as numbers."""
        layer, _, norm = self.tap.partition(":")
        return Tap(int(layer), norm == "post")

    @property
    def frozen(self) -> bool:
        """Whether no weight of it changes."""
        return self.spec not in SMALL and self.tune == "frozen" and not self.tune_vision

    @property
    def trained_in_float32(self) -> bool:
        """Whether weights of a model are kept in more precision than a GPU computes with."""
        return self.spec not in SMALL and not self.frozen


def make_backbone(config: BackboneConfig, cameras: tuple[str, ...], device: str) -> Any:
    """The backbone on a device: `prepare` makes inputs of pictures and texts, calling it features.

    Raises:
        UserError: a package or checkpoint is missing, or it cannot be tapped or tuned as asked.
    """
    if config.spec in SMALL:
        from xvr.vla.backbones.conv import ConvBackbone

        return ConvBackbone(cameras).to(device)
    from xvr.vla.backbones.hf import load_backbone

    return load_backbone(config, cameras, device)

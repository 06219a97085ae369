"""A vision-language model of `transformers` as a backbone: pictures, then the instruction.

Features are taken at an explicit tap: after so many layers, before or after the model's last norm.
`hidden_states[-1]` is not used, as its meaning changed (before the norm in transformers 4.57,
after it from 5.0 on), and what a block returns is not either, as Qwen3-VL adds visual features to
the output of its first ones (DeepStack). Layers above the tap and the output head are dropped, so
that the last norm sees what the tapped layer left: the hook on it takes its input or its output.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from xvr.errors import UserError
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.models.loading import Checkpoint, fingerprint, load_model, load_processor
from xvr.evaluation.models.prompt_tensors import image_token_ids, prompt_tensors
from xvr.vla.backbones.config import BackboneConfig, Tap
from xvr.vla.backbones.tuning import tune
from xvr.vla.features import Features


class HFBackbone(nn.Module):
    """A truncated model and its processor."""

    def __init__(
        self, model: Any, processor: Any, config: BackboneConfig, cameras: Sequence[str]
    ) -> None:
        """Takes what `load_backbone` has loaded; the model loses its output head and upper layers.

        Raises:
            UserError: it has fewer layers than the tap, or is built in a way not known here.
        """
        super().__init__()
        self.config, self.cameras, self.processor = config, tuple(cameras), processor
        self.fingerprint = ""
        self.model = model.base_model
        self.model.config.use_cache = False
        language = language_stack(self.model, config.spec)
        truncate(language, config.parsed_tap, config.spec)
        self.width = int(language.norm.weight.shape[0])
        tune(self.model, language, config)
        self._tapped: Tensor | None = None
        language.norm.register_forward_hook(self._keep)
        self._image_tokens = torch.tensor(image_token_ids(processor))

    @property
    def identity(self) -> str:
        """Tells two frozen backbones apart: weights, tap and precision."""
        dtype = next(self.model.parameters()).dtype
        return f"{self.fingerprint} {self.config.parsed_tap} {dtype}"

    def train(self, mode: bool = True) -> "HFBackbone":
        """A frozen model stays in evaluation mode."""
        return super().train(mode and not self.config.frozen)

    def prepare(
        self, images: Mapping[str, UInt8[np.ndarray, "b h w 3"]], texts: Sequence[str]
    ) -> dict[str, Tensor]:
        """What `forward` takes, on the CPU: tokens padded on the left, patches of pictures.

        Raises:
            UserError: the model would see pictures and text in another order.
        """
        from PIL import Image

        parts = tuple(Picture(name=name, read=_unread) for name in self.cameras)
        prompts = [
            Prompt(item_id=f"moment {number}", parts=(*parts, text))
            for number, text in enumerate(texts)
        ]
        shown = [
            [Image.fromarray(images[name][number]) for name in self.cameras]
            for number in range(len(texts))
        ]
        who = self.config.spec
        return dict(prompt_tensors(self.processor, prompts, shown, size=None, who=who).inputs)

    def forward(self, inputs: Mapping[str, Tensor]) -> Features:
        """Features of what `prepare` made, on its device."""
        floats = next(self.model.parameters()).dtype
        cast = {k: v.to(floats) if v.is_floating_point() else v for k, v in inputs.items()}
        self._tapped = None
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen):
            self.model(**cast)
        tokens, self._tapped = self._tapped, None
        assert tokens is not None, "the model did not come to its last norm"
        ids = inputs["input_ids"]
        return Features(
            tokens=tokens,
            mask=inputs["attention_mask"].bool(),
            is_image=torch.isin(ids, self._image_tokens.to(ids.device)),
        )

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:  # noqa: ARG002
        self._tapped = output if self.config.parsed_tap.normed else inputs[0]


def load_backbone(config: BackboneConfig, cameras: Sequence[str], device: str) -> HFBackbone:
    """The model that a backbone names, truncated, with what is to be trained of it trainable.

    Raises:
        UserError: it cannot be loaded, tapped or tuned as asked.
    """
    checkpoint = Checkpoint.of(config.spec.removeprefix("hf:"))
    processor = load_processor(checkpoint)
    dtype = config.model_dtype
    if dtype == "auto" and not config.frozen:
        dtype = "float32"  # AdamW's small steps are lost in bfloat16
    model = load_model(checkpoint, dtype=dtype, device=device)
    weights = fingerprint(checkpoint, model)
    backbone = HFBackbone(model, processor, config, cameras)
    backbone.fingerprint = weights
    return backbone


def language_stack(model: nn.Module, who: str) -> Any:
    """The part of a model with the language layers, their embeddings and the last norm.

    Raises:
        UserError: there is no such part.
    """
    for module in model.modules():
        if isinstance(getattr(module, "layers", None), nn.ModuleList) and all(
            isinstance(getattr(module, name, None), nn.Module) for name in ("norm", "embed_tokens")
        ):
            return module
    raise UserError(
        f"{who}: a {type(model).__name__} has no part with layers, norm and embed_tokens, so that "
        "nobody knows where to tap it"
    )


def truncate(language: Any, tap: Tap, who: str) -> None:
    """Drop the layers above a tap.

    Raises:
        UserError: there are fewer layers than the tap asks for.
    """
    layers = len(language.layers)
    if tap.layer > layers:
        raise UserError(f"{who} has {layers} layers: --tap {tap} is above, write at most {layers}")
    language.layers = language.layers[: tap.layer]
    language.config.num_hidden_layers = tap.layer


def _unread() -> bytes:
    raise AssertionError("pictures of observations are not read from files")

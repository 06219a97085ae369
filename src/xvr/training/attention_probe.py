"""What layers of a language model look at, worked out again from their inputs.

    probe = AttentionProbe(model, layers=(1, 3))
    model(**inputs)
    looks = probe.taken(3)

Attention itself is computed as fast as ever; a loss that needs a few of its scores computes them.
Known are layers as in Llama and Qwen3: `input_layernorm`, then `self_attn` with `q_proj` and
`k_proj`, normalised by `q_norm` and `k_norm` where there are such, and rotated by halves.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Looks(NamedTuple):
    """Queries and keys of a layer, rotated to their places."""

    queries: Tensor
    """(batch, heads, tokens, width)."""
    keys: Tensor
    """The same; of grouped heads each key is repeated."""
    scale: float
    """Of the scores before the softmax."""


class AttentionProbe:
    """Remembers what went into some layers when the model ran last."""

    def __init__(self, model: nn.Module, layers: Sequence[int]) -> None:
        """Args: model: with a language model; layers: their numbers, from 0."""
        known = text_layers(model)
        self._layers = {number: known[number] for number in layers if number < len(known)}
        self._inputs: dict[int, tuple[Tensor, tuple[Tensor, Tensor]]] = {}
        for number, layer in self._layers.items():
            layer.register_forward_pre_hook(self._remember(number), with_kwargs=True)

    def taken(self, number: int) -> Looks | None:
        """Looks of a layer in the last pass, once; None where layers are built otherwise."""
        if number not in self._inputs:
            return None
        hidden, (cos, sin) = self._inputs.pop(number)
        layer: Any = self._layers[number]
        attention = layer.self_attn
        normed = layer.input_layernorm(hidden)
        rotated = []
        for name in ("q", "k"):
            projected = getattr(attention, f"{name}_proj")(normed)
            heads = projected.view(*projected.shape[:2], -1, cos.shape[-1])
            norm = getattr(attention, f"{name}_norm", None)
            heads = (heads if norm is None else norm(heads)).transpose(1, 2)
            first, second = heads.chunk(2, dim=-1)
            turned = torch.cat([-second, first], dim=-1)
            rotated.append(heads * cos[:, None] + turned * sin[:, None])
        queries, keys = rotated
        keys = keys.repeat_interleave(queries.shape[1] // keys.shape[1], dim=1)
        return Looks(queries, keys, getattr(attention, "scaling", cos.shape[-1] ** -0.5))

    def _remember(self, number: int) -> Any:
        def hook(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            hidden = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
            places = kwargs.get("position_embeddings")
            if places is not None and places[0].shape[-1] == layer.self_attn.head_dim:
                self._inputs[number] = hidden, places

        return hook


def text_layers(model: nn.Module) -> list[nn.Module]:
    """The layers of the language model that can be probed, in order."""
    return [
        module
        for module in model.modules()
        if hasattr(module, "input_layernorm")
        and hasattr(getattr(module, "self_attn", None), "q_proj")
        and hasattr(module.self_attn, "k_proj")
        and hasattr(module.self_attn, "head_dim")
    ]

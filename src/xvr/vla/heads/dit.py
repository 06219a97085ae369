"""The transformer of the head: blocks that look at the backbone's tokens, or at each other.

A block is either cross-attention or self-attention, then a feed-forward net; flow time modulates
the norm before attention. The keys and values of the backbone's tokens do not depend on actions,
noise or flow time: they are computed once and serve all noise draws of a training step and all
Euler steps of an action.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xvr.vla.features import Features
from xvr.vla.heads.config import HeadConfig
from xvr.vla.heads.layers import (
    Attention,
    FeedForward,
    Modulation,
    TimeEncoder,
    VisionLayer,
)


class Source(NamedTuple):
    """What one block attends to beside its own tokens."""

    keys: Tensor
    values: Tensor
    mask: Tensor | None


class Block(nn.Module):
    """Attention and a feed-forward net."""

    def __init__(self, config: HeadConfig, key_width: int) -> None:
        super().__init__()
        self.norm = Modulation(config.width)
        self.attention = Attention(config.width, config.heads, key_width, config.dropout)
        self.feed_norm = nn.LayerNorm(config.width, elementwise_affine=False)
        self.feed = FeedForward(config.width, config.dropout)

    def forward(self, x: Tensor, time: Tensor, source: Source | None) -> Tensor:
        """Of x (n, t, width) and time (n, width); without a source x attends to itself.

        A source of b rows serves n / b draws each: their queries stand side by side.
        """
        normed = self.norm(x, time)
        if source is None:
            x = x + self.attention(normed, *self.attention.keys_and_values(normed))
        else:
            rows = len(source.keys)
            queries = normed.reshape(rows, -1, normed.shape[-1])  # (b, draws * t, width)
            x = x + self.attention(queries, *source).reshape(x.shape)
        return x + self.feed(self.feed_norm(x))


class DiT(nn.Module):
    """All blocks, and the preparation of the backbone's tokens."""

    def __init__(self, config: HeadConfig, feature_width: int) -> None:
        super().__init__()
        self.config = config
        self.feature_norm = nn.LayerNorm(feature_width)
        self.vision = nn.ModuleList(
            VisionLayer(feature_width, config.vision_heads, config.dropout)
            for _ in range(config.vision_layers)
        )
        self.time = TimeEncoder(config.width)
        self.blocks = nn.ModuleList(
            Block(config, feature_width if self._crosses(number) else config.width)
            for number in range(config.blocks)
        )
        self.out_modulation = Modulation(config.width)
        self.out = nn.Linear(config.width, config.output_width)

    def sources(self, features: Features) -> list[Source | None]:
        """Keys and values of the backbone's tokens for every block, None for self-attention."""
        mask = features.mask if self.config.mask_padding else None
        tokens = self.feature_norm(features.tokens)
        for layer in self.vision:
            tokens = layer(tokens, mask)
        found: list[Source | None] = []
        for number, block in enumerate(self.blocks):
            if not self._crosses(number):
                found.append(None)
                continue
            assert isinstance(block, Block)
            keys, values = block.attention.keys_and_values(tokens)
            found.append(Source(keys, values, self._mask(features, number, mask)))
        return found

    def forward(self, x: Tensor, buckets: Tensor, sources: list[Source | None]) -> Tensor:
        """From x (n, t, width) and rounded flow times (n,) to (n, t, output width)."""
        time = self.time(buckets)
        for block, source in zip(self.blocks, sources, strict=True):
            x = block(x, time, source)
        return self.out(self.out_modulation(x, time))

    def _crosses(self, number: int) -> bool:
        return number % 2 == 0 or not self.config.self_attention

    def _mask(self, features: Features, number: int, mask: Tensor | None) -> Tensor | None:
        """Keys of a block; text and pictures take turns where the head alternates."""
        if not self.config.alternate:
            return mask
        kind = features.is_image if number // 2 % 2 else ~features.is_image
        chosen = kind & features.mask
        return torch.where(chosen.any(dim=1, keepdim=True), chosen, features.mask)


def masked_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of the values (b, r, t, m) whose step counts; weights (b, t)."""
    spread = weights[:, None, :, None].to(values.dtype).expand_as(values)
    return (values * spread).sum() / spread.sum().clamp(min=1)


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Entry by entry, in float32."""
    return F.mse_loss(predicted.float(), target.float(), reduction="none")

"""Parts of the head: attention with a key mask, feed-forward, flow time, small nets."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of queries over keys; (b, t, width) over (b, s, key width)."""

    def __init__(self, width: int, heads: int, key_width: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(key_width, width)
        self.value = nn.Linear(key_width, width)
        self.out = nn.Linear(width, width)

    def keys_and_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """(b, heads, s, width / heads) each; those of the backbone's tokens serve many queries."""
        return self._split(self.key(source)), self._split(self.value(source))

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Attend; `mask` (b, s) is True for keys that count."""
        attended = F.scaled_dot_product_attention(
            self._split(self.query(x)),
            keys,
            values,
            attn_mask=None if mask is None else mask[:, None, None, :],
        )
        out = self.out(attended.transpose(1, 2).flatten(2))
        return F.dropout(out, self.dropout, self.training)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Module):
    """Two layers, four times wider in between."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same."""
        inner = F.dropout(F.gelu(self.up(x), approximate="tanh"), self.dropout, self.training)
        return F.dropout(self.down(inner), self.dropout, self.training)


class VisionLayer(nn.Module):
    """Self-attention over the backbone's tokens, norms before."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, width, dropout)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = FeedForward(width, dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(b, s, width) to the same."""
        normed = self.norm(x)
        x = x + self.attention(normed, *self.attention.keys_and_values(normed), mask)
        return x + self.feed(self.feed_norm(x))


class TimeEncoder(nn.Module):
    """A rounded flow time as a vector, for the modulation of norms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(256, width)
        self.second = nn.Linear(width, width)

    def forward(self, buckets: Tensor) -> Tensor:
        """(n,) numbers of steps to (n, width)."""
        waves = sinusoids(buckets, 256).to(self.first.weight.dtype)
        return self.second(F.silu(self.first(waves)))


class Modulation(nn.Module):
    """A norm whose scale and shift depend on the flow time (adaLN without a gate)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.scale_and_shift = nn.Linear(width, 2 * width)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Of x (n, t, width), at time (n, width)."""
        scale, shift = self.scale_and_shift(F.silu(time))[:, None].chunk(2, dim=-1)
        return self.norm(x) * (1 + scale) + shift


class StateEncoder(nn.Module):
    """The state vector as one token."""

    def __init__(self, entries: int, hidden: int, width: int) -> None:
        super().__init__()
        self.first = _linear(entries, hidden)
        self.second = _linear(hidden, width)

    def forward(self, state: Tensor) -> Tensor:
        """(b, entries) to (b, 1, width)."""
        return self.second(F.relu(self.first(state)))[:, None]


class ActionEncoder(nn.Module):
    """Noisy actions and their flow time as tokens."""

    def __init__(self, entries: int, width: int) -> None:
        super().__init__()
        self.first = _linear(entries, width)
        self.second = _linear(2 * width, width)
        self.third = _linear(width, width)
        self.width = width

    def forward(self, actions: Tensor, buckets: Tensor) -> Tensor:
        """From actions (n, t, entries) at rounded flow times (n,) to (n, t, width)."""
        embedded = self.first(actions)
        time = sinusoids(buckets, self.width, flip=False).to(embedded.dtype)
        time = time[:, None].expand_as(embedded)
        return self.third(F.silu(self.second(torch.cat([embedded, time], dim=-1))))


class ActionDecoder(nn.Module):
    """Tokens back to actions."""

    def __init__(self, width: int, hidden: int, entries: int) -> None:
        super().__init__()
        self.first = _linear(width, hidden)
        self.second = _linear(hidden, entries)

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, width) to (n, t, entries)."""
        return self.second(F.relu(self.first(x)))


def sinusoids(numbers: Tensor, width: int, *, flip: bool = True) -> Tensor:
    """Sines and cosines of geometric frequencies (https://arxiv.org/abs/1706.03762).

    Args:
        numbers: (n,).
        width: even.
        flip: cosines first, frequencies down to 1/10000 included (as diffusion models have it);
            else sines first, and the last frequency is above 1/10000.
    """
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=numbers.device)
    frequencies = torch.exp(-math.log(10000.0) * steps / (half - 1 if flip else half))
    angles = numbers.float()[:, None] * frequencies
    waves = (angles.cos(), angles.sin()) if flip else (angles.sin(), angles.cos())
    return torch.cat(waves, dim=-1)


def _linear(entries: int, width: int) -> nn.Linear:
    """Weights that keep the spread of what comes in, and no bias at first.

    N1.5 draws them with a deviation of 0.02 whatever the width, which starves a narrow head of its
    actions; at its own width of 1536 both are nearly the same.
    """
    layer = nn.Linear(entries, width)
    nn.init.normal_(layer.weight, std=entries**-0.5)
    nn.init.zeros_(layer.bias)
    return layer

"""A small convolutional encoder, trained together with the head: `conv`, and `blind` without it.

Three convolutions see each picture, with the place of every pixel as two more channels, and a grid
of tokens of each camera remains; one more token is the mean of the instruction's words.
It learns a small task from a few dozen demonstrations in minutes on a CPU, which no
vision-language model does. `blind` keeps the words only: what a policy reaches that sees nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import UInt8
from torch import Tensor, nn

from xvr.vla.backbones.words import BUCKETS, word_buckets
from xvr.vla.features import Features

WIDTH = 96
GRID = 4
"""Tokens along each side of a picture."""
LAYERS = ((5, 32, 6, 4), (32, 64, 3, 2), (64, WIDTH, 3, 2))
"""Channels before and after, kernel and stride of each convolution."""


class ConvBackbone(nn.Module):
    """Pictures of the given cameras and words to tokens."""

    width = WIDTH

    def __init__(self, cameras: Sequence[str]) -> None:
        """Random weights; no cameras for a blind one."""
        super().__init__()
        self.cameras = tuple(cameras)
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, kernel, stride=stride, padding=1),
                    nn.GroupNorm(8, after),
                    nn.SiLU(),
                )
                for before, after, kernel, stride in LAYERS
            )
        )
        self.places = nn.Parameter(0.3 * torch.randn(GRID * GRID, WIDTH))
        self.camera = nn.Embedding(max(1, len(self.cameras)), WIDTH)
        self.words = nn.EmbeddingBag(BUCKETS, WIDTH, mode="mean")

    @property
    def fingerprint(self) -> str:
        """Nothing outside of the policy's own weights decides what it does."""
        return ""

    def prepare(
        self, images: Mapping[str, UInt8[np.ndarray, "b h w 3"]], texts: Sequence[str]
    ) -> dict[str, Tensor]:
        """What `forward` takes, on the CPU."""
        buckets = [word_buckets(text) for text in texts]
        starts = np.cumsum([0, *map(len, buckets)])[:-1]
        return {
            "words": torch.tensor([bucket for row in buckets for bucket in row]),
            "starts": torch.from_numpy(starts),
            **{name: torch.from_numpy(images[name]) for name in self.cameras},
        }

    def forward(self, inputs: Mapping[str, Tensor]) -> Features:
        """Tokens of b observations: those of each camera in order, then the words."""
        parts = [self._see(inputs[name], number) for number, name in enumerate(self.cameras)]
        parts.append(self.words(inputs["words"], inputs["starts"])[:, None])  # (b, 1, width)
        tokens = torch.cat(parts, dim=1)
        is_image = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        is_image[:, -1] = False
        return Features(tokens=tokens, mask=torch.ones_like(is_image), is_image=is_image)

    def _see(self, pictures: Tensor, camera: int) -> Tensor:
        x = pictures.movedim(-1, 1).float() / 127.5 - 1  # (b, 3, h, w)
        rows = torch.linspace(-1, 1, x.shape[2], device=x.device)[:, None]
        columns = torch.linspace(-1, 1, x.shape[3], device=x.device)[None]
        place = torch.stack(torch.broadcast_tensors(rows, columns))  # (2, h, w)
        x = torch.cat([x, place.expand(len(x), -1, -1, -1)], dim=1)
        x = self.layers(x)
        x = F.adaptive_avg_pool2d(x, GRID).flatten(2).transpose(1, 2)  # (b, grid * grid, width)
        return x + self.places + self.camera.weight[camera]

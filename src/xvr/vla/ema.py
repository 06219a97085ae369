"""The running mean of the weights: what acts at the end, and steadier than the last ones."""

from collections.abc import Mapping

import torch
from torch import Tensor


class RunningMean:
    """Exponential mean of weights in float32; its decay rises from 0.1 in the first steps."""

    def __init__(self, weights: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.mean = {name: weight.detach().float().clone() for name, weight in weights.items()}

    @torch.no_grad()
    def update(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Take in the weights after a step, counted from 1."""
        decay = min(self.decay, step / (10 + step)) if self.decay else 0.0
        for name, mean in self.mean.items():
            mean.lerp_(weights[name].detach().float(), 1 - decay)

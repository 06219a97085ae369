"""Muon: momentum whose matrix is made nearly orthogonal before each step, and AdamW for the rest.

Directions of a gradient that are weak, but agree from step to step, move a weight matrix as far as
strong ones; a small model from random weights learns in about half the steps (docs/learning.md).

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks",
https://kellerjordan.github.io/posts/muon/, from where the five coefficients' iteration is. Ours is
computed in float32, all matrices of one shape at a time, which is fast on a CPU.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

STEPS = 5
"""Of the iteration."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """One optimizer for matrices and the rest, so that it is saved and resumed as one.

    A group with `muon` true must hold matrices only; other groups are stepped as AdamW does.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, beta2: float, momentum: float = 0.95):
        """Groups have `params`, `lr`, `weight_decay` and `muon`."""
        super().__init__(
            groups,
            {"lr": 0.0, "weight_decay": 0.0, "muon": False, "beta2": beta2, "momentum": momentum},
        )

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move all parameters that have a gradient."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            (self._step_matrices if group["muon"] else self._step_others)(group)
        return loss

    def _step_matrices(self, group: dict[str, Any]) -> None:
        by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            ahead = parameter.grad.lerp(state["momentum"], group["momentum"])  # Nesterov's
            by_shape[parameter.shape].append((parameter, ahead))
        for (rows, columns), pairs in by_shape.items():
            updates = orthogonalized(torch.stack([update for _, update in pairs]))
            scale = max(1.0, rows / columns) ** 0.5
            for (parameter, _), update in zip(pairs, updates, strict=True):
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * scale)

    def _step_others(self, group: dict[str, Any]) -> None:
        beta1, beta2 = 0.9, group["beta2"]
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros(())
                state["mean"] = torch.zeros_like(parameter)
                state["square"] = torch.zeros_like(parameter)
            state["step"] += 1
            count = float(state["step"])
            state["mean"].lerp_(parameter.grad, 1 - beta1)
            state["square"].mul_(beta2).addcmul_(parameter.grad, parameter.grad, value=1 - beta2)
            spread = (state["square"] / (1 - beta2**count)).sqrt_().add_(1e-8)
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.addcdiv_(state["mean"], spread, value=-group["lr"] / (1 - beta1**count))


def orthogonalized(matrices: Tensor) -> Tensor:
    """Matrices (n, rows, columns) with all singular values near 1, by Newton and Schulz."""
    tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.transpose(1, 2) if tall else matrices
    found = found / (found.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        square = found @ found.transpose(1, 2)
        found = a * found + (b * square + c * square @ square) @ found
    return found.transpose(1, 2) if tall else found

"""What training will need of memory, told before it starts. Activations are a rough guess."""

from dataclasses import dataclass

from torch import nn

from xvr.vla.heads.config import HeadConfig


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """Bytes."""

    weights: int
    training: int
    """Gradients, AdamW's two means, the running mean."""
    activations: int
    """Of the head; those of a trained backbone come on top."""

    @property
    def text(self) -> str:
        """In one line."""
        parts = (self.weights, self.training, self.activations)
        weights, training, activations = (f"{part / 1e9:.2f}" for part in parts)
        return (
            f"about {sum(parts) / 1e9:.2f} GB: weights {weights}, gradients and optimiser "
            f"{training}, activations of the head {activations}"
        )


def estimate(
    net: nn.Module, head: HeadConfig, *, batch: int, draws: int, chunk: int, tokens: int
) -> MemoryEstimate:
    """For a step with so many moments, noise draws and backbone tokens.

    A block keeps about 20 numbers per token and feature (attention 8, feed-forward 12), and
    cross-attention 2 per backbone token.
    """
    weights = sum(p.numel() * p.element_size() for p in net.parameters())
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    own = batch * draws * (1 + head.future_tokens + chunk) * head.width * head.blocks * 20
    seen = batch * tokens * head.width * head.blocks
    return MemoryEstimate(weights=weights, training=trained * 4 * 4, activations=4 * (own + seen))

"""The flow-matching head: learns the velocity from noise to actions, and follows it.

With noise e, actions a and flow time t in [0, 1): x = (1 - t) e + t a, and the head learns a - e
(Lipman et al., https://arxiv.org/abs/2210.02747). Acting starts at noise and takes Euler steps of
equal length. The layout is that of GR00T N1.5 (`xvr.vla.heads.config`).

Entries that only pad a state or an action are zero everywhere, in the noise too.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor, nn

from xvr.errors import UserError
from xvr.vla.features import Features
from xvr.vla.heads.config import HeadConfig
from xvr.vla.heads.dit import DiT, Source, masked_mean, squared_error
from xvr.vla.heads.layers import ActionDecoder, ActionEncoder, StateEncoder

EULER_STEPS = 4
SPREAD = 0.3
"""Deviation of learned tokens and positions at first: they must be seen beside encoded actions of
about 1. N1.5 has 0.02, at which a narrow head long takes all steps of a chunk for one."""


class FlowHead(nn.Module):
    """From a backbone's tokens and a state to a chunk of actions, all normalised."""

    def __init__(
        self, config: HeadConfig, *, feature_width: int, state_width: int, action_width: int
    ) -> None:
        """A head with random weights.

        Raises:
            UserError: states or actions are wider than the preset is made for.
        """
        super().__init__()
        self.config, self.action_width = config, action_width
        self.state_entries = _entries("state", state_width, config.state_entries)
        self.action_entries = _entries("action", action_width, config.action_entries)
        width = config.width
        if state_width:
            self.state = StateEncoder(self.state_entries, config.decoder_width, width)
            self.no_state = nn.Parameter(torch.zeros(width)) if config.state_dropout else None
        else:
            self.state = self.no_state = None
        self.future = nn.Parameter(SPREAD * torch.randn(config.future_tokens, width))
        self.actions = ActionEncoder(self.action_entries, width)
        self.positions = nn.Parameter(SPREAD * torch.randn(config.max_positions, width))
        self.dit = DiT(config, feature_width)
        self.decoder = ActionDecoder(config.output_width, config.decoder_width, self.action_entries)

    def loss(
        self,
        features: Features,
        state: Tensor,
        actions: Tensor,
        real: Tensor,
        noise: Tensor,
        times: Tensor,
    ) -> Tensor:
        """Mean squared error of the velocity.

        Args:
            features: of b observations.
            state: (b, state width).
            actions: (b, chunk, action width).
            real: (b, chunk), False after the end of an episode.
            noise: (b, draws, chunk, action width).
            times: (b, draws), flow times.
        """
        draws = noise.shape[1]
        t = times[:, :, None, None].to(noise.dtype)
        noisy = (1 - t) * noise + t * actions[:, None]
        target = actions[:, None] - noise
        state_tokens = self._state_tokens(state)
        if state_tokens is not None:
            state_tokens = state_tokens.repeat_interleave(draws, dim=0)
        velocity = self._velocity(
            self.dit.sources(features), state_tokens, noisy.flatten(0, 1), times.flatten()
        )
        error = squared_error(velocity.view_as(target), target)
        weights = real if self.config.mask_time else torch.ones_like(real)
        return masked_mean(error, weights)

    def act(self, features: Features, state: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Follow the velocity from noise (b, chunk, action width) in Euler steps."""
        sources, state_tokens = self.dit.sources(features), self._state_tokens(state)
        actions = noise
        for step in range(steps):
            times = torch.full((len(noise),), step / steps, device=noise.device)
            actions = actions + self._velocity(sources, state_tokens, actions, times) / steps
        return actions

    def _velocity(
        self,
        sources: list[Source | None],
        state_tokens: Tensor | None,
        noisy: Tensor,
        times: Tensor,
    ) -> Tensor:
        """Velocity (n, chunk, action width) at noisy actions (the same) and flow times (n,)."""
        buckets = (times * self.config.time_buckets).floor()
        chunk = noisy.shape[1]
        padded = F.pad(noisy, (0, self.action_entries - self.action_width))
        tokens = self.actions(padded, buckets) + self.positions[:chunk]
        future = self.future.expand(len(noisy), -1, -1)
        parts = [future, tokens] if state_tokens is None else [state_tokens, future, tokens]
        out = self.dit(torch.cat(parts, dim=1), buckets, sources)
        return self.decoder(out[:, -chunk:])[..., : self.action_width]

    def _state_tokens(self, state: Tensor) -> Tensor | None:
        """(b, 1, width), or None for a policy without a state."""
        if self.state is None:
            return None
        tokens = self.state(F.pad(state, (0, self.state_entries - state.shape[-1])))
        if self.no_state is None or not self.training:
            return tokens
        withheld = torch.rand(len(tokens), 1, 1, device=tokens.device) < self.config.state_dropout
        return torch.where(withheld, self.no_state.to(tokens.dtype), tokens)


def flow_times(
    rng: np.random.Generator, shape: tuple[int, ...], config: HeadConfig
) -> Float32[np.ndarray, "..."]:
    """Flow times for training: most of them near 0, where actions are noise.

    u ~ Beta(alpha, beta), cut at the limit s; t = (s - u) / s, as GR00T N1.5, which does not cut
    and so has a few times below 0.
    """
    draws = np.minimum(rng.beta(config.time_alpha, config.time_beta, shape), config.time_limit)
    return ((config.time_limit - draws) / config.time_limit).astype(np.float32)


def draw_noise(rngs: list[np.random.Generator], shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """Standard normal noise, each row from a generator of its own."""
    return np.stack([rng.standard_normal(shape, dtype=np.float32) for rng in rngs])


def _entries(what: str, width: int, entries: int | None) -> int:
    if entries is None:
        return width
    if width > entries:
        raise UserError(
            f"the head takes {entries} {what} entries and the data have {width}: choose fewer "
            f"fields with --{what}, or another head"
        )
    return entries

"""What every policy is: observations and random generators in, a chunk of actions each out.

    chunk = policy.act([observation], [np.random.default_rng([seed, episode, query])])[0]

All noise comes from the generators that are given, one per observation, and an observation is
worked on alone unless asked otherwise: which others are in the batch, and which process asks,
changes no bit of an action.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from xvr.vla.contract import Contract
from xvr.vla.observation import Observation

Chunks = Float32[np.ndarray, "b chunk action"]


class Policy(Protocol):
    """Something that acts."""

    @property
    def contract(self) -> Contract:
        """What it expects to be shown, and what its actions mean."""
        ...

    def act(
        self, observations: Sequence[Observation], rngs: Sequence[np.random.Generator]
    ) -> Chunks:
        """A chunk of actions for each observation, as the robot takes them (not normalised).

        Args:
            observations: each from an episode of its own, perhaps with another instruction.
            rngs: one per observation; the only source of randomness.

        Raises:
            UserError: an observation is not what the contract says.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write it to a new folder, from which `load_policy` reads it back."""
        ...

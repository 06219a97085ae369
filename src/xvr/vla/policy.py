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


def load_policy(path: Path, *, device: str = "cpu", together: bool = False) -> Policy:
    """The policy in a folder: one that was saved, or the run that trained it.

    Args:
        path: folder of a policy or run.
        device: such as `cpu` or `cuda`.
        together: whether observations share one pass; faster on a GPU, but the last bits of an
            action then depend on how many there are.

    Raises:
        UserError: there is no policy, it is damaged, or its backbone is not there any more.
    """
    from xvr.vla.learned import load
    from xvr.vla.run_folder import policy_folder

    return load(policy_folder(path), device=device, together=together)

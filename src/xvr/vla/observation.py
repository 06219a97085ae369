"""What a policy is shown at one moment, and the check that it is what the policy was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from xvr.errors import UserError
from xvr.vla.contract import Contract

Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """One moment of an episode."""

    images: Mapping[str, Image]
    """By camera name, upright, RGB, at the size that the contract says (`resize.to_size`)."""
    state: Float32[np.ndarray, " n"]
    """In the order of the contract's state fields, as the robot has it; empty for none."""
    instruction: str


def check_observation(contract: Contract, observation: Observation) -> None:
    """Raise unless an observation is what a contract says.

    Raises:
        UserError: cameras, sizes, kinds of numbers or the instruction are others; all of what
            differs is told at once.
    """
    found = [
        *_cameras(contract, observation),
        *_state(contract, observation.state),
    ]
    if not isinstance(observation.instruction, str) or not observation.instruction.strip():
        found.append("instruction: empty")
    if found:
        lines = "".join(f"\n  {line}" for line in found)
        raise UserError(f"the observation is not what the policy was trained with:{lines}")


def _cameras(contract: Contract, observation: Observation) -> list[str]:
    names = [camera.name for camera in contract.cameras]
    found = [f"camera {name!r}: missing" for name in names if name not in observation.images]
    found += [
        f"camera {name!r}: the policy never saw it, its cameras are {', '.join(names) or 'none'}"
        for name in observation.images
        if name not in names
    ]
    for camera in contract.cameras:
        image = observation.images.get(camera.name)
        shape = (camera.height, camera.width, 3)
        if image is not None and (image.shape != shape or image.dtype != np.uint8):
            found.append(
                f"camera {camera.name!r}: {image.dtype} {image.shape}, expected uint8 {shape}"
            )
    return found


def _state(contract: Contract, state: np.ndarray) -> list[str]:
    shape = (contract.state_dims,)
    if state.shape != shape or state.dtype != np.float32:
        return [f"state: {state.dtype} {state.shape}, expected float32 {shape}"]
    if not np.isfinite(state).all():
        return [f"state: entry {int(np.flatnonzero(~np.isfinite(state))[0])} is not finite"]
    return []

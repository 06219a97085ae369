"""What an AgiBot-World episode says of the robot's own motion: `proprio_stats.h5`.

Read from it: `state/end/position` (T, 2, 3) metres and `state/end/orientation` (T, 2, 4) xyzw, both
of the left and the right hand in the robot's base frame; `state/head/position` (T, 2) and
`state/waist/position` (T, 2). Arrays that a robot does not fill are empty or absent.

Source: https://github.com/OpenDriveLab/AgiBot-World and the dataset's README.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.sources.archives import File
from xvr.sources.hdf5 import open_hdf5


@dataclass(frozen=True, kw_only=True, eq=False)
class Proprio:
    """States per frame; None for what is absent or empty."""

    positions: Float[np.ndarray, "n 2 3"] | None
    """Of the left and the right hand, metres."""
    orientations_xyzw: Float[np.ndarray, "n 2 4"] | None
    head: Float[np.ndarray, "n k"] | None
    """Joints of the neck."""
    waist: Float[np.ndarray, "n k"] | None
    """Pitch and lift."""

    @property
    def travelled(self) -> Float[np.ndarray, "n 3"] | None:
        """Positions of the hand that travels farther."""
        if self.positions is None:
            return None
        steps = np.linalg.norm(np.diff(self.positions, axis=0), axis=2)
        return self.positions[:, int(steps.sum(axis=0).argmax())]


def read_proprio(file: File) -> Proprio:
    """The states of an episode.

    Raises:
        UserError: h5py is not installed.
        Unusable: `unreadable_hdf5`, or `bad_effector_position` when values are not finite or not
            those of two hands.
    """
    names = ("end/position", "end/orientation", "head/position", "waist/position")
    with open_hdf5(file) as opened:
        found = [_array(opened.get(f"state/{name}")) for name in names]
    for name, values, shape in zip(names, found, ((2, 3), (2, 4)), strict=False):
        if values is not None and (values.shape[1:] != shape or not np.isfinite(values).all()):
            raise Unusable(
                "bad_effector_position",
                f"{file}: state/{name} has shape {values.shape}, or values that are not finite",
            )
    positions, orientations, head, waist = found
    return Proprio(positions=positions, orientations_xyzw=orientations, head=head, waist=waist)


def _array(node: object) -> np.ndarray | None:
    values = None if node is None else np.asarray(node, dtype=np.float64)
    return None if values is None or values.size == 0 else values

"""What a simulated object is: parts with a mesh and a picture, and its outline on the table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.meshes import Mesh, Numbers
from xvr.sim.textures import Texture


@dataclass(frozen=True, kw_only=True)
class Part:
    """One mesh in one material."""

    mesh: Mesh
    texture: Texture
    specular: float = 0.15
    """Strength of highlights, 0..1."""
    shininess: float = 0.3
    """Sharpness of highlights, 0..1."""


@dataclass(frozen=True, kw_only=True)
class SimObject:
    """An everyday object that stands on z = 0 about the origin."""

    category: str
    """Everyday word, as in WildRGB-D where it has one."""
    parts: tuple[Part, ...]

    @cached_property
    def vertices(self) -> Float[np.ndarray, "n 3"]:
        """Of all parts, metres."""
        return np.concatenate([part.mesh.vertices for part in self.parts])

    @cached_property
    def footprint(self) -> Float[np.ndarray, "k 2"]:
        """Convex outline seen from above, metres."""
        flat = self.vertices[:, :2].astype(np.float32)
        return cv2.convexHull(flat)[:, 0].astype(np.float64)

    @cached_property
    def height(self) -> float:
        """Metres."""
        return float(self.vertices[:, 2].max())


Maker = Callable[[np.random.Generator], tuple[Part, ...]]
"""Makes the parts of one object of a category, somewhere above or below z = 0."""


def standing(category: str, parts: tuple[Part, ...]) -> SimObject:
    """The parts moved together so that they stand on z = 0 with the origin in their middle."""
    everything = np.concatenate([part.mesh.vertices for part in parts])
    low, high = everything.min(0), everything.max(0)
    shift = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return SimObject(category=category, parts=tuple(moved(part, shift) for part in parts))


def moved(
    part: Part,
    offset: Numbers = (0, 0, 0),
    turn: Float[np.ndarray, "3 3"] | None = None,
) -> Part:
    """The part turned about the origin, then shifted."""
    return Part(
        mesh=part.mesh.moved(offset, turn),
        texture=part.texture,
        specular=part.specular,
        shininess=part.shininess,
    )

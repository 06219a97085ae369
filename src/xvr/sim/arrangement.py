"""Puts objects on a table without overlap: outlines from above, kept apart by a small gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from jaxtyping import Float

from xvr.sim.meshes import rotation
from xvr.sim.objects import OBJECTS, make
from xvr.sim.parts import SimObject

GAP_M = 0.006
"""Least distance between the outlines of two objects."""
TALL_M = 0.19
"""Objects above this stay near the middle, where they can't hide the table from a close camera."""
SIGHT_SLOPE = 0.33
"""Rise over distance of the line of sight of a low camera to the middle of the table."""
HIDING = 2
"""So many objects may hide the central one from some cameras; the others leave its top in sight."""
_TRIES = 80


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An object where it stands."""

    thing: SimObject
    pose: Float[np.ndarray, "4 4"]
    """World from object, metres."""

    @cached_property
    def outline(self) -> Float[np.ndarray, "k 2"]:
        """Convex outline from above, world."""
        return self.thing.footprint @ self.pose[:2, :2].T + self.pose[:2, 3]


def arrange(
    rng: np.random.Generator, central: str, count: int, reach: float, table_height: float
) -> tuple[Placed, ...]:
    """The central object near the middle and up to `count - 1` others around it, large ones first.

    Args:
        rng: source of randomness.
        central: category of the object in the middle; it comes first in the result.
        count: how many objects are wanted; one that finds no place is left out.
        reach: radius of the disc that holds all outlines, metres.
        table_height: z of the table top, metres.
    """
    middle = _at(
        make(central, rng), rng.uniform(-0.03, 0.03, 2), rng.uniform(0, 6.28), table_height
    )
    placed = [middle]
    names = [name for name in OBJECTS if name != central]
    # More are named than needed, so that one without a place does not thin out the table.
    names = [str(name) for name in rng.choice(names, count + 8, replace=False)]
    first = [make(name, rng) for name in names[:count]]
    first.sort(key=lambda thing: -_area(thing.footprint))
    for thing in chain(first, (make(name, rng) for name in names[count:])):
        if len(placed) == count:
            break
        may_hide = sum(_hides(other, middle) for other in placed[1:]) < HIDING
        spot = _free_spot(rng, thing, placed, reach, may_hide)
        if spot is not None:
            placed.append(spot)
    return tuple(placed)


def apart(first: Float[np.ndarray, "m 2"], second: Float[np.ndarray, "n 2"], gap: float) -> bool:
    """Whether a straight strip of width `gap` fits between two convex outlines along an edge."""
    for outline in (first, second):
        edge = np.roll(outline, -1, axis=0) - outline
        normal = np.stack([edge[:, 1], -edge[:, 0]], axis=-1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        a, b = first @ normal.T, second @ normal.T
        if (np.maximum(b.min(0) - a.max(0), a.min(0) - b.max(0)) >= gap).any():
            return True
    return False


def _free_spot(
    rng: np.random.Generator,
    thing: SimObject,
    placed: Sequence[Placed],
    reach: float,
    may_hide: bool,
) -> Placed | None:
    room = 0.55 * reach if thing.height > TALL_M else reach
    for attempt in range(_TRIES):
        # Close to the middle first, further out as that fails: clutter, not an even spread.
        radius = room * np.sqrt(rng.uniform(0, 0.3 + 0.7 * attempt / _TRIES))
        turn = rng.uniform(0, 2 * np.pi)
        place = radius * np.array([np.cos(turn), np.sin(turn)])
        spot = _at(thing, place, rng.uniform(0, 2 * np.pi), float(placed[0].pose[2, 3]))
        if np.linalg.norm(spot.outline, axis=1).max() > reach:
            continue
        if not may_hide and _hides(spot, placed[0]):
            continue
        if all(apart(spot.outline, other.outline, GAP_M) for other in placed):
            return spot
    return None


def _hides(other: Placed, middle: Placed) -> bool:
    """Whether an object stands in the way of a low camera that looks at the top of the middle."""
    distance = float(np.linalg.norm(other.pose[:2, 3] - middle.pose[:2, 3]))
    return other.thing.height > 0.6 * middle.thing.height + SIGHT_SLOPE * distance


def _at(
    thing: SimObject, place: Float[np.ndarray, "2"], yaw_rad: float, table_height: float
) -> Placed:
    pose = np.eye(4)
    pose[:3, :3] = rotation("z", yaw_rad)
    pose[:3, 3] = (*place, table_height)
    return Placed(thing=thing, pose=pose)


def _area(outline: Float[np.ndarray, "k 2"]) -> float:
    x, y = outline.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

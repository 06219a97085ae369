"""All everyday objects by name: `make("kettle", rng)` gives one that stands on z = 0."""

from collections.abc import Mapping

import numpy as np

from xvr.errors import unknown_name
from xvr.sim.objects_bakery import BAKERY
from xvr.sim.objects_desk import DESK
from xvr.sim.objects_devices import DEVICES
from xvr.sim.objects_food import FOOD
from xvr.sim.objects_packaged import PACKAGED
from xvr.sim.objects_plants import PLANTS
from xvr.sim.objects_printed import PRINTED
from xvr.sim.objects_toys import TOYS
from xvr.sim.objects_vehicles import VEHICLES
from xvr.sim.objects_vessels import VESSELS
from xvr.sim.objects_worn import WORN
from xvr.sim.parts import Maker, SimObject, standing

_SHELVES = (
    BAKERY,
    DESK,
    DEVICES,
    FOOD,
    PACKAGED,
    PLANTS,
    PRINTED,
    TOYS,
    VEHICLES,
    VESSELS,
    WORN,
)

OBJECTS: Mapping[str, Maker] = dict(
    sorted((name, maker) for shelf in _SHELVES for name, maker in shelf.items())
)
"""Makers by category; no two are alike, every call draws sizes, colours and prints."""


def make(category: str, rng: np.random.Generator) -> SimObject:
    """One object of a category.

    Raises:
        UserError: there is no such category.
    """
    if category not in OBJECTS:
        raise unknown_name("object category", category, OBJECTS)
    return standing(category, OBJECTS[category](rng))

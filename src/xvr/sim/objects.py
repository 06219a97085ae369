"""All everyday objects by name: `make("kettle", rng)` gives one that stands on z = 0."""

from collections.abc import Mapping

import numpy as np

from xvr.errors import unknown_name
from xvr.sim.objects_food import FOOD
from xvr.sim.objects_things import THINGS
from xvr.sim.objects_toys import TOYS
from xvr.sim.objects_vessels import VESSELS
from xvr.sim.parts import Maker, SimObject, standing

OBJECTS: Mapping[str, Maker] = dict(sorted({**FOOD, **THINGS, **TOYS, **VESSELS}.items()))
"""Makers by category; no two are alike, every call draws sizes, colours and prints."""


def make(category: str, rng: np.random.Generator) -> SimObject:
    """One object of a category.

    Raises:
        UserError: there is no such category.
    """
    if category not in OBJECTS:
        raise unknown_name("object category", category, OBJECTS)
    return standing(category, OBJECTS[category](rng))

"""One simulated capture in memory: a furnished room, a cluttered table and a walk around it.

Scene `number` of a seed depends on these two alone:

    scene = draw_scene(seed=0, number=3, frames=60, width=640, height=480)
    for frame in film(scene): ...
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.arrangement import Placed, arrange
from xvr.sim.orbit import Orbit, orbit
from xvr.sim.parts import Part
from xvr.sim.renderer import Renderer, intrinsics
from xvr.sim.rooms import Room, draw_room
from xvr.sim.shadows import ShadowMap
from xvr.sim.stage import CAMERA, aim, light, stage
from xvr.sim.tables import Table, draw_table, table_parts
from xvr.sim.textures import pixels
from xvr.sim.wildrgbd_writer import Frame

CENTRAL = (
    "ball", "bottle", "bowl", "box", "bucket", "cake", "car", "clock", "cup", "detergent",
    "flower_pot", "handbag", "hat", "kettle", "plane", "shoe", "stuffed_toy", "train", "truck",
)  # fmt: skip
"""Categories large enough to be the subject of a capture; all of them are WildRGB-D's."""
_DRAWS = {"category": 0, "table": 1, "room": 2, "objects": 3, "orbit": 4}


@dataclass(frozen=True, kw_only=True)
class TableScene:
    """Everything that is decided before the first image is drawn."""

    category: str
    """Of the central object."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    room: Room
    table: Table
    placed: tuple[Placed, ...]
    """Objects on the table, the central one first."""
    orbit: Orbit

    @property
    def fovy_deg(self) -> float:
        """Vertical field of view, degrees."""
        half = np.tan(np.radians(self.orbit.fovx_deg) / 2) * self.height / self.width
        return float(np.degrees(2 * np.arctan(half)))

    @property
    def matrix(self) -> Float[np.ndarray, "3 3"]:
        """K in pixels, centres at +0.5."""
        focal = self.width / 2 / np.tan(np.radians(self.orbit.fovx_deg) / 2)
        return np.array([[focal, 0, self.width / 2], [0, focal, self.height / 2], [0, 0, 1]])


def category_of(seed: int, number: int) -> str:
    """Category of the central object: a shuffled round through `CENTRAL`."""
    order = np.random.default_rng([seed, _DRAWS["category"]]).permutation(len(CENTRAL))
    return CENTRAL[int(order[number % len(CENTRAL)])]


def draw_scene(*, seed: int, number: int, frames: int, width: int, height: int) -> TableScene:
    """Scene `number` of a seed; sizes and frame count change what is filmed, not what is there."""

    def rng(name: str) -> np.random.Generator:
        return np.random.default_rng([seed, number, _DRAWS[name]])

    category = category_of(seed, number)
    table = draw_table(rng("table"))
    objects = rng("objects")
    placed = arrange(
        objects,
        category,
        int(objects.integers(9, 13)),
        float(min(objects.uniform(0.4, 0.46), table.half - 0.05)),
        table.height,
    )
    return TableScene(
        category=category,
        width=width,
        height=height,
        room=draw_room(rng("room"), table.height),
        table=table,
        placed=placed,
        orbit=orbit(
            rng("orbit"), frames, width / height, (0.0, 0.0, table.height + 0.07), (0.68, 0.94)
        ),
    )


def film(scene: TableScene, plain: bool = False) -> Iterator[Frame]:
    """Renders the walk, one frame after the other.

    Args:
        scene: what to render.
        plain: without shadows and multisampling, at a third of the cost.
    """
    upright = np.eye(4)
    things: list[tuple[Part, Float[np.ndarray, "4 4"]]] = [
        (part, item.pose) for item in scene.placed for part in item.thing.parts
    ]
    central = len(scene.placed[0].thing.parts)
    things += [(part, upright) for part in table_parts(scene.table, scene.placed)]
    shadows = None if plain else ShadowMap(things, scene.room.lamps[0])
    model, data = stage(
        [*things, *scene.room.items], scene.room.lamps, scene.room.ambient, scene.fovy_deg
    )
    camera = intrinsics(model, CAMERA, scene.width, scene.height)
    with Renderer(model, scene.width, scene.height, shadows=False) as renderer:
        for pose in scene.orbit.poses:
            aim(model, data, pose)
            depth, geoms = renderer.surfaces(data, CAMERA)
            light(model, None)
            picture = renderer.rgb(data, CAMERA, smooth=not plain)
            if shadows is not None:
                light(model, 0)
                lamp = renderer.rgb(data, CAMERA, smooth=False)
                dark = 1 - shadows.lit(depth, camera, pose)
                picture = cv2.subtract(picture, pixels(lamp * dark[..., None]))
            yield Frame(
                rgb=picture,
                depth_m=depth,
                mask=(geoms >= 0) & (geoms < central),
            )

"""Bread, cake and donuts; sizes in metres are those of the real things."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import merged, reshaped, stretched
from xvr.sim.objects_food import peel
from xvr.sim.palette import pick
from xvr.sim.parts import Maker, Part
from xvr.sim.solids import curve, lathe, sphere, tube
from xvr.sim.textures import noise, pixels, shaded, speckled


def bread(rng: np.random.Generator) -> tuple[Part, ...]:
    """A loaf with slashes across its crust."""
    share = np.linspace(0, 1, 30)
    path = np.stack([0.22 * (share - 0.5), 0 * share, 0 * share], axis=-1)
    radius = 0.05 * np.clip(np.minimum(share, 1 - share) * 7 + 0.02, 0, 1) ** 0.5
    crust = shaded((176, 116, 62), noise(rng, (256, 128), (6, 6), 4) * 0.2).astype(float)
    rows = np.arange(256)[:, None] + 10 * np.sin(np.linspace(0, 2 * np.pi, 128))[None]
    crust[(rows % 44 < 11)] = (222, 186, 130)
    crust += noise(rng, (256, 128), (30, 20), 2)[..., None] * 12
    loaf = stretched(tube(path, radius, 24), (1, 1.05, 0.72))
    return (Part(mesh=merged(loaf), texture=pixels(crust), specular=0.05),)


def cake(rng: np.random.Generator) -> tuple[Part, ...]:
    """A layer cake on a plate, with dripping icing and berries."""
    radius, tall = rng.uniform(0.075, 0.095), rng.uniform(0.065, 0.085)
    plate = lathe(
        curve([(0, 0), (0.06, 0), (radius + 0.03, 0.012)], 8),
        curve([(radius + 0.03, 0.012), (0.07, 0.005), (0, 0.005)], 8),
    )
    side = np.empty((160, 640, 3), float)
    side[:] = pick(rng, "cream", "rose", "cocoa", "sand")
    dough = (
        shaded((206, 158, 100), noise(rng, (160, 640), (16, 60), 3) * 0.14),
        shaded((104, 70, 50), noise(rng, (160, 640), (16, 60), 3) * 0.14),
    )[int(rng.integers(2))]
    row = np.arange(160)[:, None]
    crumb = ((row > 60) & (row < 98)) | ((row > 110) & (row < 152))
    side = np.where(crumb[..., None], dough, side)
    drip = (
        26 + 20 * np.sin(np.linspace(0, 14 * np.pi, 640)) + 7 * noise(rng, (1, 640), (1, 18), 2)[0]
    )
    icing = pick(rng, "cocoa", "rose", "white", "lavender", "plum")
    side[(row < drip[None, :])] = icing
    body = lathe([(radius - 0.004, 0.006), (radius, 0.01), (radius, tall)], segments=48)
    cap = lathe(
        curve([(radius, tall), (radius - 0.004, tall + 0.004), (0, tall + 0.005)], 8), segments=48
    )
    swirl = shaded(icing, noise(rng, (32, 128), (4, 8), 3) * 0.08)
    parts = [
        Part(
            mesh=plate,
            texture=speckled(rng, (64, 128), (232, 230, 224), (170, 180, 190)),
            specular=0.4,
        ),
        Part(mesh=body, texture=pixels(side), specular=0.05),
        Part(mesh=cap, texture=swirl, specular=0.2),
    ]
    berry = peel(rng, (170, 44, 52), (196, 70, 60), 0.2)
    for turn in np.arange(9) * 2 * np.pi / 9:
        place = ((radius - 0.02) * np.cos(turn), (radius - 0.02) * np.sin(turn), tall + 0.014)
        parts.append(
            Part(
                mesh=stretched(sphere(0.012, 10, 16), (1, 1, 1.15)).moved(place),
                texture=berry,
                specular=0.4,
            )
        )
    return tuple(parts)


def donut(rng: np.random.Generator) -> tuple[Part, ...]:
    """A ring of dough with icing and sprinkles."""
    angle = np.linspace(-np.pi, np.pi, 25)
    ring = np.stack([0.03 + 0.018 * np.cos(angle), 0.015 * np.sin(angle)], axis=-1)
    dough = Part(
        mesh=lathe(ring, segments=40),
        texture=shaded((198, 146, 86), noise(rng, (64, 128), (3, 8), 3) * 0.1),
        specular=0.05,
    )
    top = np.linspace(-0.15, np.pi + 0.15, 14)
    glaze = lathe(
        np.stack([0.03 + 0.0196 * np.cos(top), 0.0166 * np.sin(top)], axis=-1), segments=40
    )
    wavy = glaze.vertices.copy()
    edge = np.abs(np.hypot(wavy[:, 0], wavy[:, 1]) - 0.03) > 0.0165
    wavy[edge, 2] += 0.002 * np.sin(7 * np.arctan2(wavy[edge, 1], wavy[edge, 0]))
    icing = np.empty((128, 384, 3), np.uint8)
    icing[:] = pixels(pick(rng, "rose", "cocoa", "cream", "lavender", "mustard"))
    for _ in range(130):
        at = (int(rng.integers(0, 384)), int(rng.integers(8, 120)))
        end = (at[0] + int(rng.integers(-8, 9)), at[1] + int(rng.integers(-6, 7)))
        r, g, b = (int(v) for v in pick(rng, "white", "coral", "teal", "mustard", "sage"))
        cv2.line(icing, at, end, (r, g, b), 3, cv2.LINE_AA)
    return dough, Part(mesh=reshaped(glaze, wavy), texture=icing, specular=0.4, shininess=0.6)


BAKERY: Mapping[str, Maker] = {
    "bread": bread,
    "cake": cake,
    "donut": donut,
}

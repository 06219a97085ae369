"""Windows, doors, pictures and clocks, made for a wall as `furniture` is."""

import cv2
import numpy as np

from xvr.sim.furniture import Piece, timber
from xvr.sim.meshes import grid, merged, rotation
from xvr.sim.paintings import abstract, framed, landscape
from xvr.sim.palette import pick, rgb
from xvr.sim.parts import Part
from xvr.sim.prints import box_atlas, clock_face
from xvr.sim.solids import box, lathe, sphere, tube
from xvr.sim.textures import motif, pixels, plain, stripes, weave


def window(rng: np.random.Generator) -> tuple[Part, ...]:
    """A window with a view, a sill and curtains."""
    wide, tall, low = rng.uniform(0.9, 1.3), rng.uniform(1.0, 1.25), 0.95
    view = pixels(landscape(rng, (384, 384)) * 0.75 + 62)
    pane = box((wide, 0.02, tall), 0.001).moved((0, -0.012, low))
    bars = [
        box((0.05, 0.05, tall + 0.1), 0.004).moved((x, -0.03, low - 0.05))
        for x in (-wide / 2, 0, wide / 2)
    ]
    bars += [
        box((wide + 0.05, 0.05, 0.05), 0.004).moved((0, -0.03, low + z))
        for z in (-0.05, tall * 0.62, tall)
    ]
    bars.append(box((wide + 0.2, 0.16, 0.035), 0.004).moved((0, -0.08, low - 0.08)))
    ground = pick(rng, "cream", "sage", "terracotta", "sky", "rose", "mustard", "teal")
    cloth = (
        stripes((256, 256), [ground, pick(rng)], [26, 6])
        if rng.random() < 0.5
        else motif(rng, (256, 256), ground, [pick(rng)], (8, 4))
    )
    cloth = weave(rng, cloth)
    x = np.linspace(-0.17, 0.17, 60)
    sheet = np.empty((2, 60, 3))
    sheet[..., 0], sheet[..., 1] = x, -0.09 + 0.028 * np.sin(x * 110)
    sheet[..., 2] = np.array([0.12, low + tall + 0.12])[:, None]
    hanging = [grid(sheet).two_sided().moved((side * (wide / 2 + 0.1), 0, 0)) for side in (-1, 1)]
    rod_z = low + tall + 0.13
    rod = tube(
        [(-wide / 2 - 0.35, -0.09, rod_z), (0, -0.09, rod_z), (wide / 2 + 0.35, -0.09, rod_z)],
        0.014,
        12,
    )
    return (
        Part(mesh=pane, texture=box_atlas((384, 384), {"front": view}, view), specular=0.3),
        Part(mesh=merged(*bars), texture=plain((236, 232, 224), rng, 32), specular=0.2),
        Part(mesh=merged(*hanging), texture=cloth, specular=0.0),
        Part(mesh=rod, texture=plain(pick(rng, "charcoal", "cocoa"), rng, 16), specular=0.4),
    )


def door(rng: np.random.Generator) -> tuple[Part, ...]:
    """A panelled door in its frame."""
    leaf = cv2.resize(timber(rng, (224, 512), 1).transpose(1, 0, 2), (224, 512))
    for y0, y1 in ((30, 230), (260, 480)):
        for x0, x1 in ((24, 104), (120, 200)):
            cv2.rectangle(leaf, (x0, y0), (x1, y1), rgb(leaf[5, 5] * 0.7), 3)
            cv2.rectangle(
                leaf, (x0 + 5, y0 + 5), (x1 - 5, y1 - 5), rgb(np.minimum(leaf[5, 5] * 1.1, 250)), 2
            )
    slab = box((0.86, 0.04, 2.02), 0.003).moved((0, -0.02, 0))
    frame = merged(
        *(box((0.09, 0.07, 2.1), 0.004).moved((side * 0.475, -0.035, 0)) for side in (-1, 1)),
        box((1.04, 0.07, 0.09), 0.004).moved((0, -0.035, 2.03)),
    )
    knob = merged(
        sphere(0.028, 12, 18).moved((0.34, -0.08, 1.0)),
        tube([(0.34, -0.04, 1.0), (0.34, -0.06, 1.0), (0.34, -0.08, 1.0)], 0.012, 10),
    )
    return (
        Part(mesh=slab, texture=box_atlas((512, 224), {"front": leaf}, leaf[:16]), specular=0.15),
        Part(mesh=frame, texture=box_atlas((128, 64), {}, leaf[:16]), specular=0.15),
        Part(mesh=knob, texture=plain((190, 168, 104), rng, 16), specular=0.7),
    )


def pictures(rng: np.random.Generator) -> tuple[Part, ...]:
    """One to four framed pictures in a row."""
    parts, count = [], int(rng.integers(1, 5))
    pitch = 1.4 / count
    for number in range(count):
        wide = min(rng.uniform(0.32, 0.6), pitch - 0.06)
        tall = wide * rng.choice([0.75, 1.0, 1.3])
        shape = (288, round(288 * wide / tall))
        art = landscape(rng, shape) if rng.random() < 0.6 else abstract(rng, shape)
        frame = timber(rng, (32, 32), 1)
        at = (
            (number - (count - 1) / 2) * pitch,
            -0.015,
            1.55 - tall / 2 + rng.uniform(-0.05, 0.05),
        )
        mesh = box((wide, 0.03, tall), 0.004).moved(at)
        parts.append(
            Part(
                mesh=mesh,
                texture=box_atlas(shape, {"front": framed(art, frame)}, frame),
                specular=0.15,
            )
        )
    return tuple(parts)


def wall_clock(rng: np.random.Generator) -> tuple[Part, ...]:
    """A round clock on the wall."""
    r = rng.uniform(0.13, 0.18)
    rim = lathe(
        [(r * 1.1, 0), (r * 1.1, 0.03)],
        [(r * 1.1, 0.03), (r, 0.034)],
        [(r, 0.034), (r * 0.98, 0.02)],
        segments=40,
    )
    angle = np.linspace(0, 2 * np.pi, 41)
    disc = np.zeros((2, 41, 3))
    disc[0, :, 0], disc[0, :, 1] = r * np.cos(angle), r * np.sin(angle)
    dial = grid(disc + np.array([0, 0, 0.021]), disc[..., :2] / (2 * r) * (1, -1) + 0.5)
    turn = rotation("x", np.pi / 2)
    at = (0, 0, 1.65)
    return Part(mesh=rim.moved(at, turn), texture=timber(rng, (32, 64), 1)), Part(
        mesh=dial.moved(at, turn), texture=clock_face(rng)
    )


HANGING: tuple[Piece, ...] = (pictures, wall_clock)
"""Pieces for the wall above the furniture."""
OPENINGS: tuple[Piece, ...] = (window, door)
"""Pieces that take a stretch of wall for themselves."""

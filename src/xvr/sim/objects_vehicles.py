"""Toy cars, trucks, buses and trains; sizes in metres are those of the real toys."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.meshes import grid, merged, rotation, stretched
from xvr.sim.palette import pick, rgb
from xvr.sim.parts import Maker, Part
from xvr.sim.prints import BRANDS, box_atlas, write
from xvr.sim.solids import box, extrusion, lathe, sphere, tube
from xvr.sim.textures import canvas, noise, pixels, plain, shaded, wood

_RUBBER = (44, 44, 46)
GLASS = (96, 126, 142)


def _wheel(radius: float, width: float, rng: np.random.Generator) -> tuple[Part, Part]:
    """A tyre and its hub, turning about y, around the origin."""
    tyre = lathe(
        [(radius * 0.6, -width / 2), (radius * 0.92, -width / 2)],
        [
            (radius * 0.92, -width / 2),
            (radius, -width / 3),
            (radius, width / 3),
            (radius * 0.92, width / 2),
        ],
        [(radius * 0.92, width / 2), (radius * 0.6, width / 2)],
        segments=26,
    )
    disc = lathe(
        [(radius * 0.62, -width * 0.46), (radius * 0.62, width * 0.46)],
        [(radius * 0.62, width * 0.46), (0, width * 0.5)],
        segments=18,
    )
    other = lathe([(0, -width * 0.5), (radius * 0.62, -width * 0.46)], segments=18)
    turn = rotation("x", np.pi / 2)
    grey = plain(pick(rng, "stone", "white", "mustard"), rng, 16)
    return Part(mesh=tyre.moved(turn=turn), texture=plain(_RUBBER, rng, 16), specular=0.05), Part(
        mesh=merged(disc, other).moved(turn=turn), texture=grey, specular=0.4
    )


def wheels(
    rng: np.random.Generator, places: Sequence[float], radius: float, half: float, width: float
) -> list[Part]:
    """Pairs of wheels that stand on z = 0: places along x, half the gauge along y, metres."""
    tyre, hub = _wheel(radius, width, rng)
    spots = [(x, y, radius) for x in places for y in (-half, half)]
    return [
        Part(
            mesh=merged(*(part.mesh.moved(spot) for spot in spots)),
            texture=part.texture,
            specular=part.specular,
        )
        for part in (tyre, hub)
    ]


def painted(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """A colour for a toy."""
    return pick(rng, "brick", "teal", "mustard", "navy", "forest", "coral", "sky", "cream")


def car(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy car with windows, lights and a number on its doors."""
    paint = painted(rng)
    side = shaded(paint, noise(rng, (128, 384), (3, 4), 3) * 0.03)
    side[66:74] = pixels(np.asarray(pick(rng, "white", "cream", "charcoal")))
    cv2.circle(side, (192, 86), 24, (240, 238, 230), -1, cv2.LINE_AA)
    write(side, str(int(rng.integers(10, 99))), (0.455, 0.56, 0.545, 0.78), (34, 34, 38))
    outline = [
        (-0.1, 0.016),
        (0.1, 0.016),
        (0.104, 0.034),
        (0.096, 0.048),
        (0.045, 0.054),
        (0.02, 0.08),
        (-0.045, 0.082),
        (-0.072, 0.056),
        (-0.1, 0.052),
        (-0.104, 0.034),
    ]
    glass = [(-0.064, 0.054), (0.04, 0.054), (0.018, 0.077), (-0.043, 0.078)]
    lamps = merged(
        *(
            stretched(sphere(0.009, 8, 12), (0.5, 1, 1)).moved((0.101, y, 0.038))
            for y in (-0.028, 0.028)
        )
    )
    tail = merged(
        *(box((0.004, 0.014, 0.01), 0.001).moved((-0.103, y, 0.036)) for y in (-0.028, 0.028))
    )
    screens = merged(
        grid(
            np.array(
                [
                    [(0.0455, -0.03, 0.0555), (0.0455, 0.03, 0.0555)],
                    [(0.0235, -0.028, 0.0785), (0.0235, 0.028, 0.0785)],
                ]
            )
        ),
        grid(
            np.array(
                [
                    [(-0.0715, 0.03, 0.0585), (-0.0715, -0.03, 0.0585)],
                    [(-0.0485, 0.028, 0.0805), (-0.0485, -0.028, 0.0805)],
                ]
            )
        ),
    )
    return (
        Part(mesh=extrusion(outline, 0.076), texture=side, specular=0.6, shininess=0.8),
        Part(
            mesh=extrusion(glass, 0.0775),
            texture=plain(GLASS, rng, 16),
            specular=0.8,
        ),
        Part(mesh=screens.moved((0.001, 0, 0.001)), texture=plain(GLASS, rng, 16), specular=0.8),
        Part(mesh=lamps, texture=plain((244, 236, 200), rng, 8)),
        Part(mesh=tail, texture=plain((170, 48, 44), rng, 8)),
        *wheels(rng, (-0.062, 0.062), 0.022, 0.034, 0.018),
    )


def truck(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy lorry with a printed cargo box."""
    paint, cargo = painted(rng), pick(rng, "white", "cream", "sky", "mustard")
    cab = box((0.062, 0.08, 0.085), 0.008, 4).moved((0.085, 0, 0.022))
    face = canvas((96, 96), paint)
    face[14:48, 10:86] = GLASS
    face[66:84, 8:24] = face[66:84, 72:88] = (244, 236, 200)
    face[66:84, 32:64] = (60, 60, 64)
    door = canvas((96, 96), paint)
    door[14:48, 24:86] = GLASS
    cv2.rectangle(door, (18, 8), (90, 90), rgb(paint * 0.7), 2)
    load = canvas((128, 256), cargo)
    write(
        load,
        str(rng.choice(BRANDS)).upper(),
        (0.08, 0.12, 0.92, 0.6),
        pick(rng, "brick", "navy", "forest", "plum"),
        cv2.FONT_HERSHEY_TRIPLEX,
    )
    load[88:104] = pixels(paint)
    doors = canvas((128, 128), cargo)
    cv2.line(doors, (64, 4), (64, 124), (90, 90, 92), 3)
    cv2.rectangle(doors, (4, 4), (123, 123), (120, 120, 122), 3)
    crate = box((0.15, 0.085, 0.1), 0.003).moved((-0.026, 0, 0.03))
    frame = box((0.215, 0.05, 0.014), 0.002).moved((0.005, 0, 0.018))
    return (
        Part(
            mesh=cab,
            texture=box_atlas(
                (96, 96),
                {"right": face, "front": door, "back": door[:, ::-1]},
                canvas((8, 8), paint),
            ),
            specular=0.5,
            shininess=0.7,
        ),
        Part(
            mesh=crate,
            texture=box_atlas(
                (128, 256), {"front": load, "back": load, "left": doors}, canvas((8, 8), cargo)
            ),
            specular=0.3,
        ),
        Part(mesh=frame, texture=plain(_RUBBER, rng, 8)),
        *wheels(rng, (0.082, -0.03, -0.075), 0.02, 0.036, 0.016),
    )


def bus(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy bus with a row of windows."""
    paint = painted(rng)
    roof = pick(rng, "white", "cream", "sand")
    side = canvas((128, 384), paint)
    side[:30] = pixels(roof)
    for x in range(12, 360, 44):
        side[36:74, x : x + 36] = GLASS
        cv2.line(side, (x + 4, 70), (x + 16, 38), (150, 172, 182), 2, cv2.LINE_AA)
    side[86:92] = pixels(roof)
    write(side, f"{int(rng.integers(2, 99))} CENTRAL", (0.3, 0.03, 0.7, 0.21), (40, 40, 44))
    front = canvas((128, 128), paint)
    front[:30] = pixels(roof)
    front[34:78, 10:118] = GLASS
    front[92:108, 10:30] = front[92:108, 98:118] = (244, 236, 200)
    write(front, "12", (0.3, 0.03, 0.7, 0.21), (40, 40, 44))
    body = box((0.22, 0.075, 0.095), 0.008, 4).moved((0, 0, 0.014))
    faces = {
        "front": side,
        "back": side,
        "right": front,
        "left": front,
        "top": canvas((8, 8), roof),
    }
    return Part(
        mesh=body,
        texture=box_atlas((128, 384), faces, canvas((8, 8), paint)),
        specular=0.5,
        shininess=0.7,
    ), *wheels(rng, (-0.07, 0.07), 0.02, 0.031, 0.016)


def train(rng: np.random.Generator) -> tuple[Part, ...]:
    """A wooden steam engine with one wagon."""
    paint, second = painted(rng), painted(rng)
    grain = wood(rng, (64, 128), paint, 1)
    boiler = lathe(
        [(0, 0), (0.028, 0)], [(0.028, 0), (0.028, 0.1)], [(0.028, 0.1), (0, 0.104)], segments=32
    ).moved((-0.01, 0, 0.06), rotation("y", np.pi / 2))
    stack = lathe(
        [(0.009, 0.08), (0.009, 0.11), (0.017, 0.128)], [(0.017, 0.128), (0, 0.126)], segments=24
    ).moved((0.07, 0, 0))
    dome = sphere(0.014, 10, 18).moved((0.03, 0, 0.088))
    cab = canvas((96, 96), second)
    cab[18:50, 20:76] = (60, 58, 60)
    house = box((0.055, 0.066, 0.08), 0.003).moved((-0.04, 0, 0.032))
    top = box((0.07, 0.076, 0.008), 0.003).moved((-0.04, 0, 0.112))
    base = merged(
        box((0.17, 0.06, 0.014), 0.003).moved((0.01, 0, 0.022)),
        box((0.12, 0.06, 0.014), 0.003).moved((-0.15, 0, 0.022)),
        box((0.04, 0.01, 0.008), 0.002).moved((-0.08, 0, 0.024)),
    )
    wagon = box((0.11, 0.06, 0.042), 0.003).moved((-0.15, 0, 0.036))
    planks = wood(rng, (96, 192), (178, 128, 80), 5)
    logs = merged(
        *(
            tube([(-0.2, y, z), (-0.15, y, z), (-0.1, y, z)], 0.011, 12)
            for y, z in ((-0.016, 0.086), (0.012, 0.087), (-0.002, 0.103))
        )
    )
    return (
        Part(mesh=merged(boiler, dome), texture=grain, specular=0.4),
        Part(mesh=merged(stack, base, top), texture=plain(_RUBBER, rng, 16), specular=0.2),
        Part(
            mesh=house,
            texture=box_atlas(
                (96, 96),
                {"front": cab, "back": cab, "right": cab, "left": cab},
                canvas((8, 8), second),
            ),
            specular=0.3,
        ),
        Part(mesh=wagon, texture=box_atlas((96, 192), {}, planks), specular=0.1),
        Part(mesh=logs, texture=wood(rng, (64, 128), (132, 92, 58), 3), specular=0.05),
        *wheels(rng, (0.07, 0.025, -0.04, -0.115, -0.185), 0.018, 0.034, 0.012),
    )


VEHICLES: Mapping[str, Maker] = {
    "bus": bus,
    "car": car,
    "train": train,
    "truck": truck,
}

"""Toys, balls, clothes and small tools; sizes in metres are those of the real things."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from xvr.sim.meshes import (
    Mesh,
    box,
    curve,
    extrusion,
    grid,
    lathe,
    merged,
    rotation,
    sphere,
    stretched,
    tube,
)
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import BRANDS, box_atlas, canvas, contrast, rgb, write
from xvr.sim.textures import (
    Colour,
    Texture,
    fur,
    motif,
    noise,
    pick,
    pixels,
    plaid,
    plain,
    shaded,
    stripes,
    weave,
    wood,
)

_RUBBER = (44, 44, 46)
_GLASS = (96, 126, 142)


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
    hub = merged(
        *(
            lathe([(0, -0.001), (radius * 0.62, -0.001)][::side], segments=18).moved(
                (0, 0, side * width * 0.48)
            )
            for side in (1, -1)
        )
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


def _wheels(
    rng: np.random.Generator, places: Sequence[float], radius: float, half: float, width: float
) -> list[Part]:
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


def _painted(rng: np.random.Generator) -> Colour:
    return pick(rng, "brick", "teal", "mustard", "navy", "forest", "coral", "sky", "cream")


def car(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy car with windows, lights and a number on its doors."""
    paint = _painted(rng)
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
            texture=plain(_GLASS, rng, 16),
            specular=0.8,
        ),
        Part(mesh=screens.moved((0.001, 0, 0.001)), texture=plain(_GLASS, rng, 16), specular=0.8),
        Part(mesh=lamps, texture=plain((244, 236, 200), rng, 8)),
        Part(mesh=tail, texture=plain((170, 48, 44), rng, 8)),
        *_wheels(rng, (-0.062, 0.062), 0.022, 0.034, 0.018),
    )


def truck(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy lorry with a printed cargo box."""
    paint, cargo = _painted(rng), pick(rng, "white", "cream", "sky", "mustard")
    cab = box((0.062, 0.08, 0.085), 0.008, 4).moved((0.085, 0, 0.022))
    face = canvas((96, 96), paint)
    face[14:48, 10:86] = _GLASS
    face[66:84, 8:24] = face[66:84, 72:88] = (244, 236, 200)
    face[66:84, 32:64] = (60, 60, 64)
    door = canvas((96, 96), paint)
    door[14:48, 24:86] = _GLASS
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
        *_wheels(rng, (0.082, -0.03, -0.075), 0.02, 0.036, 0.016),
    )


def bus(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy bus with a row of windows."""
    paint = _painted(rng)
    roof = pick(rng, "white", "cream", "sand")
    side = canvas((128, 384), paint)
    side[:30] = pixels(roof)
    for x in range(12, 360, 44):
        side[36:74, x : x + 36] = _GLASS
        cv2.line(side, (x + 4, 70), (x + 16, 38), (150, 172, 182), 2, cv2.LINE_AA)
    side[86:92] = pixels(roof)
    write(side, f"{int(rng.integers(2, 99))} CENTRAL", (0.3, 0.03, 0.7, 0.21), (40, 40, 44))
    front = canvas((128, 128), paint)
    front[:30] = pixels(roof)
    front[34:78, 10:118] = _GLASS
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
    ), *_wheels(rng, (-0.07, 0.07), 0.02, 0.031, 0.016)


def train(rng: np.random.Generator) -> tuple[Part, ...]:
    """A wooden steam engine with one wagon."""
    paint, second = _painted(rng), _painted(rng)
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
        *_wheels(rng, (0.07, 0.025, -0.04, -0.115, -0.185), 0.018, 0.034, 0.012),
    )


def boat(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy sailing boat on a stand."""
    share = np.linspace(0, 1, 22)
    half = 0.038 * np.sin(np.pi * np.clip(share * 0.86 + 0.14, 0, 1)) ** 0.7
    ring = np.linspace(-np.pi / 2, np.pi / 2, 13)
    points = np.empty((13, 22, 3))
    points[..., 0] = 0.2 * (share - 0.5)
    points[..., 1] = half * np.sin(ring)[:, None] * -1
    points[..., 2] = 0.05 - 0.036 * np.cos(ring)[:, None] * np.minimum(1, half / 0.02)
    hull = grid(points)
    deck = grid(
        np.stack(
            [
                np.stack([0.2 * (share - 0.5), sign * half, np.full(22, 0.05)], axis=-1)
                for sign in (-1, 1)
            ]
        )
    )
    paint = stripes(
        (64, 64), [_painted(rng), pick(rng, "white"), _painted(rng)], [26, 6, 32]
    ).transpose(1, 0, 2)
    paint = np.ascontiguousarray(np.concatenate([paint[:32], paint[:32][::-1]]))
    cloth = weave(rng, stripes((128, 128), [pick(rng, "white", "cream"), pick(rng)], [24, 10]))
    sails = []
    for tip, x0, x1 in (((-0.004, 0.25), -0.004, -0.088), ((0.002, 0.225), 0.006, 0.085)):
        rows = np.linspace(0, 1, 10)[:, None]
        cols = np.linspace(0, 1, 10)
        sheet = np.empty((10, 10, 3))
        sheet[..., 0] = x0 + (x1 - x0) * cols * (1 - rows) + (tip[0] - x0) * rows
        sheet[..., 1] = 0.016 * np.sin(np.pi * cols) * (1 - rows)
        sheet[..., 2] = 0.068 + (tip[1] - 0.068) * rows
        sails.append(grid(sheet).two_sided())
    mast = tube([(0, 0, 0.05), (0, 0, 0.15), (0, 0, 0.26)], 0.0035, 8)
    cradle = merged(
        *(box((0.014, 0.06, 0.03), 0.002).moved((x, 0, 0)) for x in (-0.045, 0.045)),
        box((0.12, 0.016, 0.008), 0.002),
    )
    timber = wood(rng, (96, 192), (184, 134, 84), 6)
    return (
        Part(mesh=hull, texture=paint, specular=0.4),
        Part(mesh=deck, texture=timber, specular=0.2),
        Part(mesh=merged(*sails), texture=cloth, specular=0.0),
        Part(mesh=merged(mast, cradle), texture=timber[:20]),
    )


def plane(rng: np.random.Generator) -> tuple[Part, ...]:
    """A toy propeller plane on its wheels."""
    paint, second = _painted(rng), pick(rng, "white", "cream", "charcoal", "mustard")
    tilt = rotation("y", -0.12)
    path = curve([(-0.13, 0, 0.012), (-0.06, 0, 0.004), (0.06, 0, 0), (0.1, 0, 0)], 20)
    body = tube(
        path, np.interp(np.linspace(0, 1, 20), [0, 0.4, 0.8, 1], [0.008, 0.024, 0.028, 0.022]), 20
    )
    skin = canvas((256, 128), paint)
    skin[150:164] = pixels(np.asarray(second, float))
    wing = box((0.058, 0.3, 0.009), 0.004).moved((0.035, 0, 0.018))
    tail = box((0.036, 0.11, 0.006), 0.003).moved((-0.115, 0, 0.01))
    fin = extrusion([(-0.135, 0.012), (-0.09, 0.014), (-0.118, 0.062), (-0.14, 0.062)], 0.006)
    mark = canvas((192, 64), second)
    mark[18:38] = mark[-38:-18] = pixels(np.asarray(paint))
    for y in (56, 136):
        cv2.circle(mark, (32, y), 17, rgb(pick(rng, "brick", "navy")), -1, cv2.LINE_AA)
        cv2.circle(mark, (32, y), 8, (240, 238, 230), -1, cv2.LINE_AA)
    spin = rng.uniform(0, np.pi)
    blades = (
        box((0.004, 0.1, 0.012), 0.0018)
        .moved((0, 0, -0.006))
        .moved((0.108, 0, 0), rotation("x", spin))
    )
    nose = sphere((0.016, 0.011, 0.011), 10, 16).moved((0.104, 0, 0))
    glass = sphere((0.03, 0.017, 0.02), 12, 18).moved((0.01, 0, 0.025))
    legs = merged(
        *(
            tube([(0.05, 0.5 * y, -0.02), (0.052, 0.8 * y, -0.035), (0.055, y, -0.05)], 0.003, 8)
            for y in (-0.045, 0.045)
        )
    )
    wheels = [moved(part, (0.055, 0, -0.066)) for part in _wheels(rng, (0.0,), 0.016, 0.045, 0.01)]
    parts = (
        Part(mesh=body, texture=skin, specular=0.4),
        Part(
            mesh=merged(wing, tail),
            texture=box_atlas((192, 64), {"top": mark, "bottom": mark}, canvas((8, 8), second)),
            specular=0.4,
        ),
        Part(mesh=fin, texture=canvas((8, 8), second), specular=0.4),
        Part(mesh=merged(blades, nose, legs), texture=wood(rng, (32, 64), (150, 106, 66), 1)),
        Part(mesh=glass, texture=plain(_GLASS, rng, 16), specular=0.9, shininess=0.9),
        *wheels,
    )
    return tuple(moved(part, turn=tilt) for part in parts)


def ball(rng: np.random.Generator) -> tuple[Part, ...]:
    """A football, basketball, tennis ball or beach ball."""
    latitude, longitude = np.meshgrid(
        np.linspace(np.pi / 2, -np.pi / 2, 256), np.linspace(0, 2 * np.pi, 512), indexing="ij"
    )
    way = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ],
        axis=-1,
    )
    kind = int(rng.integers(4))
    if kind == 0:
        radius, skin = 0.085, _football(way, rng)
    elif kind == 1:
        seam = np.minimum.reduce(
            [
                np.abs(way[..., 0]),
                np.abs(way[..., 2]),
                np.abs(np.abs(way[..., 1]) - 0.62 + 0.35 * way[..., 0] ** 2),
            ]
        )
        grain = shaded((196, 108, 58), noise(rng, (256, 512), (90, 180), 1) * 0.09)
        radius, skin = 0.09, np.where((seam < 0.018)[..., None], np.uint8(46), grain)
    elif kind == 2:
        line = np.abs(
            way[..., 2]
            - 0.62 * np.sin(2 * longitude) * np.sqrt(np.clip(1 - way[..., 2] ** 2, 0, 1))
        )
        felt = fur(rng, (256, 512), (196, 206, 92))
        radius, skin = 0.034, np.where((line < 0.07)[..., None], np.uint8(236), felt)
    else:
        colours = [
            pick(rng, name) for name in ("white", "coral", "mustard", "white", "sky", "teal")
        ]
        radius, skin = 0.095, stripes((256, 512), colours, [86, 85, 85, 86, 85, 85])
        skin[:22] = pixels(pick(rng, "white"))
    turn = rotation("x", rng.uniform(0.5, 1.2)) @ rotation("y", rng.uniform(0.3, 1))
    return (
        Part(
            mesh=sphere(radius, 28, 44).moved(turn=turn),
            texture=np.ascontiguousarray(skin),
            specular=0.05 if kind == 2 else 0.3,
        ),
    )


def _football(way: np.ndarray, rng: np.random.Generator) -> Texture:
    """Twelve dark patches at the corners of an icosahedron, seams between the light ones."""
    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [p for a in (-1, 1) for b in (-golden, golden) for p in ((0, a, b), (a, b, 0), (b, 0, a))]
    )
    corners = corners / np.linalg.norm(corners[0])
    near = np.sort(way @ corners.T, axis=-1)
    faces = np.array(
        [
            corners[[i, j, k]].sum(0)
            for i in range(12)
            for j in range(i)
            for k in range(j)
            if np.ptp([corners[i] @ corners[j], corners[j] @ corners[k], corners[i] @ corners[k]])
            < 1e-6
            and corners[i] @ corners[j] > 0.4
        ]
    )
    faces = faces / np.linalg.norm(faces[0])
    light = np.sort(way @ faces.T, axis=-1)
    skin = shaded((236, 234, 226), noise(rng, way.shape[:2], (12, 24), 3) * 0.04)
    skin[(light[..., -1] - light[..., -2] < 0.014) & (near[..., -1] < 0.93)] = 110
    skin[near[..., -1] > 0.925] = pixels(pick(rng, "charcoal", "navy", "brick", spread=4))
    return skin


def stuffed_toy(rng: np.random.Generator) -> tuple[Part, ...]:
    """A sitting teddy bear with a scarf."""
    tone = np.array(
        ((166, 116, 72), (196, 160, 116), (120, 84, 60), (206, 196, 180))[int(rng.integers(4))],
        float,
    )
    pile, pale = fur(rng, (128, 128), tone), fur(rng, (64, 64), np.minimum(tone * 1.28, 236))
    body = [
        sphere((0.05, 0.044, 0.058)).moved((0, 0, 0.056)),
        sphere((0.045, 0.041, 0.041)).moved((0, -0.004, 0.142)),
    ]
    for side in (-1, 1):
        body.append(sphere((0.016, 0.009, 0.017), 12, 18).moved((0.034 * side, 0, 0.178)))
        body.append(
            sphere((0.02, 0.044, 0.021), 14, 20).moved(
                (0.037 * side, -0.052, 0.022), rotation("z", 0.25 * side)
            )
        )
        body.append(
            sphere((0.016, 0.017, 0.038), 14, 20).moved(
                (0.053 * side, -0.018, 0.078), rotation("y", -0.6 * side) @ rotation("x", -0.5)
            )
        )
    light = [
        sphere((0.02, 0.017, 0.016), 12, 18).moved((0, -0.04, 0.131)),
        sphere((0.032, 0.01, 0.038), 14, 20).moved((0, -0.037, 0.058)),
    ]
    light += [
        sphere((0.015, 0.005, 0.015), 10, 16).moved((0.048 * side, -0.093, 0.023))
        for side in (-1, 1)
    ]
    dark = [sphere((0.008, 0.006, 0.006), 8, 12).moved((0, -0.057, 0.137))]
    dark += [sphere(0.0055, 8, 12).moved((0.016 * side, -0.0405, 0.15)) for side in (-1, 1)]
    ring = np.linspace(0, 2 * np.pi, 30)
    scarf = tube(
        np.stack([0.038 * np.cos(ring), 0.034 * np.sin(ring) - 0.003, np.full(30, 0.107)], axis=-1),
        0.009,
        10,
    )
    end = box((0.022, 0.008, 0.05), 0.003).moved((0.014, -0.042, 0.058), rotation("x", -0.1))
    knit = plaid(
        rng,
        (64, 128),
        [pick(rng, "brick", "navy", "forest", "plum"), pick(rng, "cream", "mustard")],
    )
    return (
        Part(mesh=merged(*body), texture=pile, specular=0.0),
        Part(mesh=merged(*light), texture=pale, specular=0.0),
        Part(mesh=merged(*dark), texture=plain((36, 32, 32), rng, 8), specular=0.8),
        Part(mesh=merged(scarf, end), texture=knit, specular=0.0),
    )


def hat(rng: np.random.Generator) -> tuple[Part, ...]:
    """A brimmed straw or felt hat with a band."""
    if rng.random() < 0.5:
        cloth = weave(rng, plain((212, 182, 124), rng, 256, 0.05), 0.22)
    else:
        cloth = fur(rng, (256, 256), pick(rng, "cocoa", "charcoal", "navy", "forest", "plum"))
    dip = rng.uniform(0.006, 0.014)
    brim = curve([(0.086, 0.016), (0.12, 0.011), (0.152, 0.02 + dip)], 12)
    crown = curve([(0.088, 0.016), (0.082, 0.06), (0.07, 0.1), (0.045, 0.112), (0, 0.1)], 22)
    under = lathe(curve([(0.08, 0.012), (0.12, 0.008), (0.152, 0.018 + dip)], 10), segments=52)
    shell = merged(under, lathe(brim[::-1], segments=52), lathe(crown, segments=52))
    bend = shell.vertices.copy()
    bend[:, 2] += 0.6 * np.clip(np.abs(bend[:, 1]) - 0.07, 0, 1) ** 1.2
    mesh = Mesh(vertices=bend * (1, 0.86, 1), normals=shell.normals, uv=shell.uv, faces=shell.faces)
    ribbon = motif(rng, (32, 384), pick(rng), [pick(rng)], (1, 16))
    band = stretched(lathe([(0.0895, 0.017), (0.0862, 0.043)], segments=52), (1, 0.86, 1))
    return Part(mesh=mesh, texture=cloth, specular=0.02), Part(
        mesh=band, texture=ribbon, specular=0.1
    )


def puzzle_cube(rng: np.random.Generator) -> tuple[Part, ...]:
    """A cube of coloured stickers."""
    colours = [
        (226, 224, 216),
        (176, 54, 48),
        (54, 118, 78),
        (212, 124, 48),
        (50, 84, 144),
        (218, 186, 70),
    ]
    faces = {}
    for name in ("front", "right", "back", "left", "top", "bottom"):
        face = canvas((96, 96), (30, 30, 32))
        for cell, colour in enumerate(rng.integers(0, 6, 9)):
            x, y = 3 + 31 * (cell % 3), 3 + 31 * (cell // 3)
            cv2.rectangle(face, (x, y), (x + 27, y + 27), colours[int(colour)], -1)
        faces[name] = face
    return (
        Part(
            mesh=box((0.058, 0.058, 0.058), 0.003),
            texture=box_atlas((96, 96), faces, faces["top"]),
            specular=0.4,
        ),
    )


def mouse(rng: np.random.Generator) -> tuple[Part, ...]:
    """A computer mouse with two keys and a wheel."""
    colour = pick(rng, "charcoal", "white", "stone", "navy", spread=4)
    shell = plain(colour, rng, 128, 0.01)
    dome = sphere((0.031, 0.052, 0.034), 20, 32)
    flat = dome.vertices.copy()
    flat[:, 2] = np.where(
        flat[:, 2] < 0,
        flat[:, 2] * 0.14,
        flat[:, 2] * (1 + 4 * np.minimum(flat[:, 1] * -1 + 0.01, 0)),
    )
    body = Mesh(vertices=flat, normals=dome.normals, uv=dome.uv, faces=dome.faces)
    wheel = lathe(
        [(0, -0.004), (0.009, -0.004)],
        [(0.009, -0.004), (0.009, 0.004)],
        [(0.009, 0.004), (0, 0.004)],
        segments=20,
    ).moved((0, 0.03, 0.02), rotation("y", np.pi / 2))
    ink = plain(np.asarray(contrast(colour)), rng, 8)
    cord = tube(
        curve(
            [(0, 0.05, 0.006), (0.004, 0.09, 0.0015), (0.03, 0.12, 0.0015), (0.05, 0.105, 0.0015)],
            18,
        ),
        0.0017,
        6,
    )
    return (
        Part(mesh=body, texture=shell, specular=0.4, shininess=0.6),
        Part(mesh=wheel, texture=plain((110, 110, 114), rng, 8)),
        Part(mesh=cord, texture=ink),
    )


def shoe(rng: np.random.Generator) -> tuple[Part, ...]:
    """A canvas sneaker with a white sole and laces."""
    share = np.linspace(0, 1, 26)
    x = 0.25 * (share - 0.5)
    half = np.interp(
        share,
        [0, 0.04, 0.14, 0.4, 0.72, 0.93, 0.985, 1],
        [0.006, 0.022, 0.033, 0.031, 0.043, 0.034, 0.016, 0.003],
    )
    top = np.interp(
        share,
        [0, 0.05, 0.12, 0.42, 0.6, 0.85, 1],
        [0.045, 0.086, 0.088, 0.082, 0.058, 0.042, 0.022],
    )
    ring = np.linspace(0, np.pi, 17)
    points = np.empty((17, 26, 3))
    points[..., 0] = x
    points[..., 1] = -np.cos(ring)[:, None] * half
    points[..., 2] = 0.016 + (top - 0.016) * np.sin(ring)[:, None] ** 0.75
    cloth = weave(
        rng,
        plaid(rng, (256, 384), [pick(rng) for _ in range(2)])
        if rng.random() < 0.4
        else canvas(
            (256, 384), pick(rng, "navy", "brick", "forest", "charcoal", "teal", "mustard")
        ),
        0.1,
    )
    cloth[:, 340:] = (232, 228, 220)
    cloth[110:146, 40:150] = (54, 48, 48)
    for lace in range(5):
        cv2.line(
            cloth, (172 + 26 * lace, 96), (180 + 26 * lace, 160), (240, 238, 232), 7, cv2.LINE_AA
        )
    cv2.ellipse(cloth, (80, 40), (26, 22), 0, 0, 360, (236, 232, 224), -1, cv2.LINE_AA)
    cv2.ellipse(cloth, (80, 216), (26, 22), 0, 0, 360, (236, 232, 224), -1, cv2.LINE_AA)
    outline = np.concatenate(
        [np.stack([x, -half - 0.004], -1), np.stack([x, half + 0.004], -1)[::-1]]
    )
    sole = extrusion(outline, 0.022).moved((0, 0, 0.011), rotation("x", np.pi / 2))
    rim = canvas((64, 256), (234, 230, 222))
    return Part(mesh=grid(points), texture=cloth, specular=0.03), Part(
        mesh=sole, texture=rim, specular=0.1
    )


TOYS: Mapping[str, Maker] = {
    "ball": ball,
    "boat": boat,
    "bus": bus,
    "car": car,
    "hat": hat,
    "mouse": mouse,
    "plane": plane,
    "puzzle_cube": puzzle_cube,
    "shoe": shoe,
    "stuffed_toy": stuffed_toy,
    "train": train,
    "truck": truck,
}

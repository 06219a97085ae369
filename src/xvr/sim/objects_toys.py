"""Balls, a teddy bear, a boat, a plane and a puzzle; sizes in metres are the real ones."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import grid, merged, rotation
from xvr.sim.objects_vehicles import GLASS, painted, wheels
from xvr.sim.palette import pick, rgb
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import box_atlas
from xvr.sim.solids import box, curve, extrusion, sphere, tube
from xvr.sim.textures import (
    Texture,
    canvas,
    fur,
    noise,
    pixels,
    plaid,
    plain,
    shaded,
    stripes,
    weave,
    wood,
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
        (64, 64), [painted(rng), pick(rng, "white"), painted(rng)], [26, 6, 32]
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
    paint, second = painted(rng), pick(rng, "white", "cream", "charcoal", "mustard")
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
    feet = [moved(part, (0.055, 0, -0.066)) for part in wheels(rng, (0.0,), 0.016, 0.045, 0.01)]
    parts = (
        Part(mesh=body, texture=skin, specular=0.4),
        Part(
            mesh=merged(wing, tail),
            texture=box_atlas((192, 64), {"top": mark, "bottom": mark}, canvas((8, 8), second)),
            specular=0.4,
        ),
        Part(mesh=fin, texture=canvas((8, 8), second), specular=0.4),
        Part(mesh=merged(blades, nose, legs), texture=wood(rng, (32, 64), (150, 106, 66), 1)),
        Part(mesh=glass, texture=plain(GLASS, rng, 16), specular=0.9, shininess=0.9),
        *feet,
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
    skin = shaded((236, 234, 226), noise(rng, (way.shape[0], way.shape[1]), (12, 24), 3) * 0.04)
    skin[(light[..., -1] - light[..., -2] < 0.014) & (near[..., -1] < 0.93)] = 110
    skin[near[..., -1] > 0.925] = pixels(pick(rng, "charcoal", "navy", "brick", spread=4.0))
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


TOYS: Mapping[str, Maker] = {
    "ball": ball,
    "boat": boat,
    "plane": plane,
    "puzzle_cube": puzzle_cube,
    "stuffed_toy": stuffed_toy,
}

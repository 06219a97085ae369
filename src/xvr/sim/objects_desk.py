"""A clock, a lamp and pencils; sizes in metres are those of the real things."""

from collections.abc import Mapping

import numpy as np

from xvr.sim.meshes import grid, merged, rotation
from xvr.sim.palette import pick
from xvr.sim.parts import Maker, Part
from xvr.sim.prints import box_atlas, clock_face
from xvr.sim.solids import box, curve, lathe, sphere, tube
from xvr.sim.textures import canvas, motif, noise, plain, shaded, weave, wood

_DARK = (46, 46, 50)


def clock(rng: np.random.Generator) -> tuple[Part, ...]:
    """An alarm clock with two bells and two feet."""
    shell = plain(pick(rng, "brick", "teal", "mustard", "sage", "navy", "cream"), rng)
    r, middle = 0.055, 0.07
    case = lathe(
        [(0, -0.022), (r * 0.9, -0.022)],
        curve([(r * 0.9, -0.022), (r, -0.014), (r, 0.02), (r * 0.95, 0.024), (r * 0.92, 0.02)], 14),
        segments=48,
    )
    turn = rotation("x", np.pi / 2)
    angle = np.linspace(0, 2 * np.pi, 49)
    disc = np.zeros((2, 49, 3))
    disc[0, :, 0], disc[0, :, 1] = r * 0.94 * np.cos(angle), r * 0.94 * np.sin(angle)
    uv = disc[..., :2] / (2 * r * 0.94) * (1, -1) + 0.5
    dial = grid(disc + np.array([0, 0, 0.0202]), uv)
    bells = [
        lathe(curve([(0.024, 0), (0.02, 0.012), (0, 0.018)], 8), segments=28)
        .moved((0, 0, r + 0.006))
        .moved((0, 0, middle), rotation("y", lean))
        for lean in (0.55, -0.55)
    ]
    feet = [
        tube(
            [(0.03 * s, 0, 0.03), (0.038 * s, 0, 0.014), (0.043 * s, 0, 0.004)],
            (0.006, 0.005, 0.004),
            10,
        )
        for s in (1, -1)
    ]
    bow = tube(
        curve(
            [
                (0.03, 0, middle + r * 1.1),
                (0.018, 0, middle + r * 1.55),
                (-0.018, 0, middle + r * 1.55),
                (-0.03, 0, middle + r * 1.1),
            ],
            14,
        ),
        0.003,
        8,
    )
    metal = plain((186, 178, 160), rng)
    return (
        Part(mesh=case.moved((0, 0, middle), turn), texture=shell, specular=0.5, shininess=0.7),
        Part(mesh=dial.moved((0, 0, middle), turn), texture=clock_face(rng), specular=0.05),
        Part(mesh=merged(*bells, *feet, bow), texture=metal, specular=0.7, shininess=0.8),
    )


def lamp(rng: np.random.Generator) -> tuple[Part, ...]:
    """A bedside lamp with a cloth shade."""
    base = lathe(
        curve(
            [
                (0, 0.001),
                (0.06, 0),
                (0.062, 0.012),
                (0.02, 0.03),
                (0.042, 0.08),
                (0.036, 0.13),
                (0.01, 0.17),
                (0.008, 0.2),
            ],
            34,
        )
    )
    foot = shaded(pick(rng), noise(rng, (128, 128), (5, 5), 4) * 0.16)
    shade = lathe(
        [(0.1, 0.19), (0.066, 0.33)],
        [(0.066, 0.33), (0.064, 0.328)],
        [(0.064, 0.328), (0.098, 0.192)],
        segments=48,
    )
    cloth = weave(
        rng, motif(rng, (128, 512), pick(rng, "cream", "sand", "white"), [pick(rng)], (4, 16))
    )
    bulb = sphere(0.022, 12, 18).moved((0, 0, 0.235))
    return (
        Part(mesh=base, texture=foot, specular=0.4),
        Part(mesh=shade, texture=cloth, specular=0.0),
        Part(mesh=bulb, texture=canvas((4, 4), (250, 244, 224))),
    )


def pencil_cup(rng: np.random.Generator) -> tuple[Part, ...]:
    """A holder with pencils and a ruler."""
    r, tall = 0.038, 0.1
    wrap = motif(rng, (128, 384), pick(rng), [pick(rng), pick(rng)], (4, 12))
    parts = [
        Part(
            mesh=lathe(
                [(0, 0), (r, 0)],
                [(r, 0), (r, tall)],
                [(r, tall), (r - 0.003, tall)],
                [(r - 0.003, tall), (r - 0.003, 0.004)],
                [(r - 0.003, 0.004), (0, 0.004)],
            ),
            texture=wrap,
            specular=0.2,
        )
    ]
    for number in range(7):
        turn, long = number * 2.4, rng.uniform(0.145, 0.175)
        foot, tip = (
            0.018 * np.array([np.cos(turn + 2.6), np.sin(turn + 2.6)]),
            0.03 * np.array([np.cos(turn), np.sin(turn)]),
        )
        share = np.array([0, 0.93, 0.93, 0.985, 1.0])
        path = np.concatenate(
            [
                foot + share[:, None] * (tip * long / tall - foot),
                0.006 + share[:, None] * (long - 0.006),
            ],
            axis=1,
        )
        path[2] += 1e-5
        paint = plain(pick(rng, "mustard", "brick", "forest", "navy", "coral", "teal"), rng, 64)
        paint[:6], paint[6:20] = _DARK, (216, 180, 132)
        parts.append(
            Part(
                mesh=tube(path, (0.0038, 0.0038, 0.0038, 0.0012, 0.0006), 6),
                texture=paint,
                specular=0.2,
            )
        )
    ruler = box((0.026, 0.002, 0.17), 0.0005)
    marks = wood(rng, (256, 48), (214, 180, 126), 1)
    for y in range(4, 256, 6):
        marks[y : y + 2, : 22 if y % 30 == 4 else 12] = 40
    parts.append(
        Part(
            mesh=ruler.moved((0.0, 0.004, 0.008), rotation("y", 0.05)),
            texture=box_atlas((256, 48), {"front": marks, "back": marks}, marks[:8, 24:32]),
        )
    )
    return tuple(parts)


DESK: Mapping[str, Maker] = {
    "clock": clock,
    "lamp": lamp,
    "pencil_cup": pencil_cup,
}

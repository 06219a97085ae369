"""Bowls, cups, pots and kettles of clay and enamel; sizes in metres are the real ones."""

from collections.abc import Mapping

import numpy as np

from xvr.sim.meshes import Points, merged
from xvr.sim.palette import Colour, pick
from xvr.sim.parts import Maker, Part
from xvr.sim.solids import curve, lathe, sphere, tube
from xvr.sim.textures import (
    Texture,
    darkened,
    motif,
    noise,
    pixels,
    plain,
    shaded,
    speckled,
    stripes,
)

PALE: Colour = (228, 224, 214)


def bowl(rng: np.random.Generator) -> tuple[Part, ...]:
    """A soup or cereal bowl."""
    r, tall = rng.uniform(0.07, 0.095), rng.uniform(0.055, 0.08)
    outer = curve(
        [
            (0, 0.004),
            (r * 0.42, 0.004),
            (r * 0.44, 0),
            (r * 0.5, 0.006),
            (r * 0.85, tall * 0.5),
            (r, tall),
        ],
        24,
    )
    return (vessel(outer, 0.004, 0.01, glaze(rng), 0.5),)


def cup(rng: np.random.Generator) -> tuple[Part, ...]:
    """A mug with a handle."""
    r, tall = rng.uniform(0.038, 0.045), rng.uniform(0.085, 0.105)
    waist = r * rng.uniform(0.82, 1.0)
    outer = curve(
        [(0, 0.001), (waist * 0.85, 0), (waist, 0.006), (r * 0.98, tall * 0.5), (r, tall)], 20
    )
    texture = glaze(rng)
    loop = [
        (waist * 0.97, 0, tall * 0.22),
        (r + 0.02, 0, tall * 0.24),
        (r + 0.03, 0, tall * 0.52),
        (r + 0.02, 0, tall * 0.8),
        (r * 0.97, 0, tall * 0.84),
    ]
    return vessel(outer, 0.0035, 0.006, texture, 0.5), handle(loop, 0.0052, texture[-60:], 1.3)


def plate(rng: np.random.Generator) -> tuple[Part, ...]:
    """A dinner plate."""
    r = rng.uniform(0.1, 0.13)
    outer = curve([(0, 0.002), (r * 0.6, 0), (r * 0.72, 0.008), (r, 0.022)], 16)
    inner = outer[::-1] + np.array([0.0, 0.004])
    return (
        Part(
            mesh=lathe(outer, inner, segments=56),
            texture=glaze(rng, (384, 384)),
            specular=0.5,
            shininess=0.7,
        ),
    )


def kettle(rng: np.random.Generator) -> tuple[Part, ...]:
    """A stove kettle with spout, lid and handle."""
    enamel = speckled(
        rng, (128, 256), pick(rng, "brick", "teal", "cream", "navy", "mustard", "sage"), PALE
    )
    black = plain((44, 42, 44), rng)
    body = lathe(
        [(0, 0), (0.088, 0)],
        curve([(0.088, 0), (0.094, 0.01), (0.084, 0.075), (0.045, 0.122), (0.04, 0.124)], 22),
        segments=52,
    )
    lid = lathe(curve([(0.042, 0.123), (0.034, 0.133), (0, 0.139)], 10))
    spout = tube(
        curve([(0.07, 0, 0.05), (0.115, 0, 0.085), (0.135, 0, 0.125)], 14),
        np.linspace(0.021, 0.011, 14),
        18,
    )
    arch = [
        (-0.074, 0, 0.085),
        (-0.075, 0, 0.16),
        (-0.03, 0, 0.205),
        (0.03, 0, 0.205),
        (0.075, 0, 0.16),
        (0.066, 0, 0.095),
    ]
    return (
        Part(mesh=merged(body, lid), texture=enamel, specular=0.6, shininess=0.8),
        Part(mesh=spout, texture=enamel[:, :64], specular=0.6, shininess=0.8),
        handle(arch, 0.0085, black),
        Part(mesh=sphere(0.013, 12, 18).moved((0, 0, 0.148)), texture=black, specular=0.4),
    )


def teapot(rng: np.random.Generator) -> tuple[Part, ...]:
    """A round teapot."""
    pottery = glaze(rng)
    body = lathe(
        curve([(0, 0.002), (0.045, 0), (0.078, 0.05), (0.06, 0.1), (0.036, 0.112)], 26), segments=48
    )
    lid = lathe(
        curve(
            [
                (0.038, 0.111),
                (0.03, 0.123),
                (0.008, 0.13),
                (0.006, 0.136),
                (0.012, 0.145),
                (0, 0.151),
            ],
            18,
        )
    )
    spout = tube(
        curve([(0.06, 0, 0.04), (0.098, 0, 0.06), (0.118, 0, 0.112)], 14),
        np.linspace(0.018, 0.008, 14),
        16,
    )
    loop = [(-0.066, 0, 0.085), (-0.11, 0, 0.095), (-0.118, 0, 0.055), (-0.07, 0, 0.03)]
    return (
        Part(mesh=merged(body, lid), texture=pottery, specular=0.5, shininess=0.7),
        Part(mesh=spout, texture=pottery[-80:], specular=0.5, shininess=0.7),
        handle(loop, 0.007, pottery[-80:]),
    )


def bucket(rng: np.random.Generator) -> tuple[Part, ...]:
    """A small bucket with a wire handle."""
    outer = np.array([(0, 0.0), (0.062, 0), (0.085, 0.145), (0.089, 0.146), (0.089, 0.152)])
    colour = pick(rng, "sky", "coral", "mustard", "sage", "stone", "teal")
    ribs = shaded(colour, noise(rng, (256, 256), (3, 3), 3) * 0.05)
    ribs[150:158] = pixels(colour * 0.78)
    ribs[205:211] = pixels(colour * 0.78)
    wire = [
        (0.088, 0, 0.146),
        (0.08, -0.055, 0.158),
        (0, -0.098, 0.166),
        (-0.08, -0.055, 0.158),
        (-0.088, 0, 0.146),
    ]
    return vessel(
        np.concatenate([outer[:1], curve(outer[1:3], 10), outer[3:]]), 0.003, 0.004, ribs, 0.3
    ), handle(wire, 0.0026, plain((150, 152, 156), rng))


def candle(rng: np.random.Generator) -> tuple[Part, ...]:
    """A thick candle on a saucer."""
    r, tall = rng.uniform(0.028, 0.036), rng.uniform(0.08, 0.14)
    wax = shaded(
        pick(rng, "cream", "rose", "sage", "white", "mustard", spread=5.0),
        noise(rng, (128, 128), (10, 5), 3) * 0.07,
    )
    body = lathe(
        [(r, 0.006), (r, tall)],
        curve([(r, tall), (r - 0.004, tall + 0.001), (0.012, tall - 0.006), (0, tall - 0.007)], 10),
    )
    dish = lathe(
        curve([(0, 0.001), (r + 0.012, 0), (r + 0.02, 0.012)], 8),
        curve([(r + 0.02, 0.012), (r + 0.01, 0.006), (0, 0.006)], 8),
    )
    wick = tube(
        [(0, 0, tall - 0.008), (0.001, 0, tall + 0.002), (0.003, 0, tall + 0.01)], 0.0012, 6
    )
    return (
        Part(mesh=body, texture=wax, specular=0.2),
        Part(mesh=dish, texture=glaze(rng), specular=0.4),
        Part(mesh=wick, texture=plain((40, 36, 34), rng, 8)),
    )


def vessel(outer: Points, wall: float, floor: float, texture: Texture, specular: float) -> Part:
    """An open pot: the outline from the middle of the bottom to the rim, and a darker inside."""
    outside = np.asarray(outer, float)
    rising = outside[outside[:, 1] >= floor]
    inside = rising[::-1] - (wall, 0.0)
    inside = np.concatenate([inside, [(max(inside[-1, 0] * 0.9, 1e-3), floor), (0.0, floor)]])
    depth = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in (outside, inside)]
    share = depth[1] / sum(depth)
    row = (np.arange(len(texture)) + 0.5) / len(texture)
    shade = np.where(row < share, 0.5 + 0.45 * row / share, 1.0)
    shade *= np.where(row > 0.96, 0.75, 1.0)
    texture = darkened(texture, np.broadcast_to(shade[:, None], texture.shape[:2]))
    return Part(
        mesh=lathe(outside, inside, segments=48), texture=texture, specular=specular, shininess=0.6
    )


def handle(path: Points, radius: float, texture: Texture, flat: float = 1.0) -> Part:
    """A round or oval bar along a smooth path."""
    return Part(mesh=tube(curve(path, 18), radius, 12, flat), texture=texture, specular=0.3)


def glaze(rng: np.random.Generator, shape: tuple[int, int] = (256, 256)) -> Texture:
    """Pottery: flecks, bands or a small pattern."""
    ground = pick(
        rng, "white", "cream", "sage", "teal", "sky", "terracotta", "navy", "stone", "rose"
    )
    kind = int(rng.integers(3))
    if kind == 0:
        return speckled(rng, shape, ground, pick(rng, "cocoa", "charcoal"))
    if kind == 1:
        return motif(rng, shape, ground, [pick(rng), pick(rng)], (12, 12))
    bands = stripes((shape[1], shape[0]), [ground, pick(rng), ground, pick(rng)], [22, 6, 8, 3])
    return np.ascontiguousarray(bands.transpose(1, 0, 2))


VESSELS: Mapping[str, Maker] = {
    "bowl": bowl,
    "bucket": bucket,
    "candle": candle,
    "cup": cup,
    "kettle": kettle,
    "plate": plate,
    "teapot": teapot,
}

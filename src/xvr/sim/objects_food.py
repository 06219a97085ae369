"""Fruit and vegetables; sizes in metres are those of the real things."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import Mesh, Numbers, Points, grid, reshaped, rotation
from xvr.sim.palette import Colour
from xvr.sim.parts import Maker, Part
from xvr.sim.solids import curve, lathe, sphere, tube
from xvr.sim.textures import Texture, noise, pixels, shaded, speckled

_STEM = (92, 70, 46)
_LEAF = (74, 112, 60)


def apple(rng: np.random.Generator) -> tuple[Part, ...]:
    """A red, green or yellow apple."""
    base, blush = (
        ((196, 178, 92), (168, 48, 44)),
        ((150, 172, 78), (186, 188, 96)),
        ((206, 176, 88), (188, 84, 56)),
    )[int(rng.integers(3))]
    radius = rng.uniform(0.034, 0.042)
    fruit = _round_fruit(rng, radius, 0.88, 0.3, peel(rng, base, blush))
    return fruit, _stem(radius * 0.62, 0.02)


def orange(rng: np.random.Generator) -> tuple[Part, ...]:
    """An orange with a pitted peel."""
    shape = (128, 256)
    pits = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 1.1) * 0.28
    skin = shaded((220, 134, 50), pits + noise(rng, shape, (3, 4), 2) * 0.06)
    radius = rng.uniform(0.036, 0.043)
    return _round_fruit(rng, radius, 0.95, 0.08, skin), _stem(radius * 0.87, 0.003)


def peach(rng: np.random.Generator) -> tuple[Part, ...]:
    """A peach with a cleft."""
    part = _round_fruit(
        rng, rng.uniform(0.034, 0.04), 0.93, 0.2, peel(rng, (232, 178, 108), (202, 92, 76), 0.2)
    )
    at = part.mesh.vertices
    cleft = 1 - 0.12 * np.exp(-((np.arctan2(at[:, 1], at[:, 0]) / 0.2) ** 2))
    mesh = reshaped(part.mesh, at * np.stack([cleft, cleft, np.ones_like(cleft)], axis=-1))
    return Part(mesh=mesh, texture=part.texture, specular=0.03), _stem(0.028, 0.006)


def tomato(rng: np.random.Generator) -> tuple[Part, ...]:
    """A tomato with its green star."""
    radius = rng.uniform(0.032, 0.042)
    fruit = _round_fruit(rng, radius, 0.78, 0.16, peel(rng, (186, 60, 44), (200, 84, 52), 0.15))
    top = radius * 0.64
    star = [
        Part(
            mesh=leaf.mesh.moved((0, 0, top), rotation("z", turn)),
            texture=leaf.texture,
        )
        for turn in np.arange(5) * 2 * np.pi / 5
        for leaf in (_leaf((radius * 0.75, 0.008), 0.003, _LEAF, rng),)
    ]
    return fruit, _stem(top, 0.012), *star


def pear(rng: np.random.Generator) -> tuple[Part, ...]:
    """A green or yellow pear."""
    base = ((170, 176, 84), (204, 184, 94), (150, 120, 66))[int(rng.integers(3))]
    outline = [
        (0, 0.004),
        (0.018, 0),
        (0.036, 0.02),
        (0.037, 0.04),
        (0.024, 0.068),
        (0.016, 0.088),
        (0.008, 0.098),
        (0, 0.099),
    ]
    skin = peel(rng, base, np.asarray(base) * (1.1, 0.86, 0.8), 0.3)
    return Part(mesh=_body(outline), texture=skin, specular=0.2), _stem(0.098, 0.022, 0.008)


def banana(rng: np.random.Generator) -> tuple[Part, ...]:
    """Two or three bananas of one bunch, lying."""
    parts = []
    for finger in range(int(rng.integers(2, 4))):
        turn = np.linspace(-0.75, 0.8, 22)
        arc = rng.uniform(0.1, 0.115)
        path = np.stack([arc * np.sin(turn), arc * np.cos(turn) - arc, np.full(22, 0.0)], axis=-1)
        share = np.linspace(0, 1, 22)
        radius = 0.0175 * np.clip(np.minimum(share * 6 + 0.25, (1 - share) * 5 + 0.3), 0, 1) ** 0.8
        radius[-4:] = (0.0085, 0.006, 0.0055, 0.006)
        skin = shaded((222, 186, 76), noise(rng, (128, 64), (4, 6), 3) * 0.07).astype(float)
        skin[(rng.random((128, 64)) > 0.99) | (noise(rng, (128, 64), (14, 6), 2) > 0.95)] = (
            122,
            88,
            44,
        )
        skin[:9] = skin[-8:] = (96, 82, 48)
        mesh = tube(path, radius, 6)
        lean = rotation("z", 0.16 * finger) @ rotation("x", -0.35)
        parts.append(
            Part(
                mesh=mesh.moved((0.004 * finger, 0.026 * finger, 0.003 * finger), lean),
                texture=pixels(skin),
            )
        )
    return tuple(parts)


def carrot(rng: np.random.Generator) -> tuple[Part, ...]:
    """A carrot with its greens, lying."""
    share = np.linspace(0, 1, 24)
    path = np.stack([0.17 * share, 0.006 * np.sin(4 * share), np.zeros(24)], axis=-1)
    radius = 0.018 * np.clip(np.minimum(share * 14 + 0.4, 1 - 0.83 * share), 0.05, 1)
    rings = noise(rng, (128, 32), (40, 3), 2) * 0.12
    parts = [Part(mesh=tube(path, radius), texture=shaded((214, 120, 52), rings), specular=0.08)]
    for _ in range(9):
        leaf = _leaf((rng.uniform(0.06, 0.1), 0.012), rng.uniform(-0.012, 0.012), _LEAF, rng)
        turn = rotation("z", np.pi + rng.normal(0, 0.28)) @ rotation("y", rng.uniform(-0.3, 0.02))
        parts.append(Part(mesh=leaf.mesh.moved((0.004, 0, 0), turn), texture=leaf.texture))
    return tuple(parts)


def cucumber(rng: np.random.Generator) -> tuple[Part, ...]:
    """A cucumber, lying."""
    share = np.linspace(0, 1, 26)
    length = rng.uniform(0.18, 0.24)
    path = np.stack([length * share, 0.012 * np.sin(np.pi * share), np.zeros(26)], axis=-1)
    radius = 0.021 * np.clip(np.minimum(share, 1 - share) * 14 + 0.2, 0, 1) ** 0.5
    tone = noise(rng, (128, 64), (6, 12), 3) * 0.22 + np.sin(np.arange(64) * np.pi / 4)[None] * 0.07
    return (Part(mesh=tube(path, radius, 18), texture=shaded((66, 102, 52), tone), specular=0.25),)


def potato(rng: np.random.Generator) -> tuple[Part, ...]:
    """A lumpy potato with eyes."""
    ball = sphere(1.0, 22, 32)
    waves = rng.normal(0, 1, (6, 3)) * 2.2
    lumps = sum(0.04 * np.sin(ball.vertices @ wave + phase) for phase, wave in enumerate(waves))
    size = np.array([rng.uniform(0.045, 0.058), 0.034, 0.029])
    mesh = reshaped(ball, ball.vertices * (1 + np.asarray(lumps))[:, None] * size)
    return (
        Part(
            mesh=mesh,
            texture=speckled(rng, (128, 256), (184, 146, 96), (118, 86, 54)),
            specular=0.02,
        ),
    )


def pineapple(rng: np.random.Generator) -> tuple[Part, ...]:
    """A pineapple with its crown."""
    y, x = np.mgrid[0:192, 0:256]
    a, b = x / 256 * 11 + y / 192 * 6, x / 256 * 11 - y / 192 * 6
    ridge = np.minimum(np.abs(a % 1 - 0.5), np.abs(b % 1 - 0.5))
    eye = np.maximum(np.abs(a % 1 - 0.5), np.abs(b % 1 - 0.5)) > 0.4
    tone = np.clip(0.5 - ridge * 2.6, -0.4, 0.3) + noise(rng, (192, 256), (8, 10), 3) * 0.1
    skin = shaded((196, 142, 62), -tone * 0.8).astype(float)
    skin[eye & (ridge > 0.3)] = (120, 84, 44)
    body = _body(
        [
            (0, 0.003),
            (0.03, 0),
            (0.053, 0.035),
            (0.056, 0.075),
            (0.045, 0.12),
            (0.024, 0.143),
            (0, 0.146),
        ]
    )
    parts = [Part(mesh=body, texture=pixels(skin), specular=0.1)]
    for ring, (count, length, tilt) in enumerate(((9, 0.08, 0.75), (8, 0.1, 1.05), (6, 0.11, 1.3))):
        for leaf_number in range(count):
            leaf = _leaf((length, 0.02), -0.25 * length * (2 - ring), (92, 124, 80), rng)
            turn = rotation("z", leaf_number * 2 * np.pi / count + ring) @ rotation("y", -tilt)
            parts.append(
                Part(mesh=leaf.mesh.moved((0, 0, 0.138 + 0.006 * ring), turn), texture=leaf.texture)
            )
    return tuple(parts)


def peel(rng: np.random.Generator, base: Colour, blush: Colour, streaks: float = 0.4) -> Texture:
    """Peel with a blush on one side, streaks from pole to pole and pale dots."""
    shape = (128, 256)
    side = np.cos(np.linspace(0, 2 * np.pi, 256))[None, :] * 0.5 + 0.5
    lines = noise(rng, shape, (2, 40), 3)
    mix = np.clip(side + streaks * lines + 0.3 * noise(rng, shape, (3, 4), 3) - 0.1, 0, 1)[
        ..., None
    ]
    skin = np.asarray(base, float) * (1 - mix) + np.asarray(blush, float) * mix
    dots = (rng.random(shape) > 0.988)[..., None] * 26
    return pixels(skin * (1 + 0.05 * noise(rng, shape, (8, 16), 3)[..., None]) + dots)


def _stem(top: float, length: float = 0.014, lean: float = 0.004) -> Part:
    path = curve(
        [(0, 0, top - 0.006), (lean * 0.3, 0, top + length / 2), (lean, 0, top + length)], 6
    )
    return Part(mesh=tube(path, 0.0014, 6), texture=pixels(np.full((4, 4, 3), _STEM)))


def _leaf(size: Numbers, bend: float, colour: Colour, rng: np.random.Generator) -> Part:
    """A pointed leaf that starts at the origin and runs along x, drooping by `bend`."""
    along = np.linspace(0, 1, 9)
    half = np.sin(np.pi * along**0.8) * size[1] / 2
    across = np.linspace(-1, 1, 5)
    points = np.empty((5, 9, 3))
    points[..., 0] = along * size[0]
    points[..., 1] = across[:, None] * half
    points[..., 2] = bend * along**2 + 0.25 * np.abs(across)[:, None] * half
    tone = noise(rng, (32, 64), (4, 8), 2) * 0.12
    tone[15:17] = 0.25
    return Part(mesh=grid(points).two_sided(), texture=shaded(colour, tone), specular=0.1)


def _body(outline: Points, samples: int = 26) -> Mesh:
    return lathe(curve(outline, samples), segments=36)


def _round_fruit(
    rng: np.random.Generator, radius: float, squash: float, dimple: float, skin: Texture
) -> Part:
    """A ball with a dimple at the top and the bottom."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 25)
    depth = dimple * radius
    outline = np.stack(
        [
            radius * np.cos(angle),
            radius * squash * np.sin(angle)
            - np.sign(angle) * depth * np.exp(-((np.cos(angle) / 0.32) ** 2)),
        ],
        axis=-1,
    )
    outline[[0, -1], 0] = 0
    mesh = lathe(outline, segments=36)
    lobes = 1 + 0.025 * np.cos(
        5 * np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0]) + rng.uniform(0, 6)
    )
    mesh = reshaped(mesh, mesh.vertices * np.stack([lobes, lobes, np.ones_like(lobes)], axis=-1))
    return Part(mesh=mesh, texture=skin, specular=0.3, shininess=0.5)


FOOD: Mapping[str, Maker] = {
    "apple": apple,
    "banana": banana,
    "carrot": carrot,
    "cucumber": cucumber,
    "orange": orange,
    "peach": peach,
    "pear": pear,
    "pineapple": pineapple,
    "potato": potato,
    "tomato": tomato,
}

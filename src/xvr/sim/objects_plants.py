"""A potted plant and a vase of flowers; sizes in metres are the real ones."""

from collections.abc import Mapping

import numpy as np

from xvr.sim.meshes import Mesh, grid, merged, rotation, stretched
from xvr.sim.objects_vessels import glaze, vessel
from xvr.sim.palette import pick
from xvr.sim.parts import Maker, Part
from xvr.sim.solids import curve, lathe, sphere, tube
from xvr.sim.textures import noise, plain, shaded, speckled


def flower_pot(rng: np.random.Generator) -> tuple[Part, ...]:
    """A plant with broad leaves in a clay or glazed pot."""
    r, tall = rng.uniform(0.055, 0.07), rng.uniform(0.095, 0.12)
    clay = (
        speckled(rng, (256, 256), (182, 104, 72), (150, 84, 60))
        if rng.random() < 0.5
        else glaze(rng)
    )
    outer = np.array([(0, 0), (r * 0.68, 0), (r * 0.9, tall * 0.78), (r, tall * 0.785), (r, tall)])
    soil = lathe(
        curve([(r * 0.94, tall * 0.86), (r * 0.5, tall * 0.9), (0, tall * 0.91)], 8), segments=30
    )
    earth = shaded((74, 54, 42), noise(rng, (96, 96), (18, 18), 3) * 0.35)
    leaves, green = [], np.array((78, 116, 66)) * rng.uniform(0.85, 1.15)
    tone = noise(rng, (64, 64), (5, 5), 3) * 0.14
    tone[30:34] += 0.22
    for number in range(int(rng.integers(14, 20))):
        length, width = rng.uniform(0.08, 0.13), rng.uniform(0.032, 0.05)
        rise = 0.35 + 0.95 * (number % 3) / 2
        leaves.append(
            _leaf(length, width, rise).moved((0, 0, tall * 0.86), rotation("z", number * 2.4))
        )
    return (
        vessel(
            np.concatenate([outer[:1], curve(outer[1:3], 8), outer[3:]]), 0.004, 0.006, clay, 0.15
        ),
        Part(mesh=soil, texture=earth, specular=0.0),
        Part(mesh=merged(*leaves), texture=shaded(green, tone), specular=0.2),
    )


def vase(rng: np.random.Generator) -> tuple[Part, ...]:
    """A vase with dry flowers."""
    r, tall = rng.uniform(0.05, 0.065), rng.uniform(0.17, 0.24)
    outer = curve(
        [(0, 0.001), (r * 0.6, 0), (r, tall * 0.4), (r * 0.42, tall * 0.82), (r * 0.55, tall)], 28
    )
    parts = [vessel(outer, 0.003, 0.01, glaze(rng), 0.5)]
    bloom, stalk = (
        plain(pick(rng, "rose", "coral", "mustard", "lavender", "cream"), rng, 32, 0.1),
        plain((92, 110, 62), rng, 16),
    )
    stalks, blooms = [], []
    for turn in np.arange(7) * 2.4 + rng.uniform(0, 6):
        reach, high = rng.uniform(0.03, 0.085), tall + rng.uniform(0.05, 0.14)
        tip = np.array([reach * np.cos(turn), reach * np.sin(turn), high])
        stalks.append(
            tube(
                curve([(0, 0, tall * 0.4), (tip * (0.25, 0.25, 0)) + (0, 0, tall), tip], 8),
                0.0018,
                6,
            )
        )
        for petal in range(6):
            lean = rotation("z", petal * np.pi / 3) @ rotation("y", -0.5)
            blooms.append(
                stretched(sphere(0.012, 6, 10), (1, 0.55, 0.25))
                .moved((0.011, 0, 0))
                .moved(tip, lean)
            )
    parts.append(Part(mesh=merged(*stalks), texture=stalk))
    parts.append(Part(mesh=merged(*blooms), texture=bloom, specular=0.05))
    return tuple(parts)


def _leaf(length: float, width: float, rise: float) -> Mesh:
    """A stalk and a leaf that rises at an angle (radians) and hangs at its tip."""
    along = np.linspace(0, 1, 12)
    half = np.where(
        along < 0.25,
        0.0015,
        np.sin(np.pi * np.clip((along - 0.25) / 0.75, 0, 1) ** 0.75) * width / 2,
    )
    across = np.linspace(-1, 1, 5)
    bend = rise * 1.1 - 1.5 * along**2 * 0.9
    steps = np.stack([np.cos(bend), np.sin(bend)], axis=-1) * length / 11
    line = np.cumsum(steps, axis=0)
    points = np.empty((5, 12, 3))
    points[..., 0] = line[:, 0]
    points[..., 1] = across[:, None] * half
    points[..., 2] = line[:, 1] + 0.3 * np.abs(across)[:, None] * half
    return grid(points).two_sided()


PLANTS: Mapping[str, Maker] = {
    "flower_pot": flower_pot,
    "vase": vase,
}

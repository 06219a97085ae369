"""Tables of boards, stone or tiles or under a cloth, with the shade of what stands on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.arrangement import Placed
from xvr.sim.meshes import Mesh, grid, merged
from xvr.sim.palette import pick, pick_timber
from xvr.sim.parts import Part
from xvr.sim.prints import box_atlas
from xvr.sim.solids import box, curve, lathe, tube
from xvr.sim.textures import Texture, darkened, marble, motif, plaid, repeated, tiles, weave, wood

_PIXELS = 1024


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a table is before anything stands on it."""

    round: bool
    half: float
    """Radius, or half the side, metres."""
    height: float
    """Metres."""
    cloth: bool
    top: Texture
    """Picture of the whole top, seen from above."""
    wood: Texture
    """Of the edge and the legs."""


def draw_table(rng: np.random.Generator) -> Table:
    """A random table of 1.0 to 1.24 m across."""
    timber = pick_timber(rng)
    top, cloth = _surface(rng, timber)
    return Table(
        round=bool(rng.random() < 0.5),
        half=float(rng.uniform(0.5, 0.62)),
        height=float(rng.uniform(0.71, 0.77)),
        cloth=cloth,
        top=top,
        wood=wood(rng, (128, 256), timber, 1),
    )


def table_parts(table: Table, placed: Sequence[Placed]) -> tuple[Part, ...]:
    """The table with soft shade where the objects touch it and come near."""
    top = darkened(table.top, contact_shade(table, placed))
    half, height = table.half, table.height
    parts = [Part(mesh=_flat_top(table), texture=top, specular=0.05 if table.cloth else 0.25)]
    if table.cloth:
        parts.append(Part(mesh=_drape(table), texture=table.top, specular=0.0))
    elif table.round:
        rim = curve(
            [(half - 0.01, height - 0.035), (half + 0.004, height - 0.018), (half, height)], 8
        )
        edge = lathe([(0, height - 0.035), (half - 0.01, height - 0.035)], rim, segments=72)
        parts.append(Part(mesh=edge, texture=repeated(table.wood, 1, 6)))
    else:
        slab = box((2 * half, 2 * half, 0.034), 0.003).moved((0, 0, height - 0.0345))
        parts.append(Part(mesh=slab, texture=box_atlas((64, 256), {}, table.wood)))
    parts.append(Part(mesh=_legs(table), texture=table.wood))
    return tuple(parts)


def contact_shade(table: Table, placed: Sequence[Placed]) -> Float[np.ndarray, "h w"]:
    """How much light reaches each pixel of the top (0..1): less under and beside objects."""
    near = np.zeros((_PIXELS, _PIXELS), np.float32)
    wide = np.zeros_like(near)
    scale = _PIXELS / (2 * table.half)
    for item in placed:
        points = item.thing.vertices
        foot = points[points[:, 2] < 0.02][:, :2] @ item.pose[:2, :2].T + item.pose[:2, 3]
        hull = cv2.convexHull(foot.astype(np.float32))[:, 0]
        for layer, outline in ((near, hull), (wide, item.outline)):
            flat = (outline * (1, -1) + table.half) * scale
            cv2.fillConvexPoly(layer, np.rint(flat * 16).astype(np.int32), (1.0,), cv2.LINE_8, 4)
    near = cv2.GaussianBlur(near, (0, 0), 0.009 * scale)
    wide = cv2.GaussianBlur(wide, (0, 0), 0.03 * scale)
    return 1 - 0.42 * near - 0.24 * wide


def _surface(rng: np.random.Generator, timber: np.ndarray) -> tuple[Texture, bool]:
    """A picture of the top and whether it is cloth."""
    shape = (_PIXELS, _PIXELS)
    kind = int(rng.integers(6))
    if kind in (0, 1):
        return wood(rng, shape, timber, int(rng.integers(5, 10))), False
    if kind == 2:
        stone = pick(rng, "white", "cream", "stone", "sage", spread=5.0)
        return marble(rng, shape, stone, stone * rng.uniform(0.35, 0.6)), False
    if kind == 3:
        names = ("white", "cream", "sand", "sky", "terracotta", "sage", "teal")
        colours = [pick(rng, *names) for _ in range(int(rng.integers(3, 6)))]
        return tiles(rng, shape, (11, 11), colours), False
    if kind == 4:
        colours = [pick(rng) for _ in range(int(rng.integers(2, 4)))]
        return repeated(plaid(rng, (512, 512), colours), 2, 2), True
    ground = pick(rng, "cream", "white", "sky", "sage", "navy", "rose", "mustard")
    count = int(rng.integers(12, 19))
    return weave(rng, motif(rng, shape, ground, [pick(rng), pick(rng)], (count, count)), 0.05), True


def _flat_top(table: Table) -> Mesh:
    """The face that carries the picture, just above the slab."""
    half, height = table.half, table.height
    if table.round:
        angle = np.linspace(0, 2 * np.pi, 73)
        ring = half * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        flat = ring * np.linspace(1, 0, 10)[:, None, None]
    else:
        line = np.linspace(-half, half, 17)
        flat = np.stack(np.meshgrid(line, line), axis=-1)
    points = np.concatenate([flat, np.full((*flat.shape[:2], 1), height)], axis=-1)
    return grid(points, _from_above(flat, half))


def _from_above(flat: Float[np.ndarray, "r c 2"], half: float) -> Float[np.ndarray, "r c 2"]:
    return flat / (2 * half) * (1, -1) + 0.5


def _drape(table: Table) -> Mesh:
    """The hanging part of a cloth, in folds."""
    half, height = table.half, table.height
    angle = np.linspace(0, 2 * np.pi, 181)
    if table.round:
        ring = half * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    else:
        way = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        ring = half * way / np.abs(way).max(1, keepdims=True)
    drop = np.linspace(0, 0.24, 9)[:, None, None]  # (9, 1, 1)
    outwards = ring / np.linalg.norm(ring, axis=1, keepdims=True)
    folds = (0.012 + 0.02 * np.sin(18 * angle)[:, None]) * outwards
    flat = ring + folds * np.minimum(drop / 0.1, 1)
    points = np.concatenate([flat, np.broadcast_to(height - drop, (*flat.shape[:2], 1))], axis=-1)
    # The picture goes on over the edge, as printed cloth does.
    uv = _from_above(ring * (1 + drop / half), half)
    return grid(points[::-1], uv[::-1]).two_sided()


def _legs(table: Table) -> Mesh:
    half, height = table.half, table.height - 0.03
    if table.round:
        foot = curve([(0.3, 0), (0.29, 0.025), (0.06, 0.06), (0.045, 0.2), (0.055, height)], 26)
        return lathe(foot, segments=32)
    spots = [(x * (half - 0.07), y * (half - 0.07)) for x in (-1, 1) for y in (-1, 1)]
    legs = [
        tube([(x, y, 0), (x, y, height / 2), (x, y, height)], (0.022, 0.03, 0.034), 16)
        for x, y in spots
    ]
    rails = [
        box((2 * half - 0.14, 0.022, 0.08), 0.002).moved((0, side * (half - 0.07), height - 0.08))
        for side in (-1, 1)
    ]
    rails += [
        box((0.022, 2 * half - 0.14, 0.08), 0.002).moved((side * (half - 0.07), 0, height - 0.08))
        for side in (-1, 1)
    ]
    return merged(*legs, *rails)

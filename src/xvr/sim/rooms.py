"""A furnished room around a table at the origin, and its lamps.

z is up, the floor is z = 0. Walls are 1.95 to 2.4 m from the middle, so that a camera beside the
table sees every wall within 5 m.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.furniture import STANDING, bookshelf
from xvr.sim.meshes import grid, rotation
from xvr.sim.palette import pick, pick_timber
from xvr.sim.parts import Part
from xvr.sim.prints import box_atlas
from xvr.sim.solids import box
from xvr.sim.stage import Lamp
from xvr.sim.textures import (
    Texture,
    carpet,
    darkened,
    motif,
    noise,
    plain,
    shaded,
    stripes,
    tiles,
    wood,
)
from xvr.sim.wall_pieces import HANGING, OPENINGS

HEIGHT_M = 2.6
_PIXELS_PER_M = 220
_OVERLAP_M = 0.03


@dataclass(frozen=True, kw_only=True)
class Room:
    """Everything but the table."""

    items: tuple[tuple[Part, Float[np.ndarray, "4 4"]], ...]
    """Parts with their pose in the world."""
    lamps: tuple[Lamp, ...]
    """The first is the strongest and casts shadows."""
    ambient: tuple[float, float, float]
    """Light from everywhere, 0..1."""
    half: tuple[float, float]
    """Distance of the walls from the middle along x and y, metres."""


@dataclass(frozen=True, kw_only=True)
class _Walls:
    """What the four walls have in common."""

    kind: int
    """0 plaster, 1 stripes, 2 a printed pattern, 3 panels below plaster."""
    paint: Float[np.ndarray, "3"]
    panels: Float[np.ndarray, "3"]
    figure: int
    """Of the printed pattern, as `textures.motif` numbers them."""


def draw_room(rng: np.random.Generator, table_height: float) -> Room:
    """A random room: floor, rug, furnished walls with windows and pictures, ceiling and lamps."""
    half = (float(rng.uniform(1.95, 2.4)), float(rng.uniform(1.95, 2.4)))
    upright = np.eye(4)
    items = [(part, upright) for part in _floor(rng, half)]
    walls = _Walls(
        kind=int(rng.integers(4)),
        paint=pick(rng, "cream", "sage", "sky", "sand", "white", "rose", "lavender", spread=6.0),
        panels=pick(rng, "white", "sage", "cream", "sky", spread=6.0),
        figure=int(rng.integers(4)),
    )
    openings = rng.permutation([0, 1, 0, 2])
    for side in range(4):
        reach, distance = (half[0], half[1]) if side % 2 == 0 else (half[1], half[0])
        pose = np.eye(4)
        pose[:3, :3] = rotation("z", -side * np.pi / 2)
        pose[:3, 3] = pose[:3, :3] @ (0, distance, 0)
        items += [(part, pose) for part in _wall(rng, reach, walls)]
        items += [(part, pose) for part in _along(rng, reach, int(openings[side]))]
    warm = np.asarray(
        ((1.0, 0.93, 0.82), (1.0, 0.97, 0.92), (0.94, 0.97, 1.0))[int(rng.integers(3))]
    )
    return Room(
        items=tuple(items),
        lamps=_lamps(rng, warm, table_height),
        ambient=_rgb((0.5 * warm + 0.5) * rng.uniform(0.4, 0.47)),
        half=half,
    )


def _rgb(values: np.ndarray) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in values)
    return r, g, b


def _lamps(rng: np.random.Generator, warm: np.ndarray, table_height: float) -> tuple[Lamp, ...]:
    """The main lamp above the side of the table first, then two weak ones."""
    turn = rng.uniform(0, 2 * np.pi)
    away = rng.uniform(0.7, 1.15)
    strength = rng.uniform(0.44, 0.56)
    target = (0.0, 0.0, table_height)
    places = (
        (away * np.cos(turn), away * np.sin(turn), 2.35),
        (1.3 * np.cos(turn + 2.6), 1.3 * np.sin(turn + 2.6), 2.1),
        (1.2 * np.cos(turn + 4.3), 1.2 * np.sin(turn + 4.3), 1.9),
    )
    return tuple(
        Lamp(
            place=(float(x), float(y), z),
            target=target,
            colour=_rgb(warm * strength * share),
        )
        for (x, y, z), share in zip(places, (1.0, 0.34, 0.28), strict=True)
    )


def _floor(rng: np.random.Generator, half: tuple[float, float]) -> list[Part]:
    # Floor, ceiling and walls overlap a little behind each other, so that no pixel looks through.
    x, y = half[0] + _OVERLAP_M, half[1] + _OVERLAP_M
    flat = np.stack(np.meshgrid(np.linspace(-x, x, 25), np.linspace(-y, y, 25)), axis=-1)
    points = np.concatenate([flat, np.zeros((25, 25, 1))], axis=-1)
    kind = int(rng.integers(3))
    timber = pick_timber(rng)
    if kind < 2:
        picture = wood(rng, (1024, 1024), timber, 14)
    else:
        colours = [
            pick(rng, "cream", "white", "sand"),
            pick(rng, "terracotta", "charcoal", "sage", "teal", "stone"),
        ]
        picture = tiles(rng, (1024, 1024), (8, 8), colours)
    floor = Part(mesh=grid(points, flat / 2.0), texture=picture, specular=0.15)
    ceiling = grid(points[::-1] + np.array([0, 0, HEIGHT_M]), flat / 2.0)
    parts = [
        floor,
        Part(mesh=ceiling, texture=plain((238, 236, 230), rng, 128, 0.015), specular=0.0),
    ]
    if rng.random() < 0.8:
        size = (rng.uniform(1.9, 2.5), rng.uniform(1.5, 1.9), 0.012)
        rug = carpet(
            rng, (512, 640), pick(rng), [pick(rng), pick(rng, "cream", "sand", "white"), pick(rng)]
        )
        spread = cv2.GaussianBlur(
            np.pad(np.full((300, 360), 0.4, np.float32), ((106, 106), (140, 140))), (0, 0), 60
        )
        mesh = box(size, 0.005).moved(
            turn=rotation("z", rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.05))
        )
        parts.append(
            Part(
                mesh=mesh,
                texture=box_atlas((512, 640), {"top": darkened(rug, 1 - spread)}, rug[:8, :8]),
                specular=0.0,
            )
        )
    return parts


def _wall(rng: np.random.Generator, reach: float, walls: _Walls) -> list[Part]:
    """One wall, its skirting board and its shaded corners."""
    shape = (round(HEIGHT_M * _PIXELS_PER_M), round(2 * reach * _PIXELS_PER_M))
    picture = _wallpaper(rng, shape, walls)
    row = (np.arange(shape[0])[:, None] + 0.5) / _PIXELS_PER_M
    column = (np.arange(shape[1])[None, :] + 0.5) / _PIXELS_PER_M
    corner = np.minimum(column, 2 * reach - column)
    shade = (
        1
        - 0.22 * np.exp(-corner / 0.22)
        - 0.2 * np.exp(-(HEIGHT_M - row) / 0.3)
        - 0.15 * np.exp(-row / 0.3)
    )
    wide, tall = reach + _OVERLAP_M, HEIGHT_M + _OVERLAP_M
    flat = np.meshgrid(np.linspace(-wide, wide, 29), np.linspace(-_OVERLAP_M, tall, 17))
    points = np.stack([flat[0], np.zeros_like(flat[0]), flat[1]], axis=-1)
    board = box((2 * reach, 0.018, 0.11), 0.004).moved((0, -0.009, 0))
    return [
        Part(mesh=grid(points), texture=darkened(picture, shade), specular=0.02),
        Part(mesh=board, texture=plain((228, 222, 210), rng, 32), specular=0.1),
    ]


def _wallpaper(rng: np.random.Generator, shape: tuple[int, int], walls: _Walls) -> Texture:
    """Plaster, stripes, a printed pattern, or panels below plaster."""
    paint = walls.paint
    picture = shaded(paint, noise(rng, shape, (6, 8), 5) * 0.035)
    if walls.kind == 1:
        return stripes(shape, [paint, paint * 0.93, paint * 1.04], [34, 8, 8])
    if walls.kind == 2:
        colours = [paint * 0.84, np.minimum(paint * 1.1, 248)]
        counts = (12, round(12 * shape[1] / shape[0]))
        return motif(rng, shape, paint, colours, counts, walls.figure)
    if walls.kind == 3:
        low = round(shape[0] * 0.64)
        boards = wood(rng, (shape[1], shape[0] - low), walls.panels, round(shape[1] / 26))
        picture[low:] = boards.transpose(1, 0, 2)
        picture[low - 7 : low + 4] = np.clip(walls.panels * 1.05, 0, 255)
    return picture


def _along(rng: np.random.Generator, reach: float, opening: int) -> list[Part]:
    """Two or three places along a wall: an opening and furniture with pictures above."""
    places = [-0.5 * reach, 0.45 * reach]
    order = rng.permutation(len(STANDING))
    parts: list[Part] = []
    for number, x in enumerate(rng.permutation(places)):
        at = (float(x + rng.uniform(-0.06, 0.06)), 0.0, 0.0)
        if number == 0 and opening:
            pieces = [OPENINGS[opening - 1]]
        else:
            piece = STANDING[int(order[number])]
            pieces = (
                [piece] if piece is bookshelf else [piece, HANGING[int(rng.integers(len(HANGING)))]]
            )
        for piece in pieces:
            parts += [
                Part(
                    mesh=part.mesh.moved(at),
                    texture=part.texture,
                    specular=part.specular,
                    shininess=part.shininess,
                )
                for part in piece(rng)
            ]
    return parts

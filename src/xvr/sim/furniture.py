"""Furniture that stands at a wall.

Every piece is made for a wall at y = 0 with the room at y < 0: x runs to the right for someone who
looks at the wall, z up from the floor, and nothing reaches further than `DEPTH_M` into the room.
"""

from collections.abc import Callable

import cv2
import numpy as np

from xvr.sim.meshes import grid, merged, rotation, stretched
from xvr.sim.objects_desk import lamp
from xvr.sim.objects_plants import flower_pot
from xvr.sim.palette import pick, pick_timber, rgb
from xvr.sim.parts import Part, moved, standing
from xvr.sim.prints import TITLES, box_atlas, spine
from xvr.sim.solids import box, curve, lathe, sphere
from xvr.sim.textures import Texture, canvas, motif, noise, plaid, plain, shaded, weave, wood

DEPTH_M = 0.5
"""No furniture reaches further into the room."""
Piece = Callable[[np.random.Generator], tuple[Part, ...]]


def bookshelf(rng: np.random.Generator) -> tuple[Part, ...]:
    """An open shelf with rows of books and a few pots."""
    board = timber(rng)
    wide, tall, deep = rng.uniform(0.8, 1.1), rng.uniform(1.5, 2.0), 0.3
    levels = np.linspace(0.04, tall - 0.02, int(rng.integers(5, 7)))
    boards = [box((wide, deep, 0.022), 0.001).moved((0, -deep / 2, z)) for z in levels]
    boards += [
        box((0.022, deep, tall), 0.001).moved((side * wide / 2, -deep / 2, 0)) for side in (-1, 1)
    ]
    boards.append(box((wide, 0.01, tall), 0.001).moved((0, -0.006, 0)))
    parts = [Part(mesh=merged(*boards), texture=box_atlas((96, 256), {}, board), specular=0.1)]
    step = levels[1] - levels[0]
    for level in levels[:-1]:
        room, start = wide - 0.06, -wide / 2 + 0.03
        length = room * rng.uniform(0.55, 0.95)
        low, high = level + 0.022, level + 0.022 + step * 0.76
        row = box((length, 0.2, high - low), 0.001).moved((start + length / 2, -0.17, low))
        pages = shaded((226, 216, 196), noise(rng, (32, 32), (2, 16), 2) * 0.12)
        parts.append(Part(mesh=row, texture=pages, specular=0.05))
        flat = np.meshgrid(np.linspace(start, start + length, 9), np.linspace(low, high, 4))
        backs = grid(np.stack([flat[0], np.full_like(flat[0], -0.2712), flat[1]], axis=-1))
        parts.append(Part(mesh=backs, texture=_row_of_books(rng, length), specular=0.1))
        if room - length > 0.14:
            pot = sphere((0.05, 0.05, 0.07)).moved((start + room - 0.06, -0.16, level + 0.09))
            parts.append(
                Part(
                    mesh=pot,
                    texture=motif(rng, (64, 128), pick(rng), [pick(rng)], (4, 8)),
                    specular=0.4,
                )
            )
    return tuple(parts)


def cabinet(rng: np.random.Generator) -> tuple[Part, ...]:
    """A chest of drawers with knobs and something on top."""
    board = timber(rng, (160, 320), 3)
    wide, tall, deep = rng.uniform(0.9, 1.3), rng.uniform(0.7, 0.95), 0.42
    front = cv2.resize(board, (480, 320))
    rows, columns = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    knobs = []
    for row in range(rows):
        for column in range(columns):
            x0, x1 = (np.array([column, column + 1]) * 456 / columns + 12).astype(int)
            y0, y1 = (np.array([row, row + 1]) * 296 / rows + 12).astype(int)
            cv2.rectangle(front, (x0 + 4, y0 + 4), (x1 - 4, y1 - 4), (52, 42, 36), 2)
            cv2.rectangle(front, (x0 + 8, y0 + 8), (x1 - 8, y1 - 8), rgb(front[20, 20] * 1.12), 1)
            at = (
                (x0 + x1) / 960 * wide - wide / 2,
                -deep - 0.012,
                0.08 + tall * (1 - (y0 + y1) / 640),
            )
            knobs.append(sphere(0.016, 8, 14).moved(at))
    body = box((wide, deep, tall), 0.004).moved((0, -deep / 2, 0.08))
    legs = [
        box((0.05, 0.05, 0.08), 0.002).moved((x * (wide / 2 - 0.05), y, 0))
        for x in (-1, 1)
        for y in (-0.06, -deep + 0.06)
    ]
    parts = [
        Part(mesh=body, texture=box_atlas((320, 480), {"front": front}, board), specular=0.15),
        Part(mesh=merged(*legs), texture=board[:16]),
        Part(mesh=merged(*knobs), texture=plain((176, 160, 120), rng, 16), specular=0.6),
    ]
    make = (lamp, flower_pot)[int(rng.integers(2))]
    thing = standing("", make(rng))
    x = rng.uniform(-0.3, 0.3) * wide
    parts += [moved(part, (x, -deep / 2, tall + 0.08)) for part in thing.parts]
    return tuple(parts)


def sofa(rng: np.random.Generator) -> tuple[Part, ...]:
    """A two-seat sofa with cushions."""
    cloth = weave(
        rng,
        canvas(
            (256, 256), pick(rng, "sage", "stone", "navy", "terracotta", "teal", "plum", "sand")
        ),
        0.07,
    )
    wide = rng.uniform(1.3, 1.6)
    blocks = [
        box((wide, 0.48, 0.26), 0.03).moved((0, -0.25, 0.1)),
        box((wide, 0.14, 0.5), 0.05).moved((0, -0.08, 0.34)),
        *(
            box((0.14, 0.48, 0.32), 0.05).moved((side * (wide / 2 - 0.07), -0.25, 0.24))
            for side in (-1, 1)
        ),
        *(
            box((wide / 2 - 0.15, 0.4, 0.12), 0.04).moved((side * (wide / 4 - 0.07), -0.28, 0.35))
            for side in (-1, 1)
        ),
    ]
    parts = [Part(mesh=merged(*blocks), texture=box_atlas((256, 256), {}, cloth), specular=0.0)]
    for side in (-1, 1):
        pattern = (
            motif(rng, (192, 192), pick(rng), [pick(rng), pick(rng)], (4, 4))
            if rng.random() < 0.6
            else plaid(rng, (192, 192), [pick(rng), pick(rng)])
        )
        pillow = stretched(sphere((0.21, 0.08, 0.21), 16, 24), (1, 1, 1))
        square = (
            np.sign(pillow.vertices)
            * np.abs(pillow.vertices / (0.21, 0.08, 0.21)) ** 0.62
            * (0.2, 0.07, 0.2)
        )
        uv = np.stack([square[:, 0] / 0.4 + 0.5, 0.5 - square[:, 2] / 0.4], axis=-1)
        mesh = type(pillow)(vertices=square, normals=pillow.normals, uv=uv, faces=pillow.faces)
        lean = rotation("x", -0.35) @ rotation("y", rng.normal(0, 0.2))
        parts.append(
            moved(
                Part(mesh=mesh, texture=weave(rng, pattern), specular=0.0),
                (side * wide * 0.28, -0.27, 0.63),
                lean,
            )
        )
    return tuple(parts)


def floor_plant(rng: np.random.Generator) -> tuple[Part, ...]:
    """A large plant in a pot."""
    thing = standing("", flower_pot(rng))
    size = rng.uniform(0.44, 0.48) / max(np.ptp(thing.vertices[:, 0]), np.ptp(thing.vertices[:, 1]))
    grown = [
        Part(
            mesh=stretched(p.mesh, (size, size, size * 1.9)), texture=p.texture, specular=p.specular
        )
        for p in thing.parts
    ]
    return tuple(moved(part, (0, -0.25, 0)) for part in grown)


def floor_lamp(rng: np.random.Generator) -> tuple[Part, ...]:
    """A standing lamp with a cloth shade."""
    pole = lathe(curve([(0.14, 0), (0.13, 0.02), (0.014, 0.04), (0.012, 1.4)], 20), segments=24)
    shade = lathe(
        [(0.2, 1.32), (0.14, 1.6)],
        [(0.14, 1.6), (0.136, 1.6)],
        [(0.136, 1.6), (0.196, 1.32)],
        segments=36,
    )
    cloth = weave(
        rng,
        motif(
            rng, (128, 512), pick(rng, "cream", "sand", "white", "mustard"), [pick(rng)], (3, 14)
        ),
    )
    metal = plain(pick(rng, "charcoal", "cocoa", "stone"), rng)
    return tuple(
        moved(part, (0, -0.26, 0))
        for part in (
            Part(mesh=pole, texture=metal, specular=0.5),
            Part(mesh=shade, texture=cloth, specular=0.0),
        )
    )


def timber(
    rng: np.random.Generator, shape: tuple[int, int] = (128, 256), boards: int = 2
) -> Texture:
    """Stained or painted boards."""
    stained = pick_timber(rng) if rng.random() < 0.7 else pick(rng, "white", "cream", "sage", "sky")
    return wood(rng, shape, stained, boards)


def _row_of_books(rng: np.random.Generator, length: float) -> Texture:
    """Upright spines side by side."""
    picture = canvas((192, round(768 * min(length, 1.0))), (40, 34, 30))
    x = 0
    while x < picture.shape[1] - 14:
        thick = int(rng.integers(14, 34))
        thick = min(thick, picture.shape[1] - x)
        top = int(rng.integers(0, 30))
        back = spine((thick, 192 - top), str(rng.choice(TITLES)), pick(rng), pick(rng))
        upright = cv2.rotate(back, cv2.ROTATE_90_CLOCKWISE)
        upright[:, :1] = upright[:, -1:] = 30
        picture[top:, x : x + thick] = upright
        x += thick
    return picture


STANDING: tuple[Piece, ...] = (bookshelf, cabinet, sofa, floor_plant, floor_lamp)
"""All of them; pictures fit above the low ones."""

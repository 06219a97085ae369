"""Books, cartons and other printed things; sizes in metres are the real ones."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import grid, merged, rotation
from xvr.sim.paintings import abstract, landscape
from xvr.sim.palette import contrast, pick
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import FONTS, TITLES, box_atlas, cover, label, lines, small_print, spine, write
from xvr.sim.solids import box, extrusion, lathe
from xvr.sim.textures import Texture, canvas, motif, noise, pixels, plain, shaded, wood

_DARK = (46, 46, 50)


def book(rng: np.random.Generator) -> tuple[Part, ...]:
    """One to three books, one on the other, the larger below."""
    parts, level = [], 0.0
    for number in range(int(rng.integers(1, 4))):
        size = (
            rng.uniform(0.2, 0.23) - 0.018 * number,
            rng.uniform(0.14, 0.155) - 0.012 * number,
            rng.uniform(0.018, 0.04),
        )
        parts.append(moved(_one_book(rng, size), (0, 0, level), rotation("z", rng.normal(0, 0.13))))
        level += size[2]
    return tuple(parts)


def box_thing(rng: np.random.Generator) -> tuple[Part, ...]:
    """A printed carton or a cardboard parcel."""
    return _carton(rng) if rng.random() < 0.65 else _parcel(rng)


def milk_carton(rng: np.random.Generator) -> tuple[Part, ...]:
    """A milk or juice carton with a gable top."""
    half, wall, ridge = 0.036, 0.16, 0.205
    ground = pick(rng, "white", "sky", "cream", "sage", "rose")
    word = str(rng.choice(("milk", "oat milk", "orange juice", "apple juice")))
    front, side = label(rng, (320, 150), word, ground), small_print(rng, (320, 150), ground)
    body = box((2 * half, 2 * half, wall), 0.001)
    atlas = box_atlas(
        (320, 150),
        {"front": front, "back": front, "left": side, "right": side},
        canvas((8, 8), ground),
    )
    slopes = []
    for sign in (1, -1):
        points = np.array(
            [
                [(-half, -half, wall), (half, -half, wall)],
                [(-half, 0, ridge - 0.012), (half, 0, ridge - 0.012)],
            ]
        )
        slopes.append(grid(points).moved(turn=rotation("z", 0.0 if sign > 0 else np.pi)))
        gable = np.array(
            [
                [(half, -half, wall), (half, half, wall)],
                [(half, 0, ridge - 0.012), (half, 0, ridge - 0.012)],
            ]
        )
        slopes.append(grid(gable).moved(turn=rotation("z", 0.0 if sign > 0 else np.pi)))
    roof = canvas((128, 160), ground)
    write(roof, word.upper(), (0.1, 0.3, 0.9, 0.7), contrast(ground))
    fin = box((2 * half, 0.004, 0.02), 0.001).moved((0, 0, ridge - 0.014))
    cap = lathe([(0.012, 0), (0.012, 0.012)], [(0.012, 0.012), (0, 0.012)], segments=24)
    turn = rotation("x", np.arctan2(ridge - 0.012 - wall, half))
    return (
        Part(mesh=body, texture=atlas, specular=0.2),
        Part(mesh=merged(*slopes), texture=roof, specular=0.2),
        Part(mesh=fin, texture=canvas((8, 8), ground), specular=0.2),
        moved(
            Part(
                mesh=cap,
                texture=plain(pick(rng, "brick", "navy", "teal", "coral"), rng),
                specular=0.4,
            ),
            (0, -half * 0.5, (wall + ridge - 0.012) / 2 - 0.001),
            turn,
        ),
    )


def tissue_box(rng: np.random.Generator) -> tuple[Part, ...]:
    """A box of tissues, one sticking out."""
    size = (0.22, 0.115, 0.085)
    pattern = motif(
        rng,
        (256, 384),
        pick(rng, "sky", "rose", "cream", "sage", "lavender"),
        [pick(rng), pick(rng)],
        (6, 9),
    )
    top = pattern.copy()
    cv2.ellipse(top, (192, 128), (110, 34), 0, 0, 360, (70, 66, 64), -1, cv2.LINE_AA)
    angle = np.linspace(0, np.pi, 15)
    rows = np.linspace(0, 1, 8)[:, None]
    points = np.empty((8, 15, 3))
    points[..., 0] = np.cos(angle)[::-1] * (0.05 - 0.01 * rows)
    points[..., 1] = 0.014 * np.sin(3 * angle) * (0.3 + rows)
    points[..., 2] = size[2] - 0.003 + (0.055 + 0.02 * np.sin(angle)) * rows
    sheet = shaded((244, 243, 240), noise(rng, (32, 64), (3, 8), 2) * 0.04)
    return (
        Part(
            mesh=box(size, 0.0015),
            texture=box_atlas((192, 288), {"top": top}, pattern),
            specular=0.1,
        ),
        Part(mesh=grid(points).two_sided(), texture=sheet, specular=0.0),
    )


def picture_frame(rng: np.random.Generator) -> tuple[Part, ...]:
    """A framed photograph that leans on its stand."""
    view = landscape(rng, (240, 180)) if rng.random() < 0.6 else abstract(rng, (240, 180))
    frame = wood(rng, (300, 240), pick(rng, "cocoa", "sand", "charcoal", "white"), 1)
    frame[30:270, 30:210] = view
    body = box((0.15, 0.014, 0.19), 0.003)
    back = extrusion([(-0.02, 0), (0.02, 0), (0.02, 0.13), (-0.02, 0.13)], 0.004)
    lean = rotation("x", -0.2)
    return Part(
        mesh=body.moved(turn=lean),
        texture=box_atlas((300, 240), {"front": frame}, frame[:24, :24]),
        specular=0.3,
    ), Part(mesh=back.moved((0, 0.058, 0), rotation("x", 0.26)), texture=frame[:24, :24])


def _carton(rng: np.random.Generator) -> tuple[Part, ...]:
    """A box of cereal, tea or crackers with printed sides."""
    kinds = (
        ("corn flakes", (0.17, 0.055, 0.25)),
        ("crackers", (0.15, 0.06, 0.19)),
        ("green tea", (0.12, 0.07, 0.09)),
        ("pasta", (0.09, 0.045, 0.19)),
        ("cookies", (0.2, 0.06, 0.13)),
    )
    word, size = kinds[int(rng.integers(len(kinds)))]
    ground = pick(rng)
    tall = 288
    front = label(rng, (tall, max(120, round(tall * size[0] / size[2]))), word, ground)
    side = small_print(
        rng, (tall, max(90, round(tall * size[1] / size[2]))), pick(rng, "white", "cream")
    )
    top = canvas((64, 160), ground)
    write(top, word.upper(), (0.08, 0.2, 0.92, 0.8), contrast(ground), int(rng.choice(FONTS)))
    faces = {"front": front, "back": front, "right": side, "left": side, "top": top}
    return (Part(mesh=box(size, 0.0015), texture=box_atlas((288, 224), faces, top), specular=0.12),)


def _parcel(rng: np.random.Generator) -> tuple[Part, ...]:
    """A cardboard box with tape, an address label and a mark."""
    size = (rng.uniform(0.16, 0.24), rng.uniform(0.12, 0.17), rng.uniform(0.08, 0.14))
    card = shaded((186, 146, 102), noise(rng, (192, 256), (40, 4), 3) * 0.06)
    top, front = card.copy(), card.copy()
    top[80:112] = pixels(card[80:112] * 0.6 + np.array((214, 190, 140)) * 0.4)
    for side in (front, top):
        x = 12 + int(rng.integers(0, 90))
        paper = canvas((72, 110), (244, 242, 236))
        lines(paper, rng, (0.06, 0.1, 0.8, 0.6), _DARK, 4)
        paper[48:66, 10:100] = np.where(
            np.repeat(rng.integers(0, 2, 45), 2)[None, :, None] > 0, 30, 244
        )
        side[6:78, x : x + 110] = paper
    write(front, "FRAGILE", (0.1, 0.62, 0.9, 0.92), (166, 60, 48), cv2.FONT_HERSHEY_TRIPLEX)
    front[76:116, 118:138] = pixels(card[76:116, 118:138] * 0.6 + np.array((214, 190, 140)) * 0.4)
    back = card.copy()
    write(back, "THIS SIDE UP", (0.1, 0.35, 0.9, 0.65), _DARK)
    return (
        Part(
            mesh=box(size, 0.002),
            texture=box_atlas((192, 256), {"top": top, "front": front, "back": back}, card),
            specular=0.03,
        ),
    )


def _one_book(rng: np.random.Generator, size: tuple[float, float, float]) -> Part:
    """A closed book, lying with its cover up and its spine at the front."""
    ground, title = pick(rng), str(rng.choice(TITLES))
    cell = (256, 256)
    front = cv2.rotate(cover(rng, (256, 190), title, ground), cv2.ROTATE_90_CLOCKWISE)
    if rng.random() < 0.5:
        front = cv2.rotate(front, cv2.ROTATE_180)
    pages = _pages((48, 128), rng)
    pages[:5] = pages[-5:] = pixels(ground)
    faces = {
        "top": front,
        "bottom": canvas((64, 64), ground),
        "front": spine((48, 256), title, ground, pick(rng)),
    }
    return Part(mesh=box(size, 0.0025), texture=box_atlas(cell, faces, pages), specular=0.15)


def _pages(shape: tuple[int, int], rng: np.random.Generator) -> Texture:
    """The cut edge of a block of paper."""
    rows = rng.uniform(-0.1, 0.03, shape[0])[:, None] * np.ones(shape[1])
    return shaded((232, 224, 204), rows.astype(np.float32))


PRINTED: Mapping[str, Maker] = {
    "book": book,
    "box": box_thing,
    "milk_carton": milk_carton,
    "picture_frame": picture_frame,
    "tissue_box": tissue_box,
}

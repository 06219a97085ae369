"""Printed, electric and household things with boxy shapes; sizes in metres are the real ones."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import box, curve, extrusion, grid, lathe, merged, rotation, sphere, tube
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import (
    FONTS,
    TITLES,
    abstract,
    box_atlas,
    canvas,
    clock_face,
    contrast,
    cover,
    label,
    landscape,
    lines,
    panel,
    rgb,
    small_print,
    spine,
    write,
)
from xvr.sim.textures import Texture, motif, noise, pick, pixels, plaid, plain, shaded, weave, wood

_DARK = (46, 46, 50)


def _pages(shape: tuple[int, int], rng: np.random.Generator) -> Texture:
    """The cut edge of a block of paper."""
    rows = rng.uniform(-0.1, 0.03, shape[0])[:, None] * np.ones(shape[1])
    return shaded((232, 224, 204), rows.astype(np.float32))


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


def carton(rng: np.random.Generator) -> tuple[Part, ...]:
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


def parcel(rng: np.random.Generator) -> tuple[Part, ...]:
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


def box_thing(rng: np.random.Generator) -> tuple[Part, ...]:
    """A printed carton or a cardboard parcel."""
    return carton(rng) if rng.random() < 0.65 else parcel(rng)


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
        slopes.append(grid(points).moved(turn=rotation("z", 0 if sign > 0 else np.pi)))
        gable = np.array(
            [
                [(half, -half, wall), (half, half, wall)],
                [(half, 0, ridge - 0.012), (half, 0, ridge - 0.012)],
            ]
        )
        slopes.append(grid(gable).moved(turn=rotation("z", 0 if sign > 0 else np.pi)))
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
    dial = grid(disc + (0, 0, 0.0202), uv)
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


def remote_control(rng: np.random.Generator) -> tuple[Part, ...]:
    """A television remote with rows of keys."""
    keys = [
        ["O", "", "IN"],
        ["1", "2", "3"],
        ["4", "5", "6"],
        ["7", "8", "9"],
        ["", "0", ""],
        ["+", "OK", "^"],
        ["-", "", "v"],
        ["<", "II", ">"],
    ]
    top = panel(keys, (360, 108), _DARK, (92, 92, 98))
    top[8:38, 8:30] = (176, 58, 50)
    mesh = box((0.05, 0.18, 0.02), 0.006, 4)
    return (
        Part(
            mesh=mesh,
            texture=box_atlas(
                (360, 108),
                {"top": np.pad(top, ((20, 50), (10, 10), (0, 0)), mode="edge")},
                canvas((8, 8), _DARK),
            ),
            specular=0.3,
        ),
    )


def cellphone(rng: np.random.Generator) -> tuple[Part, ...]:
    """A phone that lies with its screen up, showing a picture and icons."""
    screen = landscape(rng, (384, 188))
    for row in range(5):
        for column in range(4):
            x, y = 22 + 40 * column, 120 + 48 * row
            cv2.rectangle(screen, (x, y), (x + 26, y + 26), rgb(pick(rng)), -1)
    write(
        screen,
        f"{int(rng.integers(1, 13))}:{int(rng.integers(10, 60))}",
        (0.2, 0.08, 0.8, 0.24),
        (245, 245, 245),
    )
    top = np.pad(screen, ((10, 10), (8, 8), (0, 0)), constant_values=24)
    mesh = box((0.074, 0.152, 0.009), 0.004, 4)
    return (
        Part(
            mesh=mesh,
            texture=box_atlas(
                (404, 204),
                {"top": top},
                canvas((8, 8), pick(rng, "charcoal", "navy", "rose", "sage")),
            ),
            specular=0.5,
            shininess=0.8,
        ),
    )


def keyboard(rng: np.random.Generator) -> tuple[Part, ...]:
    """A computer keyboard with raised, lettered keys."""
    ground, key = (
        (pick(rng, "charcoal"), np.array((70, 72, 78)))
        if rng.random() < 0.5
        else (pick(rng, "stone"), np.array((232, 230, 224)))
    )
    rows = ["1234567890-=", "QWERTYUIOP[]", "ASDFGHJKL;'#", "ZXCVBNM,./<>"]
    parts = [Part(mesh=box((0.31, 0.125, 0.014), 0.004), texture=plain(ground, rng), specular=0.2)]
    for number, row in enumerate(rows):
        cell = panel([list(row)], (48, 576), key * 0.8, key)
        mesh = box((0.276, 0.0205, 0.009), 0.002)
        parts.append(
            moved(
                Part(
                    mesh=mesh,
                    texture=box_atlas((48, 576), {"top": cell}, canvas((8, 8), key * 0.8)),
                    specular=0.15,
                ),
                (0.003 * number - 0.004, 0.042 - 0.0232 * number, 0.012),
            )
        )
    bar = panel([["Ctrl", "Alt"]], (48, 192), key * 0.8, key)
    parts.append(
        moved(
            Part(mesh=box((0.14, 0.0195, 0.009), 0.002), texture=canvas((8, 8), key)),
            (0, -0.0512, 0.012),
        )
    )
    for x in (-0.108, 0.108):
        parts.append(
            moved(
                Part(
                    mesh=box((0.06, 0.0195, 0.009), 0.002),
                    texture=box_atlas((48, 192), {"top": bar}, canvas((8, 8), key * 0.8)),
                ),
                (x, -0.0512, 0.012),
            )
        )
    return tuple(parts)


def camera(rng: np.random.Generator) -> tuple[Part, ...]:
    """A photo camera with a lens, a leather band and a flash shoe."""
    leather = shaded(
        (58, 50, 46) if rng.random() < 0.6 else (124, 78, 52),
        noise(rng, (96, 128), (40, 50), 2) * 0.3,
    )
    silver = plain((176, 176, 178), rng)
    front = np.concatenate(
        [
            cv2.resize(silver, (128, 30)),
            cv2.resize(leather, (128, 80)),
            cv2.resize(silver, (128, 14)),
        ]
    )
    write(front, "ORBO", (0.32, 0.03, 0.68, 0.22), (40, 40, 44))
    body = Part(
        mesh=box((0.13, 0.04, 0.08), 0.008, 4),
        texture=box_atlas(
            (124, 128),
            {
                "front": front,
                "back": front,
                "left": front[:, :40],
                "right": front[:, :40],
                "top": silver,
            },
            silver,
        ),
        specular=0.4,
    )
    rings = plain((38, 38, 42), rng)
    barrel = lathe(
        [(0.03, 0), (0.03, 0.018)],
        [(0.03, 0.018), (0.027, 0.019)],
        [(0.027, 0.019), (0.027, 0.04)],
        [(0.027, 0.04), (0.02, 0.04)],
        segments=36,
    )
    glass = lathe(curve([(0.02, 0.038), (0.012, 0.034), (0, 0.033)], 8), segments=36)
    turn = rotation("x", np.pi / 2)
    knobs = merged(
        lathe([(0.009, 0), (0.009, 0.008)], [(0.009, 0.008), (0, 0.008)], segments=20).moved(
            (0.045, 0, 0.08)
        ),
        lathe([(0.011, 0), (0.011, 0.006)], [(0.011, 0.006), (0, 0.006)], segments=20).moved(
            (-0.042, 0, 0.08)
        ),
        box((0.036, 0.03, 0.014), 0.003).moved((0, 0, 0.079)),
    )
    return (
        body,
        Part(mesh=barrel.moved((0, -0.019, 0.038), turn), texture=rings, specular=0.4),
        Part(
            mesh=glass.moved((0, -0.019, 0.038), turn),
            texture=plain((62, 58, 98), rng),
            specular=1.0,
            shininess=0.9,
        ),
        Part(mesh=knobs, texture=silver, specular=0.6),
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


def handbag(rng: np.random.Generator) -> tuple[Part, ...]:
    """A handbag with two handles and a clasp."""
    skin = (
        plaid(rng, (256, 256), [pick(rng) for _ in range(3)])
        if rng.random() < 0.4
        else shaded(
            pick(rng, "cocoa", "brick", "navy", "forest", "plum", "mustard"),
            noise(rng, (256, 256), (50, 50), 3) * 0.12,
        )
    )
    seam = skin.copy()
    cv2.rectangle(seam, (10, 10), (245, 245), rgb(pick(rng, "sand", "cream")), 2)
    cv2.line(seam, (10, 90), (245, 90), rgb(pick(rng, "sand", "cream")), 2)
    body = box((0.24, 0.09, 0.165), 0.025, 5)
    taper = np.interp(body.vertices[:, 2], [0, 0.165], [1.0, 0.72])
    shape = body.vertices * np.stack([0.5 + taper / 2, taper, np.ones_like(taper)], axis=-1)
    mesh = type(body)(vertices=shape, normals=body.normals, uv=body.uv, faces=body.faces)
    arcs = [
        tube(
            curve(
                [
                    (-0.06, y, 0.15),
                    (-0.05, y, 0.215),
                    (0, y, 0.245),
                    (0.05, y, 0.215),
                    (0.06, y, 0.15),
                ],
                20,
            ),
            0.006,
            10,
        )
        for y in (-0.024, 0.024)
    ]
    clasp = box((0.034, 0.008, 0.026), 0.003).moved((0, -0.04, 0.098))
    return (
        Part(
            mesh=mesh,
            texture=box_atlas((256, 256), {"front": seam, "back": seam}, skin),
            specular=0.2,
        ),
        Part(mesh=merged(*arcs), texture=skin[:32], specular=0.2),
        Part(mesh=clasp, texture=plain((196, 166, 96), rng), specular=0.8),
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


THINGS: Mapping[str, Maker] = {
    "book": book,
    "box": box_thing,
    "camera": camera,
    "cellphone": cellphone,
    "clock": clock,
    "handbag": handbag,
    "keyboard": keyboard,
    "lamp": lamp,
    "milk_carton": milk_carton,
    "pencil_cup": pencil_cup,
    "picture_frame": picture_frame,
    "remote_control": remote_control,
    "tissue_box": tissue_box,
}

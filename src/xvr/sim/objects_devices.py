"""Camera, phone, keyboard, mouse and remote control; sizes in metres are the real ones."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import Mesh, merged, rotation
from xvr.sim.paintings import landscape
from xvr.sim.palette import contrast, pick, rgb
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import box_atlas, panel, write
from xvr.sim.solids import box, curve, lathe, sphere, tube
from xvr.sim.textures import canvas, noise, plain, shaded

_DARK = (46, 46, 50)


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


def mouse(rng: np.random.Generator) -> tuple[Part, ...]:
    """A computer mouse with two keys and a wheel."""
    colour = pick(rng, "charcoal", "white", "stone", "navy", spread=4.0)
    shell = plain(colour, rng, 128, 0.01)
    dome = sphere((0.031, 0.052, 0.034), 20, 32)
    flat = dome.vertices.copy()
    flat[:, 2] = np.where(
        flat[:, 2] < 0,
        flat[:, 2] * 0.14,
        flat[:, 2] * (1 + 4 * np.minimum(flat[:, 1] * -1 + 0.01, 0)),
    )
    body = Mesh(vertices=flat, normals=dome.normals, uv=dome.uv, faces=dome.faces)
    wheel = lathe(
        [(0, -0.004), (0.009, -0.004)],
        [(0.009, -0.004), (0.009, 0.004)],
        [(0.009, 0.004), (0, 0.004)],
        segments=20,
    ).moved((0, 0.03, 0.02), rotation("y", np.pi / 2))
    ink = plain(np.asarray(contrast(colour)), rng, 8)
    cord = tube(
        curve(
            [(0, 0.05, 0.006), (0.004, 0.09, 0.0015), (0.03, 0.12, 0.0015), (0.05, 0.105, 0.0015)],
            18,
        ),
        0.0017,
        6,
    )
    return (
        Part(mesh=body, texture=shell, specular=0.4, shininess=0.6),
        Part(mesh=wheel, texture=plain((110, 110, 114), rng, 8)),
        Part(mesh=cord, texture=ink),
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
    mesh = box((rng.uniform(0.045, 0.055), rng.uniform(0.16, 0.19), 0.02), 0.006, 4)
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


DEVICES: Mapping[str, Maker] = {
    "camera": camera,
    "cellphone": cellphone,
    "keyboard": keyboard,
    "mouse": mouse,
    "remote_control": remote_control,
}

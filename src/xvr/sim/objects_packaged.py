"""Bottles, cans, jars and detergent with their labels; sizes in metres are the real ones."""

from collections.abc import Mapping

import numpy as np

from xvr.sim.meshes import Mesh
from xvr.sim.objects_vessels import handle
from xvr.sim.palette import Colour, pick
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import box_atlas, label, small_print
from xvr.sim.solids import box, curve, lathe
from xvr.sim.textures import Texture, motif, noise, pixels, plain, shaded


def bottle(rng: np.random.Generator) -> tuple[Part, ...]:
    """A bottle with a label and a cap."""
    r, tall = rng.uniform(0.031, 0.038), rng.uniform(0.22, 0.29)
    neck, top = 0.0135, tall - 0.018
    glass = pick(rng, "forest", "cocoa", "teal", "navy", "brick", "sage", spread=5.0)
    body = curve(
        [
            (r * 0.92, 0.0),
            (r, 0.008),
            (r, 0.5 * tall),
            (r * 0.97, 0.58 * tall),
            (neck * 1.15, 0.76 * tall),
            (neck, 0.84 * tall),
            (neck, top),
        ],
        30,
    )
    word = str(
        rng.choice(("juice", "cider", "olive oil", "lemonade", "vinegar", "syrup", "root beer"))
    )
    cap = lathe(
        [(neck + 0.001, top - 0.004), (neck + 0.002, top), (neck + 0.002, tall)],
        [(neck + 0.002, tall), (0, tall)],
    )
    paper = pick(rng, "cream", "white", "mustard", "rose", "sky", "sand")
    return (
        Part(
            mesh=lathe([(0, 0), (r * 0.92, 0)], body),
            texture=plain(glass, rng),
            specular=0.7,
            shininess=0.85,
        ),
        _wrap(rng, word, r, 0.12 * tall, 0.46 * tall, paper),
        Part(mesh=cap, texture=plain(pick(rng), rng), specular=0.3),
    )


def can(rng: np.random.Generator) -> tuple[Part, ...]:
    """A tin of food with a paper label."""
    r, tall = rng.uniform(0.033, 0.042), rng.uniform(0.09, 0.115)
    steel = plain((172, 174, 178), rng)
    wall = lathe(
        [(0, 0.002), (r - 0.002, 0.002)],
        [(r, 0), (r, tall)],
        [(r, tall), (r - 0.003, tall)],
        [(r - 0.003, tall - 0.003), (0, tall - 0.003)],
    )
    word = str(
        rng.choice(("tomato soup", "corn", "beans", "peas", "tuna", "coffee", "peaches", "chili"))
    )
    return Part(mesh=wall, texture=steel, specular=0.7, shininess=0.7), _wrap(
        rng, word, r, 0.004, tall - 0.004, pick(rng)
    )


def jar(rng: np.random.Generator) -> tuple[Part, ...]:
    """A jar of jam or honey with a lid and a label."""
    r, tall = rng.uniform(0.034, 0.042), rng.uniform(0.09, 0.12)
    word, colour = (
        ("cherry jam", (122, 36, 44)),
        ("honey", (196, 132, 48)),
        ("pickles", (116, 128, 62)),
        ("marmalade", (206, 122, 44)),
        ("plum jam", (84, 44, 76)),
    )[int(rng.integers(5))]
    body = curve(
        [(r * 0.9, 0), (r, 0.008), (r, tall * 0.78), (r * 0.84, tall * 0.88), (r * 0.84, tall)], 24
    )
    cloth = motif(
        rng, (96, 256), pick(rng, "white", "cream"), [pick(rng, "brick", "navy", "forest")], (6, 16)
    )
    cap = lathe(
        [(r * 0.92, tall * 0.88), (r * 0.92, tall + 0.004)],
        curve([(r * 0.92, tall + 0.004), (r * 0.85, tall + 0.008), (0, tall + 0.008)], 8),
    )
    filling = shaded(colour, noise(rng, (128, 128), (8, 8), 3) * 0.14)
    return (
        Part(
            mesh=lathe([(0, 0), (r * 0.9, 0)], body), texture=filling, specular=0.7, shininess=0.85
        ),
        Part(mesh=cap, texture=cloth, specular=0.15),
        _wrap(rng, word, r, tall * 0.14, tall * 0.66, pick(rng, "cream", "white", "sand")),
    )


def detergent(rng: np.random.Generator) -> tuple[Part, ...]:
    """A flat plastic bottle of detergent with a handle and a big cap."""
    shell = pick(rng, "sky", "coral", "mustard", "white", "teal", "lavender")
    body = box((0.13, 0.068, 0.2), 0.02, 5)
    squeeze = np.interp(body.vertices[:, 2], [0, 0.12, 0.2], [1, 0.97, 0.62])
    body = Mesh(
        vertices=body.vertices * np.stack([squeeze, squeeze, np.ones_like(squeeze)], -1),
        normals=body.normals,
        uv=body.uv,
        faces=body.faces,
    )
    paper = {
        "front": label(rng, (256, 176), "laundry", pick(rng)),
        "back": small_print(rng, (256, 176), pick(rng, "white", "cream")),
    }
    skin = plain(shell, rng, 64, 0.01)
    padded = {name: _padded(picture, shell) for name, picture in paper.items()}
    loop = [(0.04, 0, 0.195), (0.085, 0, 0.19), (0.088, 0, 0.12), (0.058, 0, 0.09)]
    cap = lathe([(0.026, 0.2), (0.026, 0.238)], [(0.026, 0.238), (0, 0.238)])
    return (
        Part(mesh=body, texture=box_atlas((256, 176), padded, skin), specular=0.4, shininess=0.6),
        handle(loop, 0.011, skin),
        moved(Part(mesh=cap, texture=plain(pick(rng), rng), specular=0.4), (-0.012, 0, 0)),
    )


def _wrap(
    rng: np.random.Generator, word: str, radius: float, low: float, high: float, ground: Colour
) -> Part:
    """A paper label around a cylinder: front, small print, and again."""
    tall = 192
    wide = round(tall * 2 * np.pi * radius / (high - low) / 2)
    front, back = label(rng, (tall, wide), word, ground), small_print(rng, (tall, wide), ground)
    band = lathe([(radius + 0.0005, low), (radius + 0.0005, high)], segments=48)
    return Part(mesh=band, texture=np.concatenate([front, back], axis=1), specular=0.08)


def _padded(picture: Texture, ground: Colour) -> Texture:
    """The picture in the middle of a plain surface."""
    height, width = picture.shape[:2]
    out = np.empty((round(height * 1.5), round(width * 1.35), 3), np.uint8)
    out[:] = pixels(np.asarray(ground))
    top, left = (len(out) - height) * 3 // 5, (out.shape[1] - width) // 2
    out[top : top + height, left : left + width] = picture
    return out


PACKAGED: Mapping[str, Maker] = {
    "bottle": bottle,
    "can": can,
    "detergent": detergent,
    "jar": jar,
}

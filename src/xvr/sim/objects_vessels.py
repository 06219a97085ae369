"""Bottles, cups, pots and other hollow things; sizes in metres are those of the real things."""

from collections.abc import Mapping, Sequence

import numpy as np

from xvr.sim.meshes import Mesh, box, curve, grid, lathe, merged, rotation, sphere, stretched, tube
from xvr.sim.parts import Maker, Part, moved
from xvr.sim.prints import box_atlas, label, small_print
from xvr.sim.textures import (
    Colour,
    Texture,
    darkened,
    motif,
    noise,
    pick,
    pixels,
    plain,
    shaded,
    speckled,
    stripes,
)

Curve = Sequence[Sequence[float]] | np.ndarray


def _vessel(outer: Curve, wall: float, floor: float, texture: Texture, specular: float) -> Part:
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


def _wrap(
    rng: np.random.Generator, word: str, radius: float, low: float, high: float, ground: Colour
) -> Part:
    """A paper label around a cylinder: front, small print, and again."""
    tall = 192
    wide = round(tall * 2 * np.pi * radius / (high - low) / 2)
    front, back = label(rng, (tall, wide), word, ground), small_print(rng, (tall, wide), ground)
    band = lathe([(radius + 0.0005, low), (radius + 0.0005, high)], segments=48)
    return Part(mesh=band, texture=np.concatenate([front, back], axis=1), specular=0.08)


def _handle(path: Curve, radius: float, texture: Texture, flat: float = 1.0) -> Part:
    return Part(mesh=tube(curve(path, 18), radius, 12, flat), texture=texture, specular=0.3)


def _glaze(rng: np.random.Generator, shape: tuple[int, int] = (256, 256)) -> Texture:
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
    return shaded((1, 1, 1), noise(rng, shape, (4, 4), 3) * 0.06) * 0 + bands.transpose(1, 0, 2)


def bottle(rng: np.random.Generator) -> tuple[Part, ...]:
    """A bottle with a label and a cap."""
    r, tall = rng.uniform(0.031, 0.038), rng.uniform(0.22, 0.29)
    neck, top = 0.0135, tall - 0.018
    glass = pick(rng, "forest", "cocoa", "teal", "navy", "brick", "sage", spread=5)
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


def cup(rng: np.random.Generator) -> tuple[Part, ...]:
    """A mug with a handle."""
    r, tall = rng.uniform(0.038, 0.045), rng.uniform(0.085, 0.105)
    waist = r * rng.uniform(0.82, 1.0)
    outer = curve(
        [(0, 0.001), (waist * 0.85, 0), (waist, 0.006), (r * 0.98, tall * 0.5), (r, tall)], 20
    )
    texture = _glaze(rng)
    loop = [
        (waist * 0.97, 0, tall * 0.22),
        (r + 0.02, 0, tall * 0.24),
        (r + 0.03, 0, tall * 0.52),
        (r + 0.02, 0, tall * 0.8),
        (r * 0.97, 0, tall * 0.84),
    ]
    return _vessel(outer, 0.0035, 0.006, texture, 0.5), _handle(loop, 0.0052, texture[-60:], 1.3)


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
    return (_vessel(outer, 0.004, 0.01, _glaze(rng), 0.5),)


def plate(rng: np.random.Generator) -> tuple[Part, ...]:
    """A dinner plate."""
    r = rng.uniform(0.1, 0.13)
    outer = curve([(0, 0.002), (r * 0.6, 0), (r * 0.72, 0.008), (r, 0.022)], 16)
    inner = outer[::-1] + (0.0, 0.004)
    return (
        Part(
            mesh=lathe(outer, inner, segments=56),
            texture=_glaze(rng, (384, 384)),
            specular=0.5,
            shininess=0.7,
        ),
    )


def vase(rng: np.random.Generator) -> tuple[Part, ...]:
    """A vase with dry flowers."""
    r, tall = rng.uniform(0.05, 0.065), rng.uniform(0.17, 0.24)
    outer = curve(
        [(0, 0.001), (r * 0.6, 0), (r, tall * 0.4), (r * 0.42, tall * 0.82), (r * 0.55, tall)], 28
    )
    parts = [_vessel(outer, 0.003, 0.01, _glaze(rng), 0.5)]
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
        _handle(arch, 0.0085, black),
        Part(mesh=sphere(0.013, 12, 18).moved((0, 0, 0.148)), texture=black, specular=0.4),
    )


def teapot(rng: np.random.Generator) -> tuple[Part, ...]:
    """A round teapot."""
    glaze = _glaze(rng)
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
        Part(mesh=merged(body, lid), texture=glaze, specular=0.5, shininess=0.7),
        Part(mesh=spout, texture=glaze[-80:], specular=0.5, shininess=0.7),
        _handle(loop, 0.007, glaze[-80:]),
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
    return _vessel(
        np.concatenate([outer[:1], curve(outer[1:3], 10), outer[3:]]), 0.003, 0.004, ribs, 0.3
    ), _handle(wire, 0.0026, plain((150, 152, 156), rng))


def flower_pot(rng: np.random.Generator) -> tuple[Part, ...]:
    """A plant with broad leaves in a clay or glazed pot."""
    r, tall = rng.uniform(0.055, 0.07), rng.uniform(0.095, 0.12)
    clay = (
        speckled(rng, (256, 256), (182, 104, 72), (150, 84, 60))
        if rng.random() < 0.5
        else _glaze(rng)
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
        _vessel(
            np.concatenate([outer[:1], curve(outer[1:3], 8), outer[3:]]), 0.004, 0.006, clay, 0.15
        ),
        Part(mesh=soil, texture=earth, specular=0.0),
        Part(mesh=merged(*leaves), texture=shaded(green, tone), specular=0.2),
    )


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


def candle(rng: np.random.Generator) -> tuple[Part, ...]:
    """A thick candle on a saucer."""
    r, tall = rng.uniform(0.028, 0.036), rng.uniform(0.08, 0.14)
    wax = shaded(
        pick(rng, "cream", "rose", "sage", "white", "mustard", spread=5),
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
        Part(mesh=dish, texture=_glaze(rng), specular=0.4),
        Part(mesh=wick, texture=plain((40, 36, 34), rng, 8)),
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
        _handle(loop, 0.011, skin),
        moved(Part(mesh=cap, texture=plain(pick(rng), rng), specular=0.4), (-0.012, 0, 0)),
    )


def _padded(picture: Texture, ground: Colour) -> Texture:
    """The picture in the middle of a plain surface."""
    height, width = picture.shape[:2]
    out = np.empty((round(height * 1.5), round(width * 1.35), 3), np.uint8)
    out[:] = pixels(np.asarray(ground))
    top, left = (len(out) - height) * 3 // 5, (out.shape[1] - width) // 2
    out[top : top + height, left : left + width] = picture
    return out


PALE: Colour = (228, 224, 214)

VESSELS: Mapping[str, Maker] = {
    "bottle": bottle,
    "bowl": bowl,
    "bucket": bucket,
    "can": can,
    "candle": candle,
    "cup": cup,
    "detergent": detergent,
    "flower_pot": flower_pot,
    "jar": jar,
    "kettle": kettle,
    "plate": plate,
    "teapot": teapot,
    "vase": vase,
}

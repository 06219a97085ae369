"""Things that stand in the kitchen: what the robot picks up, and what only stands around.

Each function adds its shapes to a body whose origin is on the surface it stands on. Things to
pick up are upright, 11 to 20 cm tall and at most 7 cm wide between the fingers (along y).
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xvr.sim.kitchen_mjcf import Mjcf
from xvr.sim.kitchen_textures import Rgb, label, shade, wood

_Colours = tuple[Rgb, Rgb]

PRODUCT_COLOURS: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.75, 0.13, 0.12), (0.15, 0.1, 0.1)),
    ((0.12, 0.3, 0.6), (0.75, 0.5, 0.1)),
    ((0.15, 0.45, 0.22), (0.55, 0.12, 0.1)),
    ((0.85, 0.68, 0.15), (0.5, 0.1, 0.1)),
    ((0.85, 0.83, 0.78), (0.1, 0.35, 0.5)),
    ((0.42, 0.2, 0.45), (0.1, 0.3, 0.3)),
    ((0.82, 0.42, 0.12), (0.15, 0.2, 0.4)),
)
"""Wrapper and accent colours."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A thing that can be picked up."""

    name: str
    """What the instruction calls it."""
    height_m: float
    """From bottom to top."""
    radius_m: float
    """Half of its width between the fingers."""
    square: bool = False
    """Whether it is a box, which must face the robot, and not round."""


PRODUCTS = (
    Product(name="can", height_m=0.122, radius_m=0.033),
    Product(name="bottle", height_m=0.2, radius_m=0.031),
    Product(name="jar", height_m=0.125, radius_m=0.034),
    Product(name="milk carton", height_m=0.185, radius_m=0.032, square=True),
    Product(name="tea box", height_m=0.145, radius_m=0.03, square=True),
    Product(name="pepper mill", height_m=0.18, radius_m=0.027),
    Product(name="cup", height_m=0.115, radius_m=0.033),
)


def add_product(k: Mjcf, body: ET.Element, product: Product, rng: np.random.Generator) -> None:
    """Adds the visible and the solid shape of a product, about 200 g, centred on the body's z."""
    wrapper, accent = PRODUCT_COLOURS[rng.integers(len(PRODUCT_COLOURS))]
    _LOOKS[product.name](k, body, product, (wrapper, accent), rng)
    half = product.height_m / 2
    centre = (0.0, 0.0, half)
    physics = {"mass": "0.2", "friction": "1.5 0.05 0.002", "solref": "0.01 1"}
    if product.square:
        size = (product.radius_m, product.radius_m, half)
        k.solid(body, "box", size, centre, **physics)
    else:
        k.solid(body, "cylinder", (product.radius_m, half), centre, **physics)


def _can(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, accent = colours
    r, h = p.radius_m, p.height_m
    metal = k.material((0.72, 0.73, 0.75), gloss=0.6)
    paper = k.material(label(rng, wrapper, accent, "SOUP"), gloss=0.3)
    k.turned(body, [(0, 0), (r * 0.94, 0), (r, 0.005), (r, 0.008)], (0, 0, 0), metal)
    k.turned(body, [(r, 0.008), (r, h - 0.008)], (0, 0, 0), paper)
    rim = [(r, h - 0.008), (r, h - 0.003), (r * 0.94, h), (r * 0.88, h - 0.004), (0, h - 0.004)]
    k.turned(body, rim, (0, 0, 0), metal)


def _bottle(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, accent = colours
    r, h = p.radius_m, p.height_m
    glass = k.material(shade(wrapper, 0.8), gloss=0.8)
    paper = k.material(label(rng, (0.9, 0.88, 0.8), accent, "JUICE"), gloss=0.2)
    cap = k.material(accent, gloss=0.3)
    k.turned(body, [(0, 0), (r * 0.95, 0), (r, 0.006), (r, 0.02)], (0, 0, 0), glass)
    k.turned(body, [(r, 0.02), (r, h * 0.52)], (0, 0, 0), paper)
    t = np.linspace(0, 1, 7)
    neck = 0.013 + (r - 0.013) * (0.5 + 0.5 * np.cos(np.pi * t))
    shoulder = list(zip(neck, h * (0.52 + 0.3 * t), strict=True))
    k.turned(body, [*shoulder, (0.013, h - 0.022)], (0, 0, 0), glass)
    k.turned(body, [(0.015, h - 0.022), (0.015, h), (0, h)], (0, 0, 0), cap)


def _jar(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, accent = colours
    r, h = p.radius_m, p.height_m
    paper = k.material(label(rng, wrapper, accent, "JAM"), gloss=0.3)
    filling = k.material(shade(accent, 1.3), gloss=0.8)
    lid = k.material((0.82, 0.8, 0.74), gloss=0.5)
    k.turned(body, [(0, 0), (r * 0.92, 0), (r, 0.008), (r, 0.022)], (0, 0, 0), filling)
    k.turned(body, [(r, 0.022), (r, h - 0.042)], (0, 0, 0), paper)
    k.turned(
        body, [(r, h - 0.042), (r * 0.97, h - 0.03), (r * 0.85, h - 0.022)], (0, 0, 0), filling
    )
    k.turned(body, [(r * 0.95, h - 0.022), (r * 0.95, h - 0.002), (0, h)], (0, 0, 0), lid)


def _carton(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, _ = colours
    side, h = 2 * p.radius_m, p.height_m
    paper = k.material(label(rng, (0.93, 0.93, 0.92), shade(wrapper, 0.9), "MILK"), gloss=0.3)
    plain = k.material(shade(wrapper, 0.9), gloss=0.3)
    k.box(body, (side, side, h * 0.78), (0, 0, h * 0.39), paper, fit=True, solid=False)
    roof, base = k.material((0.92, 0.92, 0.9), gloss=0.3), h * 0.78
    levels, rise = 16, h * 0.17
    for level in range(levels):  # the gable, as thinning slabs
        size = (side * (1 - level / (levels + 1)), side, rise / levels)
        spot = (0, 0, base + rise * (level + 0.5) / levels)
        k.box(body, size, spot, roof, solid=False)
    k.box(body, (0.006, side, h * 0.05), (0, 0, h * 0.975), plain, solid=False)


def _tea_box(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, accent = colours
    side, h = 2 * p.radius_m, p.height_m
    paper = k.material(label(rng, wrapper, accent, "TEA"), gloss=0.2)
    lid = k.material(shade(wrapper, 0.75), gloss=0.2)
    k.box(body, (side, side, h - 0.03), (0, 0, h / 2 - 0.015), paper, fit=True, solid=False)
    k.box(body, (side, side, 0.03), (0, 0, h - 0.015), lid, solid=False)


def _pepper_mill(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    del colours  # wood has its own
    r, h = p.radius_m, p.height_m
    turned = k.material(wood(rng, (0.5, 0.3, 0.16)), gloss=0.5)
    metal = k.material((0.7, 0.7, 0.7), gloss=0.7)
    t = np.linspace(0, 1, 9)
    waist = r * (0.82 + 0.18 * np.cos(2 * np.pi * t))
    k.turned(body, [(0, 0), *zip(waist, h * 0.68 * t, strict=True)], (0, 0, 0), turned)
    k.turned(body, [(r * 0.8, h * 0.68), (r * 0.8, h * 0.71)], (0, 0, 0), metal)
    head = [(r * 0.98 * np.sin(a), h * 0.83 - h * 0.12 * np.cos(a)) for a in np.pi * t]
    k.turned(body, head, (0, 0, 0), turned)
    k.ball(body, (0, 0, h * 0.97), (0.008, 0.008, 0.007), metal)


def _cup(
    k: Mjcf, body: ET.Element, p: Product, colours: _Colours, rng: np.random.Generator
) -> None:
    wrapper, _ = colours
    r, h = p.radius_m, p.height_m
    outside = k.material(label(rng, (0.9, 0.89, 0.86), wrapper, "COFFEE"), gloss=0.5)
    inside = k.material((0.3, 0.2, 0.14), gloss=0.4)
    k.turned(body, [(0, 0), (r * 0.8, 0), (r, h), (r * 0.93, h)], (0, 0, 0), outside)
    k.turned(body, [(r * 0.93, h), (r * 0.85, h - 0.03), (0, h - 0.03)], (0, 0, 0), inside)


_LOOKS: dict[str, Callable[[Mjcf, ET.Element, Product, _Colours, np.random.Generator], None]] = {
    "can": _can,
    "bottle": _bottle,
    "jar": _jar,
    "milk carton": _carton,
    "tea box": _tea_box,
    "pepper mill": _pepper_mill,
    "cup": _cup,
}


def add_fruit_bowl(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A bowl with a few fruits."""
    glaze = k.material(PRODUCT_COLOURS[rng.integers(len(PRODUCT_COLOURS))][0], gloss=0.5)
    t = np.linspace(0, 1, 7)
    outer = [(0.05 + 0.08 * x**0.6, 0.075 * x**1.4) for x in t]
    inner = [(0.125 - 0.1 * x, 0.07 - 0.055 * x**0.7) for x in t]
    k.turned(body, [(0, 0), *outer, *inner, (0, 0.015)], (0, 0, 0), glaze)
    fruits: tuple[Rgb, ...] = ((0.75, 0.15, 0.1), (0.9, 0.5, 0.08), (0.45, 0.6, 0.12))
    for turn in range(4):
        angle = turn * 1.9 + rng.uniform(0, 0.6)
        spot = (0.055 * np.cos(angle), 0.055 * np.sin(angle), 0.07 + 0.012 * turn)
        skin = k.material(fruits[rng.integers(3)], gloss=0.3)
        k.ball(body, spot, (0.038, 0.038, 0.035), skin)


def add_utensil_crock(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A crock with spoons and a spatula."""
    glaze = k.material((0.86, 0.84, 0.78) if rng.random() < 0.5 else (0.25, 0.3, 0.33), gloss=0.4)
    k.turned(
        body,
        [(0, 0), (0.05, 0), (0.058, 0.07), (0.055, 0.15), (0.048, 0.15), (0.045, 0.1)],
        (0, 0, 0),
        glaze,
    )
    for turn in range(4):
        handle = k.material(wood(rng, (0.6, 0.42, 0.25)), gloss=0.2)
        angle = turn * np.pi / 2 + rng.uniform(-0.4, 0.4)
        lean = np.array([np.cos(angle), np.sin(angle)])
        top = (*(0.07 * lean), rng.uniform(0.24, 0.3))
        k.rod(body, (*(0.02 * lean), 0.08), top, 0.006, handle)
        k.ball(body, top, (0.02, 0.02, 0.032), handle)


def add_cutting_board(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A board lying flat with a loaf on it."""
    board = k.material(wood(rng, (0.68, 0.48, 0.28)), gloss=0.2)
    crust = k.material((0.62, 0.38, 0.17), gloss=0.1)
    k.box(body, (0.24, 0.36, 0.02), (0, 0, 0.01), board)
    k.ball(body, (0, 0, 0.055), (0.05, 0.11, 0.04), crust)


def add_kettle(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """An electric kettle."""
    steel = k.material((0.7, 0.71, 0.73) if rng.random() < 0.5 else (0.62, 0.12, 0.12), gloss=0.7)
    black = k.material((0.07, 0.07, 0.08), gloss=0.4)
    k.turned(body, [(0, 0), (0.085, 0), (0.085, 0.02), (0.08, 0.025)], (0, 0, 0), black)
    k.turned(body, [(0.08, 0.025), (0.076, 0.08), (0.06, 0.19), (0.02, 0.2)], (0, 0, 0), steel)
    k.ball(body, (0, 0, 0.205), (0.015, 0.015, 0.015), black)
    k.rod(body, (0, -0.055, 0.19), (0, -0.12, 0.19), 0.011, black)
    k.rod(body, (0, -0.12, 0.19), (0, -0.115, 0.06), 0.011, black)
    k.rod(body, (0, 0.055, 0.15), (0, 0.095, 0.185), 0.014, steel)


def add_paper_towels(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A roll of kitchen paper on its stand."""
    paper = k.material((0.93, 0.92, 0.9), gloss=0.05)
    stand = k.material(wood(rng, (0.45, 0.3, 0.2)), gloss=0.3)
    k.turned(body, [(0, 0), (0.075, 0), (0.075, 0.012), (0, 0.012)], (0, 0, 0), stand)
    k.turned(body, [(0.055, 0.014), (0.055, 0.26), (0.02, 0.26)], (0, 0, 0), paper)
    k.rod(body, (0, 0, 0.01), (0, 0, 0.3), 0.008, stand)


def add_plant(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A pot of herbs."""
    pot = k.material((0.66, 0.36, 0.24), gloss=0.1)
    k.turned(body, [(0, 0), (0.045, 0), (0.06, 0.1), (0.052, 0.1), (0, 0.09)], (0, 0, 0), pot)
    for _ in range(16):
        green = k.material((0.15, rng.uniform(0.32, 0.5), 0.12), gloss=0.1)
        spot = rng.normal(0, 0.03, 2)
        k.ball(body, (*spot, rng.uniform(0.11, 0.2)), (0.022, 0.02, 0.026), green)


def add_toaster(k: Mjcf, body: ET.Element, rng: np.random.Generator) -> None:
    """A toaster with two slots."""
    colours: tuple[Rgb, ...] = ((0.75, 0.75, 0.76), (0.7, 0.2, 0.16), (0.5, 0.66, 0.66))
    shell = k.material(colours[rng.integers(3)], gloss=0.6)
    black = k.material((0.05, 0.05, 0.05), gloss=0.2)
    k.box(body, (0.17, 0.28, 0.17), (0, 0, 0.1), shell)
    k.box(body, (0.16, 0.27, 0.015), (0, 0, 0.008), black, solid=False)
    for x in (-0.035, 0.035):
        k.box(body, (0.025, 0.2, 0.004), (x, 0, 0.185), black, solid=False)
    k.box(body, (0.03, 0.02, 0.03), (-0.09, 0.1, 0.12), black, solid=False)


DISTRACTORS = (
    add_fruit_bowl,
    add_utensil_crock,
    add_cutting_board,
    add_kettle,
    add_paper_towels,
    add_plant,
    add_toaster,
)

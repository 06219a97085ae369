"""Colours of everyday things and of wood, RGB in 0..255, and how one is drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

Colour = Sequence[float | int] | np.ndarray
"""Red, green and blue, 0..255."""

PALETTE: Mapping[str, tuple[int, int, int]] = {
    "brick": (168, 74, 58),
    "terracotta": (190, 108, 76),
    "mustard": (206, 160, 62),
    "cream": (236, 226, 202),
    "sage": (138, 158, 122),
    "forest": (62, 98, 74),
    "teal": (58, 124, 128),
    "sky": (128, 170, 200),
    "navy": (48, 66, 104),
    "plum": (112, 68, 100),
    "rose": (206, 144, 148),
    "coral": (216, 120, 100),
    "charcoal": (62, 64, 70),
    "stone": (154, 150, 144),
    "sand": (206, 186, 152),
    "white": (238, 236, 230),
    "cocoa": (110, 78, 60),
    "lavender": (160, 150, 192),
}
"""Muted colours of everyday things."""

TIMBER: Mapping[str, tuple[int, int, int]] = {
    "oak": (180, 142, 100),
    "walnut": (116, 84, 62),
    "pine": (206, 172, 126),
    "cherry": (152, 98, 72),
    "ash": (196, 180, 154),
    "teak": (158, 116, 76),
    "smoked": (92, 76, 66),
}
"""Colours of wood."""


def pick(rng: np.random.Generator, *names: str, spread: float = 10.0) -> Float[np.ndarray, "3"]:
    """One of the named colours of `PALETTE` (any, without names), slightly varied."""
    chosen = PALETTE[str(rng.choice(names or tuple(PALETTE)))]
    return np.clip(
        np.asarray(chosen) + rng.normal(0, spread, 3) * 0.6 + rng.normal(0, spread), 8, 246
    )


def pick_timber(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """One of the colours of `TIMBER`, slightly varied."""
    tone = np.asarray(TIMBER[str(rng.choice(tuple(TIMBER)))])
    return np.clip(tone * rng.uniform(0.92, 1.08) + rng.normal(0, 3, 3), 8, 246)


INK: Colour = (34, 32, 36)


PAPER: Colour = (240, 236, 224)


def contrast(ground: Colour) -> Colour:
    """Ink on light grounds, paper on dark ones."""
    return INK if np.dot(np.asarray(ground, float), (0.3, 0.59, 0.11)) > 120 else PAPER


def rgb(colour: Colour) -> tuple[int, int, int]:
    """The colour as OpenCV wants it."""
    r, g, b = (int(v) for v in colour)
    return r, g, b

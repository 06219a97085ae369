"""Procedural surfaces of the kitchen, painted into a compiled MuJoCo model.

Pictures are uint8 (h, w, 3) with row 0 at the top and repeat without a seam unless they are labels.
MuJoCo compiles a placeholder of the right size for each of them (`kitchen_mjcf`); `paint` then
overwrites the pixels in the model, so that no picture file is ever needed.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Rgb = tuple[float, float, float]
"""Red, green, blue in 0..1."""

Picture = UInt8[np.ndarray, "h w 3"]

SIZE = 256
"""Width and height of a repeating surface in pixels."""


def noise(
    rng: np.random.Generator, falloff: float = 1.5, stretch: float = 1.0
) -> Float[np.ndarray, "n n"]:
    """Periodic noise in 0..1 whose spectrum falls as frequency to the power -`falloff`.

    `stretch` above one draws the pattern out along the rows' direction (grain of wood).
    """
    frequency = np.fft.fftfreq(SIZE) * SIZE
    radius = np.hypot(frequency[:, None], frequency[None, :] * stretch)
    radius[0, 0] = 1.0
    spectrum = np.fft.fft2(rng.standard_normal((SIZE, SIZE))) / radius**falloff
    spectrum[0, 0] = 0.0
    field = np.fft.ifft2(spectrum).real
    low, high = np.percentile(field, [1, 99])
    return np.clip((field - low) / (high - low), 0.0, 1.0)


def blend(first: Rgb, second: Rgb, share: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """A picture that goes from `first` where `share` is 0 to `second` where it is 1."""
    a, b = np.asarray(first), np.asarray(second)
    mixed = a + (b - a) * share[..., None]
    return np.round(255 * np.clip(mixed, 0, 1)).astype(np.uint8)


def shade(colour: Rgb, factor: float) -> Rgb:
    """The colour made darker (below 1) or lighter (above 1)."""
    red, green, blue = (float(min(1.0, channel * factor)) for channel in colour)
    return red, green, blue


def wood(rng: np.random.Generator, colour: Rgb, contrast: float = 0.35) -> Picture:
    """Grain that runs along the rows."""
    grain = 0.6 * noise(rng, 1.2, 14.0) + 0.4 * noise(rng, 1.6, 5.0)
    return blend(shade(colour, 1 - contrast), shade(colour, 1 + contrast / 3), grain)


def stone(rng: np.random.Generator, colour: Rgb, fleck: Rgb) -> Picture:
    """Granite: clouds with fine flecks."""
    clouds = 0.35 * noise(rng, 1.6) + 0.3 * noise(rng, 0.4)
    return blend(colour, fleck, np.clip(clouds + 0.5 * (noise(rng, 0.6) > 0.72), 0, 1))


def marble(rng: np.random.Generator, colour: Rgb, vein: Rgb) -> Picture:
    """Light stone with a few veins."""
    field = noise(rng, 1.7)
    veins = np.exp(-(((field - 0.5) / 0.02) ** 2)) * noise(rng, 1.4)
    return blend(colour, vein, np.clip(veins + 0.15 * noise(rng, 1.5), 0, 1))


def plaster(rng: np.random.Generator, colour: Rgb) -> Picture:
    """Painted wall with a faint structure."""
    return blend(shade(colour, 0.95), shade(colour, 1.03), noise(rng, 0.8))


def tiles(rng: np.random.Generator, colour: Rgb, grout: Rgb, rows: int, columns: int) -> Picture:
    """Rows of tiles in running bond, each slightly different, with bevelled edges."""
    row = np.arange(SIZE) * rows / SIZE
    column = np.arange(SIZE)[None, :] * columns / SIZE + 0.5 * (row[:, None].astype(int) % 2)
    tone = rng.uniform(0.9, 1.0, (rows, columns))
    tile_row = row.astype(int)[:, None] + np.zeros((1, SIZE), int)
    tile_tone = tone[tile_row, column.astype(int) % columns]
    across, along = row[:, None] % 1.0, column % 1.0
    edge = np.minimum(np.minimum(across, 1 - across) / rows, np.minimum(along, 1 - along) / columns)
    share = np.clip((edge * SIZE - 1.0) / 1.5, 0, 1)
    picture = blend(grout, colour, share).astype(np.float64)
    picture *= (tile_tone * (0.96 + 0.04 * noise(rng, 1.2)))[..., None]
    return np.round(picture).astype(np.uint8)


def planks(rng: np.random.Generator, colour: Rgb) -> Picture:
    """Floor boards that run along the rows."""
    boards = 6
    picture = wood(rng, colour, 0.3).astype(np.float64)
    tone = rng.uniform(0.8, 1.05, boards)
    board = np.arange(SIZE) * boards // SIZE
    picture *= tone[board][:, None, None]
    joint = (np.arange(SIZE) * boards) % SIZE < boards
    picture[joint] *= 0.5
    return np.round(np.clip(picture, 0, 255)).astype(np.uint8)


def label(rng: np.random.Generator, colour: Rgb, accent: Rgb, text: str) -> Picture:
    """The wrapper of a product: bands, a badge and its name, twice around."""
    picture = np.empty((128, 256, 3), np.uint8)
    picture[:] = np.round(255 * np.asarray(colour))
    ink = tuple(int(255 * channel) for channel in accent)
    top = int(rng.integers(6, 22))
    cv2.rectangle(picture, (0, top), (255, top + 8), ink, -1)
    cv2.rectangle(picture, (0, 112 - top), (255, 120 - top), ink, -1)
    for left in (0, 128):
        cv2.ellipse(picture, (left + 64, 62), (52, 26), 0, 0, 360, ink, -1, cv2.LINE_AA)
        scale = 1.0
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
        scale = min(1.0, 92 / width)
        origin = (left + 64 - int(width * scale / 2), 62 + int(height * scale / 2))
        white = (250, 248, 240)
        cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_DUPLEX, scale, white, 2, cv2.LINE_AA)
    return picture


def display(text: str, glow: Rgb) -> Picture:
    """A dark glass panel with glowing characters."""
    picture = np.full((64, 128, 3), 12, np.uint8)
    ink = tuple(int(255 * channel) for channel in glow)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.1, 2)
    origin = (64 - width // 2, 32 + height // 2)
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_DUPLEX, 1.1, ink, 2, cv2.LINE_AA)
    return picture


def burners(colour: Rgb) -> Picture:
    """The glass of a cooktop with four rings."""
    picture = np.full((256, 256, 3), 16, np.uint8)
    ink = tuple(int(255 * channel) for channel in colour)
    for centre, radius in (((70, 70), 46), ((186, 70), 34), ((70, 186), 34), ((186, 186), 46)):
        for ring in (radius, radius - 6, radius // 2):
            cv2.circle(picture, centre, ring, ink, 2, cv2.LINE_AA)
    return picture


def paint(model: Any, pictures: Mapping[str, Picture]) -> None:
    """Writes the pictures into the placeholders of a compiled `mujoco.MjModel`, in place.

    Raises:
        ValueError: a picture has another size than the placeholder of its name.
    """
    for name, picture in pictures.items():
        texture = model.texture(name)
        start, count = int(model.tex_adr[texture.id]), picture.size
        size = (int(texture.height[0]), int(texture.width[0]), int(texture.nchannel[0]))
        if size != picture.shape:
            raise ValueError(f"texture {name!r} was compiled as {size}, got {picture.shape}")
        # MuJoCo's texture coordinate v grows with the row; meshes here use v upwards.
        model.tex_data[start : start + count] = picture[::-1].reshape(-1)

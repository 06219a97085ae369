"""Pictures of surfaces made of noise: wood, stone, cloth, tiles, carpet, glaze.

Textures are uint8 RGB, row 0 at the top, and most repeat without a seam. Colours are RGB in 0..255.
Everything is drawn from the generator that is passed in.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from xvr.sim.palette import PALETTE, Colour, rgb

Texture = UInt8[np.ndarray, "_ _ 3"]


def pixels(values: Colour) -> UInt8[np.ndarray, "*shape 3"]:
    """Rounds a colour, or a picture of colours, to uint8."""
    return np.clip(np.rint(np.asarray(values)), 0, 255).astype(np.uint8)


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], octaves: int = 4
) -> Float[np.ndarray, "h w"]:
    """Smooth random values in about -1..1 that repeat in both directions, float32.

    Args:
        rng: source of randomness.
        shape: rows and columns of the result.
        cells: bumps down and across in the coarsest octave; each octave doubles them.
        octaves: how many are added, each at half the strength.
    """
    height, width = shape
    turned = np.zeros((width, height), np.float32)
    for octave in range(octaves):
        down = min(cells[0] << octave, height)
        across = min(cells[1] << octave, width)
        knots = rng.uniform(-1, 1, (down, across)).astype(np.float32) * np.float32(0.5**octave)
        turned += _spread(np.ascontiguousarray(_spread(knots, height).T), width)
    return np.ascontiguousarray(turned.T)


def _spread(knots: Float[np.ndarray, "k n"], size: int) -> Float[np.ndarray, "size n"]:
    """Rows between rows by cubic interpolation (Catmull-Rom); after the last comes the first.

    OpenCV's resampling rounds places to 1/32 of a row, which shows as steps where few rows become
    many.
    """
    count = len(knots)
    at = np.arange(size, dtype=np.float32) * np.float32(count / size)
    row = np.minimum(at.astype(int), count - 1)
    t = (at - row)[:, None]
    weights = (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    out = np.zeros((size, knots.shape[1]), np.float32)
    for shift, weight in enumerate(weights):
        part = knots[(row + (shift - 1)) % count]
        part *= weight
        out += part
    return out


def shaded(base: Colour, amount: Float[np.ndarray, "h w"]) -> Texture:
    """A colour made lighter and darker by a map in about -1..1."""
    return pixels(np.asarray(base, np.float32) * (1 + amount[..., None]))


def plain(base: Colour, rng: np.random.Generator, size: int = 64, grain: float = 0.02) -> Texture:
    """One colour with fine grain, for painted wood, plastic and metal."""
    return shaded(
        base,
        noise(rng, (size, size), (4, 4), 2) * grain
        + rng.normal(0, grain, (size, size)).astype(np.float32),
    )


def wood(
    rng: np.random.Generator, shape: tuple[int, int], base: Colour, planks: int = 5
) -> Texture:
    """Boards that run across the picture, each with its own grain and tone, and dark joints."""
    height = shape[0]
    rows = np.arange(height)[:, None]
    board = rows * planks // height  # (h, 1)
    tone = rng.uniform(-0.1, 0.1, planks)[board]
    shift = rng.uniform(0, 40, planks)[board]
    warp = noise(rng, shape, (planks * 2, 2), 3)
    rings = np.sin((rows / height * planks * 9 + shift + warp * 3.2) * 2.0)
    fibres = noise(rng, shape, (height // 4, 6), 2)
    knots = np.clip(noise(rng, shape, (planks * 2, 5), 2) - 0.75, 0, 1)
    edge = np.minimum(rows % (height / planks), (height / planks) - 1 - rows % (height / planks))
    joint = np.where(edge < 1.0, -0.35, 0.0)
    return shaded(
        base, (tone + rings * 0.055 + fibres * 0.09 - knots * 0.5 + joint).astype(np.float32)
    )


def marble(rng: np.random.Generator, shape: tuple[int, int], base: Colour, vein: Colour) -> Texture:
    """Polished stone with veins and flecks."""
    cloud = noise(rng, shape, (3, 3), 5)
    thin = np.exp(-np.abs(noise(rng, shape, (2, 3), 5) + 0.3 * cloud) * 22)
    second = np.exp(-np.abs(noise(rng, shape, (5, 4), 4)) * 30) * 0.5
    flecks = (rng.random(shape) > 0.985) * 0.25
    mix = np.clip(thin * 0.8 + second * 0.6 + cloud * 0.08 + flecks, 0, 1)[..., None]
    return pixels(np.asarray(base) * (1 - mix) + np.asarray(vein) * mix + cloud[..., None] * 9)


def weave(rng: np.random.Generator, picture: Texture, depth: float = 0.07) -> Texture:
    """The picture as if woven: threads and slubs over it."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    threads = np.where((x // 2 + y // 2) % 2 == 0, 1.0, -1.0)
    slubs = noise(rng, (height, width), (max(height // 6, 1), 4), 2)
    slubs += noise(rng, (height, width), (4, max(width // 6, 1)), 2)
    amount = depth * (0.5 * threads + 0.8 * slubs)
    return pixels(picture * (1 + amount[..., None]))


def stripes(size: tuple[int, int], colours: Sequence[Colour], widths: Sequence[int]) -> Texture:
    """Upright stripes; the sequence repeats to fill the picture."""
    period = int(sum(widths))
    line = np.repeat(np.asarray([np.asarray(c, float) for c in colours]), widths, axis=0)
    return pixels(np.broadcast_to(line[np.arange(size[1]) % period], (*size, 3)))


def plaid(rng: np.random.Generator, shape: tuple[int, int], colours: Sequence[Colour]) -> Texture:
    """Tartan: the same random stripes down and across."""
    widths = [int(w) for w in rng.choice([4, 8, 16, 24, 32], 2 * len(colours))]
    order = [*colours, *colours]
    down = stripes(shape, order, widths).astype(np.float32)
    across = stripes((shape[1], shape[0]), order, widths).astype(np.float32).transpose(1, 0, 2)
    return weave(rng, pixels((down + across) / 2))


def tiles(
    rng: np.random.Generator,
    shape: tuple[int, int],
    counts: tuple[int, int],
    colours: Sequence[Colour],
) -> Texture:
    """Tiles with joints and a faint glaze: two colours make a chequerboard, more are mixed."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    row, column = y * counts[0] // height, x * counts[1] // width
    mixed = rng.integers(0, len(colours), counts)[row, column]
    which = (row + column) % 2 if len(colours) == 2 else mixed
    base = np.asarray([np.asarray(c, float) for c in colours])[which]
    tone = rng.uniform(-0.08, 0.08, counts)[row, column] + noise(rng, shape, (8, 8), 4) * 0.05
    dy, dx = height / counts[0], width / counts[1]
    gap = np.minimum.reduce([y % dy, dy - 1 - y % dy, x % dx, dx - 1 - x % dx])
    joint = np.where(gap < 1.5, -0.3, np.where(gap < 3, 0.04, 0.0))
    return pixels(base * (1 + (tone + joint)[..., None]))


def motif(
    rng: np.random.Generator,
    shape: tuple[int, int],
    ground: Colour,
    colours: Sequence[Colour],
    counts: tuple[int, int] = (6, 6),
    figure: int | None = None,
) -> Texture:
    """Dots, diamonds, flowers or leaves repeated on a ground, every other row shifted.

    Args:
        rng: source of randomness.
        shape: rows and columns of the picture.
        ground: colour between the figures.
        colours: of the figures, by turns.
        counts: figures down and across.
        figure: 0 dots, 1 diamonds, 2 flowers, 3 leaves, or None for any.
    """
    height, width = shape
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = pixels(np.asarray(ground))
    draw = _FIGURES[int(rng.integers(len(_FIGURES))) if figure is None else figure]
    dy, dx = height / counts[0], width / counts[1]
    size = 0.36 * min(dy, dx)
    for row in range(counts[0]):
        for column in range(-1, counts[1] + 1):
            colour = colours[(row + column) % len(colours)]
            centre = ((column + 0.5 + 0.5 * (row % 2)) * dx, (row + 0.5) * dy)
            draw(picture, centre, size, colour)
    return picture


def speckled(
    rng: np.random.Generator, shape: tuple[int, int], base: Colour, fleck: Colour
) -> Texture:
    """Glazed stoneware: soft clouds and flecks."""
    cloud = noise(rng, shape, (3, 4), 4) * 0.06
    spots = cv2.GaussianBlur(rng.random(shape).astype(np.float32), (0, 0), 0.8)
    mix = (spots > np.quantile(spots, 0.985))[..., None] * 0.7
    return pixels(np.asarray(base) * (1 + cloud[..., None]) * (1 - mix) + np.asarray(fleck) * mix)


def fur(rng: np.random.Generator, shape: tuple[int, int], base: Colour) -> Texture:
    """Short pile: fine strokes in all tones of one colour."""
    strokes = noise(rng, shape, (shape[0] // 6, shape[1] // 3), 2)
    return shaded(base, strokes * 0.16 + noise(rng, shape, (6, 6), 3) * 0.08)


def carpet(
    rng: np.random.Generator, shape: tuple[int, int], ground: Colour, colours: Sequence[Colour]
) -> Texture:
    """A rug with borders, a field of figures and a medallion, symmetrical in both directions."""
    height, width = shape
    quarter = motif(rng, (height // 2, width // 2), ground, colours, (5, 5))
    border = max(6, min(shape) // 40)
    for ring, colour in enumerate((*colours, ground)):
        low = ring * border
        cv2.rectangle(quarter, (low, low), (width, height), rgb(colour), border // 2 + 1)
    for ring in range(4):
        size = (4 - ring) * min(shape) // 11
        cv2.circle(quarter, (width // 2, height // 2), size, rgb(colours[ring % len(colours)]), -1)
    top = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
    return weave(rng, np.concatenate([top, top[::-1]]), 0.12)


def darkened(picture: Texture, by: Float[np.ndarray, "h w"]) -> Texture:
    """The picture times a map in 0..1, for the shade that lamps alone do not draw."""
    return pixels(picture * by[..., None])


def repeated(picture: Texture, down: int, across: int) -> Texture:
    """The picture several times beside itself."""
    return np.tile(picture, (down, across, 1))


def _dot(picture: Texture, at: tuple[float, float], size: float, colour: Colour) -> None:
    _ellipse(picture, at, (size * 0.8, size * 0.8), 0, colour)


def _diamond(picture: Texture, at: tuple[float, float], size: float, colour: Colour) -> None:
    corners = np.array([(0, -1), (0.7, 0), (0, 1), (-0.7, 0)]) * size + at
    cv2.fillPoly(picture, [np.rint(corners * 16).astype(np.int32)], rgb(colour), cv2.LINE_AA, 4)


def _flower(picture: Texture, at: tuple[float, float], size: float, colour: Colour) -> None:
    for angle in range(0, 360, 72):
        turn = np.radians(angle)
        petal = (at[0] + 0.5 * size * np.cos(turn), at[1] + 0.5 * size * np.sin(turn))
        _ellipse(picture, petal, (size * 0.45, size * 0.28), angle, colour)
    _ellipse(picture, at, (size * 0.25, size * 0.25), 0, PALETTE["mustard"])


def _leaf(picture: Texture, at: tuple[float, float], size: float, colour: Colour) -> None:
    for angle in (-50, 50):
        tip = (at[0] + 0.4 * size * np.sin(np.radians(angle)), at[1])
        _ellipse(picture, tip, (size * 0.7, size * 0.26), angle - 90, colour)


def _ellipse(
    picture: Texture,
    at: tuple[float, float],
    axes: tuple[float, float],
    angle: float | int,
    colour: Colour,
) -> None:
    centre = (round(at[0] * 16), round(at[1] * 16))
    size = (max(16, round(axes[0] * 16)), max(16, round(axes[1] * 16)))
    cv2.ellipse(picture, centre, size, angle, 0, 360, rgb(colour), -1, cv2.LINE_AA, 4)


_FIGURES: tuple[Callable[[Texture, tuple[float, float], float, Colour], None], ...] = (
    _dot,
    _diamond,
    _flower,
    _leaf,
)


def canvas(shape: tuple[int, int], colour: Colour) -> Texture:
    """A picture of one colour, to draw on."""
    picture = np.empty((*shape, 3), np.uint8)
    picture[:] = pixels(np.asarray(colour, float))
    return picture

"""Pictures that people hang up or print: landscapes, abstract paintings, emblems, frames.

uint8 RGB, row 0 at the top.
"""

import cv2
import numpy as np

from xvr.sim.palette import PAPER, pick, rgb
from xvr.sim.textures import Texture, canvas, noise, pixels, shaded


def emblem(
    picture: Texture, rng: np.random.Generator, at: tuple[float, float], size: float
) -> None:
    """A simple drawing: sun, fruit, mountain, fish or leaf, `size` as a share of the width."""
    height, width = picture.shape[:2]
    centre, radius = np.array([at[0] * width, at[1] * height]), size * width / 2
    main, second = pick(rng), pick(rng)
    kind = int(rng.integers(5))
    middle = (round(centre[0]), round(centre[1]))
    if kind == 0:
        for angle in np.arange(0, 2 * np.pi, np.pi / 6):
            tip = centre + radius * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(
                picture,
                middle,
                (round(tip[0]), round(tip[1])),
                rgb(main),
                max(2, round(radius / 8)),
                cv2.LINE_AA,
            )
        cv2.circle(picture, middle, round(radius * 0.6), rgb(second), -1, cv2.LINE_AA)
    elif kind == 1:
        for dx, dy in ((-0.35, 0.2), (0.35, 0.2), (0, -0.35)):
            place = (round(centre[0] + dx * radius), round(centre[1] + dy * radius))
            cv2.circle(picture, place, round(radius * 0.45), rgb(main), -1, cv2.LINE_AA)
            cv2.circle(picture, place, round(radius * 0.45), rgb(second), 2, cv2.LINE_AA)
    elif kind == 2:
        for shift, colour in ((-0.3, main), (0.35, second)):
            peak = (
                np.array([(-0.7, 0.7), (0, -0.7), (0.7, 0.7)]) * radius
                + centre
                + (shift * radius, 0)
            )
            cv2.fillPoly(picture, [np.rint(peak).astype(np.int32)], rgb(colour), cv2.LINE_AA)
    elif kind == 3:
        cv2.ellipse(
            picture,
            middle,
            (round(radius * 0.8), round(radius * 0.4)),
            0,
            0,
            360,
            rgb(main),
            -1,
            cv2.LINE_AA,
        )
        tail = np.array([(0.6, 0), (1, -0.4), (1, 0.4)]) * radius + centre
        cv2.fillPoly(picture, [np.rint(tail).astype(np.int32)], rgb(main), cv2.LINE_AA)
        cv2.circle(
            picture,
            (round(centre[0] - radius * 0.5), round(centre[1] - radius * 0.1)),
            max(2, round(radius * 0.09)),
            rgb(PAPER),
            -1,
        )
    else:
        for angle in (-60, 0, 60):
            shift = (
                np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))]) * radius * 0.45
            )
            place = (round(centre[0] + shift[0]), round(centre[1] + shift[1]))
            cv2.ellipse(
                picture,
                place,
                (round(radius * 0.5), round(radius * 0.2)),
                angle - 90,
                0,
                360,
                rgb(main),
                -1,
                cv2.LINE_AA,
            )


def landscape(rng: np.random.Generator, shape: tuple[int, int]) -> Texture:
    """Hills under a sky, with a sun or moon and trees."""
    height, width = shape
    mix = np.linspace(0, 1, height)[:, None, None]
    high, low = pick(rng, "sky", "teal", "lavender"), pick(rng, "cream", "rose", "sand")
    picture = pixels(np.broadcast_to(high * (1 - mix) + low * mix, (height, width, 3)))
    clouds = np.clip(noise(rng, shape, (4, 3), 4), 0, 1)[..., None] * 60
    picture = pixels(picture + clouds * (1 - mix))
    sun = (round(width * rng.uniform(0.2, 0.8)), round(height * rng.uniform(0.15, 0.35)))
    cv2.circle(
        picture, sun, round(min(shape) * 0.07), rgb(pick(rng, "cream", "mustard")), -1, cv2.LINE_AA
    )
    rows = np.arange(height)[:, None]
    for level, name in ((0.45, "lavender"), (0.58, "sage"), (0.72, "forest"), (0.86, "cocoa")):
        ridge = height * (level + 0.09 * noise(rng, (1, width), (1, 4), 3))
        tone = noise(rng, shape, (10, 12), 3)
        hill = shaded(pick(rng, name), tone * 0.12)
        picture = np.where((rows > ridge)[..., None], hill, picture)
    for _ in range(7):
        x, y = rng.uniform(0.05, 0.95) * width, rng.uniform(0.62, 0.9) * height
        size = height * rng.uniform(0.06, 0.13)
        tree = np.array([(-0.5, 0), (0, -2), (0.5, 0)]) * size + (x, y)
        cv2.fillPoly(
            picture, [np.rint(tree).astype(np.int32)], rgb(pick(rng, "forest", "sage")), cv2.LINE_AA
        )
    return picture


def abstract(rng: np.random.Generator, shape: tuple[int, int]) -> Texture:
    """Overlapping blocks and circles in muted colours."""
    picture = canvas(shape, pick(rng, "cream", "sand", "white"))
    height, width = shape
    for _ in range(9):
        x, y = round(rng.uniform(0, width)), round(rng.uniform(0, height))
        size = round(min(shape) * rng.uniform(0.08, 0.26))
        colour = rgb(pick(rng))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), size, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(
                picture, (x - size, y - size), (x + size, y + round(size * 0.6)), colour, -1
            )
    return pixels(picture * (1 + noise(rng, shape, (20, 20), 3)[..., None] * 0.06))


def framed(picture: Texture, wood: Texture, border: float = 0.07) -> Texture:
    """The picture in a frame with a light mount."""
    height, width = picture.shape[:2]
    edge = round(border * min(height, width))
    out = cv2.resize(wood, (width, height), interpolation=cv2.INTER_AREA)
    out[edge : height - edge, edge : width - edge] = pixels(np.asarray(PAPER, float))
    inner = cv2.resize(picture, (width - 4 * edge, height - 4 * edge), interpolation=cv2.INTER_AREA)
    out[2 * edge : height - 2 * edge, 2 * edge : width - 2 * edge] = inner
    return out

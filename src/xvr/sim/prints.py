"""Pictures with a front: labels with words, book covers, pictures, screens, clock faces, keys.

uint8 RGB, row 0 at the top. Words are drawn inside their frame, never cut or mirrored. All names
and brands are invented.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from xvr.sim.paintings import emblem
from xvr.sim.palette import Colour, contrast, pick, rgb
from xvr.sim.textures import Texture, canvas, noise, pixels

FONTS = (
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
)

BRANDS = (
    "MORLA", "Vento", "HILLTOP", "Oaken", "BRIVO", "Sunna", "Nordal", "PELIKA", "Tomera", "ZELDO",
    "Farrow", "LUMIA", "Kestra", "AMBER", "Finca", "ROYA", "Polder", "Marisol", "TINKA", "Orbo",
)  # fmt: skip

TITLES = (
    "THE LONG WAY HOME", "Winter Garden", "A History of Salt", "Rivers of Glass", "NIGHT TRAINS",
    "The Small Island", "Bread and Bees", "Maps for Sailors", "QUIET PLANETS", "The Clockmaker",
    "Cooking by Fire", "Birds of the Coast", "Stories for Rain", "THE BLUE DOOR", "Stone and Sky",
)  # fmt: skip


def write(
    picture: Texture,
    text: str,
    frame: tuple[float, float, float, float],
    colour: Colour,
    font: int = cv2.FONT_HERSHEY_DUPLEX,
    weight: float = 1.0,
) -> None:
    """Draws a word as large as fits into the frame (left, top, right, bottom, shares of 0..1)."""
    height, width = picture.shape[:2]
    left, top, right, bottom = (
        frame[0] * width,
        frame[1] * height,
        frame[2] * width,
        frame[3] * height,
    )
    (w, h), base = cv2.getTextSize(text, font, 1.0, 1)
    scale = min((right - left) / (w + 6), (bottom - top) / (h + base + 2))
    thick = max(1, round(scale * 2.2 * weight))
    origin = (
        round((left + right) / 2 - w * scale / 2),
        round((top + bottom) / 2 + (h - base * 0.4) * scale / 2),
    )
    cv2.putText(picture, text, origin, font, scale, rgb(colour), thick, cv2.LINE_AA)


def lines(
    picture: Texture,
    rng: np.random.Generator,
    frame: tuple[float, float, float, float],
    colour: Colour,
    count: int,
) -> None:
    """Small print: rows of short strokes like words."""
    height, width = picture.shape[:2]
    pitch = (frame[3] - frame[1]) * height / count
    thick = max(1, round(pitch * 0.38))
    for row in range(count):
        y = round(frame[1] * height + (row + 0.5) * pitch)
        x, end = frame[0] * width, frame[2] * width * rng.uniform(0.8, 1.0)
        while x < end - pitch:
            length = min(rng.uniform(0.5, 2.6) * pitch * 1.6, end - x)
            cv2.line(picture, (round(x), y), (round(x + length), y), rgb(colour), thick)
            x += length + pitch * 0.6


def barcode(
    picture: Texture, rng: np.random.Generator, frame: tuple[float, float, float, float]
) -> None:
    """Black bars on white."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = (
        round(v * s) for v, s in zip(frame, (width, height, width, height), strict=True)
    )
    picture[y0:y1, x0:x1] = 245
    bars = np.repeat(rng.integers(0, 2, 48), max(1, (x1 - x0 - 6) // 48))[: x1 - x0 - 6]
    picture[y0 + 3 : y1 - 3, x0 + 3 : x0 + 3 + len(bars)][:, bars == 1] = 20


def label(
    rng: np.random.Generator, shape: tuple[int, int], word: str, ground: Colour | None = None
) -> Texture:
    """The front of a package: brand, product word, emblem, a band and small print."""
    ground = pick(rng) if ground is None else ground
    picture = canvas(shape, ground)
    accent, ink = pick(rng), contrast(ground)
    picture[round(shape[0] * 0.60) : round(shape[0] * 0.78)] = pixels(accent)
    picture[: round(shape[0] * 0.04)] = picture[-round(shape[0] * 0.04) :] = pixels(accent)
    font = int(rng.choice(FONTS))
    write(picture, str(rng.choice(BRANDS)), (0.08, 0.07, 0.92, 0.29), ink, font, 1.3)
    emblem(picture, rng, (0.5, 0.45), min(0.42, 0.3 * shape[0] / shape[1]))
    write(picture, word.upper(), (0.1, 0.62, 0.9, 0.76), contrast(accent), font)
    lines(picture, rng, (0.12, 0.81, 0.62, 0.94), ink, 3)
    write(picture, f"{int(rng.integers(2, 20)) * 50} g", (0.66, 0.82, 0.92, 0.93), ink)
    return picture


def small_print(rng: np.random.Generator, shape: tuple[int, int], ground: Colour) -> Texture:
    """The back of a package: a heading, small print, a table and a barcode."""
    picture = canvas(shape, ground)
    ink = contrast(ground)
    write(picture, "INGREDIENTS", (0.1, 0.05, 0.9, 0.14), ink)
    lines(picture, rng, (0.1, 0.17, 0.9, 0.42), ink, 7)
    height, width = shape
    for row in range(6):
        y = round(height * (0.47 + 0.045 * row))
        cv2.line(picture, (round(width * 0.1), y), (round(width * 0.9), y), rgb(ink), 1)
    lines(picture, rng, (0.12, 0.47, 0.5, 0.69), ink, 5)
    barcode(picture, rng, (0.2, 0.76, 0.8, 0.94))
    return picture


def box_atlas(cell: tuple[int, int], faces: Mapping[str, Texture], rest: Texture) -> Texture:
    """Texture of `meshes.box`: pictures by face (front, right, back, ...); `rest` elsewhere."""
    names = ("front", "right", "back", "left", "top", "bottom")
    unknown = set(faces) - set(names)
    if unknown:
        raise ValueError(f"a box has no face {sorted(unknown)}; its faces are {names}")
    fitted = [
        cv2.resize(faces.get(name, rest), (cell[1], cell[0]), interpolation=cv2.INTER_AREA)
        for name in names
    ]
    return np.concatenate([np.concatenate(fitted[:3], axis=1), np.concatenate(fitted[3:], axis=1)])


def cover(rng: np.random.Generator, shape: tuple[int, int], title: str, ground: Colour) -> Texture:
    """The front of a book: title, emblem, author."""
    picture = pixels(canvas(shape, ground) * (1 + noise(rng, shape, (6, 6), 3)[..., None] * 0.05))
    ink = contrast(ground)
    words = title.split()
    half = (len(words) + 1) // 2
    font = int(rng.choice(FONTS))
    for row, part in enumerate((words[:half], words[half:])):
        if part:
            write(
                picture, " ".join(part), (0.1, 0.08 + 0.13 * row, 0.9, 0.19 + 0.13 * row), ink, font
            )
    emblem(picture, rng, (0.5, 0.58), 0.62)
    write(
        picture,
        f"{rng.choice(BRANDS).title()} {rng.choice(BRANDS).title()}",
        (0.2, 0.87, 0.8, 0.94),
        ink,
    )
    height, width = shape
    cv2.rectangle(picture, (6, 6), (width - 7, height - 7), rgb(pick(rng)), max(2, width // 70))
    return picture


def spine(shape: tuple[int, int], title: str, ground: Colour, band: Colour) -> Texture:
    """The back of a book, drawn across: a band at each end and the title between."""
    picture = canvas(shape, ground)
    width = shape[1]
    for left in (0.03, 0.93):
        picture[:, round(left * width) : round((left + 0.04) * width)] = pixels(
            np.asarray(band, float)
        )
    write(picture, title, (0.1, 0.15, 0.9, 0.9), contrast(ground))
    return picture


def clock_face(rng: np.random.Generator, size: int = 256) -> Texture:
    """A dial with twelve numbers and two hands."""
    ground = pick(rng, "white", "cream", "navy", "charcoal", "sage")
    ink = contrast(ground)
    picture = canvas((size, size), ground)
    hour = rng.uniform(0, 12)
    middle = np.array([size / 2, size / 2])

    def at(turn: float, radius: float) -> tuple[int, int]:
        place = middle + radius * size * np.array([np.sin(turn), -np.cos(turn)])
        return round(place[0]), round(place[1])

    for minute in range(60):
        turn = minute * np.pi / 30
        inner = 0.43 if minute % 5 else 0.41
        cv2.line(
            picture, at(turn, inner), at(turn, 0.46), rgb(ink), 1 if minute % 5 else 3, cv2.LINE_AA
        )
    for number in range(1, 13):
        x, y = at(number * np.pi / 6, 0.34)
        frame = ((x - 20) / size, (y - 13) / size, (x + 20) / size, (y + 13) / size)
        write(picture, str(number), frame, ink)
    cv2.line(picture, (size // 2, size // 2), at(hour * np.pi / 6, 0.2), rgb(ink), 7, cv2.LINE_AA)
    cv2.line(
        picture, (size // 2, size // 2), at((hour % 1) * 2 * np.pi, 0.31), rgb(ink), 4, cv2.LINE_AA
    )
    cv2.line(
        picture,
        (size // 2, size // 2),
        at(rng.uniform(0, 6.28), 0.36),
        (190, 60, 50),
        2,
        cv2.LINE_AA,
    )
    cv2.circle(picture, (size // 2, size // 2), 8, (190, 60, 50), -1, cv2.LINE_AA)
    return picture


def panel(
    rows: Sequence[Sequence[str]], shape: tuple[int, int], ground: Colour, key: Colour
) -> Texture:
    """Keys with signs on a ground, one row of the sequence per row of keys."""
    picture = canvas(shape, ground)
    height, width = shape
    for i, row in enumerate(rows):
        for j, sign in enumerate(row):
            x0, x1 = j * width / len(row), (j + 1) * width / len(row)
            y0, y1 = i * height / len(rows), (i + 1) * height / len(rows)
            gap = 0.08 * min(x1 - x0, y1 - y0)
            corners = (round(x0 + gap), round(y0 + gap)), (round(x1 - gap), round(y1 - gap))
            cv2.rectangle(picture, *corners, rgb(key), -1)
            if sign:
                frame = (
                    (x0 + 3 * gap) / width,
                    (y0 + 2 * gap) / height,
                    (x1 - 3 * gap) / width,
                    (y1 - 2 * gap) / height,
                )
                write(picture, sign, frame, contrast(key), cv2.FONT_HERSHEY_SIMPLEX)
    return picture

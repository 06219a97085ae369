"""Marks drawn on images: dots and arrows in five colours, each with a small label beside it.

A mark is filled with its colour and wrapped in a dark rim and a thin light halo, so it shows on any
background. All marks are drawn before any label, and labels keep off the marks
(`xvr.dataset.label_layout`). Sizes are shares of the image diagonal; positions are sub-pixel, with
pixel centres at +0.5.

    marked = draw_marks(image, [mark for mark in draft.marks if mark.image == 1])
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

from xvr.dataset.label_layout import (
    SHRINK_STEPS,
    Anchor,
    Box,
    Obstacle,
    nearest_free_place,
    place_labels,
)
from xvr.tasks.draft import Mark

RGB = {
    "red": (235, 20, 20),
    "green": (0, 190, 40),
    "blue": (20, 70, 255),
    "yellow": (255, 225, 0),
    "purple": (160, 30, 215),
}
"""The colour of each word in `xvr.tasks.draft.COLORS`."""
_DARK = (20, 20, 20)
_LIGHT = (245, 245, 245)
_PLATE_OPACITY = 0.7
_SHIFT = 8
"""Bits after the point of the coordinates that OpenCV gets."""
_BLUR_PX = 1.75
"""How far OpenCV's anti-aliasing paints beyond a shape, at most (measured)."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_CAPITAL_PX = 21.0
"""Height of a capital of the font at scale 1."""
_OVERSAMPLING = 4


class _Style(NamedTuple):
    """Lengths in pixels for one size of image."""

    radius: float
    """Of the coloured disc."""
    rim: float
    halo: float
    shaft: float
    """Half the width of an arrow's shaft."""
    capital: float
    """Height of a capital letter in a label."""

    @property
    def extent(self) -> float:
        """How far paint reaches from the centre of a dot."""
        return self.radius + self.rim + self.halo + _BLUR_PX


class _Plate(NamedTuple):
    """A label ready to be laid over an image: pixels become `pixels * keep / 255 + ink`."""

    keep: UInt8[np.ndarray, "h w 3"]
    ink: UInt8[np.ndarray, "h w 3"]


def draw_marks(
    image: UInt8[np.ndarray, "h w 3"],
    marks: Sequence[Mark],
    scale: float = 1.0,
    labels: bool = True,
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of an RGB image with all the marks given (their `image` number is not looked at).

    Args:
        image: what to draw on.
        marks: what to draw.
        scale: how much larger than usual marks and labels are; at more than 1.5 the dots of one
            image may touch where tasks allow them near each other.
        labels: draw the words beside the marks too.

    Colours stay visible where marks keep the tasks' distances: dots 8 % of the diagonal apart,
    arrows from one tail 30 degrees apart and 5 % of the diagonal long. A label for which there is
    no place at any size, on a crowded tiny image, is left out rather than hide a mark.

    Raises:
        ValueError: an arrow without a head, or shorter than a pixel.
    """
    drawn = np.array(image, order="C")
    height, width = drawn.shape[:2]
    style = _style(width, height, scale)
    arrows = [mark for mark in marks if mark.kind == "arrow"]
    layers = ((style.rim + style.halo, _LIGHT), (style.rim, _DARK), (0.0, None))
    outlines = _arrow_outlines(arrows, [grown for grown, _ in layers], style)
    # Layer by layer, so that no rim covers the colour of a neighbour.
    for (grown, paint), outlines_of_layer in zip(layers, outlines, strict=True):
        for mark in marks:
            if mark.kind == "dot":
                _fill_circle(drawn, mark.uv_px, style.radius + grown, paint or RGB[mark.color])
        for mark, outline in zip(arrows, outlines_of_layer, strict=True):
            cv2.fillPoly(drawn, [outline], paint or RGB[mark.color], cv2.LINE_AA, _SHIFT)
    for plate, box in _layout(marks, style, (width, height)) if labels else ():
        _lay_over(drawn, plate, box)
    return drawn


def mark_extent_px(width: int, height: int, scale: float = 1.0) -> float:
    """How far the paint of a mark reaches from a dot's centre or an arrow's ends, pixels.

    A mark whose dot centre, or whose tail and head, are so far inside the image is whole.
    """
    return _style(width, height, scale).extent


@lru_cache(maxsize=64)
def _style(width: int, height: int, scale: float) -> _Style:
    diagonal = math.hypot(width, height) * scale
    return _Style(
        radius=max(4.0, 0.011 * diagonal),
        rim=max(0.75, 0.002 * diagonal),
        halo=max(0.5, 0.00125 * diagonal),
        shaft=max(0.75, 0.0021 * diagonal),
        capital=max(7.0, 0.0165 * diagonal),
    )


def _arrow_outlines(
    arrows: Sequence[Mark], grown: Sequence[float], style: _Style
) -> Int32[np.ndarray, "layers arrows 8 2"]:
    """Outlines in OpenCV's fixed-point pixels, moved outwards by each of the lengths in `grown`."""
    corners = [[_arrow_outline(arrow, length, style) for arrow in arrows] for length in grown]
    scaled = np.array(corners).reshape(len(grown), len(arrows), 8, 2) * (1 << _SHIFT)
    return np.rint(scaled).astype(np.int32)


def _arrow_outline(mark: Mark, grown: float, style: _Style) -> list[tuple[float, float]]:
    """The corners of an arrow with its outline moved outwards by `grown`; the tip is cut blunt.

    The shaft starts some way from the tail, and the arrow with half its rim stays within 15 degrees
    of its direction, so that the colours of arrows from one tail, 30 degrees apart, do not touch.
    """
    if mark.uv_end_px is None:
        raise ValueError(f"arrow {mark.label!r} has no uv_end_px")
    length = math.dist(mark.uv_px, mark.uv_end_px)
    if length < 1.0:
        raise ValueError(f"arrow {mark.label!r} is {length:.2f} px long; it must be at least 1 px")
    slope = math.tan(math.radians(15.0))
    margin = 0.5 * style.rim + 0.5
    start = min((style.shaft + margin) / slope, 0.4 * length)
    head_length = min(2.2 * style.radius, 0.38 * length)
    neck = length - head_length
    head = max(min(0.75 * style.radius, slope * neck - margin), 1.25 * style.shaft)
    edge = math.hypot(head, head_length)
    normal_x, normal_y = head / edge, head_length / edge

    # Along x from the tail: points of the upper side, each the meeting of two moved edges.
    back, front = neck - grown, length + grown
    upper = [
        (start - grown, style.shaft + grown),
        (back, style.shaft + grown),
        (back, (grown + normal_x * (length - back)) / normal_y),
        (front, (grown + normal_x * (length - front)) / normal_y),
    ]
    lower = [(x, -y) for x, y in reversed(upper)]
    (u, v), (end_u, end_v) = mark.uv_px, mark.uv_end_px
    cos, sin = (end_u - u) / length, (end_v - v) / length
    return [(u - 0.5 + x * cos - y * sin, v - 0.5 + x * sin + y * cos) for x, y in (*upper, *lower)]


def _fill_circle(
    image: UInt8[np.ndarray, "h w 3"],
    uv: tuple[float, float],
    radius: float,
    color: tuple[int, int, int],
) -> None:
    scale = 1 << _SHIFT
    center = (round((uv[0] - 0.5) * scale), round((uv[1] - 0.5) * scale))
    cv2.circle(image, center, round(radius * scale), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _layout(
    marks: Sequence[Mark], style: _Style, image_size: tuple[int, int]
) -> list[tuple[_Plate, Box]]:
    """The labels and their boxes, as large as all of them fit."""
    gap = max(2.0, 0.4 * style.radius)
    labelled = [mark for mark in marks if mark.label]
    unlabelled = [mark for mark in marks if not mark.label]
    obstacles = [_obstacle(mark, style) for mark in (*labelled, *unlabelled)]
    plates, anchors, boxes = [], [], []
    for step in SHRINK_STEPS:
        plates = [_plate(mark.label, step * style.capital) for mark in labelled]
        anchors = [_anchor(m, p, style) for m, p in zip(labelled, plates, strict=True)]
        boxes = place_labels(anchors, obstacles, image_size, gap)
        if None not in boxes:
            break
    placed: list[tuple[_Plate, Box]] = []
    for plate, anchor, box in zip(plates, anchors, boxes, strict=True):
        if box is None:
            taken = [b for b in boxes if b is not None] + [b for _, b in placed]
            box = nearest_free_place(anchor, obstacles, taken, image_size, gap)
        if box is not None:
            placed.append((plate, box))
    return placed


def _obstacle(mark: Mark, style: _Style) -> Obstacle:
    return Obstacle(mark.uv_px, mark.uv_end_px or mark.uv_px, style.extent)


def _anchor(mark: Mark, plate: _Plate, style: _Style) -> Anchor:
    height, width = plate.ink.shape[:2]
    if mark.uv_end_px is None:
        return Anchor(mark.uv_px, style.extent, (width, height))
    du, dv = mark.uv_end_px[0] - mark.uv_px[0], mark.uv_end_px[1] - mark.uv_px[1]
    length = math.hypot(du, dv)
    return Anchor(mark.uv_end_px, style.extent, (width, height), (du / length, dv / length))


@lru_cache(maxsize=512)
def _plate(text: str, capital: float) -> _Plate:
    """White text on a dark, rounded, translucent plate; drawn larger, then reduced."""
    scale = _OVERSAMPLING * capital / _FONT_CAPITAL_PX
    stroke = max(1, round(_OVERSAMPLING * 0.15 * capital))
    (text_width, _), _ = cv2.getTextSize(text, _FONT, scale, stroke)
    pad = 0.35 * capital
    width = math.ceil(text_width / _OVERSAMPLING + 2 * pad)
    height = math.ceil(1.3 * capital + 2 * pad)
    large = np.zeros((2, height * _OVERSAMPLING, width * _OVERSAMPLING), np.uint8)
    letters, plate = large
    left = round(0.5 * (width * _OVERSAMPLING - text_width))
    baseline = round(_OVERSAMPLING * (pad + capital))
    cv2.putText(letters, text, (left, baseline), _FONT, scale, (255,), stroke, cv2.LINE_AA)
    corner = round(_OVERSAMPLING * pad)
    cv2.rectangle(
        plate, (corner, 0), (plate.shape[1] - 1 - corner, plate.shape[0]), (255,), cv2.FILLED
    )
    cv2.rectangle(
        plate, (0, corner), (plate.shape[1], plate.shape[0] - 1 - corner), (255,), cv2.FILLED
    )
    for x in (corner, plate.shape[1] - 1 - corner):
        for y in (corner, plate.shape[0] - 1 - corner):
            cv2.circle(plate, (x, y), corner, (255,), cv2.FILLED)
    size = (width, height)
    ink_letters, ink_plate = (
        cv2.resize(layer, size, interpolation=cv2.INTER_AREA)[..., None] / 255.0 for layer in large
    )
    opacity = (1.0 - ink_letters) * _PLATE_OPACITY * ink_plate
    ink = ink_letters * 255.0 + opacity * np.array(_DARK)
    keep = (1.0 - ink_letters - opacity) * np.full(3, 255.0)
    return _Plate(np.rint(keep).astype(np.uint8), np.rint(ink).astype(np.uint8))


def _lay_over(image: UInt8[np.ndarray, "h w 3"], plate: _Plate, box: Box) -> None:
    region = image[box.top : box.top + box.height, box.left : box.left + box.width]
    cv2.multiply(region, plate.keep, region, 1.0 / 255.0)
    cv2.add(region, plate.ink, region)

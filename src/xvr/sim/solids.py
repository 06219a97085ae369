"""Solids as meshes: turned profiles, tubes, ellipsoids, boxes and extrusions, and smooth curves.

Conventions are those of `meshes`: metres, z up, faces counter-clockwise from outside, textures that
read left to right from outside.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from xvr.sim.meshes import Mesh, Numbers, Points, grid, merged, stretched

_ATLAS_CELLS = ("front", "right", "back", "left", "top", "bottom")
"""Faces of a box in its texture: three columns and two rows, read like a text."""

_BOX_FRAMES = {
    "front": ((1, 0, 0), (0, 0, 1)),
    "right": ((0, 1, 0), (0, 0, 1)),
    "back": ((-1, 0, 0), (0, 0, 1)),
    "left": ((0, -1, 0), (0, 0, 1)),
    "top": ((1, 0, 0), (0, 1, 0)),
    "bottom": ((1, 0, 0), (0, -1, 0)),
}
"""Directions to the right and up of each face, for someone who looks at it; front faces -y."""


def lathe(*curves: Points, segments: int = 40) -> Mesh:
    """Turns curves of (radius, z) about the z axis; edges between two curves stay sharp.

    Follow the outline with the material on the left: from the middle of the bottom outwards, up,
    and for a vessel over the rim and down inside. The texture goes once around and from the end
    of the last curve (top row) to the start of the first (bottom row), by length.
    """
    outlines = [np.asarray(curve, float) for curve in curves]
    lengths = [_lengths(outline) for outline in outlines]
    total = sum(length[-1] for length in lengths)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    circle[-1] = circle[0]
    sheets, done = [], 0.0
    for outline, length in zip(outlines, lengths, strict=True):
        points = np.empty((len(outline), segments + 1, 3))
        points[..., :2] = outline[:, None, :1] * circle
        points[..., 2] = outline[:, None, 1]
        uv = np.empty((len(outline), segments + 1, 2))
        uv[..., 0] = angle / (2 * np.pi)
        uv[..., 1] = 1 - (done + length[:, None]) / total
        sheets.append(grid(points, uv))
        done += length[-1]
    return merged(*sheets)


def curve(points: Points, samples: int = 16) -> Float[np.ndarray, "samples d"]:
    """A smooth line through points of any dimension that never swings beyond them.

    Cubic by chord length. Slopes are harmonic means of the neighbouring steps, zero where a
    coordinate turns (Fritsch and Butland, "A method for constructing local monotone piecewise cubic
    interpolants", 1984).
    """
    knots = np.asarray(points, float)
    if len(knots) == 2:
        return np.linspace(knots[0], knots[1], samples)
    at = _lengths(knots)
    steps = np.diff(knots, axis=0) / np.diff(at)[:, None]
    before, after = steps[:-1], steps[1:]
    same = before * after > 0
    mean = 2 * before * after / np.where(same, before + after, 1.0)
    slopes = np.concatenate([steps[:1], np.where(same, mean, 0.0), steps[-1:]])
    t = np.linspace(0, at[-1], samples)
    i = np.clip(np.searchsorted(at, t, side="right") - 1, 0, len(knots) - 2)
    width = (at[i + 1] - at[i])[:, None]
    s = (t - at[i])[:, None] / width
    return (
        (2 * s**3 - 3 * s**2 + 1) * knots[i]
        + (s**3 - 2 * s**2 + s) * width * slopes[i]
        + (-2 * s**3 + 3 * s**2) * knots[i + 1]
        + (s**3 - s**2) * width * slopes[i + 1]
    )


def tube(
    path: Points,
    radius: float | Numbers,
    segments: int = 14,
    flat: float = 1.0,
) -> Mesh:
    """A round or oval tube along a path, closed at both ends; `flat` scales its second axis."""
    line = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), len(line))
    # One ring of no size at each end closes the tube; a second copy of the end ring keeps it flat.
    line = np.concatenate([line[:1], line, line[-1:]])
    radii = np.concatenate([[0.0], radii, [0.0]])
    tangents = np.gradient(line[1:-1], axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    tangents = np.concatenate([tangents[:1], tangents, tangents[-1:]])
    side = np.cross(tangents[0], [0.0, 0.0, 1.0])
    if np.linalg.norm(side) < 1e-3:
        side = np.array([1.0, 0.0, 0.0])
    rings = np.empty((len(line), segments + 1, 3))
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    angle[-1] = 0.0
    for ring, centre, tangent, size in zip(rings, line, tangents, radii, strict=True):
        side = side - tangent * (side @ tangent)
        side /= np.linalg.norm(side)
        other = np.cross(tangent, side)
        ring[:] = centre + size * (
            np.cos(angle)[:, None] * side + flat * np.sin(angle)[:, None] * other
        )
    return grid(rings)


def sphere(radii: float | Numbers, rows: int = 20, segments: int = 32) -> Mesh:
    """An ellipsoid about the origin with a map texture (longitude, latitude)."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    ball = lathe(np.stack([np.cos(latitude), np.sin(latitude)], axis=-1), segments=segments)
    return stretched(ball, np.broadcast_to(np.asarray(radii, float), 3))


def box(size: Numbers, bevel: float = 0.002, steps: int = 3) -> Mesh:
    """A box that stands on z = 0, with rounded edges and the texture of `textures.box_atlas`."""
    half = np.asarray(size, float) / 2
    bevel = min(bevel, 0.49 * 2 * float(half.min()))
    sheets = []
    for cell, name in enumerate(_ATLAS_CELLS):
        right, up = (np.asarray(axis, float) for axis in _BOX_FRAMES[name])
        outwards = np.cross(right, up)
        reach_right, reach_up = float(abs(right @ half)), float(abs(up @ half))
        x, y = _bevelled(reach_right, bevel, steps), _bevelled(reach_up, bevel, steps)
        flat = x[None, :, None] * right + y[:, None, None] * up + abs(outwards @ half) * outwards
        core = np.clip(flat, -(half - bevel), half - bevel)
        outside = flat - core
        normal = outside / np.linalg.norm(outside, axis=-1, keepdims=True)
        across, down = (x / reach_right + 1) / 2, (1 - y / reach_up) / 2
        uv = np.stack(np.meshgrid((cell % 3 + across) / 3, (cell // 3 + down) / 2), axis=-1)
        sheet = grid(core + bevel * normal, uv)
        sheets.append(
            Mesh(
                vertices=sheet.vertices,
                normals=normal.reshape(-1, 3),
                uv=sheet.uv,
                faces=sheet.faces,
            )
        )
    return merged(*sheets).moved((0, 0, half[2]))


def extrusion(outline: Points, depth: float) -> Mesh:
    """An outline in the x-z plane, seen from -y, made `depth` thick along y about y = 0.

    The outline is counter-clockwise for someone who looks along +y, and every point of it must be
    seen from its middle. The texture covers the bounding box of the outline on front and back.
    """
    line = np.asarray(outline, float)
    middle = (line.min(0) + line.max(0)) / 2
    ring = np.concatenate([line, line[:1]])
    span = np.maximum(np.ptp(line, axis=0), 1e-9)
    fan = np.stack([np.broadcast_to(middle, ring.shape), ring])  # (2, k + 1, 2)
    sheets = []
    for y, order in ((-depth / 2, slice(None, None, -1)), (depth / 2, slice(None))):
        flat = fan[:, order]
        points = np.stack([flat[..., 0], np.full(flat.shape[:2], y), flat[..., 1]], axis=-1)
        uv = (flat - line.min(0)) / span
        sheets.append(grid(points, np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1)))
    for start, end in pairwise(ring):
        wall = np.array([[(p[0], y, p[1]) for p in (start, end)] for y in (depth / 2, -depth / 2)])
        uv = np.array([[(p - line.min(0)) / span for p in (start, end)]] * 2)
        uv[..., 1] = 1 - uv[..., 1]
        sheets.append(grid(wall[::-1, ::-1], uv[::-1, ::-1]))
    return merged(*sheets)


def _bevelled(reach: float, bevel: float, steps: int) -> Float[np.ndarray, " k"]:
    """Places from -reach to reach, dense in the rounded part.

    Light is computed at vertices alone, so that long faces have some in between.
    """
    edge = bevel * (1 - np.tan(np.linspace(np.pi / 4, 0, steps)))
    flat = reach - bevel
    between = np.linspace(-flat, flat, 2 + int(flat / 0.06))[1:-1]
    return np.concatenate([edge - reach, between, reach - edge[::-1]])


def _lengths(line: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
    steps = np.maximum(np.linalg.norm(np.diff(line, axis=0), axis=1), 1e-9)
    return np.concatenate([[0.0], np.cumsum(steps)])

"""Triangle meshes with normals and texture coordinates, and smooth sheets through grids of points.

Metres, z up, objects stand on z = 0 near the origin. Faces are counter-clockwise seen from outside.
Texture coordinates run from (0, 0) at the top left of the image to (1, 1) at its bottom right; on
upright surfaces the picture reads left to right for someone who looks at it from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Numbers = Sequence[float | int] | np.ndarray
"""A place, a size or other few numbers."""

Points = Sequence[Numbers] | np.ndarray
"""A line of points of any dimension, metres."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles with a normal and a texture coordinate per vertex."""

    vertices: Float[np.ndarray, "n 3"]
    """Metres."""
    normals: Float[np.ndarray, "n 3"]
    """Unit length, outwards."""
    uv: Float[np.ndarray, "n 2"]
    """Texture coordinates; outside [0, 1] the texture repeats."""
    faces: Int[np.ndarray, "m 3"]
    """Vertex numbers, counter-clockwise from outside."""

    def moved(
        self,
        offset: Numbers = (0, 0, 0),
        turn: Float[np.ndarray, "3 3"] | None = None,
    ) -> "Mesh":
        """This mesh turned about the origin, then shifted by `offset` metres."""
        turn = np.eye(3) if turn is None else turn
        return Mesh(
            vertices=self.vertices @ turn.T + np.asarray(offset, float),
            normals=self.normals @ turn.T,
            uv=self.uv,
            faces=self.faces,
        )

    def two_sided(self) -> "Mesh":
        """This sheet with a back, so that it is drawn from both sides."""
        back = Mesh(
            vertices=self.vertices, normals=-self.normals, uv=self.uv, faces=self.faces[:, ::-1]
        )
        return merged(self, back)


def merged(*meshes: Mesh) -> Mesh:
    """All triangles of the meshes in one, for parts that share a texture."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        faces=np.concatenate(
            [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
        ),
    )


def rotation(axis: str, angle_rad: float) -> Float[np.ndarray, "3 3"]:
    """Right-handed rotation about `x`, `y` or `z`."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(angle_rad)
    matrix[j, i], matrix[i, j] = np.sin(angle_rad), -np.sin(angle_rad)
    return matrix


def grid(
    points: Float[np.ndarray, "rows cols 3"], uv: Float[np.ndarray, "rows cols 2"] | None = None
) -> Mesh:
    """A smooth sheet through a grid of points; equal points (seams, poles) share their normal.

    Seen from outside, columns run to the right and rows upwards. Without `uv` the texture spans
    the sheet once, upright.
    """
    rows, cols = points.shape[:2]
    if uv is None:
        across, up = np.meshgrid(np.linspace(0, 1, cols), np.linspace(1, 0, rows))
        uv = np.stack([across, up], axis=-1)
    number = np.arange(rows * cols).reshape(rows, cols)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    corners = np.stack([a, b, c, a, c, d], axis=-1)
    faces = corners.reshape(-1, 3)
    vertices = points.reshape(-1, 3).astype(np.float64)
    cross = _face_cross(vertices, faces)
    keep = np.linalg.norm(cross, axis=1) > 1e-12
    return Mesh(
        vertices=vertices,
        normals=smooth_normals(vertices, faces[keep]),
        uv=np.asarray(uv, float).reshape(-1, 2),
        faces=faces[keep],
    )


def smooth_normals(
    vertices: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "m 3"]
) -> Float[np.ndarray, "n 3"]:
    """Area-weighted mean of the face normals at each place; up where no face touches."""
    _, place = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    place = place.reshape(-1)
    cross = _face_cross(vertices, faces)
    total = np.zeros((place.max() + 1, 3))
    for corner in range(3):
        np.add.at(total, place[faces[:, corner]], cross)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    total = np.where(length > 1e-15, total / np.maximum(length, 1e-15), [0.0, 0.0, 1.0])
    return total[place]


def volume(mesh: Mesh) -> float:
    """Signed volume in cubic metres; positive for a closed mesh whose faces point outwards."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def stretched(mesh: Mesh, scale: Numbers) -> Mesh:
    """The mesh scaled along x, y and z by positive factors."""
    factors = np.asarray(scale, float)
    normals = mesh.normals / factors
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Mesh(vertices=mesh.vertices * factors, normals=normals, uv=mesh.uv, faces=mesh.faces)


def reshaped(mesh: Mesh, vertices: Float[np.ndarray, "n 3"]) -> Mesh:
    """The mesh with its vertices elsewhere and its normals smoothed again."""
    return Mesh(
        vertices=vertices,
        normals=smooth_normals(vertices, mesh.faces),
        uv=mesh.uv,
        faces=mesh.faces,
    )


def _face_cross(
    vertices: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "m 3"]
) -> Float[np.ndarray, "m 3"]:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    (ux, uy, uz), (vx, vy, vz) = (b - a).T, (c - a).T
    # numpy's cross takes several times as long for many small meshes.
    return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=-1)

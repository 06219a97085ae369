"""Rotations as a network should see them: six continuous numbers in place of a quaternion.

q and -q are the same rotation, so a quaternion jumps where a robot moves smoothly; the first two
columns of the matrix do not (Zhou et al., https://arxiv.org/abs/1812.07035).
"""

import numpy as np
from jaxtyping import Float

_TINY = 1e-8


def rotation_6d_from_quaternion(
    quat_xyzw: Float[np.ndarray, "*n 4"],
) -> Float[np.ndarray, "*n 6"]:
    """First and second column of the rotation matrix; the quaternion need not have length 1.

    Raises:
        ValueError: a quaternion of length 0 is no rotation.
    """
    length = np.linalg.norm(quat_xyzw, axis=-1, keepdims=True)
    if (length < _TINY).any():
        raise ValueError("a quaternion of length 0 is no rotation")
    x, y, z, w = np.moveaxis(quat_xyzw / length, -1, 0)
    first = (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w))
    second = (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w))
    return np.stack([*first, *second], axis=-1)


def orthonormal_6d(columns: Float[np.ndarray, "*n 6"]) -> Float[np.ndarray, "*n 6"]:
    """The nearest two columns that belong to a rotation (Gram-Schmidt), as a network rarely gives.

    Columns that are zero or parallel decide nothing; they become those of some rotation.
    """
    first = _unit(columns[..., :3], np.array([1.0, 0.0, 0.0]))
    second = columns[..., 3:] - first * (first * columns[..., 3:]).sum(-1, keepdims=True)
    spare = np.where(np.abs(first[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    spare = spare - first * (first * spare).sum(-1, keepdims=True)
    second = _unit(second, spare / np.linalg.norm(spare, axis=-1, keepdims=True))
    return np.concatenate([first, second], axis=-1).astype(columns.dtype)


def quaternion_from_rotation_6d(
    columns: Float[np.ndarray, "*n 6"],
) -> Float[np.ndarray, "*n 4"]:
    """The quaternion (x, y, z, w) of length 1 with w >= 0, of columns made orthonormal.

    The largest of its four entries is taken from the diagonal and the others from it, so that
    nothing is divided by a small number.
    """
    columns = orthonormal_6d(columns)
    a, b = columns[..., :3], columns[..., 3:]
    c = np.cross(a, b)
    matrix = np.stack([a, b, c], axis=-1)  # (*n, 3, 3)
    xx, yy, zz = np.einsum("...ii->i...", matrix)
    xy, xz, yz = (matrix[..., i, j] + matrix[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    xw, yw, zw = (matrix[..., i, j] - matrix[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    rows = (  # four times the products of x, y, z, w with each other
        (1 + xx - yy - zz, xy, xz, xw),
        (xy, 1 - xx + yy - zz, yz, yw),
        (xz, yz, 1 - xx - yy + zz, zw),
        (xw, yw, zw, 1 + xx + yy + zz),
    )
    products = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)  # (*n, 4, 4)
    largest = np.einsum("...ii->...i", products).argmax(-1)
    row = np.take_along_axis(products, largest[..., None, None], axis=-2)[..., 0, :]
    quat = row / np.linalg.norm(row, axis=-1, keepdims=True)
    return np.where(quat[..., 3:] < 0, -quat, quat).astype(columns.dtype)


def _unit(
    vectors: Float[np.ndarray, "*n 3"], fallback: Float[np.ndarray, "*m 3"]
) -> Float[np.ndarray, "*n 3"]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length < _TINY, fallback, vectors / np.maximum(length, _TINY))

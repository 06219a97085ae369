"""A hand-held walk around a table: poses that look at its middle, and a field of view that fits.

Two cameras on opposite sides at heights h1 and h2 above the point they look at see each other
about `(h1 + h2) / (2 * radius)` above the middle of the image (radians). The pitch is therefore
kept below the half field of view, so that the centre of a camera projects into the images from the
other side.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xvr.sim.meshes import Numbers

MARGIN = 0.06
"""Share of the image height kept free above the projected centre of an opposite camera."""


@dataclass(frozen=True, kw_only=True)
class Orbit:
    """One turn around the z axis."""

    fovx_deg: float
    """Horizontal field of view, degrees."""
    poses: Float[np.ndarray, "frames 4 4"]
    """World from camera, OpenCV axes, metres, in the order of the walk."""


def orbit(
    rng: np.random.Generator,
    frames: int,
    aspect: float,
    target: Numbers,
    reach: tuple[float, float],
) -> Orbit:
    """A full turn with slowly changing height and distance, a wandering gaze and a little shake.

    Args:
        rng: source of randomness.
        frames: number of poses.
        aspect: image width over height.
        target: what the cameras look at, world, metres.
        reach: least and greatest distance of a camera from the vertical axis through the target.
    """
    fovx = rng.uniform(66, 75)
    half_fovy = np.arctan(np.tan(np.radians(fovx) / 2) / aspect)
    limit = np.arctan((1 - 2 * MARGIN) * np.tan(half_fovy))
    pitch = rng.uniform(0.72, 0.92) * limit
    low, high = reach
    middle = rng.uniform(low + 0.25 * (high - low), high - 0.25 * (high - low))
    turn = 2 * np.pi * (np.arange(frames) + rng.uniform()) / frames * rng.choice([-1, 1])
    turn += _wave(rng, turn, 0.05)
    # The first harmonic has opposite signs on opposite sides: heights vary, their sum does not.
    tilt = pitch + limit * 0.2 * np.cos(turn + rng.uniform(0, 6.28)) + _wave(rng, turn, 0.012)
    radius = np.clip(
        middle + 0.25 * (high - low) * np.cos(turn * 2 + rng.uniform(0, 6.28)), low, high
    )
    gaze = np.asarray(target) + np.stack([_wave(rng, turn, 0.02) for _ in range(3)], axis=-1)
    eyes = np.stack(
        [
            target[0] + radius * np.cos(turn),
            target[1] + radius * np.sin(turn),
            target[2] + radius * np.tan(tilt),
        ],
        axis=-1,
    )
    eyes += rng.normal(0, 0.003, eyes.shape)
    gaze += rng.normal(0, 0.003, gaze.shape)
    roll = _wave(rng, turn, 0.015) + rng.normal(0, 0.004, frames)
    poses = np.stack(
        [look_at(eye, at, angle) for eye, at, angle in zip(eyes, gaze, roll, strict=True)]
    )
    return Orbit(fovx_deg=float(fovx), poses=poses)


def look_at(
    eye: Float[np.ndarray, "3"], at: Float[np.ndarray, "3"], roll_rad: float = 0.0
) -> Float[np.ndarray, "4 4"]:
    """World from camera, OpenCV axes: z towards `at`, the image upright, then rolled about z."""
    forward = (at - eye) / np.linalg.norm(at - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, 0] = np.cos(roll_rad) * right + np.sin(roll_rad) * down
    pose[:3, 1] = np.cos(roll_rad) * down - np.sin(roll_rad) * right
    pose[:3, 2] = forward
    pose[:3, 3] = eye
    return pose


def _wave(
    rng: np.random.Generator, turn: Float[np.ndarray, " n"], size: float
) -> Float[np.ndarray, " n"]:
    """A slow, closed wave of about this size."""
    phase = rng.uniform(0, 2 * np.pi, 3)
    return size * np.sin(np.multiply.outer(turn, (1, 2, 3)) + phase) @ np.array([0.5, 0.35, 0.25])

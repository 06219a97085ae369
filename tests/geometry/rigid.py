"""Random cameras, points and motions for the property tests of geometry."""

from typing import Literal

import numpy as np
from hypothesis import strategies as st

from xvr.geometry.camera import Camera

seeds = st.integers(0, 2**32 - 1)
Model = Literal["pinhole", "brown", "fisheye"]

models = st.sampled_from(["pinhole", "brown", "fisheye"])


def rotation(rng: np.random.Generator) -> np.ndarray:
    """Uniform over rotations."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def motion(rng: np.random.Generator, reach_m: float = 3.0) -> np.ndarray:
    """A rigid transform."""
    pose = np.eye(4)
    pose[:3, :3] = rotation(rng)
    pose[:3, 3] = rng.uniform(-reach_m, reach_m, 3)
    return pose


def camera(rng: np.random.Generator, model: Model = "pinhole") -> Camera:
    """A camera with a lens as mild as real ones, so that it can be inverted over the image."""
    distortion = {
        "pinhole": (),
        "brown": rng.uniform(-1, 1, 5) * (0.08, 0.02, 0.002, 0.002, 0.005),
        "fisheye": rng.uniform(-1, 1, 4) * (0.04, 0.01, 0.003, 0.001),
    }[model]
    return Camera(
        width=640,
        height=480,
        fx=float(rng.uniform(420, 700)),
        fy=float(rng.uniform(420, 700)),
        cx=float(rng.uniform(280, 360)),
        cy=float(rng.uniform(200, 280)),
        world_from_camera=motion(rng),
        model=model,
        distortion=tuple(map(float, distortion)),
    )


def moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Points after a rigid motion."""
    return points @ transform[:3, :3].T + transform[:3, 3]

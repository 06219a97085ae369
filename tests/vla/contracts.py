"""A small contract and observations that fit it."""

import numpy as np

from xvr.vla.contract import CameraSpec, Contract, FieldSpec
from xvr.vla.observation import Observation

CONTRACT = Contract(
    cameras=(
        CameraSpec(name="left_view", height=8, width=12),
        CameraSpec(name="wrist_view", height=8, width=8),
    ),
    state=(
        FieldSpec(name="position", dims=3, meaning="m, in the base's frame", names=("x", "y", "z")),
        FieldSpec(name="rotation", dims=4, kind="quaternion_xyzw"),
    ),
    action=(
        FieldSpec(name="position", dims=3),
        FieldSpec(name="gripper_close", dims=1, kind="binary_01"),
    ),
    fps=20.0,
    chunk=16,
    prompt="{instruction}",
    normalizer="ab12",
)


def observation(instruction: str = "open the drawer", seed: int = 0) -> Observation:
    rng = np.random.default_rng(seed)
    return Observation(
        images={
            camera.name: rng.integers(0, 256, (camera.height, camera.width, 3), dtype=np.uint8)
            for camera in CONTRACT.cameras
        },
        state=np.array([0.1, 0.2, 0.3, 0, 0, 0, 1], np.float32),
        instruction=instruction,
    )

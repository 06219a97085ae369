"""The four cameras of the kitchen robot.

Three cameras are fixed to the robot's base and look over the arm at the worktop: front in the
middle, left and right to either side of it, turned inwards. The fourth is on the hand. One rig
serves a whole dataset; an episode only shakes it by about a centimetre and a degree, as a real
mount would. Rigs of different datasets are turned about the place where the hand works, so that
what is left in one may be the middle of another: which it is shows only beside the other images.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xvr.sim.kitchen_mjcf import Vec3

CAMERAS = ("left_view", "right_view", "front_view", "wrist_view")
"""Names as they are in `observation.images.<name>`."""

BASE_BODY, HAND_BODY = "mobilebase0_support", "robot0_right_hand"
"""Bodies of robosuite's PandaOmron that carry the cameras."""


MOST_TURN_DEG = 40.0
"""How far from straight behind the robot the front camera may stand, to either side."""
SIDE_DEG = (18.0, 28.0)
"""Range of the angle between the front camera and each of its neighbours."""
_AWAY_M, _SIDES_UP_M, _FRONT_UP_M = 0.98, 0.8, 0.92


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One camera in the frame of the body that carries it."""

    name: str
    body: str
    position: Vec3
    """Metres."""
    rotation: Float[np.ndarray, "3 3"]
    """body_from_camera with MuJoCo's camera axes (x right, y up, z backward)."""
    fovy_deg: float


def sample_rig(rng: np.random.Generator) -> tuple[Mount, ...]:
    """The rig of a dataset, in the order of `CAMERAS`."""
    reach = np.array([0.62, 0.0, 0.35]) + rng.uniform(-0.03, 0.03, 3)
    fovy = float(rng.uniform(57, 61))
    turn_deg, side_deg = rng.uniform(-MOST_TURN_DEG, MOST_TURN_DEG), rng.uniform(*SIDE_DEG)
    mounts = []
    for name, angle_deg, up_m in (
        ("left_view", turn_deg - side_deg, _SIDES_UP_M),
        ("right_view", turn_deg + side_deg, _SIDES_UP_M),
        ("front_view", turn_deg, _FRONT_UP_M),
    ):
        angle = np.radians(angle_deg)
        away = np.array([-_AWAY_M * np.cos(angle), -_AWAY_M * np.sin(angle), 0.0])
        centre = away + np.array([*reach[:2], up_m]) + rng.uniform(-0.03, 0.03, 3)
        rotation = looking_at(centre, reach)
        mounts.append(_mount(name, BASE_BODY, centre, rotation, fovy))
    # Above the hand's back (its x axis is away from the flange's cables), looking along its
    # fingers and slightly inwards, so that both fingertips are in the picture.
    centre = np.array([0.09, 0.0, 0.02]) + rng.uniform(-0.005, 0.005, 3)
    rotation = looking_at(centre, np.array([0.0, 0.0, 0.22]), np.array([1.0, 0.0, 0.0]))
    mounts.append(_mount("wrist_view", HAND_BODY, centre, rotation, 72.0))
    return tuple(mounts)


def shaken(
    rig: tuple[Mount, ...], rng: np.random.Generator, shift_m: float = 0.005, turn_deg: float = 0.5
) -> tuple[Mount, ...]:
    """The rig as it is in one episode: each camera moved a little."""
    from scipy.spatial.transform import Rotation

    moved = []
    for mount in rig:
        turn = Rotation.from_rotvec(np.radians(turn_deg) * rng.standard_normal(3)).as_matrix()
        centre = np.array(mount.position) + shift_m * np.clip(rng.standard_normal(3), -2, 2)
        moved.append(_mount(mount.name, mount.body, centre, turn @ mount.rotation, mount.fovy_deg))
    return tuple(moved)


def add_camera(worldbody: ET.Element, mount: Mount) -> None:
    """Adds the camera to the MJCF body that carries it."""
    body = next(b for b in worldbody.iter("body") if b.get("name") == mount.body)
    axes = np.concatenate([mount.rotation[:, 0], mount.rotation[:, 1]])
    ET.SubElement(
        body,
        "camera",
        name=mount.name,
        pos=" ".join(f"{value:.9g}" for value in mount.position),
        xyaxes=" ".join(f"{value:.9g}" for value in axes),
        fovy=f"{mount.fovy_deg:g}",
    )


def looking_at(
    centre: Float[np.ndarray, " 3"],
    target: Float[np.ndarray, " 3"],
    up: Float[np.ndarray, " 3"] = np.array([0.0, 0.0, 1.0]),  # noqa: B008 - never written to
) -> Float[np.ndarray, "3 3"]:
    """body_from_camera (MuJoCo axes) of a camera at `centre` that looks at `target`."""
    backward = (centre - target) / np.linalg.norm(centre - target)
    right = np.cross(up, backward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(backward, right), backward], axis=1)


def _mount(
    name: str,
    body: str,
    centre: Float[np.ndarray, " 3"],
    rotation: Float[np.ndarray, "3 3"],
    fovy_deg: float,
) -> Mount:
    x, y, z = (float(value) for value in centre)
    return Mount(name=name, body=body, position=(x, y, z), rotation=rotation, fovy_deg=fovy_deg)

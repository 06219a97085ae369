"""Roles of the cameras of a robot, and the tables that give camera names their role.

A role says what a camera is mounted on and on which side of the robot it is, seen by the robot
itself: left is left for someone who stands at its base and looks at its work. A name that does not
tell that (DROID's `exterior_1_left` is the left eye of a stereo camera anywhere around the robot)
gets a role without side.

    assign_roles(["observation.images.left_view", "observation.images.wrist_view"])
    # ({"observation.images.left_view": "fix_left", "observation.images.wrist_view": "ego"}, [])
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from xvr.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Role:
    """What is known of where a camera is."""

    name: str
    mount: Literal["fixed", "wrist", "head"]
    """`fixed` cameras do not move with the arm; they may ride on a mobile base."""
    side: Literal["center", "left", "right"] | None
    """Side of the robot, or which of two wrists; None where the role does not say."""
    meaning: str


_ROLES = (
    Role(
        name="fix_center",
        mount="fixed",
        side="center",
        meaning="on the middle line, looking the way the robot faces",
    ),
    Role(
        name="fix_center_1",
        mount="fixed",
        side="center",
        meaning="a second camera on the middle line, looking the way the robot faces",
    ),
    Role(name="fix_left", mount="fixed", side="left", meaning="on the robot's left"),
    Role(name="fix_left_1", mount="fixed", side="left", meaning="a second one on its left"),
    Role(name="fix_right", mount="fixed", side="right", meaning="on the robot's right"),
    Role(name="fix_right_1", mount="fixed", side="right", meaning="a second one on its right"),
    Role(name="fix_top", mount="fixed", side=None, meaning="overhead, looking down"),
    Role(name="fix_front", mount="fixed", side=None, meaning="in front, or facing the robot"),
    Role(name="fix_side", mount="fixed", side=None, meaning="beside the work, side unknown"),
    Role(name="fix_side_1", mount="fixed", side=None, meaning="a second one, side unknown"),
    Role(name="fix_side_2", mount="fixed", side=None, meaning="a third one, side unknown"),
    Role(name="ego", mount="wrist", side=None, meaning="on the wrist of a one-armed robot"),
    Role(name="ego_1", mount="wrist", side=None, meaning="a second one on the wrist"),
    Role(name="ego_left", mount="wrist", side="left", meaning="on the left wrist"),
    Role(name="ego_right", mount="wrist", side="right", meaning="on the right wrist"),
    Role(name="ego_head", mount="head", side="center", meaning="on the robot's head"),
    Role(name="ego_head_1", mount="head", side="center", meaning="a second one on the head"),
    Role(name="ego_head_left", mount="head", side="left", meaning="on the left of the head"),
    Role(name="ego_head_right", mount="head", side="right", meaning="on the right of the head"),
)

ROLES: dict[str, Role] = {role.name: role for role in _ROLES}
"""Every role by its name."""

_NAMES: tuple[tuple[str, str], ...] = (
    # RoboCasa and its GR00T release; `agentview` cameras look the way the robot faces
    (r"(robot0_)?agentview_left|left_view", "fix_left"),
    (r"(robot0_)?agentview_right|right_view", "fix_right"),
    (r"(robot0_)?agentview_center|front_view|center_view", "fix_center"),
    (r"robot0_frontview|frontview|agentview", "fix_front"),
    (r"(robot0_)?eye_in_hand|wrist_view", "ego"),
    (r"robot0_eye_in_left_hand|left_wrist_view", "ego_left"),
    (r"robot0_eye_in_right_hand|right_wrist_view", "ego_right"),
    # DROID; the last word is the eye of a stereo camera
    (r"exterior_1_(left|right)|exterior_image_1_left", "fix_side"),
    (r"exterior_2_(left|right)|exterior_image_2_left", "fix_side_1"),
    (r"wrist_(image_)?left|wrist_right", "ego"),
    (r"ext1_cam", "fix_side"),
    (r"ext2_cam", "fix_side_1"),
    # ALOHA, static and mobile
    (r"cam_high", "fix_center"),
    (r"cam_low", "fix_center_1"),
    (r"(cam_|camera_)?(left_wrist|wrist_left_arm)(_\d_rgb)?", "ego_left"),
    (r"(cam_|camera_)?(right_wrist|wrist_right_arm)(_\d_rgb)?", "ego_right"),
    # AgiBot-World; its cameras on the back see nothing of the work and get no role
    (r"(cam_)?head(_color|_camera|_rgb)?", "ego_head"),
    (r"head_center_fisheye(_color)?", "ego_head_1"),
    (r"head_left_fisheye(_color)?", "ego_head_left"),
    (r"head_right_fisheye(_color)?", "ego_head_right"),
    (r"(cam_)?hand_left(_fisheye)?(_color)?", "ego_left"),
    (r"(cam_)?hand_right(_fisheye)?(_color)?", "ego_right"),
    # GR00T's demonstrations
    (r"ego_?view", "ego_head"),
    (r"(cam_)?(exterior|external)", "fix_side"),
    # RoboSet, FMB
    (r"(image|rgb)_left", "fix_left"),
    (r"(image|rgb)_right", "fix_right"),
    (r"(image|rgb)_top", "fix_top"),
    (r"(image|rgb)_wrist", "ego"),
    (r"(image_)?side_1", "fix_side"),
    (r"(image_)?side_2", "fix_side_1"),
    (r"(image_)?wrist_1", "ego"),
    (r"(image_)?wrist_2", "ego_1"),
    # Names that recording tools propose
    (r"(cam_|camera_)?left(_cam(era)?|_image|_rgb)?", "fix_left"),
    (r"(cam_|camera_)?right(_cam(era)?|_image|_rgb)?", "fix_right"),
    (r"(cam_|camera_)?cent(er|re)(_cam(era)?|_image|_rgb)?", "fix_center"),
    (r"(cam_|camera_)?(top|overhead)(_cam(era)?|_image|_rgb|_view)?", "fix_top"),
    (r"(cam_|camera_)?front(_cam(era)?|_image|_rgb)?", "fix_front"),
    (r"(cam_|camera_)?side(_cam(era)?|_image|_rgb|_view)?", "fix_side"),
    (r"(cam_|camera_)?(wrist|gripper|hand)(_cam(era)?|_image|_rgb)?", "ego"),
)
"""Patterns for the last part of a camera's name, lower case, and their role; the first wins."""

_BRIDGE = {"image_0": "fix_side", "image_1": "fix_side_1", "image_2": "fix_side_2"}
_NUMBERED: dict[str, dict[str, str]] = {
    "bridge_dataset": _BRIDGE,
    "bridge_orig": _BRIDGE,
    "bridge_data_v2": _BRIDGE,
}
"""Datasets that only number their cameras, which are moved every few dozen episodes.

Bridge's `image_3` is blank in most episodes; its place is not known to us."""

_MOVED_BETWEEN_EPISODES = re.compile(r"exterior_(image_)?\d_.*")
"""DROID's tripods stand elsewhere in each episode."""


class Assignment(NamedTuple):
    """Roles of the cameras of a dataset."""

    roles: dict[str, str]
    """Camera key to role, in the order of the keys."""
    left_out: list[str]
    """Keys without a role."""


def assign_roles(
    keys: Iterable[str], chosen: Mapping[str, str] | None = None, dataset: str = ""
) -> Assignment:
    """Give each camera a role of its own, from its name or from the user's choice.

    A role taken by an earlier key gives way to the one with suffix `_1`, if that exists. Cameras
    that the names do not place are left out.

    Args:
        keys: camera keys; only what follows `images.` (or the last point) counts.
        chosen: key, or its last part, to role; replaces the names when it is given.
        dataset: name of the dataset, where names have a meaning of their own in it.

    Raises:
        UserError: `chosen` names an unknown camera or role, or gives two cameras the same role.
    """
    ordered = sorted(keys)
    if chosen is not None:
        return _chosen_roles(ordered, chosen)
    known = _NUMBERED.get(dataset, {})
    roles: dict[str, str] = {}
    for key in ordered:
        role = known.get(short_name(key)) or role_of_name(short_name(key))
        free = [name for name in (role, f"{role}_1") if name in ROLES]
        free = [name for name in free if name not in roles.values()]
        if free:
            roles[key] = free[0]
    return Assignment(roles, [key for key in ordered if key not in roles])


def role_of_name(name: str) -> str | None:
    """The role that a camera's short name tells, or None."""
    lowered = name.lower()
    return next((role for pattern, role in _NAMES if re.fullmatch(pattern, lowered)), None)


def moves_between_episodes(key: str, dataset: str = "") -> bool:
    """Whether a fixed camera of this name may stand elsewhere in another episode."""
    name = short_name(key)
    known = _NUMBERED.get(dataset, {})
    return name in known or _MOVED_BETWEEN_EPISODES.fullmatch(name.lower()) is not None


def short_name(key: str) -> str:
    """The last part of a camera key: `observation.images.cam_high` -> `cam_high`."""
    return re.split(r"[./]", key)[-1]


def _chosen_roles(keys: list[str], chosen: Mapping[str, str]) -> Assignment:
    names = {short_name(key): key for key in keys} | {key: key for key in keys}
    roles: dict[str, str] = {}
    for name, role in chosen.items():
        if name not in names:
            raise unknown_name("camera", name, keys)
        if role not in ROLES:
            raise unknown_name("camera role", role, ROLES)
        if role in roles.values():
            raise UserError(f"camera {name!r}: role {role!r} is already taken, choose another")
        roles[names[name]] = role
    return Assignment(
        {key: roles[key] for key in keys if key in roles},
        [key for key in keys if key not in roles],
    )

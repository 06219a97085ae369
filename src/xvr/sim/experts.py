"""Scripted experts: a path of gripper poses per task, and the servo that follows it.

An expert knows the layout. It plans all waypoints before it moves, is stretched in time to the
duration asked for, and then only corrects the difference between where the gripper is and where
it should be, through the OSC_POSE action that a policy would use too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from xvr.sim.kitchen_layout import Layout
from xvr.sim.kitchen_mjcf import Vec3

if TYPE_CHECKING:
    from xvr.sim.kitchen import KitchenEnv

OPEN, CLOSED = -1.0, 1.0
"""Gripper commands."""

_MAX_STEP_M, _MAX_STEP_RAD = 0.05, 0.5
"""Displacement that an action of 1 asks for (robosuite's default OSC_POSE)."""

_LAG_S = 0.16
"""The controller is a critically damped spring (kp 150): it trails a moving goal by kd / kp."""


@dataclass(frozen=True, kw_only=True)
class Waypoint:
    """A pose of the gripper and how to get there."""

    position: Vec3
    """World, metres."""
    pitch_deg: float
    """Fingers point this far below the horizon."""
    yaw_deg: float = 0.0
    """Fingers point this far to the left of straight ahead."""
    gripper: float = OPEN
    """Command while going there."""
    speed_m_s: float = 0.16
    """Mean speed of the way there."""
    wait_s: float = 0.25
    """Time to stay."""
    exact: bool = False
    """Whether the way there keeps its speed when the path is stretched in time."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """Waypoints with the time at which each is reached and left."""

    positions: Float[np.ndarray, "w 3"]
    rotvecs: Float[np.ndarray, "w 3"]
    grippers: Float[np.ndarray, " w"]
    arrive_s: Float[np.ndarray, " w"]
    leave_s: Float[np.ndarray, " w"]

    @property
    def duration_s(self) -> float:
        """When the last waypoint is left."""
        return float(self.leave_s[-1])

    def at(self, time_s: float) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, "3 3"], float]:
        """Position, world_from_grip rotation and gripper command at a time; smooth in between."""
        from scipy.spatial.transform import Rotation, Slerp

        index = int(np.searchsorted(self.leave_s, time_s, side="right"))
        index = min(index, len(self.leave_s) - 1)
        if index == 0:
            return self.positions[0], _matrix(self.rotvecs[0]), float(self.grippers[0])
        start, end = self.leave_s[index - 1], self.arrive_s[index]
        share = float(np.clip((time_s - start) / max(end - start, 1e-9), 0, 1))
        share = min(1.0, share**3 * (10 - 15 * share + 6 * share**2))  # minimum jerk
        before, after = self.positions[index - 1], self.positions[index]
        turn = Slerp([0, 1], Rotation.from_rotvec(self.rotvecs[index - 1 : index + 1]))
        position = before + share * (after - before)
        return position, turn(share).as_matrix(), float(self.grippers[index])


def expert_path(
    env: "KitchenEnv", rng: np.random.Generator, duration_s: float | None, wander: bool = True
) -> Path:
    """The expert's plan from the gripper's present pose.

    Args:
        env: the kitchen, as it was reset.
        rng: draws what the plan leaves open.
        duration_s: about how long it is to last; None for as long as it takes.
        wander: look around before the task and after it; a policy cannot learn why.
    """
    lay = env.layout
    if lay.task == "PnPCabToCounter":
        ways = _pick_and_place(lay)
        around = _wander(lay, rng, OPEN), _wander(lay, rng, OPEN, np.array(lay.place_at))
    else:
        ways = _press(lay, np.array(env.target), rng)
        around = _wander(lay, rng, CLOSED), _wander(lay, rng, OPEN)
    if wander:
        ways = [*around[0], *ways, *around[1]]
    return _timed(env, ways, duration_s)


def act(env: "KitchenEnv", path: Path, time_s: float) -> Float[np.ndarray, " 12"]:
    """The environment's action that keeps the gripper on the path."""
    from scipy.spatial.transform import Rotation

    goal, goal_rotation, _ = path.at(time_s + _LAG_S)
    _, _, gripper = path.at(time_s)
    shift = goal - env.grip_position
    turn = Rotation.from_matrix(goal_rotation @ env.grip_rotation.T).as_rotvec()
    action = np.zeros(12)
    action[:3] = np.clip(shift / _MAX_STEP_M, -1, 1)
    action[3:6] = np.clip(turn / _MAX_STEP_RAD, -1, 1)
    action[10] = gripper
    action[11] = -1.0  # the arm moves, not the base
    return action


def grip_rotation(pitch_deg: float, yaw_deg: float) -> Float[np.ndarray, "3 3"]:
    """world_from_grip with the fingers (z) pitched below the horizon, closing sideways (x)."""
    pitch, yaw = np.radians([pitch_deg, yaw_deg])
    along = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), -np.sin(pitch)])
    across = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    return np.stack([across, np.cross(along, across), along], axis=1)


def _press(
    lay: Layout, target: Float[np.ndarray, " 3"], rng: np.random.Generator
) -> list[Waypoint]:
    """Come to the button with closed fingers, push it, come back."""
    # Joint 6 stays away from its limit (3.75) and from pi, where joints 5 and 7 are in line.
    low = target[2] < lay.counter_z_m + 0.2
    pitch = float(rng.uniform(47, 52) if low else rng.uniform(57, 63))
    yaw = float(rng.uniform(-8, 8))
    before = target + np.array([-0.1, 0.0, 0.03])
    pushed = target + np.array([0.012, 0.0, 0.0])
    return [
        _way(before + np.array([-0.06, 0, 0.02]), pitch, yaw, CLOSED),
        _way(before, pitch, yaw, CLOSED, speed=0.08),
        _way(pushed, pitch, yaw, CLOSED, speed=0.05, wait=0.5, exact=True),
        _way(before, pitch, yaw, CLOSED, speed=0.08, wait=0.1),
        _way(before + np.array([-0.12, 0, 0.05]), pitch + 15, yaw, OPEN),
    ]


def _pick_and_place(lay: Layout) -> list[Waypoint]:
    """Grasp in the cabinet, back out, put down on the counter, withdraw."""
    pitch = 36.0
    hold = min(0.62 * lay.product.height_m, 0.11)
    grasp = np.array(lay.product_at) + np.array([0, 0, hold])
    place = np.array(lay.place_at) + np.array([0, 0, hold + 0.006])
    front = lay.wall_x_m - lay.cabinet_depth_m
    above = max(grasp[2] + 0.05, 0.0)
    outside = np.array([front - 0.16, grasp[1], above + 0.03])
    back = np.array([np.cos(np.radians(pitch)), 0, -np.sin(np.radians(pitch))])
    over = place + np.array([-0.02, 0, 0.16])
    leave = place - 0.1 * back
    return [
        _way(outside, pitch, 0, OPEN),
        _way(grasp - 0.08 * back, pitch, 0, OPEN, speed=0.1),
        _way(grasp, pitch, 0, OPEN, speed=0.06, wait=0.2),
        _way(grasp, pitch, 0, CLOSED, wait=0.7, exact=True),
        _way(grasp + np.array([0, 0, 0.03]), pitch, 0, CLOSED, speed=0.08),
        _way(outside, pitch, 0, CLOSED, speed=0.1),
        _way(np.array([outside[0], over[1], (outside[2] + over[2]) / 2]), pitch, 0, CLOSED),
        _way(over, pitch, 0, CLOSED),
        _way(place, pitch, 0, CLOSED, speed=0.06, wait=0.4),
        _way(place, pitch, 0, OPEN, wait=0.6, exact=True),
        _way(leave, pitch, 0, OPEN, speed=0.08, wait=0.1),
        _way(leave + np.array([-0.05, 0, 0.2]), pitch + 10, 0, OPEN),
    ]


def _wander(
    lay: Layout,
    rng: np.random.Generator,
    gripper: float,
    away_from_m: Float[np.ndarray, " 3"] | None = None,
) -> list[Waypoint]:
    """One or two free poses in front of the robot, to either side: looking, or coming to rest."""
    side = float(rng.choice([-1.0, 1.0]))
    if away_from_m is not None:
        side = -1.0 if away_from_m[1] > 0 else 1.0
    ways = []
    for turn in (side, -0.6 * side)[: 1 if away_from_m is not None else 2]:
        x = lay.counter_x_m + float(rng.uniform(-0.04, 0.06))
        y = turn * float(rng.uniform(0.18, 0.3))
        z = lay.counter_z_m + float(rng.uniform(0.22, 0.42))
        pitch = float(rng.uniform(40, 75))
        yaw = np.degrees(np.arctan2(y, x)) * 0.7
        ways.append(_way(np.array([x, y, z]), pitch, float(yaw), gripper, wait=0.15))
    return ways


def _way(
    position: Float[np.ndarray, " 3"],
    pitch_deg: float,
    yaw_deg: float,
    gripper: float,
    *,
    speed: float = 0.16,
    wait: float = 0.25,
    exact: bool = False,
) -> Waypoint:
    x, y, z = (float(value) for value in position)
    return Waypoint(
        position=(x, y, z),
        pitch_deg=pitch_deg,
        yaw_deg=yaw_deg,
        gripper=gripper,
        speed_m_s=speed,
        wait_s=wait,
        exact=exact,
    )


def _timed(env: "KitchenEnv", ways: list[Waypoint], duration_s: float | None) -> Path:
    """Gives every way its time, stretched together to the duration asked for, if any."""
    from scipy.spatial.transform import Rotation

    start, rotation = env.grip_position, env.grip_rotation
    positions = np.array([start, *[way.position for way in ways]])
    rotations = [rotation, *[grip_rotation(way.pitch_deg, way.yaw_deg) for way in ways]]
    rotvecs = np.array([Rotation.from_matrix(matrix).as_rotvec() for matrix in rotations])
    moves = []
    for index, way in enumerate(ways):
        turn = Rotation.from_matrix(rotations[index + 1] @ rotations[index].T).magnitude()
        length = float(np.linalg.norm(positions[index + 1] - positions[index]))
        moves.append(max(length / way.speed_m_s, turn / 0.7, 0.1))
    fixed = sum(
        way.wait_s + (move if way.exact else 0) for way, move in zip(ways, moves, strict=True)
    )
    free = sum(0 if way.exact else move for way, move in zip(ways, moves, strict=True))
    stretch = 1.0 if duration_s is None else max((duration_s - fixed) / free, 0.3)
    arrive, leave, clock = [0.0], [0.1], 0.1
    for way, move in zip(ways, moves, strict=True):
        clock += move if way.exact else move * stretch
        arrive.append(clock)
        clock += way.wait_s
        leave.append(clock)
    return Path(
        positions=positions,
        rotvecs=rotvecs,
        grippers=np.array([ways[0].gripper, *[way.gripper for way in ways]]),
        arrive_s=np.array(arrive),
        leave_s=np.array(leave),
    )


def _matrix(rotvec: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(rotvec).as_matrix()

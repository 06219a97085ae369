"""One expert episode simulated without pictures, and what the robot observes along it.

Positions are in the world in metres, quaternions are (x, y, z, w). Row `i` is what is there at
`i / CONTROL_HZ` seconds, before action `i` is applied.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from xvr.sim.kitchen_rig import CAMERAS
from xvr.sim.renderer import import_mujoco, world_from_camera

if TYPE_CHECKING:
    from xvr.sim.kitchen import KitchenEnv

_BASE, _ARM = "mobilebase0_base", [f"robot0_joint{number}" for number in range(1, 8)]
_FINGERS = [f"gripper0_right_finger_joint{number}" for number in (1, 2)]
_GRIP = "gripper0_right_grip_site"

STATE_NAMES = (
    *(f"base_position_{axis}" for axis in "xyz"),
    *(f"base_rotation_{axis}" for axis in "xyzw"),
    *(f"end_effector_position_absolute_{axis}" for axis in "xyz"),
    *(f"end_effector_position_relative_{axis}" for axis in "xyz"),
    *(f"end_effector_rotation_absolute_{axis}" for axis in "xyzw"),
    *(f"end_effector_rotation_relative_{axis}" for axis in "xyzw"),
    *(f"gripper_qpos_{number}" for number in range(2)),
    *(f"gripper_qvel_{number}" for number in range(2)),
    *(f"joint_position_{number}" for number in range(7)),
    *(f"joint_position_cos_{number}" for number in range(7)),
    *(f"joint_position_sin_{number}" for number in range(7)),
    *(f"joint_velocity_{number}" for number in range(7)),
)
"""Elements of `observation.state`; the order is that of NVIDIA's RoboCasa data
(PhysicalAI-Robotics-GR00T-X-Embodiment-Sim, single_panda_gripper)."""

ACTION_NAMES = (
    *(f"base_motion_{name}" for name in ("x", "y", "yaw", "torso")),
    "control_mode",
    *(f"end_effector_position_{axis}" for axis in "xyz"),
    *(f"end_effector_rotation_{axis}" for axis in "xyz"),
    "gripper_close",
)
"""Elements of `action`, ordered as robocasa/robocasa@be22d65
robocasa/models/assets/groot_dataset_assets/PandaOmron_modality.json."""

_ENV_INDEX = (7, 8, 9, 6, 11, 0, 1, 2, 3, 4, 5, 10)
"""For each element of `action` its place in the environment's action."""


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """An episode as numbers."""

    success: bool
    qpos: Float[np.ndarray, "t q"]
    """Generalised positions, enough to draw every frame."""
    qvel: Float[np.ndarray, "t v"]
    actions: Float[np.ndarray, "t 12"]
    """In the order of `ACTION_NAMES`."""
    rewards: Float[np.ndarray, " t"]
    """1 from when the task is done."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What the numbers mean: the robot's state and where its cameras are."""

    state: Float[np.ndarray, "t 53"]
    """In the order of `STATE_NAMES`."""
    grip_m: Float[np.ndarray, "t 3"]
    """Point between the fingertips."""
    world_from_camera: dict[str, Float[np.ndarray, "t 4 4"]]
    """By camera; OpenCV axes."""


def dataset_action(action: Float[np.ndarray, "*n 12"]) -> Float[np.ndarray, "*n 12"]:
    """From the environment's order to that of `ACTION_NAMES`."""
    return action[..., list(_ENV_INDEX)]


def environment_action(action: Float[np.ndarray, "*n 12"]) -> Float[np.ndarray, "*n 12"]:
    """From the order of `ACTION_NAMES` to the environment's; the inverse of `dataset_action`."""
    return action[..., np.argsort(_ENV_INDEX)]


def roll_out(env: "KitchenEnv", rng: np.random.Generator, seconds: float) -> Rollout:
    """Lets the expert do the task of a freshly reset kitchen in about so many seconds."""
    from xvr.sim.experts import act, expert_path
    from xvr.sim.kitchen import CONTROL_HZ

    path = expert_path(env, rng, seconds)
    steps = int(np.ceil(path.duration_s * CONTROL_HZ))
    qpos, qvel, actions, rewards = [], [], [], []
    reward = 0.0
    for step in range(steps):
        action = act(env, path, step / CONTROL_HZ)
        qpos.append(env.mj_data.qpos.copy())
        qvel.append(env.mj_data.qvel.copy())
        actions.append(action)
        _, reward, _, _ = env.step(action)
        rewards.append(reward)
    return Rollout(
        success=reward > 0,
        qpos=np.array(qpos),
        qvel=np.array(qvel),
        actions=dataset_action(np.array(actions)),
        rewards=np.array(rewards),
    )


def thinned(rollout: Rollout, step: int) -> Rollout:
    """Every `step`-th row of a rollout, with the greatest reward until the next one."""
    if step == 1:
        return rollout
    return Rollout(
        success=rollout.success,
        qpos=rollout.qpos[::step],
        qvel=rollout.qvel[::step],
        actions=rollout.actions[::step],
        rewards=np.maximum.reduceat(rollout.rewards, np.arange(0, len(rollout.rewards), step)),
    )


def observe(model: Any, rollout: Rollout) -> Observed:
    """Recomputes states and camera poses from the generalised positions.

    The simulator's own values lag by a substep of 2 ms behind its positions.
    """
    mujoco = import_mujoco()
    data = mujoco.MjData(model)
    states, grips = [], []
    poses: dict[str, list[np.ndarray]] = {name: [] for name in CAMERAS}
    for qpos, qvel in zip(rollout.qpos, rollout.qvel, strict=True):
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        states.append(robot_state(data))
        grips.append(data.site(_GRIP).xpos.copy())
        for name in CAMERAS:
            poses[name].append(world_from_camera(data, name))
    return Observed(
        state=np.array(states),
        grip_m=np.array(grips),
        world_from_camera={name: np.array(values) for name, values in poses.items()},
    )


def robot_state(data: Any) -> Float[np.ndarray, " 53"]:
    """The robot's state in the order of `STATE_NAMES`, after `mj_kinematics`."""
    from scipy.spatial.transform import Rotation

    base, grip = data.body(_BASE), data.site(_GRIP)
    base_turn = Rotation.from_matrix(base.xmat.reshape(3, 3))
    grip_turn = Rotation.from_matrix(grip.xmat.reshape(3, 3))
    joints = np.array([data.joint(name).qpos[0] for name in _ARM])
    return np.concatenate(
        [
            base.xpos,
            base_turn.as_quat(canonical=True),
            grip.xpos,
            base_turn.inv().apply(grip.xpos - base.xpos),
            grip_turn.as_quat(canonical=True),
            (base_turn.inv() * grip_turn).as_quat(canonical=True),
            [data.joint(name).qpos[0] for name in _FINGERS],
            [data.joint(name).qvel[0] for name in _FINGERS],
            joints,
            np.cos(joints),
            np.sin(joints),
            [data.joint(name).qvel[0] for name in _ARM],
        ]
    )

"""Three tasks of the simulated kitchen, under our own names.

Press a coffee machine's button, stop a microwave, take something from a cabinet to the counter.
Fixtures, cameras, poses, constants and rules of success are those of `xvr.sim`. They resemble
tasks that others have published, and are none of them: a success rate here is to be compared with
nothing but another one from here. Every episode is a kitchen of its own, drawn from its seed.

Names and order of the state and the action are those of `sim.kitchen_rollout`, of the state what
policies for such robots usually take.
"""

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from xvr.sim.kitchen_layout import KitchenTask
from xvr.sim.kitchen_rig import sample_rig, shaken
from xvr.sim.kitchen_rollout import ACTION_NAMES, STATE_NAMES, environment_action
from xvr.vla.contract import CameraSpec, Contract, FieldSpec, Kind
from xvr.vla.environment import Action, EpisodePlan
from xvr.vla.observation import Observation

if TYPE_CHECKING:
    from xvr.sim.experts import Path
    from xvr.sim.kitchen import KitchenEnv
    from xvr.sim.kitchen_view import KitchenView

CAMERAS = ("left_view", "right_view", "wrist_view")
SIZE_PX = 256

_OF_SIM: dict[str, KitchenTask] = {
    "press-coffee-button": "CoffeePressButton",
    "stop-microwave": "TurnOffMicrowave",
    "cabinet-to-counter": "PnPCabToCounter",
}
"""How the simulator calls our tasks."""

_MAX_STEPS = {"press-coffee-button": 300, "stop-microwave": 300, "cabinet-to-counter": 600}
_RIG_SEED = 7
_STATE = (
    "base_position",
    "base_rotation",
    "end_effector_position_relative",
    "end_effector_rotation_relative",
    "gripper_qpos",
)
_KINDS: dict[str, Kind] = {
    "base_rotation": "quaternion_xyzw",
    "end_effector_rotation_relative": "quaternion_xyzw",
    "control_mode": "binary_pm1",
    "gripper_close": "binary_pm1",
}
_MEANINGS = {
    "base_position": "metres, world",
    "base_rotation": "world_from_base",
    "end_effector_position_relative": "metres, base",
    "end_effector_rotation_relative": "base_from_grip",
    "gripper_qpos": "metres",
    "base_motion": "x, y, yaw, torso; the base stands still",
    "control_mode": "+1 moves the base, -1 the arm",
    "end_effector_position": "share of 5 cm per step, base",
    "end_effector_rotation": "share of 0.5 rad per step, base",
    "gripper_close": "+1 closes, -1 opens",
}


def _fields(names: tuple[str, ...]) -> dict[str, FieldSpec]:
    """Entries named `<field>_<entry>`, in their order, as fields."""
    found = {}
    for stem, group in groupby(names, key=lambda name: name.rpartition("_")[0]):
        entries = list(group)
        name = stem if len(entries) > 1 else entries[0]
        found[name] = FieldSpec(
            name=name,
            dims=len(entries),
            kind=_KINDS.get(name, "continuous"),
            meaning=_MEANINGS.get(name, ""),
            names=tuple(entries),
        )
    return found


class KitchenEnvironment:
    """One task; a new kitchen with every reset."""

    contract = Contract(
        cameras=tuple(CameraSpec(name=name, height=SIZE_PX, width=SIZE_PX) for name in CAMERAS),
        state=tuple(_fields(STATE_NAMES)[name] for name in _STATE),
        action=tuple(_fields(ACTION_NAMES).values()),
        fps=20.0,
    )

    meta = None

    def __init__(self, task: str) -> None:
        self._task = task
        self.max_steps = _MAX_STEPS[task]
        self.instruction = ""
        self.success = False
        self._env: KitchenEnv | None = None
        self._view: KitchenView | None = None
        self._path: Path | None = None
        self._rng = np.random.default_rng(0)
        self._steps = 0

    def reset(self, plan: EpisodePlan) -> None:
        """Build the kitchen that belongs to the seed."""
        from xvr.sim.kitchen import make_kitchen
        from xvr.sim.kitchen_view import KitchenView

        self.close()
        self._rng = np.random.default_rng(plan.seed)
        rig = shaken(sample_rig(np.random.default_rng(_RIG_SEED)), self._rng)
        self._env = make_kitchen(_OF_SIM[self._task], self._rng, rig)
        self._env.reset()
        self._view = KitchenView(self._env, SIZE_PX)
        self._path, self._steps, self.success = None, 0, False
        self.instruction = self._env.layout.instruction

    def observe(self) -> Observation:
        """Draw the three pictures and read the robot's state."""
        if self._view is None:
            raise ValueError("observe before the first reset")
        self._view.look()
        state = self._view.state()
        chosen = [place for place, name in enumerate(STATE_NAMES) if name.startswith(_PREFIXES)]
        return Observation(
            images={name: self._view.picture(name) for name in CAMERAS},
            state=state[chosen].astype(np.float32),
            instruction=self.instruction,
        )

    def step(self, action: Action) -> None:
        """Move the robot."""
        if self._env is None:
            raise ValueError("step before the first reset")
        _, reward, _, _ = self._env.step(environment_action(action.astype(np.float64)))
        self._steps += 1
        self.success = self.success or reward > 0

    def expert_action(self) -> Action:
        """What the plan says for this moment; the plan is made with the first call."""
        from xvr.sim.experts import act, expert_path
        from xvr.sim.kitchen_rollout import dataset_action

        if self._env is None:
            raise ValueError("expert_action before the first reset")
        if self._path is None:
            self._path = expert_path(self._env, self._rng, None, wander=False)
        action = act(self._env, self._path, self._steps / self.contract.fps)
        return dataset_action(action).astype(np.float32)

    def close(self) -> None:
        """Free the renderer and the simulation."""
        if self._view is not None:
            self._view.close()
        if self._env is not None:
            self._env.close()
        self._view = self._env = None


_PREFIXES = tuple(f"{name}_" for name in _STATE)

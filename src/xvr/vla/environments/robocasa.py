"""RoboCasa v0.2 and v1.0: `robocasa:v0.2@/path/to/its/python`. See docs/robocasa.md.

The simulator runs in its own Python. The contract is that of the LeRobot releases with a single
Panda: names, order of the action, switches in {0, 1}; the host turns them into the simulator's own
order and its {-1, +1}. It is pictured at 256 by 256 pixels, upright, when somebody looks.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.vla.contract import CameraSpec, Contract, FieldSpec
from xvr.vla.environment import Action, EpisodePlan
from xvr.vla.environments.robocasa_names import parse_spec
from xvr.vla.environments.simulator_process import SimulatorProcess
from xvr.vla.observation import Observation

SIZE_PX = 256
CAMERAS = ("left_view", "right_view", "wrist_view")
_HOST = Path(__file__).parent.parent / "shipped" / "robocasa_host.py"


class RoboCasaEnvironment:
    """One task of RoboCasa."""

    contract = Contract(
        cameras=tuple(CameraSpec(name=name, height=SIZE_PX, width=SIZE_PX) for name in CAMERAS),
        state=(
            FieldSpec(name="base_position", dims=3, meaning="metres, world"),
            FieldSpec(name="base_rotation", dims=4, kind="quaternion_xyzw"),
            FieldSpec(name="end_effector_position_relative", dims=3, meaning="metres, base"),
            FieldSpec(name="end_effector_rotation_relative", dims=4, kind="quaternion_xyzw"),
            FieldSpec(name="gripper_qpos", dims=2, meaning="metres"),
        ),
        action=(
            FieldSpec(name="base_motion", dims=4),
            FieldSpec(name="control_mode", dims=1, kind="binary_01"),
            FieldSpec(name="end_effector_position", dims=3),
            FieldSpec(name="end_effector_rotation", dims=3),
            FieldSpec(name="gripper_close", dims=1, kind="binary_01"),
        ),
        fps=20.0,
    )

    def __init__(self, spec: str, task: str) -> None:
        """The simulator is started with the first reset."""
        version, python = parse_spec(spec)
        self.max_steps = version.horizons[task]
        self.instruction = ""
        self.success = False
        self.meta: Mapping[str, Any] | None = None
        self._name, self._arguments = version.names[task], version.arguments
        self._simulator = SimulatorProcess(python, _HOST)
        self._open = False

    def reset(self, plan: EpisodePlan) -> None:
        """Begin from the stored metadata where the plan has some, else from the seed."""
        if not self._open:
            arguments = dict(self._arguments)
            self._simulator.ask("open", name=self._name, size=SIZE_PX, arguments=arguments)
            self._open = True
        reply, _ = self._simulator.ask("reset", seed=plan.seed, meta=plan.meta)
        self.instruction, self.meta = reply["instruction"], reply["meta"]
        self.success = False

    def observe(self) -> Observation:
        """Have the cameras drawn."""
        _, (*images, state) = self._simulator.ask("observe")
        return Observation(
            images=dict(zip(CAMERAS, images, strict=True)),
            state=state,
            instruction=self.instruction,
        )

    def step(self, action: Action) -> None:
        """Apply one action; success stays."""
        reply, _ = self._simulator.ask("step", action=[float(value) for value in action])
        self.success = self.success or reply["success"]

    def expert_action(self) -> Action:
        """RoboCasa has no scripted expert.

        Raises:
            UserError: always.
        """
        raise UserError("RoboCasa has no scripted expert; its data sets hold demonstrations")

    def close(self) -> None:
        """End the simulator."""
        self._simulator.close()
        self._open = False

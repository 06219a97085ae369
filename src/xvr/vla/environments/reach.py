"""reach-button: press a button that not every camera sees; small enough for a CPU.

The world is `xvr.sim.reach_world`. The state is the fingertip, an action its wanted shift.
"""

import numpy as np

from xvr.sim.reach_expert import reach_action
from xvr.sim.reach_layout import sample_layout
from xvr.sim.reach_world import CAMERAS, CONTROL_HZ, SIZE_PX, ReachWorld
from xvr.vla.contract import CameraSpec, Contract, FieldSpec
from xvr.vla.environment import Action, EpisodePlan
from xvr.vla.observation import Observation

TASK = "reach-button"
MAX_STEPS = 60
"""The expert needs 13 to 31."""


def _along(name: str, meaning: str) -> FieldSpec:
    names = tuple(f"{name}_{axis}" for axis in "xyz")
    return FieldSpec(name=name, dims=3, meaning=meaning, names=names)


class ReachEnvironment:
    """The table with the button."""

    contract = Contract(
        cameras=tuple(CameraSpec(name=name, height=SIZE_PX, width=SIZE_PX) for name in CAMERAS),
        state=(_along("tip_position", "metres, world"),),
        action=(_along("tip_shift", "share of 15 mm per step, world"),),
        fps=float(CONTROL_HZ),
    )
    max_steps = MAX_STEPS
    instruction = "press the red button"
    meta = None

    def __init__(self) -> None:
        self.world = ReachWorld()
        self._button_m = np.zeros(3)

    @property
    def success(self) -> bool:
        """Whether the button has been pressed."""
        return self.world.pressed

    def reset(self, plan: EpisodePlan) -> None:
        """Place everything as the seed says."""
        layout = sample_layout(np.random.default_rng(plan.seed))
        self._button_m = np.array(layout.button_m)
        self.world.reset(layout)

    def observe(self) -> Observation:
        """Draw the three pictures."""
        return Observation(
            images={name: self.world.picture(name) for name in CAMERAS},
            state=self.world.tip_m.astype(np.float32),
            instruction=self.instruction,
        )

    def step(self, action: Action) -> None:
        """Move the fingertip."""
        self.world.step(action.astype(np.float64))

    def expert_action(self) -> Action:
        """Towards the button."""
        return reach_action(self.world.tip_m, self._button_m).astype(np.float32)

    def close(self) -> None:
        """Free the renderer."""
        self.world.close()

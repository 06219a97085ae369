"""The kitchen as a policy sees it while it is simulated: pictures and the robot's state.

Both are worked out from the generalised positions, as in recorded episodes, so that a policy meets
what it was trained on.

    with KitchenView(env) as view:
        view.look()
        picture, state = view.picture("left_view"), view.state()
"""

from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from xvr.sim.kitchen_rollout import robot_state
from xvr.sim.kitchen_scene import DRAWN_GROUPS, drawn_model
from xvr.sim.renderer import Renderer, import_mujoco

if TYPE_CHECKING:
    from xvr.sim.kitchen import KitchenEnv

OVERSAMPLING = 1.5
"""Pictures are drawn so much larger and averaged down: cheaper here than multisampling."""


class KitchenView:
    """A drawn copy of one kitchen; close it, or use it in a `with` block."""

    def __init__(self, env: "KitchenEnv", size_px: int = 256) -> None:
        """Prepares the copy; GL is opened with the first picture."""
        self._env, self._size_px = env, size_px
        self._mujoco = import_mujoco()
        self._model = drawn_model(env.mj_model, env.pictures)
        self._data = self._mujoco.MjData(self._model)
        self._renderer: Renderer | None = None

    def look(self) -> None:
        """Take over the present positions of the simulation."""
        self._data.qpos[:] = self._env.mj_data.qpos
        self._data.qvel[:] = self._env.mj_data.qvel
        self._mujoco.mj_forward(self._model, self._data)

    def picture(self, camera: str) -> UInt8[np.ndarray, "h w 3"]:
        """What a camera sees."""
        import cv2

        drawn = self._opened().rgb(self._data, camera)
        size = (self._size_px, self._size_px)
        return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)

    def pixels_of(self, body: str, camera: str) -> float:
        """How many pixels of a picture show a body."""
        _, geoms = self._opened().surfaces(self._data, camera)
        number = self._model.body(body).id
        mine = np.flatnonzero(self._model.geom_bodyid == number)
        return float(np.isin(geoms, mine).sum()) / OVERSAMPLING**2

    def state(self) -> Float[np.ndarray, " 53"]:
        """The robot's state in the order of `kitchen_rollout.STATE_NAMES`."""
        return robot_state(self._data)

    def _opened(self) -> Renderer:
        if self._renderer is None:
            large = round(self._size_px * OVERSAMPLING)
            self._renderer = Renderer(
                self._model, large, large, msaa=0, shadows=False, groups=DRAWN_GROUPS
            )
        return self._renderer

    def close(self) -> None:
        """Free the GL context."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> "KitchenView":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""The world of reach-button: a finger on a gantry, a button on a block, screens, three cameras.

It is small on purpose: fourteen plain shapes, no shadows, pictures of 96 by 96 pixels, so that a
policy can be taught and judged on a CPU in minutes. An action is the fingertip's wanted shift along
x, y and z, each in -1..1 of `MAX_SHIFT_M`, at `CONTROL_HZ`.

    world = ReachWorld()
    world.reset(sample_layout(np.random.default_rng(0)))
    world.step(np.zeros(3))
    picture = world.picture("left_view")
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from xvr.sim.kitchen_rig import looking_at
from xvr.sim.reach_layout import SCREEN_GAP_M, SCREEN_HALF_M, ReachLayout, Rgb
from xvr.sim.renderer import Renderer, import_mujoco

CONTROL_HZ = 20
"""Actions per second."""

MAX_SHIFT_M = 0.015
"""What an action of 1 asks for."""

CAMERAS = ("left_view", "right_view", "wrist_view")

SIZE_PX = 96
"""Width and height of the pictures."""

BUTTON_RADIUS_M = 0.022
BUTTON_TRAVEL_M = 0.012

_SUBSTEPS = 10
_LEAD_M = 0.025  # the goal runs ahead of the finger by no more, or a push would wind it up
_LOW_M, _HIGH_M = np.array([-0.32, -0.38, 0.01]), np.array([0.32, 0.38, 0.34])
_SIDE_AT_M, _SIDE_LOOKS_AT_M = (-0.34, 0.6, 0.46), (0.0, 0.0, 0.06)
_WRIST_AT_M, _WRIST_LOOKS_AT_M = (-0.075, 0.0, 0.1), (0.0, 0.0, -0.1)  # from the fingertip
_NOTHING_M = (0.0, 0.0, -5.0)  # where screens are put that are not there


class ReachWorld:
    """The simulated table; one model serves all placements."""

    def __init__(self, size_px: int = SIZE_PX) -> None:
        """Compiles the model; pictures are drawn only when they are asked for."""
        self._mujoco = mujoco = import_mujoco()
        self.model: Any = mujoco.MjModel.from_xml_string(_mjcf())
        self.data: Any = mujoco.MjData(self.model)
        self.size_px = size_px
        self._renderer: Renderer | None = None
        self._goal_m = np.zeros(3)
        self.pressed = False
        """Whether the button has been pushed in since the reset; it stays so."""

    def reset(self, layout: ReachLayout) -> None:
        """Puts everything where the placement says."""
        model = self.model
        self._mujoco.mj_resetData(model, self.data)
        x, y, z = layout.button_m
        base = z - BUTTON_TRAVEL_M  # the button stands out of the block by its travel
        model.body("block").pos[:] = x, y, base / 2
        model.geom("block").size[2] = base / 2
        model.body("button").pos[:] = x, y, z
        top = z + 2 * SCREEN_HALF_M[2]
        for name, sign in (("left", 1), ("right", -1)):
            shown = layout.screens in (name, "both")
            at = (x + layout.screen_shift_m, y + sign * SCREEN_GAP_M, top / 2)
            model.body(f"screen_{name}").pos[:] = at if shown else _NOTHING_M
            model.geom(f"screen_{name}").size[2] = top / 2
        self._paint({"table": layout.table, "block": layout.block, "screen": layout.screen})
        self.data.qpos[:3] = self.data.ctrl[:3] = self._goal_m[:] = layout.tip_m
        self.pressed = False
        self._mujoco.mj_forward(model, self.data)

    def step(self, action: Float[np.ndarray, " 3"]) -> None:
        """Moves the fingertip for one control period; actions are cut to -1..1."""
        shift = MAX_SHIFT_M * np.clip(np.asarray(action, np.float64), -1, 1)
        goal = np.clip(self._goal_m + shift, self.tip_m - _LEAD_M, self.tip_m + _LEAD_M)
        self._goal_m[:] = np.clip(goal, _LOW_M, _HIGH_M)
        self.data.ctrl[:3] = self._goal_m
        for _ in range(_SUBSTEPS):
            self._mujoco.mj_step(self.model, self.data)
            self.pressed = self.pressed or bool(self.data.qpos[3] < -BUTTON_TRAVEL_M / 2)
        self._mujoco.mj_forward(self.model, self.data)

    @property
    def tip_m(self) -> Float[np.ndarray, " 3"]:
        """The fingertip in the world."""
        return np.array(self.data.qpos[:3])

    def picture(self, camera: str) -> UInt8[np.ndarray, "h w 3"]:
        """What a camera of `CAMERAS` sees now."""
        return self.renderer.rgb(self.data, camera)

    @property
    def renderer(self) -> Renderer:
        """Draws this world; opened when first needed."""
        if self._renderer is None:
            self._renderer = Renderer(self.model, self.size_px, self.size_px, shadows=False)
        return self._renderer

    def close(self) -> None:
        """Frees what drawing took."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _paint(self, colours: Mapping[str, Rgb]) -> None:
        for name, colour in colours.items():
            self.model.material(name).rgba[:3] = colour


def _mjcf() -> str:
    half_x, half_y, _ = SCREEN_HALF_M
    screens = "".join(
        f'<body name="screen_{name}"><geom name="screen_{name}" type="box" material="screen" '
        f'size="{half_x} {half_y} 0.1"/></body>'
        for name in ("left", "right")
    )
    left_x, left_y, left_z = _SIDE_AT_M
    sides = "".join(
        _camera(name, (left_x, sign * left_y, left_z), _SIDE_LOOKS_AT_M, 46)
        for name, sign in (("left_view", 1), ("right_view", -1))
    )
    joints = "".join(
        f'<joint name="tip_{axis}" type="slide" axis="{way}" damping="40" armature="0.5"/>'
        for axis, way in (("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1"))
    )
    servos = "".join(
        f'<position joint="tip_{axis}" kp="900" kv="20" forcerange="-40 40"/>' for axis in "xyz"
    )
    return f"""
<mujoco model="reach-button">
  <option timestep="{1 / CONTROL_HZ / _SUBSTEPS}" integrator="implicitfast"/>
  <visual>
    <headlight ambient="0.45 0.45 0.45" diffuse="0.3 0.3 0.3" specular="0 0 0"/>
    <map znear="0.02" zfar="4"/>
  </visual>
  <statistic extent="1" center="0 0 0.1"/>
  <asset>
    <material name="table"/> <material name="block"/> <material name="screen"/>
    <material name="button" rgba="0.88 0.1 0.1 1" emission="0.2"/>
    <material name="steel" rgba="0.25 0.26 0.28 1"/>
    <material name="tip" rgba="0.1 0.1 0.11 1"/>
  </asset>
  <worldbody>
    <light directional="true" dir="0.3 0.2 -1" diffuse="0.35 0.35 0.35" specular="0 0 0"/>
    <body name="hand" gravcomp="1">
      {joints}
      <geom name="finger" type="capsule" material="tip" fromto="0 0 0.012 0 0 0.07" size="0.012"
        mass="0.3" contype="3" conaffinity="3"/>
      <geom name="palm" type="box" material="steel" size="0.03 0.03 0.02" pos="0 0 0.09" mass="0.3"
        contype="0" conaffinity="0"/>
      <geom name="mast" type="cylinder" material="steel" fromto="0 0 0.11 0 0 0.5" size="0.012"
        mass="0.2" contype="0" conaffinity="0"/>
      {_camera("wrist_view", _WRIST_AT_M, _WRIST_LOOKS_AT_M, 52)}
    </body>
    <geom type="box" material="table" size="1.6 1.6 0.05" pos="0.6 0 -0.05"/>
    <body name="block">
      <geom name="block" type="box" material="block" size="0.045 0.045 0.1"/>
    </body>
    <body name="button">
      <joint name="press" type="slide" axis="0 0 1" range="{-BUTTON_TRAVEL_M} 0" limited="true"
        stiffness="120" damping="3" armature="0.02" springref="0.004"/>
      <geom name="button" type="cylinder" material="button" mass="0.02" contype="2" conaffinity="2"
        size="{BUTTON_RADIUS_M} 0.004" pos="0 0 -0.004"/>
    </body>
    {screens}{sides}
  </worldbody>
  <actuator>{servos}</actuator>
</mujoco>"""


def _camera(
    name: str,
    at_m: tuple[float, float, float],
    looks_at_m: tuple[float, float, float],
    fovy_deg: float,
) -> str:
    up = np.array([1.0, 0.0, 0.0] if name == "wrist_view" else [0.0, 0.0, 1.0])
    axes = looking_at(np.array(at_m), np.array(looks_at_m), up)
    numbers = " ".join(f"{value:.9g}" for value in (*axes[:, 0], *axes[:, 1]))
    place = " ".join(f"{value:g}" for value in at_m)
    return f'<camera name="{name}" pos="{place}" xyaxes="{numbers}" fovy="{fovy_deg}"/>'

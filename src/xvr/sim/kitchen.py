"""A kitchen for robosuite's mobile Panda, with three tasks named as in RoboCasa.

The world is our own (procedural fixtures, no assets beyond robosuite's robot), so success rates
here say nothing about RoboCasa's. Control is robosuite's default for PandaOmron: OSC_POSE at
20 Hz, 12-D actions in the order of `ENV_ACTION_NAMES`; only its torques are worked out at 100 Hz
instead of 500.

    env = make_kitchen("CoffeePressButton", np.random.default_rng(0))
    env.reset()
    env.step(np.zeros(12))

This module imports robosuite; import it inside the function that needs it.
"""

import contextlib
import logging
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import UserError
from xvr.sim.kitchen_fixtures import (
    BUTTON_TRAVEL_M,
    add_coffee_machine,
    add_counter,
    add_hob,
    add_lights,
    add_microwave,
    add_open_cabinet,
    add_room,
    add_sink,
    add_upper_cabinets,
)
from xvr.sim.kitchen_layout import KitchenTask, Layout, sample_layout
from xvr.sim.kitchen_mjcf import Mjcf, Vec3
from xvr.sim.kitchen_objects import DISTRACTORS, PRODUCTS, add_product
from xvr.sim.kitchen_rig import Mount, add_camera
from xvr.sim.renderer import import_mujoco

CONTROL_HZ = 20
"""Actions, and so frames, per second."""

_TORQUES_EVERY = 5
"""Physics steps of 2 ms for which torques are held, at a third of the cost. The controller's spring
takes 80 ms: in six episodes joints kept within 0.06 rad of those under 500 Hz."""

TORSO_M = 0.1
"""How far the torso is raised."""

ENV_ACTION_NAMES = (
    *(f"end_effector_{kind}_{axis}" for kind in ("position", "rotation") for axis in "xyz"),
    "torso",
    "base_x",
    "base_y",
    "base_yaw",
    "gripper_close",
    "control_mode",
)
"""Order of the environment's action: arm, torso, base, gripper, mode; each in -1..1."""

_AWAY_M = {"CoffeePressButton": 0.15, "TurnOffMicrowave": 0.15, "PnPCabToCounter": 0.25}
"""How far the gripper must be from what it handled before the task counts as done."""

import_mujoco()  # chooses the GL backend before robosuite does
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    logging.getLogger("robosuite_logs").disabled = True
    try:
        from robosuite.environments.manipulation.manipulation_env import ManipulationEnv
        from robosuite.models.arenas import EmptyArena
        from robosuite.models.tasks import ManipulationTask
    except ImportError as error:
        raise UserError(f'the kitchen needs robosuite ({error}): pip install "xvr[sim]"') from error


class KitchenEnv(ManipulationEnv):
    """One kitchen, one task, one Panda on a mobile base at the world's origin."""

    def __init__(self, layout: Layout, rig: tuple[Mount, ...], rng: np.random.Generator) -> None:
        """Builds the world.

        Args:
            layout: where things are.
            rig: cameras to add to the robot.
            rng: places what only stands around and the arm's first pose.
        """
        self.layout = layout
        self._rig = rig
        self._decor = rng
        self.pictures: dict[str, np.ndarray] = {}
        """Textures to paint into a copy of the model that is to be rendered."""
        self.target: Vec3 = layout.product_at
        """Middle of the button's face, or where the product stands at first; world, metres."""
        self._touched = False
        self._physics_step = 0
        super().__init__(
            robots="PandaOmron",
            initialization_noise={"type": "gaussian", "magnitude": 0.04},
            use_camera_obs=False,
            has_renderer=False,
            has_offscreen_renderer=False,
            control_freq=CONTROL_HZ,
            ignore_done=True,
            hard_reset=False,
            renderer="mujoco",
            seed=int(rng.integers(2**31)),
        )

    @property
    def mj_model(self) -> Any:
        """The compiled `mujoco.MjModel`."""
        sim: Any = self.sim
        return sim.model._model

    @property
    def mj_data(self) -> Any:
        """The `mujoco.MjData` that is simulated."""
        sim: Any = self.sim
        return sim.data._data

    @property
    def grip_position(self) -> Float[np.ndarray, " 3"]:
        """The point between the fingertips in the world, metres."""
        return np.array(self.mj_data.site("gripper0_right_grip_site").xpos)

    @property
    def grip_rotation(self) -> Float[np.ndarray, "3 3"]:
        """world_from_grip: z along the fingers, x is the axis along which they close."""
        return np.array(self.mj_data.site("gripper0_right_grip_site").xmat).reshape(3, 3)

    def product_position(self) -> Float[np.ndarray, " 3"]:
        """The bottom of the thing to pick up, in the world, metres."""
        return np.array(self.mj_data.body("product").xpos)

    def reward(self, action: Any = None) -> float:  # noqa: ARG002 - robosuite's signature
        """1 when the task is done, else 0."""
        return float(self._check_success())

    def get_ep_meta(self) -> dict[str, Any]:
        """Episode notes with the instruction under `lang`."""
        return {**super().get_ep_meta(), "lang": self.layout.instruction}

    def _load_model(self) -> None:
        super()._load_model()
        robot = self.robots[0]
        robot.robot_model.set_base_xpos([0, 0, 0])
        robot.init_torso_qpos = np.array([TORSO_M])
        for mount in self._rig:
            add_camera(robot.robot_model.worldbody, mount)
        arena = EmptyArena()
        for unwanted in arena.worldbody.findall("geom") + arena.worldbody.findall("light"):
            arena.worldbody.remove(unwanted)
        k = Mjcf()
        self._furnish(k)
        for element in k.asset:
            arena.asset.append(element)
        for element in k.world:
            arena.worldbody.append(element)
        self.pictures = k.pictures
        self.model = ManipulationTask(mujoco_arena=arena, mujoco_robots=[robot.robot_model])
        size: Any = self.model.root.find("size")  # robosuite's asks for 1.3 GB
        size.attrib.clear()
        size.set("memory", "64M")

    def _furnish(self, k: Mjcf) -> None:
        lay, rng = self.layout, self._decor
        room = k.body(k.world, "kitchen", (0, 0, 0))
        add_room(k, room, lay)
        add_counter(k, room, lay)
        add_upper_cabinets(k, room, lay)
        add_open_cabinet(k, room, lay)
        add_lights(k.world, lay)
        shelf = lay.counter_z_m
        machine_at = (lay.wall_x_m - 0.34, lay.coffee_y_m, shelf)
        button = add_coffee_machine(k, room, lay, machine_at)
        stop = add_microwave(k, room, lay, (lay.wall_x_m - 0.38, lay.microwave_y_m, shelf))
        if lay.task != "PnPCabToCounter":
            self.target = button if lay.task == "CoffeePressButton" else stop
        else:
            product = k.body(k.world, "product", lay.product_at, rng.uniform(-0.06, 0.06))
            ET.SubElement(product, "freejoint", name="product_free")
            add_product(k, product, lay.product, rng)
        self._stock_shelves(k, room)
        self._clutter(k, room)

    def _stock_shelves(self, k: Mjcf, room: ET.Element) -> None:
        """Puts things that stay into the open cabinet, clear of the one to pick up."""
        lay, rng = self.layout, self._decor
        levels = (lay.cabinet_z_m + 0.02, lay.cabinet_z_m + lay.shelf_gap_m + 0.03)
        for level, count in zip(levels, (3, 4), strict=True):
            offsets = np.linspace(-0.28, 0.28, count) + rng.uniform(-0.04, 0.04, count)
            for index, offset in enumerate(offsets):
                y = lay.cabinet_y_m + offset
                clear = lay.task != "PnPCabToCounter" or abs(y - lay.product_at[1]) > 0.17
                if level == levels[0] and not clear:
                    continue
                x = lay.wall_x_m - float(rng.uniform(0.08, 0.16))
                kind = PRODUCTS[rng.integers(len(PRODUCTS))]
                name = f"shelf_{level > levels[0]:d}_{index}"
                body = k.body(room, name, (x, y, level))
                k.shadow(body, kind.radius_m, kind.radius_m, (0, 0, 0))
                add_product(k, body, kind, rng)

    def _clutter(self, k: Mjcf, room: ET.Element) -> None:
        """Puts a hob or a sink at the sides and everyday things where there is room."""
        lay, rng = self.layout, self._decor
        sides = rng.permutation([-1.0, 1.0])
        add_hob(k, room, lay, float(sides[0] * 1.75))
        add_sink(k, room, lay, float(sides[1] * 1.75))
        taken = [(lay.coffee_y_m, 0.14), (lay.microwave_y_m, 0.27), (sides[1] * 1.75, 0.3)]
        if lay.task == "PnPCabToCounter":
            taken += [(lay.place_at[1], 0.2), (lay.product_at[1], 0.16)]
        kinds = list(rng.permutation(len(DISTRACTORS)))
        for y in rng.permutation(np.arange(-1.3, 1.31, 0.12)):
            at = float(y + rng.uniform(-0.03, 0.03))
            if not kinds or any(abs(at - centre) < half + 0.17 for centre, half in taken):
                continue
            taken.append((at, 0.13))
            spot = (lay.wall_x_m - float(rng.uniform(0.16, 0.24)), at, lay.counter_z_m)
            turn = float(rng.uniform(-0.4, 0.4))
            body = k.body(room, f"clutter_{len(kinds)}", spot, turn)
            k.shadow(body, 0.07, 0.07, (0, 0, 0))
            DISTRACTORS[kinds.pop()](k, body, rng)

    def _reset_internal(self) -> None:
        super()._reset_internal()
        self._touched = False

    def _pre_action(self, action: Any, policy_step: bool = False) -> None:
        self._physics_step = 0 if policy_step else self._physics_step + 1
        if self._physics_step % _TORQUES_EVERY == 0:
            super()._pre_action(action, policy_step)

    def _post_action(self, action: Any) -> tuple[float, bool, dict[str, Any]]:
        if self.layout.task != "PnPCabToCounter":
            self._touched = self._touched or self._button_pressed()
        self._update_observables(force=True)
        return super()._post_action(action)

    def _update_observables(self, force: bool = False) -> None:
        """Once per action, not at each of its 25 physics steps: that costs a sixth of the time."""
        if force:
            super()._update_observables(force=True)

    def _check_success(self) -> bool:
        """RoboCasa's rule: handled as asked, and the gripper is away again."""
        task = self.layout.task
        if task == "PnPCabToCounter":
            target = self.product_position()
            target[2] += self.layout.product.height_m / 2
            done = self._product_on_counter()
        else:
            target, done = np.array(self.target), self._touched
        return bool(done and np.linalg.norm(self.grip_position - target) > _AWAY_M[task])

    def _button_pressed(self) -> bool:
        """The hand touches the button and has pushed it in by at least half of its way."""
        name = "coffee_button" if self.layout.task == "CoffeePressButton" else "microwave_stop"
        depth = float(self.mj_data.joint(f"{name}_slide").qpos[0])
        return depth > BUTTON_TRAVEL_M / 2 and self._in_contact(name, "gripper0_right")

    def _product_on_counter(self) -> bool:
        """It touches the worktop from above and stands where nothing else carries it."""
        height = self.product_position()[2] - self.layout.counter_z_m
        return abs(height) < 0.06 and self._in_contact("product", "kitchen")

    def _in_contact(self, first: str, second: str) -> bool:
        """Whether geoms of bodies whose names start so touch each other."""
        model, data = self.mj_model, self.mj_data
        for contact in data.contact[: data.ncon]:
            names = [model.body(model.geom_bodyid[geom]).name for geom in contact.geom]
            for one, other in (names, names[::-1]):
                if one.startswith(first) and other.startswith(second):
                    return True
        return False


def make_kitchen(
    task: KitchenTask, rng: np.random.Generator, rig: tuple[Mount, ...] = ()
) -> KitchenEnv:
    """A kitchen for `task` drawn from `rng`, with the cameras of `rig` on the robot."""
    with warnings.catch_warnings(), contextlib.ExitStack():
        warnings.simplefilter("ignore")
        return KitchenEnv(sample_layout(task, rng), rig, rng)

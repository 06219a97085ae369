"""A stand-in for robosuite with RoboCasa's kitchens: the calls that the adapter makes, no physics.

Names, arguments, shapes and orders are those of robosuite 1.5 and RoboCasa v0.2 and v1.0 as read
from their source; what is not theirs is refused, as they would.
"""

import numpy as np

KNOWN = {
    *("env_name", "robots", "controller_configs", "camera_names", "camera_widths"),
    *("camera_heights", "has_renderer", "has_offscreen_renderer", "ignore_done", "use_object_obs"),
    *("use_camera_obs", "camera_depths", "translucent_robot", "randomize_cameras"),
    *("generative_textures", "obj_instance_split", "layout_and_style_ids"),
}
TASKS = (
    *("CoffeePressButton", "TurnOffMicrowave", "PnPCabToCounter"),
    *("StartCoffeeMachine", "PickPlaceCabinetToCounter"),
)


def make(**arguments):
    unknown = set(arguments) - KNOWN
    if unknown:
        raise TypeError(f"__init__() got an unexpected keyword argument {unknown.pop()!r}")
    if arguments["env_name"] not in TASKS:
        raise Exception(f"Environment {arguments['env_name']} not found.")
    print("the simulator prints to its standard output")  # noqa: T201 - as it does
    return Kitchen(arguments)


class Controller:
    def __init__(self):
        names = ("right", "right_gripper", "base", "torso")
        self.part_controllers = dict.fromkeys(names)
        bounds = ((0, 6), (6, 7), (7, 10), (10, 11))
        self._action_split_indexes = dict(zip(names, bounds, strict=True))
        self.action_limits = (-np.ones(12), np.ones(12))


class Robot:
    composite_controller = Controller()


class Sim:
    def render(self, camera_name, width, height):
        """Rows run upwards: the sky, which is bright, comes last."""
        picture = np.zeros((height, width, 3), np.uint8)
        picture[height // 2 :] = 200
        picture[:, :, 2] = ("left", "right", "hand").index(camera_name.split("_")[-1]) * 50
        return picture


class Kitchen:
    """Done when the gripper has been closed for three steps beyond a drawn number."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.robots = [Robot()]
        self.sim = Sim()
        self.rng = np.random.default_rng(0)
        self._ep_meta = {}
        self.closed = 0

    def set_ep_meta(self, meta):
        self._ep_meta = meta

    def reset(self):
        pairs = self.arguments["layout_and_style_ids"]
        drawn = pairs[self.rng.integers(len(pairs))]
        self.layout = tuple(self._ep_meta.get("scene", drawn))
        assert all(isinstance(pair, tuple) for pair in pairs)
        self.closed = 0
        self.needed = 3 + int(self.rng.integers(4))
        return {}

    def get_ep_meta(self):
        name = self.arguments["env_name"]
        return {"scene": np.array(self.layout), "lang": f"do {name} in {self.layout[0]}"}

    def _get_observations(self, force_update=False):
        assert force_update
        return {
            "robot0_base_pos": np.array([1.0, 2.0, 3.0]),
            "robot0_base_quat": np.array([0.0, 0.0, 0.0, 1.0]),
            "robot0_base_to_eef_pos": np.array([0.4, 0.5, 0.6]),
            "robot0_base_to_eef_quat": np.array([1.0, 0.0, 0.0, 0.0]),
            "robot0_gripper_qpos": np.array([0.02, -0.02]),
        }

    def step(self, action):
        assert action.shape == (12,)
        assert action[6] in (-1, 1)
        assert action[11] == -1
        np.testing.assert_allclose(action[:3], [0.1, 0.2, 0.3], atol=1e-6)
        np.testing.assert_allclose(action[3:6], [0.4, 0.5, 0.6], atol=1e-6)
        np.testing.assert_allclose(action[7:11], [-0.1, -0.2, -0.3, -0.4], atol=1e-6)
        self.closed = self.closed + 1 if action[6] > 0 else 0
        return {}, 0.0, False, {}

    def _check_success(self):
        return self.closed == self.needed  # and no more after that: success must stay

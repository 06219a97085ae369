"""Runs one RoboCasa environment for a parent process; any Python from 3.9 that has RoboCasa.

    python robocasa_host.py < requests > replies

Requests and replies are frames: four bytes, the length of a JSON text (big endian), the text, then
the bytes of the arrays that its "arrays" lists. The simulator prints a lot; what it prints goes to
stderr.

API as in robocasa/robocasa@756598a5 (v0.2) and @be22d659 (v1.0): robocasa/utils/env_utils.py for
the arguments of robosuite.make, robocasa/wrappers/gym_wrapper.py for the parts of an action, names
of observations, seeding through `env.rng` and rows of images that run upwards.
"""

import json
import os
import random
import struct
import sys
from typing import Any

import numpy as np

CAMERAS = {
    "left_view": "robot0_agentview_left",
    "right_view": "robot0_agentview_right",
    "wrist_view": "robot0_eye_in_hand",
}
STATE = (
    "robot0_base_pos",
    "robot0_base_quat",
    "robot0_base_to_eef_pos",
    "robot0_base_to_eef_quat",
    "robot0_gripper_qpos",
)
"""Observations in the order of the contract's state; quaternions are (x, y, z, w)."""


class Host:
    """One environment."""

    def __init__(self):
        self.env: Any = None
        self.size = 256

    def open(self, name, size, arguments):
        """Build the environment without drawing anything by itself."""
        import robocasa  # noqa: F401  # pyright: ignore[reportMissingImports] - registers kitchens
        import robosuite
        from robosuite.controllers import load_composite_controller_config

        self.size = size
        pairs = arguments.get("layout_and_style_ids")
        if pairs is not None:
            arguments["layout_and_style_ids"] = [tuple(pair) for pair in pairs]
        self.env = robosuite.make(
            env_name=name,
            robots="PandaOmron",
            controller_configs=load_composite_controller_config(
                controller=None, robot="PandaOmron"
            ),
            camera_names=list(CAMERAS.values()),
            camera_widths=size,
            camera_heights=size,
            has_renderer=False,
            has_offscreen_renderer=True,
            ignore_done=True,
            use_object_obs=True,
            use_camera_obs=False,
            camera_depths=False,
            translucent_robot=False,
            randomize_cameras=False,
            generative_textures=None,
            **arguments,
        )
        return {}, []

    def reset(self, seed, meta):
        """Begin an episode from its seed, and from its stored metadata where there are any."""
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what the simulator may draw from
        self.env.rng = np.random.default_rng(seed)
        self.env.set_ep_meta(meta or {})
        self.env.reset()
        meta = self.env.get_ep_meta()
        return {"instruction": meta.get("lang", ""), "meta": plain(meta)}, []

    def observe(self):
        """Draw the three cameras and read the state."""
        images = [
            self.env.sim.render(camera_name=name, width=self.size, height=self.size)[::-1]
            for name in CAMERAS.values()
        ]
        seen = self.env._get_observations(force_update=True)
        state = np.concatenate([np.asarray(seen[key], np.float32).reshape(-1) for key in STATE])
        return {}, [*(np.ascontiguousarray(image, np.uint8) for image in images), state]

    def step(self, action):
        """Apply an action in the order of the LeRobot releases, with switches in {0, 1}."""
        base, mode, position, rotation, gripper = np.split(np.asarray(action), [4, 5, 8, 11])
        parts = {
            "right": np.concatenate([position, rotation]),
            "right_gripper": [-1.0 if gripper[0] < 0.5 else 1.0],
            "base": base[:3],
            "torso": base[3:],
        }
        controller = self.env.robots[0].composite_controller
        vector = np.zeros(controller.action_limits[0].shape)
        for name in controller.part_controllers:
            start, end = controller._action_split_indexes[name]
            vector[start:end] = parts[name]
        vector[-1] = -1.0 if mode[0] < 0.5 else 1.0
        self.env.step(vector)
        return {"success": bool(self.env._check_success())}, []


def plain(value):
    """What JSON can hold of a value."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def read(stream):
    """The next frame, or None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return json.loads(stream.read(struct.unpack(">I", head)[0]))


def write(stream, content, arrays):
    """One frame."""
    listed = [[array.dtype.name, list(array.shape)] for array in arrays]
    text = json.dumps({**content, "arrays": listed}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    for array in arrays:
        stream.write(array.tobytes())
    stream.flush()


def main():
    """Answer requests until there are no more."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed from here on goes to stderr
    host = Host()
    while True:
        request = read(sys.stdin.buffer)
        if request is None:
            return
        try:
            reply, arrays = getattr(host, request["do"])(**request["with"])
        except Exception as error:  # noqa: BLE001 - the parent says it
            reply, arrays = {"error": f"{type(error).__name__}: {error}"}, []
        write(replies, reply, arrays)


if __name__ == "__main__":
    main()

"""Demonstrations of a world of two pictures: a hand goes to a bright square, then it grips.

`left_view` shows square and hand, `wrist_view` a picture whose brightness is how near they are.
Written by the package's own writer as LeRobot v2.1 or v3.0; v2.0 and GR00T's flavour are made of
v2.1 as their releases have them.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xvr.sim.lerobot_writer import Feature, Recording, assemble, stage_episode

SIDE, FPS, REACH = 32, 20, 0.08
CAMERAS = ("left_view", "wrist_view")
STATE_NAMES = ("hand_x", "hand_y", *(f"hand_rotation_{axis}" for axis in "xyzw"))
ACTION_NAMES = ("hand_motion_x", "hand_motion_y", "gripper_close")
RECORDING = Recording(
    fps=FPS,
    robot_type="toy",
    features={
        **{
            f"observation.images.{name}": Feature(dtype="video", shape=(SIDE, SIDE, 3))
            for name in CAMERAS
        },
        "observation.state": Feature(dtype="float32", shape=(6,), names=STATE_NAMES),
        "action": Feature(dtype="float32", shape=(3,), names=ACTION_NAMES),
    },
)
MODALITY = {
    "state": {
        "hand": {"start": 0, "end": 2},
        "hand_rotation": {"start": 2, "end": 6, "rotation_type": "quaternion"},
    },
    "action": {
        "hand_motion": {"start": 0, "end": 2, "original_key": "action"},
        "gripper_close": {"start": 2, "end": 3, "original_key": "action"},
    },
    "video": {name: {"original_key": f"observation.images.{name}"} for name in CAMERAS},
    "annotation": {"human.action.task_description": {"original_key": "task_index"}},
}


def draw(hand: np.ndarray, goal: np.ndarray) -> dict[str, np.ndarray]:
    left = np.full((SIDE, SIDE, 3), 30, np.uint8)
    for place, colour in ((goal, (250, 220, 40)), (hand, (40, 90, 250))):
        row, column = (np.clip(place, 0, 1) * (SIDE - 6)).astype(int)
        left[row : row + 6, column : column + 6] = colour
    near = 1 - min(1.0, float(np.abs(goal - hand).max()))
    return {"left_view": left, "wrist_view": np.full((SIDE, SIDE, 3), int(255 * near), np.uint8)}


def state(hand: np.ndarray) -> np.ndarray:
    half = hand[0] / 2
    return np.array([*hand, 0, 0, np.sin(half), np.cos(half)], np.float32)


def episode(rng: np.random.Generator, length: int) -> Iterator[tuple]:
    """State, action and pictures of each frame."""
    hand, goal = rng.random(2), rng.random(2)
    for _ in range(length):
        motion = np.clip(goal - hand, -REACH, REACH)
        grips = float(np.abs(goal - hand).max() < 0.02)
        action = np.array([*(motion / REACH), grips], np.float32)
        yield state(hand), action, draw(hand, goal)
        hand = hand + motion


def write_demos(
    root: Path, lengths=(14, 9, 3), version: str = "v2.1", seed: int = 0, change=None
) -> Path:
    """Write a dataset; `change(number, states, actions)` may spoil an episode's numbers."""
    staged = []
    for number, length in enumerate(lengths):
        folder = root.parent / f".{root.name}_stage" / str(number)
        folder.mkdir(parents=True)
        rng = np.random.default_rng([seed, number])
        states, actions, pictures = zip(*episode(rng, length), strict=True)
        columns = {"observation.state": np.stack(states), "action": np.stack(actions)}
        if change is not None:
            change(number, columns["observation.state"], columns["action"])
        frames = ({f"observation.images.{k}": v for k, v in one.items()} for one in pictures)
        words = ("reach the square", "touch the square")[number % 2]
        staged.append(stage_episode(folder, RECORDING, words, columns, frames))
    written = "v3.0" if version == "v3.0" else "v2.1"
    assemble(root, RECORDING, staged, written)
    if version == "v2.0":
        edit_info(root, codebase_version="v2.0")
        (root / "meta" / "episodes_stats.jsonl").rename(root / "meta" / "stats.json")
    return root


def edit_info(root: Path, **changes) -> None:
    path = root / "meta" / "info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def add_modality(root: Path, **changes) -> Path:
    (root / "meta" / "modality.json").write_text(json.dumps(MODALITY | changes))
    return root

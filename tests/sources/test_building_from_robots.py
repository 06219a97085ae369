"""Builds from episodes in the formats of robots, and the audit of what was built."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from write_hdf5 import write_aloha_file, write_roboset
from write_rlds import write_rlds

from toy import robot
from toy.datasets import lines
from toy.drafting import RULES
from xvr.audit import audit
from xvr.engine.build import build
from xvr.engine.config import BuildConfig

EPISODES = 2
TEMPORAL, SCENARIO = "temporal_verification", "cross_scenario_localization"
LANGUAGE, SIDE = "language_conditioned_localization", "directional_view_localization"


def images(names: Sequence[str], episode: int) -> dict[str, np.ndarray]:
    return {
        name: np.array(
            [robot.frame_pixels(camera, episode, frame) for frame in range(robot.LENGTH)]
        )
        for camera, name in enumerate(names)
    }


def write_fmb(root: Path) -> None:
    names = ("image_side_1", "image_side_2", "image_wrist_1", "image_wrist_2")
    episodes = [
        {
            "cameras": images(names, n),
            "depth": {f"{name}_depth": np.ones((robot.LENGTH, 2, 2)) for name in names},
            "vectors": {"eef_pose": np.pad(robot.effector_path(n), ((0, 0), (0, 4)))},
        }
        for n in range(EPISODES)
    ]
    write_rlds(root / "fmb" / "0.0.1", episodes, name="fmb")
    (root / "reader.json").write_text('{"fps": 5}')  # so that few frames last 20 seconds


def write_mobile_aloha_rlds(root: Path) -> None:
    names = ("cam_high", "cam_left_wrist", "cam_right_wrist")
    episodes = [{"cameras": images(names, n)} for n in range(EPISODES)]
    write_rlds(root / "aloha_mobile" / "0.0.1", episodes, name="aloha_mobile", encoding="png")
    (root / "reader.json").write_text('{"fps": 5}')


def write_aloha(root: Path) -> None:
    names = ("cam_high", "cam_left_wrist", "cam_right_wrist")
    for n in range(EPISODES):
        write_aloha_file(root / "task" / f"episode_{n}.hdf5", images(names, n), compress=True)
    (root / "reader.json").write_text('{"fps": 5, "channels": "bgr"}')


def write_trials(root: Path) -> None:
    names = ("rgb_left", "rgb_right", "rgb_top", "rgb_wrist")
    trials = [
        {"cameras": images(names, n), "fps": 5, "pose_ee": robot.effector_path(n)}
        for n in range(EPISODES)
    ]
    write_roboset(root / "bake.h5", trials)


@pytest.mark.parametrize(
    ("name", "write", "tasks"),
    [
        ("rlds", write_fmb, (TEMPORAL, SCENARIO)),
        ("rlds", write_mobile_aloha_rlds, (TEMPORAL, SCENARIO, LANGUAGE, SIDE)),
        ("aloha", write_aloha, (TEMPORAL, SCENARIO, LANGUAGE, SIDE)),
        ("roboset", write_trials, (TEMPORAL, SCENARIO, LANGUAGE)),
    ],
)
def test_a_build_fills_the_tasks_of_the_rig_and_the_audit_agrees(
    tmp_path: Path, name: str, write: Callable[[Path], None], tasks: tuple[str, ...]
):
    write(tmp_path / "data")
    config = BuildConfig(
        sources=(f"{name}:{tmp_path / 'data'}",),
        samples=3 * len(tasks),
        tasks=tasks,
        mixture="uniform",
        valid_share=0,
        rules=RULES,
    )
    build(tmp_path / "dataset", config)
    proofs = lines(tmp_path / "dataset" / "provenance" / "train.jsonl")
    assert {proof["task"] for proof in proofs} == set(tasks)
    assert {proof["source"]["format"] for proof in proofs} == {name}
    report = audit(tmp_path / "dataset")
    assert report.findings == ()
    assert report.answers_checked == len(proofs) == 3 * len(tasks)
    assert report.images_checked > 0

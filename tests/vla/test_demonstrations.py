"""Reading demonstrations: versions of LeRobot, GR00T's flavour, and what is wrong with data."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from toy_demos import add_modality, edit_info, write_demos

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec
from xvr.vla.data.demonstrations import DataOptions, read_demonstrations
from xvr.vla.data.frames import FrameStore

OPTIONS = DataOptions(image_size=32)


def read(*roots, **changes):
    return read_demonstrations(roots, replace(OPTIONS, **changes))


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """v2.1, not to be changed."""
    return write_demos(tmp_path_factory.mktemp("v21") / "demos")


@pytest.fixture(params=["v2.0", "v2.1", "v3.0"])
def any_version(request, tmp_path):
    return write_demos(tmp_path / "demos", version=request.param)


def test_every_version_holds_the_same_numbers_words_and_pictures(any_version, demos, tmp_path):
    found, expected = read(any_version), read(demos)
    assert found.hash == expected.hash
    assert found.contract(8) == expected.contract(8)
    assert [one.instruction for one in found.episodes] == [
        "reach the square",
        "touch the square",
        "reach the square",
    ]
    store = FrameStore(tmp_path / "cache")
    store.fill(found)
    store.fill(expected)
    for camera in found.cameras:
        for one, other in zip(found.episodes, expected.episodes, strict=True):
            last = len(one) - 1
            frames = [store.read(episode, last, camera).astype(int) for episode in (one, other)]
            assert np.abs(frames[0] - frames[1]).mean() < 3  # v3.0 encodes anew


def test_names_group_entries_into_fields(demos):
    found = read(demos)
    assert [(f.name, f.dims, f.kind) for f in found.state] == [
        ("hand", 2, "continuous"),
        ("hand_rotation", 4, "quaternion_xyzw"),
    ]
    assert [(f.name, f.dims, f.kind) for f in found.action] == [
        ("hand_motion", 2, "continuous"),
        ("gripper_close", 1, "binary_01"),
    ]
    assert [camera.name for camera in found.cameras] == ["left_view", "wrist_view"]


def test_a_vector_without_names_is_one_field(tmp_path):
    root = write_demos(tmp_path / "demos", (4,))
    info = json.loads((root / "meta" / "info.json").read_text())
    info["features"]["action"]["names"] = None
    edit_info(root, features=info["features"])
    assert read(root).action == (FieldSpec(name="action", dims=3),)


def test_modality_names_fields_cameras_and_words(tmp_path):
    root = add_modality(write_demos(tmp_path / "demos", (5, 4), "v2.0"))
    found = read(root)
    assert [(f.name, f.kind) for f in found.state] == [
        ("hand", "continuous"),
        ("hand_rotation", "quaternion_xyzw"),
    ]
    assert found.episodes[1].instruction == "touch the square"


def write_panda(root: Path) -> Path:
    """As the single-panda sets of NVIDIA's GR00T-X-Embodiment-Sim: v2.0, RoboCasa's fields."""
    from xvr.sim.kitchen_rollout import ACTION_NAMES, STATE_NAMES
    from xvr.sim.lerobot_writer import Feature, Recording, assemble, stage_episode

    cameras = ("left_view", "right_view", "wrist_view")
    picture = Feature(dtype="video", shape=(32, 32, 3))
    recording = Recording(
        fps=20,
        robot_type="PandaOmron",
        features={
            **{f"observation.images.{name}": picture for name in cameras},
            "observation.state": Feature(dtype="float64", shape=(53,), names=STATE_NAMES),
            "action": Feature(dtype="float64", shape=(12,), names=ACTION_NAMES),
            "annotation.human.action.task_description": Feature(dtype="int64", shape=(1,)),
        },
    )
    rng = np.random.default_rng(0)
    action = rng.uniform(-1, 1, (6, 12))
    action[:, 4], action[:, 11] = 0, [0, 0, 1, 1, 0, 1]
    columns = {
        "observation.state": rng.normal(size=(6, 53)),
        "action": action,
        "annotation.human.action.task_description": np.zeros(6, np.int64),
    }
    frames = [
        {f"observation.images.{name}": np.full((32, 32, 3), 40, np.uint8) for name in cameras}
    ] * 6
    stage = root.parent / "stage"
    stage.mkdir(parents=True)
    words = "press the start button"
    assemble(root, recording, [stage_episode(stage, recording, words, columns, frames)], "v2.1")
    edit_info(root, codebase_version="v2.0")
    (root / "meta" / "episodes_stats.jsonl").rename(root / "meta" / "stats.json")
    names = ("base_position", "base_rotation", "end_effector_position_absolute")
    names += ("end_effector_position_relative", "end_effector_rotation_absolute")
    names += ("end_effector_rotation_relative", "gripper_qpos")
    ends = np.cumsum([0, 3, 4, 3, 3, 4, 4, 2]).tolist()
    slices = dict(zip(names, pairwise(ends), strict=True))
    actions = {
        "base_motion": (0, 4),
        "control_mode": (4, 5),
        "end_effector_position": (5, 8),
        "end_effector_rotation": (8, 11),
        "gripper_close": (11, 12),
    }
    add_modality(
        root,
        state={name: {"start": a, "end": b} for name, (a, b) in slices.items()},
        action={
            n: {"original_key": "action", "start": a, "end": b} for n, (a, b) in actions.items()
        },
        video={name: {"original_key": f"observation.images.{name}"} for name in cameras},
        annotation={"human.action.task_description": {}},
    )
    return root


def test_the_single_panda_sets_are_read_as_published(tmp_path):
    found = read(
        write_panda(tmp_path / "panda"),
        state=("end_effector_position_relative", "end_effector_rotation_relative", "gripper_qpos"),
        action=("end_effector_position", "end_effector_rotation", "gripper_close", "base_motion"),
        cameras=("wrist_view", "left_view"),
    )
    assert found.episodes[0].instruction == "press the start button"
    assert [f.kind for f in found.state] == ["continuous", "quaternion_xyzw", "continuous"]
    assert [(f.name, f.kind) for f in found.action][2:] == [
        ("gripper_close", "binary_01"),
        ("base_motion", "continuous"),
    ]
    assert [camera.name for camera in found.cameras] == ["wrist_view", "left_view"]
    assert found.contract(16).action_dims == 11
    rng = np.random.default_rng(0)
    written = rng.uniform(-1, 1, (6, 12))
    np.testing.assert_allclose(found.episodes[0].action[:, :3], written[:, 5:8], rtol=1e-6)


def test_a_switch_that_never_moves_and_could_be_either_must_be_told(tmp_path):
    def hold(number, states, actions):  # noqa: ARG001
        actions[:, 2] = 1

    root = write_demos(tmp_path / "demos", (4,), change=hold)
    with pytest.raises(UserError, match="--kinds gripper_close=binary_01 or"):
        read(root)
    assert read(root, kinds=("gripper_close=binary_pm1",)).action[1].kind == "binary_pm1"


def test_a_switch_of_minus_one_and_one_is_known_by_its_values(tmp_path):
    def signs(number, states, actions):  # noqa: ARG001
        actions[:, 2] = np.where(np.arange(len(actions)) % 2, 1, -1)

    assert read(write_demos(tmp_path / "demos", (4,), change=signs)).action[1].kind == "binary_pm1"


def test_data_sets_of_one_kind_are_read_together(demos, tmp_path):
    other = write_demos(tmp_path / "demos", (5,), "v3.0", seed=7)
    both = read(demos, other)
    assert len(both.episodes) == 4
    assert both.frames == 14 + 9 + 3 + 5


def test_data_sets_that_differ_are_refused_field_by_field(demos, tmp_path):
    def signs(number, states, actions):  # noqa: ARG001
        actions[:, 2] = np.where(np.arange(len(actions)) % 2, 1, -1)

    other = write_demos(tmp_path / "demos", (4,), change=signs)
    with pytest.raises(
        UserError, match=r"action\.gripper_close\.kind: 'binary_pm1' here, 'binary_01'"
    ):
        read(demos, other)


def spoil(number, states, actions):
    if number == 0:
        actions[3, 0] = np.nan
    if number == 1:
        states[0, 1] = np.nan


def test_numbers_that_are_none_skip_their_episode_and_say_where(tmp_path):
    found = read(write_demos(tmp_path / "demos", change=spoil))
    assert [len(one) for one in found.episodes] == [3]
    assert [skip.reason for skip in found.skipped] == ["not_finite"] * 2
    assert "row 3: hand_motion is not finite" in found.skipped[0].detail
    assert "row 0: hand is not finite" in found.skipped[1].detail


def test_a_missing_video_skips_its_episode(tmp_path):
    root = write_demos(tmp_path / "demos")
    next(root.glob("videos/*/observation.images.wrist_view/episode_000001.mp4")).unlink()
    found = read(root)
    assert [(skip.episode, skip.reason) for skip in found.skipped] == [
        ("demos/episode_000001", "missing_video")
    ]
    assert len(found.episodes) == 2


def test_the_wrong_rate_skips_every_episode_and_so_stops(tmp_path):
    root = write_demos(tmp_path / "demos")
    edit_info(root, fps=30)
    with pytest.raises(UserError) as refused:
        read(root)
    assert "no episode of" in str(refused.value)
    assert "bad_timestamps" in str(refused.value)
    assert "must ascend at 30.0 per second" in str(refused.value)


def test_a_video_that_is_cut_skips_its_episode_when_it_is_decoded(tmp_path):
    root = write_demos(tmp_path / "demos")
    video = next(root.glob("videos/*/observation.images.left_view/episode_000000.mp4"))
    video.write_bytes(video.read_bytes()[:400])
    found = FrameStore(tmp_path / "cache").fill(read(root))
    assert [(skip.episode, skip.reason) for skip in found.skipped] == [
        ("demos/episode_000000", "unreadable_video")
    ]
    assert len(found.episodes) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cameras": ("lefft_view",)}, "unknown camera 'lefft_view': did you mean 'left_view'"),
        ({"state": ("hands",)}, "unknown state field 'hands': did you mean 'hand'"),
        ({"action": ("grip",)}, "unknown action field 'grip'"),
        ({"kinds": ("grip=binary_01",)}, "unknown field 'grip'"),
        ({"kinds": ("gripper_close",)}, "write FIELD=KIND"),
        ({"kinds": ("gripper_close=switch",)}, "kind 'switch', known are"),
        ({"image_size": 4}, "write at least 16"),
        ({"episodes": 0}, "write at least 1"),
    ],
)
def test_what_the_data_do_not_have_is_told_with_the_closest_name(demos, changes, told):
    with pytest.raises(UserError, match=told):
        read(demos, **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"action": {"hand_motion": {"start": 0}}}, "action.hand_motion: KeyError.*start and end"),
        ({"action": {"hand_motion": {"start": 0, "end": 9}}}, "0 to 9 is no part of action"),
        (
            {"action": {"a": {"start": 0, "end": 1, "original_key": "actions"}}},
            "has no column 'actions'",
        ),
        ({"action": {}}, "no action to learn"),
    ],
)
def test_a_modality_that_names_what_is_not_there_is_told(tmp_path, changes, told):
    root = add_modality(write_demos(tmp_path / "demos", (4,), "v2.0"), **changes)
    with pytest.raises(UserError, match=told):
        read(root)


def test_a_policy_may_see_and_feel_nothing(demos):
    found = read(demos, cameras=("none",), state=("none",))
    assert found.cameras == ()
    assert found.state == ()
    assert found.episodes[0].state.shape == (14, 0)


def test_the_hash_is_of_numbers_and_words_not_of_places(demos, tmp_path):
    twin = write_demos(tmp_path / "elsewhere")
    assert read(twin).hash == read(demos).hash
    assert read(demos, episodes=2).hash != read(demos).hash
    assert read(demos, action=("gripper_close",)).hash != read(demos).hash


def test_no_data_set_is_told(tmp_path):
    with pytest.raises(UserError, match="holds no LeRobot dataset"):
        read(tmp_path)

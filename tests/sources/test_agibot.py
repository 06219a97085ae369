import json
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from write_agibot import (
    BASE_FROM_HEAD,
    CAMERAS,
    INTRINSICS,
    TASK,
    camera_poses,
    code,
    hand_poses,
    pack,
    write_release,
    write_videos,
)
from write_video import HEIGHT, WIDTH, code_of

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import Camera
from xvr.sources.agibot import index, key_files, load
from xvr.sources.records import Episode

LENGTH = 24
EPISODE = 648642
ROLES = ("ego_head", "ego_left", "ego_right")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    root = tmp_path_factory.mktemp("release") / "AgiBotWorld-Beta"
    write_release(root)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "AgiBotWorld-Beta"))


def parameters(root: Path) -> Path:
    return root / f"parameters/{TASK}/{EPISODE}/parameters/camera"


def states(root: Path) -> Path:
    return root / f"proprio_stats/{TASK}/{EPISODE}/proprio_stats.h5"


def first(root: Path) -> Episode:
    episode = load(index(root)[0])
    assert isinstance(episode, Episode)
    return episode


def refuse(root: Path) -> str:
    with pytest.raises(Unusable) as caught:
        first(root)
    return caught.value.reason


def pose(episode: Episode, role: str, frame: int) -> np.ndarray:
    calibration = episode.camera(role).calibration
    assert calibration is not None
    return calibration(frame).world_from_camera


def keep_first_pose(root: Path, name: str) -> None:
    path = parameters(root) / f"{name}_extrinsic_params_aligned.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:1]))


def change(path: Path, name: str, values: np.ndarray | None) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        if values is not None:
            file[name] = values


def test_index_lists_the_episodes_of_a_dataset_or_of_a_folder_of_them(written: Path):
    refs = index(written)
    assert [ref.id for ref in refs] == [f"AgiBotWorld-Beta/327/{n}" for n in (648642, 648649)]
    assert {(ref.kind, ref.rig) for ref in refs} == {("episode", "AgiBotWorld-Beta/327")}
    assert [ref.group for ref in refs] == [ref.id for ref in refs]
    assert [ref.id for ref in index(written.parent)] == [ref.id for ref in refs]


def test_a_path_without_episodes_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no AgiBot-World episode"):
        index(tmp_path)
    (tmp_path / "observations" / "327").mkdir(parents=True)
    with pytest.raises(UserError, match="holds no AgiBot-World episode"):
        index(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_an_episode_is_the_same_extracted_and_in_tars(root: Path, packed: bool):
    if packed:
        pack(root)
        assert not list(root.rglob("*.mp4"))
        assert not list(root.rglob("*.h5"))
    episode = first(root)
    assert (episode.length, episode.fps, episode.duration_s) == (LENGTH, 30.0, 0.8)
    assert episode.instruction == "Pickup items in the supermarket: Retrieve an apple.; Bag it."
    roles = {camera.key: camera.role for camera in episode.cameras}
    assert roles == {
        "head_color": "ego_head",
        "hand_left_color": "ego_left",
        "hand_right_color": "ego_right",
    }
    for camera in episode.cameras:
        wanted = [0, 9, 23]
        expected = [code(CAMERAS.index(camera.key), EPISODE, frame) for frame in wanted]
        assert [code_of(image) for image in camera.read_frames(wanted)] == expected
    np.testing.assert_allclose(pose(episode, "ego_left", 9), camera_poses("hand_left", LENGTH)[9])


def test_calibration_is_camera_to_base_in_the_pixels_of_the_video(written: Path):
    episode = first(written)
    calibration = episode.camera("ego_head").calibration
    assert calibration is not None
    camera = calibration(0)
    assert (camera.width, camera.height, camera.model) == (WIDTH, HEIGHT, "pinhole")
    assert [camera.fx, camera.fy, camera.cx, camera.cy] == list(INTRINSICS.values())
    np.testing.assert_allclose(camera.world_from_camera, BASE_FROM_HEAD)
    for name, role in (("hand_left", "ego_left"), ("hand_right", "ego_right")):
        expected = camera_poses(name, LENGTH)
        for frame in (0, 23):
            np.testing.assert_allclose(pose(episode, role, frame), expected[frame], atol=1e-12)


def test_the_effector_is_the_hand_that_travels_farther(written: Path):
    positions = first(written).effector_positions
    assert positions is not None
    np.testing.assert_allclose(positions, hand_poses("hand_left", LENGTH)[:, :3, 3])


def test_distortion_is_used_where_the_file_has_it(root: Path):
    path = parameters(root) / "head_intrinsic_params.json"
    path.write_text(json.dumps({"intrinsic": INTRINSICS | {"k1": 0.1, "p2": 0.01, "model": "x"}}))
    calibration = first(root).camera("ego_head").calibration
    assert calibration is not None
    assert calibration(0).model == "brown"
    assert calibration(0).distortion == (0.1, 0.0, 0.0, 0.01, 0.0)


def test_a_first_pose_alone_is_carried_on_by_the_hand_and_stays_with_the_head(root: Path):
    for name in ("head", "hand_left", "hand_right"):
        keep_first_pose(root, name)
    episode = first(root)
    for name, role in (
        ("head", "ego_head"),
        ("hand_left", "ego_left"),
        ("hand_right", "ego_right"),
    ):
        expected = camera_poses(name, LENGTH)
        for frame in (0, 11, 23):
            np.testing.assert_allclose(pose(episode, role, frame), expected[frame], atol=1e-9)


@pytest.mark.parametrize("joint", ["head", "waist"])
def test_a_first_pose_of_a_head_that_moves_gives_no_calibration(root: Path, joint: str):
    keep_first_pose(root, "head")
    moving = np.tile(np.linspace(0, 0.2, LENGTH)[:, None], (1, 2))
    change(states(root), f"state/{joint}/position", moving)
    assert first(root).camera("ego_head").calibration is None


@pytest.mark.parametrize("name", ["state/end/orientation", "state/end/position"])
def test_a_first_pose_without_the_hands_states_gives_no_calibration(root: Path, name: str):
    keep_first_pose(root, "hand_left")
    change(states(root), name, np.zeros((0, 2, 4 if "orient" in name else 3)))
    episode = first(root)
    assert episode.camera("ego_left").calibration is None
    assert episode.camera("ego_right").calibration is not None


def test_without_states_and_parameters_roles_and_frames_remain(root: Path):
    keep_first_pose(root, "head")
    states(root).unlink()
    for path in parameters(root).glob("hand_*_intrinsic_params.json"):
        path.unlink()
    episode = first(root)
    assert episode.length == LENGTH
    assert episode.effector_positions is None
    assert [camera.calibration for camera in episode.cameras] == [None] * 3


def test_parameters_may_lie_one_folder_higher(root: Path):
    folder = parameters(root)
    folder.rename(folder.parents[1] / "camera")
    assert first(root).camera("ego_head").calibration is not None


def test_fisheye_cameras_have_roles_but_no_calibration(root: Path):
    folder = root / f"observations/{TASK}/{EPISODE}"
    shutil.rmtree(folder)
    names = ("hand_left_fisheye_color", "hand_right_fisheye_color", "head_center_fisheye_color")
    names += ("head_color", "head_left_fisheye_color", "back_right_fisheye_color")
    write_videos(folder, EPISODE, LENGTH, names)
    (parameters(root) / "head_left_fisheye_intrinsic_params.json").write_text("{}")
    found = {camera.role: camera.calibration is not None for camera in first(root).cameras}
    assert found == {
        "ego_left": False,
        "ego_right": False,
        "ego_head_1": False,
        "ego_head": True,
        "ego_head_left": False,
    }


@pytest.mark.parametrize("content", [None, [], [{"episode_id": 1}], [{"episode_id": EPISODE}]])
def test_an_episode_that_no_one_describes_has_no_instruction(root: Path, content: list | None):
    path = root / "task_info" / f"task_{TASK}.json"
    path.unlink()
    if content is not None:
        path.write_text(json.dumps(content))
    assert first(root).instruction == ""


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[1]", '[{"id": 3}]'])
def test_a_damaged_task_file_is_refused(root: Path, text: str):
    (root / "task_info" / f"task_{TASK}.json").write_text(text)
    assert refuse(root) == "bad_metadata"


def test_an_episode_without_videos_is_refused(root: Path):
    shutil.rmtree(root / f"observations/{TASK}/{EPISODE}/videos")
    assert refuse(root) == "missing_video"


def test_a_truncated_video_is_refused(root: Path):
    path = root / f"observations/{TASK}/{EPISODE}/videos/head_color.mp4"
    path.write_bytes(path.read_bytes()[:400])
    assert refuse(root) == "unreadable_video"


def test_one_frame_more_or_less_is_cut_and_more_is_refused(root: Path):
    folder = root / f"observations/{TASK}/{EPISODE}"
    shutil.rmtree(folder)
    write_videos(folder, EPISODE, LENGTH + 1)
    episode = first(root)
    assert episode.length == LENGTH
    assert episode.effector_positions is not None
    assert len(episode.effector_positions) == LENGTH
    shutil.rmtree(folder)
    write_videos(folder, EPISODE, LENGTH + 2)
    with pytest.raises(Unusable, match=r"length_mismatch: .*head_color 26.*positions\) 24"):
        first(root)


def test_poses_that_are_not_aligned_with_the_frames_are_refused(root: Path):
    path = parameters(root) / "hand_right_extrinsic_params_aligned.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:7]))
    assert refuse(root) == "length_mismatch"


def test_an_episode_without_a_frame_is_refused(root: Path):
    for path in parameters(root).iterdir():
        path.unlink()
    change(states(root), "state/end/position", np.zeros((1, 2, 3)))
    change(states(root), "state/end/orientation", np.ones((1, 2, 4)))
    for name in ("head", "waist"):
        change(states(root), f"state/{name}/position", None)
    folder = root / f"observations/{TASK}/{EPISODE}"
    shutil.rmtree(folder)
    (folder / "videos").mkdir(parents=True)
    (folder / "videos" / "somewhere.mp4").write_bytes(b"a camera without a role")
    states(root).unlink()
    assert refuse(root) == "zero_length"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("head_intrinsic_params", "{", "bad_metadata"),
        ("head_intrinsic_params", '{"intrinsic": {"fx": 1}}', "bad_metadata"),
        ("head_intrinsic_params", "[]", "bad_metadata"),
        ("hand_left_extrinsic_params_aligned", '[{"extrinsic": {}}]', "bad_metadata"),
        ("hand_left_extrinsic_params_aligned", "[]", "bad_pose"),
        ("hand_left_extrinsic_params_aligned", "\xff", "bad_metadata"),
    ],
)
def test_damaged_parameters_are_refused(root: Path, name: str, content: str, reason: str):
    (parameters(root) / f"{name}.json").write_text(content, encoding="latin-1")
    assert refuse(root) == reason


@pytest.mark.parametrize(
    "values", [{"ppx": 640.0}, {"fx": 0.0}, {"fy": float("nan")}, {"ppy": float("nan")}]
)
def test_impossible_intrinsics_are_refused(root: Path, values: dict[str, float]):
    path = parameters(root) / "head_intrinsic_params.json"
    path.write_text(json.dumps({"intrinsic": INTRINSICS | values}))
    assert refuse(root) == "bad_intrinsics"


@pytest.mark.parametrize("entry", [float("nan"), 2.0])
def test_a_pose_that_is_not_rigid_is_refused(root: Path, entry: float):
    path = parameters(root) / "hand_left_extrinsic_params_aligned.json"
    entries = json.loads(path.read_text())
    entries[5]["extrinsic"]["rotation_matrix"][0][0] = entry
    path.write_text(json.dumps(entries))
    with pytest.raises(Unusable, match=r"bad_pose: .*hand_left.*frame 5"):
        first(root)


def test_a_hand_without_a_direction_is_refused_when_it_carries_a_camera(root: Path):
    turned = np.ones((LENGTH, 2, 4))
    turned[3] = 0
    change(states(root), "state/end/orientation", turned)
    assert first(root).length == LENGTH
    keep_first_pose(root, "hand_left")
    assert refuse(root) == "bad_pose"


@pytest.mark.parametrize("values", [np.full((LENGTH, 2, 3), np.nan), np.zeros((LENGTH, 3))])
def test_states_that_are_no_positions_of_two_hands_are_refused(root: Path, values: np.ndarray):
    change(states(root), "state/end/position", values)
    assert refuse(root) == "bad_effector_position"


@pytest.mark.parametrize("kept", [0, 900])
def test_a_truncated_file_of_states_is_refused(root: Path, kept: int):
    states(root).write_bytes(states(root).read_bytes()[:kept])
    assert refuse(root) == "unreadable_hdf5"


def test_without_h5py_the_line_that_installs_it_is_told(
    written: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r'pip install "xvr\[hdf5\]"'):
        first(written)


def test_key_files_are_tasks_and_states_or_archives(root: Path):
    refs = index(root)
    task = f"AgiBotWorld-Beta/task_info/task_{TASK}.json"
    folder = f"AgiBotWorld-Beta/proprio_stats/{TASK}"
    assert [name for name, _ in key_files(root, refs)] == [
        task,
        f"{folder}/648642/proprio_stats.h5",
        f"{folder}/648649/proprio_stats.h5",
    ]
    pack(root)
    found = dict(key_files(root, index(root)))
    assert found[task].is_file()
    assert sorted(name.partition("/")[2] for name in found if name != task) == [
        f"observations/{TASK}/648642-648649.tar",
        "parameters/648642-648649.tar",
        "proprio_stats/648642-648649.tar",
    ]


def test_calibrated_cameras_see_the_hand_where_it_is(written: Path):
    """The right hand is in view of the head, on the right side of its image."""
    calibration = first(written).camera("ego_head").calibration
    assert calibration is not None
    camera = calibration(0)
    hand = np.append(hand_poses("hand_right", LENGTH)[0, :3, 3], 1.0)
    x, _, z, _ = camera.camera_from_world @ hand
    assert z > 0
    assert x > 0
    assert isinstance(camera, Camera)

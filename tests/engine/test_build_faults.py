"""Bad scenes and episodes among good ones are skipped and listed; too little data is explained."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest

from toy import robot
from toy.datasets import config, hashes, pairs
from xvr.engine.build import build
from xvr.engine.executor import Crew
from xvr.errors import UserError

SCENE_TASKS = ("directional_correspondence", "viewpoint_localization")
EPISODE_TASKS = ("temporal_verification", "cross_scenario_localization")


@pytest.fixture
def own_captures(captures, tmp_path):
    return shutil.copytree(captures, tmp_path / "captures")


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def truncate(scene):
    for path in (scene / "rgb").iterdir():
        path.write_bytes(path.read_bytes()[:900])


def eight_bit_depth(scene):
    for path in (scene / "depth").iterdir():
        cv2.imwrite(str(path), np.full((120, 160), 200, np.uint8))


def small_depth(scene):
    for path in (scene / "depth").iterdir():
        cv2.imwrite(str(path), np.full((60, 80), 900, np.uint16))


def empty_depth(scene):
    for path in (scene / "depth").iterdir():
        cv2.imwrite(str(path), np.zeros((120, 160), np.uint16))


def nan_pose(scene):
    path = scene / "cam_poses.txt"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([" ".join([*first.split()[:-1], "nan"]), *rest]) + "\n")


def sheared_pose(scene):
    path = scene / "cam_poses.txt"
    first, *rest = path.read_text().splitlines()
    number, x, *words = first.split()
    path.write_text("\n".join([" ".join([number, str(float(x) + 0.5), *words]), *rest]) + "\n")


def one_pose_less(scene):
    path = scene / "cam_poses.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


def no_metadata(scene):
    (scene / "metadata").unlink()


def one_depth_less(scene):
    (scene / "depth" / "00007.png").unlink()


def two_views(scene):
    path = scene / "cam_poses.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    for image in sorted((scene / "rgb").iterdir())[2:]:
        image.unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "truncated_image"),
        (eight_bit_depth, "wrong_depth_dtype"),
        (small_depth, "wrong_depth_size"),
        (empty_depth, "too_few_points"),
        (nan_pose, "bad_pose"),
        (sheared_pose, "bad_pose"),
        (one_pose_less, "pose_count_mismatch"),
        (no_metadata, "missing_metadata"),
        (one_depth_less, "missing_depth"),
        (two_views, "too_few_views"),
    ],
)
def test_a_bad_scene_among_good_ones_is_skipped_and_listed(own_captures, tmp_path, damage, reason):
    bad = own_captures / "toy" / "scenes" / "scene_001"
    damage(bad)
    out = tmp_path / "out"
    source = f"wildrgbd:{own_captures}"
    build(out, config(source, tasks=SCENE_TASKS, samples=24, valid_share=0.0))
    (entry,) = manifest_of(out)["skipped"]
    assert entry["reason"] == reason
    assert (entry["format"], entry["path"]) == ("wildrgbd", str(own_captures))
    assert entry["id"] == "toy/scenes/scene_001"
    assert "scene_001" in entry["detail"]
    assert manifest_of(out)["skipped_by_reason"] == {entry["reason"]: 1}
    used = {proof["source"]["scene"] for _, proof in pairs(out, "train")}
    assert "toy/scenes/scene_001" not in used
    assert len(pairs(out, "train")) == 24


def test_a_skipped_scene_makes_no_difference_between_one_worker_and_two(own_captures, tmp_path):
    nan_pose(own_captures / "toy" / "scenes" / "scene_001")
    wanted = config(f"wildrgbd:{own_captures}", tasks=SCENE_TASKS, valid_share=0.0)
    build(tmp_path / "one", wanted)
    build(tmp_path / "two", wanted, Crew(workers=2))
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_short_and_empty_episodes_are_skipped(tmp_path):
    root = tmp_path / "kitchen"
    robot.write_robot(root, lengths=[110, 99, 110, 0, 110])
    out = tmp_path / "out"
    build(out, config(f"lerobot:{root}", tasks=EPISODE_TASKS, samples=16, valid_share=0.0))
    skipped = {entry["id"]: entry["reason"] for entry in manifest_of(out)["skipped"]}
    assert skipped == {
        "kitchen/episode_000001": "too_short",
        "kitchen/episode_000003": "zero_length",
    }
    assert len(pairs(out, "train")) == 16


def test_an_unusable_partner_is_replaced_by_another(tmp_path):
    root = tmp_path / "kitchen"
    robot.write_robot(root, lengths=[110, 99, 110, 99, 110])
    out = tmp_path / "out"
    tasks = ("cross_scenario_localization",)
    build(out, config(f"lerobot:{root}", tasks=tasks, samples=24, valid_share=0.0))
    used = {proof["source"]["episode"] for _, proof in pairs(out, "train")}
    assert used <= {f"kitchen/episode_{n:06d}" for n in (0, 2, 4)}


def test_a_robot_with_one_camera_gives_nothing_and_says_why(tmp_path):
    root = tmp_path / "kitchen"
    robot.write_robot(root, episodes=3, cameras=robot.CAMERAS[:1])
    with pytest.raises(UserError) as caught:
        build(tmp_path / "out", config(f"lerobot:{root}", tasks=EPISODE_TASKS, samples=8))
    assert "3 of them unusable; too_few_cameras 3" in str(caught.value)
    assert "1 cameras with a known role (fix_center), 3 are needed" in str(caught.value)


def test_asking_for_too_much_says_how_much_there_is_and_why(tmp_path):
    root, out = tmp_path / "kitchen", tmp_path / "out"
    robot.write_robot(root, episodes=1)
    tasks = ("directional_view_localization",)
    wanted = config(f"lerobot:{root}", tasks=tasks, samples=900, valid_share=0.0, images="none")
    with pytest.raises(UserError) as caught:
        build(out, wanted)
    text = str(caught.value)
    made = re.search(r"train directional_view_localization: (\d+) of 900; (.*)", text)
    assert made
    assert 100 < int(made[1]) < 900
    assert "same_question_again" in made[2]
    assert "ask for fewer samples" in text
    assert not (out / "manifest.json").exists()


def test_nothing_usable_names_the_first_reason(own_captures, tmp_path):
    for scene in (own_captures / "toy" / "scenes").iterdir():
        nan_pose(scene)
    with pytest.raises(UserError) as caught:
        build(tmp_path / "out", config(f"wildrgbd:{own_captures}", tasks=SCENE_TASKS, samples=8))
    assert "4 of them unusable; bad_pose 4" in str(caught.value)
    assert "first unusable: toy/scenes/scene_00" in str(caught.value)
    assert "0 of " in str(caught.value)


def test_a_filter_that_no_scene_passes_is_counted(sources, tmp_path):
    rules = {"rules": config(*sources).rules.__class__(min_scene_points=10_000_000)}
    with pytest.raises(UserError, match="too_few_points 4"):
        build(tmp_path / "out", config(sources[0], tasks=SCENE_TASKS, samples=8, **rules))


def test_tasks_without_a_source_of_their_domain_are_named(sources, tmp_path):
    with pytest.raises(UserError, match="train temporal_verification: 0 of 4"):
        build(tmp_path / "out", config(sources[0], tasks=EPISODE_TASKS, samples=8, valid_share=0.0))


def test_a_scene_that_changes_is_another_source(own_captures, tmp_path):
    out, source = tmp_path / "out", f"wildrgbd:{own_captures}"
    quick = {"tasks": ("viewpoint_localization",), "samples": 3, "valid_share": 0.0}
    build(out, config(source, **quick))
    shutil.rmtree(own_captures / "toy" / "scenes" / "scene_002")
    with pytest.raises(UserError, match="other arguments, sources or version"):
        build(out, config(source, **quick))


def test_less_than_one_worker_is_refused(sources, tmp_path):
    with pytest.raises(UserError, match="--workers is 0"):
        build(tmp_path / "out", config(*sources), Crew(workers=0))

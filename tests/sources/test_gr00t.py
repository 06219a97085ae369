import json
from pathlib import Path

import numpy as np
import pytest
from write_gr00t import DESCRIPTION, STATE, TEXTS, VALIDITY, state, write_gr00t
from write_lerobot import CAMERAS, code, write_dataset
from write_video import code_of

from xvr.errors import Unusable, UserError
from xvr.sources.gr00t import index, key_files, load
from xvr.sources.records import Episode

LENGTHS = (5, 4)


def first(root: Path) -> Episode:
    return load(index(root)[0])


def roles(episode: Episode) -> dict[str, str]:
    return {camera.key: camera.role for camera in episode.cameras}


def test_a_panda_has_its_three_cameras_effector_and_words(tmp_path: Path):
    write_gr00t(tmp_path / "single_panda_gripper.OpenDrawer")
    refs = index(tmp_path / "single_panda_gripper.OpenDrawer")
    assert {ref.format for ref in refs} == {"gr00t"}
    assert {ref.rig for ref in refs} == {
        "single_panda_gripper.OpenDrawer|panda|left_view|right_view|wrist_view"
    }
    one, two = map(load, refs)
    assert dict(zip(CAMERAS, ("fix_left", "fix_right", "ego"), strict=True)) == roles(one)
    assert (one.length, two.length) == LENGTHS
    assert one.instruction == TEXTS[0]
    assert one.effector_positions is not None
    np.testing.assert_allclose(one.effector_positions, state(LENGTHS)[:5, 7:10])
    for order, camera in enumerate(two.cameras):
        images = camera.read_frames([0, 3])
        assert [code_of(image) for image in images] == [code(order, 1, 0), code(order, 1, 3)]


def test_a_folder_of_subsets_is_indexed_together(tmp_path: Path):
    names = ("single_panda_gripper.CloseDrawer", "single_panda_gripper.OpenDrawer")
    for name in names:
        write_gr00t(tmp_path / name)
    refs = index(tmp_path)
    assert len(refs) == 4
    assert {ref.rig.split("|")[0] for ref in refs} == set(names)
    assert [load(ref).dataset for ref in refs[::2]] == list(names)
    keys = [name for name, path in key_files(tmp_path, refs) if path.is_file()]
    assert f"{names[0]}/modality.json" in keys


def test_names_of_the_modality_file_tell_the_roles(tmp_path: Path):
    videos = dict(zip(("wrist", "right_view", "left_view"), CAMERAS, strict=True))
    write_gr00t(tmp_path / "d", videos=videos)
    assert roles(first(tmp_path / "d")) == dict(
        zip(CAMERAS, ("ego", "fix_right", "fix_left"), strict=True)
    )


def test_a_camera_the_modality_file_does_not_list_is_none(tmp_path: Path):
    video = {"left_view": {}, "right_view": {"original_key": CAMERAS[1]}}
    write_gr00t(tmp_path / "d", video=video)
    assert list(roles(first(tmp_path / "d"))) == list(CAMERAS[:2])
    (tmp_path / "d" / "meta" / "camera_roles.json").write_text('{"left_view": "fix_top"}')
    (tmp_path / "d" / "meta" / "info.json").touch()
    with pytest.raises(Unusable, match="too_few_cameras") as caught:
        first(tmp_path / "d")
    assert "wrist_view" not in caught.value.detail
    assert "right_view" in caught.value.detail


def test_a_front_view_claims_no_direction(tmp_path: Path):
    keys = [f"observation.images.{name}_view" for name in ("front", "left_wrist", "right_wrist")]
    videos = dict(zip(("front_view", "left_wrist_view", "right_wrist_view"), keys, strict=True))
    write_gr00t(tmp_path / "bimanual_panda_gripper.Transport", videos=videos)
    found = roles(first(tmp_path / "bimanual_panda_gripper.Transport"))
    assert list(found.values()) == ["fix_front", "ego_left", "ego_right"]
    chosen = dict(zip(keys, ("fix_center", "ego_left", "ego_right"), strict=True))
    meta = tmp_path / "bimanual_panda_gripper.Transport" / "meta"
    (meta / "camera_roles.json").write_text(json.dumps(chosen))
    (meta / "info.json").touch()
    assert roles(first(meta.parent)) == chosen


def test_episodes_called_invalid_are_refused(tmp_path: Path):
    write_gr00t(tmp_path / "d", invalid=[1])
    one, two = index(tmp_path / "d")
    assert load(one).length == LENGTHS[0]
    with pytest.raises(Unusable, match="invalid_episode") as caught:
        load(two)
    assert VALIDITY in caught.value.detail


def test_without_annotations_the_list_of_episodes_tells_the_task(tmp_path: Path):
    write_gr00t(tmp_path / "d", tasks_key="episode_tasks", annotation={})
    assert first(tmp_path / "d").instruction == TEXTS[1]


def test_an_annotation_may_name_its_column(tmp_path: Path):
    annotation = {"human.coarse_action": {"original_key": DESCRIPTION}, "human.validity": None}
    write_gr00t(tmp_path / "d", invalid=[0, 1], annotation=annotation)
    with pytest.raises(Unusable, match="invalid_episode"):
        first(tmp_path / "d")
    write_gr00t(tmp_path / "e", annotation=annotation)
    assert first(tmp_path / "e").instruction == TEXTS[0]


def test_without_the_effector_in_the_modality_file_it_is_unknown(tmp_path: Path):
    write_gr00t(tmp_path / "d", state={"base_position": STATE["base_position"]})
    assert first(tmp_path / "d").effector_positions is None


@pytest.mark.parametrize(
    "entry", [{"start": 7}, {"start": 7, "end": 8}, 7, {"start": "a", "end": 9}]
)
def test_a_damaged_slice_is_refused(tmp_path: Path, entry: object):
    write_gr00t(tmp_path / "d", state={"end_effector_position_absolute": entry})
    with pytest.raises(Unusable, match="bad_metadata"):
        first(tmp_path / "d")


def test_a_dataset_without_modality_file_is_left_to_lerobot(tmp_path: Path):
    write_dataset(tmp_path / "d", "v2.0", lengths=(3,))
    with pytest.raises(UserError, match=r"no meta/modality.json; read it with lerobot:"):
        index(tmp_path / "d")


def test_a_path_without_dataset_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no LeRobot dataset"):
        index(tmp_path)

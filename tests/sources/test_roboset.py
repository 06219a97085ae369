from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from write_hdf5 import write_roboset
from write_video import code_of, coded_frame

from xvr.errors import Unusable, UserError
from xvr.sources.records import Episode
from xvr.sources.roboset import index, key_files, load

CAMERAS = ("rgb_left", "rgb_right", "rgb_top", "rgb_wrist")
ROLES = ("fix_left", "fix_right", "fix_top", "ego")


def code(camera: int, trial: int, frame: int) -> int:
    return 1000 * camera + 200 * trial + frame


def make_trial(number: int, length: int, **more: Any) -> dict[str, Any]:
    cameras = {
        name: np.array([coded_frame(code(order, number, frame)) for frame in range(length)])
        for order, name in enumerate(CAMERAS)
    }
    return {"cameras": cameras, "fps": 10, **more}


def write(root: Path, **more: Any) -> Path:
    path = root / "kitchen" / "pick_2023.04.05.h5"
    write_roboset(path, [make_trial(0, 7, **more), make_trial(1, 5, **more)])
    return path


def first(root: Path) -> Episode:
    return load(index(root)[0])


def refused(root: Path) -> str:
    with pytest.raises(Unusable) as caught:
        first(root)
    return caught.value.reason


def replace(path: Path, key: str, values: np.ndarray) -> None:
    with h5py.File(path, "a") as file:
        if key in file:
            del file[key]
        file[key] = values


def test_every_trial_is_an_episode(tmp_path: Path):
    path = write(tmp_path)
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == [
        "kitchen/pick_2023.04.05/Trial0",
        "kitchen/pick_2023.04.05/Trial1",
    ]
    assert len({ref.rig for ref in refs}) == 1
    assert [load(ref).length for ref in refs] == [7, 5]
    assert [load(ref).length for ref in index(path)] == [7, 5]
    assert [name for name, _ in key_files(tmp_path, refs)] == ["kitchen/pick_2023.04.05"]


def test_the_files_of_a_folder_are_one_rig(tmp_path: Path):
    write(tmp_path)
    write_roboset(tmp_path / "kitchen" / "second.h5", [make_trial(0, 3)])
    write_roboset(tmp_path / "office" / "third.h5", [make_trial(0, 3)])
    rigs = {ref.id: ref.rig for ref in index(tmp_path)}
    assert rigs["kitchen/second/Trial0"] == rigs["kitchen/pick_2023.04.05/Trial0"]
    assert rigs["kitchen/second/Trial0"] != rigs["office/third/Trial0"]


def test_frames_are_those_asked_for(tmp_path: Path):
    write(tmp_path, depth={"d_left": np.zeros((7, 8, 8, 3), np.uint8)})
    for number, ref in enumerate(index(tmp_path)):
        episode = load(ref)
        assert tuple(camera.role for camera in episode.cameras) == ROLES
        for order, camera in enumerate(episode.cameras):
            images = camera.read_frames([0, 2, 4])
            assert [code_of(image) for image in images] == [
                code(order, number, frame) for frame in (0, 2, 4)
            ]
            assert (images[1] == coded_frame(code(order, number, 2))).all()


def test_the_rate_is_that_of_the_times_or_of_the_notes_or_5(tmp_path: Path):
    path = write(tmp_path)
    assert first(tmp_path).fps == pytest.approx(10)
    replace(path, "Trial0/data/time", 3 + np.arange(7)[:, None] / 12.5)
    assert first(tmp_path).fps == pytest.approx(12.5)
    with h5py.File(path, "a") as file:
        del file["Trial0/data/time"]
    assert first(tmp_path).fps == 5
    (tmp_path / "reader.json").write_text('{"fps": 4}')
    assert first(tmp_path).fps == 4


@pytest.mark.parametrize(
    "times", [[0, 1, 2, 3, 3, 4, 5], [0, 1, 2, 3, 4, 5, 60], [0, 1, 2, np.nan, 4, 5, 6], [0] * 7]
)
def test_times_that_do_not_ascend_evenly_are_refused(tmp_path: Path, times: list[float]):
    replace(write(tmp_path), "Trial0/data/time", np.array(times, np.float64))
    assert refused(tmp_path) == "bad_timestamps"


def test_positions_of_the_end_effector_are_read(tmp_path: Path):
    path = write(tmp_path)
    assert first(tmp_path).effector_positions is None
    poses = np.arange(42.0).reshape(7, 6)
    replace(path, "Trial0/derived/pose_ee", poses)
    positions = first(tmp_path).effector_positions
    assert positions is not None
    assert positions.tolist() == poses[:, :3].tolist()


@pytest.mark.parametrize("poses", [np.full((7, 6), np.nan), np.zeros((6, 6)), np.zeros(7)])
def test_bad_positions_are_refused(tmp_path: Path, poses: np.ndarray):
    replace(write(tmp_path), "Trial0/derived/pose_ee", poses)
    assert refused(tmp_path) == "bad_effector_position"


def test_cameras_of_different_length_are_refused(tmp_path: Path):
    replace(write(tmp_path), "Trial0/data/rgb_top", np.zeros((6, 8, 8, 3), np.uint8))
    assert refused(tmp_path) == "length_mismatch"


def test_an_empty_trial_is_refused(tmp_path: Path):
    empty = {name: np.zeros((0, 8, 8, 3), np.uint8) for name in CAMERAS}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, values in empty.items():
            file[f"Trial0/data/{name}"] = values
    assert refused(tmp_path) == "zero_length"


def test_too_few_known_cameras_are_refused(tmp_path: Path):
    path = write(tmp_path)
    with h5py.File(path, "a") as file:
        file.move("Trial0/data/rgb_left", "Trial0/data/rgb_phone")
        file.move("Trial0/data/rgb_top", "Trial0/data/rgb_tablet")
    assert refused(tmp_path) == "too_few_cameras"


def test_a_cut_file_is_refused_alone(tmp_path: Path):
    path = write(tmp_path)
    cut = path.with_name("cut.h5")
    cut.write_bytes(path.read_bytes()[:3000])
    refs = index(tmp_path)
    assert refs[0].id == "kitchen/cut/unreadable"
    with pytest.raises(Unusable, match="unreadable_hdf5"):
        load(refs[0])
    assert load(refs[1]).length == 7


def test_a_damaged_block_is_refused_when_it_is_read(tmp_path: Path):
    path = write(tmp_path)
    with h5py.File(path) as file:
        place = file["Trial0/data/rgb_left"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[place : place + 40] = bytes(40)
    path.write_bytes(data)
    camera = first(tmp_path).cameras[0]
    with pytest.raises(Unusable, match="unreadable_hdf5"):
        camera.read_frames([0])


def test_a_trial_or_file_that_is_gone_is_unusable(tmp_path: Path):
    path = write(tmp_path)
    ref = index(tmp_path)[0]
    with h5py.File(path, "a") as file:
        del file["Trial0"]
    with pytest.raises(Unusable, match="unknown_episode"):
        load(ref)
    path.unlink()
    with pytest.raises(Unusable, match="unknown_episode"):
        load(ref)


def test_other_hdf5_files_are_a_user_error(tmp_path: Path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = np.zeros(3)
        file["Trial0/data/qp_arm"] = np.zeros((3, 7))
    with pytest.raises(UserError, match="holds no RoboSet trial"):
        index(tmp_path)

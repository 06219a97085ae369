import json
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from write_hdf5 import write_aloha_file
from write_video import HEIGHT, WIDTH, code_of, coded_frame

from xvr.errors import Unusable, UserError
from xvr.sources import Source, fingerprint
from xvr.sources.aloha import index, key_files, load
from xvr.sources.records import Episode

CAMERAS = ("cam_high", "cam_left_wrist", "cam_right_wrist")
LENGTH = 6


def code(camera: int, frame: int) -> int:
    return 1000 * camera + frame


def frames() -> dict[str, list[np.ndarray]]:
    return {
        name: [coded_frame(code(order, frame)) for frame in range(LENGTH)]
        for order, name in enumerate(CAMERAS)
    }


def write(folder: Path, number: int = 0, notes: str = '{"channels": "rgb"}', **options) -> Path:
    path = folder / f"episode_{number}.hdf5"
    write_aloha_file(path, frames(), **options)
    if notes:
        (folder / "reader.json").write_text(notes)
    return path


def first(root: Path) -> Episode:
    return load(index(root)[0])


def refused(root: Path) -> str:
    with pytest.raises(Unusable) as caught:
        first(root)
    return caught.value.reason


def damaged(root: Path, change: Callable[[h5py.File], object]) -> str:
    path = write(root)
    with h5py.File(path, "a") as file:
        change(file)
    return refused(root)


def test_every_file_is_an_episode_of_its_folder(tmp_path: Path):
    write(tmp_path / "wipe_wine", 0)
    write(tmp_path / "wipe_wine", 1)
    write(tmp_path / "cook_shrimp", 0)
    for name in ("mirror_episode_0", "episode_0_features"):
        write_aloha_file(tmp_path / "cook_shrimp" / f"{name}.hdf5", frames())
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == [
        "cook_shrimp/episode_0",
        "wipe_wine/episode_0",
        "wipe_wine/episode_1",
    ]
    assert [ref.rig for ref in refs] == ["cook_shrimp", "wipe_wine", "wipe_wine"]
    assert [load(ref).dataset for ref in refs] == [ref.rig for ref in refs]
    one = index(tmp_path / "wipe_wine" / "episode_1.hdf5")
    assert [load(ref).dataset for ref in one] == ["wipe_wine"]


@pytest.mark.parametrize("compress", [False, True])
def test_frames_are_those_asked_for(tmp_path: Path, compress: bool):
    write(tmp_path, compress=compress)
    episode = first(tmp_path)
    assert (episode.length, episode.fps) == (LENGTH, 50)
    assert {camera.key.rpartition("/")[2]: camera.role for camera in episode.cameras} == {
        "cam_high": "fix_center",
        "cam_left_wrist": "ego_left",
        "cam_right_wrist": "ego_right",
    }
    for order, camera in enumerate(episode.cameras):
        images = camera.read_frames([0, 3, 5])
        assert [code_of(image) for image in images] == [code(order, frame) for frame in (0, 3, 5)]
        assert images[0].shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ValueError, match="ascend"):
        episode.cameras[0].read_frames([3, 0])


@pytest.mark.parametrize(("compress", "stored"), [(False, "rgb"), (True, "bgr")])
def test_colours_are_right_when_their_order_is_said(tmp_path: Path, compress: bool, stored: str):
    write(tmp_path, compress=compress, notes=json.dumps({"channels": stored}))
    (image,) = first(tmp_path).cameras[0].read_frames([2])
    recorded = coded_frame(2)[16:].astype(int)
    assert np.abs(image[16:] - recorded).mean() < 2
    assert np.abs(image[16:] - recorded[..., ::-1]).mean() > 8


def test_an_unknown_order_of_colours_is_a_user_error_but_for_simulated_files(tmp_path: Path):
    for sim in (False, None):
        write(tmp_path, notes="", sim=sim)
        with pytest.raises(UserError, match=r'\{"channels": "bgr"\} into .*reader\.json'):
            index(tmp_path)
    write(tmp_path, notes="", sim=True)
    assert (first(tmp_path).cameras[0].read_frames([1])[0] == coded_frame(1)).all()
    path = write(tmp_path, 1, notes="", sim=False)
    with pytest.raises(UserError, match=path.name):
        load(index(tmp_path)[1])


def test_a_static_robot_with_another_camera_and_depth(tmp_path: Path):
    images = frames() | {"cam_low": frames()["cam_high"]}
    write_aloha_file(tmp_path / "episode_0.hdf5", images, sim=True, base=False)
    with h5py.File(tmp_path / "episode_0.hdf5", "a") as file:
        file["observations/images/cam_high_depth"] = np.zeros((LENGTH, 8, 8), np.uint16)
    assert {camera.role for camera in first(tmp_path).cameras} == {
        "fix_center",
        "fix_center_1",
        "ego_left",
        "ego_right",
    }


@pytest.mark.parametrize("strings", [False, True])
def test_images_of_variable_length_are_read(tmp_path: Path, strings: bool):
    path = write(tmp_path, compress=True)
    with h5py.File(path, "a") as file:
        rows = [np.trim_zeros(row, "b") for row in file["observations/images/cam_high"][()]]
        del file["observations/images/cam_high"]
        if strings:
            file["observations/images/cam_high"] = np.array([row.tobytes() for row in rows])
        else:
            kind = h5py.vlen_dtype(np.uint8)
            data = file.create_dataset("observations/images/cam_high", (LENGTH,), kind)
            for number, row in enumerate(rows):
                data[number] = row
        file["observations/images/notes"] = ["text"] * LENGTH
    assert code_of(first(tmp_path).cameras[0].read_frames([4])[0]) == code(0, 4)


def test_notes_change_rate_and_roles(tmp_path: Path):
    roles = {"cam_high": "ego_head", "cam_left_wrist": "ego_left", "cam_right_wrist": "ego_right"}
    write(tmp_path, notes=json.dumps({"channels": "rgb", "fps": 30, "camera_roles": roles}))
    episode = first(tmp_path)
    assert episode.fps == 30
    assert {camera.role for camera in episode.cameras} == set(roles.values())


def test_wrong_lengths_are_refused(tmp_path: Path):
    def shorten(file: h5py.File) -> None:
        del file["base_action"]
        file["base_action"] = np.zeros((LENGTH - 1, 2))

    assert damaged(tmp_path, shorten) == "length_mismatch"


def test_an_empty_episode_is_refused(tmp_path: Path):
    path = tmp_path / "episode_0.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["sim"] = True
        for name in CAMERAS:
            file[f"observations/images/{name}"] = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    assert refused(tmp_path) == "zero_length"


def test_a_file_without_images_is_refused(tmp_path: Path):
    assert damaged(tmp_path, lambda file: file.pop("observations/images")) == "no_cameras"


def test_too_few_cameras_are_refused(tmp_path: Path):
    def rename(file: h5py.File) -> None:
        file.move("observations/images/cam_high", "observations/images/phone")

    assert damaged(tmp_path, rename) == "too_few_cameras"


def test_a_cut_file_is_refused_alone(tmp_path: Path):
    path = write(tmp_path, 0)
    write(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:5000])
    refs = index(tmp_path)
    with pytest.raises(Unusable, match="unreadable_hdf5"):
        load(refs[0])
    assert load(refs[1]).length == LENGTH


def test_a_damaged_image_is_refused(tmp_path: Path):
    path = write(tmp_path, compress=True)
    with h5py.File(path, "a") as file:
        file["observations/images/cam_high"][2, 400:] = 0
    with pytest.raises(Unusable, match="truncated_image"):
        first(tmp_path).cameras[0].read_frames([2])


def test_a_file_that_is_gone_is_unusable(tmp_path: Path):
    path = write(tmp_path)
    (ref,) = index(tmp_path)
    path.unlink()
    with pytest.raises(Unusable, match="unknown_episode"):
        load(ref)


def test_a_folder_without_episodes_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no ALOHA episode"):
        index(tmp_path)


def test_the_fingerprint_sees_files_and_notes(tmp_path: Path):
    source = Source(format="aloha", path=tmp_path)
    seen = set()
    for channels in ("rgb", "bgr"):
        write(tmp_path, notes=json.dumps({"channels": channels}))
        refs = index(tmp_path)
        names = [name for name, _ in key_files(tmp_path, refs)]
        assert names[0] == "episode_0"
        assert names[1].startswith("reader.json ")
        seen.add(fingerprint(refs, source))
    assert len(seen) == 2


def test_missing_h5py_names_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r'pip install "xvr\[hdf5\]"'):
        first(tmp_path)

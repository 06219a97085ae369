import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from xvr.errors import UserError
from xvr.sim.captures import RECORD, record_captures, scene_path
from xvr.sim.tabletop import CENTRAL, category_of

pytest.importorskip("mujoco")

SMALL = {"seed": 3, "frames": 4, "width": 160, "height": 120}


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sim") / "captures"
    assert [capture.written for capture in record_captures(out, 1, **SMALL)] == [True]
    return out


@pytest.fixture(scope="module")
def scene(recorded: Path) -> Path:
    return recorded / scene_path(3, 0)


def read(scene: Path) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """K, poses and depths in metres, read with nothing but the format's own words."""
    matrix = np.array(json.loads((scene / "metadata").read_text())["K"]).reshape(3, 3).T
    poses = np.loadtxt(scene / "cam_poses.txt")[:, 1:].reshape(-1, 4, 4)
    files = sorted((scene / "depth").iterdir())
    return matrix, poses, [cv2.imread(str(f), cv2.IMREAD_UNCHANGED) / 1000 for f in files]


@pytest.mark.sim
def test_scene_has_the_files_of_wildrgbd(recorded: Path, scene: Path) -> None:
    names = [f"{number:05d}.png" for number in range(4)]
    for folder, kind in (("rgb", np.uint8), ("depth", np.uint16), ("masks", np.uint8)):
        assert sorted(p.name for p in (scene / folder).iterdir()) == names
        image = cv2.imread(str(scene / folder / names[0]), cv2.IMREAD_UNCHANGED)
        assert image.dtype == kind
        assert image.shape[:2] == (120, 160)
    mask = cv2.imread(str(scene / "masks" / names[0]), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255}
    meta = json.loads((scene / "metadata").read_text())
    assert (meta["w"], meta["h"], meta["K"][6], meta["K"][7]) == (160, 120, 80.0, 60.0)
    lines = (scene / "cam_poses.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [17] * 4
    category = scene.parents[1]
    entry = f"scenes/{scene.name}"
    for name in ("nvs_list", "camera_eval_list"):
        split = json.loads((category / f"{name}.json").read_text())
        assert split == {"train": [entry], "val": []}
    assert json.loads((category / "types.json").read_text()) == {entry: "multi"}
    assert json.loads((recorded / RECORD).read_text())["seed"] == 3


@pytest.mark.sim
def test_a_plain_scene_has_the_same_surfaces_and_another_light(scene: Path, tmp_path: Path) -> None:
    list(record_captures(tmp_path / "plain", 1, **SMALL, plain=True))
    plain = tmp_path / "plain" / scene_path(3, 0)
    for number in ("00000.png", "00003.png"):
        assert (plain / "depth" / number).read_bytes() == (scene / "depth" / number).read_bytes()
        images = [cv2.imread(str(s / "rgb" / number)).astype(int) for s in (plain, scene)]
        assert images[0].mean() > images[1].mean()  # no shadows
    with pytest.raises(UserError, match="use the same arguments"):
        list(record_captures(tmp_path / "plain", 1, **SMALL))


@pytest.mark.sim
def test_depth_of_one_frame_agrees_with_that_of_another(scene: Path) -> None:
    matrix, poses, depths = read(scene)
    height, width = depths[0].shape
    v, u = np.mgrid[0:height, 0:width] + 0.5
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(matrix).T
    for i, j in ((0, 1), (2, 3)):
        world = (rays * depths[i][..., None]).reshape(-1, 3) @ poses[i, :3, :3].T + poses[i, :3, 3]
        seen = (world - poses[j, :3, 3]) @ poses[j, :3, :3]
        pixel = (seen / seen[:, 2:]) @ matrix.T
        inside = (
            (seen[:, 2] > 0) & (pixel[:, :2] > 0).all(1) & (pixel[:, :2] < (width, height)).all(1)
        )
        column, row = pixel[inside, :2].astype(int).T
        error = np.abs(depths[j][row, column] - seen[inside, 2])
        same = error < 0.03
        assert same.mean() > 0.3
        # At 160 pixels a pixel is four times as wide as at 640, where the median is below 1 mm.
        assert np.median(error[same]) < 0.004


@pytest.mark.sim
def test_every_pixel_has_a_depth_below_five_metres(scene: Path) -> None:
    depths = np.stack(read(scene)[2])
    assert depths.min() > 0.1
    assert depths.max() < 5


@pytest.mark.sim
def test_complete_scenes_are_skipped_and_unfinished_ones_written_again(
    recorded: Path, scene: Path
) -> None:
    before = tree(recorded)
    leftover = scene.with_name(f".{scene.name}.partial")
    scene.rename(leftover)
    assert [capture.written for capture in record_captures(recorded, 1, **SMALL)] == [True]
    assert tree(recorded) == before
    assert [capture.written for capture in record_captures(recorded, 1, **SMALL)] == [False]


def test_folder_with_other_arguments_or_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        next(record_captures(tmp_path, 1, **SMALL))
    made = tmp_path / "made"
    made.mkdir()
    (made / RECORD).write_text(json.dumps({"command": "sim captures", "seed": 4}))
    with pytest.raises(UserError, match="was made with"):
        next(record_captures(made, 1, **SMALL))


@pytest.mark.parametrize("name", ["scenes", "frames", "width", "workers"])
def test_arguments_below_their_range_are_refused(tmp_path: Path, name: str) -> None:
    arguments = {"scenes": 1, **SMALL, name: 0}
    with pytest.raises(UserError, match=f"{name} must be"):
        next(record_captures(tmp_path / "out", **arguments))


def test_categories_take_turns() -> None:
    assert {category_of(0, number) for number in range(len(CENTRAL))} == set(CENTRAL)
    assert category_of(5, 2) == category_of(5, 2 + len(CENTRAL))

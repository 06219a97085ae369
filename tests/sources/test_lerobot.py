import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from write_lerobot import CAMERAS, FPS, code, write_dataset
from write_video import HEIGHT, WIDTH, code_of, write_video

from xvr.errors import Unusable, UserError
from xvr.sources.lerobot import index, key_files, load
from xvr.sources.records import Episode

VERSIONS = ("v2.0", "v2.1", "v3.0")


@pytest.fixture(scope="module", params=VERSIONS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lerobot") / "kitchen"
    write_dataset(root, request.param)
    return root


@pytest.fixture(scope="module")
def v2_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "kitchen"
    write_dataset(root, "v2.1", lengths=(12,))
    return root


@pytest.fixture
def dataset(v2_template: Path, tmp_path: Path) -> Path:
    """One episode of v2.1 that a test may damage."""
    return Path(shutil.copytree(v2_template, tmp_path / "kitchen"))


def edit_info(root: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    info = json.loads((root / "meta" / "info.json").read_text())
    change(info)
    (root / "meta" / "info.json").write_text(json.dumps(info))


def only(root: Path) -> Episode:
    return load(index(root)[0])


def refuse(root: Path) -> Unusable:
    with pytest.raises(Unusable) as caught:
        only(root)
    return caught.value


def parquet(root: Path) -> Path:
    return root / "data" / "chunk-000" / "episode_000000.parquet"


def test_index_lists_the_episodes_of_the_list_not_of_the_counters(shared: Path):
    refs = index(shared)
    assert [ref.id for ref in refs] == [f"kitchen/episode_{n:06d}" for n in range(3)]
    assert {ref.rig for ref in refs} == {"kitchen|panda|left_view|right_view|wrist_view"}
    assert all(ref.kind == "episode" and ref.group == ref.id for ref in refs)


def test_an_episode_has_its_words_length_and_cameras_with_roles(shared: Path):
    episodes = [load(ref) for ref in index(shared)]
    assert [episode.length for episode in episodes] == [12, 9, 15]
    assert [e.instruction for e in episodes] == ["open the drawer", "close the drawer"] * 1 + [
        "open the drawer"
    ]
    episode = episodes[0]
    assert episode.dataset == "kitchen"
    assert episode.fps == FPS
    assert episode.duration_s == pytest.approx(12 / FPS)
    assert {camera.role: camera.key for camera in episode.cameras} == {
        "fix_left": CAMERAS[0],
        "fix_right": CAMERAS[1],
        "ego": CAMERAS[2],
    }
    assert episode.effector_positions is None
    assert all(camera.calibration is None for camera in episode.cameras)


def test_frames_are_those_of_the_episode_camera_and_row(shared: Path):
    for number, ref in enumerate(index(shared)):
        for order, camera in enumerate(load(ref).cameras):
            for rows in ([0], [3, 4, 8], [8]):
                images = camera.read_frames(rows)
                found = [code_of(image) for image in images]
                assert found == [code(order, number, row) for row in rows]
                assert images[0].shape == (HEIGHT, WIDTH, 3)


def test_a_folder_of_datasets_is_indexed_together(v2_template: Path, tmp_path: Path):
    for name in ("a", "b", "user/c"):
        shutil.copytree(v2_template, tmp_path / name)
    refs = index(tmp_path)
    assert [ref.id for ref in refs] == [
        "a/episode_000000",
        "b/episode_000000",
        "user/c/episode_000000",
    ]
    assert len({ref.rig for ref in refs}) == 3
    assert [load(ref).dataset for ref in refs] == ["a", "b", "user/c"]
    names = [name for name, _ in key_files(tmp_path, refs)]
    assert "user/c/info.json" in names
    assert "a/episodes.jsonl" in names


def test_key_files_are_those_of_the_meta_folder(shared: Path):
    names = [name for name, path in key_files(shared, index(shared)) if path.is_file()]
    assert "kitchen/info.json" in names
    assert {"kitchen/episodes.jsonl", "kitchen/episodes/chunk-000/file-001.parquet"} & set(names)


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_images_stored_in_the_rows_are_decoded(tmp_path: Path, version: str):
    write_dataset(tmp_path / "d", version, stored_as="image")
    for number, ref in enumerate(index(tmp_path / "d")):
        camera = load(ref).cameras[1]
        rows = [1, 2, 8]
        found = [code_of(image) for image in camera.read_frames(rows)]
        assert found == [code(1, number, row) for row in rows]
        with pytest.raises(Unusable, match="missing_image"):
            camera.read_frames([99])


def test_rows_are_found_without_row_group_statistics(tmp_path: Path):
    write_dataset(tmp_path / "d", "v3.0", stored_as="image")
    path = tmp_path / "d" / "data" / "chunk-000" / "file-000.parquet"
    table = pq.ParquetFile(path).read()
    pq.write_table(table, path, write_statistics=False)
    _, second, _ = index(tmp_path / "d")
    assert load(second).length == 9
    assert code_of(load(second).cameras[2].read_frames([4])[0]) == code(2, 1, 4)


def test_image_cells_may_name_a_file_but_not_be_empty(tmp_path: Path):
    write_dataset(tmp_path / "d", lengths=(3,), stored_as="image")
    path = parquet(tmp_path / "d")
    table = pq.ParquetFile(path).read()
    cells = table[CAMERAS[0]].to_pylist()
    (tmp_path / "d" / "images").mkdir()
    (tmp_path / "d" / "images" / "0.png").write_bytes(cells[0]["bytes"])
    cells = [{"bytes": None, "path": "images/0.png"}, {"bytes": None, "path": None}, None]
    kind = table.schema.field(CAMERAS[0]).type
    column = table.schema.get_field_index(CAMERAS[0])
    pq.write_table(table.set_column(column, CAMERAS[0], pa.array(cells, kind)), path)
    camera = only(tmp_path / "d").cameras[0]
    assert code_of(camera.read_frames([0])[0]) == code(0, 0, 0)
    for row in (1, 2):
        with pytest.raises(Unusable, match="missing_image"):
            camera.read_frames([row])


def test_frame_indices_must_ascend(dataset: Path):
    with pytest.raises(ValueError, match="ascend"):
        only(dataset).cameras[0].read_frames([2, 2])


def test_old_file_name_templates_are_honoured(dataset: Path):
    target = dataset / "data" / "train-00000-of-00100.parquet"
    parquet(dataset).rename(target)
    template = "data/train-{episode_index:05d}-of-{total_episodes:05d}.parquet"
    edit_info(dataset, lambda info: info.update(data_path=template))
    assert only(dataset).length == 12


def test_channels_first_shapes_are_read_by_their_names(dataset: Path):
    def turn(info: dict[str, Any]) -> None:
        feature = info["features"][CAMERAS[0]]
        feature |= {"shape": [3, HEIGHT, WIDTH], "names": ["channels", "height", "width"]}

    edit_info(dataset, turn)
    assert only(dataset).cameras[0].read_frames([0])[0].shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["info", "video_info"])
def test_depth_cameras_are_no_cameras(dataset: Path, name: str):
    feature = {"dtype": "video", "shape": [4, 4, 1], name: {"video.is_depth_map": True}}
    edit_info(dataset, lambda i: i["features"].update({"observation.images.top": feature}))
    assert len(only(dataset).cameras) == 3


def test_words_come_from_the_task_index_when_the_list_has_none(dataset: Path):
    lines = dataset / "meta" / "episodes.jsonl"
    lines.write_text(json.dumps({"episode_index": 0, "length": 12}))
    assert only(dataset).instruction == "open the drawer"
    lines.write_text(json.dumps({"episode_index": 0, "length": 12, "episode_tasks": ["", "x"]}))
    edit_info(dataset, lambda info: info.update(robot_type="other"))
    assert only(dataset).instruction == "x"


def test_a_roles_file_overrides_names(dataset: Path):
    roles = {"left_view": "fix_top", CAMERAS[1]: "fix_left", "wrist_view": "ego_right"}
    (dataset / "meta" / "camera_roles.json").write_text(json.dumps(roles))
    assert [camera.role for camera in only(dataset).cameras] == ["fix_top", "fix_left", "ego_right"]


def test_a_wrong_roles_file_is_a_user_error(dataset: Path):
    (dataset / "meta" / "camera_roles.json").write_text('{"left_view": "fix_lft"}')
    with pytest.raises(UserError, match=r"camera_roles\.json: .*did you mean 'fix_left'"):
        index(dataset)


def test_droid_tripods_make_a_rig_of_each_episode(tmp_path: Path):
    cameras = [
        f"observation.images.{n}" for n in ("exterior_1_left", "exterior_2_left", "wrist_left")
    ]
    write_dataset(tmp_path / "droid", lengths=(3, 3), cameras=cameras)
    first, second = index(tmp_path / "droid")
    assert first.rig != second.rig
    assert [camera.role for camera in load(first).cameras] == ["fix_side", "fix_side_1", "ego"]
    assert load(first).rig == first.rig


def test_too_few_known_cameras_are_refused_by_name(tmp_path: Path):
    cameras = ["observation.images.laptop", "observation.images.phone", "observation.images.wrist"]
    write_dataset(tmp_path / "d", lengths=(3,), cameras=cameras)
    error = refuse(tmp_path / "d")
    assert error.reason == "too_few_cameras"
    assert "observation.images.laptop, observation.images.phone" in error.detail


def test_a_missing_video_is_refused(tmp_path: Path):
    write_dataset(tmp_path / "d", lengths=(3, 3))
    next((tmp_path / "d" / "videos").rglob("episode_000000.mp4")).unlink()
    assert refuse(tmp_path / "d").reason == "missing_video"


def test_a_camera_without_any_file_is_left_out(dataset: Path):
    feature = {"dtype": "video", "shape": [4, 4, 3], "names": ["height", "width", "channel"]}
    edit_info(dataset, lambda i: i["features"].update({"observation.images.front_view": feature}))
    assert [camera.role for camera in only(dataset).cameras] == ["fix_left", "fix_right", "ego"]
    next((dataset / "videos").rglob(f"{CAMERAS[0]}/*.mp4")).unlink()
    edit_info(dataset, lambda info: info.update(robot_type="other"))
    error = refuse(dataset)
    assert error.reason == "too_few_cameras"
    assert "front_view, observation.images.left_view" in error.detail


def test_a_damaged_video_is_refused_when_read(dataset: Path):
    next((dataset / "videos").rglob(f"{CAMERAS[0]}/*.mp4")).write_bytes(b"nothing")
    with pytest.raises(Unusable, match="unreadable_video"):
        only(dataset).cameras[0].read_frames([0])


def test_a_video_shorter_than_its_rows_is_refused_when_read(dataset: Path):
    path = next((dataset / "videos").rglob(f"{CAMERAS[0]}/*.mp4"))
    write_video(path, range(6), fps=FPS)
    with pytest.raises(Unusable, match="frame_time_mismatch"):
        only(dataset).cameras[0].read_frames([2, 9])


def test_a_video_of_another_size_is_refused_when_read(dataset: Path):
    edit_info(dataset, lambda info: info["features"][CAMERAS[0]].update(shape=[32, 32, 3]))
    with pytest.raises(Unusable, match=r"wrong_image_size: .*96x64, info\.json says 32x32"):
        only(dataset).cameras[0].read_frames([0])


def test_missing_and_damaged_rows_are_refused(dataset: Path):
    parquet(dataset).unlink()
    assert refuse(dataset).reason == "missing_parquet"
    parquet(dataset).write_bytes(b"PAR1 nothing")
    assert refuse(dataset).reason == "unreadable_parquet"


def rewrite(root: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.ParquetFile(parquet(root)).read()), parquet(root))


def test_a_length_that_differs_from_the_rows_is_refused(dataset: Path):
    rewrite(dataset, lambda table: table.slice(0, 11))
    assert refuse(dataset).reason == "length_mismatch"


def test_an_episode_without_frames_is_refused(dataset: Path):
    line = {"episode_index": 0, "length": 0, "tasks": ["x"]}
    (dataset / "meta" / "episodes.jsonl").write_text(json.dumps(line))
    assert refuse(dataset).reason == "zero_length"


def test_a_missing_column_is_refused(dataset: Path):
    rewrite(dataset, lambda table: table.drop_columns(["timestamp"]))
    assert refuse(dataset).reason == "missing_column"


@pytest.mark.parametrize("times", [np.arange(12) / 7, np.zeros(12), np.full(12, np.nan)])
def test_irregular_timestamps_are_refused(dataset: Path, times: np.ndarray):
    rewrite(dataset, lambda table: table.set_column(0, "timestamp", pa.array(times)))
    assert refuse(dataset).reason == "bad_timestamps"


@pytest.mark.parametrize("cells", [[None, *(np.arange(1, 12) / FPS)], ["0"] * 12])
def test_empty_cells_and_text_are_refused(dataset: Path, cells: list[Any]):
    times = pa.array(cells)
    rewrite(dataset, lambda table: table.set_column(0, "timestamp", times))
    assert refuse(dataset).reason == "bad_column"


def test_an_episode_that_left_the_list_is_refused(dataset: Path):
    ref = index(dataset)[0]
    line = {"episode_index": 5, "length": 12, "tasks": ["x"]}
    (dataset / "meta" / "episodes.jsonl").write_text(json.dumps(line))
    edit_info(dataset, lambda info: info.update(robot_type="other"))
    with pytest.raises(Unusable, match="unknown_episode"):
        load(ref)


def test_a_path_without_datasets_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="holds no LeRobot dataset"):
        index(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codebase_version": "v1.6"}, "readable are v2.0, v2.1 and v3.0"),
        ({"codebase_version": "new"}, "readable are v2.0, v2.1 and v3.0"),
        ({"fps": 0}, "must be positive"),
        ({"fps": None}, "expected a LeRobot dataset's info"),
        ({"features": []}, "expected a LeRobot dataset's info"),
    ],
)
def test_unreadable_info_is_a_user_error(dataset: Path, change: dict[str, Any], message: str):
    edit_info(dataset, lambda info: info.update(change))
    with pytest.raises(UserError, match=message):
        index(dataset)


def test_unreadable_lists_are_user_errors(dataset: Path):
    lines = dataset / "meta" / "episodes.jsonl"
    for content, message in (("{", "not JSON lines"), ("{}", "episodes.jsonl, line 1")):
        lines.write_text(content)
        with pytest.raises(UserError, match=message):
            index(dataset)
    lines.unlink()
    with pytest.raises(UserError, match="does not exist"):
        index(dataset)
    edit_info(dataset, lambda info: info.update(codebase_version="v3.0"))
    with pytest.raises(UserError, match="holds no parquet file"):
        index(dataset)
    (dataset / "meta" / "info.json").write_text("[]")
    with pytest.raises(UserError, match="expected a JSON object"):
        index(dataset)


def test_a_v3_list_without_its_columns_is_a_user_error(tmp_path: Path):
    write_dataset(tmp_path / "d", "v3.0")
    path = tmp_path / "d" / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["data/file_index"]), path)
    with pytest.raises(UserError, match="no column 'data/file_index'"):
        index(tmp_path / "d")


def test_a_wrong_template_is_a_user_error(dataset: Path):
    edit_info(dataset, lambda info: info.update(data_path="data/{nothing}.parquet"))
    with pytest.raises(UserError, match="path template"):
        only(dataset)


def test_depth_maps_that_a_note_names_are_read_where_they_are(tmp_path: Path):
    path = "depth/{video_key}/episode_{episode_index:06d}/frame_{frame_index:06d}.png"
    write_dataset(tmp_path / "d", lengths=(4,), xvr={"depth": {"path": path}})
    file = tmp_path / "d" / path.format(video_key=CAMERAS[0], episode_index=0, frame_index=2)
    file.parent.mkdir(parents=True)
    cv2.imwrite(str(file), np.full((HEIGHT, WIDTH), 1500, np.uint16))
    camera = load(index(tmp_path / "d")[0]).cameras[0]
    assert camera.read_depth is not None
    assert camera.read_depth(0) is None
    np.testing.assert_allclose(camera.read_depth(2), 1.5)


def test_without_that_note_there_is_no_depth(tmp_path: Path):
    write_dataset(tmp_path / "d", lengths=(4,))
    assert load(index(tmp_path / "d")[0]).cameras[0].read_depth is None

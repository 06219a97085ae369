import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from write_rlds import episode_payload, record, write_rlds
from write_video import HEIGHT, WIDTH, code_of, coded_frame

from xvr.errors import Unusable, UserError
from xvr.sources import Source, fingerprint
from xvr.sources.records import Episode
from xvr.sources.rlds import index, key_files, load

REAL = Path("/work/shared/data/rlds_bridge")
ROBOSET = ("image_left", "image_right", "image_top", "image_wrist")
FMB = ("image_side_1", "image_side_2", "image_wrist_1", "image_wrist_2")
ALOHA = ("cam_high", "cam_left_wrist", "cam_right_wrist")
BRIDGE = ("image_0", "image_1", "image_2", "image_3")


def code(camera: int, episode: int, step: int) -> int:
    return 1000 * camera + 200 * episode + step


def make_episode(number: int, length: int, cameras: tuple[str, ...], **more: Any) -> dict[str, Any]:
    images = {
        name: [coded_frame(code(order, number, step)) for step in range(length)]
        for order, name in enumerate(cameras)
    }
    return {"cameras": images, "instruction": f"task {number}", **more}


def write(root: Path, lengths: tuple[int, ...] = (5, 3, 4), **options: Any) -> Path:
    episodes = [make_episode(n, length, ROBOSET) for n, length in enumerate(lengths)]
    write_rlds(root, episodes, **options)
    return root


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("rlds") / "robo_set" / "0.0.1")


@pytest.fixture
def dataset(shared: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(shared, tmp_path / "robo_set" / "0.0.1"))


def shard_file(root: Path, number: int = 0) -> Path:
    return sorted(root.glob("*.tfrecord-*"))[number]


def replace_payload(root: Path, payload: bytes) -> None:
    """Let the first shard hold one record with this payload."""
    shard_file(root).write_bytes(record(payload))


def first(root: Path) -> Episode:
    return load(index(root)[0])


def refuse(root: Path, number: int = 0) -> Unusable:
    with pytest.raises(Unusable) as caught:
        load(index(root)[number])
    return caught.value


def only(root: Path, cameras: tuple[str, ...], name: str, **more: Any) -> Episode:
    """The episode of a dataset of one."""
    encoding = more.pop("encoding", "jpeg")
    write_rlds(root, [make_episode(0, 4, cameras, **more)], name=name, encoding=encoding)
    return first(root)


def roles(episode: Episode) -> dict[str, str]:
    return {camera.key.rpartition("/")[2]: camera.role for camera in episode.cameras}


def test_index_lists_every_record_of_every_shard(shared: Path):
    refs = index(shared)
    assert [ref.id for ref in refs] == [
        "robo_set/0.0.1/train-00000/000000",
        "robo_set/0.0.1/train-00000/000001",
        "robo_set/0.0.1/train-00001/000000",
    ]
    assert len({ref.rig for ref in refs}) == 1
    assert [ref.id for ref in index(shared.parents[1])] == [ref.id for ref in refs]


def test_an_episode_has_its_words_length_rate_and_cameras(shared: Path):
    episodes = [load(ref) for ref in index(shared)]
    assert [episode.length for episode in episodes] == [5, 3, 4]
    assert [episode.instruction for episode in episodes] == ["task 0", "task 1", "task 2"]
    assert {episode.fps for episode in episodes} == {5}
    assert {episode.dataset for episode in episodes} == {"robo_set"}
    assert episodes[0].effector_positions is None
    assert roles(episodes[0]) == dict(
        zip(ROBOSET, ("fix_left", "fix_right", "fix_top", "ego"), strict=True)
    )


def test_frames_are_those_of_the_episode_camera_and_step(shared: Path):
    for number, ref in enumerate(index(shared)):
        for camera in load(ref).cameras:
            order = ROBOSET.index(camera.key.rpartition("/")[2])
            images = camera.read_frames([0, 2])
            assert [code_of(image) for image in images] == [
                code(order, number, step) for step in (0, 2)
            ]
            assert images[0].shape == (HEIGHT, WIDTH, 3)


def test_png_frames_come_back_exactly_and_only_those_asked_for_are_read(tmp_path: Path):
    root = write(tmp_path / "robo_set" / "0.0.1", lengths=(4,), encoding="png")
    camera = first(root).cameras[0]
    shard = shard_file(root)
    data = bytearray(shard.read_bytes())
    place = [i for i in range(len(data)) if data.startswith(b"\x89PNG", i)]
    data[place[3] + 60] ^= 255  # the last frame of the first camera
    shard.write_bytes(data)
    assert (camera.read_frames([1])[0] == coded_frame(code(0, 0, 1))).all()
    with pytest.raises(Unusable, match="unreadable_image"):
        camera.read_frames([0, 3])
    with pytest.raises(ValueError, match="ascend"):
        camera.read_frames([2, 2])


@pytest.mark.parametrize(
    ("name", "cameras", "found", "fps"),
    [
        ("fmb", FMB, ("fix_side", "fix_side_1", "ego", "ego_1"), 10),
        ("aloha_mobile", ALOHA, ("fix_center", "ego_left", "ego_right"), 50),
        ("bridge_dataset", BRIDGE[:3], ("fix_side", "fix_side_1", "fix_side_2"), 5),
    ],
)
def test_rigs_and_rates_of_known_datasets(tmp_path: Path, name, cameras, found, fps):
    episode = only(tmp_path / name / "0.0.1", cameras, name)
    assert roles(episode) == dict(zip(cameras, found, strict=True))
    assert episode.fps == fps


def test_depth_tensors_are_no_cameras_and_bgr_of_fmb_is_turned(tmp_path: Path):
    depth = {f"{name}_depth": np.ones((4, 8, 8)) for name in FMB}
    pose = np.arange(28, dtype=np.float32).reshape(4, 7)
    episode = only(
        tmp_path / "fmb" / "0.0.1",
        FMB,
        "fmb",
        depth=depth,
        vectors={"eef_pose": pose},
        encoding="png",
    )
    assert len(episode.cameras) == 4
    assert episode.effector_positions is not None
    assert episode.effector_positions.tolist() == pose[:, :3].tolist()
    assert (episode.cameras[0].read_frames([1])[0] == coded_frame(1)[..., ::-1]).all()


def test_the_order_of_colours_can_be_said(tmp_path: Path):
    root = tmp_path / "fmb" / "0.0.1"
    camera = only(root, FMB, "fmb", encoding="png").cameras[0]
    stored = camera.read_frames([2])[0][..., ::-1]
    (tmp_path / "reader.json").write_text('{"channels": "rgb"}')
    episode = load(index(tmp_path)[0])
    assert (episode.cameras[0].read_frames([2])[0] == stored).all()


def test_a_camera_that_always_shows_the_same_bytes_is_left_out(tmp_path: Path):
    episode = make_episode(0, 4, ROBOSET)
    episode["cameras"]["image_top"] = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 4
    write_rlds(tmp_path / "robo_set" / "0.0.1", [episode])
    assert "image_top" not in roles(first(tmp_path))


def test_cameras_of_bridge_may_stand_elsewhere_in_each_episode(tmp_path: Path):
    episodes = [make_episode(n, 4, BRIDGE) for n in range(2)]
    write_rlds(tmp_path / "bridge_dataset" / "1.0.0", episodes, name="bridge_dataset")
    refs = index(tmp_path)
    assert len({ref.rig for ref in refs}) == 2
    assert "image_3" not in roles(load(refs[0]))


def test_an_unknown_rate_is_a_user_error_until_it_is_said(tmp_path: Path):
    root = write(tmp_path / "my_robot" / "1.0.0", name="my_robot", lengths=(4,))
    with pytest.raises(UserError, match=r'reader\.json, such as \{"fps": 10\}'):
        index(root)
    chosen = {"image_left": "ego_head", "image_right": "fix_left", "image_top": "fix_right"}
    (root / "reader.json").write_text(json.dumps({"fps": 12.5, "camera_roles": chosen}))
    episode = first(root)
    assert episode.fps == 12.5
    assert roles(episode) == chosen


def test_too_few_known_cameras_name_those_left_out(tmp_path: Path):
    cameras = ("image_left", "image_right", "phone")
    write_rlds(tmp_path / "robo_set" / "0.0.1", [make_episode(0, 3, cameras)])
    error = refuse(tmp_path)
    assert error.reason == "too_few_cameras"
    assert "steps/observation/phone" in error.detail


def test_part_of_the_shards_is_enough(dataset: Path):
    shard_file(dataset).unlink()
    assert [ref.id for ref in index(dataset)] == ["robo_set/0.0.1/train-00001/000000"]
    assert first(dataset).instruction == "task 2"


@pytest.mark.parametrize("declared", [True, False])
def test_a_cut_shard_loses_only_the_episode_at_the_cut(tmp_path: Path, declared: bool):
    root = write(tmp_path / "robo_set" / "0.0.1", declared=declared)
    shard = shard_file(root)
    shard.write_bytes(shard.read_bytes()[:-100])
    assert len(index(root)) == 3
    assert first(root).length == 5
    assert refuse(root, 1).reason == "truncated_record"


def test_records_that_the_metadata_promises_are_missed(dataset: Path):
    shard = shard_file(dataset, 1)
    shard.write_bytes(b"")
    assert refuse(dataset, 2).reason == "truncated_record"


def test_a_flipped_bit_is_noticed(dataset: Path):
    shard = shard_file(dataset)
    data = bytearray(shard.read_bytes())
    data[2000] ^= 1
    shard.write_bytes(data)
    assert refuse(dataset).reason == "bad_checksum"


def test_a_record_that_is_no_example_is_refused(dataset: Path):
    replace_payload(dataset, b"no protobuf at all")
    assert refuse(dataset).reason == "bad_record"


def test_cameras_of_different_length_are_refused(dataset: Path):
    episode = make_episode(0, 4, ROBOSET)
    episode["cameras"]["image_top"].pop()
    replace_payload(dataset, episode_payload(episode))
    error = refuse(dataset)
    assert error.reason == "length_mismatch"
    assert "'steps/observation/image_top': 3" in error.detail


def test_an_episode_without_steps_is_refused(dataset: Path):
    replace_payload(dataset, episode_payload(make_episode(0, 0, ROBOSET)))
    assert refuse(dataset).reason == "zero_length"


@pytest.mark.parametrize("values", [np.full((4, 7), np.nan), np.zeros((4, 2)), np.zeros((3, 7))])
def test_bad_positions_are_refused(tmp_path: Path, values: np.ndarray):
    episode = make_episode(0, 4, FMB, vectors={"eef_pose": values})
    write_rlds(tmp_path / "fmb" / "0.0.1", [episode], name="fmb")
    assert refuse(tmp_path).reason == "bad_effector_position"


def test_an_image_of_another_size_is_refused(dataset: Path):
    features = json.loads((dataset / "features.json").read_text().replace(f'"{WIDTH}"', '"97"'))
    (dataset / "features.json").write_text(json.dumps(features))
    with pytest.raises(Unusable, match=r"wrong_image_size.*says 97x64"):
        first(dataset).cameras[0].read_frames([0])


def test_an_episode_that_is_gone_is_unusable(dataset: Path):
    ref = index(dataset)[2]
    shard_file(dataset, 1).unlink()
    with pytest.raises(Unusable, match="unknown_episode"):
        load(ref)


def test_damaged_metadata_is_a_user_error(dataset: Path, tmp_path: Path):
    with pytest.raises(UserError, match="holds no RLDS dataset"):
        index(tmp_path / "robo_set" / "0.0.1" / "nothing")
    (dataset / "dataset_info.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        index(dataset)
    (dataset / "dataset_info.json").unlink()
    with pytest.raises(UserError, match="does not exist"):
        index(dataset)


def test_a_dataset_without_records_is_a_user_error(dataset: Path):
    for shard in dataset.glob("*.tfrecord-*"):
        shard.unlink()
    with pytest.raises(UserError, match=r"no file like robo_set-train\.tfrecord"):
        index(dataset)


def test_the_fingerprint_sees_shards_and_the_words_of_the_notes(dataset: Path):
    source = Source(format="rlds", path=dataset)
    names = [name for name, _ in key_files(dataset, index(dataset))]
    assert names == [
        "robo_set/0.0.1/features.json",
        "robo_set/0.0.1/dataset_info.json",
        "robo_set/0.0.1/robo_set-train.tfrecord-00000-of-00002",
        "robo_set/0.0.1/robo_set-train.tfrecord-00001-of-00002",
    ]
    seen = set()
    for channels in ("rgb", "bgr"):
        (dataset / "reader.json").write_text(json.dumps({"channels": channels}))
        seen.add(fingerprint(index(dataset), source))
    assert len(seen) == 2


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is absent")
def test_real_bridge_episodes_are_read():
    refs = index(REAL)
    assert len(refs) == 25
    episodes = [load(ref) for ref in refs]
    assert {episode.length for episode in episodes} == {10}
    assert {episode.instruction for episode in episodes} >= {"put carrot on plate"}
    for episode in episodes[:3]:
        assert list(roles(episode)) == ["image_0", "image_1", "image_2"]
        assert episode.effector_positions is not None
        assert np.abs(episode.effector_positions).max() < 0.6
        frames = [camera.read_frames([0, 9]) for camera in episode.cameras]
        for early, late in frames:
            assert early.shape == (64, 64, 3)
            assert early.std() > 20
            assert (early != late).any()

import json
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from xvr.sim.lerobot_stats import column_stats, combined
from xvr.sim.lerobot_writer import Feature, Recording, StagedEpisode, assemble, stage_episode

FPS, LENGTHS, KEY = 20, (5, 8), "observation.images.front_view"

RECORDING = Recording(
    fps=FPS,
    robot_type="toy",
    features={
        KEY: Feature(dtype="video", shape=(32, 48, 3)),
        "action": Feature(dtype="float32", shape=(2,), names=("x", "y")),
        "next.done": Feature(dtype="bool", shape=(1,)),
    },
    notes={"anything": 1},
)


def picture(episode: int, frame: int) -> np.ndarray:
    return np.full((32, 48, 3), 40 + 100 * episode + 10 * frame, np.uint8)


def columns(episode: int) -> dict[str, np.ndarray]:
    length = LENGTHS[episode]
    action = (100 * episode + np.arange(2 * length)).reshape(length, 2).astype(np.float32)
    return {"action": action, "next.done": np.arange(length) == length - 1}


def staged(folder: Path) -> list[StagedEpisode]:
    episodes = []
    for episode, length in enumerate(LENGTHS):
        stage = folder / f"stage{episode}"
        stage.mkdir(parents=True)
        frames = ({KEY: picture(episode, frame)} for frame in range(length))
        stage_episode(stage, RECORDING, f"task {episode}", columns(episode), frames)
        episodes.append(StagedEpisode.load(stage))
    return episodes


def decoded(path: Path) -> tuple[list[float], list[float]]:
    """Times and mean grey of the frames of a video."""
    with av.open(str(path)) as video:
        frames = list(video.decode(video=0))
    return [frame.time for frame in frames], [
        float(frame.to_ndarray(format="rgb24").mean()) for frame in frames
    ]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def tree(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_v21_has_a_file_per_episode_at_the_paths_that_its_info_names(tmp_path):
    assemble(tmp_path / "set", RECORDING, staged(tmp_path), "v2.1")
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["total_episodes"]) == ("v2.1", 20, 2)
    assert (info["total_frames"], info["total_videos"], info["total_chunks"]) == (13, 2, 1)
    assert info["splits"] == {"train": "0:2"}
    start = 0
    for episode, length in enumerate(LENGTHS):
        place = {"episode_chunk": 0, "episode_index": episode, "video_key": KEY}
        rows = pq.read_table(tmp_path / "set" / info["data_path"].format(**place))
        assert set(rows.column_names) == set(info["features"]) - {KEY}
        assert rows["index"].to_pylist() == list(range(start, start + length))
        assert rows["action"].to_pylist() == columns(episode)["action"].tolist()
        assert rows["task_index"].to_pylist() == [episode] * length
        times, greys = decoded(tmp_path / "set" / info["video_path"].format(**place))
        np.testing.assert_allclose(times, rows["timestamp"].to_numpy(), atol=1e-4)
        wanted = [picture(episode, frame).mean() for frame in range(length)]
        np.testing.assert_allclose(greys, wanted, atol=4)
        start += length


def test_v21_meta_lines_name_tasks_lengths_and_statistics(tmp_path):
    assemble(tmp_path / "set", RECORDING, staged(tmp_path), "v2.1")
    meta = tmp_path / "set/meta"
    assert lines(meta / "episodes.jsonl")[1] == {
        "episode_index": 1,
        "tasks": ["task 1"],
        "length": 8,
    }
    assert lines(meta / "tasks.jsonl")[0] == {"task_index": 0, "task": "task 0"}
    stats = lines(meta / "episodes_stats.jsonl")[0]["stats"]
    assert stats["action"]["max"] == [8.0, 9.0]
    assert stats["timestamp"]["count"] == [5]
    assert np.shape(stats[KEY]["mean"]) == (3, 1, 1)
    assert stats[KEY]["mean"][0][0][0] == pytest.approx(40 / 255)


def test_v30_shares_files_and_says_where_each_episode_is(tmp_path):
    root = tmp_path / "set"
    assemble(root, RECORDING, staged(tmp_path), "v3.0")
    info = json.loads((root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert "total_videos" not in info
    episodes = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["dataset_from_index"] for row in episodes] == [0, 5]
    assert [row["dataset_to_index"] for row in episodes] == [5, 13]
    for episode, row in enumerate(episodes):
        place = {"chunk_index": row["data/chunk_index"], "file_index": row["data/file_index"]}
        rows = pq.read_table(root / info["data_path"].format(**place))
        held = [one for one in rows.to_pylist() if one["episode_index"] == episode]
        assert [one["action"] for one in held] == columns(episode)["action"].tolist()
        start = row[f"videos/{KEY}/from_timestamp"]
        assert row[f"videos/{KEY}/to_timestamp"] - start == pytest.approx(row["length"] / FPS)
        video = info["video_path"].format(video_key=KEY, chunk_index=0, file_index=0)
        times, greys = decoded(root / video)
        for frame, time_s in enumerate(one["timestamp"] for one in held):
            nearest = int(np.argmin(np.abs(np.array(times) - start - time_s)))
            assert times[nearest] == pytest.approx(start + time_s, abs=1e-4)
            assert greys[nearest] == pytest.approx(picture(episode, frame).mean(), abs=4)


def test_v30_tasks_are_a_pandas_frame_indexed_by_task_and_stats_cover_all_frames(tmp_path):
    root = tmp_path / "set"
    assemble(root, RECORDING, staged(tmp_path), "v3.0")
    tasks = pq.read_table(root / "meta/tasks.parquet").to_pandas()
    assert tasks.index.name == "task"
    assert tasks.loc["task 1", "task_index"] == 1
    stats = json.loads((root / "meta/stats.json").read_text())
    everything = np.concatenate([columns(0)["action"], columns(1)["action"]])
    np.testing.assert_allclose(stats["action"]["std"], everything.std(axis=0), rtol=1e-6)
    assert stats["index"]["max"] == [12.0]


@pytest.mark.parametrize("format", ["v2.1", "v3.0"])
def test_the_same_episodes_give_the_same_bytes_also_after_an_interrupted_assembly(tmp_path, format):
    assemble(tmp_path / "one", RECORDING, staged(tmp_path / "a"), format)
    again = staged(tmp_path / "b")
    assemble(tmp_path / "two", RECORDING, again[:1], format)
    assemble(tmp_path / "two", RECORDING, again, format)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_statistics_of_parts_combine_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(7, 3)), rng.normal(2, 3, size=(11, 3))
    whole = column_stats(np.concatenate([first, second]))
    joined = combined([column_stats(first), column_stats(second)])
    for name, value in whole.items():
        np.testing.assert_allclose(joined[name], value)


def test_a_column_of_the_wrong_shape_is_refused_by_name(tmp_path):
    bad = {**columns(0), "action": np.zeros((5, 3), np.float32)}
    with pytest.raises(ValueError, match=r"column 'action': expected \(5, 2\), got \(5, 3\)"):
        stage_episode(tmp_path, RECORDING, "task", bad, [])


def test_pictures_must_be_as_many_as_rows(tmp_path):
    frames = ({KEY: picture(0, frame)} for frame in range(4))
    with pytest.raises(ValueError, match="4 frames of pictures for 5 rows"):
        stage_episode(tmp_path, RECORDING, "task", columns(0), frames)

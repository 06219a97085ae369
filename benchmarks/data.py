"""The data that is measured on: simulated once and kept, and empty shells for planning."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCENES, EPISODES = 3, 2
CAMERAS = ("left_view", "right_view", "front_view", "wrist_view")


def record(data: Path) -> tuple[Path, Path]:
    """Simulated captures (640x480 PNG) and episodes (256x256 H.264), complete on return."""
    from xvr.sim.captures import record_captures
    from xvr.sim.episodes import record_episodes

    captures, episodes = data / "captures", data / "episodes"
    for _ in record_captures(captures, scenes=SCENES, seed=0):
        pass
    for _ in record_episodes(episodes, episodes=EPISODES, seed=0, seconds=(20.5, 21.0)):
        pass
    return captures, episodes


def link_copies(folder: Path, to: Path, copies: int) -> list[Path]:
    """Several names for one folder: to the engine they are different sources."""
    to.mkdir(parents=True, exist_ok=True)
    links = [to / f"copy_{number}" for number in range(copies)]
    for link in links:
        if not link.is_symlink():
            link.symlink_to(folder.resolve())
    return links


def write_scene_shells(root: Path, scenes: int, per_category: int = 400) -> None:
    """WildRGB-D folders as they are listed: metadata and poses without content, no images."""
    for number in range(scenes):
        category, scene = divmod(number, per_category)
        folder = root / f"category_{category:03d}" / "scenes" / f"scene_{scene:03d}"
        folder.mkdir(parents=True)
        (folder / "metadata").touch()
        (folder / "cam_poses.txt").touch()


def write_episode_shells(root: Path, episodes: int) -> None:
    """The `meta/` of a LeRobot v3.0 dataset and one empty video per camera."""
    keys = [f"observation.images.{camera}" for camera in CAMERAS]
    data = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
    videos = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    for key in keys:
        video = root / videos.format(video_key=key, chunk_index=0, file_index=0)
        video.parent.mkdir(parents=True)
        video.touch()
    image = {"dtype": "video", "shape": [256, 256, 3], "names": ["height", "width", "channels"]}
    info = {
        "codebase_version": "v3.0",
        "robot_type": "bench",
        "fps": 20,
        "total_episodes": episodes,
        "data_path": data,
        "video_path": videos,
        "features": dict.fromkeys(keys, image),
    }
    listed = root / "meta/episodes/chunk-000"
    listed.mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(info))
    numbers = range(episodes)
    columns: dict[str, list] = {
        "episode_index": list(numbers),
        "length": [450] * episodes,
        "tasks": [["Open the drawer."]] * episodes,
    }
    for prefix in ("data", *(f"videos/{key}" for key in keys)):
        columns[f"{prefix}/chunk_index"] = [n // 100_000 for n in numbers]
        columns[f"{prefix}/file_index"] = [n // 100 for n in numbers]
    columns |= {f"videos/{key}/from_timestamp": [22.5 * (n % 100) for n in numbers] for key in keys}
    pq.write_table(pa.table(columns), listed / "file-000.parquet")

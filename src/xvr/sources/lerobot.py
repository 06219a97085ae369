"""LeRobot datasets, v2.0, v2.1 and v3.0: robot episodes seen by several cameras.

    <root>/meta/info.json, lists of episodes and tasks; data/ parquet rows; videos/ mp4

A path may be one dataset or a folder of them. Cameras get their role from `xvr.sources.roles` or
from `meta/camera_roles.json`.

Source: https://github.com/huggingface/lerobot; layouts are in `xvr.sources.lerobot_episodes`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.sources.folders import find_folders
from xvr.sources.lerobot_episodes import EpisodeFiles, Episodes, read_episodes
from xvr.sources.lerobot_features import calibration, effector_positions, needed_columns
from xvr.sources.lerobot_frames import depth_reader, frame_reader
from xvr.sources.lerobot_meta import INFO, Dataset, read_dataset
from xvr.sources.lerobot_rows import read_columns
from xvr.sources.records import Episode, EpisodeCamera, Ref, SourceFormat

MIN_CAMERAS = 3
KEY_FILES = ("*.json", "*.jsonl", "*.parquet", "episodes/*/*.parquet")
"""Files in `meta/` that the fingerprint looks at."""


def index(path: Path) -> list[Ref]:
    """All listed episodes of the dataset at a path, or of the datasets below it.

    Raises:
        UserError: the path holds no dataset, or one with damaged `meta/` files.
    """
    return list_episodes(path, LEROBOT.name, open_dataset)


def load(ref: Ref) -> Episode:
    """The episode of a ref, its rows checked against the list of episodes.

    Raises:
        Unusable: `unknown_episode`, `zero_length`, `too_few_cameras` (where cameras with unknown
            roles were left out), `missing_video`, `missing_parquet`, `unreadable_parquet`,
            `missing_column`, `bad_column`, `length_mismatch`, `bad_timestamps`,
            `bad_effector_position`, `bad_intrinsics`, `bad_pose`, or `bad_metadata` for a damaged
            `meta/modality.json`.
    """
    name, number = name_and_number(ref)
    dataset, episodes = open_dataset(root_of(ref, name), name)
    return read_episode(ref, dataset, episodes, number)


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The files in `meta/` of each dataset."""
    names = sorted({name_and_number(ref)[0] for ref in refs})
    roots = dict(dataset_roots(path))
    for name in names:
        meta = roots[name] / "meta"
        for file in sorted({file for pattern in KEY_FILES for file in meta.glob(pattern)}):
            yield f"{name}/{file.relative_to(meta).as_posix()}", file


def list_episodes(
    path: Path, source_format: str, opened: Callable[[Path, str], tuple[Dataset, Episodes]]
) -> list[Ref]:
    """Refs of all listed episodes at or below a path, for a format that is LeRobot's at its core.

    Raises:
        UserError: the path holds no dataset, or `opened` cannot read one.
    """
    refs = []
    for name, root in dataset_roots(path):
        dataset, episodes = opened(root, name)
        for number in sorted(episodes.numbers):
            episode_id = f"{name}/episode_{number:06d}"
            refs.append(
                Ref(
                    format=source_format,
                    root=str(path),
                    id=episode_id,
                    group=episode_id,
                    kind="episode",
                    rig=dataset.rig(number),
                )
            )
    return sorted(refs, key=lambda ref: ref.id)


def episode_files(ref: Ref, dataset: Dataset, episodes: Episodes, number: int) -> EpisodeFiles:
    """Where the episode of a ref lies, its videos checked to exist.

    Raises:
        Unusable: `unknown_episode`, `zero_length`, `too_few_cameras` or `missing_video`.
    """
    try:
        files = episodes.files(number)
    except KeyError as error:
        raise Unusable("unknown_episode", f"{dataset.root}: no episode {number}") from error
    _check_files(dataset, files, ref.id)
    return files


def read_episode(ref: Ref, dataset: Dataset, episodes: Episodes, number: int) -> Episode:
    """An episode of an open dataset.

    Raises:
        Unusable: as `load`.
    """
    files = episode_files(ref, dataset, episodes, number)
    columns = ["timestamp", *needed_columns(dataset)]
    if not files.instruction and "task_index" in dataset.features:
        columns.append("task_index")
    rows = read_columns(files.data, number, columns)
    times_s = rows["timestamp"].astype(np.float64)
    check_times(dataset, files, times_s)
    where = f"{files.data}, episode {number}"
    return Episode(
        id=ref.id,
        dataset=dataset.name,
        rig=dataset.rig(number),
        instruction=files.instruction or task_of_rows(episodes, rows),
        fps=dataset.fps,
        length=len(times_s),
        cameras=tuple(
            EpisodeCamera(
                key=key,
                role=role,
                read_frames=frame_reader(dataset, files, number, key, times_s),
                calibration=calibration(dataset, key, rows, where),
                read_depth=depth_reader(dataset, number, key),
            )
            for key, role in dataset.assignment.roles.items()
        ),
        effector_positions=effector_positions(dataset, rows, where),
    )


def open_dataset(
    root: Path, name: str, *, by_modality: bool = False, every_camera: bool = False
) -> tuple[Dataset, Episodes]:
    """A dataset and its list of episodes; kept for the next call until the dataset is rewritten.

    The arguments are those of `read_dataset`.

    Raises:
        UserError: files in `meta/` are missing or damaged.
    """
    info = root / INFO
    changed_ns = info.stat().st_mtime_ns if info.exists() else 0
    return _open_cached(root, name, by_modality, every_camera, changed_ns)


def name_and_number(ref: Ref) -> tuple[str, int]:
    """The dataset and the episode that a ref names."""
    name, _, label = ref.id.rpartition("/")
    return name, int(label.removeprefix("episode_"))


def root_of(ref: Ref, name: str) -> Path:
    """Folder of the dataset of a ref."""
    root = Path(ref.root)
    return root if (root / INFO).is_file() else root / name


def dataset_roots(path: Path) -> list[tuple[str, Path]]:
    """Names and folders of the dataset at a path, or of those one or two levels below.

    Raises:
        UserError: there is none.
    """
    roots = find_folders(path, lambda folder: (folder / INFO).is_file(), levels=2)
    if not roots:
        raise UserError(f"{path} holds no LeRobot dataset: expected {INFO} in it or below it")
    return roots


@lru_cache(maxsize=32)
def _open_cached(
    root: Path,
    name: str,
    by_modality: bool,
    every_camera: bool,
    changed_ns: int,  # noqa: ARG001
) -> tuple[Dataset, Episodes]:
    """Dataset and list of episodes; the date only makes a rewritten dataset a new one."""
    dataset = read_dataset(root, name, by_modality=by_modality, every_camera=every_camera)
    return dataset, read_episodes(dataset)


def _check_files(dataset: Dataset, files: EpisodeFiles, where: str) -> None:
    if files.length <= 0:
        raise Unusable("zero_length", f"{where}: length {files.length}")
    roles, left_out = dataset.assignment
    if len(roles) < MIN_CAMERAS and left_out:
        raise Unusable(
            "too_few_cameras",
            f"{where}: {len(roles)} cameras with a known role; left out, because they have no "
            f"video or their name tells no role (meta/camera_roles.json can name it): "
            f"{', '.join(left_out)}",
        )
    for video, _ in files.videos.values():
        if not video.is_file():
            raise Unusable("missing_video", str(video))


def check_times(dataset: Dataset, files: EpisodeFiles, times_s: Float[np.ndarray, " n"]) -> None:
    """Raise unless the rows of an episode are as many as it should have, at the dataset's rate.

    Raises:
        Unusable: `length_mismatch` or `bad_timestamps`.
    """
    if len(times_s) != files.length:
        raise Unusable(
            "length_mismatch",
            f"{files.data}: {len(times_s)} rows, the list of episodes says {files.length}",
        )
    regular_s = np.arange(len(times_s)) / dataset.fps
    late_s = np.abs(times_s - regular_s).max()
    if not late_s <= 1 / dataset.fps or (np.diff(times_s) <= 0).any():
        raise Unusable(
            "bad_timestamps",
            f"{files.data}: timestamps must ascend at {dataset.fps} per second from 0, "
            f"they are up to {late_s:.3f} s away",
        )


def task_of_rows(episodes: Episodes, rows: Mapping[str, np.ndarray]) -> str:
    """The words of the first row's `task_index`; empty where there are none."""
    return episodes.tasks.get(int(rows["task_index"][0]), "") if "task_index" in rows else ""


LEROBOT = SourceFormat(
    name="lerobot",
    kind="episode",
    calibration="where the calibration features are there",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)

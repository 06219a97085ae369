"""Frames of a LeRobot episode: decoded from its videos, or from the images in its parquet rows.

The frame of a row is the one shown nearest to its timestamp; it may be a quarter of a frame away
(LeRobot's own limit, 0.1 ms, refuses files whose clock is coarser).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.sources.lerobot_episodes import EpisodeFiles
from xvr.sources.lerobot_meta import Dataset
from xvr.sources.lerobot_rows import read_cells
from xvr.sources.pixels import decode_image, read_depth, read_image
from xvr.sources.records import Depth, Image, check_ascending
from xvr.sources.video import read_frames

TOLERANCE_FRAMES = 0.25
DEPTH_METRES_PER_UNIT = 0.001


def frame_reader(
    dataset: Dataset,
    files: EpisodeFiles,
    number: int,
    key: str,
    times_s: Float[np.ndarray, " n"],
) -> partial[list[Image]]:
    """Reads frames of a camera of an episode, shown at the given seconds since its start."""
    size = dataset.image_size(key)
    if key in files.videos:
        video, start_s = files.videos[key]
        tolerance_s = TOLERANCE_FRAMES / dataset.fps
        return partial(_read_video, video, start_s + times_s, tolerance_s, size)
    return partial(_read_cells, dataset.root, files.data, number, key, size)


def depth_reader(dataset: Dataset, number: int, key: str) -> partial[Depth | None] | None:
    """Reads the depth maps that simulated datasets have beside some frames, millimetres."""
    size = dataset.image_size(key)
    if not dataset.depth_path or size is None:
        return None
    return partial(_read_depth, dataset, number, key, size)


def _read_depth(
    dataset: Dataset, number: int, key: str, size: tuple[int, int], frame: int
) -> Depth | None:
    values = {"video_key": key, "episode_index": number, "frame_index": frame}
    path = dataset.root / dataset.depth_path.format(**values)
    return read_depth(path, size, DEPTH_METRES_PER_UNIT) if path.is_file() else None


def _read_video(
    path: Path,
    times_s: Float[np.ndarray, " n"],
    tolerance_s: float,
    size: tuple[int, int] | None,
    indices: Sequence[int],
) -> list[Image]:
    check_ascending(indices)
    images = read_frames(path, times_s[list(indices)].tolist(), tolerance_s)
    return [_checked(image, size, str(path)) for image in images]


def _read_cells(
    root: Path,
    path: Path,
    number: int,
    key: str,
    size: tuple[int, int] | None,
    indices: Sequence[int],
) -> list[Image]:
    check_ascending(indices)
    images = []
    for row, cell in zip(indices, read_cells(path, number, key, indices), strict=True):
        where = f"{path}, episode {number}, row {row}, {key}"
        if cell and cell.get("bytes"):
            images.append(_checked(decode_image(cell["bytes"], where), size, where))
        elif cell and cell.get("path"):
            images.append(read_image(root / cell["path"], size))
        else:
            raise Unusable("missing_image", where)
    return images


def _checked(image: Image, size: tuple[int, int] | None, where: str) -> Image:
    height, width = image.shape[:2]
    if size not in (None, (width, height)):
        raise Unusable(
            "wrong_image_size", f"{where}: {width}x{height}, info.json says {size[0]}x{size[1]}"
        )
    return image

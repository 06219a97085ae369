"""Statistics of LeRobot features: minimum, maximum, mean, standard deviation, count.

Columns have one value per element, shape (width,); pictures one per channel, shape (3, 1, 1),
of values in 0..1. Source: huggingface/lerobot@7427f31 src/lerobot/datasets/compute_stats.py
(we take every `PICTURE_STEP`-th picture whole instead of a sample of shrunken ones).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

Stats = dict[str, np.ndarray]
"""`min`, `max`, `mean`, `std` of equal shape, and `count` of shape (1,)."""

PICTURE_STEP = 20
"""Every so many frames a picture is counted."""


def column_stats(values: np.ndarray) -> Stats:
    """Statistics of a column (frames, width) or (frames,)."""
    table = values.reshape(len(values), -1).astype(np.float64)
    return {
        "min": table.min(axis=0),
        "max": table.max(axis=0),
        "mean": table.mean(axis=0),
        "std": table.std(axis=0),
        "count": np.array([len(values)]),
    }


def picture_stats(pictures: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Stats:
    """Statistics of pictures per channel."""
    pixels = np.stack(pictures).reshape(-1, 3).astype(np.float64) / 255
    shape = (3, 1, 1)
    return {
        "min": pixels.min(axis=0).reshape(shape),
        "max": pixels.max(axis=0).reshape(shape),
        "mean": pixels.mean(axis=0).reshape(shape),
        "std": pixels.std(axis=0).reshape(shape),
        "count": np.array([len(pictures)]),
    }


def combined(parts: Sequence[Stats]) -> Stats:
    """Statistics of all frames together from those of their parts."""
    counts = np.array([float(part["count"][0]) for part in parts])
    means, stds = np.stack([p["mean"] for p in parts]), np.stack([p["std"] for p in parts])
    weights = (counts / counts.sum()).reshape(-1, *[1] * (means.ndim - 1))
    mean = (weights * means).sum(axis=0)
    variance = (weights * (stds**2 + (means - mean) ** 2)).sum(axis=0)
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.array([int(counts.sum())]),
    }


def to_json(stats: Stats) -> dict[str, Any]:
    """The same as nested lists."""
    return {name: value.tolist() for name, value in stats.items()}

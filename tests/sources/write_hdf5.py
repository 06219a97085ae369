"""Writes ALOHA episodes and RoboSet files in the true HDF5 layouts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np


def write_aloha_file(
    path: Path,
    cameras: Mapping[str, Sequence[np.ndarray]],
    compress: bool = False,
    sim: bool | None = False,
    base: bool = True,
) -> None:
    """One episode as the recorder of Mobile ALOHA writes it.

    With `compress` OpenCV encodes the RGB arrays as they are, so that other decoders see BGR; rows
    are padded with zeros to the longest image.
    """
    length = len(next(iter(cameras.values())))
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", rdcc_nbytes=2 * 1024**2) as file:
        if sim is not None:
            file.attrs["sim"] = sim
        file.attrs["compress"] = compress
        images = file.create_group("observations").create_group("images")
        lengths = []
        for name, frames in cameras.items():
            if not compress:
                shape = (length, *frames[0].shape)
                data = images.create_dataset(name, shape, "uint8", chunks=(1, *shape[1:]))
                data[...] = np.stack(list(frames))
                continue
            quality = [int(cv2.IMWRITE_JPEG_QUALITY), 90]
            encoded = [cv2.imencode(".jpg", frame, quality)[1].ravel() for frame in frames]
            lengths.append([len(row) for row in encoded])
            padded = max(lengths[-1])
            data = images.create_dataset(name, (length, padded), "uint8", chunks=(1, padded))
            data[...] = [np.pad(row, (0, padded - len(row))) for row in encoded]
        for name in ("qpos", "qvel", "effort"):
            file.create_dataset(f"observations/{name}", data=np.zeros((length, 14)))
        file.create_dataset("action", data=np.zeros((length, 14)))
        if base:
            file.create_dataset("base_action", data=np.zeros((length, 2)))
        if compress:
            file.create_dataset("compress_len", data=np.array(lengths, np.float64))


def write_roboset(path: Path, trials: Sequence[Mapping[str, Any]]) -> None:
    """A file of trials as RoboHive's logger writes it.

    A trial has `cameras` (name to (length, h, w, 3) arrays) and may have `fps` (for `data/time`),
    `pose_ee` and `depth` (name to arrays).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = {"compression": "gzip", "compression_opts": 4}
    with h5py.File(path, "w") as file:
        for number, trial in enumerate(trials):
            group = file.create_group(f"Trial{number}")
            length = len(next(iter(trial["cameras"].values())))
            if "fps" in trial:
                group.create_dataset("data/time", data=np.arange(length) / trial["fps"], **packed)
            actions = np.zeros((length, 7))
            actions[-1] = np.nan
            group.create_dataset("data/ctrl_arm", data=actions, **packed)
            for name, values in {**trial["cameras"], **trial.get("depth", {})}.items():
                group.create_dataset(f"data/{name}", data=values, **packed)
            if "pose_ee" in trial:
                group.create_dataset("derived/pose_ee", data=trial["pose_ee"], **packed)
            group.create_dataset("config/solved", data=np.float16(1))

"""Writes RLDS datasets as TFDS does: TFRecord framing, `tf.train.Example`, the two JSON files.

The encoder and the checksum are written apart from the reader: bit by bit, and with every record
whole in memory.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FEATURES_DICT = "tensorflow_datasets.core.features.features_dict.FeaturesDict"


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = [_crc_of_byte(byte) for byte in range(256)]


def record(payload: bytes) -> bytes:
    """A framed record."""

    def checked(data: bytes) -> bytes:
        crc = crc32c(data)
        return data + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    return checked(struct.pack("<Q", len(payload))) + checked(payload)


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(values: Sequence[bytes] | np.ndarray) -> bytes:
    """A Feature: floats and integers are packed, as protobuf's version 3 writes them."""
    if not isinstance(values, np.ndarray):
        return field(1, b"".join(field(1, value) for value in values))
    if values.dtype.kind == "f":
        return field(2, field(1, values.astype("<f4").tobytes()))
    return field(3, field(1, b"".join(varint(int(value)) for value in values.ravel())))


def example(features: Mapping[str, Sequence[bytes] | np.ndarray]) -> bytes:
    entries = [field(1, name.encode()) + field(2, feature(v)) for name, v in features.items()]
    return field(1, b"".join(field(1, entry) for entry in entries))


def encode_image(image: np.ndarray, encoding: str) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if encoding == "jpeg" else []
    return cv2.imencode(f".{encoding}", image[..., ::-1], quality)[1].tobytes()


def write_rlds(
    root: Path,
    episodes: Sequence[Mapping[str, Any]],
    name: str = "robo_set",
    encoding: str = "jpeg",
    per_shard: int = 2,
    declared: bool = True,
) -> None:
    """Write one version of a dataset into a folder.

    An episode has `cameras` (name to images) and may have `vectors` (observation to (length, n)
    numbers), `depth` (name to (length, h, w) floats, a Tensor feature), `instruction` and
    `metadata` (name to one number or text).
    """
    root.mkdir(parents=True)
    first = episodes[0]
    shards = [episodes[i : i + per_shard] for i in range(0, len(episodes), per_shard)]
    for number, shard in enumerate(shards):
        path = root / f"{name}-train.tfrecord-{number:05d}-of-{len(shards):05d}"
        path.write_bytes(b"".join(record(episode_payload(e, encoding)) for e in shard))
    split: dict[str, Any] = {
        "name": "train",
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        "numBytes": "1",
    }
    if declared:
        split["shardLengths"] = [str(len(shard)) for shard in shards]
    info = {"name": name, "version": root.name, "fileFormat": "tfrecord", "splits": [split]}
    (root / "dataset_info.json").write_text(json.dumps(info))
    observation = {
        **{key: image_spec(images[0].shape, encoding) for key, images in first["cameras"].items()},
        **{key: tensor_spec(v.shape[1:]) for key, v in first.get("vectors", {}).items()},
        **{key: tensor_spec(v.shape[1:]) for key, v in first.get("depth", {}).items()},
    }
    steps = {
        "observation": {
            "pythonClassName": FEATURES_DICT,
            "featuresDict": {"features": observation},
        },
        "is_first": tensor_spec((), "bool"),
        "language_instruction": {
            "pythonClassName": "tensorflow_datasets.core.features.text_feature.Text",
            "text": {},
        },
    }
    metadata = {key: tensor_spec((), "bool") for key in first.get("metadata", {})}
    features = {
        "steps": {
            "pythonClassName": "tensorflow_datasets.core.features.dataset_feature.Dataset",
            "sequence": {
                "feature": {
                    "pythonClassName": FEATURES_DICT,
                    "featuresDict": {"features": steps},
                },
                "length": "-1",
            },
        },
        "episode_metadata": {
            "pythonClassName": FEATURES_DICT,
            "featuresDict": {"features": metadata},
        },
    }
    content = {"pythonClassName": FEATURES_DICT, "featuresDict": {"features": features}}
    (root / "features.json").write_text(json.dumps(content, indent=4))


def episode_payload(episode: Mapping[str, Any], encoding: str = "jpeg") -> bytes:
    cameras = episode["cameras"]
    length = len(next(iter(cameras.values())))
    features: dict[str, Any] = {
        "steps/is_first": np.arange(length) == 0,
        "steps/language_instruction": [episode.get("instruction", "").encode()] * length,
    }
    for name, images in cameras.items():
        features[f"steps/observation/{name}"] = [encode_image(i, encoding) for i in images]
    for name, values in {**episode.get("vectors", {}), **episode.get("depth", {})}.items():
        features[f"steps/observation/{name}"] = np.asarray(values, np.float32)
    for name, value in episode.get("metadata", {}).items():
        one = [value.encode()] if isinstance(value, str) else np.array([value])
        features[f"episode_metadata/{name}"] = one
    return example(features)


def image_spec(shape: Sequence[int], encoding: str) -> dict[str, Any]:
    return {
        "pythonClassName": "tensorflow_datasets.core.features.image_feature.Image",
        "image": {
            "shape": {"dimensions": [str(n) for n in shape]},
            "dtype": "uint8",
            "encodingFormat": encoding,
        },
    }


def tensor_spec(shape: Sequence[int], dtype: str = "float32") -> dict[str, Any]:
    return {
        "pythonClassName": "tensorflow_datasets.core.features.tensor_feature.Tensor",
        "tensor": {
            "shape": {"dimensions": [str(n) for n in shape]} if shape else {},
            "dtype": dtype,
            "encoding": "none",
        },
    }

"""The images of a written dataset."""

import tarfile
from pathlib import Path

import cv2
import numpy as np


def members(dataset: Path) -> dict[str, bytes]:
    """Every image of the shards, by url."""
    images = {}
    for shard in sorted((dataset / "image_shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                images[member.name] = file.read()
    return images


def picture(data: bytes) -> np.ndarray:
    """An encoded image as RGB."""
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB)

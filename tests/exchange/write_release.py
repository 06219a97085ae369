"""A small release as published: jsonl in the released keys, images in tars without an index.

The true format, as the dataset page of Jaehwisong/XVR shows it: general prompts have plain text
blocks that end in line breaks, robotic ones have text blocks with `"image_url": null`.
"""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

IMAGES_PER_SHARD = 5


def point(number: int, images: list[int], answer: str = "red") -> dict[str, Any]:
    """A general sample."""
    return {
        "prompt_blocks": [
            {"type": "text", "text": "You see several camera views.\n"},
            *(
                block
                for place, image in enumerate(images, start=1)
                for block in (
                    {"type": "text", "text": f"\nImage {place} (Reference):\n"},
                    {"type": "image_url", "image_url": {"url": url(image)}},
                )
            ),
            {"type": "text", "text": "\nWhich marker is it?\n"},
        ],
        "sample_id": f"multi_reference_point_matching_{number:03d}_5717086b",
        "task": "task9",
        "ground_truth_answer": answer,
    }


def temporal(episode: int, images: list[int], answer: str = "2", number: int = 1) -> dict[str, Any]:
    """A robotic sample."""
    sample = point(0, images, answer)
    for block in sample["prompt_blocks"]:
        if block["type"] == "text":
            block["image_url"] = None
    name = f"task1_agibot_episode_{episode:06d}_sample_{number}"
    return sample | {"sample_id": name, "task": "task1"}


def url(number: int) -> str:
    """Url of an image."""
    return f"images/img_{number:07d}.png"


def picture(number: int) -> bytes:
    """An image whose brightness tells its number."""
    return cv2.imencode(".png", np.full((12, 16, 3), 3 * number, np.uint8))[1].tobytes()


def write_images(root: Path, numbers: range, folder: str = "images/") -> None:
    """Images in tars of five."""
    (root / "image_shards").mkdir(parents=True, exist_ok=True)
    for start in numbers[::IMAGES_PER_SHARD]:
        shard = root / "image_shards" / f"images_{start // IMAGES_PER_SHARD:03d}.tar"
        with tarfile.open(shard, "w") as tar:
            for number in range(start, min(start + IMAGES_PER_SHARD, numbers.stop)):
                member = tarfile.TarInfo(f"{folder}{Path(url(number)).name}")
                data = picture(number)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def write_lines(root: Path, split: str, *samples: dict[str, Any] | str | bytes) -> None:
    """A jsonl file of samples, or of lines as they are."""
    root.mkdir(parents=True, exist_ok=True)
    lines = []
    for sample in samples:
        text = json.dumps(sample) if isinstance(sample, dict) else sample
        lines.append(text if isinstance(text, bytes) else text.encode())
    (root / f"{split}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def write_release(root: Path) -> Path:
    """Four samples in train, one in xvr_eval, over twelve images in three shards."""
    write_images(root, range(12))
    write_lines(
        root,
        "train",
        point(70, [0, 1, 2]),
        temporal(1412, [3, 4, 5]),
        temporal(1412, [3, 4, 6], "1", number=2),
        point(71, [7, 8], "blue"),
    )
    write_lines(root, "xvr_eval", temporal(7, [9, 10, 11]))
    return root

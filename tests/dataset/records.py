"""One written sample and its proof, by hand."""

import json
from pathlib import Path
from typing import Any

SAMPLE: dict[str, Any] = {
    "prompt_blocks": [
        {"type": "text", "text": "Image 1:"},
        {"type": "image_url", "image_url": {"url": "images/img_0000001.png"}},
        {"type": "text", "text": "Which?"},
    ],
    "sample_id": "task1_toy_sample_1",
    "task": "task1",
    "ground_truth_answer": "1",
}
PROOF: dict[str, Any] = {
    "sample_id": "task1_toy_sample_1",
    "task": "temporal_verification",
    "domain": "robotic",
    "source": {"format": "lerobot", "path": "/data", "episode": "toy/episode_000000"},
    "images": [],
    "marks": [],
    "world": {},
    "options": [],
    "answer": "1",
    "checks": {},
    "difficulty": {},
    "seed": 0,
    "version": "0.1.0",
}


def write(path: Path, *records: dict[str, Any] | None) -> None:
    """Write records as lines of JSON."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))

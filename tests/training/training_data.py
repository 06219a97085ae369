"""Datasets of noise, and runs that take a second."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xvr.dataset.encode import encode
from xvr.dataset.shards import ShardWriter, image_url
from xvr.training.config import Machine, TrainConfig
from xvr.training.recipes import Recipe

COLORS = ("red", "green", "blue", "yellow")
TEXTS = [
    *(
        "Two views of room",
        *(str(place) for place in range(16)),
        "Image 1 (Reference):",
        "Image 2:",
        "Which dot is the same point?",
    ),
    *("red", "green", "blue", "yellow", "user", "assistant"),
] * 3

QUICK = Recipe(
    name="quick",
    model="none",
    lr=3e-3,
    merger_lr=3e-3,
    vision_lr=3e-3,
    batch_size=4,
    warmup_share=0.0,
    gradient_checkpointing=False,
    lora_dropout=0.1,
)
MACHINE = Machine(device_batch_size=2, workers=0, log_every=1, save_every=2, device="cpu")


def config(data: Path | str, model: Path, out: Path, **changes: Any) -> TrainConfig:
    """A run of four steps without evaluation; changes of the recipe, machine or run by name."""
    recipe = {k: changes.pop(k) for k in list(changes) if hasattr(QUICK, k) and k != "model"}
    machine = {k: changes.pop(k) for k in list(changes) if hasattr(MACHINE, k)}
    settings: dict[str, Any] = {"steps": 4, "eval_every": 0}
    return TrainConfig(
        data=(str(data),) if isinstance(data, str | Path) else data,
        model=str(model),
        out=out,
        recipe=replace(QUICK, **recipe),
        machine=replace(MACHINE, **machine),
        **settings | changes,
    )


def write_noise(folder: Path, images: int = 2, unpacked: bool = False, **splits: int) -> Path:
    """So many questions in each split, about images of noise in shards of seven."""
    folder.mkdir(parents=True)
    number = 0
    encoded: dict[str, bytes] = {}
    for split, count in splits.items():
        samples = []
        for place in range(count):
            urls = [image_url(number + i + 1, ".png") for i in range(images)]
            encoded |= {url: _noise(number + i) for i, url in enumerate(urls)}
            samples.append(sample(place, urls, split))
            number += images
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(s) + "\n" for s in samples))
    if unpacked:
        (folder / "images").mkdir()
        for url, data in encoded.items():
            (folder / url).write_bytes(data)
    else:
        with ShardWriter(folder, images_per_shard=7) as shards:
            for url, data in encoded.items():
                shards.add(url, data)
    (folder / "manifest.json").write_text(json.dumps({"identity": "noise", "config": {}}))
    return folder


def sample(place: int, urls: list[str], split: str = "train") -> dict[str, Any]:
    """A question of one of two tasks."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": f"Two views of room {place}.\n"}]
    for number, url in enumerate(urls, start=1):
        blocks.append({"type": "text", "text": f"Image {number}:"})
        blocks.append({"type": "image_url", "image_url": {"url": url}})
    temporal = place % 4 == 3
    blocks.append({"type": "text", "text": "Which dot is the same point?"})
    return {
        "prompt_blocks": blocks,
        "sample_id": f"{split}_{place:03}",
        "task": "task1" if temporal else "task9",
        "ground_truth_answer": str(1 + place % 2) if temporal else COLORS[place % 4],
    }


def _noise(seed: int) -> bytes:
    """Large squares of noise, which small models can tell apart."""
    small = np.random.default_rng(seed).integers(0, 255, (2, 3, 3), np.uint8)
    return encode(np.repeat(np.repeat(small, 16, 0), 16, 1), "png")

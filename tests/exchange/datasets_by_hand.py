"""Datasets with provenance, written by hand, where only scenes and episodes count."""

import json
from pathlib import Path
from typing import Any

from write_release import picture, point, temporal

from xvr.dataset.shards import ShardWriter

PATH = "data"


def scene(number: int, images: list[int], answer: str = "red", **source: Any) -> tuple[dict, dict]:
    """A general sample of a scene, and its proof."""
    sample = point(number, images, answer)
    values = ["red", "green", "blue", "yellow", "purple"]
    origin = {"format": "wildrgbd", "path": PATH, "scene": f"scene_{number}"} | source
    return sample, _proof(sample, "point_correspondence", "general", origin, values)


def episodes(first: int, images: list[int], answer: str = "2", second: int | None = None) -> Any:
    """A robotic sample of an episode or two, and its proof."""
    sample = temporal(first, images, answer, number=images[0] + 1)
    sample["prompt_blocks"] = point(0, images)["prompt_blocks"]
    origin: dict[str, Any] = {"format": "lerobot", "path": PATH, "episode": f"e{first}"}
    if second is not None:
        origin["episodes"] = [f"e{first}", f"e{second}"]
    values = [str(place) for place in range(1, len(images) + 1)]
    return sample, _proof(sample, "temporal_verification", "robotic", origin, values)


def write_dataset(root: Path, path: str = PATH, prints: str = "aa", **splits: list[Any]) -> Path:
    """A dataset of these samples; images tell their numbers by their brightness."""
    (root / "provenance").mkdir(parents=True)
    seen: set[str] = set()
    with ShardWriter(root) as shards:
        for split, pairs in splits.items():
            for _, proof in pairs:
                proof["source"]["path"] = path
            for folder, place in (("", 0), ("provenance/", 1)):
                lines = "".join(json.dumps(pair[place]) + "\n" for pair in pairs)
                (root / f"{folder}{split}.jsonl").write_text(lines)
            for _, proof in pairs:
                for image in proof["images"]:
                    if image["url"] not in seen:
                        seen.add(image["url"])
                        shards.add(image["url"], picture(int(image["url"][-8:-4])))
    sources = [f"wildrgbd:{path}", f"lerobot:{path}"]
    manifest = {
        "identity": root.name,
        "config": {"images": "shards", "sources": sources, "rules": {"max_ssim": 0.9}},
        "sources": [
            {"source": word.partition(":")[0], "sha256": prints + word[0]} for word in sources
        ],
    }
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


def _proof(
    sample: dict[str, Any], task: str, domain: str, source: dict[str, Any], values: list[str]
) -> dict[str, Any]:
    urls = [
        block["image_url"]["url"] for block in sample["prompt_blocks"] if block["type"] != "text"
    ]
    return {
        "sample_id": sample["sample_id"],
        "task": task,
        "domain": domain,
        "source": source,
        "images": [
            {
                "image": place,
                "url": name,
                "part": "candidate",
                "frame_index": 0,
                "width": 16,
                "height": 12,
            }
            for place, name in enumerate(urls, start=1)
        ],
        "marks": [],
        "world": {},
        "options": [
            {"value": v, "correct": v == sample["ground_truth_answer"], "why": "x"} for v in values
        ],
        "answer": sample["ground_truth_answer"],
        "checks": {},
        "difficulty": {},
        "seed": 0,
        "version": "0",
    }

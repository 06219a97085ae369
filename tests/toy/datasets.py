"""Building datasets of the toy world, and comparing them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from toy.drafting import RULES
from xvr.engine.config import BuildConfig

QUICK_TASKS = (
    "directional_correspondence",
    "temporal_verification",
    "viewpoint_localization",
    "cross_scenario_localization",
)


def config(*sources: str, samples: int = 24, **changes: Any) -> BuildConfig:
    """A build of quick tasks from both domains, in a train and a valid split."""
    options: dict[str, Any] = {
        "tasks": QUICK_TASKS,
        "mixture": "uniform",
        "valid_share": 0.25,
        "rules": RULES,
        "images_per_shard": 50,
    }
    return BuildConfig(sources=sources, samples=samples, **options | changes)


def hashes(dataset: Path) -> dict[str, str]:
    """SHA-256 of every file, work folder included."""
    return {
        path.relative_to(dataset).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(dataset.rglob("*"))
        if path.is_file()
    }


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a jsonl file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def pairs(dataset: Path, split: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Samples with their provenance."""
    proofs = lines(dataset / "provenance" / f"{split}.jsonl")
    return list(zip(lines(dataset / f"{split}.jsonl"), proofs, strict=True))

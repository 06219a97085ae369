"""`manifest.json`: how a dataset was made. Written last, it says that the dataset is complete."""

import hashlib
import json
import platform
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xvr import __version__
from xvr.dataset import atomic
from xvr.errors import UserError

MANIFEST = "manifest.json"
LIBRARIES = (
    "numpy",
    "numba",
    "opencv-python-headless",
    "av",
    "imagecodecs",
    "pyspng",
    "simplejpeg",
)
"""Libraries whose version can change a byte of the output."""


def write_manifest(
    dataset: Path,
    *,
    identity: str,
    config: dict[str, Any],
    sources: list[dict[str, Any]],
    outcome: dict[str, Any],
) -> None:
    """Write `manifest.json` with the hashes of all text files and the sizes of all shards.

    Args:
        dataset: the folder.
        identity: hash of config, sources and version.
        config: every setting that decides the bytes, seed and rules included.
        sources: format, number of scenes or episodes and fingerprint of each source.
        outcome: counts, refusals by task and reason, skipped scenes and episodes.
    """
    texts = sorted([*dataset.glob("*.jsonl"), *dataset.glob("provenance/*.jsonl")])
    shards = sorted(dataset.glob("image_shards/*.tar"))
    reasons = Counter(entry["reason"] for entry in outcome["skipped"])
    manifest = {
        "identity": identity,
        "xvr": __version__,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "config": config,
        "sources": sources,
        **outcome,
        "skipped_by_reason": dict(sorted(reasons.items())),
        "sha256": {
            path.relative_to(dataset).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in texts
        },
        "shard_bytes": {path.name: path.stat().st_size for path in shards},
    }
    atomic.write_bytes(dataset / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())


def read_manifest(dataset: Path) -> dict[str, Any] | None:
    """The manifest, or None where a dataset has none, as the published release.

    Raises:
        UserError: it cannot be read.
    """
    path = dataset / MANIFEST
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}") from error


@cache
def _version(library: str) -> str:
    return version(library)

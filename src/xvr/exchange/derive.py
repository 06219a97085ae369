"""A dataset written from samples of others: new ids where they clash, images copied and renumbered.

No image is decoded. The manifest names the parents with their hashes, and holds the rules that all
samples keep.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from xvr import __version__
from xvr.dataset.card import write_card
from xvr.dataset.manifest import write_manifest
from xvr.dataset.record import Provenance, Sample, unused_id
from xvr.dataset.shards import ShardReader, ShardWriter, image_url
from xvr.dataset.stats import compute_stats, write_stats
from xvr.errors import UserError
from xvr.exchange.parents import Parent

Progress = Callable[[int, int], None]
"""Called with (samples written, samples to write)."""


class Picked(NamedTuple):
    """A sample and where it comes from."""

    parent: int
    sample: Sample
    proof: Provenance | None


class Derivation(NamedTuple):
    """How a dataset is made from others."""

    made_by: str
    """Name of the command."""
    arguments: dict[str, Any]
    parents: Sequence[Parent]
    outcome: dict[str, Any]
    """What else the manifest tells."""

    @property
    def identity(self) -> str:
        """Hash of everything that decides the bytes."""
        hashes = [parent.sha256 for parent in self.parents]
        text = json.dumps([__version__, self.made_by, self.arguments, hashes], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def require_like_images(parents: Sequence[Parent]) -> bool:
    """Whether the parents have images; they must agree.

    Raises:
        UserError: some have images and some have none.
    """
    without = [parent.path for parent in parents if not parent.has_images]
    if without and len(without) < len(parents):
        raise UserError(f"{without[0]} was built with --images none, and others with images")
    return not without


def write_derived(
    folder: Path,
    splits: Mapping[str, Iterable[Picked]],
    derivation: Derivation,
    *,
    total: int,
    progress: Progress | None = None,
) -> None:
    """Write splits, images, statistics, card and manifest.

    Args:
        folder: an empty folder.
        splits: samples of each split, in order.
        derivation: what the manifest tells.
        total: number of samples, for the progress.
        progress: called after every sample.
    """
    taken: dict[str, Counter[int]] = {}
    with _Copier(folder, derivation.parents) as copier:
        for split, samples in splits.items():
            taken[split] = copier.write_split(split, samples, total, progress)
    stats = compute_stats(folder)
    write_stats(folder, stats)
    config = _config(derivation)
    unproven = {split: count for split, count in copier.unproven.items() if count}
    write_card(folder, stats, config, origin=_origin(derivation, stats["samples"], unproven))
    write_manifest(
        folder,
        identity=derivation.identity,
        config=config,
        sources=_sources(derivation.parents),
        outcome={
            "made_by": derivation.made_by,
            "arguments": derivation.arguments,
            "parents": [
                {
                    "path": str(parent.path),
                    "identity": parent.manifest.get("identity"),
                    "made_by": parent.manifest.get("made_by", "build" if parent.manifest else None),
                    "sha256": parent.sha256,
                    "samples": {split: counts[place] for split, counts in taken.items()},
                }
                for place, parent in enumerate(derivation.parents)
            ],
            **derivation.outcome,
            "renamed_ids": copier.renamed,
            "splits": stats["splits"],
            "unproven": unproven,
            "skipped": [],
        },
    )


class _Copier:
    """Writes samples with new urls, and their images under these."""

    def __init__(self, folder: Path, parents: Sequence[Parent]) -> None:
        self.unproven: Counter[str] = Counter()
        self.renamed = 0
        self._folder = folder
        self._clean = _keeps_clean(parents)
        self._ids: set[str] = set()
        self._next = 1
        self._shared: dict[tuple[int, str], str] = {}
        self._open = ExitStack()
        self._images = None
        self._readers: list[ShardReader] = []
        if require_like_images(parents):
            self._images = self._open.enter_context(ShardWriter(folder))
            self._readers = [
                self._open.enter_context(ShardReader(parent.path)) for parent in parents
            ]

    def __enter__(self) -> "_Copier":
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def write_split(
        self, split: str, samples: Iterable[Picked], total: int, progress: Progress | None
    ) -> Counter[int]:
        """Write one split; returns the number of samples by parent."""
        counts: Counter[int] = Counter()
        proofs_path = self._folder / "provenance" / f"{split}.jsonl"
        proofs_path.parent.mkdir(exist_ok=True)
        lines_path = self._folder / f"{split}.jsonl"
        with lines_path.open("w") as lines, proofs_path.open("w") as proofs:
            for parent, sample, proof in samples:
                record, evidence = self._rename(parent, sample, proof)
                lines.write(json.dumps(record) + "\n")
                proofs.write(json.dumps(evidence) + "\n")
                counts[parent] += 1
                self.unproven[split] += proof is None
                if progress is not None:
                    progress(len(self._ids), total)
        if self.unproven[split] == counts.total():
            proofs_path.unlink()
            if not any(proofs_path.parent.iterdir()):
                proofs_path.parent.rmdir()
        return counts

    def _rename(
        self, parent: int, sample: Sample, proof: Provenance | None
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The records under a new id and new urls; their images are copied."""
        sample_id = unused_id(sample.sample_id, self._ids)
        self.renamed += sample_id != sample.sample_id
        urls = {url: self._copy(parent, url, alone=proof is not None) for url in sample.image_urls}
        record: dict[str, Any] = {**sample.model_dump(), "sample_id": sample_id}
        for block in record["prompt_blocks"]:
            if block["type"] == "image_url":
                block["image_url"]["url"] = urls[block["image_url"]["url"]]
        if proof is None:
            return record, None
        evidence: dict[str, Any] = proof.model_dump(mode="json", exclude_none=True)
        evidence["sample_id"] = sample_id
        for image in evidence["images"]:
            image["url"] = urls.get(image["url"], image["url"])
        return record, evidence

    def _copy(self, parent: int, url: str, *, alone: bool) -> str:
        """The new url of an image; those that a release shows in several samples are kept once."""
        if not alone and (parent, url) in self._shared:
            return self._shared[parent, url]
        renamed = image_url(self._next, PurePosixPath(url).suffix)
        self._next += 1
        if not alone:
            self._shared[parent, url] = renamed
        if self._images is not None:
            self._images.add(renamed, self._readers[parent].read(url))
            if self._clean:
                clean = [name.replace("images/", "clean/", 1) for name in (url, renamed)]
                self._images.add(clean[1], self._readers[parent].read(clean[0]))
        return renamed


def _config(derivation: Derivation) -> dict[str, Any]:
    """What readers of a manifest look for in its configuration."""
    config: dict[str, Any] = {
        "images": "shards" if require_like_images(derivation.parents) else "none",
        "keep_clean": _keeps_clean(derivation.parents),
    }
    if "seed" in derivation.arguments:
        config["seed"] = derivation.arguments["seed"]
    rules = [parent.config["rules"] for parent in derivation.parents if "rules" in parent.config]
    if rules:
        config["rules"] = _loosest(rules)
    return config


def _keeps_clean(parents: Sequence[Parent]) -> bool:
    return all(parent.config.get("keep_clean") for parent in parents)


def _loosest(rules: Sequence[dict[str, float]]) -> dict[str, float]:
    """Rules that all samples keep: the largest limits from above, the smallest from below."""
    names = {name: None for found in rules for name in found}
    loosest = {}
    for name in names:
        values = [found[name] for found in rules if name in found]
        above = name.startswith("max_") or "tolerance" in name
        loosest[name] = max(values) if above else min(values)
    return loosest


def _sources(parents: Sequence[Parent]) -> list[dict[str, Any]]:
    found = {(path, sha): None for parent in parents for path, sha in parent.sources.items()}
    return [{"source": path.partition(":")[0], "path": path, "sha256": sha} for path, sha in found]


def _origin(derivation: Derivation, samples: int, unproven: dict[str, int]) -> str:
    count = sum(unproven.values())
    proofs = "`provenance/<split>.jsonl` holds the proof of each sample, line by line."
    if count == samples:
        proofs = "The samples were imported and have no proofs."
    elif count:
        proofs += f" {count} samples were imported;\ntheir lines are `null`."
    number = len(derivation.parents)
    return f"""made by `xvr data {derivation.made_by}`
(xvr {__version__}) from {number} dataset{"s" * (number > 1)}, named in `manifest.json`.
{proofs}"""

"""Datasets that others are made from, and what tells that two samples show the same place.

A sample comes from its scene or its episodes, or the physical objects behind them, as its
provenance says. A source is known by the path that was given and by its fingerprint, so that
neither a move nor another path hides that two datasets share it. An imported sample has no
provenance: what its id says (the episode of a robotic one) and the images that it shares with
others is all there is to go by.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from xvr.dataset.manifest import read_manifest
from xvr.dataset.reader import read_split, splits_of
from xvr.dataset.record import Provenance, Sample
from xvr.errors import UserError
from xvr.tasks import task_name

_EPISODE_ID = re.compile(r"task\d+_(.+_episode_\d+)_sample_\d+")


class Line(NamedTuple):
    """One sample of a parent, as far as choosing needs to know it."""

    parent: int
    split: str
    number: int
    """Line of the split, from 0."""
    groups: tuple[str, ...]
    """What it was made from: a scene, an episode or two."""
    kind: str
    """`general`, `robotic` or `unproven`."""
    stratum: str
    """Task, number of options and answer."""


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A dataset that is read."""

    path: Path
    splits: tuple[str, ...]
    manifest: dict[str, Any]
    """Empty where there is none."""
    sha256: dict[str, str]
    """Of its text files."""

    @property
    def config(self) -> dict[str, Any]:
        """Its configuration, as far as it is known."""
        return self.manifest.get("config") or {}

    @property
    def has_images(self) -> bool:
        """False where marks are data only."""
        return self.config.get("images") != "none"

    @property
    def fingerprint(self) -> str:
        """Hash of all its text."""
        return hashlib.sha256(json.dumps(self.sha256, sort_keys=True).encode()).hexdigest()

    @property
    def sources(self) -> dict[str, str]:
        """Fingerprints of its sources by `FORMAT:PATH`, as its provenance names them."""
        prints = self.manifest.get("sources") or []
        named = self.config.get("sources") or [found["path"] for found in prints]
        words = (name.partition(":") for name in named)
        return {
            f"{kind}:{Path(path).expanduser()}": found["sha256"]
            for (kind, _, path), found in zip(words, prints, strict=True)
        }


def open_parent(path: Path) -> Parent:
    """A dataset to read from.

    Raises:
        UserError: the folder holds no dataset, or an unfinished one.
    """
    splits = splits_of(path)
    manifest = read_manifest(path)
    if manifest is None and (path / ".build").exists():
        raise UserError(f"{path} is an unfinished build; run the build again to complete it")
    files = [path / f"{split}.jsonl" for split in splits]
    files += [path / "provenance" / f"{split}.jsonl" for split in splits]
    return Parent(
        path=path,
        splits=splits,
        manifest=manifest or {},
        sha256={
            file.relative_to(path).as_posix(): _sha256(file) for file in files if file.is_file()
        },
    )


def survey(parents: list[Parent]) -> list[Line]:
    """All samples of all parents, with what they were made from."""
    names = _Names()
    found = []
    for place, parent in enumerate(parents):
        sources = parent.sources
        for split in parent.splits:
            for number, (sample, proof) in enumerate(read_split(parent.path, split)):
                origins = _origins(sample, proof, parent, sources)
                groups = tuple(names.join(*origin) for origin in origins)
                kind = proof.domain if proof else "unproven"
                found.append(Line(place, split, number, groups, kind, _stratum(sample, proof)))
    return [line._replace(groups=tuple(map(names.root, line.groups))) for line in found]


def episode_of(sample_id: str) -> str | None:
    """The episode that the id of a robotic sample names; None where it names none."""
    found = _EPISODE_ID.fullmatch(sample_id)
    return found[1] if found else None


def _origins(
    sample: Sample, proof: Provenance | None, parent: Parent, sources: dict[str, str]
) -> Iterator[tuple[str, ...]]:
    """Every scene or episode of a sample, by all its names."""
    if proof is None:
        images = (f"image\t{parent.path}\t{url}" for url in sample.image_urls)
        yield (f"id\t{episode_of(sample.sample_id) or sample.sample_id}", *images)
        return
    source = proof.source
    path = f"{source.format}:{source.path}"
    for name in source.groups or source.episodes or [source.scene or source.episode or ""]:
        by_print = (f"print\t{sources[path]}\t{name}",) if path in sources else ()
        yield (f"path\t{path}\t{name}", *by_print)


def _stratum(sample: Sample, proof: Provenance | None) -> str:
    options = len(proof.options) if proof else 0
    task = proof.task if proof else task_name(sample.task)
    return f"{task}\t{options}\t{sample.ground_truth_answer}"


class _Names:
    """Names of the same thing, by union-find."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def join(self, name: str, *others: str) -> str:
        """Hold all for names of one thing; returns the one that stands for them so far."""
        root = self.root(name)
        for other in others:
            self._above[self.root(other)] = root
        return root

    def root(self, name: str) -> str:
        """The name that stands for all names of a thing."""
        path = []
        while (above := self._above.setdefault(name, name)) != name:
            path.append(name)
            name = above
        for passed in path:
            self._above[passed] = name
        return name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

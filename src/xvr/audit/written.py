"""The dataset as it lies on disk, read strictly and without the code that wrote it.

written = read_written(Path("out"))
written.entries[0].sample.ground_truth_answer
written.images.read("images/img_0000001.png")  # the encoded file
"""

import json
import tarfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from xvr.audit.report import Finding, Problem
from xvr.dataset.record import SPLITS, Provenance, Sample
from xvr.errors import UserError

CLEAN = "clean/"
"""Unmarked copies beside the images in the shards; no record names them."""

Record = TypeVar("Record", bound=BaseModel)


class Entry(NamedTuple):
    """One sample with its proof."""

    split: str
    sample: Sample
    proof: Provenance

    @property
    def answer(self) -> str:
        """The answer as written in the released record."""
        return self.sample.ground_truth_answer


def located(entry: Entry, problem: Problem) -> Finding:
    """A problem with the sample that has it."""
    return Finding(
        kind=problem.kind,
        reason=problem.reason,
        detail=problem.detail,
        split=entry.split,
        task=entry.proof.task,
        sample_id=entry.sample.sample_id,
    )


class _Place(NamedTuple):
    file: Path
    offset: int
    size: int


@dataclass(frozen=True)
class ImageStore:
    """Encoded images by url, unpacked under the dataset or inside `image_shards/*.tar`."""

    root: Path

    @cached_property
    def _places(self) -> dict[str, list[_Place]]:
        places: dict[str, list[_Place]] = {}
        for file in sorted((self.root / "images").rglob("*")):
            if file.is_file():
                url = file.relative_to(self.root).as_posix()
                places.setdefault(url, []).append(_Place(file, 0, file.stat().st_size))
        for shard in sorted((self.root / "image_shards").glob("*.tar")):
            with tarfile.open(shard) as archive:
                for member in archive:
                    url = member.name.removeprefix("./")
                    if member.isfile() and not url.startswith(CLEAN):
                        url = url if url.startswith("images/") else f"images/{url}"
                        place = _Place(shard, member.offset_data, member.size)
                        places.setdefault(url, []).append(place)
        return places

    def copies(self, url: str) -> int:
        """How many files answer to a url; an unpacked image beside its shard counts once."""
        kinds = Counter(place.file.suffix == ".tar" for place in self._places.get(url, ()))
        return max(kinds.values(), default=0)

    @property
    def urls(self) -> set[str]:
        """All urls there are."""
        return set(self._places)

    def read(self, url: str) -> bytes:
        """The encoded image.

        Raises:
            KeyError: there is no such image.
        """
        place = self._places[url][0]
        with place.file.open("rb") as file:
            file.seek(place.offset)
            return file.read(place.size)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A dataset, and what was wrong with its lines."""

    root: Path
    manifest: dict[str, Any]
    entries: tuple[Entry, ...]
    """Samples that have a proof with the same id, in the order of the splits and their lines."""
    images: ImageStore
    findings: tuple[Finding, ...]
    """Lines that could not be read or paired."""

    @property
    def has_images(self) -> bool:
        """False for a dataset that was made without writing images."""
        return (self.manifest.get("config") or {}).get("images") != "none"


def read_written(root: Path) -> Written:
    """Read every split of a dataset.

    Raises:
        UserError: there is no `<split>.jsonl` at all.
    """
    names = [name for name in SPLITS if (root / f"{name}.jsonl").is_file()]
    if not names:
        raise UserError(f"{root} holds no dataset: expected one of {', '.join(SPLITS)} (.jsonl)")
    findings: list[Finding] = []
    entries = [entry for name in names for entry in _read_split(root, name, findings)]
    manifest = root / "manifest.json"
    return Written(
        root=root,
        manifest=json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {},
        entries=tuple(entries),
        images=ImageStore(root),
        findings=tuple(findings),
    )


def _read_split(root: Path, split: str, findings: list[Finding]) -> list[Entry]:
    samples = _read_lines(root / f"{split}.jsonl", Sample, split, findings)
    proofs = _read_lines(root / "provenance" / f"{split}.jsonl", Provenance, split, findings)
    by_id = {proof.sample_id: proof for proof in proofs}
    if [sample.sample_id for sample in samples] != [proof.sample_id for proof in proofs]:
        findings.append(
            Finding(
                kind="integrity",
                reason="provenance_out_of_order",
                detail=f"{len(samples)} samples and {len(proofs)} proofs differ in ids or order",
                split=split,
            )
        )
    entries = []
    for sample in samples:
        if sample.sample_id in by_id:
            entries.append(Entry(split, sample, by_id[sample.sample_id]))
        else:
            findings.append(
                Finding(
                    kind="integrity",
                    reason="no_provenance",
                    detail="the answer cannot be checked",
                    split=split,
                    sample_id=sample.sample_id,
                )
            )
    return entries


def _read_lines(
    path: Path, record: type[Record], split: str, findings: list[Finding]
) -> list[Record]:
    if not path.is_file():
        findings.append(
            Finding(kind="integrity", reason="missing_file", detail=str(path), split=split)
        )
        return []
    found = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                found.append(record.model_validate_json(line))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                findings.append(
                    Finding(
                        kind="integrity",
                        reason="bad_line",
                        detail=f"{path.name} line {number}: {where}: {first['msg']}",
                        split=split,
                    )
                )
    return found

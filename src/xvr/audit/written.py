"""The dataset as it lies on disk, read strictly and without the code that wrote it.

written = read_written(Path("out"))
written.entries[0].sample.ground_truth_answer
written.images.read("images/img_0000001.png")  # the encoded file
"""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from xvr.audit.report import Finding, Problem
from xvr.dataset.record import CLEAN, SPLITS, Provenance, Sample
from xvr.errors import UserError

Record = TypeVar("Record")
_SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)
_PROOF: TypeAdapter[Provenance | None] = TypeAdapter(Provenance | None)


class Entry(NamedTuple):
    """One sample with its proof."""

    split: str
    sample: Sample
    proof: Provenance

    @property
    def answer(self) -> str:
        """The answer as written in the released record."""
        return self.sample.ground_truth_answer

    @property
    def task(self) -> str:
        """Our name of its task."""
        return self.proof.task


class Unproven(NamedTuple):
    """One sample that never had a proof, as those of the published release."""

    split: str
    sample: Sample

    @property
    def task(self) -> str:
        """The released id of its task."""
        return self.sample.task


def located(entry: Entry | Unproven, problem: Problem) -> Finding:
    """A problem with the sample that has it."""
    return Finding(
        kind=problem.kind,
        reason=problem.reason,
        detail=problem.detail,
        split=entry.split,
        task=entry.task,
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
                    name = member.name.removeprefix("./")
                    if member.isfile() and not name.startswith(CLEAN):
                        url = f"images/{PurePosixPath(name).name}"
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
    unproven: tuple[Unproven, ...] = ()
    """Samples without a proof whose manifest says that they have none."""

    @property
    def is_build(self) -> bool:
        """False for what was imported, mixed or split, which promises less than a build."""
        return "made_by" not in self.manifest

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
    path = root / "manifest.json"
    manifest = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    findings: list[Finding] = []
    entries: list[Entry] = []
    unproven: list[Unproven] = []
    for name in names:
        admitted = (manifest.get("unproven") or {}).get(name, 0)
        for entry in _read_split(root, name, admitted, findings):
            if isinstance(entry, Entry):
                entries.append(entry)
            else:
                unproven.append(entry)
    return Written(
        root=root,
        manifest=manifest,
        entries=tuple(entries),
        images=ImageStore(root),
        findings=tuple(findings),
        unproven=tuple(unproven),
    )


def _read_split(
    root: Path, split: str, admitted: int, findings: list[Finding]
) -> Iterator[Entry | Unproven]:
    """The samples of a split; of those without a proof so many are no problem."""
    samples = _read_lines(root / f"{split}.jsonl", _SAMPLE, split, findings)
    path = root / "provenance" / f"{split}.jsonl"
    proofs = [None] * len(samples)
    if path.is_file() or admitted != len(samples):
        proofs = _read_lines(path, _PROOF, split, findings)
    by_id = {proof.sample_id: proof for proof in proofs if proof is not None}
    pairs = zip_longest(samples, proofs)
    if any(s is None or (p is not None and s.sample_id != p.sample_id) for s, p in pairs):
        findings.append(
            Finding(
                kind="integrity",
                reason="provenance_out_of_order",
                detail=f"{len(samples)} samples and {len(proofs)} proofs differ in ids or order",
                split=split,
            )
        )
    bare = [sample for sample in samples if sample.sample_id not in by_id]
    for sample in samples:
        if sample.sample_id in by_id:
            yield Entry(split, sample, by_id[sample.sample_id])
        elif len(bare) == admitted:
            yield Unproven(split, sample)
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


def _read_lines(
    path: Path, record: TypeAdapter[Record], split: str, findings: list[Finding]
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
                found.append(record.validate_json(line))
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

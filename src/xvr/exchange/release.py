"""The published release becomes a dataset: lines checked, shards linked and indexed.

    report = import_release(Path("XVR"), Path("out/xvr"))
    report.rejected[0]  # what was left out, and where it stands

A release has `<split>.jsonl` and `image_shards/*.tar`, or the unpacked `images/`. Images are not
read, only their places; shards are hard links where the disk allows it and copies elsewhere. The
release has no proofs, so the dataset has no provenance, and its manifest says so.
"""

import errno
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from xvr import __version__
from xvr.dataset import atomic
from xvr.dataset.card import write_card
from xvr.dataset.manifest import MANIFEST, write_manifest
from xvr.dataset.reader import count_samples, splits_of
from xvr.dataset.shard_index import index_shard
from xvr.dataset.shards import SHARD_FOLDER, ShardReader
from xvr.dataset.stats import compute_stats, write_stats
from xvr.errors import UserError
from xvr.exchange.released import BadLine, Released, read_line

REPORT = "import.json"
EXTRA = "extra"
"""Folder of what the lines of a release hold beyond a sample."""
Progress = Callable[[int, int], None]
"""Called with (lines read, lines there are)."""
_ORIGIN = f"""imported from a release by xvr
{__version__}. A release has no proofs, so there is no provenance: whether an answer is right cannot
be told from this folder. `import.json` lists what was left out."""
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP)
_PROGRESS_LINES = 256


class Rejected(NamedTuple):
    """A line or a file of the release that was left out."""

    file: str
    line: int
    """From 1; 0 for a whole file."""
    reason: str
    detail: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.reason}: {self.detail}"


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import took and what it left out."""

    samples: dict[str, int] = field(default_factory=dict)
    """By split."""
    rejected: list[Rejected] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """How many of the samples are unusual in which way."""

    @property
    def reasons(self) -> dict[str, int]:
        """Counts of what was left out."""
        return dict(sorted(Counter(found.reason for found in self.rejected).items()))

    def as_json(self) -> dict[str, Any]:
        """Plain values; the same release gives the same ones."""
        return {
            "samples": self.samples,
            "rejected": self.reasons,
            "notes": dict(sorted(self.notes.items())),
        }


def import_release(release: Path, out: Path, *, progress: Progress | None = None) -> ImportReport:
    """Make a dataset of a release.

    Args:
        release: folder with `<split>.jsonl` and `image_shards/` or `images/`.
        out: the dataset to write; it must not be there.
        progress: called now and then.

    Raises:
        UserError: `release` is no release, nothing in it can be used, or `out` cannot be written.
    """
    splits = splits_of(release)
    if (release / MANIFEST).exists():
        raise UserError(f"{release} is a dataset with a manifest already; use it as it is")
    report = ImportReport()
    with atomic.new_folder(out) as folder:
        images = _take_images(release, folder, report)
        lines = _usable_lines(release, splits, images, report, progress)
        for split, samples in groupby(lines, key=lambda line: line[0]):
            _write_split(folder, split, (released for _, released in samples), report)
        if not sum(report.samples.values()):
            raise UserError(_nothing_left(release, report))
        _describe(release, folder, images, report)
    return report


class _Shards:
    """The shards of a release, linked into the dataset; a damaged one is left out."""

    layout = "shards"

    def __init__(self, release: Path, folder: Path, report: ImportReport) -> None:
        (folder / SHARD_FOLDER).mkdir()
        for shard in sorted((release / SHARD_FOLDER).glob("*.tar")):
            name = f"{SHARD_FOLDER}/{shard.name}"
            try:
                _link(shard, folder / name)
                index_shard(folder / name)
            except UserError as error:
                (folder / name).unlink()
                detail = str(error).partition(": ")[2]
                report.rejected.append(Rejected(name, 0, "damaged_shard", detail))
            except FileNotFoundError:
                detail = "a link that leads nowhere"
                report.rejected.append(Rejected(name, 0, "damaged_shard", detail))
        self._reader = ShardReader(folder)

    def take(self, url: str) -> bool:
        """Whether the image is there."""
        return url in self._reader


class _Unpacked:
    """The images of a release as files, each linked into the dataset when a sample needs it."""

    layout = "folder"

    def __init__(self, release: Path, folder: Path) -> None:
        (folder / "images").mkdir()
        self._release, self._folder = release, folder

    def take(self, url: str) -> bool:
        """Link the image, if it is there."""
        if not (self._folder / url).exists():
            if not (self._release / url).is_file():
                return False
            _link(self._release / url, self._folder / url)
        return True


def _take_images(release: Path, folder: Path, report: ImportReport) -> _Shards | _Unpacked:
    if any((release / SHARD_FOLDER).glob("*.tar")):
        return _Shards(release, folder, report)
    if (release / "images").is_dir():
        return _Unpacked(release, folder)
    raise UserError(f"{release} holds no images: neither {SHARD_FOLDER}/*.tar nor images/ is there")


def _link(source: Path, target: Path) -> None:
    """A hard link to what a name stands for, or a copy where there can be no link."""
    source = source.resolve(strict=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)


def _usable_lines(
    release: Path,
    splits: tuple[str, ...],
    images: _Shards | _Unpacked,
    report: ImportReport,
    progress: Progress | None,
) -> Iterator[tuple[str, Released]]:
    """Every usable line with its split; the others go to the report."""
    seen: dict[str, str] = {}
    total, done = sum(count_samples(release, split) for split in splits), 0
    for split in splits:
        file = f"{split}.jsonl"
        with (release / file).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    released = read_line(line)
                    _check_in_release(released, images, seen)
                except BadLine as bad:
                    report.rejected.append(Rejected(file, number, bad.reason, bad.detail))
                else:
                    seen[released.sample.sample_id] = f"{file}:{number}"
                    yield split, released
                done += 1
                if progress is not None and (done % _PROGRESS_LINES == 0 or done == total):
                    progress(done, total)


def _check_in_release(
    released: Released, images: _Shards | _Unpacked, seen: dict[str, str]
) -> None:
    sample = released.sample
    if sample.sample_id in seen:
        raise BadLine("duplicate_id", f"{sample.sample_id} is that of {seen[sample.sample_id]}")
    missing = [url for url in sample.image_urls if not images.take(url)]
    if missing:
        raise BadLine("missing_image", ", ".join(missing))


def _write_split(folder: Path, split: str, lines: Iterator[Released], report: ImportReport) -> None:
    count = 0
    extra_path = folder / EXTRA / f"{split}.jsonl"
    extra_path.parent.mkdir(exist_ok=True)
    with (folder / f"{split}.jsonl").open("w") as samples, extra_path.open("w") as extras:
        for sample, extra, notes in lines:
            samples.write(json.dumps(sample.model_dump()) + "\n")
            if extra:
                extras.write(json.dumps({"sample_id": sample.sample_id, **extra}) + "\n")
            report.notes.update(notes)
            count += 1
    if not extra_path.stat().st_size:
        extra_path.unlink()
    report.samples[split] = count


def _describe(
    release: Path, folder: Path, images: _Shards | _Unpacked, report: ImportReport
) -> None:
    """The report, statistics, card and manifest."""
    if not any((folder / EXTRA).iterdir()):
        (folder / EXTRA).rmdir()
    if (release / "README.md").is_file():
        shutil.copyfile(release / "README.md", folder / "README.release.md")
    listed = [found._asdict() for found in report.rejected]
    text = json.dumps(report.as_json() | {"left_out": listed}, indent=1)
    atomic.write_bytes(folder / REPORT, (text + "\n").encode())
    stats = compute_stats(folder)
    write_stats(folder, stats)
    config = {"images": images.layout}
    write_card(folder, stats, config, origin=_ORIGIN)
    write_manifest(
        folder,
        identity=_identity(folder),
        config=config,
        sources=[],
        outcome={
            "made_by": "import",
            "import": report.as_json(),
            "splits": stats["splits"],
            "unproven": report.samples,
            "skipped": [],
        },
    )


def _identity(folder: Path) -> str:
    """Hash of what was taken; the same lines and shards are the same dataset."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob(f"{SHARD_FOLDER}/*.index.json")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _nothing_left(release: Path, report: ImportReport) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.items())
    first = "".join(f"\n  {found}" for found in report.rejected[:5])
    return f"nothing in {release} can be used ({reasons or 'every file is empty'}){first}"

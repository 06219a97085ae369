"""What a finished unit leaves on disk: its images in one blob, its records, and the receipt.

The receipt is written last, when both files and their names are on disk, and is the commit: a unit
without one is done again, a unit with one is not. It carries the hash of the build's config and the
SHA-256 of both files.

Several processes may do one unit at the same time, as nothing keeps them from it: each writes under
names of its own, all write the same bytes, and the first receipt stays.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from xvr.dataset import atomic


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that a unit is done, and what the planner needs to know of it."""

    unit: str
    config: str
    """`BuildConfig.fingerprint` of the build."""
    filled: list[tuple[str, int]] = field(default_factory=list)
    """Slots that were filled, in the order of the records."""
    keys: list[str] = field(default_factory=list)
    """Digests of the questions made."""
    refusals: dict[str, dict[str, int]] = field(default_factory=dict)
    """Refused tries by task and reason."""
    partner_unusable: bool = False
    """The partner episode was refused, so that cross-scenario samples need another one."""
    skipped: dict[str, str] | None = None
    """Reason and detail when the scene or episode could not be used."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the blob and of the records."""

    @property
    def met_unusable(self) -> bool:
        """Whether the scene, episode or partner could not be used, be it only at that time."""
        return self.skipped is not None or self.partner_unusable


class UnitFiles:
    """The three files of a unit in the work folder."""

    def __init__(self, work: Path, unit: str) -> None:
        self.blob = work / f"{unit}.blob"
        self.records = work / f"{unit}.jsonl"
        self.receipt = work / f"{unit}.receipt.json"

    def find(self, config: str) -> Receipt | None:
        """The receipt that a unit of this build has, if any; its files are not looked at."""
        receipt = _read(self.receipt)
        return receipt if receipt is not None and receipt.config == config else None

    def committed(self, config: str) -> Receipt | None:
        """As `find`, when the unit's files are as the receipt says; else it is not done."""
        receipt = self.find(config)
        if receipt is not None and self._sha256(receipt) == receipt.sha256:
            return receipt
        self.receipt.unlink(missing_ok=True)
        return None

    def commit(self, receipt: Receipt) -> None:
        """Write the receipt, unless another process was faster."""
        if not self.receipt.exists():
            data = json.dumps(vars(receipt)).encode()
            atomic.write_bytes(self.receipt, data, writer=_writer())

    def read_records(self) -> Iterator[dict[str, Any]]:
        """The unit's records, in order."""
        with self.records.open() as lines:
            for line in lines:
                yield json.loads(line)

    def _sha256(self, receipt: Receipt) -> dict[str, str]:
        """Of the files that the receipt names, as they are now; what is missing is left out."""
        found = {}
        for name in receipt.sha256:
            path: Path = getattr(self, name)
            if path.exists():
                with path.open("rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return found


class UnitWriter:
    """Streams a unit's images to disk and keeps its records; nothing counts until `write`."""

    def __init__(self, files: UnitFiles) -> None:
        self._files = files
        self._partial = files.blob.with_name(f".{files.blob.name}{_writer()}.partial")
        self._blob = self._partial.open("wb")
        self._hash = hashlib.sha256()
        self._records: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._blob.close()  # writes what is buffered, which fails on a full disk
        finally:
            self._partial.unlink(missing_ok=True)

    def add_image(self, data: bytes) -> tuple[int, int]:
        """Append an encoded image; returns its offset and size in the blob."""
        place = (self._blob.tell(), len(data))
        self._blob.write(data)
        self._hash.update(data)
        return place

    def add_record(self, record: dict[str, Any]) -> None:
        """Append a record."""
        self._records.append(json.dumps(record))

    def write(self) -> dict[str, str]:
        """Put both files in place, safe from a crash; returns their SHA-256."""
        records = "".join(f"{line}\n" for line in self._records).encode()
        if not self._files.receipt.exists():  # else another process was faster, and may be read
            self._blob.flush()
            os.fsync(self._blob.fileno())
            self._partial.replace(self._files.blob)
            # syncs the folder, and with it the name of the blob
            atomic.write_bytes(self._files.records, records, writer=_writer())
        return {
            "blob": self._hash.hexdigest(),
            "records": hashlib.sha256(records).hexdigest(),
        }


def forget_unusable(work: Path) -> None:
    """Remove the receipts of scenes and episodes that could not be used, so that they are tried."""
    for path in work.glob("*.receipt.json"):
        receipt = _read(path)
        if receipt is None or receipt.met_unusable:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Receipt | None:
    """A receipt; None where there is none, or what a crash of the machine left of it."""
    try:
        values = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return Receipt(**values | {"filled": [tuple(slot) for slot in values["filled"]]})


def _writer() -> str:
    """A word for temporary names that no other process has, on this machine or another."""
    return f".{secrets.token_hex(8)}"

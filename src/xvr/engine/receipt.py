"""What a finished unit leaves on disk: its images in one blob, its records, and the receipt.

The receipt is written last and is the commit: a unit without one is done again, a unit with one is
skipped on the next run. It carries the hash of the build's config and the SHA-256 of both files.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
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


class UnitFiles:
    """The three files of a unit in the work folder."""

    def __init__(self, work: Path, unit: str) -> None:
        self.blob = work / f"{unit}.blob"
        self.records = work / f"{unit}.jsonl"
        self.receipt = work / f"{unit}.receipt.json"

    def committed(self, config: str) -> Receipt | None:
        """The receipt of a finished unit of this build, if there is one."""
        if not self.receipt.exists():
            return None
        values = json.loads(self.receipt.read_text())
        receipt = Receipt(**values | {"filled": [tuple(slot) for slot in values["filled"]]})
        return receipt if receipt.config == config else None

    def commit(self, receipt: Receipt) -> None:
        """Write the receipt."""
        atomic.write_bytes(self.receipt, json.dumps(asdict(receipt)).encode())

    def read_records(self) -> Iterator[dict[str, Any]]:
        """The unit's records, in order."""
        with self.records.open() as lines:
            for line in lines:
                yield json.loads(line)


class UnitWriter:
    """Streams a unit's images to disk and keeps its records; nothing counts until `write`."""

    def __init__(self, files: UnitFiles) -> None:
        self._files = files
        self._partial = files.blob.with_name(f".{files.blob.name}.partial")
        self._blob = self._partial.open("wb")
        self._hash = hashlib.sha256()
        self._records: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._blob.close()
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
        """Put both files in place; returns their SHA-256."""
        self._blob.flush()
        os.fsync(self._blob.fileno())
        self._partial.replace(self._files.blob)
        records = "".join(f"{line}\n" for line in self._records).encode()
        atomic.write_bytes(self._files.records, records)
        return {
            "blob": self._hash.hexdigest(),
            "records": hashlib.sha256(records).hexdigest(),
        }

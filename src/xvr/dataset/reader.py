"""Reading a written dataset: samples and their provenance, line by line."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from xvr.dataset.record import SPLITS, Provenance, Sample
from xvr.errors import UserError

RecordT = TypeVar("RecordT", Sample, Provenance)


def splits_of(dataset: Path) -> tuple[str, ...]:
    """Splits that a dataset has, in order.

    Raises:
        UserError: the folder holds no dataset.
    """
    found = tuple(split for split in SPLITS if (dataset / f"{split}.jsonl").exists())
    if not found:
        raise UserError(
            f"{dataset} holds no dataset: none of {', '.join(SPLITS)} (.jsonl) is there"
        )
    return found


def read_split(dataset: Path, split: str) -> Iterator[tuple[Sample, Provenance | None]]:
    """Samples of a split with their provenance, where the dataset has it.

    Raises:
        UserError: a line that cannot be read, with its file and number.
    """
    proofs = dataset / "provenance" / f"{split}.jsonl"
    samples = _records(dataset / f"{split}.jsonl", Sample)
    if not proofs.exists():
        yield from ((sample, None) for sample in samples)
        return
    for number, (sample, proof) in enumerate(
        zip_longest(samples, _records(proofs, Provenance)), start=1
    ):
        if sample is None or proof is None or sample.sample_id != proof.sample_id:
            raise UserError(
                f"{proofs}:{number}: provenance and samples of {split} do not have the same order"
            )
        yield sample, proof


def _records(path: Path, kind: type[RecordT]) -> Iterator[RecordT]:
    with path.open() as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise UserError(f"{path}:{number}: {where}: {first['msg']}") from error

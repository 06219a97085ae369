"""Reading a written dataset: samples and their provenance, line by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from xvr.dataset.record import SPLITS, Provenance, Sample
from xvr.errors import UserError

RecordT = TypeVar("RecordT", Sample, Provenance | None)
_SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)
_PROOF: TypeAdapter[Provenance | None] = TypeAdapter(Provenance | None)
_ENDED = object()


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
    """Samples of a split with their provenance, None where the dataset has none.

    In a dataset that proves some of its samples, the others have `null` lines of provenance.

    Raises:
        UserError: a line that cannot be read, with its file and number.
    """
    path = dataset / "provenance" / f"{split}.jsonl"
    samples = _records(dataset / f"{split}.jsonl", _SAMPLE)
    if not path.exists():
        yield from ((sample, None) for sample in samples)
        return
    proofs = _records(path, _PROOF)
    number = 0
    for number, sample in enumerate(samples, start=1):
        proof = next(proofs, _ENDED)
        if not isinstance(proof, Provenance | None):
            raise _out_of_order(path, number, split)
        if proof is not None and proof.sample_id != sample.sample_id:
            raise _out_of_order(path, number, split)
        yield sample, proof
    if next(proofs, _ENDED) is not _ENDED:
        raise _out_of_order(path, number + 1, split)


def count_samples(dataset: Path, split: str) -> int:
    """Lines of a split, of which no more is read than the line ends."""
    with (dataset / f"{split}.jsonl").open("rb") as lines:
        return sum(1 for _ in lines)


def _records(path: Path, kind: TypeAdapter[RecordT]) -> Iterator[RecordT]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield kind.validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = [".".join(str(part) for part in first["loc"])] if first["loc"] else []
                told = ": ".join([f"{path}:{number}", *where, first["msg"]])
                cut = "" if line.endswith(b"\n") else "; the file is cut short, get it again"
                raise UserError(told + cut) from error


def _out_of_order(path: Path, number: int, split: str) -> UserError:
    return UserError(
        f"{path}:{number}: provenance and samples of {split} do not have the same order"
    )

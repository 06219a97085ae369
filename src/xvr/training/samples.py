"""Samples to train on, read one at a time from where they are: tar shards, folders, other files.

    source = open_source(parse_data("out/dataset:0.7"))
    example = source.example(12)
    example.prompt.pictures[0].read()

A source is a dataset of ours (a build, a mix, an import, or the release as it was downloaded), of
which the `train` split is read, or a `.jsonl` file of other questions (see `xvr.training.vqa`).
Nothing is unpacked: an image is one `pread` in its shard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int32
from pydantic import ValidationError

from xvr.dataset.manifest import MANIFEST, read_manifest
from xvr.dataset.reader import splits_of
from xvr.dataset.record import CLEAN, Provenance, Sample
from xvr.dataset.shards import SHARD_FOLDER, ShardReader
from xvr.engine.seeds import digest
from xvr.errors import Unusable, UserError, unknown_name
from xvr.evaluation.item import Picture, Prompt
from xvr.exchange.prompts import parts_of
from xvr.exchange.released import BadLine, read_line
from xvr.tasks import task_name
from xvr.training.lines import Lines
from xvr.training.vqa import Question, read_question

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """One `--data` word."""

    path: Path
    weight: float | None = None
    """Share among the datasets, in any unit; None leaves it to the number of samples."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One question with its answer; images are read when they are needed."""

    sample_id: str
    task: str
    """Our name, such as `point_correspondence`; `other` for questions from elsewhere."""
    prompt: Prompt
    answer: str
    source: Path
    """Of the dataset or file."""
    line: int
    """Its number there, from 0."""
    proof: Provenance | None = None
    """Where it is not as in the source (see `xvr.training.remark`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """What a source holds, without its images."""

    tasks: tuple[str, ...]
    """Of each line."""
    images: Int32[np.ndarray, " n"]
    """Number of images of each line."""
    letters: Int32[np.ndarray, " n"]
    """Length of the text of each line."""
    unusable: dict[int, Unusable]
    """Lines that cannot be used, with the reason."""


class Source:
    """A dataset or a file of questions."""

    def __init__(
        self,
        spec: DataSpec,
        lines: Lines,
        read: Callable[[bytes, str], Question],
        *,
        split: str | None = None,
        images: ShardReader | None = None,
    ) -> None:
        """As `open_source` makes it; without `images` they are files beside the lines."""
        self.path = spec.path
        self.weight = spec.weight
        self.split = split
        """Of a dataset; None for a file."""
        self.lines = lines
        self._read = read
        self._images = images
        self._proofs: Lines | None = None

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def name(self) -> str:
        """For messages and seeds that must not depend on where the data lies."""
        return self.path.name

    def question(self, line: int) -> Question:
        """A line, read.

        Raises:
            Unusable: `bad_line`.
        """
        try:
            return self._read(self.lines.read(line), f"{self.path.stem}:{line}")
        except (ValueError, BadLine) as error:
            raise Unusable("bad_line", f"{self.lines.where(line)}: {_first(error)}") from error

    def example(self, line: int) -> Example:
        """The sample in a line.

        Raises:
            Unusable: `bad_line`.
        """
        question = self.question(line)
        names = iter(question.images)
        parts = tuple(
            self._picture(next(names)) if part is None else part for part in question.parts
        )
        return Example(
            sample_id=question.sample_id,
            task=question.task,
            prompt=Prompt(item_id=question.sample_id, parts=parts),
            answer=question.answer,
            source=self.path,
            line=line,
        )

    def proof(self, line: int) -> Provenance | None:
        """The provenance of a line; None where there is none.

        Raises:
            UserError: it cannot be read.
        """
        if self._proofs is None:
            path = self.path / "provenance" / f"{self.split}.jsonl"
            if self.split is None or not path.exists():
                return None
            self._proofs = Lines(path)
        text = self._proofs.read(line).strip()
        try:
            return None if text == b"null" else Provenance.model_validate_json(text)
        except ValidationError as error:
            raise UserError(f"{self._proofs.where(line)}: {_first(error)}") from error

    def clean_image(self, name: str) -> bytes:
        """The file of an image without its marks, of a dataset that has such.

        Raises:
            Unusable: `missing_image`.
        """
        return self._image(name.replace("images/", CLEAN, 1))

    def survey(self, progress: Progress | None = None) -> Survey:
        """Every line read once, and whether its images are there; none of them is opened.

        Args:
            progress: called with (lines done, lines).
        """
        tasks: list[str] = []
        images = np.zeros(len(self), np.int32)
        letters = np.zeros(len(self), np.int32)
        unusable: dict[int, Unusable] = {}
        for line in range(len(self)):
            task = ""
            try:
                question = self.question(line)
                task = question.task
                images[line] = len(question.images)
                letters[line] = sum(len(part) for part in question.parts if part is not None)
                self._require_images(question)
            except Unusable as error:
                unusable[line] = error
            tasks.append(task)
            if progress is not None and (line % 1000 == 999 or line == len(self) - 1):
                progress(line + 1, len(self))
        return Survey(tasks=tuple(tasks), images=images, letters=letters, unusable=unusable)

    def fingerprint(self) -> str:
        """Changes with the samples and with the sizes of the shards."""
        shards = sorted((self.path / SHARD_FOLDER).glob("*.tar")) if self.split else []
        sizes = [f"{shard.name}:{shard.stat().st_size}" for shard in shards]
        return digest(self.lines.sha256, *sizes).hex()

    def _picture(self, name: str) -> Picture:
        return Picture(name=name, read=partial(self._image, name))

    def _image(self, name: str) -> bytes:
        """The file of an image, or `Unusable`."""
        try:
            if self._images is not None:
                return self._images.read(name)
            return (self.path.parent / name).read_bytes()
        except (UserError, OSError) as error:
            raise Unusable("missing_image", str(error)) from error

    def _require_images(self, question: Question) -> None:
        for name in question.images:
            try:
                if self._images is not None:
                    found = name in self._images
                else:
                    found = (self.path.parent / name).is_file()
            except UserError as error:  # a shard that is cut short
                raise Unusable("damaged_shard", str(error)) from error
            if not found:
                where = f"{self.path}: it is in no shard of {SHARD_FOLDER}/ nor in images/"
                raise Unusable("missing_image", f"{name} of {question.sample_id}, {where}")


def parse_data(word: str) -> DataSpec:
    """`PATH` or `PATH:WEIGHT`; what exists as it stands is a path.

    Raises:
        UserError: the weight is no number above 0.
    """
    path, colon, weight = word.rpartition(":")
    if not colon or Path(word).exists():
        return DataSpec(path=Path(word))
    try:
        number = float(weight)
    except ValueError as error:
        raise UserError(f"--data {word}: {weight!r} is no weight; write PATH:0.5") from error
    if not 0 < number < float("inf"):
        raise UserError(f"--data {word}: the weight is {number}; it must be above 0")
    return DataSpec(path=Path(path), weight=number)


def open_sources(specs: Sequence[DataSpec], split: str = "train") -> tuple[Source, ...]:
    """All sources, in order.

    Raises:
        UserError: none, twice the same, weights for some only, or what `open_source` raises.
    """
    if not specs:
        raise UserError("no data: give at least one --data PATH")
    if len({spec.path.resolve() for spec in specs}) < len(specs):
        raise UserError("--data names the same path twice; give it once, with a weight")
    if len({spec.weight is None for spec in specs}) == 2:
        raise UserError("--data: give a weight to every path (PATH:0.5), or to none")
    return tuple(open_source(spec, split) for spec in specs)


def open_source(spec: DataSpec, split: str = "train") -> Source:
    """A dataset of ours, or a `.jsonl` file of questions.

    Args:
        spec: where it is.
        split: of a dataset.

    Raises:
        UserError: nothing there, no such split, unfinished, or built without images.
    """
    path = spec.path
    if path.is_file():
        return Source(spec, Lines(path), read_question)
    if not path.exists():
        raise UserError(f"--data {path}: there is nothing; check the path")
    splits = splits_of(path)
    if split not in splits:
        raise unknown_name(f"split of {path}", split, splits)
    manifest = read_manifest(path)
    if manifest is None and (path / ".build").exists():
        raise UserError(f"{path} is an unfinished build; run the build again to complete it")
    if manifest is not None and (manifest.get("config") or {}).get("images") == "none":
        raise UserError(
            f"{path / MANIFEST}: the dataset was built without images; build it with "
            "--images shards"
        )
    read = _read_sample if manifest is not None else _read_released
    return Source(spec, Lines(path / f"{split}.jsonl"), read, split=split, images=ShardReader(path))


def _read_sample(line: bytes, name: str) -> Question:  # noqa: ARG001
    return _question(Sample.model_validate_json(line))


def _read_released(line: bytes, name: str) -> Question:  # noqa: ARG001
    return _question(read_line(line).sample)


def _question(sample: Sample) -> Question:
    for url in sample.image_urls:
        if PurePosixPath(url).is_absolute() or ".." in PurePosixPath(url).parts:
            raise ValueError(f"image {url!r} is outside of the dataset")
    return Question(
        sample_id=sample.sample_id,
        task=task_name(sample.task),
        parts=tuple(parts_of(sample)),
        images=tuple(sample.image_urls),
        answer=sample.ground_truth_answer,
    )


def _first(error: Exception) -> str:
    """The first line of an error; pydantic's own has the field in the second."""
    if isinstance(error, ValidationError):
        found = error.errors()[0]
        return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
    return str(error).split("\n")[0]

"""Any dataset of ours as a benchmark: a build, a mix, a split, an import, or the release itself.

Options come from the proofs; a dataset without them says in its prompts what can be the answer (see
`xvr.evaluation.benchmarks.xvr_options`). The held-out split is asked where there is one.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from xvr.audit.integrity import COLOR_TASKS, SPELLED_TASKS
from xvr.dataset.manifest import MANIFEST, read_manifest
from xvr.dataset.reader import read_split, splits_of
from xvr.dataset.record import Provenance, Sample
from xvr.dataset.shards import ShardReader
from xvr.errors import UserError, unknown_name
from xvr.evaluation.answers import lenient, strict
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.benchmarks.xvr_options import options_of
from xvr.evaluation.item import AnswerKind, Item, Picture, Prompt, Target
from xvr.exchange.parents import episode_of
from xvr.exchange.prompts import parts_of
from xvr.exchange.released import BadLine, read_line
from xvr.tasks import ALL_TASK_NAMES, task_name

_PREFERRED = ("xvr_eval", "valid", "train")
_NUMBERED = re.compile(r"task\d+")
_UNNUMBERED = "viewpoint_localization"
"""The one task of the release whose number is not public: ours is a guess."""


def load(data: Path, split: str | None = None) -> Loaded:
    """The items of one split.

    Args:
        data: folder of the dataset.
        split: to ask; when None, xvr_eval where it is there, else valid, else train.

    Raises:
        UserError: no dataset, no such split, or a sample that cannot be asked; says file and line.
    """
    splits = splits_of(data)
    if split is None:
        split = next(name for name in _PREFERRED if name in splits)
    elif split not in splits:
        raise unknown_name(f"split of {data}", split, splits)
    _require_images(data)
    images = ShardReader(data)
    items: list[Item] = []
    lines: dict[str, int] = {}
    names, widened = _TaskNames(), 0
    for number, (sample, proof) in enumerate(_lines(data, split), start=1):
        where = f"{data / split}.jsonl:{number}"
        _check_id(sample, lines, where)
        lines[sample.sample_id] = number
        target, told = _target(sample, proof, names.find(sample.task, where), where)
        widened += not told
        items.append(Item(prompt=_prompt(sample, images), target=target))
    if not items:
        raise UserError(f"{data / split}.jsonl is empty; choose another --split")
    notes = (f"split {split}", *names.notes(), *_widened_note(widened))
    return Loaded(items=tuple(items), revision=_revision(data, split), notes=notes)


BENCHMARK = Benchmark(
    name="xvr",
    load=load,
    scorers={"strict": strict, "lenient": lenient},
    totals=(Total(name="overall", mean="micro"),),
)
"""Totals are over items, as in the published table."""


def _require_images(data: Path) -> None:
    manifest = read_manifest(data)
    if manifest is None and (data / ".build").exists():
        raise UserError(f"{data} is an unfinished build; run the build again to complete it")
    if manifest is not None and (manifest.get("config") or {}).get("images") == "none":
        raise UserError(
            f"{data / MANIFEST}: the dataset was built without images; build it with "
            "--images shards"
        )


def _lines(data: Path, split: str) -> Iterator[tuple[Sample, Provenance | None]]:
    """Samples and proofs; what has no manifest may be the release as it was downloaded."""
    if (data / MANIFEST).exists() or (data / "provenance" / f"{split}.jsonl").exists():
        yield from read_split(data, split)
        return
    path = data / f"{split}.jsonl"
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield read_line(line).sample, None
            except BadLine as bad:
                raise UserError(
                    f"{path}:{number}: {bad}; xvr data import makes a dataset of the other lines"
                ) from bad


def _check_id(sample: Sample, lines: dict[str, int], where: str) -> None:
    if not sample.sample_id.strip():
        raise UserError(f"{where}: sample_id is empty; give every sample an id of its own")
    if sample.sample_id in lines:
        raise UserError(
            f"{where}: sample_id {sample.sample_id} is that of line {lines[sample.sample_id]} too; "
            "rename or delete one of them (xvr data import leaves the second one out)"
        )


class _TaskNames:
    """Our names of the tasks of a file."""

    def __init__(self) -> None:
        self._viewpoints: set[str] = set()

    def find(self, written: str, where: str) -> str:
        """The name of a task; one number that nobody knows is that of the unnumbered task."""
        name = task_name(written)
        if name not in ALL_TASK_NAMES and _NUMBERED.fullmatch(written):
            name = _UNNUMBERED
        if name == _UNNUMBERED:
            self._viewpoints.add(written)
        if name not in ALL_TASK_NAMES or len(self._viewpoints) > 1:
            raise UserError(f"{where}: {unknown_name('task', written, ALL_TASK_NAMES)}")
        return name

    def notes(self) -> Iterator[str]:
        """Which number was taken for the unnumbered task."""
        for written in self._viewpoints:
            if task_name(written) != _UNNUMBERED:
                yield f"{written} is taken for {_UNNUMBERED}, whose number is not public"


def _target(sample: Sample, proof: Provenance | None, task: str, where: str) -> tuple[Target, bool]:
    """What an answer is held against, and whether the options are told and not assumed."""
    answer = sample.ground_truth_answer
    told = True
    if proof is not None:
        options = tuple(option.value for option in proof.options)
    else:
        options, told = options_of(sample, task)
    if answer not in options:
        raise UserError(
            f"{where}: the answer {answer!r} is none of the options {', '.join(options)}; "
            "mend ground_truth_answer, or leave the sample out"
        )
    target = Target(
        item_id=sample.sample_id,
        task=task,
        kind=_kind(task),
        answer=answer,
        options=options,
        cluster=_cluster(sample, proof),
        facts={} if proof is None else {"proven": proof.answer},
    )
    return target, told


def _kind(task: str) -> AnswerKind:
    if task in COLOR_TASKS:
        return "color"
    return "letter" if task in SPELLED_TASKS else "image_number"


def _cluster(sample: Sample, proof: Provenance | None) -> str:
    """Scene or episode, or the object or place behind it; of two episodes the first."""
    if proof is None:
        return episode_of(sample.sample_id) or ""
    source = proof.source
    names = source.groups or source.episodes or [source.scene or source.episode or ""]
    return f"{source.format}:{source.path}:{names[0]}"


def _prompt(sample: Sample, images: ShardReader) -> Prompt:
    urls = iter(sample.image_urls)
    parts = tuple(
        _picture(next(urls), images) if part is None else part for part in parts_of(sample)
    )
    return Prompt(item_id=sample.sample_id, parts=parts)


def _picture(url: str, images: ShardReader) -> Picture:
    return Picture(name=url, read=partial(_read, images, url))


def _read(images: ShardReader, url: str) -> bytes:
    try:
        return images.read(url)
    except OSError as error:
        raise UserError(f"{url} cannot be read: {error}") from error


def _revision(data: Path, split: str) -> str:
    """Hash of the samples and of their proofs."""
    digest = hashlib.sha256()
    for path in _files(data, split):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(data: Path, split: str) -> Iterator[Path]:
    yield data / f"{split}.jsonl"
    proofs = data / "provenance" / f"{split}.jsonl"
    if proofs.is_file():
        yield proofs


def _widened_note(count: int) -> Iterator[str]:
    if count:
        yield (
            f"{count} prompts do not tell their options: all their images, or all colours, are "
            "taken for them"
        )

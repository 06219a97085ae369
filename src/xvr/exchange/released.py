"""One line of a released file, checked strictly and read leniently.

The release (Jaehwisong/XVR on the Hugging Face hub) has the four keys of `Sample`; its text blocks
may carry `"image_url": null`. Early files of its authors have more keys, paths instead of urls, and
labels out of order ("Image 3:" before "Image 2:"). Blocks are never moved, as an answer means the
label and not the place (SChaeck/eagle2-2b-finetuning multitask_test_dataset.jsonl).
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from pydantic import ValidationError

from xvr.audit.integrity import VOCABULARY
from xvr.dataset.record import ImageBlock, Sample, TextBlock
from xvr.tasks import TASKS

KEYS = tuple(Sample.model_fields)
_RELEASED_IDS = frozenset(task.released_id for task in TASKS)
_LABEL = re.compile(r"\s*Image (\d+)\b")
_SCENARIO = re.compile(r"\s*Scenario \d+\b")


class Released(NamedTuple):
    """A usable line."""

    sample: Sample
    extra: dict[str, Any]
    """Keys that a sample does not have, as they stand."""
    notes: tuple[str, ...]
    """What is unusual about it, in words that are counted."""


class BadLine(Exception):
    """A line that cannot be used.

    Attributes:
        reason: short snake_case word that is counted.
        detail: what exactly.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read_line(line: bytes) -> Released:
    """Check a line and make it a sample; images are named `images/<file name>`.

    Raises:
        BadLine: it is no sample.
    """
    record = _decode(line)
    missing = [key for key in KEYS if key not in record]
    if missing:
        raise BadLine("wrong_keys", f"no {', '.join(missing)} among {', '.join(sorted(record))}")
    extra = {key: value for key, value in record.items() if key not in KEYS}
    notes = {"extra_keys"} if extra else set()
    values = {key: record[key] for key in KEYS}
    values["prompt_blocks"] = _blocks(record["prompt_blocks"], notes)
    try:
        sample = Sample.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadLine("wrong_value", f"{where}: {first['msg']}") from error
    _check(sample)
    notes.update(_unusual(sample))
    return Released(sample, extra, tuple(sorted(notes)))


def _decode(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise BadLine("not_utf8", f"byte {error.start}: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise BadLine("not_json", str(error) if line.strip() else "the line is empty") from error
    if not isinstance(record, dict):
        raise BadLine("not_json", f"a {type(record).__name__} and not an object")
    return record


def _blocks(blocks: Any, notes: set[str]) -> Any:
    """Blocks in the form of the record; what is beyond repair is left to its validation."""
    if not isinstance(blocks, list):
        return blocks
    return [_block(block, notes) if isinstance(block, dict) else block for block in blocks]


def _block(block: dict[str, Any], notes: set[str]) -> dict[str, Any]:
    kind = block.get("type")
    if kind not in ("text", "image_url"):
        return block
    other = set(block) - {"type", kind}
    if other:
        empty = all(block[key] is None for key in other)
        notes.add("empty_block_keys" if empty else "extra_block_keys")
    value = block.get(kind)
    if kind == "image_url" and isinstance(value, dict) and isinstance(value.get("url"), str):
        url = f"images/{PurePosixPath(value['url']).name}"
        if url != value["url"]:
            notes.add("images_elsewhere")
        value = {"url": url}
    return {"type": kind, kind: value}


def _check(sample: Sample) -> None:
    for key in ("sample_id", "task", "ground_truth_answer"):
        if not getattr(sample, key).strip():
            raise BadLine("wrong_value", f"{key} is empty")
    if not sample.image_urls:
        raise BadLine("no_images", "the prompt shows no image")
    if not sample.text.strip():
        raise BadLine("no_text", "the prompt asks nothing")


def _unusual(sample: Sample) -> Iterator[str]:
    if sample.task not in _RELEASED_IDS:
        yield "unknown_task"
    if sample.ground_truth_answer not in VOCABULARY:
        yield "unknown_answer"
    if _labels_out_of_order(sample):
        yield "labels_out_of_order"


def _labels_out_of_order(sample: Sample) -> bool:
    """Whether the labels right before images ever count down; each scenario may start again."""
    last = 0
    for block, following in pairwise(sample.prompt_blocks):
        if not isinstance(block, TextBlock):
            continue
        if _SCENARIO.match(block.text):
            last = 0
        if isinstance(following, ImageBlock) and (label := _LABEL.match(block.text)):
            if int(label[1]) < last:
                return True
            last = int(label[1])
    return False

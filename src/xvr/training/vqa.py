r"""Questions from elsewhere, one JSON object a line, mixed in to keep what a model could before.

Two forms are read, each with one question and one answer a line; images are files relative to the
folder of the lines, and `<image>` in the question stands where each belongs:

    {"messages": [{"role": "user", "content": "<image>\nWhat is it?"},
                  {"role": "assistant", "content": "A cup."}], "images": ["a.jpg"]}
    {"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}],
     "image": "a.jpg"}

The first is what LLaMA-Factory and ms-swift read (and `xvr data export --to swift` writes), the
second is LLaVA's and Qwen's (repo QwenLM/Qwen3-VL, qwen-vl-finetune/README.md). `task` may name a
group for `--task-weights`; without it, it is `other`.
"""

import json
from dataclasses import dataclass
from typing import Any

from xvr.exchange.prompts import TAG

OTHER = "other"
"""Task of a question that names none."""
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One line, whatever its form."""

    sample_id: str
    task: str
    parts: tuple[str | None, ...]
    """Texts in order, None where an image is."""
    images: tuple[str, ...]
    """Names of the images in order."""
    answer: str


def read_question(line: bytes, name: str) -> Question:
    """The question in a line.

    Args:
        line: of the file.
        name: identifies the line where it has no `id` of its own.

    Raises:
        ValueError: what is wrong with it.
    """
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("the line is no JSON object")
    question, answer = _turns(record)
    images = _images(record)
    pieces = question.split(TAG)
    if len(pieces) - 1 != len(images):
        raise ValueError(f"{len(pieces) - 1} {TAG} in the question and {len(images)} images")
    parts: list[str | None] = []
    for number, piece in enumerate(pieces):
        if number:
            parts.append(None)
        if piece:
            parts.append(piece)
    return Question(
        sample_id=str(record.get("id", name)),
        task=str(record.get("task", OTHER)),
        parts=tuple(parts),
        images=images,
        answer=answer,
    )


def _turns(record: dict[str, Any]) -> tuple[str, str]:
    """Question and answer; a system message goes in front of the question."""
    turns = record.get("messages", record.get("conversations"))
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ValueError("it has neither messages nor conversations")
    said = [
        (str(turn.get("role", turn.get("from"))), turn.get("content", turn.get("value")))
        for turn in turns
    ]
    if not all(isinstance(text, str) for _, text in said):
        raise ValueError("the content of a message is no text")
    opening = [text for role, text in said if role == "system"]
    rest = [(_ROLES.get(role, role), text) for role, text in said if role != "system"]
    if [role for role, _ in rest] != ["user", "assistant"]:
        raise ValueError("it is no single question with its answer; split the conversation")
    return "\n".join([*opening, rest[0][1]]), rest[1][1]


def _images(record: dict[str, Any]) -> tuple[str, ...]:
    images = record.get("images", record.get("image", []))
    images = [images] if isinstance(images, str) else images
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise ValueError("images is no list of file names")
    return tuple(images)

"""Functions of the task for lmms-eval; texts and images stay in the order of the benchmark.

A request that lmms-eval gave up is no answer: it counts in `failed` and in no accuracy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xvr.evaluation.harness.shipped.rows import judge, read_row

FOLDER = Path(__file__).parent
FAILED = "[LMMS_EVAL_REQUEST_FAILED"
"""How lmms-eval 0.7 begins the text that it puts in place of an answer."""


def doc_to_messages(
    doc: dict[str, Any],
    lmms_eval_specific_kwargs: dict[str, Any] | None = None,  # noqa: ARG001
) -> list[dict[str, Any]]:
    """The prompt for models that take messages, with every image at its place."""
    images = iter(doc_to_visual(doc))
    content = [
        {"type": "image", "url": next(images)}
        if "image" in part
        else {"type": "text", "text": part["text"]}
        for part in read_row(doc["row"])["parts"]
    ]
    return [{"role": "user", "content": content}]


def doc_to_visual(doc: dict[str, Any]) -> list[Any]:
    """The images in order."""
    from PIL import Image

    parts = read_row(doc["row"])["parts"]
    return [Image.open(FOLDER / part["image"]).convert("RGB") for part in parts if "image" in part]


def doc_to_text(
    doc: dict[str, Any],
    lmms_eval_specific_kwargs: dict[str, Any] | None = None,  # noqa: ARG001
) -> str:
    """The prompt for models that take one text, with `<image>` where an image is."""
    parts = read_row(doc["row"])["parts"]
    return "".join("<image>\n" if "image" in part else part["text"] for part in parts)


def doc_to_target(doc: dict[str, Any]) -> str:
    """The right answer."""
    return read_row(doc["row"])["answer"]


def process_results(doc: dict[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Scores of one answer, under the name of the scorer and of scorer and task."""
    row, text = read_row(doc["row"]), str(results[0])
    if text.startswith(FAILED):
        return {"failed": 1.0}
    scores: dict[str, float] = {"failed": 0.0}
    for name, score in judge(row, text).items():
        scores[name] = scores[f"{name}_{row['task']}"] = float(score.correct)
        scores[f"{name}_unparsed"] = float(score.parsed is None)
    return scores


def mean(values: Sequence[float]) -> float:
    """The share."""
    return sum(values) / len(values) if values else 0.0

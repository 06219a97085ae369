"""The dataset class for VLMEvalKit, with a scorer of its own.

The rule-based scorer there knows letters only, and calls every answer right that is a number or a
colour. A call that VLMEvalKit gave up is no answer: it counts in `failed` and in no accuracy.
"""

import os
from collections.abc import Iterable
from typing import Any

import pandas as pd
from vlmeval.dataset.image_base import ImageBaseDataset  # pyright: ignore[reportMissingImports]
from vlmeval.smp import LMUDataRoot, load  # pyright: ignore[reportMissingImports]

from xvr.evaluation.harness.shipped.chosen import NAME, SCORERS
from xvr.evaluation.harness.shipped.rows import judge, read_row

FAILED = "Failed to obtain answer"
"""How VLMEvalKit begins the text that it puts in place of an answer."""


class CrossViewDataset(ImageBaseDataset):
    """Questions about several images, texts and images in the order of the benchmark."""

    TYPE = "VQA"
    DATASET_URL = {NAME: ""}  # noqa: RUF012
    DATASET_MD5 = {NAME: None}  # noqa: RUF012

    def load_data(self, dataset: str) -> pd.DataFrame:
        """The table in the data folder of VLMEvalKit; nothing is downloaded."""
        return load(os.path.join(LMUDataRoot(), f"{dataset}.tsv"))  # noqa: PTH118

    def build_prompt(self, line: Any) -> list[dict[str, str]]:
        """The prompt, with every image at its place."""
        if isinstance(line, int):
            line = self.data.iloc[line]
        return [
            {"type": "image", "value": os.path.join(LMUDataRoot(), part["image"])}  # noqa: PTH118
            if "image" in part
            else {"type": "text", "value": part["text"]}
            for part in read_row(line["row"])["parts"]
        ]

    def evaluate(self, eval_file: str, **judge_kwargs: Any) -> pd.DataFrame:  # noqa: ARG002
        """Accuracy of every scorer, in percent, over all items and of each task."""
        data = load(eval_file)
        table = score_table(zip(data["row"], data["prediction"], strict=True))
        table.to_csv(os.path.splitext(eval_file)[0] + "_acc.csv", index=False)  # noqa: PTH122
        return table


def score_table(answers: Iterable[tuple[str, Any]]) -> pd.DataFrame:
    """One line for all items and one for each task.

    Args:
        answers: pairs of a row and what the table of predictions has for it.
    """
    columns = [name for scorer in SCORERS for name in (scorer, f"{scorer}_unparsed")]
    groups: dict[str, list[dict[str, float] | None]] = {"overall": []}
    for line, said in answers:
        row, text = read_row(line), spoken(said)
        found = None if text is None else percents(row, text)
        groups["overall"].append(found)
        groups.setdefault(row["task"], []).append(found)
    table = []
    for task, judged in groups.items():
        answered = [found for found in judged if found is not None]
        means = {
            column: sum(found[column] for found in answered) / len(answered) if answered else None
            for column in columns
        }
        counts = {"task": task, "items": len(judged), "failed": len(judged) - len(answered)}
        table.append(counts | means)
    return pd.DataFrame(table)


def percents(row: dict[str, Any], text: str) -> dict[str, float]:
    """100 for every scorer that calls the answer right, and where it reads none."""
    found: dict[str, float] = {}
    for name, score in judge(row, text).items():
        found[name] = 100.0 * score.correct
        found[f"{name}_unparsed"] = 100.0 * (score.parsed is None)
    return found


def spoken(said: Any) -> str | None:
    """The text of an answer, None for a failed call.

    A table that was written and read again may have turned `2` into 2.0.
    """
    if said is None or (isinstance(said, float) and said != said):
        return ""
    text = str(int(said)) if isinstance(said, float) and said.is_integer() else str(said)
    return None if text.startswith(FAILED) else text

"""MindCube-Tiny as it lies on disk, small: what data.zip unpacks to, and the official prompts."""

import json
from pathlib import Path

import cv2
import numpy as np

QUESTIONS = {
    "among_group001_q1_2_1": (
        "From image 2, what is on my left? A. Cup B. Door C. Lamp D. Sofa",
        "C",
        4,
    ),
    "around_group002_q3_1": ("If I turn right, am I nearer to the bin?\nA. Yes B. No", "B", 3),
    "rotation_group003_q0_5": ("What is behind me? A. Bed B. Desk C. Wall", "A", 2),
    "translation_group004_q2_2": ("Which way did I move? A. Left B. Right", "A", 2),
}
"""Question, answer and number of images, by id."""


def line_of(item_id: str) -> dict:
    """A line of the release."""
    question, answer, count = QUESTIONS[item_id]
    setting = item_id.split("_")[0]
    return {
        "id": item_id,
        "category": [setting, "O-O", "meanwhile", "self"],
        "type": "three_view",
        "meta_info": [["cup", "door"], ["left", None]],
        "question": question,
        "images": [
            f"other_all_image/{setting}/scene_7/view_{number}.png" for number in range(1, count + 1)
        ],
        "gt_answer": answer,
    }


def lines() -> list[dict]:
    """All lines of the small release."""
    return [line_of(item_id) for item_id in QUESTIONS]


def write_mindcube(folder: Path, records: list[dict] | None = None) -> Path:
    """Write `data/` and return it."""
    data = folder / "data"
    (data / "raw").mkdir(parents=True)
    records = lines() if records is None else records
    write_lines(data / "raw" / "MindCube_tinybench.jsonl", records)
    for name in {name for record in lines() for name in record["images"]}:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(data / name), np.full((6, 8, 3), len(name), np.uint8))
    return data


def write_prompts(data: Path, prompt: str = "[Question]\n{question}") -> Path:
    """Write what the official repository makes of the questions."""
    file = data / "prompts" / "general" / "MindCube_tinybench_raw_qa.jsonl"
    file.parent.mkdir(parents=True)
    more = [{**line, "input_prompt": prompt.format(**line)} for line in lines()]
    write_lines(file, more)
    return file


def write_lines(file: Path, records: list[dict]) -> None:
    """Write a jsonl file."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records))

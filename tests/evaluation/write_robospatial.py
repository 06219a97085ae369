"""RoboSpatial-Home as it lies on disk, small: annotations.json with images, or parquet files."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SIZE = (20, 40)
"""Height and width of images and masks."""
OUTLINE = "[(0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8)]"
QUESTIONS = (
    ("context", "Point at the free space left of the bowl, as [(x1, y1), ...].", OUTLINE),
    ("compatibility", "Does the mug fit left of the bowl? Answer yes or no.", "no"),
    ("configuration", "Is the mug left of the bowl? Answer yes or no.", "Yes"),
    ("configuration", "Is the bowl left of the mug? Answer yes or no.", "no"),
)
"""Category, question and answer."""


def png(value: int) -> bytes:
    """An image of one colour."""
    return cv2.imencode(".png", np.full((*SIZE, 3), value, np.uint8))[1].tobytes()


def mask_png() -> bytes:
    """White in the same rectangle as the outline."""
    mask = np.zeros(SIZE, np.uint8)
    mask[4:16, 10:30] = 255
    return cv2.imencode(".png", mask)[1].tobytes()


def annotations() -> list[dict[str, Any]]:
    """The list that the official download script writes."""
    found = []
    for place, (category, question, answer) in enumerate(QUESTIONS):
        found.append(
            {
                "category": category,
                "question": question,
                "answer": answer,
                "img": f"images/img_{category}_{place}.png",
                "depth_image": None,
                "mask": "images/mask_context_0.png" if category == "context" else None,
            }
        )
    return found


def write_robospatial(folder: Path, records: Any = None) -> Path:
    """Write the form of the download script."""
    (folder / "images").mkdir(parents=True)
    for record in annotations():
        (folder / record["img"]).write_bytes(png(9 if record["category"] == "configuration" else 5))
    (folder / "images" / "mask_context_0.png").write_bytes(mask_png())
    (folder / "annotations.json").write_text(
        json.dumps(annotations() if records is None else records, indent=2)
    )
    return folder


def write_parquet(folder: Path, *, masks: bool = True) -> Path:
    """Write the form of the hub, one file per split."""
    (folder / "data").mkdir(parents=True)
    for category in ("context", "compatibility", "configuration"):
        rows = [record for record in annotations() if record["category"] == category]
        columns = {name: [row[name] for row in rows] for name in ("category", "question", "answer")}
        value = 9 if category == "configuration" else 5
        columns["img"] = [{"bytes": png(value), "path": None} for _ in rows]
        columns["depth_image"] = columns["img"]
        mask = {"bytes": mask_png(), "path": None} if category == "context" and masks else None
        columns["mask"] = pa.array(
            [mask for _ in rows], pa.struct({"bytes": pa.binary(), "path": pa.string()})
        )
        pq.write_table(pa.table(columns), folder / "data" / f"{category}-00000-of-00001.parquet")
    return folder

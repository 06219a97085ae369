"""A source of four small views in the WildRGB-D layout, and a dataset of two tasks made from it."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT = 32, 24
COLORS = ("red", "green", "blue", "yellow", "purple")
HOSTILE = '</script><script>alert("x")</script><img src="https://evil.example/a.png">&'


def write_source(root: Path) -> None:
    """One scene: a wall 2 m away, seen by cameras 0.2 m apart."""
    folder = root / "box" / "scenes" / "scene_000"
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    poses = []
    for number in range(4):
        pose = np.eye(4)
        pose[0, 3] = 0.2 * number
        poses.append(" ".join([str(number), *map(str, pose.ravel())]))
        cv2.imwrite(str(folder / "rgb" / f"{number:05d}.png"), picture(number))
        depth = np.full((HEIGHT, WIDTH), 2000, np.uint16)
        cv2.imwrite(str(folder / "depth" / f"{number:05d}.png"), depth)
    (folder / "cam_poses.txt").write_text("\n".join(poses) + "\n")
    matrix = [30.0, 0, 0, 0, 30.0, 0, WIDTH / 2, HEIGHT / 2, 1]
    (folder / "metadata").write_text(json.dumps({"w": WIDTH, "h": HEIGHT, "K": matrix}))


def write_dataset(root: Path, source: Path, *, samples: int = 3, text: str = "Which?") -> None:
    """So many samples of point correspondence in train, and one of spatial verification in valid.

    Args:
        root: folder of the dataset.
        source: path that the provenance names.
        samples: of point correspondence.
        text: the question, and every other free text.
    """
    (root / "provenance").mkdir(parents=True)
    (root / "images").mkdir()
    for number in range(4):
        cv2.imwrite(str(root / "images" / f"img_{number + 1:07d}.png"), picture(number))
    points = [_point(number, source, text) for number in range(samples)]
    _write_split(root, "train", points)
    _write_split(root, "valid", [_spatial(source, text)])


def picture(number: int) -> np.ndarray:
    """An image whose brightness tells its number."""
    return np.full((HEIGHT, WIDTH, 3), 60 * number, np.uint8)


def _point(number: int, source: Path, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    marks = [_mark(1, "green", 0.0), *(_mark(3, c, 0.1 * i) for i, c in enumerate(COLORS))]
    return _sample(
        f"point_{number}",
        "point_correspondence",
        source,
        ("reference", "reference", "target"),
        marks,
        {"world": {"point_m": [0.0, 0.0, 2.0]}, "text": text, "options": COLORS, "answer": "red"},
    )


def _spatial(source: Path, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return _sample(
        "spatial_0",
        "spatial_verification",
        source,
        ("candidate",) * 4,
        [_mark(image, "red", 0.5 if image == 2 else 0.0) for image in range(1, 5)],
        {
            "world": {"point_m": [0.0, 0.0, 2.0], "odd_point_m": [0.5, 0.0, 2.0]},
            "text": text,
            "options": ("1", "2", "3", "4"),
            "answer": "2",
        },
    )


def _mark(image: int, color: str, x: float) -> dict[str, Any]:
    point = [x, 0.0, 2.0]
    uv_px = [30 * (x - 0.2 * (image - 1)) / 2 + WIDTH / 2, HEIGHT / 2]
    return {
        "image": image,
        "kind": "dot",
        "label": "Target",
        "color": color,
        "uv_px": uv_px,
        "point_m": point,
    }


def _sample(
    name: str,
    task: str,
    source: Path,
    parts: tuple[str, ...],
    marks: list[dict[str, Any]],
    rest: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    urls = [f"images/img_{n:07d}.png" for n in range(1, len(parts) + 1)]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": f"Opening. {rest['text']}"}]
    for n, url in enumerate(urls, start=1):
        blocks.append({"type": "text", "text": f"Image {n} ({parts[n - 1]}):"})
        blocks.append({"type": "image_url", "image_url": {"url": url}})
    blocks.append({"type": "text", "text": rest["text"]})
    released = {"point_correspondence": "task9", "spatial_verification": "task6"}
    sample = {
        "prompt_blocks": blocks,
        "sample_id": name,
        "task": released[task],
        "ground_truth_answer": rest["answer"],
    }
    proof = {
        "sample_id": name,
        "task": task,
        "domain": "general",
        "source": {"format": "wildrgbd", "path": str(source), "scene": "box/scenes/scene_000"},
        "images": [
            {
                "image": n,
                "url": url,
                "part": parts[n - 1],
                "view": f"{n - 1:05d}.png",
                "frame_index": n - 1,
                "width": WIDTH,
                "height": HEIGHT,
            }
            for n, url in enumerate(urls, start=1)
        ],
        "marks": marks,
        "world": rest["world"],
        "options": [
            {"value": v, "correct": v == rest["answer"], "why": rest["text"]}
            for v in rest["options"]
        ],
        "answer": rest["answer"],
        "checks": {"min_view_angle_deg": 5.7, "max_depth_error_m": 0.001},
        "difficulty": {"nearest_reference_deg": 5.7},
        "seed": 0,
        "version": "0",
    }
    return sample, proof


def _write_split(root: Path, split: str, records: list[tuple[dict, dict]]) -> None:
    for path, which in ((f"{split}.jsonl", 0), (f"provenance/{split}.jsonl", 1)):
        lines = "".join(json.dumps(record[which]) + "\n" for record in records)
        (root / path).write_text(lines)

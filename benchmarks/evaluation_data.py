"""A dataset of the size of XVR-Eval, of noise: 1,866 questions of the eight tasks.

python benchmarks/evaluation_data.py out/bench/xvr_eval
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from xvr.dataset.atomic import new_folder
from xvr.dataset.encode import encode
from xvr.dataset.record import (
    ImageBlock,
    ImageRecord,
    ImageUrl,
    OptionRecord,
    Provenance,
    Sample,
    SourceRecord,
    TextBlock,
)
from xvr.dataset.shards import ShardWriter, image_url
from xvr.tasks import TASKS
from xvr.tasks.draft import COLORS
from xvr.tasks.task import Task

WIDTH, HEIGHT, DISTINCT, SCENES = 640, 480, 64, 120


def main() -> None:
    """Write the dataset into a new folder."""
    noise, images = _noise(), 0
    with new_folder(Path(sys.argv[1])) as folder, ShardWriter(folder) as shards:
        (folder / "provenance").mkdir()
        with (
            (folder / "xvr_eval.jsonl").open("w") as samples,
            (folder / "provenance" / "xvr_eval.jsonl").open("w") as proofs,
        ):
            for proof in _proofs():
                samples.write(_sample(proof).model_dump_json() + "\n")
                proofs.write(proof.model_dump_json(exclude_none=True) + "\n")
                for image in proof.images:
                    shards.add(image.url, noise[images % DISTINCT])
                    images += 1


def _noise() -> list[bytes]:
    """Coarse noise as JPEG, about as large as photographs are."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (DISTINCT, HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    return [encode(cv2.resize(image, (WIDTH, HEIGHT)), "jpeg", 85) for image in coarse]


def _proofs() -> Iterator[Provenance]:
    rng = np.random.default_rng(0)
    first = 1
    for task in TASKS:
        for place in range(task.eval_count):
            urls = [
                image_url(first + number, ".jpg")
                for number in range(task.slot("xvr_eval", place).images)
            ]
            first += len(urls)
            yield _proof(task, place, urls, rng)


def _proof(task: Task, place: int, urls: list[str], rng: np.random.Generator) -> Provenance:
    colors = task.name.endswith("_correspondence")
    options = COLORS[:4] if colors else [str(number) for number in range(1, len(urls) + 1)]
    right = int(rng.integers(len(options)))
    return Provenance(
        sample_id=f"{task.id_prefix or task.name}_{place:04d}",
        task=task.name,
        domain=task.domain,
        source=SourceRecord(format="noise", path="noise", scene=f"scene_{place % SCENES}"),
        images=[
            ImageRecord(image=n, url=url, part="shown", frame_index=n, width=WIDTH, height=HEIGHT)
            for n, url in enumerate(urls, start=1)
        ],
        marks=[],
        world={},
        options=[
            OptionRecord(value=value, correct=n == right, why="noise")
            for n, value in enumerate(options)
        ],
        answer=options[right],
        checks={},
        difficulty={"view_angle_deg": float(rng.uniform(15, 120))},
        seed=0,
        version="0",
    )


def _sample(proof: Provenance) -> Sample:
    blocks: list[TextBlock | ImageBlock] = []
    for image in proof.images:
        blocks.append(TextBlock(text=f"Image {image.image}:"))
        blocks.append(ImageBlock(image_url=ImageUrl(url=image.url)))
    values = ", ".join(option.value for option in proof.options)
    blocks.append(TextBlock(text=f"Which of {values} is it? Answer with it alone."))
    released = next(task.released_id for task in TASKS if task.name == proof.task)
    return Sample(
        prompt_blocks=blocks,
        sample_id=proof.sample_id,
        task=released,
        ground_truth_answer=proof.answer,
    )


if __name__ == "__main__":
    main()

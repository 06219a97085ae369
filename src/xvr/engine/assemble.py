"""From a draft to the records of a sample, image numbers still open until the merge."""

import re
from typing import Any

from xvr import __version__
from xvr.engine.seeds import digest
from xvr.sources.records import Episode, Ref, Scene
from xvr.tasks import get_task
from xvr.tasks.draft import Draft, ImageRef


def unit_record(
    draft: Draft,
    subjects: tuple[Scene | Episode, ...],
    refs: tuple[Ref, ...],
    sizes: list[tuple[int, int]],
    seed: int,
) -> dict[str, Any]:
    """The sample and its provenance as plain values; image urls are still numbers.

    Args:
        draft: the sample.
        subjects: the scene, or the episode and its partner.
        refs: their references.
        sizes: (width, height) of each image, in pixels.
        seed: root seed of the build.
    """
    task = get_task(draft.slot.task)
    sample_id = _sample_id(draft, subjects[0], refs[0], seed)
    return {
        "slot": (draft.slot.task, draft.slot.index),
        "sample": {
            "prompt_blocks": [
                {"type": "text", "text": block}
                if isinstance(block, str)
                else {"type": "image_url", "image_url": {"url": block}}
                for block in draft.blocks
            ],
            "sample_id": sample_id,
            "task": task.released_id,
            "ground_truth_answer": draft.answer,
        },
        "provenance": {
            "sample_id": sample_id,
            "task": task.name,
            "domain": task.domain,
            "source": _source(draft, refs),
            "images": [
                _image(number, image, subjects, size)
                for number, (image, size) in enumerate(
                    zip(draft.images, sizes, strict=True), start=1
                )
            ],
            "marks": [
                {name: value for name, value in vars(mark).items() if value is not None}
                for mark in draft.marks
            ],
            "world": draft.world,
            "options": [dict(vars(option)) for option in draft.options],
            "answer": draft.answer,
            "checks": _rounded(draft.checks),
            "difficulty": _rounded(draft.difficulty),
            "seed": seed,
            "version": __version__,
        },
    }


def _source(draft: Draft, refs: tuple[Ref, ...]) -> dict[str, Any]:
    ref = refs[0]
    values: dict[str, Any] = {"format": ref.format, "path": ref.root, ref.kind: ref.id}
    if any(image.episode for image in draft.images):
        values["episodes"] = [r.id for r in refs]
    behind = refs if "episodes" in values else refs[:1]
    if any(r.group != r.id for r in behind):
        values["groups"] = [r.group for r in behind]
    return values


def _image(
    number: int, image: ImageRef, subjects: tuple[Scene | Episode, ...], size: tuple[int, int]
) -> dict[str, Any]:
    subject = subjects[image.episode]
    values: dict[str, Any] = {"image": number, "url": number, "part": image.part}
    if isinstance(subject, Scene):
        values["view"] = image.view
    else:
        values |= {"camera": subject.camera(image.view).key, "role": image.view}
        if len({s.id for s in subjects}) > 1:
            values["episode"] = image.episode
    values |= {"frame_index": image.frame_index}
    if image.time_s is not None:
        values["time_s"] = image.time_s
    return values | {"width": size[0], "height": size[1]}


def _sample_id(draft: Draft, subject: Scene | Episode, ref: Ref, seed: int) -> str:
    """In the release's two forms; the numbers are those of the scene or episode and the slot."""
    slot = draft.slot
    task = get_task(slot.task)
    number = int((re.findall(r"\d+", ref.id) or ["0"])[-1])
    if task.domain == "general":
        name = digest(seed, ref.format, ref.root, ref.id, slot.split, slot.index).hex()[:8]
        return f"{task.id_prefix}_{number % 1000:03d}_{name}"
    dataset = re.sub(r"[^a-z0-9]+", "_", subject.dataset.lower()).strip("_")[:16]
    return f"{task.id_prefix}_{dataset}_episode_{number:06d}_sample_{slot.index + 1}"


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.6g}") for name, value in values.items()}

"""What is in a dataset, in numbers: `stats.json`.

compute_stats(Path("out/dataset"))["images_per_sample"]
"""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from xvr.dataset import atomic
from xvr.dataset.reader import read_split, splits_of
from xvr.tasks import task_name

STATS = "stats.json"
BINS = 10


def compute_stats(dataset: Path) -> dict[str, Any]:
    """Counts by split, task and source, images per sample, answer balance, difficulty histograms.

    Keys: `samples`, `images`, `images_per_sample`, `splits` {split: {task: count}}, `tasks`
    {task: {`count`, `images_per_sample`, `answers` {number of options: {answer: count}},
    `difficulty` {measure: {`edges`, `counts`}}}}, `sources` {source: {task: count}}. Tasks have our
    names, and those that are none of ours the names they have in the samples.
    """
    splits: dict[str, Counter[str]] = {}
    images: Counter[str] = Counter()
    answers: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    difficulty: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for split in splits_of(dataset):
        splits[split] = Counter()
        for sample, proof in read_split(dataset, split):
            task = proof.task if proof else task_name(sample.task)
            splits[split][task] += 1
            images[task] += len(sample.image_urls)
            options = str(len(proof.options)) if proof else "any"
            answers[task][options][sample.ground_truth_answer] += 1
            if proof:
                sources[f"{proof.source.format}:{proof.source.path}"][task] += 1
                for measure, value in proof.difficulty.items():
                    difficulty[task][measure].append(value)
    total = sum((counts for counts in splits.values()), Counter())
    samples = total.total()
    return {
        "samples": samples,
        "images": images.total(),
        "images_per_sample": _ratio(images.total(), samples),
        "splits": {split: _ordered(counts) for split, counts in splits.items()},
        "tasks": {
            task: {
                "count": total[task],
                "images_per_sample": _ratio(images[task], total[task]),
                "answers": {n: _ordered(c) for n, c in sorted(answers[task].items())},
                "difficulty": {
                    measure: _histogram(values)
                    for measure, values in sorted(difficulty[task].items())
                },
            }
            for task in sorted(total)
        },
        "sources": {source: _ordered(counts) for source, counts in sorted(sources.items())},
    }


def describe(stats: dict[str, Any]) -> str:
    """The numbers as a table for a terminal."""
    splits = list(stats["splits"])
    width = max(len(task) for task in ("task", *stats["tasks"]))
    lines = [
        f"{stats['samples']} samples, {stats['images']} images, "
        f"{stats['images_per_sample']:.2f} images per sample",
        " ".join([f"{'task':<{width}}", *(f"{split:>9}" for split in splits), "images  answers"]),
    ]
    for task, values in stats["tasks"].items():
        answers: Counter[str] = Counter()
        for counts in values["answers"].values():
            answers.update(counts)
        listed = " ".join(f"{answer}:{count}" for answer, count in sorted(answers.items()))
        counts = [f"{stats['splits'][split].get(task, 0):>9}" for split in splits]
        images = f"{values['images_per_sample']:>6.2f}"
        lines.append(" ".join([f"{task:<{width}}", *counts, f"{images}  {listed}"]))
    return "\n".join(lines)


def write_stats(dataset: Path, stats: dict[str, Any]) -> None:
    """Write `stats.json`."""
    atomic.write_bytes(dataset / STATS, (json.dumps(stats, indent=1) + "\n").encode())


def _ratio(top: int, bottom: int) -> float:
    return round(top / bottom, 4) if bottom else 0.0


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _histogram(values: list[float]) -> dict[str, list[float] | list[int]]:
    """Equal bins between the extremes; a measure with few values has one bin for each."""
    distinct = sorted(set(values))
    if len(distinct) <= BINS:
        counts = Counter(values)
        return {"values": distinct, "counts": [counts[value] for value in distinct]}
    low, high = distinct[0], distinct[-1]
    edges = [low + (high - low) * i / BINS for i in range(BINS + 1)]
    counts = [0] * BINS
    for value in values:
        counts[min(int((value - low) / (high - low) * BINS), BINS - 1)] += 1
    return {"edges": [float(f"{edge:.6g}") for edge in edges], "counts": counts}

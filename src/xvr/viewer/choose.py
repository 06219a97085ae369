"""Which samples a page shows: evenly over every task, the same ones each time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xvr.dataset.reader import read_split
from xvr.dataset.record import Provenance, Sample
from xvr.tasks import task_name
from xvr.viewer.names import ordered


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One sample on the page."""

    split: str
    sample: Sample
    proof: Provenance | None
    """None where the dataset has no provenance, as the published release."""


def choose(
    dataset: Path, counts: Mapping[str, Mapping[str, int]], samples_per_task: int
) -> dict[str, list[Shown]]:
    """Up to so many samples of each task, at even distances over all splits given.

    Args:
        dataset: the folder.
        counts: {split: {task: number of samples}}, as in `stats.json`.
        samples_per_task: the most samples of one task.

    Returns:
        Samples by task, in the order of the published table, unknown tasks last.
    """
    totals: dict[str, int] = defaultdict(int)
    for tasks in counts.values():
        for task, number in tasks.items():
            totals[task_name(task)] += number
    wanted = {task: set(_even(total, samples_per_task)) for task, total in totals.items()}
    found: dict[str, list[Shown]] = {task: [] for task in ordered(totals)}
    seen: dict[str, int] = defaultdict(int)
    for split in counts:
        for sample, proof in read_split(dataset, split):
            task = task_name(proof.task if proof else sample.task)
            if seen[task] in wanted.get(task, ()):
                found[task].append(Shown(split=split, sample=sample, proof=proof))
            seen[task] += 1
    return {task: shown for task, shown in found.items() if shown}


def _even(total: int, number: int) -> Sequence[int]:
    """Positions in the middle of equal parts."""
    number = min(number, total)
    return [(2 * i + 1) * total // (2 * number) for i in range(number)]

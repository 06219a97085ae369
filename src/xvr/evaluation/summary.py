"""Judged items as one number with all that a reader needs to weigh it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from xvr.engine.seeds import child_rng
from xvr.evaluation.area import polygon_share
from xvr.evaluation.benchmark import Benchmark, Total
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged
from xvr.evaluation.statistics import Interval, cluster_bootstrap, cluster_numbers, wilson
from xvr.tasks import ALL_TASK_NAMES

ItemsT = TypeVar("ItemsT")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run scores on a task or on several; shares are in 0..1."""

    n: int
    """Items; accuracy counts those without an answer as wrong."""
    answered: int
    unparsed: int
    """Answers that nothing legal could be read from."""
    right: int
    accuracy: float
    chance: float | None
    """What drawing an option blindly gets; None where an item does not tell."""
    majority: float | None
    """What always saying the most frequent right answer of the task gets; None for points."""
    wilson: Interval | None
    """Takes items as independent; None for a mean over tasks."""
    bootstrap: Interval | None
    """By cluster; None with one cluster only."""
    clusters: int
    """Scenes, episodes or items of their own."""
    tasks: tuple[str, ...]
    """What it is over."""

    @property
    def unparsed_share(self) -> float:
        """Unparsed of the answered."""
        return self.unparsed / self.answered if self.answered else 0.0


def by_task(benchmark: Benchmark, judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Judged items by task, in the order of the published table, then as they come."""
    groups: dict[str, list[Judged]] = {task: [] for task in benchmark.counts or ALL_TASK_NAMES}
    for item in judged:
        groups.setdefault(item.target.task, []).append(item)
    return {task: items for task, items in groups.items() if items}


def tasks_of(total: Total, tasks: Mapping[str, ItemsT]) -> dict[str, ItemsT]:
    """What a total is over, by task."""
    return {task: items for task, items in tasks.items() if task not in total.without}


def summarize(
    tasks: Mapping[str, Sequence[Judged]], *, macro: bool, seed: int, resamples: int
) -> Summary:
    """One number over the items of some tasks, at least one item.

    Args:
        tasks: judged items by task.
        macro: the mean over the accuracies of the tasks instead of the one over items.
        seed: of the bootstrap; the tasks' names are added to it.
        resamples: of the bootstrap.
    """
    items = [item for group in tasks.values() for item in group]
    values = np.array([float(item.correct) for item in items])
    groups = np.repeat(np.arange(len(tasks)), [len(group) for group in tasks.values()])
    clusters = cluster_numbers([item.target.cluster for item in items])
    answered = [item for item in items if item.text is not None]
    right = sum(item.correct for item in items)
    return Summary(
        n=len(items),
        answered=len(answered),
        unparsed=sum(item.parsed is None for item in answered),
        right=right,
        accuracy=_mean([[float(i.correct) for i in g] for g in tasks.values()], macro) or 0.0,
        chance=_mean([[chance(i.target) for i in g] for g in tasks.values()], macro),
        majority=_mean([_majority(g) for g in tasks.values()], macro),
        wilson=None if macro else wilson(right, len(items)),
        bootstrap=cluster_bootstrap(
            values,
            clusters,
            child_rng(seed, "score", macro, *tasks),
            groups=groups if macro else None,
            resamples=resamples,
        ),
        clusters=int(clusters.max()) + 1,
        tasks=tuple(tasks),
    )


def chance(target: Target) -> float | None:
    """What one blind guess gets: one of the options, or the share of the image that is right."""
    if target.options:
        return 1 / len(target.options)
    polygon = target.facts.get("polygon")
    return polygon_share(polygon) if polygon else None


def _majority(items: Sequence[Judged]) -> list[float | None]:
    """For each item whether the most frequent right answer is its own; ties by the answer."""
    answers = [item.target.answer for item in items]
    if any(item.target.kind == "point" for item in items):
        return [None] * len(items)
    most = min(Counter(answers).items(), key=lambda entry: (-entry[1], entry[0]))[0]
    return [float(answer == most) for answer in answers]


def _mean(groups: Sequence[Sequence[float | None]], macro: bool) -> float | None:
    """Over items or over the means of the groups; None where a value is missing."""
    known = [[value for value in group if value is not None] for group in groups]
    if [len(group) for group in known] != [len(group) for group in groups]:
        return None
    if macro:
        return sum(sum(group) / len(group) for group in known) / len(known)
    return sum(map(sum, known)) / sum(map(len, known))

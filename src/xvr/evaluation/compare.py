"""Two runs on the same items: which is right more often, and could that be chance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xvr import __version__
from xvr.engine.seeds import child_rng
from xvr.errors import UserError
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged, choose_scorers, judge
from xvr.evaluation.statistics import (
    CONFIDENCE,
    POWER,
    RESAMPLES,
    Interval,
    cluster_bootstrap,
    cluster_numbers,
    detectable_difference,
    holm,
    mcnemar,
)
from xvr.evaluation.store import Run, read_run
from xvr.evaluation.summary import by_task, tasks_of

Pair = tuple[Judged, Judged]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two runs on the items of a task or of several; shares are in 0..1."""

    n: int
    first: float
    """Accuracy of the first run."""
    second: float
    difference: float
    """Second minus first."""
    interval: Interval | None
    """Paired bootstrap by cluster; None with one cluster."""
    only_first: int
    """Items that only the first has right."""
    only_second: int
    p: float | None
    """Exact McNemar; None for a mean over tasks."""
    p_holm: float | None
    """Adjusted for the number of tasks; None for totals, which are not of the family."""
    detectable: float | None
    """Smallest true difference that so many discordant items would show at 80 % power; None where
    no difference could be shown."""
    clusters: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A run held against the first one."""

    first: Path
    second: Path
    scorer: str
    tasks: Mapping[str, Difference]
    totals: Mapping[str, Difference]
    only_in_first: int
    """Items that the second run was not asked; left out."""
    only_in_second: int
    unanswered_first: int
    """Items of both without an answer of the first run; they count as wrong."""
    unanswered_second: int
    seed: int
    resamples: int

    def to_json(self) -> dict[str, Any]:
        """All numbers, with what they depend on."""
        return asdict(self) | {
            "first": str(self.first),
            "second": str(self.second),
            "confidence": CONFIDENCE,
            "power": POWER,
            "version": __version__,
        }


def compare_runs(
    paths: Sequence[Path],
    scorer: str | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Hold every run after the first against it, on the items that both were asked.

    Args:
        paths: folders of at least two runs of one benchmark and revision.
        scorer: the default one of the benchmark by default.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        UserError: the runs do not fit together; says what differs.
    """
    if len(paths) < 2:
        raise UserError("one run cannot be compared; name at least two")
    runs = [read_run(path) for path in paths]
    for run in runs[1:]:
        _require_same_questions(runs[0], run)
    return [_compare(runs[0], run, scorer, seed, resamples) for run in runs[1:]]


def _require_same_questions(first: Run, second: Run) -> None:
    """Runs are paired only when an item means the same in both."""
    where = f"{first.path} and {second.path} cannot be compared"
    for what in ("benchmark", "revision"):
        one, other = getattr(first.manifest, what), getattr(second.manifest, what)
        if one != other:
            word = "the data revision" if what == "revision" else f"the {what}"
            raise UserError(f"{where}: {word} is {one!r} in one and {other!r} in the other")
    known = {target.item_id: target for target in first.targets}
    shared = [target for target in second.targets if target.item_id in known]
    if not shared:
        raise UserError(f"{where}: they share no item; were they run with other --tasks?")
    for target in shared:
        if target != known[target.item_id]:
            raise UserError(
                f"{where}: {_what_differs(known[target.item_id], target)}; run one of them again"
            )


def _what_differs(one: Target, other: Target) -> str:
    was, now = asdict(one), asdict(other)
    name = next(name for name in was if was[name] != now[name])
    return f"{name} of item {one.item_id} is {was[name]!r} in one and {now[name]!r} in the other"


def _compare(first: Run, second: Run, scorer: str | None, seed: int, resamples: int) -> Comparison:
    benchmark = get_benchmark(first.manifest.benchmark)
    name, function = next(iter(choose_scorers(benchmark, scorer).items()))
    ours = {item.target.item_id: item for item in judge(first, function)}
    theirs = {item.target.item_id: item for item in judge(second, function)}
    groups = by_task(benchmark, [item for key, item in ours.items() if key in theirs])
    pairs = {
        task: [(item, theirs[item.target.item_id]) for item in items]
        for task, items in groups.items()
    }
    both = [pair for group in pairs.values() for pair in group]

    def hold(tasks: Mapping[str, Sequence[Pair]], macro: bool = False) -> Difference:
        return _difference(tasks, macro, seed, resamples)

    alone = {task: hold({task: group}) for task, group in pairs.items()}
    adjusted = holm([one.p if one.p is not None else 1.0 for one in alone.values()])
    tasks = {
        task: replace(one, p_holm=p) for (task, one), p in zip(alone.items(), adjusted, strict=True)
    }
    return Comparison(
        first=first.path,
        second=second.path,
        scorer=name,
        tasks=tasks,
        totals={
            total.name: hold(over, total.mean == "macro")
            for total in benchmark.totals
            if (over := tasks_of(total, pairs))
        },
        only_in_first=len(ours) - len(both),
        only_in_second=len(theirs) - len(both),
        unanswered_first=sum(one.text is None for one, _ in both),
        unanswered_second=sum(other.text is None for _, other in both),
        seed=seed,
        resamples=resamples,
    )


def _difference(
    tasks: Mapping[str, Sequence[Pair]], macro: bool, seed: int, resamples: int
) -> Difference:
    pairs = [pair for group in tasks.values() for pair in group]
    right = np.array([[one.correct, other.correct] for one, other in pairs], dtype=np.float64)
    groups = np.repeat(np.arange(len(tasks)), [len(group) for group in tasks.values()])
    clusters = cluster_numbers([one.target.cluster for one, _ in pairs])
    only_first = int(((right[:, 0] == 1) & (right[:, 1] == 0)).sum())
    only_second = int(((right[:, 0] == 0) & (right[:, 1] == 1)).sum())
    if macro:
        first, second = np.mean([right[groups == g].mean(axis=0) for g in range(len(tasks))], 0)
    else:
        first, second = right.mean(axis=0)
    return Difference(
        n=len(pairs),
        first=float(first),
        second=float(second),
        difference=float(second - first),
        interval=cluster_bootstrap(
            right[:, 1] - right[:, 0],
            clusters,
            child_rng(seed, "compare", macro, *tasks),
            groups=groups if macro else None,
            resamples=resamples,
        ),
        only_first=only_first,
        only_second=only_second,
        p=None if macro else mcnemar(only_first, only_second),
        p_holm=None,
        detectable=(None if macro else detectable_difference(only_first + only_second, len(pairs))),
        clusters=int(clusters.max()) + 1,
    )

"""Everything that a report says of one or more runs, as numbers; no page, no pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.compare import Comparison, compare_runs
from xvr.evaluation.difficulty import Bin, Measures, curves
from xvr.evaluation.given import Given, given_answers
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged, choose_scorers
from xvr.evaluation.names import names_of
from xvr.evaluation.published import PublishedRow, published
from xvr.evaluation.scoring import ScoredRun, score_run
from xvr.evaluation.statistics import RESAMPLES
from xvr.evaluation.summary import Summary, by_task
from xvr.evaluation.tables import (
    NONE,
    Row,
    Table,
    agreement_table,
    comparison_table,
    interval,
    percent,
    score_table,
    usage_table,
)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Runs of one benchmark on the same data."""

    benchmark: str
    scorer: str
    """Of all that is not a table by scorer."""
    runs: Mapping[str, ScoredRun]
    """By name, as given."""
    comparisons: Mapping[str, Comparison]
    """Of every run but the first, by its name, with the first."""
    published: tuple[PublishedRow, ...]
    """Not ours."""
    given: Mapping[str, Mapping[str, Given]]
    """{task: {run: answers}}; tasks with options."""
    curves: Mapping[str, Mapping[str, Mapping[str, tuple[Bin, ...]]]]
    """{task: {measure: {run: bins}}}."""

    @property
    def tasks(self) -> list[str]:
        """All tasks of all runs, in the order of the benchmark."""
        tasks = [task for run in self.runs.values() for task in run.default.tasks]
        return list(dict.fromkeys(tasks))

    @property
    def targets(self) -> list[Target]:
        """All items of all runs, those of the first run first."""
        found = {t.item_id: t for scored in self.runs.values() for t in scored.run.targets}
        return list(found.values())

    def judged(self) -> dict[str, dict[str, Judged]]:
        """{run: {item: what it made of it}} by the chosen scorer."""
        return {
            name: {item.target.item_id: item for item in scored.scores[self.scorer].judged}
            for name, scored in self.runs.items()
        }

    def tables(self) -> list[Table]:
        """All numbers as tables."""
        first = next(iter(self.runs))
        return [
            overview_table(self),
            *(
                comparison_table(comparison, first, name)
                for name, comparison in self.comparisons.items()
            ),
            *(
                score_table(scored, scores)
                for scored in self.runs.values()
                for scores in scored.scores.values()
            ),
            usage_table(self.runs),
            *filter(None, [agreement_table(self.runs)]),
        ]

    def to_json(self) -> dict[str, Any]:
        """All numbers."""
        return {
            "benchmark": self.benchmark,
            "scorer": self.scorer,
            "runs": {name: scored.to_json() for name, scored in self.runs.items()},
            "comparisons": {name: one.to_json() for name, one in self.comparisons.items()},
            "published_by_others": [
                asdict(row) | {"percent": dict(row.percent)} for row in self.published
            ],
            "answers_given": {
                task: {run: asdict(given) for run, given in runs.items()}
                for task, runs in self.given.items()
            },
            "difficulty": {
                task: {
                    measure: {run: [asdict(one) for one in bins] for run, bins in runs.items()}
                    for measure, runs in measures.items()
                }
                for task, measures in self.curves.items()
            },
        }


def gather(
    paths: Sequence[Path],
    scorer: str | None = None,
    *,
    measures: Measures | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Results:
    """Score runs, compare them with the first, and count what they answer.

    Args:
        paths: folders of runs of one benchmark on the same data.
        scorer: of the benchmark; its default one by default.
        measures: how hard items are; nothing is said of it without.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        UserError: a run cannot be read, or runs do not fit together.
    """
    scored = [score_run(path, seed=seed, resamples=resamples) for path in paths]
    benchmark = get_benchmark(scored[0].run.manifest.benchmark)
    chosen = next(iter(choose_scorers(benchmark, scorer)))
    names = names_of([(one.run.path, one.run.manifest.model) for one in scored])
    runs = dict(zip(names, scored, strict=True))
    pairs = compare_runs(paths, chosen, seed=seed, resamples=resamples) if len(paths) > 1 else []
    tasks = {name: by_task(benchmark, one.scores[chosen].judged) for name, one in runs.items()}
    return Results(
        benchmark=benchmark.name,
        scorer=chosen,
        runs=runs,
        comparisons=dict(zip(names[1:], pairs, strict=True)),
        published=published(benchmark.name),
        given=_turned(
            {
                name: {task: given_answers(items) for task, items in groups.items()}
                for name, groups in tasks.items()
            }
        ),
        curves=_curves(tasks, measures or {}),
    )


def overview_table(results: Results) -> Table:
    """The published table with our rows in it, by the chosen scorer."""
    tasks = results.tasks
    scores = {name: scored.scores[results.scorer] for name, scored in results.runs.items()}
    totals = list(dict.fromkeys(total for one in scores.values() for total in one.totals))
    rows = [_their_row(row, tasks, totals) for row in results.published]
    for name, one in scores.items():
        numbers = [*(one.tasks.get(task) for task in tasks), *(one.totals.get(t) for t in totals)]
        rows.append(Row(cells=(name, *map(_our_cell, numbers)), kind="ours"))
    notes = ["right answers in percent, of our runs with Wilson's 95 % interval"]
    if results.published:
        sources = ", ".join(dict.fromkeys(row.source for row in results.published))
        notes.append(
            f"* published by others ({sources}) and not measured here; to be held against a run "
            "only where it was asked the published release"
        )
    if any(_is_of_more_tasks(row, tasks) for row in results.published):
        notes.append("a published total over tasks that no run was asked is left out (\u2013)")
    notes += [f"{row.name}: {row.note}" for row in results.published if row.note]
    return Table(
        title=f"{results.benchmark}, scorer {results.scorer}",
        heads=("", *tasks, *totals),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _their_row(row: PublishedRow, tasks: Sequence[str], totals: Sequence[str]) -> Row:
    """Their overall number stands under our first total, where that is over all of their tasks."""
    overall = None if _is_of_more_tasks(row, tasks) else row.overall
    numbers = [*(row.percent.get(task) for task in tasks), overall, *(None for _ in totals[1:])]
    return Row(cells=(f"{row.name}\u00a0*", *map(_given, numbers)), kind="theirs")


def _is_of_more_tasks(row: PublishedRow, tasks: Sequence[str]) -> bool:
    return row.overall is not None and not set(row.percent) <= set(tasks)


def _our_cell(summary: Summary | None) -> str:
    if summary is None:
        return NONE
    number = percent(summary.accuracy)
    return number if summary.wilson is None else f"{number} ({interval(summary.wilson)})"


def _given(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def _turned(
    runs: Mapping[str, Mapping[str, Given | None]],
) -> dict[str, dict[str, Given]]:
    turned: dict[str, dict[str, Given]] = {}
    for name, tasks in runs.items():
        for task, given in tasks.items():
            if given is not None:
                turned.setdefault(task, {})[name] = given
    return turned


def _curves(
    runs: Mapping[str, Mapping[str, Sequence[Judged]]], measures: Measures
) -> dict[str, dict[str, dict[str, tuple[Bin, ...]]]]:
    found: dict[str, dict[str, dict[str, tuple[Bin, ...]]]] = {}
    for name, tasks in runs.items():
        for task, items in tasks.items():
            for measure, bins in curves(items, measures).items():
                found.setdefault(task, {}).setdefault(measure, {})[name] = bins
    return found

"""Tables of results as plain words, for the terminal, for Markdown and for the page alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from xvr.evaluation.agreement import agreement
from xvr.evaluation.compare import Comparison, Difference
from xvr.evaluation.scoring import ScoredRun, Scores
from xvr.evaluation.statistics import Interval
from xvr.evaluation.summary import Summary

NONE = "–"
FEW_CLUSTERS = 20
"""Below, the percentile bootstrap is known to be too short: `statistics.cluster_bootstrap`."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line; the first cell names it."""

    cells: tuple[str, ...]
    kind: str = ""
    """`total` below the tasks, `theirs` for numbers that others published."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with what must be said with it."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def score_table(scored: ScoredRun, scores: Scores) -> Table:
    """What one scorer makes of a run, by task and in total."""
    heads = ("", "n", "right %", "Wilson 95 %", "by cluster 95 %", "clusters")
    rows = [_score_row(task, summary, "") for task, summary in scores.tasks.items()]
    rows += [_score_row(name, summary, "total") for name, summary in scores.totals.items()]
    return Table(
        title=f"{scored.run.manifest.model}, scorer {scores.scorer}",
        heads=(*heads, "chance", "majority", "unparsed", "no answer"),
        rows=tuple(rows),
        notes=(*warnings(scored), *_few_clusters(one.clusters for one in scores.tasks.values())),
    )


def _score_row(name: str, summary: Summary, kind: str) -> Row:
    cells = (
        name,
        str(summary.n),
        percent(summary.accuracy),
        interval(summary.wilson),
        interval(summary.bootstrap),
        str(summary.clusters),
        percent(summary.chance),
        percent(summary.majority),
        percent(summary.unparsed_share),
        str(summary.n - summary.answered),
    )
    return Row(cells=cells, kind=kind)


def _few_clusters(numbers: Iterable[int]) -> list[str]:
    least = min(numbers)
    if least >= FEW_CLUSTERS:
        return []
    return [
        f"a task has {least} clusters (scenes, episodes) only: below {FEW_CLUSTERS} the interval "
        "by cluster is too short"
    ]


def warnings(scored: ScoredRun) -> list[str]:
    """What a reader must know before the numbers of a run."""
    manifest, found = scored.run.manifest, []
    if not scored.complete:
        kinds = ", ".join(f"{kind} {count}" for kind, count in scored.usage.unanswered.items())
        found.append(
            f"NOT COMPLETE: {len(scored.run.targets) - scored.answered} of "
            f"{len(scored.run.targets)} items have no answer and count as wrong ({kinds}); "
            "run the same command again"
        )
    if manifest.limit is not None:
        found.append(f"only a part of the benchmark: --limit {manifest.limit}")
    if manifest.tasks is not None:
        found.append(f"only a part of the benchmark: --tasks {' '.join(manifest.tasks)}")
    return [*found, *manifest.notes]


def comparison_table(comparison: Comparison, first: str, second: str) -> Table:
    """Two runs on the same items, by task and in total."""
    heads = ("", "n", "A %", "B %", "B - A", "paired 95 %", "only A", "only B")
    rows = [_difference_row(task, one, "") for task, one in comparison.tasks.items()]
    rows += [_difference_row(name, one, "total") for name, one in comparison.totals.items()]
    return Table(
        title=f"A {first} against B {second}, scorer {comparison.scorer}",
        heads=(*heads, "p", "p (Holm)", "detectable"),
        rows=tuple(rows),
        notes=tuple(_of_comparison(comparison)),
    )


def _difference_row(name: str, one: Difference, kind: str) -> Row:
    cells = (
        name,
        str(one.n),
        percent(one.first),
        percent(one.second),
        points(one.difference),
        NONE if one.interval is None else " to ".join(points(value) for value in one.interval),
        str(one.only_first),
        str(one.only_second),
        probability(one.p),
        probability(one.p_holm),
        NONE if one.detectable is None else percent(one.detectable),
    )
    return Row(cells=cells, kind=kind)


def _of_comparison(comparison: Comparison) -> list[str]:
    notes = []
    for name, count in (("A", comparison.unanswered_first), ("B", comparison.unanswered_second)):
        if count:
            notes.append(f"NOT COMPLETE: {count} items have no answer of {name}, counted as wrong")
    for name, count in (("A", comparison.only_in_first), ("B", comparison.only_in_second)):
        if count:
            notes.append(f"{count} items that only {name} was asked are left out")
    return notes + _few_clusters(one.clusters for one in comparison.tasks.values())


def usage_table(runs: Mapping[str, ScoredRun]) -> Table:
    """What runs took; names of the runs first."""
    heads = ("run", "items", "answered", "attempts", "failed", "retries", "tokens in", "tokens out")
    rows = []
    for name, scored in runs.items():
        used = scored.usage
        failures = ", ".join(f"{kind} {count}" for kind, count in used.failures.items())
        rows.append(
            Row(
                cells=(
                    name,
                    str(len(scored.run.targets)),
                    str(scored.answered),
                    str(used.attempts),
                    failures or "0",
                    str(used.retries),
                    _count(used.input_tokens),
                    _count(used.output_tokens),
                    NONE if used.cost_usd is None else f"{used.cost_usd:,.2f}",
                    NONE if used.call_seconds is None else f"{used.call_seconds:.2f}",
                )
            )
        )
    return Table(title="Cost", heads=(*heads, "US dollars", "s per call"), rows=tuple(rows))


def agreement_table(runs: Mapping[str, ScoredRun]) -> Table | None:
    """How far people agree, of the runs that several people answered; None when there is none."""
    rows = []
    for name, scored in runs.items():
        found = agreement(scored.run.targets, scored.run.attempts)
        if found.items:
            share = NONE if found.percent is None else f"{found.percent:.1f}"
            alpha = NONE if found.alpha is None else f"{found.alpha:.3f}"
            rows.append(Row(cells=(name, str(found.items), str(found.annotators), share, alpha)))
    if not rows:
        return None
    return Table(
        title="Agreement between people",
        heads=("run", "items", "people", "agree %", "Krippendorff's alpha"),
        rows=tuple(rows),
        notes=("over the items that two or more people answered; points are left out",),
    )


def percent(share: float | None) -> str:
    """A share as a percentage without its sign."""
    return NONE if share is None else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}"


def interval(found: Interval | None) -> str:
    """Both ends as percentages."""
    return NONE if found is None else f"{percent(found.low)}–{percent(found.high)}"


def probability(p: float | None) -> str:
    """A p value with as many digits as matter."""
    if p is None:
        return NONE
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}" if p > 0 else "0"


def to_text(table: Table) -> str:
    """Aligned columns for a terminal."""
    lines = [table.heads, *(row.cells for row in table.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.heads))]

    def aligned(cells: Sequence[str]) -> str:
        first = f"{cells[0]:<{widths[0]}}"
        rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join((first, *rest)).rstrip()

    blocks = ["\n".join(aligned(row.cells) for row in rows) for _, rows in _blocks(table)]
    body = f"\n{'-' * (sum(widths) + 2 * len(widths) - 2)}\n".join([aligned(table.heads), *blocks])
    return "\n".join([table.title, *(f"- {note}" for note in table.notes), body])


def to_markdown(table: Table) -> str:
    """A table of GitHub's Markdown under a heading."""
    ruler = "|".join(("---", *("--:" for _ in table.heads[1:])))
    lines = [f"| {' | '.join(map(_escaped, cells))} |" for cells in _lines(table)]
    notes = [f"- {_escaped(note)}" for note in table.notes]
    body = "\n".join([lines[0], f"|{ruler}|", *lines[1:]])
    return "\n\n".join(
        [f"## {_escaped(table.title)}", *(["\n".join(notes)] if notes else []), body]
    )


def _lines(table: Table) -> list[tuple[str, ...]]:
    return [table.heads, *(row.cells for row in table.rows)]


def _blocks(table: Table) -> list[tuple[str, list[Row]]]:
    """Rows of one kind together."""
    return [(kind, list(rows)) for kind, rows in groupby(table.rows, key=lambda row: row.kind)]


def _escaped(text: str) -> str:
    for sign in ("\\", "|", "<", "*", "_", "`"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _count(number: int | None) -> str:
    return NONE if number is None else f"{number:,}"

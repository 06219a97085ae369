"""Runs on a page: their colours, their bars with intervals, their tables."""

from collections.abc import Sequence
from itertools import groupby

from xvr.evaluation.results import Results
from xvr.evaluation.scoring import ScoredRun
from xvr.evaluation.statistics import Interval
from xvr.evaluation.summary import Summary
from xvr.evaluation.tables import Row, Table, interval, percent, warnings
from xvr.tasks import ALL_TASK_NAMES
from xvr.viewer.html import Markup, tag
from xvr.viewer.names import title

COLORS = (
    "#2b7fb8",
    "#d9772b",
    "#3f9b57",
    "#a35bb0",
    "#c94f4f",
    "#c96a9f",
    "#a08434",
    "#2f9d9b",
)


def color(place: int) -> str:
    """Colour of the run at a place, from 0; they repeat after eight."""
    return COLORS[place % len(COLORS)]


def swatch(place: int) -> Markup:
    """A dot in the colour of a run."""
    return tag("span", class_="swatch", style=f"background:{color(place)}")


def key(names: Sequence[str]) -> Markup:
    """Which colour is whose."""
    entries = (tag("li", swatch(place), name) for place, name in enumerate(names))
    return tag("ul", *entries, class_="key")


def alarms(results: Results) -> Markup | None:
    """What must be known before any number, in red."""
    missing = {name: scored for name, scored in results.runs.items() if not scored.complete}
    if not missing:
        return None
    lines = [tag("li", tag("strong", n), " ", warnings(s)[0]) for n, s in missing.items()]
    return tag("ul", *lines, class_="alarm", role="alert")


def legend(results: Results) -> Markup:
    """The runs with what makes them what they are."""
    rows = [_legend_row(place, *entry) for place, entry in enumerate(results.runs.items())]
    heads = ("run", "model", "folder", "answered", "weights", "decoding", "notes")
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
            tag("tbody", *rows),
            class_="legend",
        ),
        class_="scroll",
    )


def _legend_row(place: int, name: str, scored: ScoredRun) -> Markup:
    manifest = scored.run.manifest
    decoding = ", ".join(f"{key} {value}" for key, value in manifest.decoding.items())
    notes = [*warnings(scored)][0 if scored.complete else 1 :]
    return tag(
        "tr",
        tag("th", swatch(place), name, scope="row"),
        tag("td", manifest.model),
        tag("td", tag("code", scored.run.path.name)),
        tag(
            "td",
            f"{scored.answered} of {len(scored.run.targets)}",
            class_=None if scored.complete else "bad",
        ),
        tag("td", tag("code", manifest.model_revision[:12])),
        tag("td", decoding),
        tag("td", "; ".join(notes)),
    )


def charts(results: Results) -> Markup:
    """For every total and task a bar for each run, with its interval, chance and majority."""
    scores = [scored.scores[results.scorer] for scored in results.runs.values()]
    names = list(results.runs)
    totals = list(dict.fromkeys(name for one in scores for name in one.totals))
    panels = [_chart(t, [one.totals.get(t) for one in scores], names, "total") for t in totals]
    panels += [_chart(t, [one.tasks.get(t) for one in scores], names, "") for t in results.tasks]
    return tag("div", *panels, class_="charts")


def _chart(
    task: str, summaries: Sequence[Summary | None], names: Sequence[str], kind: str
) -> Markup:
    known = [one for one in summaries if one is not None]
    rows = [
        _bar(place, name, one)
        for place, (name, one) in enumerate(zip(names, summaries, strict=True))
        if one is not None
    ]
    n = f"{known[0].n} items, {known[0].clusters} scenes or episodes"
    heading = tag("h3", title(task), " ", tag("span", n, class_="small"))
    return tag("section", heading, tag("ul", *rows, class_="run-bars"), class_=f"panel {kind}")


def _bar(place: int, name: str, summary: Summary) -> Markup:
    found = _interval(summary)
    whisker = None
    if found is not None:
        style = f"left:{100 * found.low:.2f}%;width:{100 * (found.high - found.low):.2f}%"
        whisker = tag("span", class_="whisker", style=style)
    lines = [
        tag("span", class_=kind, style=f"left:{100 * share:.2f}%", title=f"{kind} {percent(share)}")
        for kind, share in (("chance", summary.chance), ("majority", summary.majority))
        if share is not None
    ]
    words = f"{percent(summary.accuracy)} %, 95 % interval {interval(found)}"
    width = f"width:{100 * summary.accuracy:.2f}%;background:{color(place)}"
    return tag(
        "li",
        tag("span", name, class_="name", title=name),
        tag(
            "span",
            tag("span", class_="bar", style=width),
            whisker,
            *lines,
            class_="track",
            role="img",
            aria_label=words,
        ),
        tag("span", percent(summary.accuracy), tag("small", interval(found)), class_="value"),
    )


def _interval(summary: Summary) -> Interval | None:
    """By cluster, or Wilson's where that has no width: all right, all wrong, one cluster."""
    drawn = summary.bootstrap
    return drawn if drawn and drawn.low < drawn.high else summary.wilson or drawn


def table(found: Table, *, heading: bool = True) -> Markup:
    """A table of words with its notes."""
    bodies = [
        tag("tbody", *map(_row, rows), class_=kind or None)
        for kind, rows in groupby(found.rows, key=lambda row: row.kind)
    ]
    heads = (tag("th", _words(head), scope="col") for head in found.heads)
    return tag(
        "div",
        tag("h3", found.title) if heading else None,
        *(tag("p", note, class_=_tone(note)) for note in found.notes),
        tag(
            "div",
            tag("table", tag("thead", tag("tr", *heads)), *bodies, class_="tasks numbers"),
            class_="scroll",
            tabindex="0",
        ),
        class_="block",
    )


def _row(row: Row) -> Markup:
    name, *cells = row.cells
    return tag("tr", tag("th", _words(name), scope="row"), *map(_cell, cells))


def _cell(text: str) -> Markup:
    """An interval in brackets stands below its number."""
    number, bracket, rest = text.partition(" (")
    below = tag("small", rest.removesuffix(")")) if bracket else None
    return tag("td", number, below)


def _words(text: str) -> str:
    """Names of our tasks in words; anything else as it is."""
    return title(text) if text in ALL_TASK_NAMES else text


def _tone(note: str) -> str:
    return "bad" if note.startswith("NOT COMPLETE") else "small"

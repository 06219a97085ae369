"""What runs like to answer: shares of every answer beside the right ones, and what is mistaken."""

from collections.abc import Mapping, Sequence

from xvr.evaluation.given import Given
from xvr.viewer.html import Markup, tag
from xvr.viewer.names import title
from xvr.viewer.runs import color, key, swatch


def habits(given: Mapping[str, Mapping[str, Given]], names: Sequence[str]) -> Markup | None:
    """A panel for each task; behind a button, what was said for what by each run."""
    if not given:
        return None
    words = (
        "How often each answer is right (grey) and how often a run gives it. Longer than the grey "
        "bar: the run likes this place or colour."
    )
    panels = [_panel(task, runs, names) for task, runs in given.items()]
    return tag(
        "div", tag("p", words, class_="small"), key(names), tag("div", *panels, class_="charts")
    )


def _panel(task: str, runs: Mapping[str, Given], names: Sequence[str]) -> Markup:
    answers = list(dict.fromkeys(answer for one in runs.values() for answer in one.answers))
    top = max(_shares(one.right, answer) for one in runs.values() for answer in answers)
    top = max(top, *(_shares(one.given, answer) for one in runs.values() for answer in answers))
    rows = [_answer(answer, runs, names, top or 1.0) for answer in answers]
    tables = [
        tag("div", tag("h4", swatch(names.index(name)), name), _confusion(one))
        for name, one in runs.items()
    ]
    return tag(
        "section",
        tag("h3", title(task)),
        tag("ul", *rows, class_="given"),
        tag("details", tag("summary", "What was said for what"), *tables, class_="mistaken"),
        class_="panel",
    )


def _shares(counts: Mapping[str, int], answer: str) -> float:
    total = sum(counts.values())
    return counts.get(answer, 0) / total if total else 0.0


def _answer(answer: str, runs: Mapping[str, Given], names: Sequence[str], top: float) -> Markup:
    first = next(iter(runs.values()))
    bars = [_bar("right", _shares(first.right, answer), top, None)]
    bars += [
        _bar(name, _shares(one.given, answer), top, color(names.index(name)))
        for name, one in runs.items()
    ]
    return tag("li", tag("span", answer, class_="name"), tag("span", *bars, class_="stacked"))


def _bar(name: str, share: float, top: float, paint: str | None) -> Markup:
    style = f"width:{100 * share / top:.2f}%" + (f";background:{paint}" if paint else "")
    return tag(
        "span",
        tag("span", class_="bar", style=style),
        tag("span", f"{100 * share:.0f} %", class_="value"),
        title=f"{name}: {100 * share:.1f} %",
    )


def _confusion(given: Given) -> Markup:
    """Rows are right answers, columns what was given."""
    columns = [answer for answer in given.answers if answer in given.given or answer in given.right]
    rows = []
    for right, said in given.pairs.items():
        n = given.right[right]
        cells = [_cell(said.get(answer, 0), n, answer == right) for answer in columns]
        missing = n - sum(said.values())
        rows.append(tag("tr", tag("th", right, scope="row"), *cells, tag("td", str(missing))))
    heads = ("right", *columns, "none")
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
            tag("tbody", *rows),
            class_="confusion",
        ),
        class_="scroll",
    )


def _cell(count: int, n: int, right: bool) -> Markup:
    share = round(100 * count / n) if n else 0
    paint = "var(--good)" if right else "var(--bad)"
    style = f"background:color-mix(in srgb, {paint} {round(share * 0.6)}%, transparent)"
    return tag("td", str(count), style=style, title=f"{share} %")

"""Accuracy against difficulty: a small drawing for each measure of each task."""

from collections.abc import Mapping, Sequence

from xvr.evaluation.difficulty import Bin
from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import label, quantity
from xvr.viewer.names import title
from xvr.viewer.runs import color, key

_WIDTH, _HEIGHT, _LEFT, _BASE = 320.0, 150.0, 30.0, 122.0
_TOP = 8.0

Runs = Mapping[str, tuple[Bin, ...]]


def curves(found: Mapping[str, Mapping[str, Runs]], names: Sequence[str]) -> Markup | None:
    """Drawings by task and measure; None without any."""
    if not found:
        return None
    words = (
        "Items of a task in bins of about equal size along a measure of their proof, easy or hard; "
        "lines are Wilson's 95 % intervals. Bins are small: trends count, single points do not."
    )
    panels = [
        _panel(f"{title(task)}: {label(measure)}", measure, runs, names)
        for task, measures in found.items()
        for measure, runs in measures.items()
    ]
    return tag(
        "div", tag("p", words, class_="small"), key(names), tag("div", *panels, class_="curves")
    )


def _panel(heading: str, measure: str, runs: Runs, names: Sequence[str]) -> Markup:
    longest = max(runs.values(), key=len)
    places = _places(len(longest))
    shapes = [*_grid(), *_axis(measure, longest, places)]
    for number, (name, bins) in enumerate(runs.items()):
        shift = (number - (len(runs) - 1) / 2) * min(7.0, 40.0 / len(runs))
        shapes += _curve(bins, [place + shift for place in places], color(names.index(name)))
    words = "; ".join(
        f"{name}: " + ", ".join(f"{100 * one.right / one.n:.0f} %" for one in bins)
        for name, bins in runs.items()
    )
    drawing = tag(
        "svg",
        *shapes,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        role="img",
        aria_label=f"{heading}. {words}",
    )
    return tag("figure", tag("h3", heading), drawing, class_="panel")


def _places(number: int) -> list[float]:
    step = (_WIDTH - _LEFT) / number
    return [_LEFT + step * (place + 0.5) for place in range(number)]


def _y(share: float) -> float:
    return _BASE - share * (_BASE - _TOP)


def _grid() -> list[Markup]:
    shapes = []
    for share in (0.0, 0.5, 1.0):
        y = f"{_y(share):.1f}"
        shapes.append(tag("line", x1=str(_LEFT), x2=str(_WIDTH), y1=y, y2=y, class_="grid-line"))
        shapes.append(_text(_LEFT - 5, _y(share) + 3.5, f"{100 * share:.0f}", "end"))
    return shapes


def _axis(measure: str, bins: Sequence[Bin], places: Sequence[float]) -> list[Markup]:
    shapes = []
    for one, x in zip(bins, places, strict=True):
        shapes.append(_text(x, _BASE + 13, _range(measure, one), "middle"))
        shapes.append(_text(x, _BASE + 24, f"n {one.n}", "middle"))
    return shapes


def _range(measure: str, one: Bin) -> str:
    """Both ends, the unit once where it is the same."""
    low, high = quantity(measure, one.low), quantity(measure, one.high)
    if low == high:
        return low
    unit = high.lstrip("-.0123456789e+")
    return f"{low.removesuffix(unit) if unit else low}–{high}"


def _curve(bins: Sequence[Bin], xs: Sequence[float], paint: str) -> list[Markup]:
    shares = [one.right / one.n for one in bins]
    path = " ".join(f"{x:.1f},{_y(share):.1f}" for x, share in zip(xs, shares, strict=False))
    shapes = [tag("polyline", points=path, stroke=paint, class_="curve")]
    for one, x, share in zip(bins, xs, shares, strict=False):
        low, high = f"{_y(one.interval.low):.1f}", f"{_y(one.interval.high):.1f}"
        at = f"{x:.1f}"
        shapes.append(tag("line", x1=at, x2=at, y1=low, y2=high, stroke=paint, class_="error"))
        shapes.append(tag("circle", cx=at, cy=f"{_y(share):.1f}", r="3", fill=paint))
    return shapes


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)

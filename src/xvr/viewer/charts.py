"""Small charts of plain elements: they need no script, and their numbers can be read aloud."""

from collections.abc import Mapping, Sequence

from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import count


def bars(
    values: Sequence[tuple[str, int | float]],
    *,
    shown: Mapping[str, str] | None = None,
    highlight: str | None = None,
    long_names: bool = False,
) -> Markup:
    """Horizontal bars, the longest one across the whole width.

    Args:
        values: name and value of each bar.
        shown: text of a value by name; the value itself where it has none.
        highlight: name of the bar that stands out.
        long_names: names stand above their bars.
    """
    top = max((value for _, value in values), default=0) or 1
    rows = [
        tag(
            "li",
            tag("span", name, class_="name"),
            tag(
                "span",
                tag("span", class_="bar", style=f"width:{100 * value / top:.2f}%"),
                class_="track",
            ),
            tag("span", (shown or {}).get(name) or count(value), class_="value"),
            class_="mine" if name == highlight else None,
        )
        for name, value in values
    ]
    return tag("ul", *rows, class_="bars long" if long_names else "bars")


def columns(
    labels: Sequence[str], counts: Sequence[int | float], name: str, colors: Sequence[str | None]
) -> Markup:
    """A histogram: one column for each count, the highest one as high as the chart."""
    top = max(counts, default=0) or 1
    items = [
        tag(
            "span",
            tag("span", class_="column", style=_column(value / top, color)),
            title=f"{text}: {count(value)}",
        )
        for text, value, color in zip(labels, counts, colors, strict=False)
    ]
    words = ", ".join(f"{text}: {count(v)}" for text, v in zip(labels, counts, strict=False))
    return tag("div", *items, class_="columns", role="img", aria_label=f"{name}: {words}")


def _column(share: float, color: str | None) -> str:
    return f"height:{100 * share:.2f}%" + (f";background:{color}" if color else "")

"""The figures of a run as one picture: bars by build, and two workers beside one, in SVG."""

from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

ROW_PX, BAR_PX, TITLE_PX = 26, 16, 30
LABEL_PX, COLUMN_PX, GAP_PX = 270, 220, 40
NUMBER_PX = 44
"""Room for the number behind the longest bar."""
INK, BUILD, FLOOR = "#1f2933", "#7aa6c2", "#24506b"
STYLE = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'


class Column(NamedTuple):
    """One measure, a bar for each row."""

    title: str
    value: Callable[[dict[str, Any]], float]
    inner: Callable[[dict[str, Any]], float] | None
    """A part of the value, drawn darker."""
    digits: int


COLUMNS = (
    Column(
        "CPU-ms per image (dark: the floor)",
        lambda build: build["ms_per_image"],
        lambda build: build["floor_ms_per_image"],
        2,
    ),
    Column("samples per CPU-second", lambda build: build["samples_per_cpu_s"], None, 0),
    Column("peak memory, MB", lambda build: build["peak_mb"], None, 0),
)


def as_svg(builds: dict[str, Any], scaling: dict[str, Any] | None = None) -> str:
    """The picture of all builds, and of the same build by one worker and by two if it was made."""
    parts = [_text(0, _row_y(n) + BAR_PX - 4, name) for n, name in enumerate(builds)]
    for number, column in enumerate(COLUMNS):
        x = LABEL_PX + number * (COLUMN_PX + GAP_PX)
        parts += _bars(x, 0, column, list(builds.values()))
    width = LABEL_PX + len(COLUMNS) * (COLUMN_PX + GAP_PX)
    height = _row_y(len(builds)) + 4
    if scaling:
        parts += _workers(height + GAP_PX // 2, scaling)
        height += GAP_PX // 2 + _row_y(2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {width} {height}" '
        f'width="{width}" height="{height}" {STYLE}>\n'
        f'<rect x="-8" width="{width}" height="{height}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _workers(top: int, scaling: dict[str, Any]) -> list[str]:
    """Samples per second of wall time with one worker and with two."""
    rates = [scaling["samples"] / scaling[which]["wall_s"] for which in ("one", "two")]
    column = Column(
        f"samples per second ({scaling['samples']} samples, PNG captures to JPEG)",
        lambda row: row["rate"],
        None,
        0,
    )
    labels = ("1 worker", f"2 workers ({scaling['speedup']:.2f} times as fast)")
    parts = [_text(0, top + _row_y(n) + BAR_PX - 4, label) for n, label in enumerate(labels)]
    return parts + _bars(LABEL_PX, top, column, [{"rate": rate} for rate in rates])


def _bars(x: int, top: int, column: Column, rows: list[dict[str, Any]]) -> list[str]:
    most = max(map(column.value, rows))
    scale = (COLUMN_PX - NUMBER_PX) / most
    parts = [_text(x, top + TITLE_PX - 12, column.title, bold=True)]
    for number, row in enumerate(rows):
        y, value = top + _row_y(number), column.value(row)
        parts.append(_bar(x, y, value * scale, BUILD))
        if column.inner:
            parts.append(_bar(x, y, column.inner(row) * scale, FLOOR))
        parts.append(_text(x + value * scale + 5, y + BAR_PX - 4, f"{value:.{column.digits}f}"))
    return parts


def _row_y(number: int) -> int:
    return TITLE_PX + number * ROW_PX


def _bar(x: float, y: float, width: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR_PX}" fill="{fill}"/>'


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" fill="{INK}"{weight}>{escape(text)}</text>'

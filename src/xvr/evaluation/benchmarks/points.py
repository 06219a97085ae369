"""Reading points and yes or no from an answer, as RoboSpatial-Home does and in other forms.

`official_point` and `official_yes_no` follow repo chanhee-luke/RoboSpatial-Eval, evaluation.py
`evaluate_answer` at commit 3af8ceb: only the first point counts, coordinates stay as they are
written, and no or yes is how the answer begins ("Nothing is there, so yes" is a no, "**Yes**" is
neither).
"""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

from xvr.evaluation.benchmarks.region import Point

_UNSIGNED = r"\s*(\d+(?:\.\d*)?)\s*"
_ROUND = re.compile(rf"\({_UNSIGNED},{_UNSIGNED}\)")
_SQUARE = re.compile(rf"\[{_UNSIGNED},{_UNSIGNED}\]")
_NUMBER = r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*"
_PAIR = re.compile(rf"[(\[]{_NUMBER},{_NUMBER}[)\]]")
_FIRST_LIST = re.compile(r"\[(.*?)\]", re.DOTALL)
_NOT_LITERAL = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError, OverflowError)


def official_yes_no(text: str) -> str | None:
    """How an answer begins: yes, no or neither."""
    start = text.strip().lower()
    return next((word for word in ("yes", "no") if start.startswith(word)), None)


def official_point(text: str) -> Point | None:
    """The first `(x, y)`, or else the first `[x, y]`, or else the start of the first list.

    The first two take plain decimals only. The last takes what Python does, such as `[-0.1, .5]`
    or `[(1e-1, .5), ...]`.
    """
    for form in (_ROUND, _SQUARE):
        if pair := form.search(text):
            return Point(float(pair[1]), float(pair[2]))
    found = _FIRST_LIST.search(text)
    return _first_of(found[1]) if found else None


def all_points(text: str) -> tuple[Point, ...]:
    """Every pair of numbers in round or square brackets."""
    return tuple(Point(float(x), float(y)) for x, y in _PAIR.findall(text))


def thousandths(text: str) -> Point | None:
    """The first point in thousandths of the image, in fractions.

    First `"point_2d": [x, y]` of JSON anywhere in the text, as Qwen-VL models write it, or else the
    first pair in brackets. The scale is never guessed from the size of the numbers.
    """
    named = re.search(rf'"point_2d"\s*:\s*\[{_NUMBER},{_NUMBER}\]', text)
    pair = named or _PAIR.search(text)
    return Point(float(pair[1]) / 1000, float(pair[2]) / 1000) if pair else None


def _first_of(content: str) -> Point | None:
    """The point that the content of a list is, or begins with."""
    content = re.sub(r",(\S)", r", \1", content).strip().removesuffix(",")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            values: list[Any] = ast.literal_eval(f"[{content}]")
        pair = next(_pairs(values), None)
        return Point(float(pair[0]), float(pair[1])) if pair else None
    except _NOT_LITERAL:
        return None


def _pairs(values: list[Any]) -> Iterator[Any]:
    if len(values) == 2 and all(isinstance(value, int | float) for value in values):
        yield values
    elif values and isinstance(values[0], tuple) and len(values[0]) == 2:
        yield values[0]

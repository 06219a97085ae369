"""Answers that are points, over the image: the right region as an outline, a dot for each run."""

import re
from collections.abc import Mapping

from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged
from xvr.viewer.html import Markup, tag
from xvr.viewer.runs import color

_POINT = re.compile(r"\((-?[\d.e-]+), (-?[\d.e-]+)\)")


def overlay(target: Target, judged: Mapping[str, Judged | None]) -> Markup | None:
    """The outline and the points that were read; None where the answer is no point."""
    if target.kind != "point":
        return None
    corners = " ".join(f"{100 * x:.2f},{100 * y:.2f}" for x, y in target.facts.get("polygon", ()))
    dots = [_dot(place, name, one) for place, (name, one) in enumerate(judged.items())]
    outline = tag("polygon", points=corners)
    shape = tag("svg", outline, viewBox="0 0 100 100", preserveAspectRatio="none")
    return tag("span", shape, *dots, class_="pointing", aria_hidden="true")


def _dot(place: int, name: str, judged: Judged | None) -> Markup | None:
    found = _POINT.fullmatch(judged.parsed) if judged and judged.parsed else None
    if found is None:
        return None
    x, y = float(found[1]), float(found[2])
    if not (0 <= x <= 1 and 0 <= y <= 1):
        return None
    style = f"left:{100 * x:.2f}%;top:{100 * y:.2f}%;background:{color(place)}"
    return tag("span", class_="dot", style=style, title=name)

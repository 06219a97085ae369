"""RoboSpatial-Home: yes or no about the places of objects, and pointing at free space.

    loaded = load(Path("RoboSpatial-Home"))

The data is chanhee-luke/RoboSpatial-Home on the Hugging Face hub, either its parquet files or what
`download_benchmark.py` of chanhee-luke/RoboSpatial-Eval makes of them: `annotations.json`, a list
of `category`, `question`, `answer`, `img`, `depth_image`, `mask` with paths relative to the folder.
A model gets the image and the question, which says what to answer and how. The answer is yes or no,
or the outline of a region as text, "[(0.38, 0.87), ...]", in fractions of the image.

There are no ids: an item is its category and its place in it. Nor is it said which questions share
a picture: equal bytes do, and make a cluster.
"""

import ast
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from xvr.errors import UserError, unknown_name
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.benchmarks.foreign import count_notes, revision_of
from xvr.evaluation.benchmarks.points import (
    all_points,
    official_point,
    official_yes_no,
    thousandths,
)
from xvr.evaluation.benchmarks.region import (
    Point,
    Polygon,
    convex_hull,
    in_polygon,
    in_polygon_before_fix,
    mask_runs,
    on_mask,
)
from xvr.evaluation.benchmarks.robospatial_files import Entry, find_entries
from xvr.evaluation.item import Item, Prompt, Target
from xvr.evaluation.score import Score, Scorer

COUNTS = {"configuration": 123, "context": 122, "compatibility": 105}
"""Items by category, as on the page of the data."""
_YES_NO = ("yes", "no")


def load(path: Path) -> Loaded:
    """Read a folder with `annotations.json` or with parquet files, or one such file.

    Raises:
        UserError: what is missing or wrong, in which entry.
    """
    found = find_entries(path)
    entries = [entry for entry in found.entries if entry.question and entry.answer]
    if not entries:
        raise UserError(f"{path} holds no entry with a question and an answer")
    places: Counter[str] = Counter()
    items = []
    for entry in entries:
        items.append(_item(entry, places[entry.category]))
        places[entry.category] += 1
    return Loaded(
        items=tuple(items),
        revision=revision_of(found.files),
        notes=tuple(_notes(items, skipped=len(found.entries) - len(entries))),
    )


def _item(entry: Entry, place: int) -> Item:
    if entry.category not in COUNTS:
        unknown = unknown_name("category", entry.category, COUNTS)
        raise UserError(f"{entry.where}: {unknown}")
    item_id = f"{entry.category}-{place:03d}"
    answer = entry.answer.strip().lower()
    facts: dict[str, Any] = {}
    if answer not in _YES_NO:
        facts["polygon"] = _outline(entry)
        if entry.read_mask:
            facts["mask"] = mask_runs(_decoded(entry.read_mask(), entry.where))
    target = Target(
        item_id=item_id,
        task=entry.category,
        kind="point" if facts else "yes_no",
        answer="" if facts else answer,
        options=() if facts else _YES_NO,
        cluster=hashlib.sha256(entry.picture.read()).hexdigest()[:16],
        facts=facts,
    )
    parts = (entry.picture, entry.question)
    return Item(prompt=Prompt(item_id=item_id, parts=parts), target=target)


def _outline(entry: Entry) -> list[list[float]]:
    try:
        points = ast.literal_eval(entry.answer.strip())
        outline = [[float(x), float(y)] for x, y in points]
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise UserError(
            f"{entry.where}: the answer {entry.answer[:80]!r} is neither yes nor no nor a list of "
            "points such as [(0.1, 0.2), ...]"
        ) from error
    if not all(math.isfinite(value) for point in outline for value in point):
        raise UserError(f"{entry.where}: a point of the answer is not finite")
    return outline


def _decoded(mask: bytes, where: str) -> Bool[np.ndarray, "h w"]:
    image = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise UserError(f"{where}: the mask is not an image that can be read")
    red = image[..., 2] if image.ndim == 3 else image
    return red > 0


def _notes(items: list[Item], *, skipped: int) -> Iterable[str]:
    yield from count_notes(items, COUNTS)
    if skipped:
        yield (
            f"entries without a question or an answer are left out: {skipped} (the official script "
            "counts them as wrong in its overall number)"
        )
    points = [item.target for item in items if item.target.kind == "point"]
    if thin := [target.item_id for target in points if len(target.facts["polygon"]) < 3]:
        yield f"no answer is right where the outline has less than 3 points: {', '.join(thin)}"
    if bare := sum("mask" not in target.facts for target in points):
        yield f"{bare} of {len(points)} outlines have no mask: mask-any calls answers wrong"
    asked = Counter((item.target.cluster, item.prompt.parts[-1]) for item in items)
    if repeated := sum(count - 1 for count in asked.values()):
        yield f"questions that are asked again of the same picture: {repeated}; each counts"


@dataclass(frozen=True)
class _Pointing:
    """A scorer: yes and no as officially, points in one way of reading and judging them."""

    read: Callable[[str], Point | None]
    inside: Callable[[Point, Polygon], bool]

    def __call__(self, target: Target, text: str) -> Score:
        if target.kind == "yes_no":
            return _yes_no(target, text)
        point = self.read(text)
        if point is None:
            return Score(correct=False, parsed=None)
        polygon = np.array(target.facts["polygon"], dtype=float).reshape(-1, 2)
        return Score(correct=self.inside(point, polygon), parsed=_shown(point))


def _yes_no(target: Target, text: str) -> Score:
    word = official_yes_no(text)
    return Score(correct=word == target.answer, parsed=word)


def _in_hull(point: Point, polygon: Polygon) -> bool:
    return in_polygon(point, convex_hull(polygon))


def _mask_any(target: Target, text: str) -> Score:
    """Right when any point of the answer is on the mask."""
    if target.kind == "yes_no":
        return _yes_no(target, text)
    points, mask = all_points(text), target.facts.get("mask")
    if not points:
        return Score(correct=False, parsed=None)
    hit = next((point for point in points if mask and on_mask(point, mask)), None)
    return Score(correct=hit is not None, parsed=_shown(hit or points[0]))


def _shown(point: Point) -> str:
    return f"({point.x:g}, {point.y:g})"


_SCORERS: dict[str, Scorer] = {
    "official": _Pointing(official_point, in_polygon),
    "official-pre-fix": _Pointing(official_point, in_polygon_before_fix),
    "hull": _Pointing(official_point, _in_hull),
    "mask-any": _mask_any,
    "json1000": _Pointing(thousandths, in_polygon),
}

BENCHMARK = Benchmark(
    name="robospatial-home",
    load=load,
    scorers=_SCORERS,
    totals=(
        Total(name="overall", mean="micro"),
        Total(name="leaderboard", mean="macro"),
        Total(name="vqa", mean="macro", without=("context",)),
    ),
    counts=COUNTS,
)

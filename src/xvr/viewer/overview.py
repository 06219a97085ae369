"""What the page says about the dataset as a whole, from its stats and its manifest."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from xvr.dataset.marks import RGB
from xvr.viewer.charts import bars, columns
from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import count, label, quantity
from xvr.viewer.names import ordered, question, title
from xvr.viewer.reports import Manifest
from xvr.viewer.space import mark_color

PUBLISHED_IMAGES_PER_SAMPLE = (
    ("SpatialVLM", 1.00),
    ("RoboSpatial", 1.00),
    ("MultiSPA", 1.85),
    ("MindCube", 3.37),
    ("XVR (published)", 4.32),
)
"""Table of datasets in arXiv 2603.27967."""
_MINE = "this dataset"


def tiles(stats: Mapping[str, Any], manifest: Manifest) -> Markup:
    """The numbers that a reader wants first."""
    splits = {split: sum(tasks.values()) for split, tasks in stats["splits"].items()}
    entries = [
        ("samples", count(stats["samples"]), ""),
        ("images", count(stats["images"]), ""),
        ("images per sample", f"{stats['images_per_sample']:.2f}", ""),
        ("splits", str(len(splits)), ", ".join(f"{s} {count(n)}" for s, n in splits.items())),
    ]
    if manifest.config.seed is not None:
        entries.append(("seed", str(manifest.config.seed), f"made by xvr {manifest.xvr}"))
    return tag(
        "dl",
        *(
            tag(
                "div",
                tag("dt", name),
                tag("dd", value),
                tag("dd", note, class_="small") if note else None,
            )
            for name, value, note in entries
        ),
        class_="tiles",
    )


def contents(stats: Mapping[str, Any]) -> Markup:
    """Samples by task and split, by source, and images per sample beside the published numbers."""
    splits = list(stats["splits"])
    totals = {task: entry["count"] for task, entry in stats["tasks"].items()}
    top = max(totals.values(), default=1)
    rows = [
        tag(
            "tr",
            tag("th", title(task), tag("span", question(task), class_="small"), scope="row"),
            *(tag("td", count(stats["splits"][split].get(task, 0))) for split in splits),
            tag("td", f"{stats['tasks'][task]['images_per_sample']:.2f}"),
            tag(
                "td",
                tag("span", class_="bar", style=f"width:{100 * totals[task] / top:.2f}%"),
                class_="wide",
            ),
        )
        for task in ordered(totals)
    ]
    heads = ["task", *splits, "images each"]
    table = tag(
        "table",
        tag(
            "thead",
            tag(
                "tr",
                *(tag("th", head, scope="col") for head in heads),
                tag("th", class_="wide", aria_label="share"),
            ),
        ),
        tag("tbody", *rows),
        class_="tasks",
    )
    means = sorted(
        [*PUBLISHED_IMAGES_PER_SAMPLE, (_MINE, stats["images_per_sample"])], key=lambda m: m[1]
    )
    published = bars(means, shown={n: f"{v:.2f}" for n, v in means}, highlight=_MINE)
    by_source = [(source, sum(tasks.values())) for source, tasks in stats["sources"].items()]
    side = [tag("h3", "Images per sample"), published]
    side.append(
        tag("p", "Published numbers: table of datasets in arXiv 2603.27967.", class_="small")
    )
    if by_source:
        side += [tag("h3", "Samples by source"), bars(by_source, long_names=True)]
    return tag("div", tag("div", table, class_="scroll"), tag("div", *side), class_="inside")


def balance(stats: Mapping[str, Any]) -> Markup:
    """Answers and difficulty, task by task."""
    rows = []
    for task in ordered(stats["tasks"]):
        entry = stats["tasks"][task]
        answers = [
            _small(
                "answers" if len(entry["answers"]) == 1 else f"answers, {number} options",
                list(counts),
                list(counts.values()),
                names=True,
            )
            for number, counts in entry["answers"].items()
        ]
        difficulty = [
            _small(label(measure), _bins(measure, histogram), histogram["counts"])
            for measure, histogram in entry["difficulty"].items()
        ]
        rows.append(
            tag(
                "section",
                tag("h3", title(task)),
                tag("div", *answers, *difficulty, class_="row"),
                class_="panel",
            )
        )
    return tag("div", *rows, class_="stack")


def _small(
    name: str, labels: Sequence[str], counts: Sequence[int | float], *, names: bool = False
) -> Markup:
    if names:
        colors = [mark_color(text) if text in RGB else None for text in labels]
        axis = tag("div", *(tag("span", text) for text in labels), class_="axis each")
    else:
        colors = [None] * len(labels)
        ends = [labels[0].partition(" – ")[0], labels[-1].rpartition(" – ")[2]] if labels else []
        axis = tag("div", *(tag("span", text) for text in ends), class_="axis")
    return tag(
        "div", tag("p", name), columns(labels, counts, name, colors), axis, class_="small-chart"
    )


def _bins(measure: str, histogram: Mapping[str, Any]) -> list[str]:
    if "values" in histogram:
        return [quantity(measure, value) for value in histogram["values"]]
    edges = [quantity(measure, edge) for edge in histogram["edges"]]
    return [f"{low} – {high}" for low, high in pairwise(edges)]


def refusals(stats: Mapping[str, Any], manifest: Manifest) -> Markup | None:
    """Why drafts were refused and scenes skipped; None where the manifest does not say."""
    refused = {task: reasons for task, reasons in manifest.refusals.items() if reasons}
    skipped = manifest.skipped_by_reason
    if not refused and not skipped:
        return None
    panels = []
    for task in ordered(refused):
        reasons = sorted(refused[task].items(), key=lambda reason: (-reason[1], reason[0]))
        kept = stats["tasks"][task]["count"] if task in stats["tasks"] else 0
        total = sum(number for _, number in reasons)
        panels.append(
            tag(
                "section",
                tag("h3", title(task)),
                tag("p", f"{count(kept)} kept, {count(total)} refused", class_="small"),
                bars([(label(reason), number) for reason, number in reasons]),
                class_="panel",
            )
        )
    if skipped:
        values = [(label(reason), number) for reason, number in skipped.items()]
        panels.append(
            tag("section", tag("h3", "Skipped scenes and episodes"), bars(values), class_="panel")
        )
    return tag("div", *panels, class_="grid")

"""`show.html`: a dataset on one page that needs neither a server nor the network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xvr.audit.origin import Origins
from xvr.dataset import atomic
from xvr.dataset.reader import splits_of
from xvr.dataset.shards import ShardReader
from xvr.dataset.stats import compute_stats
from xvr.errors import UserError, unknown_name
from xvr.viewer import checked, overview
from xvr.viewer.cards import card
from xvr.viewer.choose import Shown, choose
from xvr.viewer.html import Markup, tag
from xvr.viewer.names import question, title
from xvr.viewer.page import page
from xvr.viewer.pictures import Picture, embed
from xvr.viewer.reports import Audit, Manifest, read_audit, read_manifest
from xvr.viewer.space import draw_space

PAGE = "show.html"
SCRIPTS = ("space.js", "page.js")


def show(
    dataset: Path,
    *,
    out: Path | None = None,
    samples_per_task: int = 12,
    split: str | None = None,
) -> Path:
    """Write a page over a dataset and return its path; the same dataset gives the same bytes.

    Args:
        dataset: folder with `<split>.jsonl` and the images.
        out: the file to write; `show.html` in the dataset by default.
        samples_per_task: the most samples of one task; they are taken evenly over the splits.
        split: the only split that samples are taken from; all splits by default.

    Raises:
        UserError: the folder holds no dataset, or not this split.
    """
    splits = splits_of(dataset)
    if split is not None and split not in splits:
        raise unknown_name("split", split, splits)
    if samples_per_task < 1:
        raise UserError(f"samples_per_task is {samples_per_task}; it must be at least 1")
    stats = compute_stats(dataset)
    manifest = read_manifest(dataset)
    counts = {s: stats["splits"][s] for s in splits if split in (None, s)}
    chosen = choose(dataset, counts, samples_per_task)
    with ShardReader(dataset) as images:
        shown = [entry for entries in chosen.values() for entry in entries]
        pictures = embed(images.read, (url for entry in shown for url in entry.sample.image_urls))
    samples = _samples(chosen, pictures, manifest.config.rules)
    body = _body(dataset.resolve().name, stats, manifest, read_audit(dataset), samples)
    path = out or dataset / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"{dataset.resolve().name} · cross-view relations"
    text = page(name, body, scripts=SCRIPTS, styles=("page.css",))
    atomic.write_bytes(path, text.encode())
    return path


def _samples(
    chosen: Mapping[str, list[Shown]], pictures: Mapping[str, Picture], rules: Mapping[str, float]
) -> Markup:
    """A tab for each task, and a panel with its cards."""
    origins = Origins()
    tabs, panels = [], []
    for task, entries in chosen.items():
        name = title(task)
        tabs.append(
            tag(
                "button",
                name,
                type="button",
                role="tab",
                id=f"tab-{task}",
                aria_controls=f"panel-{task}",
                data_task=task,
            )
        )
        cards = [
            card(
                entry,
                f"{number} of {len(entries)}",
                pictures,
                draw_space(entry.proof, origins, pictures) if entry.proof else None,
                rules,
            )
            for number, entry in enumerate(entries, start=1)
        ]
        panels.append(
            tag(
                "section",
                tag("h3", name, class_="panel-title"),
                tag("p", question(task), class_="task-question"),
                *cards,
                class_="task-panel",
                role="tabpanel",
                id=f"panel-{task}",
                aria_labelledby=f"tab-{task}",
                data_task=task,
            )
        )
    bar = tag("div", *tabs, class_="tabs", role="tablist", aria_label="Tasks")
    return tag("div", bar, *panels)


def _body(
    name: str,
    stats: Mapping[str, Any],
    manifest: Manifest,
    audit: Audit,
    samples: Markup,
) -> Markup:
    sections = [
        ("inside", "What is inside", overview.contents(stats)),
        ("samples", "Samples", samples),
        ("balance", "Answers and difficulty", overview.balance(stats)),
        ("guessing", "What guessing gets", checked.guessing(audit)),
        ("refused", "What was refused", overview.refusals(stats, manifest)),
    ]
    kept = [(key, heading, content) for key, heading, content in sections if content]
    links = [tag("a", heading, href=f"#{key}") for key, heading, _ in kept]
    return Markup(
        tag(
            "header",
            tag("p", "Cross-view relations", class_="kicker"),
            tag("h1", name),
            overview.tiles(stats, manifest),
            checked.verdict(audit),
            tag("nav", *links, aria_label="Sections"),
            class_="top",
        )
        + tag(
            "main",
            *(tag("section", tag("h2", head), content, id=key) for key, head, content in kept),
        )
    )

"""`report.html`: what models answered, on one page, with the same numbers as Markdown and JSON.

report([Path("base"), Path("tuned")], Path("report.html"), data=Path("dataset"))
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xvr import __version__
from xvr.dataset import atomic
from xvr.engine.folder import disk_errors
from xvr.errors import UserError
from xvr.evaluation.asked import ANY_DATASET, find_prompts
from xvr.evaluation.difficulty import read_measures
from xvr.evaluation.item import Prompt, Target
from xvr.evaluation.pick import pick
from xvr.evaluation.results import Results, gather, overview_table
from xvr.evaluation.scoring import SCORES
from xvr.evaluation.store import MANIFEST, Manifest, read_run
from xvr.evaluation.tables import (
    agreement_table,
    comparison_table,
    score_table,
    to_markdown,
    usage_table,
)
from xvr.viewer import runs
from xvr.viewer.answered import filters, item_card
from xvr.viewer.curves import curves
from xvr.viewer.habits import habits
from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import count
from xvr.viewer.page import page
from xvr.viewer.pictures import Picture, embed, put_beside

IMAGE_BYTES = 9_000_000
"""Of all embedded images, before base64."""
MOST_ITEMS = 2000
"""Shown unless asked otherwise: all of XVR-Eval, MindCube-Tiny and RoboSpatial-Home."""
MOST_EMBEDDED = 150
"""Items whose images are embedded; of more they are files beside the page."""


def report(
    paths: Sequence[Path],
    out: Path,
    *,
    data: Path | None = None,
    samples: int = MOST_ITEMS,
    scorer: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, Path, Path]:
    """Write a page over runs, and its numbers beside it.

    Args:
        paths: folders of runs of one benchmark on the same data; others are held against the first.
        out: the page, such as `report.html`.
        data: what the runs were asked, for images and difficulty; where the first run says it was
            by default. Without it the page has no images.
        samples: the most items shown; of more, so many are drawn over tasks and over right and
            wrong answers.
        scorer: of the benchmark; its default one by default.
        seed: of the bootstrap and of the items shown.
        progress: told how many images are written, where they are not embedded.

    Returns:
        The page, the Markdown and the JSON.

    Raises:
        UserError: runs do not fit together, or the data is not theirs.
    """
    if not paths:
        raise UserError("no run: name at least one folder of a run")
    if out.suffix not in (".html", ".htm"):
        raise UserError(f"--out {out}: name the page, such as {out / 'report.html'}")
    if out.with_suffix(".json").name in (MANIFEST, SCORES):
        raise UserError(
            f"--out {out}: {out.stem}.json beside it is what a run has; choose another name"
        )
    if samples < 0:
        raise UserError(f"--samples is {samples}; it must not be negative")
    manifest = read_run(paths[0]).manifest
    place = data or Path(manifest.data)
    prompts, missing = _prompts(manifest, place, must=data is not None)
    proven = prompts and manifest.benchmark == ANY_DATASET
    results = gather(paths, scorer, measures=read_measures(place) if proven else None, seed=seed)
    shown = _shown(results, samples, seed)
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        pictures = _pictures(out, shown, prompts, progress)
        text = page(
            f"{results.benchmark} · {', '.join(results.runs)}",
            _body(results, _cards(results, shown, prompts, pictures), len(shown), missing),
            scripts=("evaluation.js",),
            styles=("page.css", "evaluation.css"),
            images_beside=len(shown) > MOST_EMBEDDED,
        )
        markdown, numbers = out.with_suffix(".md"), out.with_suffix(".json")
        atomic.write_bytes(out, text.encode(errors="replace"))
        atomic.write_bytes(markdown, _markdown(results).encode(errors="replace"))
        atomic.write_bytes(numbers, (json.dumps(results.to_json(), indent=1) + "\n").encode())
    return out, markdown, numbers


def _prompts(manifest: Manifest, data: Path, *, must: bool) -> tuple[dict[str, Prompt], str]:
    """What was asked, or why it is not known."""
    try:
        return find_prompts(manifest, data), ""
    except UserError as error:
        if must:
            raise
        return {}, f"Without images and difficulty: {error}. Give the data with --data."


def _shown(results: Results, samples: int, seed: int) -> list[Target]:
    judged = results.judged()
    verdicts = {
        target.item_id: tuple(
            items[target.item_id].correct if target.item_id in items else None
            for items in judged.values()
        )
        for target in results.targets
    }
    return pick(results.targets, verdicts, samples, seed)


def _pictures(
    out: Path,
    shown: Sequence[Target],
    prompts: Mapping[str, Prompt],
    progress: Callable[[int, int], None] | None,
) -> Mapping[str, Picture]:
    """Images of the items shown, by name."""
    asked = (prompts[target.item_id] for target in shown if target.item_id in prompts)
    images = {picture.name: picture for prompt in asked for picture in prompt.pictures}

    def read(name: str) -> bytes:
        return images[name].read()

    if len(shown) > MOST_EMBEDDED:
        return put_beside(out, read, images, progress)
    return embed(read, images, budget_bytes=IMAGE_BYTES)


def _cards(
    results: Results,
    shown: Sequence[Target],
    prompts: Mapping[str, Prompt],
    pictures: Mapping[str, Picture],
) -> Markup:
    judged = results.judged()
    cards = []
    for target in shown:
        answers = {name: items.get(target.item_id) for name, items in judged.items()}
        cards.append(item_card(target, prompts.get(target.item_id), pictures, answers))
    return tag("div", *cards, class_="cards")


def _body(results: Results, cards: Markup, shown: int, missing: str) -> Markup:
    names = list(results.runs)
    sections = [
        ("runs", "Runs", runs.legend(results)),
        ("scores", "Right answers", _scores(results)),
        (
            "published",
            "Beside published numbers" if results.published else "Side by side",
            runs.table(overview_table(results), heading=False),
        ),
        ("paired", "Against the first run", _paired(results)),
        ("difficulty", "Accuracy against difficulty", curves(results.curves, names)),
        ("answers", "Answers given", habits(results.given, names)),
        ("cost", "Cost and failures", runs.table(usage_table(results.runs), heading=False)),
        ("people", "Agreement between people", _agreement(results)),
        ("numbers", "All numbers", _numbers(results)),
        (
            "items",
            "Items",
            tag(
                "div",
                filters(names, results.tasks, shown, len(results.targets)),
                tag("p", missing, class_="small") if missing else None,
                cards,
            ),
        ),
    ]
    kept = [(key, heading, content) for key, heading, content in sections if content]
    links = [tag("a", heading, href=f"#{key}") for key, heading, _ in kept]
    return Markup(
        tag(
            "header",
            tag("p", "Evaluation", class_="kicker"),
            tag("h1", f"{results.benchmark}: {_count(names)}"),
            runs.alarms(results),
            _tiles(results),
            tag("nav", *links, aria_label="Sections"),
            class_="top",
        )
        + tag(
            "main",
            *(tag("section", tag("h2", head), content, id=key) for key, head, content in kept),
        )
    )


def _agreement(results: Results) -> Markup | None:
    table = agreement_table(results.runs)
    return runs.table(table, heading=False) if table else None


def _count(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} runs"


def _tiles(results: Results) -> Markup:
    first = next(iter(results.runs.values()))
    entries = (
        ("items", count(len(results.targets)), f"{len(results.tasks)} tasks"),
        ("scorer", results.scorer, "of: " + ", ".join(first.scores)),
        ("data revision", first.run.manifest.revision[:12], ""),
        ("seed", str(first.seed), f"{count(first.resamples)} resamples, xvr {__version__}"),
    )
    tiles = (
        tag("div", tag("dt", name), tag("dd", value), tag("dd", note, class_="small"))
        for name, value, note in entries
    )
    return tag("dl", *tiles, class_="tiles")


def _scores(results: Results) -> Markup:
    words = (
        "Bars: items answered right; missing answers count as wrong. Thin lines: 95 % interval by "
        "scene or episode (Wilson's where all or none are right). Dashed: chance. Dotted: "
        "always the most frequent right answer."
    )
    return tag("div", tag("p", words, class_="small"), runs.charts(results))


def _paired(results: Results) -> Markup | None:
    first = next(iter(results.runs))
    words = (
        "On the same items. Paired interval by scene or episode; p of the exact McNemar test, and "
        "adjusted for the number of tasks (Holm); detectable is the smallest true difference that "
        "so many items on which the runs differ would show four times in five."
    )
    tables = [
        runs.table(comparison_table(one, first, name)) for name, one in results.comparisons.items()
    ]
    return tag("div", tag("p", words, class_="small"), *tables) if tables else None


def _numbers(results: Results) -> Markup:
    return tag(
        "div",
        *(
            tag(
                "details",
                tag("summary", f"{name}, scorer {scores.scorer}"),
                runs.table(score_table(scored, scores), heading=False),
                class_="plain",
            )
            for name, scored in results.runs.items()
            for scores in scored.scores.values()
        ),
    )


def _markdown(results: Results) -> str:
    first = next(iter(results.runs.values()))
    head = (
        f"# {results.benchmark}\n\nData revision {first.run.manifest.revision}, xvr {__version__}, "
        f"bootstrap with seed {first.seed} and {first.resamples} resamples."
    )
    return "\n\n".join([head, *map(to_markdown, results.tables())]) + "\n"

"""Items as cards: the images as they were asked, the options, and what every run said."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from xvr.evaluation.item import Picture as Asked
from xvr.evaluation.item import Prompt, Target
from xvr.evaluation.judged import Judged
from xvr.viewer.html import Markup, tag
from xvr.viewer.names import title
from xvr.viewer.pictures import Picture
from xvr.viewer.pointing import overlay
from xvr.viewer.runs import swatch

_LABEL_LENGTH = 90
"""A longer text before an image is a paragraph, not its label."""


class _Figure(NamedTuple):
    before: list[str]
    """Paragraphs between the image before and the label."""
    label: str
    """Empty where the prompt has none."""
    name: str


def filters(names: Sequence[str], tasks: Sequence[str], shown: int, total: int) -> Markup:
    """What to look at: a task, who is right, who is wrong, which two runs differ in that."""
    runs = [(str(place), name) for place, name in enumerate(names)]
    pairs = [(f"{a} {b}", f"{one}, {other}") for (a, one), (b, other) in combinations(runs, 2)]
    choices = [
        ("task", "Task", [("", "all"), *((task, title(task)) for task in tasks)]),
        ("right", "Right", [("", "any"), *runs]),
        ("wrong", "Wrong", [("", "any"), *runs]),
    ]
    if pairs:
        choices.append(("differ", "Only one right of", [("", "any"), *pairs]))
    fields = [
        tag(
            "label",
            tag("span", words),
            tag("select", *(tag("option", t, value=v) for v, t in options), name=name),
        )
        for name, words, options in choices
    ]
    count = tag("output", f"{shown} of {total} items", data_shown=str(shown), data_total=str(total))
    return tag("form", *fields, count, class_="filters", aria_label="Items shown")


def item_card(
    target: Target,
    prompt: Prompt | None,
    pictures: Mapping[str, Picture],
    judged: Mapping[str, Judged | None],
) -> Markup:
    """The card of an item.

    Args:
        target: the item.
        prompt: as it was asked; None where the data is not at hand.
        pictures: embedded images by name.
        judged: by run; None where the run was not asked.
    """
    verdicts = "".join(_letter(one) for one in judged.values())
    return tag(
        "article",
        tag(
            "header",
            tag("span", title(target.task), class_="chip"),
            tag("code", target.item_id),
            class_="card-head",
        ),
        *(_prompt(target, prompt, pictures, overlay(target, judged)) if prompt else ()),
        _options(target),
        tag("table", tag("tbody", *_answers(judged)), class_="said"),
        class_="card",
        data_task=target.task,
        data_verdicts=verdicts,
    )


def _letter(judged: Judged | None) -> str:
    if judged is None:
        return "-"
    return "r" if judged.correct else "w"


def _prompt(
    target: Target, prompt: Prompt, pictures: Mapping[str, Picture], over: Markup | None
) -> Iterable[Markup]:
    figures, question = _read(prompt)
    images = []
    for number, figure in enumerate(figures, start=1):
        for text in figure.before:
            images.append(tag("p", text, class_="divider" if images else "opening wide"))
        images.append(_figure(number, figure, pictures[figure.name], target, over))
    if images:
        yield tag("div", *images, class_="images", style=f"--images:{max(4, len(figures))}")
    for text in question:
        yield tag("p", text, class_="question")


def _read(prompt: Prompt) -> tuple[list[_Figure], list[str]]:
    """A short line right before an image is its label; what follows the last is the question."""
    figures: list[_Figure] = []
    pending: list[str] = []
    for part in prompt.parts:
        if isinstance(part, Asked):
            last = pending[-1] if pending else ""
            label = last if last and len(last) <= _LABEL_LENGTH and "\n" not in last else ""
            figures.append(_Figure(pending[:-1] if label else pending, label, part.name))
            pending = []
        else:
            pending += [text for text in part.strip().split("\n") if text.strip()]
    return figures, pending


def _figure(
    number: int, figure: _Figure, picture: Picture, target: Target, over: Markup | None
) -> Markup:
    words = figure.label.removesuffix(":") or f"image {number}, without a label"
    if not picture.problem:
        size = {"width": str(picture.width), "height": str(picture.height)}
        image = tag("img", src=picture.uri, alt=words, loading="lazy", decoding="async", **size)
        shown = tag(
            "button", image, over, class_="zoom", type="button", aria_label=f"Enlarge {words}"
        )
    else:
        shown = tag("div", f"No image: {picture.problem}", class_="missing")
    right = target.kind == "image_number" and target.answer == str(number)
    return tag(
        "figure",
        shown,
        tag("figcaption", words, class_=None if figure.label else "small"),
        class_="right" if right else None,
    )


def _options(target: Target) -> Markup:
    if not target.options:
        return tag(
            "p",
            "The answer is a point of the image, right within the green outline.",
            class_="small",
        )
    items = [
        tag("li", option, class_="right" if option == target.answer else None)
        for option in target.options
    ]
    return tag("ul", *items, class_="options", aria_label="Options, the right one marked")


def _answers(judged: Mapping[str, Judged | None]) -> Iterable[Markup]:
    for place, (name, one) in enumerate(judged.items()):
        if one is None:
            cells = [tag("td", "not asked", class_="small"), tag("td"), tag("td")]
        elif one.text is None:
            cells = [tag("td", "no answer", class_="bad"), tag("td"), _verdict(False)]
        else:
            read = "read as " + one.parsed if one.parsed is not None else "nothing legal to read"
            said = tag("pre", one.text if one.text.strip() else "(empty)")
            cells = [tag("td", said), tag("td", read, class_="small"), _verdict(one.correct)]
        yield tag("tr", tag("th", swatch(place), name, scope="row"), *cells)


def _verdict(right: bool) -> Markup:
    word = "right" if right else "wrong"
    return tag(
        "td", tag("strong", f"{'✓' if right else '✗'} {word}"), class_="good" if right else "bad"
    )

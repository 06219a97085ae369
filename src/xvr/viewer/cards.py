"""One sample as a card: images, question, options; behind a button the answer and its proof."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xvr.dataset.record import ImageRecord, Provenance, Sample, TextBlock
from xvr.viewer.choose import Shown
from xvr.viewer.html import Markup, join, script_data, tag
from xvr.viewer.measures import label, limit, quantity
from xvr.viewer.pictures import Picture
from xvr.viewer.space import Space, image_color, mark_color


class _Figure(NamedTuple):
    """An image of the prompt with the texts that stand before it."""

    before: list[str]
    label: str
    url: str


class _Prompt(NamedTuple):
    figures: list[_Figure]
    question: list[str]


def card(
    shown: Shown,
    place: str,
    pictures: Mapping[str, Picture],
    space: Space | None,
    rules: Mapping[str, float],
) -> Markup:
    """The card of a sample.

    Args:
        shown: the sample.
        place: such as "3 of 12".
        pictures: embedded images by url.
        space: its 3D view; None where the dataset has no provenance.
        rules: limits by name, from the manifest.
    """
    sample, proof = shown.sample, shown.proof
    prompt = _read_prompt(sample)
    opening = prompt.figures[0].before[:1] if prompt.figures else []
    return tag(
        "article",
        tag(
            "header",
            tag("span", f"Sample {place}", class_="place"),
            tag("span", shown.split, class_="chip"),
            tag("code", sample.sample_id),
            class_="card-head",
        ),
        *(tag("p", text, class_="opening") for text in opening),
        _figures(prompt.figures, sample, proof, pictures),
        *(tag("p", text, class_="question") for text in prompt.question),
        _options(sample, proof),
        _answer(sample, proof, space, rules),
        class_="card",
        aria_label=f"Sample {place}",
        tabindex="-1",
    )


def _read_prompt(sample: Sample) -> _Prompt:
    """The last text before an image is its label; what follows the last image is the question."""
    figures: list[_Figure] = []
    pending: list[str] = []
    for block in sample.prompt_blocks:
        if isinstance(block, TextBlock):
            pending.append(block.text.strip())
            continue
        name = pending.pop().removesuffix(":") if pending else f"Image {len(figures) + 1}"
        figures.append(_Figure(pending, name, block.image_url.url))
        pending = []
    return _Prompt(figures, pending)


def _figures(
    figures: Sequence[_Figure],
    sample: Sample,
    proof: Provenance | None,
    pictures: Mapping[str, Picture],
) -> Markup:
    records = {record.image: record for record in proof.images} if proof else {}
    parts = []
    for number, figure in enumerate(figures, start=1):
        parts += [tag("p", text, class_="divider") for text in figure.before[number == 1 :]]
        right = sample.ground_truth_answer == str(number)
        words = _in_words(figure, number, proof)
        parts.append(
            _figure(number, figure, records.get(number), pictures[figure.url], words, right)
        )
    return tag("div", *parts, class_="images", style=f"--images:{_columns(figures)}")


def _columns(figures: Sequence[_Figure]) -> int:
    """Images in a row on a wide screen: a new group starts a new row."""
    longest = run = 0
    for number, figure in enumerate(figures):
        run = 1 if number and figure.before else run + 1
        longest = max(longest, run)
    return max(longest, 4)


def _in_words(figure: _Figure, number: int, proof: Provenance | None) -> str:
    marks = [mark for mark in proof.marks if mark.image == number] if proof else []
    shown = ", ".join(f"{mark.color} {mark.kind}" for mark in marks)
    return f"{figure.label}, with {shown}" if shown else figure.label


def _figure(
    number: int,
    figure: _Figure,
    record: ImageRecord | None,
    picture: Picture,
    words: str,
    right: bool,
) -> Markup:
    if picture.jpeg:
        image = tag(
            "button",
            tag(
                "img",
                src=picture.uri,
                alt=words,
                width=str(picture.width),
                height=str(picture.height),
                loading="lazy",
                decoding="async",
            ),
            class_="zoom",
            type="button",
            aria_label=f"Enlarge {figure.label}",
        )
    else:
        image = tag("div", f"No image: {picture.problem}", class_="missing")
    badge = tag("span", str(number), class_="badge", style=f"background:{image_color(number)}")
    return tag(
        "figure",
        image,
        tag("figcaption", badge, figure.label, _origin(record)),
        class_="right" if right else None,
    )


def _origin(record: ImageRecord | None) -> Markup | None:
    """Which frame an image is; shown with the answer, as it may give it away."""
    if record is None:
        return None
    words = [record.role or record.view or record.camera or ""]
    if record.view is None:
        words.append(f"frame {record.frame_index}")
    if record.time_s is not None:
        words.append(f"{record.time_s:.2f} s")
    return tag("span", " · ".join(word for word in words if word), class_="origin")


def _options(sample: Sample, proof: Provenance | None) -> Markup | None:
    if proof is None:
        return None
    images = {str(number) for number in range(1, len(sample.image_urls) + 1)}
    spelled = proof.world.get("choices", {})
    items = [
        tag(
            "li",
            tag("span", class_="swatch", style=f"background:{_swatch(option.value, images)}"),
            _named(option.value, images, spelled),
            class_="right" if option.correct else None,
        )
        for option in proof.options
    ]
    return tag("ul", *items, class_="options", aria_label="Options")


def _named(value: str, images: set[str], spelled: Mapping[str, str]) -> str:
    """An option in words."""
    if value in spelled:
        return f"{value}: {spelled[value]}"
    return f"Image {value}" if value in images else value


def _swatch(value: str, images: set[str]) -> str:
    return image_color(int(value)) if value in images else mark_color(value)


def _answer(
    sample: Sample, proof: Provenance | None, space: Space | None, rules: Mapping[str, float]
) -> Markup:
    parts = [tag("p", "Answer: ", tag("strong", sample.ground_truth_answer), class_="solution")]
    if proof is None:
        parts.append(tag("p", "The dataset holds no provenance for this sample.", class_="note"))
    else:
        drawn = space is not None and space.drawing is not None
        style = "evidence" if drawn else "evidence plain"
        parts.append(tag("div", _space(space), tag("div", *_proof(proof, rules)), class_=style))
    return tag("details", tag("summary", "Reveal answer"), *parts, class_="answer")


def _space(space: Space | None) -> Markup | None:
    if space is None:
        return None
    note = tag("p", space.note, class_="note") if space.note else None
    if space.drawing is None:
        return tag("div", note, class_="space")
    canvas = tag(
        "canvas",
        tabindex="0",
        role="img",
        aria_label="The sample in 3D: cameras, rays and points. Arrow keys turn the view.",
    )
    buttons = [
        tag("button", sign, type="button", data_do=do, aria_label=name)
        for sign, do, name in (
            ("+", "closer", "Closer"),
            ("−", "farther", "Farther"),
            ("Reset", "reset", "Reset the view"),
        )
    ]
    caption = tag("p", "Drag to turn. Pyramids are the cameras, numbered as the images.")
    return tag(
        "div",
        tag("div", canvas, tag("div", *buttons, class_="tools"), class_="stage"),
        caption,
        note,
        script_data(space.drawing),
        class_="space",
    )


def _proof(proof: Provenance, rules: Mapping[str, float]) -> list[Markup]:
    source = proof.source
    places = source.episodes or [source.scene or source.episode or ""]
    tables = []
    if proof.checks:
        rows = [(name, quantity(name, v), limit(name, rules)) for name, v in proof.checks.items()]
        tables.append(_table("Checks", ("measured", "value", "rule"), rows))
    if proof.difficulty:
        rows = [(name, quantity(name, v)) for name, v in proof.difficulty.items()]
        tables.append(_table("Difficulty", ("measure", "value"), rows))
    rows = [(o.value, "right" if o.correct else "wrong", label(o.why)) for o in proof.options]
    tables.append(_table("Options", ("value", "", "why it is there"), rows))
    where = tag(
        "p",
        "Source: ",
        tag("code", f"{source.format}:{source.path}"),
        " ",
        tag("code", ", ".join(places)),
        class_="source",
    )
    return [*tables, where]


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag(
            "tbody",
            *(
                tag(
                    "tr", tag("th", label(row[0]), scope="row"), join(tag("td", c) for c in row[1:])
                )
                for row in rows
            ),
        ),
    )

"""`check.html`: the first batch of a training run, as the model gets it.

    write_batch(first_batch(config, tell), Path("check.html"))

It answers what a person should ask before a long run: are the answers what is trained on, are the
images where they belong, and can one still see the marks after the model's own resizing?
"""

from pathlib import Path

from xvr.dataset import atomic
from xvr.dataset.encode import encode
from xvr.engine.folder import disk_errors
from xvr.training.seen import Piece, SeenBatch, SeenImage, SeenSample
from xvr.viewer.html import Markup, tag
from xvr.viewer.measures import count
from xvr.viewer.names import title
from xvr.viewer.page import page
from xvr.viewer.pictures import Picture


def write_batch(batch: SeenBatch, path: Path) -> Path:
    """Write the page and return its path.

    Raises:
        UserError: the disk refuses.
    """
    body = tag("main", _top(batch), *(_sample(sample) for sample in batch.samples))
    text = page(
        "A batch as the model gets it", body, scripts=(), styles=("page.css", "training.css")
    )
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, text.encode())
    return path


def _top(batch: SeenBatch) -> Markup:
    rows = len(batch.samples)
    padding = sum(sample.padding for sample in batch.samples)
    trained = sum(_tokens(sample, "answer") for sample in batch.samples)
    images = sum(_tokens(sample, "image") for sample in batch.samples)
    tiles = (
        ("samples", count(rows)),
        ("tokens a row", count(batch.tokens)),
        ("of images", f"{images / (rows * batch.tokens):.0%}"),
        ("padding", f"{padding / (rows * batch.tokens):.0%}"),
        ("trained on", f"{count(trained)} tokens"),
    )
    return tag(
        "header",
        tag("p", f"recipe {batch.recipe}, processor of {batch.model}", class_="kicker"),
        tag("h1", "A batch as the model gets it"),
        tag(
            "dl",
            *(tag("div", tag("dt", name), tag("dd", value)) for name, value in tiles),
            class_="tiles",
        ),
        tag("ul", *(tag("li", note) for note in batch.notes), class_="small"),
        tag(
            "p",
            "Images have the pixels that the model sees after its resizing. The loss is on ",
            tag("mark", "what is marked", class_="answer"),
            " and on nothing else.",
        ),
        class_="top",
    )


def _sample(sample: SeenSample) -> Markup:
    numbers = (
        f"{count(sample.padding)} padding, {count(_tokens(sample, 'prompt'))} text, "
        f"{count(_tokens(sample, 'image'))} of {len(sample.images)} images, "
        f"{count(_tokens(sample, 'answer'))} trained on"
    )
    return tag(
        "article",
        tag(
            "header",
            tag("span", title(sample.task), class_="chip"),
            tag("code", sample.sample_id),
            class_="card-head",
        ),
        tag("p", f"Tokens: {numbers}.", class_="small"),
        tag("div", *(_image(image) for image in sample.images), class_="seen"),
        tag("p", *_strip(sample.pieces), class_="strip"),
        class_="card",
    )


def _image(image: SeenImage) -> Markup:
    height, width = image.pixels.shape[:2]
    picture = Picture(jpeg=encode(image.pixels, "jpeg", 92), width=width, height=height)
    before = f"{image.original[0]} x {image.original[1]}"
    tokens = f", {image.tokens} tokens" if image.tokens else ""
    return tag(
        "figure",
        tag("img", src=picture.uri, alt=image.name, width=str(width), height=str(height)),
        tag("figcaption", f"{image.name}: {before} to {width} x {height}{tokens}"),
    )


def _strip(pieces: tuple[Piece, ...]) -> list[Markup]:
    """The row of tokens as text, with images as numbered boxes."""
    parts, number = [], 0
    for piece in pieces:
        if piece.kind == "image":
            number += 1
            parts.append(tag("span", f"image {number}: {piece.tokens}", class_="chip"))
        elif piece.kind == "answer":
            parts.append(tag("mark", piece.text, class_="answer"))
        else:
            parts.append(tag("span", piece.text))
    return parts


def _tokens(sample: SeenSample, kind: str) -> int:
    return sum(piece.tokens for piece in sample.pieces if piece.kind == kind)

"""Draws the marks of a question anew: with other colours, and with fewer options.

A question that is answered with a colour stays true when colours are exchanged and wrong options
are left out. So one question gives many, easier ones among them, from which a model learns sooner
than from the hard ones alone. Needs provenance and unmarked images (`xvr data build --keep-clean`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from xvr.dataset.manifest import read_manifest
from xvr.dataset.marks import draw_marks
from xvr.dataset.record import MarkRecord, Provenance
from xvr.errors import UserError
from xvr.sources.pixels import decode_image
from xvr.tasks.draft import COLORS, Mark
from xvr.training.encode import decode_images
from xvr.training.samples import Example, Source

OPTION_TASKS = ("point_correspondence", "directional_correspondence")
"""Tasks whose options are marks of the target."""

Images = list[UInt8[np.ndarray, "h w 3"]]


class Remarker:
    """Draws questions of some datasets anew, each time otherwise."""

    def __init__(self, sources: Sequence[Source], options: Mapping[int, float]) -> None:
        """Looks at how marks were drawn.

        Args:
            sources: datasets.
            options: numbers of options, with weights.
        """
        self._counts = tuple(options)
        weights = np.array([options[count] for count in self._counts], float)
        self._shares = weights / weights.sum()
        self._styles = {source.path: _style(source.path) for source in sources if source.split}

    def __call__(
        self, example: Example, source: Source, rng: np.random.Generator
    ) -> tuple[Example, Images]:
        """A question and its images, drawn anew if it is of `OPTION_TASKS`.

        Args:
            example: the question as it was built.
            source: where it is from.
            rng: decides on colours and options.

        Raises:
            Unusable: an image cannot be read.
            UserError: its dataset has no unmarked images, or no provenance.
        """
        style = self._styles.get(source.path)
        if example.task not in OPTION_TASKS or style is None:
            return example, decode_images(example)
        proof = source.proof(example.line)
        if proof is None or not style["keep_clean"]:
            raise UserError(
                f"{source.path}: to draw marks anew takes provenance and unmarked images; build it "
                "with --keep-clean, or take a recipe without options"
            )
        count = int(rng.choice(self._counts, p=self._shares))
        changed, named = remarked(proof, count, rng)
        *others, question = example.prompt.parts
        before = ", ".join(_named(proof))
        if not isinstance(question, str) or before not in question:
            return example, decode_images(example)  # worded by somebody else
        parts = (*others, question.replace(before, ", ".join(named)))
        changed_example = replace(
            example,
            prompt=replace(example.prompt, parts=parts),
            answer=changed.answer,
            proof=changed,
        )
        return changed_example, [
            draw_marks(
                decode_image(source.clean_image(image.url), f"{source.path}: {image.url}"),
                [_as_drawn(mark) for mark in changed.marks if mark.image == image.image],
                style["mark_scale"],
                style["mark_labels"],
            )
            for image in changed.images
        ]


def remarked(
    proof: Provenance, options: int, rng: np.random.Generator
) -> tuple[Provenance, list[str]]:
    """The proof of a question with fewer options and other colours, and the colours to name.

    Args:
        proof: as it was built.
        options: how many to keep, the right one among them; at least 2, at most all.
        rng: decides which, and on colours.
    """
    target = len(proof.images)
    wrong = [color for color in _named(proof) if color != proof.answer]
    left = [wrong[n] for n in rng.permutation(len(wrong))[: max(1, options - 1)]]
    new = {old: COLORS[n] for old, n in zip(COLORS, rng.permutation(len(COLORS)), strict=True)}
    marks = []
    for mark in proof.marks:
        if mark.image != target:
            any_color = COLORS[int(rng.integers(len(COLORS)))]  # it says nothing
            marks.append(mark.model_copy(update={"color": any_color}))
        elif mark.color == proof.answer or mark.color in left:
            color = new[mark.color]
            label = color if mark.label == mark.color else mark.label
            marks.append(mark.model_copy(update={"color": color, "label": label}))
    kept = [
        option.model_copy(update={"value": new[option.value]})
        for option in proof.options
        if option.correct or option.value in left
    ]
    changed = proof.model_copy(
        update={"marks": marks, "options": kept, "answer": new[proof.answer]}
    )
    return changed, _named(changed)


def _named(proof: Provenance) -> list[str]:
    """Colours of the options, in the order in which questions name them."""
    there = {option.value for option in proof.options}
    return [color for color in COLORS if color in there]


def _style(dataset: Path) -> dict[str, Any]:
    """How a build drew marks, and whether it kept unmarked images."""
    manifest = read_manifest(dataset) or {}
    config = manifest.get("config") or {}
    return {
        "keep_clean": bool(config.get("keep_clean")),
        "mark_scale": config.get("mark_scale", 1.0),
        "mark_labels": config.get("mark_labels", True),
    }


def _as_drawn(mark: MarkRecord) -> Mark:
    return Mark(**mark.model_dump())

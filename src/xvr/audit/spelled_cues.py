"""What a guesser may look at when the options are spelled out: turns of a camera, orders of frames.

As in `xvr.audit.cues`, one row per option and columns whose meaning is the same for every sample.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float

from xvr.audit.cues import Picture, likeness
from xvr.audit.guessing import Case, Cues
from xvr.audit.moves import turn_of
from xvr.audit.wording import choices_of, question_of
from xvr.audit.written import Entry

QUARTILES = (0.25, 0.5, 0.75)


def turn_cues(entry: Entry, case: Case) -> Cues:
    """Side and angle of each option: what the text alone tells."""
    choices = choices_of(question_of(entry))
    turns = [turn_of(choices[letter]) for letter in case.options]
    sides = np.array([1.0 if turn and turn.side == "right" else -1.0 for turn in turns])
    degrees = np.array([turn.degrees if turn else 0.0 for turn in turns])
    larger = np.where(degrees > degrees.mean(), 1.0, -1.0)
    return np.column_stack([sides, larger, sides * larger, degrees])


def turn_measures(
    entry: Entry, pictures: Mapping[str, Picture]
) -> dict[str, Float[np.ndarray, " f"]]:
    """By cheater, measures of the two images that side and angle may go with."""
    first, second = (pictures[image.url] for image in entry.proof.images)
    (right, down), _ = cv2.phaseCorrelate(first.grey, second.grey)
    return {
        "look of single images": np.concatenate([first.statistics, second.statistics]),
        "most similar image": np.array(likeness(first, second)),
        "image shift between views": np.array([right, down, abs(right), abs(down)]),
    }


def crossed(signs: Sequence[Cues], measures: Sequence[Float[np.ndarray, " f"]]) -> list[Cues]:
    """Options on the side of a measure: each sign times whether the measure is above a quartile.

    Guessers compare options within a question, where a measure of the whole question is the same
    for all; crossed with the options' signs it can be used.
    """
    values = np.stack(measures)  # (n, f)
    limits = np.quantile(values, QUARTILES, axis=0)  # (q, f)
    above = np.where(values[:, None] > limits, 1.0, -1.0).reshape(len(values), -1)  # (n, q f)
    return [
        (sign[:, :, None] * row).reshape(len(sign), -1)
        for sign, row in zip(signs, above, strict=True)
    ]


def order_cues(entry: Entry, case: Case, pictures: Mapping[str, Picture]) -> dict[str, Cues]:
    """By cheater, what an order of the frames would mean.

    Neighbours that are alike, looks that rise or fall with time, ends like the first two images.
    """
    urls = {image.image: image.url for image in entry.proof.images}
    start, end = pictures[urls[1]], pictures[urls[2]]
    choices = choices_of(question_of(entry))
    rows: dict[str, list] = {
        "smoothest order": [],
        "look of single images": [],
        "most similar image": [],
    }
    for letter in case.options:
        a, b, c = (pictures[urls[int(word)]] for word in choices[letter].split(", "))
        near = np.add(likeness(a, b), likeness(b, c))
        rows["smoothest order"].append([*near, *likeness(a, c)])
        trend = [c.statistics - a.statistics, 2 * b.statistics - a.statistics - c.statistics]
        rows["look of single images"].append(np.concatenate(trend))
        rows["most similar image"].append(np.add(likeness(start, a), likeness(end, c)))
    return {name: np.array(found, dtype=float) for name, found in rows.items()}

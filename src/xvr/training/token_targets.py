"""What the tokens of a question can be taught beside its answer: the types of such targets.

`xvr.training.target_maker` makes them, `xvr.training.target_tensors` stacks them to batches, and
`xvr.training.correspondence` turns them into losses.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.draft import COLORS

HIDDEN, UNKNOWN, GONE = -1, -2, -3
"""In place of a token: its surface is not seen there; nothing is known; it was elsewhere at that
moment, as what is behind it is seen."""
AFTER = -1
"""In place of a token of an image: the one that follows it."""
MARK_CLASSES = 1 + 2 * len(COLORS)
"""No mark, a dot of each colour, an arrow's head of each colour."""
RELATIONS = ("same_point", "stands_there", "same_moment", "same_camera", "to_the_right")
"""The mark here is on the point of the earlier image's mark; this image's camera stands where the
earlier image marks; both were taken at one moment; by one camera; this image's camera stands to the
right of the earlier one's, as that one sees it."""

Grid = tuple[int, int]
"""Rows and columns of tokens of an image."""


class Place(NamedTuple):
    """A token of an image."""

    image: int
    """Number of the image, from 0."""
    token: int
    """Of the image, or `AFTER`."""


class Relation(NamedTuple):
    """Whether an image, at one of its tokens, goes together with an earlier image."""

    kind: str
    """One of `RELATIONS`."""
    image: int
    token: int
    """Of the image, or `AFTER`."""
    earlier: int
    """Number of the earlier image, from 0."""
    holds: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenTargets:
    """Of one question with k images of at most t tokens."""

    seen_at: Int[np.ndarray, "k k t"]
    """Token of the second image that sees what a token of the first one sees, or `HIDDEN`,
    `UNKNOWN` or `GONE`."""
    marks: Int[np.ndarray, "k t"]
    """Class of the mark in each token, one of `MARK_CLASSES`; 0 is none."""
    marked: Float[np.ndarray, "k t"]
    """How many marks of earlier images are on what a token sees."""
    relations: tuple[Relation, ...]
    verdicts: Int[np.ndarray, "k t"]
    """Where a mark can be chosen: its class if it is right and 0 if it is wrong; elsewhere
    `UNKNOWN`."""
    odd: tuple[Place, int] | None
    """The first token that can know which image is the odd one, and the number of that image, from
    0."""
    evidence: tuple[Place, ...]
    """Tokens that know what the answer follows from in the end: the right mark, the last of marks
    that are held against each other, or what follows the right image."""
    named: Int[np.ndarray, " 3"]
    """What the question names: place in `ROLES` of a camera's role, place in `SIDES`, number of an
    image, from 0; each `UNKNOWN` where it names none."""
    roles: Int[np.ndarray, " k"]
    """Place in `ROLES` of the camera of an episode's image, or `UNKNOWN`."""
    cameras: Float[np.ndarray, "k 6"]
    """Of an episode's images: the camera's centre, metres, and its viewing direction, a unit
    vector, in the world of the calibration; NaN where unknown."""
    toward: Float[np.ndarray, "k k 3"]
    """Direction to the camera of the second image in the camera frame of the first one (OpenCV
    axes), a unit vector; NaN where unknown, and where both are at one place."""
    hands: Float[np.ndarray, "k 3"]
    """Where the hand is, metres, in that world; NaN where unknown."""
    hands_at: Int[np.ndarray, " k"]
    """The token at which the hand is in an image, in front of or behind what it shows; `HIDDEN`
    where it is not, and for a camera on the hand."""

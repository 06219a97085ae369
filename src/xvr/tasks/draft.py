"""What a task makes: a draft of one sample, or a refusal with the reason that is counted.

A draft holds everything but pixels: which images to show, marks as data, the text, the options and
the proof. Writers draw and encode it later.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

COLORS = ("red", "green", "blue", "yellow", "purple")
"""The five colour words of the released answers, and the colours of marks."""

LETTERS = ("A", "B", "C", "D", "E", "F")
"""Answers of extended tasks whose options are spelled out in the question."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One place in the dataset that a task is asked to fill.

    What must be balanced is fixed here before any data is read, so that it is exact.
    """

    task: str
    split: str
    index: int
    """Position within (split, task), from 0; stable under every number of workers."""
    answer: int
    """Index of the right option: of a colour in `COLORS`, of a letter in `LETTERS`, or of an image
    that can be the answer."""
    images: int
    """Number of images to show."""
    variant: int = 0
    """What else is balanced: the rank of the odd camera, the side asked for."""


@dataclass(frozen=True, kw_only=True)
class ImageRef:
    """One image to show."""

    part: Literal["reference", "target", "candidate", "center", "side", "scenario1", "scenario2"]
    view: str
    """Name of the scene's view, or role of the episode's camera."""
    frame_index: int
    time_s: float | None = None
    episode: int = 0
    """0 for the episode (or scene) of the unit, 1 for its partner."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One dot or arrow, in pixels of the full-size image (pixel centres at +0.5)."""

    image: int
    """Number of the image in the prompt, from 1."""
    kind: Literal["dot", "arrow"]
    color: str
    """One of `COLORS`."""
    label: str
    """Short text beside the mark."""
    uv_px: tuple[float, float]
    """Centre of the dot, or tail of the arrow."""
    point_m: tuple[float, float, float]
    """The 3D point in the world of the source."""
    uv_end_px: tuple[float, float] | None = None
    """Head of the arrow."""
    end_point_m: tuple[float, float, float] | None = None
    """The 3D point at the head of the arrow."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One possible answer."""

    value: str
    correct: bool
    why: str
    """Why it is there: `answer`, `near_depth`, `similar_color`, `spread`, ..."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One sample before its images are written."""

    slot: Slot
    images: tuple[ImageRef, ...]
    blocks: tuple[str | int, ...]
    """The prompt in order: text, or the number of an image from 1."""
    marks: tuple[Mark, ...] = ()
    options: tuple[Option, ...]
    answer: str
    key: tuple[Any, ...]
    """Equal keys within a unit are the same question; the second one is refused."""
    world: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, float] = field(default_factory=dict)
    """Every measure that passed a rule, by the rule's name."""
    difficulty: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a task could not make a sample this time."""

    reason: str
    final: bool = False
    """Whether no further try at the same slot could end otherwise."""

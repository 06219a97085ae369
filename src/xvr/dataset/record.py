"""The written records: one line of `<split>.jsonl` and one line of `provenance/<split>.jsonl`.

A sample has exactly the four keys of the published release, Jaehwisong/XVR on the Hugging Face hub:
`prompt_blocks`, `sample_id`, `task`, `ground_truth_answer`. Provenance carries the proof.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

SPLITS = ("train", "valid", "xvr_eval")
"""File stems of the splits, in the order of their image numbers."""
CLEAN = "clean/"
"""Unmarked copies beside `images/` in the shards, under the same names; no record names them."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextBlock(_Record):
    """A piece of the question."""

    type: Literal["text"] = "text"
    text: str


class ImageUrl(_Record):
    """Where an image is, relative to the dataset."""

    url: str


class ImageBlock(_Record):
    """An image of the question."""

    type: Literal["image_url"] = "image_url"
    image_url: ImageUrl


class Sample(_Record):
    """One line of `<split>.jsonl`."""

    prompt_blocks: list[TextBlock | ImageBlock]
    sample_id: str
    task: str
    """The released id, such as `task9`."""
    ground_truth_answer: str

    @property
    def image_urls(self) -> list[str]:
        """Images in the order of the prompt."""
        return [b.image_url.url for b in self.prompt_blocks if isinstance(b, ImageBlock)]

    @property
    def text(self) -> str:
        """All text of the prompt, joined by newlines."""
        return "\n".join(b.text for b in self.prompt_blocks if isinstance(b, TextBlock))


class SourceRecord(_Record):
    """Where a sample comes from."""

    format: str
    path: str
    scene: str | None = None
    episode: str | None = None
    episodes: list[str] | None = None
    """Both episodes of a cross-scenario sample; `ImageRecord.episode` indexes it."""
    groups: list[str] | None = None
    """Physical object or place of the scene, or of each episode, where these are not it."""


class ImageRecord(_Record):
    """One image of the prompt."""

    image: int
    """Number in the prompt, from 1."""
    url: str
    part: str
    view: str | None = None
    """Name of the scene's view (general domain)."""
    camera: str | None = None
    """Key of the episode's camera in its dataset (robotic domain)."""
    role: str | None = None
    """Normalised role of that camera."""
    episode: int | None = None
    """Which of `SourceRecord.episodes`, for cross-scenario samples."""
    frame_index: int
    time_s: float | None = None
    width: int
    height: int


class MarkRecord(_Record):
    """One mark; pixels of the written image, metres in the world of the source."""

    image: int
    kind: Literal["dot", "arrow"]
    label: str
    color: str
    uv_px: tuple[float, float]
    uv_end_px: tuple[float, float] | None = None
    point_m: tuple[float, float, float]
    end_point_m: tuple[float, float, float] | None = None


class OptionRecord(_Record):
    """One option and why it is there."""

    value: str
    correct: bool
    why: str


class Provenance(_Record):
    """One line of `provenance/<split>.jsonl`: the proof of one sample."""

    sample_id: str
    task: str
    """Our name, such as `point_correspondence`."""
    domain: Literal["general", "robotic"]
    source: SourceRecord
    images: list[ImageRecord]
    marks: list[MarkRecord]
    world: dict[str, Any]
    """`point_m`, `direction`, `odd_point_m`, `camera_center_m`, whichever apply."""
    options: list[OptionRecord]
    answer: str
    checks: dict[str, float]
    difficulty: dict[str, float]
    seed: int
    version: str


def unused_id(sample_id: str, used: set[str]) -> str:
    """The id, or where it is taken the id with the first free number after it; then it is used."""
    candidate, number = sample_id, 2
    while candidate in used:
        candidate, number = f"{sample_id}_{number}", number + 1
    used.add(candidate)
    return candidate

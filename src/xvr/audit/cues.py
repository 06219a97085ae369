"""What a guesser may look at without looking across views: a few numbers per option.

Every function gives one row per option, in the order of `Case.options`; columns are cues whose
meaning is the same for every sample of the task. Nothing here uses camera poses or depth.
"""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float

from xvr.audit.guessing import Case, Cues
from xvr.audit.written import Entry
from xvr.dataset.record import MarkRecord
from xvr.sources.pixels import decode_image
from xvr.tasks.draft import COLORS

ROLE_WORDS = ("fix", "ego", "left", "right", "center", "top", "front", "side", "head", "1")

GREY_SIZE = (160, 120)
THUMB_SIZE = (8, 8)


class Picture(NamedTuple):
    """What guessers keep of one image."""

    statistics: Float[np.ndarray, "5"]
    """Bytes of the file, brightness, contrast, sharpness, colourfulness."""
    grey: Float[np.ndarray, "120 160"]
    """Mean 0, standard deviation 1."""
    thumb: Float[np.ndarray, "8 8 3"]
    histogram: Float[np.ndarray, "64"]
    """Shares of coarse colours."""


def case_of(entry: Entry) -> Case:
    """The question; options in an order that anyone who reads it knows."""
    values = {option.value for option in entry.proof.options}
    ranks = {color: number for number, color in enumerate(COLORS)}
    options = sorted(values, key=lambda value: (ranks.get(value, 0), len(value), value))
    source = entry.proof.source
    return Case(
        sample_id=entry.sample.sample_id,
        group=source.scene or source.episode or (source.episodes or [""])[0],
        images=len(entry.proof.images),
        options=tuple(options),
        answer=options.index(entry.answer),
        text=entry.sample.text,
    )


def color_cues(entry: Entry, case: Case) -> Cues:
    """Colours: which one an option has, how often others have it, when the text names it."""
    marks = _option_marks(entry, case)
    others = [m.color for m in entry.proof.marks if all(m is not mark for mark in marks)]
    if not others:
        others = [mark.color for mark in marks]
    text = case.text.lower()
    rows = []
    for mark in marks:
        which = [float(mark.color == color) for color in COLORS]
        rows.append([*which, others.count(mark.color), text.find(mark.color)])
    return np.array(rows, dtype=float)


def camera_cues(entry: Entry, case: Case) -> Cues:
    """Which camera took each option: a person sees whether it is the wrist or the left one."""
    roles = {str(image.image): image.role or "" for image in entry.proof.images}
    rows = [
        [float(word in roles[value].split("_")) for word in ROLE_WORDS] for value in case.options
    ]
    return np.array(rows)


def dot_cues(entry: Entry, case: Case) -> Cues:
    """Where in its image each option's dot is; in one target also relative to the other dots."""
    places = _places(entry, case)
    columns = [places, np.abs(places), np.linalg.norm(places, axis=1)[:, None]]
    if case.options[0] in COLORS:
        apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(len(places))
        columns.append(np.linalg.norm(places - places.mean(axis=0), axis=1)[:, None])
        columns.append(apart.min(axis=1)[:, None])
    return np.concatenate(columns, axis=1)


def shift_cues(entry: Entry, case: Case) -> Cues:
    """How far each option's dot is from where the references, or the other images, have theirs."""
    marks = _option_marks(entry, case)
    places = _places(entry, case)
    others = [_place(entry, m) for m in entry.proof.marks if all(m is not mark for mark in marks)]
    shift = places - (np.mean(others, axis=0) if others else np.median(places, axis=0))
    return np.column_stack([np.linalg.norm(shift, axis=1), np.abs(shift)])


def arrow_cues(entry: Entry, case: Case) -> Cues:
    """Shape of target arrows in the image, alone and against the mean of the references."""
    marks = _option_marks(entry, case)
    others = [m for m in entry.proof.marks if all(m is not mark for mark in marks)]
    arrows = np.array([_arrow(entry, mark) for mark in marks])
    references = np.array([_arrow(entry, mark) for mark in others])
    lengths = np.linalg.norm(arrows, axis=1)
    units = arrows / lengths[:, None]
    reference_lengths = np.linalg.norm(references, axis=1)
    reference_units = references / reference_lengths[:, None]
    mean = reference_units.mean(axis=0)
    along = units @ mean
    axes = np.abs(units @ reference_units.T)
    length_gap = np.abs(np.log(lengths / np.exp(np.log(reference_lengths).mean())))
    mutual = units @ units.T - 2 * np.eye(len(units))
    return np.column_stack(
        [
            along,
            np.abs(along),
            (units @ reference_units.T).max(axis=1),
            axes.mean(axis=1),
            lengths,
            length_gap,
            units,
            np.abs(units),
            mutual.max(axis=1),
        ]
    )


def patch_cues(entry: Entry, case: Case, patches: Float[np.ndarray, "m 3"]) -> Cues:
    """Colour around each option against the references, or against the other options."""
    marks = _option_marks(entry, case)
    numbers = {id(mark): number for number, mark in enumerate(entry.proof.marks)}
    chosen = [numbers[id(mark)] for mark in marks]
    others = [number for number in numbers.values() if number not in chosen]
    lab = _lab(patches)
    columns = []
    for colors in (patches, lab):
        own = colors[chosen]
        if others:
            away = np.linalg.norm(own[:, None] - colors[others][None], axis=2)
            columns += [away.mean(axis=1), away.min(axis=1)]
            columns.append(np.linalg.norm(own - colors[others].mean(axis=0), axis=1))
        else:
            away = np.linalg.norm(own[:, None] - own[None], axis=2)
            columns += [away.sum(axis=1), np.median(away, axis=1)]
            columns.append(np.linalg.norm(own - np.median(own, axis=0), axis=1))
    ranks = np.argsort(np.argsort(columns, axis=1), axis=1)  # (6, k)
    # an option that was chosen by its rank may be the one whose rank all measures agree on
    return np.column_stack([*columns, ranks.std(axis=0), lab[chosen]])


def look_cues(entry: Entry, case: Case, pictures: Mapping[str, Picture]) -> Cues:
    """Single images: size of the file, brightness, contrast, sharpness, colour."""
    return np.stack([pictures[url].statistics for url in _option_images(entry, case)])


def likeness_cues(entry: Entry, case: Case, pictures: Mapping[str, Picture]) -> Cues:
    """How similar each option is to the reference images, or else to the other options."""
    chosen = _option_images(entry, case)
    references = [image.url for image in entry.proof.images if image.url not in chosen]
    rows = []
    for url in chosen:
        others = references or [other for other in chosen if other != url]
        pairs = np.array([likeness(pictures[url], pictures[other]) for other in others])
        rows.append([*pairs.mean(axis=0), *pairs.max(axis=0), *pairs.min(axis=0)])
    return np.array(rows)


def outlier_cues(entry: Entry, case: Case, pictures: Mapping[str, Picture]) -> Cues:
    """How similar each option is to the other options."""
    chosen = _option_images(entry, case)
    rows = []
    for url in chosen:
        pairs = np.array([likeness(pictures[url], pictures[o]) for o in chosen if o != url])
        rows.append([*pairs.mean(axis=0), *pairs.max(axis=0), *pairs.min(axis=0)])
    return np.array(rows)


def look_at(data: bytes, where: str) -> Picture:
    """Decode an image and keep what guessers look at."""
    full = decode_image(data, where)
    rgb = cv2.resize(full, GREY_SIZE, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sharpness = cv2.Laplacian(grey, cv2.CV_32F).std()
    colorful = float((rgb.max(axis=2) - rgb.min(axis=2)).mean())
    bins = (rgb.reshape(-1, 3) // 64).astype(int) @ (16, 4, 1)
    return Picture(
        statistics=np.array([len(data), grey.mean(), grey.std(), sharpness, colorful], dtype=float),
        grey=(grey - grey.mean()) / (grey.std() + 1e-9),
        thumb=cv2.resize(rgb, THUMB_SIZE, interpolation=cv2.INTER_AREA).astype(float),
        histogram=np.bincount(bins, minlength=64) / len(bins),
    )


def likeness(first: Picture, second: Picture) -> list[float]:
    """Correlation of grey images, closeness of thumbnails, common colours."""
    correlation = float((first.grey * second.grey).mean())
    thumbs = -float(np.abs(first.thumb - second.thumb).mean())
    histograms = float(np.minimum(first.histogram, second.histogram).sum())
    return [correlation, thumbs, histograms]


def _option_marks(entry: Entry, case: Case) -> list[MarkRecord]:
    """The mark of each option: the target's of that colour, or the image's."""
    found = []
    parts = {image.image: image.part for image in entry.proof.images}
    for value in case.options:
        if value in COLORS:
            marks = [
                m for m in entry.proof.marks if m.color == value and parts[m.image] == "target"
            ]
        else:
            marks = [m for m in entry.proof.marks if str(m.image) == value]
        found.append(marks[0])
    return found


def _option_images(entry: Entry, case: Case) -> list[str]:
    urls = {str(image.image): image.url for image in entry.proof.images}
    return [urls[value] for value in case.options]


def _places(entry: Entry, case: Case) -> Float[np.ndarray, "k 2"]:
    return np.array([_place(entry, mark) for mark in _option_marks(entry, case)])


def _place(entry: Entry, mark: MarkRecord) -> Float[np.ndarray, "2"]:
    """Relative to the image's centre; the border is at +-0.5."""
    image = entry.proof.images[mark.image - 1]
    return np.array(mark.uv_px) / (image.width, image.height) - 0.5


def _arrow(entry: Entry, mark: MarkRecord) -> Float[np.ndarray, "2"]:
    image = entry.proof.images[mark.image - 1]
    head = np.array(mark.uv_end_px or mark.uv_px)
    arrow = (head - mark.uv_px) / np.hypot(image.width, image.height)
    return np.where(np.abs(arrow).max() > 0, arrow, 1e-9)


def _lab(rgb: Float[np.ndarray, "m 3"]) -> Float[np.ndarray, "m 3"]:
    pixels = (rgb / 255).astype(np.float32)[:, None]
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[:, 0].astype(float)

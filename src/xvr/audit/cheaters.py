"""The cheaters of each task, and what they score.

Each sees only what its name says; none looks at geometry across views. A task that one of them
solves well can be answered without the skill it is meant to measure.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from xvr.audit.cues import (
    Cues,
    arrow_cues,
    case_of,
    color_cues,
    dot_cues,
    likeness_cues,
    look_cues,
    patch_cues,
)
from xvr.audit.guessing import (
    Case,
    Hits,
    best_rule,
    learned,
    lower_bound_95,
    majority,
    prior,
    words,
)
from xvr.audit.report import CheaterScore
from xvr.audit.written import Entry, ImageStore

IMAGE_SAMPLES_PER_TASK = 1000
"""Cheaters that decode images look at no more than this many questions of a task."""

POINT, DIRECTION = "point_correspondence", "directional_correspondence"
SPATIAL, VIEWPOINT = "spatial_verification", "viewpoint_localization"
TEMPORAL = "temporal_verification"

MARK_CUES: dict[str, tuple[tuple[str, Callable[[Entry, Case], Cues]], ...]] = {
    POINT: (("mark colours", color_cues), ("dot position", dot_cues)),
    DIRECTION: (("mark colours", color_cues), ("arrow in the image", arrow_cues)),
    SPATIAL: (("mark colours", color_cues), ("dot position", dot_cues)),
}
PATCHED = {POINT: "nearest colour patch", SPATIAL: "colour patch outlier"}
COMPARED = (VIEWPOINT, TEMPORAL)
"""Tasks that must not be solved by the most or least similar image."""
LOOKED_AT = (
    VIEWPOINT,
    TEMPORAL,
    "directional_view_localization",
    "cross_scenario_localization",
    "language_conditioned_localization",
)
"""Tasks whose options are images without a mark in question."""


def wants_patches(entries: Sequence[Entry]) -> list[bool]:
    """For which samples the cheaters want colours around marks: the first ones by hash."""
    chosen = {index for task in PATCHED for index in _subset(entries, task, IMAGE_SAMPLES_PER_TASK)}
    return [index in chosen for index in range(len(entries))]


def run_cheaters(
    entries: Sequence[Entry],
    patches: Sequence[np.ndarray | None],
    images: ImageStore,
) -> list[CheaterScore]:
    """Scores of every cheater on every task that has samples, in a fixed order.

    Args:
        entries: samples, all splits together.
        patches: mean RGB around each sample's marks in the clean image, where looked up.
        images: the written images.
    """
    scores = []
    for task in sorted({entry.proof.task for entry in entries}):
        numbers = [i for i, entry in enumerate(entries) if entry.proof.task == task]
        chosen = [(entries[i], case_of(entries[i])) for i in numbers]
        cases = [case for _, case in chosen]
        scores.append(_score(task, "majority answer", cases, majority(cases)))
        scores.append(_score(task, "position or colour prior", cases, prior(cases)))
        scores.append(_score(task, "bag of words", cases, words(cases)))
        for name, cue in MARK_CUES.get(task, ()):
            found = [cue(entry, case) for entry, case in chosen]
            scores += _cue_scores(task, name, cases, found)
        if task in PATCHED:
            seen = [
                (case_of(entries[i]), patch_cues(entries[i], case_of(entries[i]), patch))
                for i in numbers
                if (patch := patches[i]) is not None and np.isfinite(patch).all()
            ]
            scores += _cue_scores(task, PATCHED[task], [c for c, _ in seen], [x for _, x in seen])
        scores += _image_scores(task, entries, images)
    return scores


def _image_scores(task: str, entries: Sequence[Entry], images: ImageStore) -> list[CheaterScore]:
    if task not in LOOKED_AT:
        return []
    subset = [entries[i] for i in _subset(entries, task, IMAGE_SAMPLES_PER_TASK)]
    cases = [case_of(entry) for entry in subset]
    pairs = list(zip(subset, cases, strict=True))
    looks = [look_cues(entry, case, images.read) for entry, case in pairs]
    scores = _cue_scores(task, "look of single images", cases, looks)
    if task in COMPARED:
        likeness = [likeness_cues(entry, case, images.read) for entry, case in pairs]
        scores += _cue_scores(task, "most similar image", cases, likeness)
    return scores


def _cue_scores(
    task: str, name: str, cases: Sequence[Case], cues: Sequence[Cues]
) -> list[CheaterScore]:
    if not cases:
        return []
    return [
        _score(task, f"{name} (rule)", cases, best_rule(cases, cues)),
        _score(task, f"{name} (learned)", cases, learned(cases, cues)),
    ]


def _score(task: str, name: str, cases: Sequence[Case], hits: Hits) -> CheaterScore:
    return CheaterScore(
        task=task,
        cheater=name,
        samples=len(cases),
        accuracy=float(hits.mean()),
        chance=float(np.mean([1 / len(case.options) for case in cases])),
        lower_95=lower_bound_95(int(hits.sum()), len(cases)),
    )


def _subset(entries: Sequence[Entry], task: str, most: int) -> list[int]:
    """At most so many samples of a task, chosen by a hash of their ids."""
    numbers = [i for i, entry in enumerate(entries) if entry.proof.task == task]
    if len(numbers) <= most:
        return numbers
    by_hash = sorted(
        numbers, key=lambda i: hashlib.sha256(entries[i].sample.sample_id.encode()).digest()
    )
    return sorted(by_hash[:most])

"""The cheaters of each task, and what they score.

Each sees only what its name says; none looks at geometry across views. A task that one of them
solves well can be answered without the skill it is meant to measure.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from xvr.audit.cues import (
    arrow_cues,
    camera_cues,
    case_of,
    color_cues,
    dot_cues,
    likeness_cues,
    look_at,
    look_cues,
    outlier_cues,
    patch_cues,
    shift_cues,
)
from xvr.audit.guessing import (
    Case,
    Cues,
    Hits,
    best_rule,
    learned,
    lower_bound_95,
    majority,
    prior,
    words,
)
from xvr.audit.report import CheaterScore
from xvr.audit.spelled_cues import crossed, order_cues, turn_cues, turn_measures
from xvr.audit.written import Entry

IMAGE_SAMPLES_PER_TASK = 2000
"""Cheaters that decode images look at no more than this many questions of a task."""

POINT, DIRECTION = "point_correspondence", "directional_correspondence"
SPATIAL, VIEWPOINT = "spatial_verification", "viewpoint_localization"
TEMPORAL = "temporal_verification"
POSE, OVERLAP, DEPTH = "relative_pose", "view_overlap", "depth_order"
ORDER, SYNC = "temporal_order", "temporal_sync"
ROBOTIC = (
    TEMPORAL,
    "directional_view_localization",
    "cross_scenario_localization",
    "language_conditioned_localization",
)

SHIFT = "dot shift between images"
IMAGE_SHIFT = "image shift between views"
ADVISORY = (SHIFT, IMAGE_SHIFT)
"""These compare views, if crudely, so they are no cheaters: they tell how easy the views are."""

CHEAP_CUES: dict[str, tuple[tuple[str, Callable[[Entry, Case], Cues]], ...]] = {
    POINT: (("mark colours", color_cues), ("dot position", dot_cues), (SHIFT, shift_cues)),
    DIRECTION: (("mark colours", color_cues), ("arrow in the image", arrow_cues)),
    SPATIAL: (("mark colours", color_cues), ("dot position", dot_cues), (SHIFT, shift_cues)),
    DEPTH: (("mark colours", color_cues), ("dot position", dot_cues), (SHIFT, shift_cues)),
    POSE: (("options in words", turn_cues),),
    **dict.fromkeys(ROBOTIC, (("camera of the image", camera_cues),)),
}
PATCHED = {
    POINT: "nearest colour patch",
    SPATIAL: "colour patch outlier",
    DEPTH: "colour patch outlier",
}
COMPARED = (VIEWPOINT, TEMPORAL, OVERLAP, DEPTH, SYNC)
"""Tasks that must not be solved by the most or least similar image."""
SET_APART = (DEPTH, SYNC)
"""Tasks that must not be solved by the option that is most or least like the other options."""
LOOKED_AT = (VIEWPOINT, OVERLAP, DEPTH, SYNC, *ROBOTIC)
"""Tasks whose options are images without a mark in question."""


def wants_patches(entries: Sequence[Entry]) -> list[bool]:
    """For which samples the cheaters want colours around marks: the first ones by hash."""
    chosen = {index for task in PATCHED for index in _subset(entries, task, IMAGE_SAMPLES_PER_TASK)}
    return [index in chosen for index in range(len(entries))]


def run_cheaters(
    entries: Sequence[Entry],
    patches: Sequence[np.ndarray | None],
    read: Callable[[str], bytes] | None,
) -> list[CheaterScore]:
    """Scores of every cheater on every task that has samples, in a fixed order.

    Args:
        entries: samples, all splits together.
        patches: mean RGB around each sample's marks in the clean image, where looked up.
        read: gives the encoded image of a url; None where there are no images.
    """
    scores = []
    for task in sorted({entry.proof.task for entry in entries}):
        numbers = [i for i, entry in enumerate(entries) if entry.proof.task == task]
        chosen = [(entries[i], case_of(entries[i])) for i in numbers]
        cases = [case for _, case in chosen]
        scores.append(_score(task, "majority answer", cases, majority(cases)))
        scores.append(_score(task, "position or colour prior", cases, prior(cases)))
        scores.append(_score(task, "bag of words", cases, words(cases)))
        for name, cue in CHEAP_CUES.get(task, ()):
            found = [cue(entry, case) for entry, case in chosen]
            asked = cases
            if task == SPATIAL and cue is dot_cues:
                asked, found = _one_on_one(cases, found)
            scores += _cue_scores(task, name, asked, found)
        if task in PATCHED:
            seen = [
                (case_of(entries[i]), patch_cues(entries[i], case_of(entries[i]), patch))
                for i in numbers
                if (patch := patches[i]) is not None and np.isfinite(patch).all()
            ]
            scores += _cue_scores(task, PATCHED[task], [c for c, _ in seen], [x for _, x in seen])
        scores += _image_scores(task, entries, read)
    return scores


def _image_scores(
    task: str, entries: Sequence[Entry], read: Callable[[str], bytes] | None
) -> list[CheaterScore]:
    if task not in (*LOOKED_AT, POSE, ORDER) or read is None:
        return []
    cases, signs = [], []
    found: dict[str, list] = defaultdict(list)
    for number in _subset(entries, task, IMAGE_SAMPLES_PER_TASK):
        entry, case = entries[number], case_of(entries[number])
        pictures = {url: look_at(read(url), url) for url in _urls(entry)}
        cases.append(case)
        cues: dict[str, np.ndarray] = {}
        if task == POSE:
            signs.append(turn_cues(entry, case)[:, :3])
            cues = turn_measures(entry, pictures)
        elif task == ORDER:
            cues = order_cues(entry, case, pictures)
        if task in LOOKED_AT:
            cues["look of single images"] = look_cues(entry, case, pictures)
        if task in COMPARED:
            cues["most similar image"] = likeness_cues(entry, case, pictures)
        if task in SET_APART:
            cues["unlike the other options"] = outlier_cues(entry, case, pictures)
        for name, cue in cues.items():
            found[name].append(cue)
    if task == POSE:
        found = {name: crossed(signs, measures) for name, measures in found.items()}
    return [score for name in found for score in _cue_scores(task, name, cases, found[name])]


def _one_on_one(cases: Sequence[Case], cues: Sequence[Cues]) -> tuple[list[Case], list[Cues]]:
    """The right option against a single wrong one, both chosen and ordered by a hash.

    Dots on one point lie near each other in all images, so the odd one is an extreme of any
    measure; only against one other dot does its own place tell whether it betrays itself.
    """
    pairs, rows = [], []
    for case, cue in zip(cases, cues, strict=True):
        wrong = [number for number in range(len(case.options)) if number != case.answer]
        dice = hashlib.sha256(case.sample_id.encode()).digest()
        pair = [case.answer, wrong[dice[0] % len(wrong)]]
        pair = pair if dice[1] % 2 else pair[::-1]
        options = tuple(case.options[number] for number in pair)
        pairs.append(replace(case, options=options, answer=pair.index(case.answer)))
        rows.append(cue[pair])
    return pairs, rows


def _urls(entry: Entry) -> list[str]:
    return [image.url for image in entry.proof.images]


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
        advisory=name.startswith(ADVISORY),
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

"""Every answer recomputed from its source, one scene or episode at a time.

Samples are grouped by what they were made from, so that a source is opened once and each of its
depth maps decoded once. Groups are independent: they can be spread over processes.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from jaxtyping import Float

from xvr.audit.directions import check_direction
from xvr.audit.evidence import Evidence, gather
from xvr.audit.moves import check_move
from xvr.audit.nearness import check_nearness
from xvr.audit.origin import Origins
from xvr.audit.overlaps import check_overlap
from xvr.audit.points import check_point, check_spatial
from xvr.audit.report import Finding, Problem
from xvr.audit.rigs import CHECKS as ROBOTIC_CHECKS
from xvr.audit.rigs import check_robotic
from xvr.audit.thresholds import Thresholds
from xvr.audit.viewpoints import check_viewpoint
from xvr.audit.written import Entry, located
from xvr.errors import Unusable
from xvr.sources.records import Episode, Scene

GeneralCheck = Callable[[Entry, Evidence, Thresholds], Iterator[Problem]]

GENERAL_CHECKS: dict[str, GeneralCheck] = {
    "point_correspondence": check_point,
    "directional_correspondence": check_direction,
    "spatial_verification": check_spatial,
    "viewpoint_localization": check_viewpoint,
    "relative_pose": check_move,
    "view_overlap": check_overlap,
    "depth_order": check_nearness,
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The outcome for one sample."""

    findings: tuple[Finding, ...]
    recomputed: bool
    """The source was there and the answer was worked out from it."""
    patches: Float[np.ndarray, "m 3"] | None = None
    """Mean RGB around each mark, for general samples whose colours were asked for."""


def group_entries(entries: Sequence[Entry]) -> list[list[int]]:
    """Positions of the entries that share a scene, an episode or a pair of episodes."""
    groups: dict[tuple, list[int]] = {}
    for number, entry in enumerate(entries):
        source = entry.proof.source
        names = source.episodes or [source.scene or source.episode or ""]
        groups.setdefault((source.format, source.path, *names), []).append(number)
    return list(groups.values())


def check_answers(
    entries: Sequence[Entry],
    wants_patches: Sequence[bool],
    limits: Thresholds,
    *,
    relocate: Mapping[str, str],
    workers: int = 1,
) -> list[Checked]:
    """Recompute every answer; one result per entry, in order, whatever the number of workers.

    Args:
        entries: samples with their proofs.
        wants_patches: for which of them the colours around marks are looked up too.
        limits: rules to check again.
        relocate: start of recorded source paths to what replaces it.
        workers: processes.
    """
    groups = group_entries(entries)
    work = [
        ([entries[i] for i in group], np.array([wants_patches[i] for i in group], dtype=bool))
        for group in groups
    ]
    if workers > 1:
        check = partial(_check_group, limits=limits, origins=Origins(relocate=dict(relocate)))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            results = list(pool.map(check, work, chunksize=max(1, len(work) // (8 * workers))))
    else:
        origins = Origins(relocate=dict(relocate))
        results = [_check_group(part, limits=limits, origins=origins) for part in work]
    ordered: list[Checked | None] = [None] * len(entries)
    for number, checked in zip(chain(*groups), chain(*results), strict=True):
        ordered[number] = checked
    return [checked for checked in ordered if checked is not None]


def _check_group(
    work: tuple[list[Entry], np.ndarray], *, limits: Thresholds, origins: Origins
) -> list[Checked]:
    entries, wants_patches = work
    try:
        opened = origins.open(entries[0].proof.source)
        if isinstance(opened[0], Scene):
            return _check_scene(opened[0], entries, wants_patches, limits)
        episodes = [episode for episode in opened if isinstance(episode, Episode)]
        return [_check_robotic(entry, episodes, limits) for entry in entries]
    except Unusable as error:
        return [_not_checked(entry, error) for entry in entries]


def _check_scene(
    scene: Scene, entries: list[Entry], wants_patches: np.ndarray, limits: Thresholds
) -> list[Checked]:
    checked = []
    found = gather(scene, entries, wants_patches)
    for entry, evidence, wanted in zip(entries, found, wants_patches, strict=True):
        check = GENERAL_CHECKS.get(entry.proof.task)
        if isinstance(evidence, Unusable):
            checked.append(_not_checked(entry, evidence))
        elif check is None:
            checked.append(_unknown_task(entry))
        else:
            findings = tuple(located(entry, problem) for problem in check(entry, evidence, limits))
            patches = evidence.patches if wanted else None
            checked.append(Checked(findings=findings, recomputed=True, patches=patches))
    return checked


def _check_robotic(entry: Entry, episodes: Sequence[Episode], limits: Thresholds) -> Checked:
    if entry.proof.task not in ROBOTIC_CHECKS or not episodes:
        return _unknown_task(entry)
    if any((image.episode or 0) >= len(episodes) for image in entry.proof.images):
        return _not_checked(entry, Unusable("unknown_episode", "an image names a third one"))
    findings = tuple(located(entry, problem) for problem in check_robotic(entry, episodes, limits))
    return Checked(findings=findings, recomputed=True)


def _not_checked(entry: Entry, error: Unusable) -> Checked:
    problem = Problem("answer", error.reason, error.detail)
    return Checked(findings=(located(entry, problem),), recomputed=False)


def _unknown_task(entry: Entry) -> Checked:
    detail = f"{entry.proof.task!r} in a {entry.proof.source.format} source"
    return _not_checked(entry, Unusable("unknown_task", detail))

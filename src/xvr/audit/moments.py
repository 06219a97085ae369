"""Temporal order and temporal sync, decided by the timestamps of the frames that are shown."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from xvr.audit.report import Problem
from xvr.audit.sightings import check_recorded
from xvr.audit.thresholds import Thresholds
from xvr.audit.wording import choices_of, question_of
from xvr.audit.written import Entry
from xvr.dataset.record import ImageRecord
from xvr.sources.records import Episode


def check_order(entry: Entry, episodes: Sequence[Episode], limits: Thresholds) -> Iterator[Problem]:
    """The option that lists the second camera's images as their timestamps go from Image 1 on."""
    episode, images = episodes[0], entry.proof.images
    times = [episode.time_s(image.frame_index) for image in images]
    if len(images) != 5 or not _two_cameras(images, witnesses=2):
        yield Problem("answer", "wrong_options", f"cameras {[i.camera for i in images]}")
        return
    if sorted(times[:2]) != [min(times[2:]), max(times[2:])]:
        yield Problem("answer", "witness_differs", f"{times[:2]} s are not the ends of {times[2:]}")
    since_start = [abs(time - times[0]) for time in times]
    order = [images[i].image for i in sorted(range(2, 5), key=lambda i: since_start[i])]
    choices = choices_of(question_of(entry))
    fitting = [
        letter
        for letter, text in choices.items()
        if [int(word) for word in text.replace(",", " ").split() if word.isdigit()] == order
    ]
    if len(set(choices.values())) != len(entry.proof.options) or len(fitting) != 1:
        yield Problem("answer", "wrong_options", f"{choices} for the order {order}")
    elif fitting != [entry.answer]:
        yield Problem("answer", "wrong_answer", f"{fitting[0]} is the order, not {entry.answer}")
    yield from _check_moments(entry, episode, images[2:], limits)


def check_sync(entry: Entry, episodes: Sequence[Episode], limits: Thresholds) -> Iterator[Problem]:
    """The image with the timestamp of Image 1."""
    episode, images = episodes[0], entry.proof.images
    if len(images) != 4 or not _two_cameras(images, witnesses=1):
        yield Problem("answer", "wrong_options", f"cameras {[i.camera for i in images]}")
        return
    asked = episode.time_s(images[0].frame_index)
    same = [str(i.image) for i in images[1:] if episode.time_s(i.frame_index) == asked]
    if same != [entry.answer]:
        detail = f"at {asked:.3f} s is image {', '.join(same) or 'none'}, not {entry.answer}"
        yield Problem("answer", "wrong_answer", detail)
    yield from _check_moments(entry, episode, images[1:], limits)


def _two_cameras(images: Sequence[ImageRecord], witnesses: int) -> bool:
    """The first images are from one camera, the others all from another one."""
    first = {image.camera for image in images[:witnesses]}
    others = {image.camera for image in images[witnesses:]}
    return len(first) == len(others) == 1 and first != others


def _check_moments(
    entry: Entry, episode: Episode, images: Sequence[ImageRecord], limits: Thresholds
) -> Iterator[Problem]:
    """Every two moments are apart in time and, where known, by the end effector's place."""
    pairs = [(a.frame_index, b.frame_index) for a, b in combinations(images, 2)]
    gap = min(abs(episode.time_s(a) - episode.time_s(b)) for a, b in pairs)
    measured = {"min_time_gap_s": gap}
    if gap < limits.min_time_gap_s - 1e-6:
        yield Problem("rule", "times_too_close", f"{gap:.3f} s")
    places = episode.effector_positions
    if places is not None:
        moved = min(float(np.linalg.norm(places[a] - places[b])) for a, b in pairs)
        measured["min_moment_move_m"] = moved
        if not moved >= limits.min_moment_move_m - 1e-4:
            yield Problem("rule", "effector_still", f"moved {moved:.4f} m between two moments")
    yield from check_recorded(entry, measured)

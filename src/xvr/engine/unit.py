"""One unit of work: a scene or an episode is read once and gives all its samples.

`run_unit` depends on nothing but its arguments and the source's files: the same unit gives the
same bytes in any process, at any time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from xvr.capture.check import refuse_inconsistent_episode, refuse_inconsistent_scene
from xvr.dataset.encode import ENCODERS, encode
from xvr.dataset.marks import draw_marks
from xvr.engine.assemble import unit_record
from xvr.engine.config import BuildConfig
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt, UnitFiles, UnitWriter
from xvr.engine.seeds import child_rng, digest
from xvr.errors import Unusable
from xvr.sources import load
from xvr.sources.open_videos import close_all
from xvr.sources.records import Episode, Image, Ref, Scene, View
from xvr.tasks import get_task
from xvr.tasks.draft import Draft, ImageRef, Refusal, Slot
from xvr.tasks.filters import check_episode, check_points, check_scene
from xvr.tasks.grid import EpisodePair, FrameGrid
from xvr.tasks.pool import PointPool, ViewPixels, build_pool
from xvr.tasks.rules import Rules

MAX_VIEWS = 60
MIN_INSTANTS, MAX_INSTANTS = 2, 64
GIVE_UP = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What the tasks of a unit work on, and where its pixels are."""

    drafting: PointPool | EpisodePair
    records: tuple[Scene | Episode, ...]
    refs: tuple[Ref, ...]
    image: Callable[[ImageRef], Image]
    reasons: Counter[str]
    """Refusals that concern the subject as a whole, such as an unusable partner."""


def run_unit(unit: Unit, config: BuildConfig, work: Path, fingerprint: str) -> Receipt:
    """Make a unit's samples, write its files, return the receipt; a finished unit is not redone."""
    files = UnitFiles(work, unit.name)
    done = files.committed(fingerprint)
    if done is not None:
        return done
    try:
        with UnitWriter(files) as writer:
            receipt = _make(unit, config, writer, fingerprint)
    except Unusable as verdict:
        skipped = {"reason": verdict.reason, "detail": verdict.detail}
        receipt = Receipt(unit=unit.name, config=fingerprint, skipped=skipped)
    files.commit(receipt)
    return receipt


def forget_episodes() -> None:
    """Look at the files of episodes again, as a new build does; close what is open of them."""
    _load_episode.cache_clear()
    close_all()


def _make(unit: Unit, config: BuildConfig, writer: UnitWriter, fingerprint: str) -> Receipt:
    subject = _open_scene(unit, config) if unit.ref.kind == "scene" else _open_pair(unit, config)
    refusals: dict[str, Counter[str]] = defaultdict(Counter)
    if subject.reasons:
        refusals["cross_scenario_localization"].update(subject.reasons)
    ink = _Ink(config, subject, writer)
    filled, keys = [], []
    for slot, draft, key in _drafts(unit, config, subject, refusals):
        images, sizes = ink.write(draft)
        record = unit_record(draft, subject.records, subject.refs, sizes, config.seed)
        writer.add_record(record | {"images": images})
        filled.append(slot)
        keys.append(key)
    return Receipt(
        unit=unit.name,
        config=fingerprint,
        filled=filled,
        keys=keys,
        partner_unusable=bool(subject.reasons),
        refusals={task: dict(sorted(counts.items())) for task, counts in sorted(refusals.items())},
        sha256=writer.write(),
    )


def _drafts(
    unit: Unit, config: BuildConfig, subject: Subject, refusals: dict[str, Counter[str]]
) -> Iterator[tuple[tuple[str, int], Draft, str]]:
    """Filled slots with their drafts and the digests of their questions.

    A task that fails `GIVE_UP` slots of a size in a row is not tried with it again in this unit.
    """
    taken = set(unit.taken)
    failures: Counter[tuple[str, int]] = Counter()
    for name, index in unit.slots:
        rng = child_rng(config.seed, unit.ref.id, unit.split, name, index, unit.round)
        slot = get_task(name).slot(unit.split, index)
        kind = (name, slot.images)
        if failures[kind] == GIVE_UP:
            continue
        found = _try(slot, config, subject, rng, taken, refusals[name])
        failures[kind] = 0 if found else failures[kind] + 1
        if found:
            taken.add(found[1])
            yield (name, index), *found


def _try(
    slot: Slot,
    config: BuildConfig,
    subject: Subject,
    rng: np.random.Generator,
    taken: set[str],
    refusals: Counter[str],
) -> tuple[Draft, str] | None:
    """A draft for a slot and the digest of its question, or None when all tries are refused."""
    task = get_task(slot.task)
    for _ in range(config.rules.attempts_per_sample):
        draft = task.draft(subject.drafting, slot, rng, config.rules)
        if isinstance(draft, Refusal):
            refusals[draft.reason] += 1
            if draft.final:
                break
            continue
        key = digest(slot.task, draft.key).hex()[:16]
        if key not in taken:
            return draft, key
        refusals["same_question_again"] += 1
    return None


class _Ink:
    """Draws, encodes and stores the images of drafts; an unmarked image is encoded once."""

    def __init__(self, config: BuildConfig, subject: Subject, writer: UnitWriter) -> None:
        self._config = config
        self._subject = subject
        self._writer = writer
        self._clean: dict[tuple[str, int, int], bytes] = {}

    def write(self, draft: Draft) -> tuple[list[dict[str, tuple[int, int]]], list[tuple[int, int]]]:
        """Places of the written images in the blob, and their (width, height)."""
        places, sizes = [], []
        for number, ref in enumerate(draft.images, start=1):
            image = self._subject.image(ref)
            sizes.append((image.shape[1], image.shape[0]))
            if self._config.images == "none":
                continue
            marks = [mark for mark in draft.marks if mark.image == number]
            place = {"image": self._writer.add_image(self._marked(ref, image, marks))}
            if marks and self._config.keep_clean:
                place["clean"] = self._writer.add_image(self._unmarked(ref, image))
            places.append(place)
        return places, sizes

    def _marked(self, ref: ImageRef, image: Image, marks: list) -> bytes:
        if not marks:
            return self._unmarked(ref, image)
        config = self._config
        return self._encode(draw_marks(image, marks, config.mark_scale, config.mark_labels))

    def _unmarked(self, ref: ImageRef, image: Image) -> bytes:
        frame = (ref.view, ref.frame_index, ref.episode)  # whatever part it plays in a question
        if frame not in self._clean:
            self._clean[frame] = self._encode(image)
        return self._clean[frame]

    def _encode(self, image: Image) -> bytes:
        return encode(image, self._config.image_format, self._config.jpeg_quality)


def image_extension(config: BuildConfig) -> str:
    """Extension of the written images, with the dot."""
    return ENCODERS[config.image_format].extension


def _open_scene(unit: Unit, config: BuildConfig) -> Subject:
    scene = load(unit.ref)
    assert isinstance(scene, Scene), unit.ref
    check_scene(scene, config.rules)
    rng = child_rng(config.seed, unit.ref.id, "pool")
    chosen = _working_views(scene, unit, rng)
    depths = [view.read_depth() if view.read_depth else None for view in chosen]
    if not unit.taken:
        refuse_inconsistent_scene(scene, chosen, depths, config.rules)
    if not unit.taken and all(depth is not None for depth in depths):
        check_points(scene.id, _depth_maps(scene, chosen, depths), config.rules)
    pixels = [
        ViewPixels(v.name, v.frame_index, v.time_s, v.camera, v.read_image(), depth)
        for v, depth in zip(chosen, depths, strict=True)
    ]
    tracks = scene.tracks
    if tracks is not None:
        columns = [scene.views.index(view) for view in chosen]
        tracks = tracks._replace(seen=tracks.seen[:, columns])
    by_name = {view.name: view.image for view in pixels}
    return Subject(
        drafting=build_pool(pixels, tracks, config.rules, rng),
        records=(scene,),
        refs=(unit.ref,),
        image=lambda ref: by_name[ref.view],
        reasons=Counter(),
    )


def _working_views(scene: Scene, unit: Unit, rng: np.random.Generator) -> list[View]:
    """Views evenly along the capture, as many as the samples asked for can use.

    Later rounds ask for the few samples that others could not give: they look at more views.
    """
    least = (1 + unit.round) * max(get_task(task).min_views for task, _ in unit.slots)
    count = min(len(scene.views), MAX_VIEWS, max(least, 2 * len(unit.slots)))
    phase = rng.random()
    places = (np.arange(count) + phase) * len(scene.views) / count
    return [scene.views[int(place)] for place in places]


def _depth_maps(scene: Scene, chosen: list[View], depths: list) -> Iterator[tuple]:
    """Maps that are already decoded, then the others of the scene."""
    for view, depth in zip(chosen, depths, strict=True):
        yield view.camera, depth
    names = {view.name for view in chosen}
    for view in scene.views:
        if view.name not in names and view.read_depth:
            yield view.camera, view.read_depth()


def _open_pair(unit: Unit, config: BuildConfig) -> Subject:
    episode = _load_episode(unit.ref, config.rules)
    grids = [_grid(episode, unit, _instants(unit), config)]
    refs, reasons = [unit.ref], Counter()
    crossing = sum(1 for task, _ in unit.slots if task == "cross_scenario_localization")
    if unit.partner is not None and crossing:
        try:
            grids.append(
                _grid(_load_episode(unit.partner, config.rules), unit, crossing // 2, config)
            )
            refs.append(unit.partner)
        except Unusable as verdict:
            reasons[f"partner_{verdict.reason}"] += 1
    return Subject(
        drafting=EpisodePair(own=grids[0], partner=grids[1] if len(grids) > 1 else None),
        records=tuple(grid.episode for grid in grids),
        refs=tuple(refs),
        image=lambda ref: grids[ref.episode].image(
            ref.view, grids[ref.episode].frames.index(ref.frame_index)
        ),
        reasons=reasons,
    )


@lru_cache(maxsize=4)
def _load_episode(ref: Ref, rules: Rules) -> Episode:
    """An episode that passed the rules; kept, as it may be the partner of the next one."""
    episode = load(ref)
    assert isinstance(episode, Episode), ref
    check_episode(episode, rules)
    refuse_inconsistent_episode(episode, rules)
    return episode


def _instants(unit: Unit) -> int:
    """Half as many instants as samples, and two for three samples of one task.

    All cameras are decoded at all instants, a question shows three cameras of four or so, and
    questions use all instants about equally often. So nearly all that is decoded is shown.
    """
    asked = Counter(task for task, _ in unit.slots)
    least = max(get_task(task).min_instants for task in asked)
    return max(least, len(unit.slots) // 2, 2 * max(asked.values()) // 3)


def _grid(episode: Episode, unit: Unit, instants: int, config: BuildConfig) -> FrameGrid:
    """An episode at random instants."""
    count = min(episode.length, max(MIN_INSTANTS, min(MAX_INSTANTS, instants)))
    rng = child_rng(config.seed, unit.ref.id, episode.id, "grid", unit.round)
    frames = np.sort(rng.choice(episode.length, size=count, replace=False))
    return FrameGrid(
        episode=episode,
        frames=tuple(int(frame) for frame in frames),
        gray_width_px=config.rules.ssim_width_px,
    )

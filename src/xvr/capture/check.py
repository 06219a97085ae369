"""The gate before a build: do the views of a scene or episode agree with each other?

    for finding in check("wildrgbd:/data/wildrgbd", Rules()):
        ...

Scenes are compared by depth or by tracks, calibrated episodes by the depth of their cameras at one
instant.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import isfinite
from typing import Any

import numpy as np

from xvr.capture.agreement import Agreement, TrackViews, sample_depths
from xvr.capture.mistakes import order_mistakes, rig_mistakes
from xvr.capture.verdict import Verdict, is_clear, judge
from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources import Source, index, load
from xvr.sources.records import Depth, Episode, EpisodeCamera, Scene, View
from xvr.tasks.rules import Rules

VIEWS = 24
PAIRS = 24
INSTANTS = 4
"""Of an episode, at which its cameras are compared ..."""
FIRST_INSTANTS = 2
"""... or only so many, near its ends, when these leave no doubt."""
MAX_SIGHTINGS = 50_000
NOTHING = Agreement(0, 0, 0, 0, float("nan"))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one scene or episode."""

    id: str
    by: str
    """What was compared: `depth`, `tracks` or nothing."""
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """Plain values; absent ones are left out."""
        verdict = self.verdict
        record = {
            "id": self.id,
            "verdict": verdict.kind,
            "by": self.by,
            "mistake": verdict.mistake,
            "looks_like": verdict.looks_like,
            "given": _figures(verdict.given),
            "repaired": _figures(verdict.repaired) if verdict.repaired else None,
        }
        return {key: value for key, value in record.items() if value}


def check(source: Source, rules: Rules) -> Iterator[Finding]:
    """Check every scene or episode of a source.

    Raises:
        UserError: the path does not hold the format.
    """
    for ref in index(source):
        try:
            record = load(ref)
            yield check_record(record, rules)
        except Unusable as verdict:
            refused = Verdict(kind="unchecked", given=NOTHING, looks_like=str(verdict))
            yield Finding(id=ref.id, by="", verdict=refused)


def check_record(record: Scene | Episode, rules: Rules) -> Finding:
    """Check one scene or episode; reads a few depth maps and no image.

    Raises:
        Unusable: a depth map cannot be read.
    """
    if isinstance(record, Episode):
        return _check_episode(record, rules)
    if all(view.read_depth for view in record.views):
        count = min(VIEWS, len(record.views))
        chosen = [record.views[n * len(record.views) // count] for n in range(count)]
        depths = [view.read_depth() for view in chosen if view.read_depth]
        return Finding(
            id=record.id, by="depth", verdict=check_depths(record, chosen, depths, rules)
        )
    return Finding(id=record.id, by="tracks", verdict=check_tracks(record, rules))


def refuse_inconsistent_scene(
    scene: Scene, chosen: Sequence[View], depths: Sequence[Depth | None], rules: Rules
) -> None:
    """Raise `Unusable` (`inconsistent_calibration`) when views contradict each other.

    Args:
        scene: the scene.
        chosen: some of its views, in order.
        depths: their depth maps, already decoded; tracks are checked where any is missing.
        rules: thresholds.
    """
    if rules.min_consistent_share > 0:
        known = [depth for depth in depths if depth is not None]
        deep = len(known) == len(chosen)
        _refuse(
            scene, check_depths(scene, chosen, known, rules) if deep else check_tracks(scene, rules)
        )


def refuse_inconsistent_episode(episode: Episode, rules: Rules) -> None:
    """The same for an episode; reads a few depth maps where it has them."""
    if rules.min_consistent_share > 0:
        _refuse(episode, _check_episode(episode, rules).verdict)


def check_depths(
    scene: Scene, chosen: Sequence[View], depths: Sequence[Depth], rules: Rules
) -> Verdict:
    """Compare depth maps that are already decoded.

    Args:
        scene: the scene.
        chosen: some of its views, in order.
        depths: their depth maps.
        rules: thresholds.
    """
    cameras = [view.camera for view in chosen]
    views = sample_depths(
        cameras, depths, _neighbours(len(chosen)), rules.consistent_depth_share, _rng(scene.id)
    )
    places = {view.name: number for number, view in enumerate(scene.views)}
    numbers = [places[view.name] for view in chosen]
    return judge(views, cameras, rules, order_mistakes(_cameras(scene), numbers))


def check_tracks(scene: Scene, rules: Rules) -> Verdict:
    """Compare where tracks were seen with where their points project."""
    if scene.tracks is None or scene.tracks.read_sightings is None:
        return Verdict(kind="unchecked", given=NOTHING, looks_like="neither depth nor tracks")
    sightings = scene.tracks.read_sightings()
    step = 1 + sum(len(seen.rows) for seen in sightings) // MAX_SIGHTINGS
    views = TrackViews(
        points_world=scene.tracks.points_world,
        rows=tuple(seen.rows[::step] for seen in sightings),
        uv_px=tuple(seen.uv_px[::step] for seen in sightings),
        tolerance_share=rules.consistent_px_share,
    )
    cameras = _cameras(scene)
    return judge(views, cameras, rules, order_mistakes(cameras, range(len(cameras))))


def _cameras(scene: Scene) -> list[Camera]:
    return [view.camera for view in scene.views]


def _refuse(record: Scene | Episode, verdict: Verdict) -> None:
    if verdict.kind == "inconsistent":
        raise Unusable("inconsistent_calibration", f"{record.id}: {verdict.detail}")


def _check_episode(episode: Episode, rules: Rules) -> Finding:
    calibrated = [camera for camera in episode.cameras if camera.calibration]
    deep = [camera for camera in calibrated if camera.read_depth]
    if len(deep) < 2:
        missing = "no depth beside the calibration" if calibrated else "no calibration"
        looks = f"{missing}: only sides and roles of cameras can be checked, by `xvr data audit`"
        return Finding(
            id=episode.id,
            by="",
            verdict=Verdict(kind="unchecked", given=NOTHING, looks_like=looks),
        )
    rig = _RigDepths(episode, deep)
    instants = _instants(episode)
    verdict = rig.verdict(instants[:FIRST_INSTANTS], rules)
    if not is_clear(verdict.given):
        verdict = rig.verdict(instants, rules)
    return Finding(id=episode.id, by="depth", verdict=verdict)


class _RigDepths:
    """Depth maps of the cameras of an episode, read when they are needed."""

    def __init__(self, episode: Episode, cameras: Sequence[EpisodeCamera]) -> None:
        self._episode = episode
        self._cameras = cameras
        self._read: dict[int, list[tuple[str, Camera, Depth]]] = {}

    def verdict(self, instants: Sequence[int], rules: Rules) -> Verdict:
        """Compare every two cameras at each of the instants."""
        members: list[tuple[int, str]] = []
        cameras: list[Camera] = []
        depths: list[Depth] = []
        pairs: list[tuple[int, int]] = []
        for frame in sorted(instants):
            first = len(cameras)
            for key, camera, depth in self._at(frame):
                members.append((frame, key))
                cameras.append(camera)
                depths.append(depth)
            pairs += permutations(range(first, len(cameras)), 2)
        rng = _rng(self._episode.id)
        views = sample_depths(cameras, depths, pairs, rules.consistent_depth_share, rng)
        return judge(views, cameras, rules, rig_mistakes(members))

    def _at(self, frame: int) -> list[tuple[str, Camera, Depth]]:
        if frame not in self._read:
            found = []
            for camera in self._cameras:
                depth = camera.read_depth(frame) if camera.read_depth else None
                if depth is not None and camera.calibration:
                    found.append((camera.key, camera.calibration(frame), depth))
            self._read[frame] = found
        return self._read[frame]


def _figures(agreement: Agreement) -> dict[str, float | None]:
    if not agreement.compared:
        return {"sampled": agreement.sampled, "compared": 0}
    return {
        "sampled": agreement.sampled,
        "compared": agreement.compared,
        "agreeing": agreement.agreeing,
        "in_front": agreement.in_front,
        "share": agreement.share_unhidden,
        "median_error": error if isfinite(error := agreement.median_error) else None,
    }


def _instants(episode: Episode) -> list[int]:
    """Frames evenly over the episode: one near each end first, then those between.

    Multiples of 30, as depth is often kept of every nth frame only.
    """
    evenly = [(2 * n + 1) * episode.length // (2 * INSTANTS) for n in range(INSTANTS)]
    spread = [*evenly[:: INSTANTS - 1], *evenly[1:-1]]
    return list(dict.fromkeys(frame - frame % 30 for frame in spread))


def _neighbours(count: int) -> list[tuple[int, int]]:
    """Pairs of near and not so near views, spread over the capture, in both directions."""
    gaps = sorted({gap for gap in (1, max(1, count // 16), max(2, count // 8)) if gap < count})
    pairs = []
    for gap in gaps:
        places = count - gap
        taken = min(places, PAIRS // len(gaps))
        firsts = [n * places // taken for n in range(taken)]
        pairs += [(a, a + gap) if n % 2 else (a + gap, a) for n, a in enumerate(firsts)]
    return pairs


def _rng(name: str) -> np.random.Generator:
    """Depends on the name only: the same data gets the same verdict everywhere."""
    return np.random.default_rng(zlib.crc32(name.encode()))

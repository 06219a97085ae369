"""What the image tokens of a question see, worked out from depth, poses and provenance.

    token_targets(proof, views, grids)

A token of view a and a token of view b correspond when the surface at the middle of the first one
is seen, not hidden, inside the second one. Which marks lie where, and which of them are on one and
the same point, follows from the marks alone; which images share a moment or a camera, from their
records. Answers are not used, only what answers follow from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.audit.origin import Origins
from xvr.dataset.record import MarkRecord, Provenance
from xvr.errors import Unusable
from xvr.geometry.camera import Camera, project, unproject
from xvr.geometry.visibility import Tolerance, lookup_depth
from xvr.sources.records import Depth, Scene, View
from xvr.tasks.draft import COLORS

HIDDEN, UNKNOWN = -1, -2
"""In place of a token: the surface is not seen there, or nothing is known about it."""
AFTER = -1
"""In place of a token of an image: the one that follows it."""
MARK_CLASSES = 1 + 2 * len(COLORS)
"""No mark, a dot of each colour, an arrow's head of each colour."""
_SURFACE = Tolerance(0.3, 0.1)
"""A depth is taken where its neighbours agree so far: tokens are coarse."""
_SEEN_SHARE, _SEEN_M = 0.02, 0.02
"""A point is seen where the depth map has its depth within a share of it, or within metres."""
_DEPTHS, _TABLES = 256, 20_000
"""Depth maps, and correspondences of two views, that are remembered."""

Grid = tuple[int, int]
"""Rows and columns of tokens of an image."""


class Relation(NamedTuple):
    """Whether an image, at one of its tokens, goes together with an earlier image."""

    kind: int
    """Place in `RELATIONS`."""
    image: int
    token: int
    """Of the image, or `AFTER`."""
    earlier: int
    """Number of the earlier image, from 0."""
    holds: bool


RELATIONS = ("same_point", "stands_there", "same_moment", "same_camera")
"""The mark here is on the point of the earlier image's mark; this image's camera stands where the
earlier image marks; both were taken at one moment; by one camera."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenTargets:
    """Of one question with k images of at most t tokens."""

    seen_at: Int[np.ndarray, "k k t"]
    """Token of the second image that sees what a token of the first one sees, or `HIDDEN` or
    `UNKNOWN`."""
    marks: Int[np.ndarray, "k t"]
    """Class of the mark in each token, one of `MARK_CLASSES`; 0 is none."""
    marked: Float[np.ndarray, "k t"]
    """How many marks of earlier images are on what a token sees."""
    relations: tuple[Relation, ...]
    verdicts: Int[np.ndarray, "k t"]
    """Where a mark can be chosen: its class if it is right and 0 if it is wrong; elsewhere
    `UNKNOWN`."""
    evidence: Bool[np.ndarray, "k t"]
    """Tokens that show what the answer follows from in the end: the right mark, all marks that are
    held against each other, or the right image."""


class Geometry:
    """Opens the scenes that questions come from and remembers what their views see."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._origins = Origins()
        self._scene = lru_cache(maxsize=None)(self._open)
        self._depth = lru_cache(_DEPTHS)(self._read_depth)
        self._points = lru_cache(_TABLES)(self._points_of_tokens)
        self._table = lru_cache(_TABLES)(self._seen_at)

    def targets(self, proof: Provenance, grids: Sequence[Grid]) -> TokenTargets:
        """Targets of a question.

        Args:
            proof: its provenance.
            grids: of its images, in order.

        Raises:
            Unusable: its source cannot be opened.
        """
        count, most = len(grids), max(rows * columns for rows, columns in grids)
        seen_at = np.full((count, count, most), UNKNOWN, np.int64)
        views = self._views(proof)
        if views is not None:
            for a in range(count):
                for b in range(count):
                    if a != b:
                        found = self._table(*views[a], *views[b], grids[a], grids[b])
                        seen_at[a, b, : len(found)] = found
        marks, marked = self._marks(proof, grids, most, views)
        return TokenTargets(
            seen_at=seen_at,
            marks=marks,
            marked=marked,
            relations=relations_of(proof, grids),
            verdicts=verdicts_of(proof, grids, most),
            evidence=evidence_of(proof, grids, most),
        )

    def _views(self, proof: Provenance) -> list[tuple[str, str, str, str]] | None:
        """Format, path, scene and view of every image; None of an episode."""
        source = proof.source
        if source.scene is None or any(image.view is None for image in proof.images):
            return None
        return [
            (source.format, source.path, source.scene, str(image.view)) for image in proof.images
        ]

    def _open(self, format: str, path: str, scene: str) -> Mapping[str, View]:
        from xvr.dataset.record import SourceRecord

        opened = self._origins.open(SourceRecord(format=format, path=path, scene=scene))[0]
        if not isinstance(opened, Scene):
            raise Unusable("missing_source", f"{format}:{path} holds no scene {scene}")
        return {view.name: view for view in opened.views}

    def _read_depth(self, format: str, path: str, scene: str, view: str) -> Depth | None:
        read = self._scene(format, path, scene)[view].read_depth
        return None if read is None else read()

    def _points_of_tokens(
        self, format: str, path: str, scene: str, view: str, grid: Grid
    ) -> Float[np.ndarray, "t 3"]:
        """The surface at the middle of each token, world, metres; NaN where there is none."""
        camera = self._scene(format, path, scene)[view].camera
        depth = self._depth(format, path, scene, view)
        middles_px = token_middles_px(camera, grid)
        points = np.full((len(middles_px), 3), np.nan)
        if depth is not None:
            depth_m = lookup_depth(depth, middles_px, _SURFACE)
            known = np.isfinite(depth_m)
            points[known] = unproject(camera, middles_px[known], depth_m[known])
        return points

    def _seen_at(self, *of_both: Any) -> Int[np.ndarray, " t"]:
        first, second, (from_grid, to_grid) = of_both[:4], of_both[4:8], of_both[8:]
        points = self._points(*first, from_grid)
        return self._tokens_seeing(points, second, to_grid)

    def _tokens_seeing(
        self, points: Float[np.ndarray, "n 3"], view: Sequence, grid: Grid
    ) -> Int[np.ndarray, " n"]:
        """Token of a view that sees each point, or `HIDDEN`, or `UNKNOWN` for NaN."""
        found = np.full(len(points), UNKNOWN, np.int64)
        known = np.isfinite(points).all(axis=1)
        depth = self._depth(*view)
        if depth is None or not known.any():
            return found
        camera = self._scene(*view[:3])[view[3]].camera
        uv_px, depth_m = project(camera, points[known])
        tokens = tokens_at(uv_px, camera, grid)
        inside = np.flatnonzero(tokens >= 0)
        columns, rows = uv_px[inside].astype(int).T
        error_m = np.abs(depth[rows, columns] - depth_m[inside])
        hidden = ~(error_m <= np.maximum(_SEEN_M, _SEEN_SHARE * depth_m[inside]))
        tokens[inside[hidden]] = HIDDEN
        found[known] = tokens
        return found

    def _marks(
        self, proof: Provenance, grids: Sequence[Grid], most: int, views: list | None
    ) -> tuple[Int[np.ndarray, "k t"], Float[np.ndarray, "k t"]]:
        marks = np.zeros((len(grids), most), np.int64)
        marked = np.zeros((len(grids), most))
        for mark in proof.marks:
            number = mark.image - 1
            marks[number, token_of_mark(proof, mark, grids)] = _class_of(mark)
            if views is None or mark.label == "Camera" or _is_option(proof, mark):
                continue
            point = np.array([mark.end_point_m or mark.point_m], float)
            for later in range(number + 1, len(grids)):
                if mark.kind == "arrow":  # its head may be in the air
                    camera = self._scene(*views[later][:3])[views[later][3]].camera
                    token = tokens_at(project(camera, point)[0], camera, grids[later])[0]
                else:
                    token = self._tokens_seeing(point, views[later], grids[later])[0]
                if token >= 0:
                    marked[later, token] += 1
        return marks, marked


def relations_of(proof: Provenance, grids: Sequence[Grid]) -> tuple[Relation, ...]:
    """How images and marks of a question go together."""
    found = [
        Relation(0, mark.image - 1, token_of_mark(proof, mark, grids), earlier.image - 1, same)
        for mark in proof.marks
        for earlier in proof.marks
        if earlier.image < mark.image and mark.label != "Camera"
        for same in [_tip(mark) == _tip(earlier)]
    ]
    cameras = [mark.image - 1 for mark in proof.marks if mark.label == "Camera"]
    for image in proof.images:
        number = image.image - 1
        if cameras and image.part == "candidate":
            right = str(image.image) == proof.answer
            found += [Relation(1, number, AFTER, earlier, right) for earlier in cameras]
        for other in proof.images[:number] if proof.domain == "robotic" else ():
            earlier = other.image - 1
            if proof.task == "temporal_verification":
                same = image.frame_index == other.frame_index
                found.append(Relation(2, number, AFTER, earlier, same))
            if proof.task == "cross_scenario_localization" and image.episode != other.episode:
                found.append(Relation(3, number, AFTER, earlier, image.role == other.role))
    return tuple(found)


def verdicts_of(proof: Provenance, grids: Sequence[Grid], most: int) -> Int[np.ndarray, "k t"]:
    """Which of the marks to choose from is right, at its token."""
    verdicts = np.full((len(grids), most), UNKNOWN, np.int64)
    for mark in proof.marks:
        if _is_option(proof, mark):
            right = mark.color == proof.answer
            token = token_of_mark(proof, mark, grids)
            if right or verdicts[mark.image - 1, token] == UNKNOWN:  # two may share a token
                verdicts[mark.image - 1, token] = _class_of(mark) if right else 0
    return verdicts


def evidence_of(proof: Provenance, grids: Sequence[Grid], most: int) -> Bool[np.ndarray, "k t"]:
    """Tokens to look at in the end; none for a question that is answered in other words."""
    evidence = np.zeros((len(grids), most), bool)
    if proof.answer in COLORS:
        shown = [m for m in proof.marks if m.color == proof.answer and _is_option(proof, m)]
    else:
        shown = [m for m in proof.marks if m.label != "Camera"]
    for mark in shown:
        evidence[mark.image - 1, token_of_mark(proof, mark, grids)] = True
    if not shown and proof.answer.isdecimal() and 0 < int(proof.answer) <= len(grids):
        rows, columns = grids[int(proof.answer) - 1]
        evidence[int(proof.answer) - 1, : rows * columns] = True
    return evidence


def token_of_mark(proof: Provenance, mark: MarkRecord, grids: Sequence[Grid]) -> int:
    """Token that shows a dot, or the head of an arrow."""
    image = proof.images[mark.image - 1]
    rows, columns = grids[mark.image - 1]
    u, v = mark.uv_end_px or mark.uv_px
    row = min(max(int(v * rows / image.height), 0), rows - 1)
    column = min(max(int(u * columns / image.width), 0), columns - 1)
    return row * columns + column


def token_middles_px(camera: Camera, grid: Grid) -> Float[np.ndarray, "t 2"]:
    """Pixels at the middle of each token, row by row."""
    rows, columns = grid
    u = (np.arange(columns) + 0.5) * camera.width / columns
    v = (np.arange(rows) + 0.5) * camera.height / rows
    return np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)


def tokens_at(uv_px: Float[np.ndarray, "n 2"], camera: Camera, grid: Grid) -> Int[np.ndarray, " n"]:
    """Token of each pixel, `HIDDEN` outside of the image and behind the camera."""
    rows, columns = grid
    shares = uv_px / (camera.width, camera.height)
    inside = ((shares >= 0) & (shares < 1)).all(axis=1)  # NaN is not
    at = np.where(inside[:, None], shares, 0) * (columns, rows)
    column, row = at.astype(np.int64).T
    return np.where(inside, row * columns + column, HIDDEN)


def _tip(mark: MarkRecord) -> tuple[float, float, float]:
    return mark.end_point_m or mark.point_m


def _class_of(mark: MarkRecord) -> int:
    return 1 + COLORS.index(mark.color) + (len(COLORS) if mark.kind == "arrow" else 0)


def _is_option(proof: Provenance, mark: MarkRecord) -> bool:
    """Whether a mark is one of several to choose from, and no statement about the scene."""
    return proof.images[mark.image - 1].part == "target"

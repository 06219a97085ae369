"""What the image tokens of a question see, worked out from depth, poses and provenance.

    TargetMaker().targets(proof, grids)

A token of view a and a token of view b correspond when the surface at the middle of the first one
is seen, not hidden, inside the second one. Targets never come from pixels, and but for `verdicts`,
`odd`, `evidence` and the relation `stands_there` never from the answer.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from xvr.audit.origin import Origins
from xvr.dataset.record import Provenance, SourceRecord
from xvr.errors import Unusable
from xvr.geometry.camera import Camera, project, unproject
from xvr.geometry.visibility import Tolerance, lookup_depth
from xvr.sources.records import Depth, Scene, View
from xvr.training.camera_targets import Episodes, hands_at, poses_of, sides_of, toward
from xvr.training.question_targets import (
    class_of,
    evidence_of,
    is_option,
    named_by,
    odd_of,
    relations_of,
    role_of,
    tip_of,
    token_of_mark,
    verdicts_of,
)
from xvr.training.token_grid import token_middles_px, tokens_at
from xvr.training.token_targets import HIDDEN, UNKNOWN, Grid, TokenTargets

_SURFACE = Tolerance(0.3, 0.1)
"""A depth is taken where its neighbours agree so far: tokens are coarse."""
_SEEN_SHARE, _SEEN_M = 0.02, 0.02
"""A point is seen where the depth map has its depth within a share of it, or within metres."""
_DEPTHS, _TABLES = 1000, 250_000
"""Depth maps, and correspondences of two views, that are remembered."""


class TargetMaker:
    """Opens the scenes and episodes that questions come from and remembers what their views see."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._origins = Origins()
        self._episodes = Episodes(self._origins)
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
        cameras = self._cameras(proof, views)
        directions = toward(cameras)
        of_episode = proof.domain == "robotic"
        hands = self._episodes.hands(proof) if of_episode else np.full((count, 3), np.nan)
        poses = poses_of(cameras if of_episode else [None] * count)  # a scene's world is anywhere
        return TokenTargets(
            seen_at=seen_at,
            marks=marks,
            marked=marked,
            relations=relations_of(proof, grids) + sides_of(directions),
            verdicts=verdicts_of(proof, grids, most),
            odd=odd_of(proof, grids),
            evidence=evidence_of(proof, grids),
            named=named_by(proof),
            roles=np.array([role_of(image.role) for image in proof.images]),
            cameras=poses,
            toward=directions,
            hands=hands,
            hands_at=hands_at(proof, cameras, hands, grids),
        )

    def _cameras(self, proof: Provenance, views: list | None) -> list[Camera | None]:
        if views is not None:
            return [self._scene(*view[:3])[view[3]].camera for view in views]
        if proof.domain == "robotic":
            return self._episodes.cameras(proof)
        return [None] * len(proof.images)

    def _views(self, proof: Provenance) -> list[tuple[str, str, str, str]] | None:
        """Format, path, scene and view of every image; None of an episode."""
        source = proof.source
        if source.scene is None or any(image.view is None for image in proof.images):
            return None
        return [
            (source.format, source.path, source.scene, str(image.view)) for image in proof.images
        ]

    def _open(self, format: str, path: str, scene: str) -> Mapping[str, View]:
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
            marks[number, token_of_mark(proof, mark, grids)] = class_of(mark)
            if views is None or mark.label == "Camera" or is_option(proof, mark):
                continue
            point = np.array([tip_of(mark)], float)
            for later in range(number + 1, len(grids)):
                if mark.kind == "arrow":  # its head may be in the air
                    camera = self._scene(*views[later][:3])[views[later][3]].camera
                    token = tokens_at(project(camera, point)[0], camera, grids[later])[0]
                else:
                    token = self._tokens_seeing(point, views[later], grids[later])[0]
                if token >= 0:
                    marked[later, token] += 1
        return marks, marked

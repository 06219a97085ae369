"""What the image tokens of a question see, worked out from depth, poses and provenance.

    TargetMaker().targets(proof, grids)

A token of view a and a token of view b correspond when the surface at the middle of the first one
is seen, not hidden, inside the second one. Targets never come from pixels, and but for `verdicts`,
`odd`, `evidence` and the relation `stands_there` never from the answer.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from xvr.dataset.record import Provenance
from xvr.geometry.camera import project, unproject
from xvr.geometry.visibility import Tolerance, lookup_depth
from xvr.training.camera_targets import hands_at, poses_of, sides_of, toward
from xvr.training.image_origins import ImageOrigin, ImageOrigins
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
from xvr.training.token_grid import token_middles_px, tokens_at, tokens_seeing
from xvr.training.token_targets import UNKNOWN, Grid, TokenTargets

_SURFACE = Tolerance(0.3, 0.1)
"""A depth is taken where its neighbours agree so far: tokens are coarse."""
_TABLES = 250_000
"""Correspondences of two images that are remembered."""


class TargetMaker:
    """Makes the targets of one question after the other."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._origins = ImageOrigins()
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
        images = self._origins.images(proof)
        for a, first in enumerate(images):
            for b, second in enumerate(images):
                if a != b and first.place == second.place:
                    found = self._table(first, second, grids[a], grids[b])
                    seen_at[a, b, : len(found)] = found
        marks, marked = self._marks(proof, grids, most, images)
        cameras = [self._origins.camera(image) for image in images] or [None] * count
        of_episode = proof.domain == "robotic"
        directions = toward(cameras) if of_episode else toward(cameras, one_place=0.0)
        hands = np.array([self._origins.hand(image) for image in images] or [[np.nan] * 3] * count)
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

    def _points_of_tokens(self, image: ImageOrigin, grid: Grid) -> Float[np.ndarray, "t 3"]:
        """The surface at the middle of each token, world, metres; NaN where there is none."""
        camera, depth = self._origins.camera(image), self._origins.depth(image)
        points = np.full((grid[0] * grid[1], 3), np.nan)
        if camera is not None and depth is not None:
            middles_px = token_middles_px(camera, grid)
            depth_m = lookup_depth(depth, middles_px, _SURFACE)
            known = np.isfinite(depth_m)
            points[known] = unproject(camera, middles_px[known], depth_m[known])
        return points

    def _seen_at(
        self, first: ImageOrigin, second: ImageOrigin, grid: Grid, other_grid: Grid
    ) -> Int[np.ndarray, " t"]:
        moved = second.robotic and first.frame_index != second.frame_index
        return self._tokens_seeing(self._points(first, grid), second, other_grid, moved)

    def _tokens_seeing(
        self, points: Float[np.ndarray, "n 3"], image: ImageOrigin, grid: Grid, moved: bool = False
    ) -> Int[np.ndarray, " n"]:
        """Token of an image that sees each point; see `tokens_seeing`."""
        camera, depth = self._origins.camera(image), self._origins.depth(image)
        if camera is None or depth is None:
            return np.full(len(points), UNKNOWN, np.int64)
        return tokens_seeing(points, camera, depth, grid, moved=moved)

    def _marks(
        self,
        proof: Provenance,
        grids: Sequence[Grid],
        most: int,
        images: Sequence[ImageOrigin],
    ) -> tuple[Int[np.ndarray, "k t"], Float[np.ndarray, "k t"]]:
        marks = np.zeros((len(grids), most), np.int64)
        marked = np.zeros((len(grids), most))
        for mark in proof.marks:
            number = mark.image - 1
            marks[number, token_of_mark(proof, mark, grids)] = class_of(mark)
            if not images or mark.label == "Camera" or is_option(proof, mark):
                continue
            point = np.array([tip_of(mark)], float)
            for later in range(number + 1, len(grids)):
                camera = self._origins.camera(images[later])
                if mark.kind != "arrow":
                    token = self._tokens_seeing(point, images[later], grids[later])[0]
                elif camera is not None:  # its head may be in the air
                    token = tokens_at(project(camera, point)[0], camera, grids[later])[0]
                else:
                    token = UNKNOWN
                if token >= 0:
                    marked[later, token] += 1
        return marks, marked

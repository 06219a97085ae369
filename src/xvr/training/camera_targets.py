"""Where the cameras and the hand of an episode are, for every image of a question."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from xvr.audit.origin import Origins
from xvr.dataset.record import ImageRecord, Provenance, SourceRecord
from xvr.geometry.camera import Camera, project
from xvr.sources.records import Episode
from xvr.tasks.grid import rides_on_hand
from xvr.training.token_grid import tokens_at
from xvr.training.token_targets import AFTER, HIDDEN, RELATIONS, Grid, Relation

_TO_THE_RIGHT = RELATIONS.index("to_the_right")
_CAMERAS = 50_000
"""Calibrations that are remembered."""
_CLEAR_SHARE = 0.5
"""A camera is to the side of another where so much of the way there leads to the side."""
_ONE_PLACE_M = 0.05
"""Cameras that are nearer to each other are at one place."""


class Episodes:
    """Opens the episodes that questions come from and remembers their cameras."""

    def __init__(self, origins: Origins) -> None:
        """Args: origins: what opens sources."""
        self._origins = origins
        self._episode = lru_cache(maxsize=None)(self._open)
        self._camera = lru_cache(_CAMERAS)(self._calibrated)

    def cameras(self, proof: Provenance) -> list[Camera | None]:
        """The camera of each image; None where there is no calibration.

        Raises:
            Unusable: an episode cannot be opened.
        """
        return [
            self._camera(*_source(proof, image), str(image.camera), image.frame_index)
            for image in proof.images
        ]

    def hands(self, proof: Provenance) -> Float[np.ndarray, "k 3"]:
        """Where the hand is at the moment of each image, metres; NaN where unknown.

        Raises:
            Unusable: an episode cannot be opened.
        """
        found = np.full((len(proof.images), 3), np.nan)
        for row, image in zip(found, proof.images, strict=True):
            hand = self._episode(*_source(proof, image)).effector_positions
            if hand is not None:
                row[:] = hand[image.frame_index]
        return found

    def _open(self, format: str, path: str, episode: str) -> Episode:
        opened = self._origins.open(SourceRecord(format=format, path=path, episode=episode))[0]
        assert isinstance(opened, Episode)
        return opened

    def _calibrated(
        self, format: str, path: str, episode: str, key: str, frame_index: int
    ) -> Camera | None:
        opened = self._episode(format, path, episode)
        calibration = next(c.calibration for c in opened.cameras if c.key == key)
        return None if calibration is None else calibration(frame_index)


def poses_of(cameras: Sequence[Camera | None]) -> Float[np.ndarray, "k 6"]:
    """Centre and viewing direction of each camera; NaN of none."""
    return np.array(
        [[np.nan] * 6 if c is None else [*c.center, *c.world_from_camera[:3, 2]] for c in cameras]
    )


def hands_at(
    proof: Provenance,
    cameras: Sequence[Camera | None],
    hands: Float[np.ndarray, "k 3"],
    grids: Sequence[Grid],
) -> Int[np.ndarray, " k"]:
    """Token of each image onto which the hand is projected, or `HIDDEN`."""
    found = np.full(len(grids), HIDDEN, np.int64)
    for number, (image, camera, hand) in enumerate(zip(proof.images, cameras, hands, strict=True)):
        own = image.role is not None and rides_on_hand(image.role)
        if camera is not None and not own and np.isfinite(hand).all():
            uv_px, depth_m = project(camera, hand[None])
            if depth_m[0] > 0:
                found[number] = tokens_at(uv_px, camera, grids[number])[0]
    return found


def toward(cameras: Sequence[Camera | None]) -> Float[np.ndarray, "k k 3"]:
    """Direction to each camera as each other one sees it; see `TokenTargets.toward`."""
    found = np.full((len(cameras), len(cameras), 3), np.nan)
    for first, camera in enumerate(cameras):
        for second, other in enumerate(cameras):
            if camera is not None and other is not None:
                offset = camera.world_from_camera[:3, :3].T @ (other.center - camera.center)
                away_m = np.linalg.norm(offset)
                if away_m > _ONE_PLACE_M:
                    found[first, second] = offset / away_m
    return found


def sides_of(directions: Float[np.ndarray, "k k 3"]) -> tuple[Relation, ...]:
    """Which cameras stand clearly to the right, or to the left, of earlier ones."""
    return tuple(
        Relation(_TO_THE_RIGHT, image, AFTER, earlier, bool(directions[earlier, image, 0] > 0))
        for image in range(len(directions))
        for earlier in range(image)
        if abs(directions[earlier, image, 0]) > _CLEAR_SHARE
    )


def _source(proof: Provenance, image: ImageRecord) -> tuple[str, str, str]:
    source = proof.source
    names = source.episodes or [str(source.episode)]
    return source.format, source.path, names[image.episode or 0]

"""Where the images of questions come from, and what is known there: camera, depth and hand.

    origins = ImageOrigins()
    for image in origins.images(proof):
        print(origins.camera(image), origins.depth(image), origins.hand(image))

What was opened once is remembered.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from xvr.audit.origin import Origins
from xvr.dataset.record import Provenance, SourceRecord
from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.records import Depth, Episode, Scene, View

_DEPTHS, _CAMERAS = 1000, 50_000
"""Depth maps, and cameras of episodes, that are remembered."""


class ImageOrigin(NamedTuple):
    """A view of a scene, or one frame of an episode's camera."""

    format: str
    path: str
    unit: str
    """Id of the scene or episode."""
    key: str
    """Name of the view, or key of the camera."""
    frame_index: int
    robotic: bool

    @property
    def place(self) -> tuple[str, str, str]:
        """Format, path and unit: poses of images with the same are in one world."""
        return self.format, self.path, self.unit


class ImageOrigins:
    """Opens the scenes and episodes that questions come from and remembers them."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._origins = Origins()
        self._views = lru_cache(maxsize=None)(self._views_of)
        self._episode = lru_cache(maxsize=None)(self._episode_of)
        self._depth = lru_cache(_DEPTHS)(self._read_depth)
        self._calibrated = lru_cache(_CAMERAS)(self._calibration_of)

    def images(self, proof: Provenance) -> list[ImageOrigin]:
        """The images of a question, in order; none where one is of no scene and no episode."""
        source = proof.source
        units = source.episodes or [source.scene or source.episode]
        found = []
        for image in proof.images:
            unit, key = units[image.episode or 0], image.view or image.camera
            if unit is None or key is None:
                return []
            robotic = image.view is None
            found.append(
                ImageOrigin(source.format, source.path, unit, key, image.frame_index, robotic)
            )
        return found

    def camera(self, image: ImageOrigin) -> Camera | None:
        """Its camera; None where there is no calibration.

        Raises:
            Unusable: its scene or episode cannot be opened; so do the others.
        """
        return self._calibrated(image) if image.robotic else self._view(image).camera

    def depth(self, image: ImageOrigin) -> Depth | None:
        """Its depth map; None where there is none."""
        return self._depth(image)

    def hand(self, image: ImageOrigin) -> Float[np.ndarray, " 3"]:
        """Where the robot's hand is at its moment, metres; NaN where unknown."""
        hand = self._episode(*image.place).effector_positions if image.robotic else None
        return np.full(3, np.nan) if hand is None else hand[image.frame_index]

    def _view(self, image: ImageOrigin) -> View:
        return self._views(*image.place)[image.key]

    def _views_of(self, format: str, path: str, scene: str) -> Mapping[str, View]:
        opened = self._origins.open(SourceRecord(format=format, path=path, scene=scene))[0]
        if not isinstance(opened, Scene):
            raise Unusable("missing_source", f"{format}:{path} holds no scene {scene}")
        return {view.name: view for view in opened.views}

    def _episode_of(self, format: str, path: str, episode: str) -> Episode:
        opened = self._origins.open(SourceRecord(format=format, path=path, episode=episode))[0]
        if not isinstance(opened, Episode):
            raise Unusable("missing_source", f"{format}:{path} holds no episode {episode}")
        return opened

    def _calibration_of(self, image: ImageOrigin) -> Camera | None:
        cameras = self._episode(*image.place).cameras
        calibration = next(c.calibration for c in cameras if c.key == image.key)
        return None if calibration is None else calibration(image.frame_index)

    def _read_depth(self, image: ImageOrigin) -> Depth | None:
        if not image.robotic:
            read = self._view(image).read_depth
            return None if read is None else read()
        cameras = self._episode(*image.place).cameras
        read_frame = next(c.read_depth for c in cameras if c.key == image.key)
        return None if read_frame is None else read_frame(image.frame_index)

"""Episodes seen at a few instants: each camera's frames are decoded once, in one pass.

All robotic questions of a unit use the instants of one grid, so that a video is read forward once.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.camera import Camera
from xvr.geometry.similarity import gray_thumbnail, ssim
from xvr.sources.records import Episode, Image
from xvr.sources.roles import ROLES
from xvr.tasks.draft import ImageRef, Refusal

T = TypeVar("T")
TRAVEL_FRAMES = 9
"""Frames, evenly over an episode, that tell whether a camera moves."""


@dataclass(kw_only=True, eq=False)
class FrameGrid:
    """One episode at ascending frame indices; a cache, so not frozen."""

    episode: Episode
    frames: tuple[int, ...]
    gray_width_px: int
    _images: dict[str, list[Image]] = field(default_factory=dict)
    _gray: dict[tuple[str, int], Float[np.ndarray, "h w"]] = field(default_factory=dict)
    _alike: dict[tuple[str, int, int], float] = field(default_factory=dict)
    _cameras: dict[tuple[str, int], Camera | None] = field(default_factory=dict)
    _deck: list[int] = field(default_factory=list)
    _kept: dict[Hashable, Any] = field(default_factory=dict)

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, found once: many questions draw from the same instants."""
        if key not in self._kept:
            self._kept[key] = find()
        return self._kept[key]

    def draw(self, rng: np.random.Generator) -> int:
        """A random instant among those that came up least often: so few are decoded in vain."""
        if not self._deck:
            self._deck = rng.permutation(len(self.frames)).tolist()
        return self._deck.pop()

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Roles of the episode's cameras, sorted."""
        return tuple(sorted(camera.role for camera in self.episode.cameras))

    def image(self, role: str, instant: int) -> Image:
        """The frame of a camera at the instant-th frame of the grid."""
        if role not in self._images:
            self._images[role] = self.episode.camera(role).read_frames(self.frames)
        return self._images[role][instant]

    def gray(self, role: str, instant: int) -> Float[np.ndarray, "h w"]:
        """The frame as a small grey image."""
        key = (role, instant)
        if key not in self._gray:
            self._gray[key] = gray_thumbnail(self.image(role, instant), self.gray_width_px)
        return self._gray[key]

    def ssim(self, role: str, a: int, b: int) -> float:
        """Structural similarity of a camera's frames at two instants."""
        key = (role, min(a, b), max(a, b))
        if key not in self._alike:
            self._alike[key] = ssim(self.gray(role, a), self.gray(role, b))
        return self._alike[key]

    def camera(self, role: str, instant: int) -> Camera | None:
        """The calibrated camera at an instant, where the dataset has calibration."""
        key = (role, instant)
        if key not in self._cameras:
            calibration = self.episode.camera(role).calibration
            self._cameras[key] = calibration(self.frames[instant]) if calibration else None
        return self._cameras[key]

    def travel_m(self, role: str) -> float:
        """How far a calibrated camera gets in the episode: diagonal of the box of its centres."""
        return self.keep(("travel", role), lambda: self._travel_m(role))

    def _travel_m(self, role: str) -> float:
        calibration = self.episode.camera(role).calibration
        if calibration is None:
            return 0.0
        frames = np.linspace(0, self.episode.length - 1, TRAVEL_FRAMES).astype(int).tolist()
        centers = [calibration(frame).center for frame in frames]
        return float(np.linalg.norm(np.ptp(centers, axis=0)))

    def time_s(self, instant: int) -> float:
        """Seconds since the episode's first frame."""
        return self.episode.time_s(self.frames[instant])

    def apart(self, min_gap_s: float, min_move_m: float) -> Int[np.ndarray, "n 2"] | Refusal:
        """Every two instants that are apart in time and by what moved, earlier first.

        The reason when there are none. Where the end effector is unknown, time alone counts.
        """
        frames = np.array(self.frames)
        pairs = np.argwhere(frames[None] - frames[:, None] >= min_gap_s * self.episode.fps)
        if not len(pairs):
            return Refusal(reason="instants_too_close")
        places = self.episode.effector_positions
        if places is not None:
            moves_m = np.linalg.norm(np.diff(places[frames[pairs]], axis=1)[:, 0], axis=1)
            pairs = pairs[moves_m >= min_move_m]
        return pairs if len(pairs) else Refusal(reason="effector_did_not_move")

    def effector_move_m(self, a: int, b: int) -> float | None:
        """How far the end effector moved between two instants, where known."""
        positions = self.episode.effector_positions
        if positions is None:
            return None
        return float(np.linalg.norm(positions[self.frames[a]] - positions[self.frames[b]]))

    def ref(self, role: str, instant: int, part: str, episode: int = 0) -> ImageRef:
        """The reference to one frame."""
        return ImageRef(
            part=part,  # pyright: ignore[reportArgumentType]
            view=role,
            frame_index=self.frames[instant],
            time_s=round(self.time_s(instant), 6),
            episode=episode,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodePair:
    """An episode and, where the source has another one of the same rig, its partner."""

    own: FrameGrid
    partner: FrameGrid | None


def draw_roles(
    roles: tuple[str, ...] | list[str], count: int, rng: np.random.Generator
) -> tuple[str, ...] | None:
    """`count` different roles at random, in random order; None when there are fewer."""
    if len(roles) < count:
        return None
    return tuple(roles[i] for i in rng.permutation(len(roles))[:count])


def is_fixed(role: str) -> bool:
    """Whether a camera with this role stays where it is during an episode."""
    return role.startswith("fix")


def rides_on_hand(role: str) -> bool:
    """Whether a camera with this role moves with a hand of the robot; one on its head does not."""
    return ROLES[role].mount == "wrist"

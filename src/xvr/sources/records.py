"""What a source yields: scenes of calibrated views, and episodes of synchronous cameras.

Records are lazy: pixels are read when asked for, and nothing here keeps them. A problem with the
data raises `xvr.errors.Unusable`, wherever it is found.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from xvr.geometry.camera import Camera

Image = UInt8[np.ndarray, "h w 3"]
Depth = Float[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True)
class Ref:
    """Names one scene or episode of a source; made by `index` without reading an image."""

    format: str
    """Name of the source format, such as `wildrgbd`."""
    root: str
    """The path given by the user, as given."""
    id: str
    """Unique and stable within (format, root); seeds of the samples derive from it."""
    group: str
    """Splits keep groups whole: the physical object, place or episode behind the data."""
    kind: Literal["scene", "episode"]
    rig: str = ""
    """Episodes of one dataset with the same rig have the same cameras at the same places."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One calibrated image of a static scene."""

    name: str
    camera: Camera
    frame_index: int
    time_s: float | None = None
    read_image: Callable[[], Image]
    read_depth: Callable[[], Depth] | None = None
    """float32 metres along z, 0 where unknown, same size as the image."""


class Sightings(NamedTuple):
    """Where one view saw points of tracks."""

    rows: Int[np.ndarray, " k"]
    """Their numbers in `Tracks.points_world`."""
    uv_px: Float[np.ndarray, "k 2"]


class Tracks(NamedTuple):
    """3D points with the views that see them, as structure from motion gives them."""

    points_world: Float[np.ndarray, "n 3"]
    seen: Bool[np.ndarray, "n views"]
    read_sightings: Callable[[], list[Sightings]] | None = None
    """Per view of the scene, which points it saw and where; None where that is not kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A static place seen by many calibrated views (general domain)."""

    id: str
    dataset: str
    category: str
    views: tuple[View, ...]
    tracks: Tracks | None = None
    metric: bool = True
    """False where the unit of length is unknown, as after structure from motion."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeCamera:
    """One camera of an episode."""

    key: str
    """Name in the dataset, such as `observation.images.left_view`."""
    role: str
    """Normalised role: one of `xvr.sources.roles.ROLES`."""
    read_frames: Callable[[Sequence[int]], list[Image]]
    """Frames at ascending, distinct frame indices, decoded in one planned pass."""
    calibration: Callable[[int], Camera] | None = None
    """Camera at a frame index; None where the dataset has no calibration."""
    read_depth: Callable[[int], Depth | None] | None = None
    """Depth map at a frame index, as a view's; None for frames that have none."""


def check_ascending(indices: Sequence[int]) -> None:
    """Raise `ValueError` unless frame indices are as `EpisodeCamera.read_frames` takes them."""
    if any(later <= earlier for earlier, later in pairwise(indices)):
        raise ValueError(f"frame indices must ascend without repeats, got {list(indices)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """A stretch of time seen by several synchronous cameras (robotic domain)."""

    id: str
    dataset: str
    rig: str
    instruction: str
    fps: float
    length: int
    """Number of frames of every camera."""
    cameras: tuple[EpisodeCamera, ...]
    effector_positions: Float[np.ndarray, "length 3"] | None = None
    """End-effector position per frame, metres; None where the dataset has none."""

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.length / self.fps

    def time_s(self, frame_index: int) -> float:
        """Seconds since the first frame."""
        return frame_index / self.fps

    def camera(self, role: str) -> EpisodeCamera:
        """The camera with this role."""
        return next(camera for camera in self.cameras if camera.role == role)


@dataclass(frozen=True, kw_only=True)
class SourceFormat:
    """How one on-disk format is listed and read."""

    name: str
    kind: Literal["scene", "episode"]
    """What it yields: scenes feed the general tasks, episodes the robotic ones."""
    calibration: str
    """Which calibration its cameras have, in a few words for the documents."""
    geometry: str
    """What visibility is decided by, in a few words for the documents; empty for episodes."""
    index: Callable[[Path], list[Ref]]
    """All scenes or episodes under a path, sorted by id; reads no image.

    Raises `UserError` when the path does not hold this format."""
    load: Callable[[Ref], Scene | Episode]
    """One scene or episode; checks metadata and poses, reads no image.

    Raises `Unusable` when it cannot be used."""
    key_files: Callable[[Path, Sequence[Ref]], Iterable[tuple[str, Path]]]
    """Metadata files behind these refs with names that do not depend on where the data lies.

    Their names and sizes make the fingerprint of a source."""

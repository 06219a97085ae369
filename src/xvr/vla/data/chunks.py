"""Chunks of actions for training: which moments come in which step, and what is shown of them.

Step `s` of a run takes the moments `s * batch ... (s + 1) * batch - 1` of an endless list: all
frames of all episodes in an order drawn from (seed, epoch), then the next epoch. So the order
depends on nothing that must be saved, and two backbones are trained in the same one.

A chunk that reaches over the end of its episode repeats the last action there, and its mask says
so: what never happened is not learned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8

from xvr.vla.data.demonstrations import Demonstrations
from xvr.vla.data.frames import FrameStore
from xvr.vla.normalizer import Normalizer


class Order:
    """Which moments each step takes."""

    def __init__(self, moments: int, batch: int, seed: int) -> None:
        self.moments, self.batch, self.seed = moments, batch, seed
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def step(self, number: int) -> Int[np.ndarray, " batch"]:
        """Numbers of moments, counted over all episodes."""
        places = number * self.batch + np.arange(self.batch)
        return np.array([self._moment(int(place)) for place in places])

    def _moment(self, place: int) -> int:
        epoch, within = divmod(place, self.moments)
        if epoch != self._epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._epoch, self._order = epoch, rng.permutation(self.moments)
        return int(self._order[within])


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """What one step is trained on; numbers are normalised."""

    places: Sequence[tuple[int, int]]
    """Number of the episode and of the frame."""
    images: Mapping[str, UInt8[np.ndarray, "b h w 3"]]
    """By camera; empty where features are at hand."""
    instructions: Sequence[str]
    state: Float32[np.ndarray, "b n"]
    actions: Float32[np.ndarray, "b chunk m"]
    real: Bool[np.ndarray, "b chunk"]
    """False where an episode had ended."""

    def __len__(self) -> int:
        """Moments."""
        return len(self.state)


class Chunks:
    """All moments of demonstrations, as a policy is trained on them."""

    def __init__(
        self,
        demonstrations: Demonstrations,
        frames: FrameStore | None,
        normalizer: Normalizer,
        chunk: int,
    ) -> None:
        """`frames` must be filled; None for a policy that sees no pictures, or features of them."""
        self.demonstrations, self.frames, self.chunk = demonstrations, frames, chunk
        episodes = demonstrations.episodes
        self._states = [normalizer.state.encode(episode.state) for episode in episodes]
        self._actions = [normalizer.action.encode(episode.action) for episode in episodes]
        self._starts = np.concatenate([[0], np.cumsum([len(episode) for episode in episodes])])

    def __len__(self) -> int:
        """Moments."""
        return int(self._starts[-1])

    def place(self, moment: int) -> tuple[int, int]:
        """Number of the episode and of the frame in it."""
        episode = int(np.searchsorted(self._starts, moment, side="right")) - 1
        return episode, moment - int(self._starts[episode])

    def batch(self, moments: Sequence[int] | Int[np.ndarray, " b"]) -> Batch:
        """The moments with these numbers."""
        places = [self.place(int(moment)) for moment in moments]
        chunks = [self._chunk(*place) for place in places]
        return Batch(
            places=places,
            images=self._images(places),
            instructions=[self.demonstrations.episodes[e].instruction for e, _ in places],
            state=np.stack([self._states[episode][frame] for episode, frame in places]),
            actions=np.stack([actions for actions, _ in chunks]),
            real=np.stack([real for _, real in chunks]),
        )

    def _chunk(self, episode: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Actions, the last one repeated, and which of them are real."""
        rows = frame + np.arange(self.chunk)
        last = len(self._actions[episode]) - 1
        return self._actions[episode][np.minimum(rows, last)], rows <= last

    def _images(self, places: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
        if self.frames is None:
            return {}
        episodes = self.demonstrations.episodes
        return {
            camera.name: np.stack(
                [self.frames.read(episodes[episode], frame, camera) for episode, frame in places]
            )
            for camera in self.demonstrations.cameras
        }

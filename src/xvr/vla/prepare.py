"""From arguments to what is trained on: demonstrations, decoded frames, statistics, contract."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from xvr.vla.contract import Contract
from xvr.vla.data.demonstrations import Demonstrations, read_demonstrations
from xvr.vla.data.frames import FrameStore, cache_folder
from xvr.vla.normalizer import Mode, Normalizer, fit
from xvr.vla.statistics import Statistics, measure
from xvr.vla.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """All that training needs beside a network."""

    demonstrations: Demonstrations
    frames: FrameStore
    normalizer: Normalizer
    contract: Contract


def prepare(config: TrainConfig, progress: Callable[[int, int], None]) -> Prepared:
    """Read, decode and measure the data of a run.

    Raises:
        UserError: the data cannot be used (`read_demonstrations`, `FrameStore.fill`).
    """
    choice = config.choice
    if config.backbone.spec == "blind":
        choice = replace(choice, cameras=("none",))
    demonstrations = read_demonstrations(config.data, choice)
    frames = FrameStore((config.running.cache or cache_folder()) / "frames")
    demonstrations = frames.fill(demonstrations, workers=config.running.workers, progress=progress)
    normalizer = measure_normalizer(demonstrations, config.normalization)
    return Prepared(
        demonstrations=demonstrations,
        frames=frames,
        normalizer=normalizer,
        contract=demonstrations.contract(config.chunk, config.prompt, normalizer.hash),
    )


def measure_normalizer(demonstrations: Demonstrations, mode: Mode) -> Normalizer:
    """The normaliser of states and actions of all episodes."""
    states = [episode.state for episode in demonstrations.episodes]
    actions = [episode.action for episode in demonstrations.episodes]
    return Normalizer(
        state=fit(demonstrations.state, _measured(states), mode),
        action=fit(demonstrations.action, _measured(actions), mode),
        data=demonstrations.hash,
    )


def _measured(parts: list[np.ndarray]) -> Statistics:
    return measure(parts, parts[0].shape[1])

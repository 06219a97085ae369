"""All data of a run: sources looked through, strata with their shares, and the order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xvr.dataset.reader import splits_of
from xvr.errors import UserError
from xvr.training.config import TrainConfig
from xvr.training.held_out import HeldOut
from xvr.training.mixture import Order, Stratum, strata_of
from xvr.training.samples import Progress, Source, Survey, open_sources, parse_data
from xvr.training.skips import Tell, too_many


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """What is trained on."""

    sources: tuple[Source, ...]
    surveys: tuple[Survey, ...]
    strata: tuple[Stratum, ...]
    order: Order
    unusable: Counter[str]
    """Lines that were left out before the first step, by reason."""

    def as_json(self) -> list[dict[str, Any]]:
        """What the manifest tells of it; it decides the outcome."""
        return [
            {
                "name": source.name,
                "split": source.split,
                "samples": len(source),
                "weight": source.weight,
                "sha256": source.fingerprint(),
            }
            for source in self.sources
        ]


def load_data(config: TrainConfig, tell: Tell, progress: Progress | None = None) -> Data:
    """Look through all data of a run.

    Args:
        config: of the run.
        tell: given lines for people.
        progress: called with (lines done, lines) of each dataset.

    Raises:
        UserError: no data, bad weights, or more unusable samples than allowed.
    """
    sources = open_sources([parse_data(word) for word in config.data])
    surveys = tuple(source.survey(progress) for source in sources)
    unusable = [error for survey in surveys for error in survey.unusable.values()]
    reasons = Counter(error.reason for error in unusable)
    samples = sum(len(survey.tasks) for survey in surveys)
    if len(unusable) > config.machine.max_skipped * samples:
        raise too_many(reasons, config.machine.max_skipped, unusable[0].detail)
    for reason, count in reasons.items():
        tell(f"left out: {count} of {samples} samples, {reason}")
    strata = strata_of(sources, surveys, _task_weights(config, surveys, tell))
    order = Order(strata, config.seed)
    drawn = ", ".join(f"{task} {count}" for task, count in order.counts().items())
    tell(f"an epoch has {order.epoch} samples: {drawn}")
    return Data(sources=sources, surveys=surveys, strata=strata, order=order, unusable=reasons)


def held_out_of(config: TrainConfig, sources: Sequence[Source]) -> HeldOut | None:
    """What is asked during training; None where nothing is, or no dataset has the split.

    Raises:
        UserError: `--eval-data` has not got the split.
    """
    if config.eval_every == 0:
        return None
    folder = config.eval_data or _first_with(sources, config.eval_split)
    if folder is None:
        return None
    if config.eval_split not in splits_of(folder):
        raise UserError(
            f"--eval-data {folder} has no split {config.eval_split}; choose another --eval-split, "
            "or --eval-every 0"
        )
    return HeldOut(
        data=folder,
        split=config.eval_split,
        limit=config.eval_limit,
        every=config.eval_every,
        batch_size=config.machine.device_batch_size,
    )


def _first_with(sources: Sequence[Source], split: str) -> Path | None:
    folders = [source.path for source in sources if source.split is not None]
    return next((folder for folder in folders if split in splits_of(folder)), None)


def _task_weights(
    config: TrainConfig, surveys: Sequence[Survey], tell: Tell
) -> Mapping[str, float]:
    """Those of the recipe as far as there is data for them, then those of the user."""
    present = {task for survey in surveys for task in survey.tasks}
    wanted = dict(config.recipe.task_weights)
    if absent := sorted(set(wanted) - present):
        tell(f"the recipe {config.recipe.name} wants tasks that no data has: {', '.join(absent)}")
    return {task: w for task, w in wanted.items() if task in present} | config.weights_of_tasks()

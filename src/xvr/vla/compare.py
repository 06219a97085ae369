"""Two policies in the same episodes: which succeeds more often, and could that be chance.

    compare_rollouts([Path("runs/base"), Path("runs/tuned")])

A path is a run, or a folder of runs: one policy trained with several seeds. Runs are paired by the
order of their names, episodes by their plans; runs of other episodes are refused. What an interval
covers is what it was drawn over: episodes, or training seeds.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr import __version__
from xvr.engine.seeds import child_rng
from xvr.errors import UserError
from xvr.evaluation.statistics import (
    CONFIDENCE,
    POWER,
    RESAMPLES,
    Interval,
    cluster_bootstrap,
    detectable_difference,
    holm,
    mcnemar,
)
from xvr.vla.rollout_folder import MANIFEST, Rollouts, Row, read_rollouts
from xvr.vla.success import Rate, rate_of

Wins = Float[np.ndarray, "seed episode"]
"""1 where an episode was a success."""


@dataclass(frozen=True, kw_only=True)
class TaskDifference:
    """Two policies at one task, over all their training seeds."""

    episodes: int
    """Of each run."""
    first: Rate
    second: Rate
    difference: float
    """Share of the second minus that of the first."""
    over_episodes: Interval | None
    """Paired bootstrap over episodes, whose runs of all training seeds are drawn together."""
    over_training: Interval | None
    """Paired bootstrap over training seeds; None with one."""
    by_training_seed: tuple[float, ...]
    """The difference for each pair of runs."""
    only_first: int
    """Episodes in which only the first succeeded."""
    only_second: int
    p: float
    """Exact McNemar, given these policies."""
    p_holm: float
    """Adjusted for the number of tasks."""
    detectable: float | None
    """Smallest true difference that so many discordant episodes would show at 80 % power."""


@dataclass(frozen=True, kw_only=True)
class RolloutComparison:
    """A policy held against the first one."""

    first: Path
    second: Path
    training_seeds: int
    environment: str
    tasks: dict[str, TaskDifference]
    mean: float
    """Of the differences of all tasks."""
    mean_over_episodes: Interval | None
    seed: int
    resamples: int

    def to_json(self) -> dict[str, Any]:
        """All numbers, with what they depend on."""
        return asdict(self) | {
            "first": str(self.first),
            "second": str(self.second),
            "confidence": CONFIDENCE,
            "power": POWER,
            "version": __version__,
        }


def compare_rollouts(
    paths: Sequence[Path], *, seed: int = 0, resamples: int = RESAMPLES
) -> list[RolloutComparison]:
    """Hold every policy after the first against it.

    Args:
        paths: two or more runs, or folders of runs.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        UserError: the runs do not fit together, or are not finished; says what differs.
    """
    if len(paths) < 2:
        raise UserError("one policy cannot be compared; name the runs of at least two")
    arms = [_read_arm(path) for path in paths]
    for path, arm in zip(paths[1:], arms[1:], strict=True):
        if len(arm) != len(arms[0]):
            raise UserError(
                f"{paths[0]} holds {len(arms[0])} runs and {path} {len(arm)}: runs are paired by "
                "training seed, so both need the same number"
            )
    for run in (run for arm in arms for run in arm):
        _require_same_episodes(arms[0][0], run)
    return [
        _compare(paths[0], arms[0], path, arm, seed, resamples)
        for path, arm in zip(paths[1:], arms[1:], strict=True)
    ]


def _read_arm(path: Path) -> list[Rollouts]:
    """The run at a path, or those below it in the order of their names."""
    found = [path] if (path / MANIFEST).is_file() else []
    if not found and path.is_dir():
        found = sorted(one for one in path.iterdir() if (one / MANIFEST).is_file())
    if not found:
        raise UserError(f"{path} holds no rollouts, nor do the folders in it")
    runs = [read_rollouts(one) for one in found]
    for run in runs:
        if run.missing:
            raise UserError(
                f"{run.path} is not finished, {run.missing} of {len(run.plans)} episodes are "
                "missing: run the same xvr vla rollout again"
            )
    return runs


def _require_same_episodes(first: Rollouts, other: Rollouts) -> None:
    where = f"{first.path} and {other.path} cannot be compared"
    for what in ("environment", "horizon"):
        one, two = getattr(first.manifest, what), getattr(other.manifest, what)
        if one != two:
            raise UserError(f"{where}: the {what} is {one!r} in one and {two!r} in the other")
    if len(first.plans) != len(other.plans):
        counts = f"{len(first.plans)} episodes in one and {len(other.plans)} in the other"
        raise UserError(f"{where}: {counts}; run one again with --plan {first.path}")
    pairs = zip(first.known_plans, other.known_plans, strict=True)
    if (different := next((pair for pair in pairs if pair[0] != pair[1]), None)) is None:
        return
    one, two = different
    if (one.task, one.index, one.seed) == (two.task, two.index, two.seed):
        raise UserError(
            f"{where}: the simulator began {one.task} episode {one.index} differently; run one "
            f"again with --plan {first.path}"
        )
    raise UserError(
        f"{where}: {one.task} episode {one.index} has seed {one.seed} in one, {two.task} episode "
        f"{two.index} has seed {two.seed} in the other; run one again with --plan {first.path}"
    )


def _compare(
    first_path: Path,
    first: Sequence[Rollouts],
    second_path: Path,
    second: Sequence[Rollouts],
    seed: int,
    resamples: int,
) -> RolloutComparison:
    tasks = list(dict.fromkeys(plan.task for plan in first[0].plans))
    alone = {
        task: _difference(_rows(first, task), _rows(second, task), task, seed, resamples)
        for task in tasks
    }
    adjusted = holm([one.p for one in alone.values()])
    gains = [_wins(_rows(second, task)) - _wins(_rows(first, task)) for task in tasks]
    flat = [gain.mean(axis=0) for gain in gains]
    groups = np.repeat(np.arange(len(tasks)), [len(one) for one in flat])
    values = np.concatenate(flat)
    return RolloutComparison(
        first=first_path,
        second=second_path,
        training_seeds=len(first),
        environment=first[0].manifest.environment,
        tasks={
            task: replace(one, p_holm=p)
            for (task, one), p in zip(alone.items(), adjusted, strict=True)
        },
        mean=float(np.mean([one.difference for one in alone.values()])),
        mean_over_episodes=cluster_bootstrap(
            values,
            np.arange(len(values)),
            child_rng(seed, "rollouts", *tasks),
            groups=groups,
            resamples=resamples,
        ),
        seed=seed,
        resamples=resamples,
    )


def _rows(runs: Sequence[Rollouts], task: str) -> list[list[Row]]:
    return [[row for row in run.rows if row.task == task] for run in runs]


def _wins(rows: Sequence[Sequence[Row]]) -> Wins:
    return np.array([[row.success for row in run] for run in rows], np.float64)


def _difference(
    first: Sequence[Sequence[Row]],
    second: Sequence[Sequence[Row]],
    task: str,
    seed: int,
    resamples: int,
) -> TaskDifference:
    one, two = _wins(first), _wins(second)
    gain = two - one  # (seeds, episodes)
    seeds, episodes = gain.shape
    only_first, only_second = int((gain < 0).sum()), int((gain > 0).sum())
    p = mcnemar(only_first, only_second)

    def bootstrap(values: Float[np.ndarray, " n"], over: str) -> Interval | None:
        rng = child_rng(seed, "rollouts", over, task)
        return cluster_bootstrap(values, np.arange(len(values)), rng, resamples=resamples)

    return TaskDifference(
        episodes=episodes,
        first=rate_of([row for run in first for row in run]),
        second=rate_of([row for run in second for row in run]),
        difference=float(gain.mean()),
        over_episodes=bootstrap(gain.mean(axis=0), "episodes"),
        over_training=bootstrap(gain.mean(axis=1), "training seeds") if seeds > 1 else None,
        by_training_seed=tuple(float(value) for value in gain.mean(axis=1)),
        only_first=only_first,
        only_second=only_second,
        p=p,
        p_holm=p,
        detectable=detectable_difference(only_first + only_second, gain.size),
    )

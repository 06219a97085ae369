"""Success of a run by task, with Wilson intervals.

Episodes begin from seeds of their own and are independent of each other, given the policy. That
the policy itself would come out otherwise with another training seed is not covered: see `compare`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xvr.evaluation.statistics import Interval, wilson
from xvr.vla.rollout_folder import Row, read_rollouts


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Success at one task."""

    successes: int
    episodes: int
    interval: Interval
    """Wilson, 95 %."""
    steps: float | None
    """Mean of successful episodes."""

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.successes / self.episodes

    def to_json(self) -> dict[str, Any]:
        """All numbers."""
        return asdict(self) | {"share": self.share}


def rate_of(rows: Sequence[Row]) -> Rate:
    """The rate of at least one row."""
    won = [row for row in rows if row.success]
    return Rate(
        successes=len(won),
        episodes=len(rows),
        interval=wilson(len(won), len(rows)),
        steps=sum(row.steps for row in won) / len(won) if won else None,
    )


def success_rates(run: Path) -> dict[str, Rate]:
    """By task, of the finished episodes of a run.

    Raises:
        UserError: the folder holds no run.
    """
    rows = read_rollouts(run).rows
    tasks = dict.fromkeys(row.task for row in rows)
    return {task: rate_of([row for row in rows if row.task == task]) for task in tasks}


def to_text(rates: Mapping[str, Rate]) -> str:
    """A line per task."""
    width = max(map(len, rates))
    return "\n".join(
        f"{task:<{width}}  {percent(rate)}"
        + (f", {rate.steps:.1f} steps" if rate.steps is not None else "")
        for task, rate in rates.items()
    )


def percent(rate: Rate) -> str:
    """Such as `93/100 = 93.0 % (86.2 to 96.6)`."""
    low, high = (100 * bound for bound in rate.interval)
    return f"{rate.successes}/{rate.episodes} = {100 * rate.share:.1f} % ({low:.1f} to {high:.1f})"

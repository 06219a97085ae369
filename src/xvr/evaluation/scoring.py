"""What a run scores: by scorer, by task and in total; needs neither the model nor the dataset.

write_scores(score_run(Path("run")))  # RUN/scores.json
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xvr import __version__
from xvr.dataset import atomic
from xvr.engine.folder import disk_errors
from xvr.errors import UserError
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.judged import Judged, choose_scorers, judge
from xvr.evaluation.statistics import CONFIDENCE, RESAMPLES
from xvr.evaluation.store import Run, read_run
from xvr.evaluation.summary import Summary, by_task, summarize, tasks_of
from xvr.evaluation.usage import Usage, usage

SCORES = "scores.json"


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What one scorer makes of a run."""

    scorer: str
    judged: tuple[Judged, ...]
    tasks: Mapping[str, Summary]
    """In the order of the benchmark's table."""
    totals: Mapping[str, Summary]
    """The one that the benchmark is known by first."""


@dataclass(frozen=True, kw_only=True)
class ScoredRun:
    """A run with all that is said of it."""

    run: Run
    scores: Mapping[str, Scores]
    """By scorer, the default first."""
    usage: Usage
    seed: int
    resamples: int

    @property
    def default(self) -> Scores:
        """By the first scorer."""
        return next(iter(self.scores.values()))

    @property
    def answered(self) -> int:
        """Items with an answer."""
        return len(self.run.targets) - sum(self.usage.unanswered.values())

    @property
    def complete(self) -> bool:
        """Whether every chosen item has an answer."""
        return not self.usage.unanswered

    def to_json(self) -> dict[str, Any]:
        """All numbers, with what they depend on."""
        manifest = self.run.manifest
        return {
            "benchmark": manifest.benchmark,
            "data_revision": manifest.revision,
            "model": manifest.model,
            "model_revision": manifest.model_revision,
            "decoding": dict(manifest.decoding),
            "tasks": manifest.tasks,
            "limit": manifest.limit,
            "complete": self.complete,
            "items": len(self.run.targets),
            "answered": self.answered,
            "usage": asdict(self.usage),
            "version": __version__,
            "seed": self.seed,
            "resamples": self.resamples,
            "confidence": CONFIDENCE,
            "scorers": {
                name: {
                    "tasks": {task: _numbers(s) for task, s in scores.tasks.items()},
                    "totals": {total: _numbers(s) for total, s in scores.totals.items()},
                }
                for name, scores in self.scores.items()
            },
        }


def score_run(
    path: Path,
    scorer: str | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> ScoredRun:
    """Judge the answers of a run; those that are missing count as wrong and are told.

    Args:
        path: folder of the run.
        scorer: the only scorer; all of the benchmark by default.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        UserError: no run, no items, or an unknown benchmark or scorer.
    """
    run = read_run(path)
    if not run.targets:
        raise UserError(f"{path} holds a run of no items; run it again with another --tasks")
    benchmark = get_benchmark(run.manifest.benchmark)
    chosen = choose_scorers(benchmark, scorer)
    scores: dict[str, Scores] = {}
    for name, function in chosen.items():
        judged = judge(run, function)
        tasks = by_task(benchmark, judged)
        overs = {total.name: (total, tasks_of(total, tasks)) for total in benchmark.totals}
        scores[name] = Scores(
            scorer=name,
            judged=judged,
            tasks={
                task: summarize({task: items}, macro=False, seed=seed, resamples=resamples)
                for task, items in tasks.items()
            },
            totals={
                name: summarize(over, macro=total.mean == "macro", seed=seed, resamples=resamples)
                for name, (total, over) in overs.items()
                if over
            },
        )
    return ScoredRun(run=run, scores=scores, usage=usage(run), seed=seed, resamples=resamples)


def write_scores(scored: ScoredRun) -> Path:
    """Write `scores.json` into the folder of the run and return its path.

    Raises:
        UserError: the disk refuses.
    """
    path = scored.run.path / SCORES
    with disk_errors(path.parent):
        atomic.write_bytes(path, (json.dumps(scored.to_json(), indent=1) + "\n").encode())
    return path


def _numbers(summary: Summary) -> dict[str, Any]:
    return asdict(summary) | {"unparsed_share": summary.unparsed_share}

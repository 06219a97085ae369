"""The answers of a run, judged: what every number about it is made of."""

from dataclasses import dataclass

from xvr.errors import unknown_name
from xvr.evaluation.benchmark import Benchmark
from xvr.evaluation.item import Target
from xvr.evaluation.score import Scorer
from xvr.evaluation.store import Run


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One item of a run."""

    target: Target
    text: str | None
    """What the model said; None where it has not answered, which counts as wrong."""
    parsed: str | None
    correct: bool


def judge(run: Run, scorer: Scorer) -> tuple[Judged, ...]:
    """Every item of a run in its order."""
    answers = run.answers
    return tuple(_judge(target, answers.get(target.item_id), scorer) for target in run.targets)


def _judge(target: Target, text: str | None, scorer: Scorer) -> Judged:
    if text is None:
        return Judged(target=target, text=None, parsed=None, correct=False)
    score = scorer(target, text)
    return Judged(target=target, text=text, parsed=score.parsed, correct=score.correct)


def choose_scorers(benchmark: Benchmark, scorer: str | None) -> dict[str, Scorer]:
    """The scorer with a name, or all of them with the default first.

    Raises:
        UserError: the benchmark has no such scorer.
    """
    if scorer is None:
        return dict(benchmark.scorers)
    if scorer not in benchmark.scorers:
        raise unknown_name(f"scorer of {benchmark.name}", scorer, benchmark.scorers)
    return {scorer: benchmark.scorers[scorer]}

"""What a score is held against without any model: guessing, the commonest answer, the right one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from xvr.evaluation.benchmark import Loaded
from xvr.evaluation.item import Prompt, Target
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.options import ModelOptions

_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Answers from what is known of an item, never from its prompt."""

    name: str
    reply: Callable[[Target], Answer | Failure]
    targets: Mapping[str, Target]
    """By item."""
    revision: str = ""
    decoding: Mapping[str, Any]
    batch_size: int = _BATCH
    concurrency: int = 1

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """One reply for each prompt."""
        return [self.reply(self.targets[prompt.item_id]) for prompt in prompts]

    def close(self) -> None:
        """Nothing is held."""


def make_random(loaded: Loaded, options: ModelOptions) -> Baseline:
    """Guesses: each option equally likely, a point anywhere in the unit square.

    The guess follows from the seed and the id of the item alone.
    """
    from xvr.engine.seeds import child_rng  # numpy would slow down every --help

    def reply(target: Target) -> Answer:
        rng = child_rng(options.seed, "random", target.item_id)
        if target.kind == "point":
            x, y = rng.random(2)
            return Answer(text=point_text(x, y))
        return Answer(text=target.options[int(rng.integers(len(target.options)))])

    return Baseline(
        name="random", reply=reply, targets=_targets(loaded), decoding={"seed": options.seed}
    )


def make_majority(loaded: Loaded, options: ModelOptions) -> Baseline:  # noqa: ARG001
    """Gives every item of a task the task's commonest answer in this very benchmark.

    It peeks at the answers: it tells how far a model comes that ignores the question. Of equally
    common answers the first in the alphabet is taken; where it is no option of an item, the
    commonest one that is.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for item in loaded.items:
        counts[item.target.task][item.target.answer] += 1

    def reply(target: Target) -> Answer:
        if target.kind == "point":
            return Answer(text=point_text(0.5, 0.5))
        count = counts[target.task]
        return Answer(text=min(target.options, key=lambda option: (-count[option], option)))

    return Baseline(
        name="majority",
        reply=reply,
        targets=_targets(loaded),
        revision=loaded.revision,
        decoding={},
    )


def make_oracle(loaded: Loaded, options: ModelOptions) -> Baseline:  # noqa: ARG001
    """Gives the right answer: a run that does not score 100 % has a fault in between.

    Where the benchmark has proofs (`proven` in the facts), the answer is that of the proof, and one
    that differs from the record is a failure. A point is one within `polygon` in the facts.
    """

    def reply(target: Target) -> Answer | Failure:
        if target.kind == "point":
            inside = _point_in(target.facts.get("polygon", ()))
            if inside is None:
                message = f"{target.item_id}: its region is empty"
                return Failure(kind="no_right_point", message=message)
            return Answer(text=point_text(*inside))
        proven = target.facts.get("proven", target.answer)
        if proven != target.answer:
            message = f"{target.item_id}: record {target.answer!r}, proof {proven!r}"
            return Failure(kind="answers_disagree", message=message)
        return Answer(text=proven)

    return Baseline(
        name="oracle",
        reply=reply,
        targets=_targets(loaded),
        revision=loaded.revision,
        decoding={},
    )


BASELINES: dict[str, Callable[[Loaded, ModelOptions], Baseline]] = {
    "random": make_random,
    "majority": make_majority,
    "oracle": make_oracle,
}


def point_text(x: float, y: float) -> str:
    """A point in fractions of width and height, as benchmarks ask for it."""
    return f"[({x:.4f}, {y:.4f})]"


def _point_in(polygon: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """A point well within a polygon by the even-odd rule; None where the polygon has no area.

    Between any two neighbouring heights of corners lies a row; the point is the middle of the
    widest piece of all rows, their height counted in.
    """
    heights = sorted({y for _, y in polygon})
    pieces = []
    for low, high in pairwise(heights):
        y = (low + high) / 2
        edges = zip(polygon, [*polygon[1:], *polygon[:1]], strict=True)
        crossed = sorted(
            ax + (bx - ax) * (y - ay) / (by - ay)
            for (ax, ay), (bx, by) in edges
            if (ay > y) != (by > y)
        )
        for left, right in zip(crossed[::2], crossed[1::2], strict=True):
            pieces.append((min(right - left, high - low), (left + right) / 2, y))
    width, x, y = max(pieces, default=(0.0, 0.0, 0.0))
    return (x, y) if width > 0 else None


def _targets(loaded: Loaded) -> dict[str, Target]:
    return {item.target.item_id: item.target for item in loaded.items}

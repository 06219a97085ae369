"""Evaluation during training: the very questions, prompts and scorers of `xvr eval run`.

RUN/eval/step_000500/    a run as `xvr eval score`, `compare` and `report` read it
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xvr.evaluation.benchmark import Loaded
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.models.hf import LocalModel, generation
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.run import RunOptions, run
from xvr.evaluation.scoring import score_run, write_scores

FOLDER = "eval"
ANSWER_TOKENS = 16
"""Most tokens of an answer; those of our tasks have four at most with any tokenizer."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What is asked of the model while it learns."""

    data: Path
    """A dataset of ours."""
    split: str
    limit: int | None
    """Most items, a share of every task."""
    every: int
    """Steps between two evaluations; one more is made at the end."""
    batch_size: int
    """Items answered at the same time."""

    def load(self) -> Loaded:
        """The items.

        Raises:
            UserError: the dataset or its split is not there.
        """
        return get_benchmark("xvr", split=self.split).load(self.data)


class Examiner:
    """Asks a model in training, and writes down what it says."""

    def __init__(
        self,
        held_out: HeldOut,
        out: Path,
        processor: Any,
        *,
        identity: str,
        size: dict[str, int] | None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """`identity` is of the run, so that answers of two runs are never mixed."""
        self._held_out = held_out
        self._out = out
        self._processor = processor
        self._identity = identity
        self._size = size
        self._progress = progress
        self._loaded = held_out.load()

    def folder(self, step: int) -> Path:
        """Of the evaluation after a step."""
        return self._out / FOLDER / f"step_{step:06}"

    def examine(self, model: Any, step: int) -> dict[str, float]:
        """Accuracy in all and by task, as shares; it leaves the model as it was.

        Args:
            model: not wrapped.
            step: that was done last.

        Raises:
            UserError: an image cannot be read, or the disk refuses.
        """
        options = ModelOptions(
            max_new_tokens=ANSWER_TOKENS, batch_size=self._held_out.batch_size, temperature=0.0
        )
        with _answering(model, self._processor, options):
            asked = LocalModel(
                name=f"train:{self._out.name}",
                revision=f"step {step} of {self._identity}",
                processor=self._processor,
                model=model,
                options=options,
                size=self._size,
            )
            chosen = RunOptions(data=self._held_out.data, limit=self._held_out.limit)
            folder = self.folder(step)
            run(get_benchmark("xvr"), self._loaded, asked, folder, chosen, progress=self._progress)
        scored = score_run(folder, "strict", resamples=200)
        write_scores(scored)
        scores = scored.default
        return {
            **{f"eval/{name}": total.accuracy for name, total in scores.totals.items()},
            **{f"eval/{task}": summary.accuracy for task, summary in scores.tasks.items()},
        }


@contextmanager
def _answering(model: Any, processor: Any, options: ModelOptions) -> Iterator[None]:
    """The model as evaluation wants it, and afterwards as training had it."""
    import torch

    trains, settings = model.training, model.generation_config
    state = torch.random.get_rng_state()
    kind = next(model.parameters()).device.type
    model.eval()
    model.generation_config = generation(settings, processor, options)
    try:
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            yield
    finally:
        model.train(trains)
        model.generation_config = settings
        torch.random.set_rng_state(state)

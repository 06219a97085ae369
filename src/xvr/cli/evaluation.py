"""`xvr eval run`: asking a model the questions of a benchmark."""

from pathlib import Path
from typing import Annotated

import tyro

from xvr.cli.progress import Bar, tell
from xvr.evaluation.models.options import ModelOptions

Benchmark = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="BENCHMARK")]


def eval_run(
    benchmark: Benchmark,
    /,
    data: Path,
    model: str,
    out: Path,
    tasks: tuple[str, ...] = (),
    split: str | None = None,
    limit: int | None = None,
    max_cost: Annotated[float | None, tyro.conf.arg(metavar="USD")] = None,
    options: Annotated[ModelOptions, tyro.conf.arg(name="")] = ModelOptions(),  # noqa: B008
) -> int:
    """Ask a model the questions of a benchmark; running again asks what has no answer.

    Args:
        benchmark: Benchmark to ask, such as xvr for any dataset of cross-view questions.
        data: Folder or file of the benchmark.
        model: Whom to ask, such as random, hf:Qwen/Qwen3-VL-2B-Instruct or openai:NAME.
        out: Folder of the run; the same command in the same folder goes on with it.
        tasks: Tasks to ask; all when left out.
        split: Split of a dataset to ask; when left out xvr_eval, valid or train, whichever is there
            first.
        limit: Most items, a share of every task; a larger limit takes the same ones and more.
        max_cost: US dollars after which no new call is made, earlier runs in the folder included.
        options: How the model is run.
    """
    from xvr.evaluation.benchmarks import get_benchmark
    from xvr.evaluation.models import make_model
    from xvr.evaluation.run import RunOptions, run, unknown_cost

    if max_cost is not None and options.input_price_usd is None:
        raise unknown_cost(model)  # before any answer is paid for
    chosen = get_benchmark(benchmark, split=split)
    loaded = chosen.load(data)
    for note in loaded.notes:
        tell(f"{benchmark}: {note}")
    asked = RunOptions(data=data, tasks=tasks, limit=limit, max_cost_usd=max_cost)
    whom = make_model(model, loaded, options)
    try:
        with Bar("items", "item") as bar:
            outcome = run(chosen, loaded, whom, out, asked, progress=bar.show)
    finally:
        whom.close()
    cost = f", {outcome.cost_usd:.4f} USD" if outcome.cost_usd else ""
    tell(f"{out}: {outcome.answered} of {outcome.items} items answered, {outcome.asked} now{cost}")
    if outcome.complete:
        return 0
    for kind, messages in outcome.failed.items():
        tell(f"  failed: {kind} {len(messages)}, such as: {messages[0]}")
    if outcome.not_asked:
        tell(f"  not asked: {outcome.not_asked}")
    if outcome.over_budget:
        tell("--max-cost is reached: raise it and run the same command again to go on")
    else:
        tell("run the same command again to ask them again")
    return 1

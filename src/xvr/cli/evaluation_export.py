"""`xvr eval export`: a benchmark as a task of another harness."""

from pathlib import Path
from typing import Literal

from xvr.cli.evaluation import Benchmark
from xvr.cli.progress import Bar, tell


def eval_export(
    benchmark: Benchmark,
    /,
    data: Path,
    to: Literal["lmms-eval", "vlmevalkit", "inspect"],
    out: Path,
    tasks: tuple[str, ...] = (),
    split: str | None = None,
    limit: int | None = None,
) -> int:
    """Write a benchmark as a task of another harness, with the same prompts and scorers.

    Args:
        benchmark: Benchmark to write, such as xvr for any dataset of cross-view questions.
        data: Folder or file of the benchmark.
        to: Harness that reads it.
        out: Folder to write.
        tasks: Tasks to write; all when left out.
        split: Split of a dataset; when left out xvr_eval, valid or train, whichever is there first.
        limit: Most items, a share of every task.
    """
    from xvr.evaluation.benchmarks import get_benchmark
    from xvr.evaluation.choice import choose
    from xvr.evaluation.harness import export

    chosen = get_benchmark(benchmark, split=split)
    items = choose(chosen.load(data).items, tasks=tasks, limit=limit)
    with Bar("items", "item") as bar:
        export(chosen, items, out, to, progress=bar.show)
    tell(f"{out}: {len(items)} items for {to}; README.md there says how they are run")
    return 0

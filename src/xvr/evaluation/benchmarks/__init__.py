"""The benchmarks, each a value in its own file."""

from dataclasses import replace
from functools import partial

from xvr.errors import UserError, unknown_name
from xvr.evaluation.benchmark import Benchmark
from xvr.evaluation.benchmarks import mindcube, robospatial, xvr

__all__ = ["BENCHMARKS", "get_benchmark"]

BENCHMARKS: tuple[Benchmark, ...] = (
    xvr.BENCHMARK,
    mindcube.BENCHMARK,
    robospatial.BENCHMARK,
)


def get_benchmark(name: str, *, split: str | None = None) -> Benchmark:
    """The benchmark with a name.

    Args:
        name: such as `xvr`.
        split: of a dataset, for the one benchmark that is any dataset.

    Raises:
        UserError: the name is unknown, or the benchmark has no splits.
    """
    found = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    if name not in found:
        raise unknown_name("benchmark", name, found)
    if split is None:
        return found[name]
    if name != xvr.BENCHMARK.name:
        raise UserError(f"--split: {name} has no splits; leave it out")
    return replace(found[name], load=partial(xvr.load, split=split))

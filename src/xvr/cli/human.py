"""`xvr eval human`: people answer a benchmark on a local page."""

from contextlib import suppress
from pathlib import Path

import tyro

from xvr.cli.evaluation import Benchmark
from xvr.cli.progress import tell
from xvr.errors import UserError


def eval_human(
    benchmark: Benchmark,
    /,
    data: Path,
    out: Path,
    annotator: tyro.conf.UseAppendAction[tuple[str, ...]],
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    split: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8765,
) -> int:
    """Serve a page on which people answer; Ctrl-C ends it, the same command goes on.

    Args:
        benchmark: Benchmark to ask, such as xvr for any dataset of cross-view questions.
        data: Folder or file of the benchmark.
        out: Folder of the run; others may answer the same one later.
        annotator: Name of who answers; repeat for several people at once.
        tasks: Tasks to ask; all when left out.
        limit: Most items, a share of every task.
        split: Split of a dataset; when left out xvr_eval, valid or train, whichever is there first.
        host: Address to listen on; any other than this machine's own lets the network in.
        port: Port to listen on; 0 takes a free one.
    """
    from xvr.evaluation.benchmarks import get_benchmark
    from xvr.evaluation.human.run import open_sessions
    from xvr.evaluation.human.serve import is_loopback, serve
    from xvr.evaluation.run import RunOptions

    if not 0 <= port <= 65535:
        raise UserError(f"--port {port}: a port is 0 to 65535")
    chosen = get_benchmark(benchmark, split=split)
    options = RunOptions(data=data, tasks=tasks, limit=limit)

    def ready(address: str) -> None:
        if not is_loopback(host):
            tell(f"warning: {host} is open to the network: whoever reaches it can look and answer")
        tell(f"{address} asks {', '.join(annotator)}; Ctrl-C ends")

    loaded = chosen.load(data)
    for note in loaded.notes:
        tell(f"{benchmark}: {note}")
    with open_sessions(chosen, loaded, out, options, annotator) as sessions:
        with suppress(KeyboardInterrupt):  # the server may pass Ctrl-C on, or just end
            serve(sessions, chosen.name, host=host, port=port, ready=ready)
        for one in sessions:
            tell(f"{one.annotator}: {sum(one.answered)} of {len(one.answered)} answered")
        if not all(all(one.answered) for one in sessions):
            raise KeyboardInterrupt
    return 0

"""Building a dataset: index, plan, run rounds of units, merge, describe.

    build(Path("out/dataset"), BuildConfig(sources=("wildrgbd:captures",), samples=400))

Everything on disk is either whole or absent. Unfinished work is in `OUT/.build`; the same call
goes on from there, and a call with other arguments is refused.
"""

import json
from pathlib import Path

from xvr import __version__
from xvr.dataset.card import write_card
from xvr.dataset.manifest import write_manifest
from xvr.dataset.stats import compute_stats, write_stats
from xvr.engine.config import BuildConfig
from xvr.engine.executor import Crew, executor
from xvr.engine.folder import WORK, disk_errors, is_complete, remove_work, work_folder
from xvr.engine.merge import merge
from xvr.engine.receipt import forget_unusable
from xvr.engine.rounds import Ledger, Progress, Workshop, run_rounds
from xvr.engine.watch import SourceChanged, watch
from xvr.errors import UserError


def build(
    out: Path, config: BuildConfig, crew: Crew | None = None, progress: Progress | None = None
) -> bool:
    """Write a dataset; a complete one with the same config is left as it is.

    Args:
        out: folder of the dataset.
        config: what is built; it alone decides the bytes.
        crew: who does the work; this process when left out.
        progress: told of every unit.

    Returns:
        Whether the dataset is complete. It is not when this is a rank other than 0 and rank 0 has
        not written the dataset yet; all units are done then.

    Raises:
        UserError: a source cannot be read or gives too little, the folder holds something else or
            is in use, or the disk is full.
    """
    crew = crew or Crew()
    sources = [watch(text) for text in config.sources]
    prints = [
        {"source": watched.source.format, "refs": len(watched.refs), "sha256": watched.sha256}
        for watched in sources
    ]
    identity = config.fingerprint(json.dumps(prints), __version__)
    shop = Workshop(config=config, sources=sources, identity=identity, work=out / WORK, crew=crew)
    if not is_complete(out, identity):
        try:
            _make(out, shop, prints, progress)
        except UserError:
            # rank 0 may have finished and removed the folder in which this rank still worked
            if crew.rank == 0 or not is_complete(out, identity):
                raise
    if crew.rank == 0:
        remove_work(out)
    return is_complete(out, identity)


def _make(out: Path, shop: Workshop, prints: list[dict], progress: Progress | None) -> None:
    with work_folder(out, shop.identity, shop.crew), disk_errors(out):
        if is_complete(out, shop.identity):  # by another process, until the lock was ours
            return
        ledger = _run(shop, progress)
        if shop.crew.rank == 0:
            _write(out, shop, ledger, prints)


def _run(shop: Workshop, progress: Progress | None) -> Ledger:
    try:
        with executor(shop.crew) as execute:
            return run_rounds(shop, execute, progress)
    except SourceChanged:
        forget_unusable(shop.work)
        raise


def _write(out: Path, shop: Workshop, ledger: Ledger, prints: list[dict]) -> None:
    """All files of the dataset, the manifest last."""
    counts = merge(out, shop.work, ledger.units, shop.config)
    stats = compute_stats(out)
    write_stats(out, stats)
    write_card(out, stats, shop.config.as_json())
    write_manifest(
        out,
        identity=shop.identity,
        config=shop.config.as_json(),
        sources=prints,
        outcome={
            "splits": counts,
            "units": len(ledger.used),
            "refusals": {
                task: dict(sorted(reasons.items()))
                for task, reasons in sorted(ledger.refusals.items())
            },
            "skipped": [ledger.skipped[key] for key in sorted(ledger.skipped)],
        },
    )

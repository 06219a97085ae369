"""Building a dataset: index, plan, run rounds of units, merge, describe.

    build(Path("out/dataset"), sources=["wildrgbd:captures"], samples=400)

Everything on disk is either whole or absent. Unfinished work is in `OUT/.build`; the same call
goes on from there, and a call with other arguments is refused.
"""

import fcntl
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from xvr import __version__
from xvr.dataset import atomic
from xvr.dataset.card import write_card
from xvr.dataset.manifest import MANIFEST, write_manifest
from xvr.dataset.stats import compute_stats, write_stats
from xvr.engine.config import BuildConfig
from xvr.engine.executor import execute
from xvr.engine.merge import merge
from xvr.engine.plan import SplitPlanner, assign_splits, split_counts
from xvr.engine.receipt import Receipt
from xvr.engine.unit import run_unit
from xvr.errors import UserError
from xvr.sources import fingerprint, index, parse_source
from xvr.sources.records import Ref
from xvr.tasks import get_task

WORK = ".build"
"""Folder of unfinished work below the dataset."""
Progress = Callable[[int, int], None]
"""Called with (samples made, samples wanted) after every unit."""


@dataclass
class Ledger:
    """What happened in all units: samples, refusals by reason, skipped scenes and episodes."""

    made: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    refusals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    skipped: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def build(
    out: Path, config: BuildConfig, *, workers: int = 1, progress: Progress | None = None
) -> None:
    """Write a dataset; a complete one with the same config is left as it is.

    Raises:
        UserError: a source cannot be read or gives too little, the folder holds something else or
            is in use, or the disk is full.
    """
    if workers < 1:
        raise UserError(f"--workers is {workers}; it must be at least 1")
    sources = [parse_source(text) for text in config.sources]
    refs, prints = [], []
    for source in sources:
        found = index(source)
        prints.append(
            {"source": source.format, "refs": len(found), "sha256": fingerprint(found, source)}
        )
        refs += found
    identity = config.fingerprint(json.dumps(prints), __version__)
    if _is_complete(out, identity):
        return
    with _work_folder(out, identity) as work, _disk_errors(out):
        ledger = _run_rounds(refs, config, work, identity, workers, progress)
        counts = merge(out, work, ledger.units, config)
        stats = compute_stats(out)
        write_stats(out, stats)
        write_card(out, stats, config.as_json())
        write_manifest(
            out,
            identity=identity,
            config=config.as_json(),
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
    shutil.rmtree(out / WORK)


def discard(out: Path) -> None:
    """Delete a dataset or an unfinished build; anything else is left alone.

    Raises:
        UserError: the folder holds something else.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MANIFEST).exists() and not (out / WORK / "identity").exists():
        raise UserError(f"{out} holds no dataset; it is not deleted, choose another folder")
    with _locked(out):
        shutil.rmtree(out)


def _run_rounds(
    refs: Sequence[Ref],
    config: BuildConfig,
    work: Path,
    identity: str,
    workers: int,
    progress: Progress | None,
) -> Ledger:
    splits = assign_splits(refs, config)
    wanted = split_counts(config, splits)
    total = sum(sum(tasks.values()) for tasks in wanted.values())
    ledger = Ledger()
    run = partial(run_unit, config=config, work=work, fingerprint=identity)
    for split, tasks in wanted.items():
        planner = SplitPlanner(split=split, refs=splits[split], counts=tasks, seed=config.seed)
        names = []
        while planner.open_slots and (units := planner.next_units()):
            for unit, receipt in execute(units, run, workers):
                planner.account(
                    unit, receipt.filled, receipt.keys, partner_unusable=receipt.partner_unusable
                )
                _account(ledger, split, unit.ref, receipt)
                if receipt.filled:
                    names.append(unit.name)
                if progress is not None:
                    progress(sum(sum(made.values()) for made in ledger.made.values()), total)
            planner.finish_round()
        if tasks:
            ledger.units[split] = sorted(names)
    _require_all(ledger, wanted, refs)
    return ledger


def _account(ledger: Ledger, split: str, ref: Ref, receipt: Receipt) -> None:
    ledger.made[split].update(task for task, _ in receipt.filled)
    for task, reasons in receipt.refusals.items():
        ledger.refusals[task].update(reasons)
    if receipt.skipped is not None:
        ledger.skipped[f"{ref.root}/{ref.id}"] = {
            "format": ref.format,
            "path": ref.root,
            "id": ref.id,
            **receipt.skipped,
        }
    if receipt.filled:
        ledger.used.add(f"{ref.root}/{ref.id}")


def _require_all(ledger: Ledger, wanted: dict[str, dict[str, int]], refs: Sequence[Ref]) -> None:
    """Raise `UserError` with the numbers and the reasons when slots are left open."""
    short = [
        (split, task, ledger.made[split][task], count)
        for split, tasks in wanted.items()
        for task, count in tasks.items()
        if ledger.made[split][task] < count
    ]
    if not short:
        return
    skipped = Counter(entry["reason"] for entry in ledger.skipped.values())
    lines = [
        f"the sources cannot give all samples that were asked for ({len(refs)} scenes and "
        f"episodes, {len(ledger.skipped)} of them unusable{_tally(skipped)}):"
    ]
    kinds = {ref.kind for ref in refs}
    for split, task, made, count in short:
        kind = "scene" if get_task(task).domain == "general" else "episode"
        why = _tally(ledger.refusals[task]) if kind in kinds else f"; no source has {kind}s"
        lines.append(f"  {split} {task}: {made} of {count}{why}")
    example = next(iter(ledger.skipped.values()), None)
    if example is not None:
        lines.append(f"  first unusable: {example['id']}: {example['detail']}")
    lines.append(
        "ask for fewer samples, choose other --tasks, relax a rule with --set, or add data; "
        "then build into a new folder or add --overwrite"
    )
    raise UserError("\n".join(lines))


def _tally(counts: Counter[str]) -> str:
    listed = ", ".join(f"{reason} {n}" for reason, n in counts.most_common(4))
    return f"; {listed}" if listed else ""


def _is_complete(out: Path, identity: str) -> bool:
    """Whether the folder holds this very dataset; refuse when it holds anything else."""
    if not out.exists():
        return False
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder")
    manifest = out / MANIFEST
    if manifest.exists():
        if json.loads(manifest.read_text()).get("identity") == identity:
            return True
        raise UserError(
            f"{out} holds a dataset made with other arguments, sources or version; "
            "choose another folder or add --overwrite"
        )
    started = out / WORK / "identity"
    if started.exists() and started.read_text() != identity:
        raise UserError(
            f"{out} holds an unfinished build with other arguments, sources or version; "
            "choose another folder or add --overwrite"
        )
    if not started.exists() and any(path.name != WORK for path in out.iterdir()):
        raise UserError(f"{out} is not empty and holds no build; choose another folder")
    return False


@contextmanager
def _work_folder(out: Path, identity: str) -> Iterator[Path]:
    """The folder of unfinished work, locked against a second run."""
    work = out / WORK
    with _locked(out):
        with _disk_errors(out):
            atomic.write_bytes(work / "identity", identity.encode())
        yield work


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the lock of a folder's builds."""
    with _disk_errors(out):
        (out / WORK).mkdir(parents=True, exist_ok=True)
        lock = (out / WORK / "lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another build is writing to {out}; wait for it to end") from error
        yield


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a message; finished units stay."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write to {out}: {os.strerror(error.errno) if error.errno else error}; "
            "what is finished is kept: make room and run the same command again"
        ) from error

"""Running the plan of every split, round by round, until every slot is filled."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from xvr.engine.config import BuildConfig
from xvr.engine.executor import Crew, Execute
from xvr.engine.plan import SplitPlanner, Unit, assign_splits, split_counts
from xvr.engine.ranks import execute_with_others
from xvr.engine.receipt import Receipt, UnitFiles
from xvr.engine.unit import forget_episodes, run_unit
from xvr.engine.watch import Watched, require_there
from xvr.errors import UserError
from xvr.sources.records import Ref
from xvr.tasks import get_task

Progress = Callable[[int, int], None]
"""Called with (samples made, samples wanted) after every unit."""


@dataclass
class Ledger:
    """What happened in all units: samples, refusals by reason, skipped scenes and episodes."""

    made: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    refusals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    skipped: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    """SHA-256 of the records of each unit with samples, by split and name."""
    used: set[str] = field(default_factory=set)

    def account(self, unit: Unit, receipt: Receipt) -> None:
        """Add a finished unit."""
        ref = unit.ref
        self.made[unit.split].update(task for task, _ in receipt.filled)
        for task, reasons in receipt.refusals.items():
            self.refusals[task].update(reasons)
        if receipt.skipped is not None:
            self.skipped[f"{ref.root}/{ref.id}"] = {
                "format": ref.format,
                "path": ref.root,
                "id": ref.id,
                **receipt.skipped,
            }
        if receipt.filled:
            self.used.add(f"{ref.root}/{ref.id}")
            self.units[unit.split][unit.name] = receipt.sha256["records"]

    @property
    def samples(self) -> int:
        """Samples made so far."""
        return sum(made.total() for made in self.made.values())


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What all units of a build have in common."""

    config: BuildConfig
    sources: Sequence[Watched]
    identity: str
    """`BuildConfig.fingerprint` of the build."""
    work: Path
    crew: Crew


def run_rounds(shop: Workshop, execute: Execute, progress: Progress | None) -> Ledger:
    """Fill all slots of all splits.

    Raises:
        UserError: the sources give too little, or changed meanwhile.
    """
    forget_episodes()
    refs = [ref for watched in shop.sources for ref in watched.refs]
    splits = assign_splits(refs, shop.config)
    wanted = split_counts(shop.config, splits)
    total = sum(sum(tasks.values()) for tasks in wanted.values())
    ledger = Ledger()
    for split, tasks in wanted.items():
        if tasks:
            ledger.units[split] = {}
        planner = SplitPlanner(split=split, refs=splits[split], counts=tasks, seed=shop.config.seed)
        while planner.open_slots and (units := planner.next_units()):
            doubtful = False
            for unit, receipt in _receipts(units, shop, execute):
                if receipt.met_unusable:
                    require_there(unit.ref)
                    doubtful = True
                planner.account(
                    unit, receipt.filled, receipt.keys, partner_unusable=receipt.partner_unusable
                )
                ledger.account(unit, receipt)
                if progress is not None:
                    progress(ledger.samples, total)
            if doubtful:
                for watched in shop.sources:
                    watched.require_unchanged()
            planner.finish_round()
    _require_all(ledger, wanted, refs)
    return ledger


def _receipts(
    units: Sequence[Unit], shop: Workshop, execute: Execute
) -> Iterator[tuple[Unit, Receipt]]:
    run = partial(run_unit, config=shop.config, work=shop.work, fingerprint=shop.identity)
    if shop.crew.world == 1:
        return execute(units, run)

    def find(unit: Unit) -> Receipt | None:
        return UnitFiles(shop.work, unit.name).find(shop.identity)

    return execute_with_others(units, run, execute, shop.crew, find)


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

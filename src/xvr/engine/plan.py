"""Which sample comes from which scene: splits by group, quotas by task, top-up rounds.

Planning reads no image: it works on the references of an index. A split's samples are slots,
numbered per task, whose answers are balanced in advance; a round hands the open slots to units, and
what a unit could not fill is handed to others in the next round.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xvr.engine.config import BuildConfig, apportion
from xvr.engine.seeds import digest
from xvr.sources.records import Ref
from xvr.tasks import get_task

MIN_SAMPLES_PER_UNIT = 8
"""Fewer samples than this per scene or episode would decode more than they use."""

SlotId = tuple[str, int]
"""Task name and index within the split."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One scene, or one episode with its partner, and the slots it is asked to fill."""

    split: str
    round: int
    ref: Ref
    partner: Ref | None
    slots: tuple[SlotId, ...]
    taken: tuple[str, ...] = ()
    """Digests of questions that earlier rounds made from this scene or episode."""

    @property
    def name(self) -> str:
        """File stem of the unit's outputs, unique within a build."""
        identity = digest(self.ref.format, self.ref.root, self.ref.id).hex()[:16]
        return f"{self.split}-{self.round:02d}-{identity}"


def assign_splits(refs: Sequence[Ref], config: BuildConfig) -> dict[str, list[Ref]]:
    """References by split; groups stay whole, and their order in a split is random but fixed.

    Robotic splits get at least two groups, since a cross-scenario question takes two episodes. A
    domain with too few groups for a split keeps all of them in train.
    """
    splits: dict[str, list[Ref]] = {"train": [], "valid": [], "xvr_eval": []}
    for kind in ("scene", "episode"):
        groups: dict[str, list[Ref]] = defaultdict(list)
        for ref in refs:
            if ref.kind == kind:
                groups[ref.group].append(ref)
        order = sorted(groups, key=lambda group: digest(config.seed, "split", group))
        start = 0
        for split, share in _held_out(config):
            count = _group_count(kind, share, len(order))
            for group in order[start : start + count]:
                splits[split] += groups[group]
            start += count
        if config.samples > 0:
            for group in order[start:]:
                splits["train"] += groups[group]
    return splits


def split_counts(config: BuildConfig, splits: dict[str, list[Ref]]) -> dict[str, dict[str, int]]:
    """Samples per split and task; what valid cannot give, for want of groups, train gives."""
    shares = config.shares()
    wanted = apportion(config.samples, shares)
    kinds = {split: {ref.kind for ref in refs} for split, refs in splits.items()}
    valid = {
        name: count if _kind(name) in kinds["valid"] else 0
        for name, count in apportion(round(config.samples * config.valid_share), shares).items()
    }
    counts = {
        "train": {name: wanted[name] - valid[name] for name in wanted},
        "valid": valid,
        "xvr_eval": {
            name: get_task(name).eval_count if config.evaluation else 0 for name in wanted
        },
    }
    return {
        split: {name: count for name, count in tasks.items() if count}
        for split, tasks in counts.items()
    }


@dataclass
class SplitPlanner:
    """Hands the slots of one split to units, round by round."""

    split: str
    refs: Sequence[Ref]
    counts: dict[str, int]
    seed: int = 0
    round: int = 0
    open_slots: set[SlotId] = field(default_factory=set)
    spent: set[tuple[str, str]] = field(default_factory=set)
    """(task, unit key) pairs that gave nothing when last asked."""
    poor: set[tuple[str, str]] = field(default_factory=set)
    """(task, unit key) pairs that gave less than half of what was asked; they are asked last."""
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.open_slots = {(task, i) for task, n in self.counts.items() for i in range(n)}
        self._by_kind = {
            kind: [ref for ref in self.refs if ref.kind == kind] for kind in ("scene", "episode")
        }
        self._rings: dict[str, list[Ref]] = defaultdict(list)
        self._places: dict[str, int] = {}
        for ref in self._by_kind["episode"]:
            self._places[_key(ref)] = len(self._rings[ref.rig])
            self._rings[ref.rig].append(ref)

    def next_units(self) -> list[Unit]:
        """The units of the next round; empty when nothing can fill the open slots."""
        by_ref: dict[str, list[SlotId]] = defaultdict(list)
        refs: dict[str, Ref] = {}
        for kind, candidates in self._by_kind.items():
            tasks = [task for task in self.counts if _kind(task) == kind]
            wanted = sum(1 for task, _ in self.open_slots if task in tasks)
            window = -(-wanted // MIN_SAMPLES_PER_UNIT)
            for offset, task in enumerate(tasks):
                able = self._able(task, candidates)[: max(window, 1)]
                slots = self._shuffled(task)
                for number, slot in enumerate(slots if able else ()):
                    ref = able[(number + offset) % len(able)]
                    refs[_key(ref)] = ref
                    by_ref[_key(ref)].append(slot)
        return [
            Unit(
                split=self.split,
                round=self.round,
                ref=refs[key],
                partner=self._partner(refs[key]),
                slots=tuple(slots),
                taken=tuple(self.taken[key]),
            )
            for key, slots in sorted(by_ref.items())
        ]

    def finish_round(self) -> None:
        """Count a round whose units are all accounted for."""
        self.round += 1

    def account(
        self,
        unit: Unit,
        filled: Iterable[SlotId],
        keys: Iterable[str] = (),
        *,
        partner_unusable: bool = False,
    ) -> None:
        """Take a finished unit into account: a task it did not fill at all is spent there.

        An episode whose partner could not be used gets others, until all were tried.
        """
        filled = set(filled)
        self.open_slots -= filled
        self.taken[_key(unit.ref)] += keys
        asked = Counter(task for task, _ in unit.slots)
        given = Counter(task for task, _ in filled)
        for task, count in asked.items():
            if given[task] == 0 and partner_unusable and self._has_new_partner(unit.ref):
                self.poor.add((task, _key(unit.ref)))
            elif given[task] == 0:
                self.spent.add((task, _key(unit.ref)))
            elif 2 * given[task] < count:
                self.poor.add((task, _key(unit.ref)))

    def _shuffled(self, task: str) -> list[SlotId]:
        """Open slots of a task in random order: their answers take turns, and so do the units."""
        slots = (slot for slot in self.open_slots if slot[0] == task)
        return sorted(slots, key=lambda slot: digest(self.seed, self.split, self.round, *slot))

    def _able(self, task: str, candidates: Sequence[Ref]) -> list[Ref]:
        able = [ref for ref in candidates if (task, _key(ref)) not in self.spent]
        return sorted(able, key=lambda ref: (task, _key(ref)) in self.poor)  # stable

    def _has_new_partner(self, ref: Ref) -> bool:
        return self.round + 1 < len(self._rings.get(ref.rig, [])) - 1

    def _partner(self, ref: Ref) -> Ref | None:
        """Another episode of the rig; each round another one, until all were partners."""
        ring = self._rings.get(ref.rig, [])
        if ref.kind != "episode" or len(ring) < 2:
            return None
        step = 1 + self.round % (len(ring) - 1)
        return ring[(self._places[_key(ref)] + step) % len(ring)]


def _held_out(config: BuildConfig) -> list[tuple[str, float]]:
    shares = [("xvr_eval", config.eval_share)] if config.evaluation else []
    if config.samples * config.valid_share >= 1:
        shares.append(("valid", config.valid_share))
    return shares


def _group_count(kind: str, share: float, groups: int) -> int:
    least = 2 if kind == "episode" else 1
    return max(least, round(share * groups)) if groups >= 2 * least + 1 else 0


def _kind(task: str) -> Literal["scene", "episode"]:
    return "scene" if get_task(task).domain == "general" else "episode"


def _key(ref: Ref) -> str:
    return f"{ref.format}\x1f{ref.root}\x1f{ref.id}"

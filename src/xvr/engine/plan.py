"""Which sample comes from which scene: splits by group, quotas by task, top-up rounds.

Planning reads no image: it works on the references of an index. A split's samples are slots,
numbered per task, whose answers are balanced in advance; a round hands the open slots to units, and
what a unit could not fill is handed to others in the next round.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Int64

from xvr.engine.config import BuildConfig, apportion
from xvr.engine.seeds import child_rng, digest
from xvr.sources.records import Ref
from xvr.tasks import get_task

MIN_SAMPLES_PER_UNIT = 8
"""Fewer samples than this per scene or episode would decode more than they use."""

PAIRED = ("cross_scenario_localization",)
"""Tasks that read a second episode, the partner.

In train their slots go to units of their own, `MIN_SAMPLES_PER_UNIT` to each as long as there are
enough: a partner is then decoded for eight questions and not for the one or two that an even spread
over all episodes would leave it with, and a pair gives no more questions than any unit does. The
small held-out splits keep the even spread, as there more pairs are worth more than the time."""

_GOOD, _POOR, _SPENT = range(3)
"""Not asked or fruitful; gave less than half of what was asked, so asked last; gave nothing."""

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

    @cached_property
    def name(self) -> str:
        """File stem of the unit's outputs: another one whenever anything here is another."""
        asked = digest(self.ref, self.partner, self.slots, self.taken).hex()[:20]
        return f"{self.split}-{self.round:02d}-{asked}"


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


class SplitPlanner:
    """Hands the slots of one split to units, round by round.

    Args:
        split: name of the split.
        refs: its scenes and episodes; the first ones are asked first.
        counts: samples wanted of each task.
        seed: of the build.
    """

    def __init__(
        self, split: str, refs: Sequence[Ref], counts: dict[str, int], seed: int = 0
    ) -> None:
        self.round = 0
        self._split = split
        self._seed = seed
        self._refs = list(dict.fromkeys(refs))
        self._number = {ref: number for number, ref in enumerate(self._refs)}
        self._open = {task: np.ones(count, dtype=bool) for task, count in counts.items()}
        kinds = np.array([ref.kind for ref in self._refs], dtype="U7")
        self._standing = {
            task: np.where(kinds == _kind(task), _GOOD, _SPENT).astype(np.int8) for task in counts
        }
        """Per task and ref: what came of asking it."""
        self._taken: dict[int, list[str]] = defaultdict(list)
        self._rings: dict[str, list[int]] = defaultdict(list)
        self._places: dict[int, int] = {}
        for number, ref in enumerate(self._refs):
            if ref.kind == "episode":
                self._places[number] = len(self._rings[ref.rig])
                self._rings[ref.rig].append(number)

    @property
    def open_slots(self) -> int:
        """Number of slots that are not filled yet."""
        return sum(np.count_nonzero(slots) for slots in self._open.values())

    def next_units(self) -> list[Unit]:
        """The units of the next round; empty when nothing can fill the open slots."""
        slots_of: dict[int, list[SlotId]] = defaultdict(list)
        for kind in ("scene", "episode"):
            tasks = [task for task in self._open if _kind(task) == kind]
            start = 0
            alone = [task for task in tasks if task in PAIRED and self._split == "train"]
            for group in (alone, [task for task in tasks if task not in alone]):
                wanted = sum(np.count_nonzero(self._open[task]) for task in group)
                window = -(-wanted // MIN_SAMPLES_PER_UNIT)
                for offset, task in enumerate(group):
                    able = self._able(task, start)[:window].tolist()
                    for place, index in enumerate(self._shuffled(task) if able else ()):
                        slots_of[able[(place + offset) % len(able)]].append((task, index))
                start += window
        return [self._unit(number, slots) for number, slots in sorted(slots_of.items())]

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
        number = self._number[unit.ref]
        given: Counter[str] = Counter()
        for task, index in filled:
            self._open[task][index] = False
            given[task] += 1
        self._taken[number] += keys
        for task, count in Counter(task for task, _ in unit.slots).items():
            if given[task] == 0 and not (partner_unusable and self._has_new_partner(number)):
                self._standing[task][number] = _SPENT
            elif 2 * given[task] < count:
                self._standing[task][number] = _POOR

    def _unit(self, number: int, slots: list[SlotId]) -> Unit:
        return Unit(
            split=self._split,
            round=self.round,
            ref=self._refs[number],
            partner=self._partner(number),
            slots=tuple(slots),
            taken=tuple(self._taken.get(number, ())),
        )

    def _shuffled(self, task: str) -> list[int]:
        """Open slots of a task in random order: their answers take turns, and so do the units."""
        rng = child_rng(self._seed, "slots", self._split, self.round, task)
        return rng.permutation(np.flatnonzero(self._open[task])).tolist()

    def _able(self, task: str, start: int) -> Int64[np.ndarray, " refs"]:
        """Refs that may fill slots of a task: good ones, in turn from `start`, then poor ones."""
        good, poor = (np.flatnonzero(self._standing[task] == which) for which in (_GOOD, _POOR))
        return np.concatenate([np.roll(good, -start), poor])

    def _has_new_partner(self, number: int) -> bool:
        return self.round + 1 < len(self._rings[self._refs[number].rig]) - 1

    def _partner(self, number: int) -> Ref | None:
        """Another episode of the rig; each round another one, until all were partners."""
        ref = self._refs[number]
        ring = self._rings.get(ref.rig, [])
        if ref.kind != "episode" or len(ring) < 2:
            return None
        step = 1 + self.round % (len(ring) - 1)
        return self._refs[ring[(self._places[number] + step) % len(ring)]]


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

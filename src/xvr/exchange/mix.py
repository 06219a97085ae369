"""Several datasets become one, by weight; what one holds out is in no other's training split.

    mix([Path("a"), Path("b")], Path("out"), weights=(0.7, 0.3))

Splits stay what they are. A scene or episode that two datasets have in different splits stays in
the one held out most strictly. With weights, each dataset gives as many samples as its weight
allows without repeating any, chosen evenly over tasks and answers; a dataset keeps its own order.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from xvr.dataset.atomic import new_folder
from xvr.dataset.reader import read_split
from xvr.dataset.record import SPLITS
from xvr.engine.config import apportion
from xvr.engine.seeds import child_rng
from xvr.errors import UserError
from xvr.exchange.derive import (
    Derivation,
    Picked,
    Progress,
    require_like_images,
    write_derived,
)
from xvr.exchange.parents import Line, Parent, open_parent, survey

Chosen = dict[tuple[str, int], set[int]]
"""Line numbers by split and parent."""


def mix(
    datasets: Sequence[Path],
    out: Path,
    *,
    weights: Sequence[float] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Write a dataset of samples of several.

    Args:
        datasets: at least two, all different.
        out: the folder to write; it must not be there.
        weights: share of each dataset in every split, in any unit; without them, all samples.
        seed: of the choice and the order.
        progress: called after every sample.

    Raises:
        UserError: bad arguments, a dataset that cannot be read, or `out` cannot be written.
    """
    parents = _open(datasets, weights)
    lines = survey(parents)
    kept = _without_leaks(lines)
    chosen = _choose(kept, parents, weights, seed)
    if not chosen:
        raise UserError("no sample is left: the datasets hold each other's scenes out")
    total = sum(map(len, chosen.values()))
    derivation = Derivation(
        made_by="mix",
        arguments={"weights": list(weights), "seed": seed},
        parents=parents,
        outcome={"held_out_elsewhere": len(lines) - len(kept)},
    )
    with new_folder(out) as folder:
        splits = {
            split: _interleave(parents, split, chosen, seed)
            for split in SPLITS
            if any(name == split for name, _ in chosen)
        }
        write_derived(folder, splits, derivation, total=total, progress=progress)


def _open(datasets: Sequence[Path], weights: Sequence[float]) -> list[Parent]:
    if len(datasets) < 2:
        raise UserError("name at least two datasets to mix, then the folder to write")
    if weights and len(weights) != len(datasets):
        raise UserError(f"{len(weights)} weights for {len(datasets)} datasets; give one for each")
    if any(not 0 < weight < float("inf") for weight in weights):
        raise UserError(f"weights are {', '.join(map(str, weights))}; each must be above 0")
    parents = [open_parent(path) for path in datasets]
    first: dict[str, Path] = {}
    for parent in parents:
        if other := first.get(parent.fingerprint):
            raise UserError(f"{parent.path} and {other} hold the same samples; mix each once")
        first[parent.fingerprint] = parent.path
    require_like_images(parents)
    return parents


def _without_leaks(lines: Sequence[Line]) -> list[Line]:
    """Lines none of whose groups a stricter split has; `SPLITS` go from loose to strict."""
    strictest: dict[str, int] = {}
    for line in lines:
        for group in line.groups:
            strictest[group] = max(SPLITS.index(line.split), strictest.get(group, 0))
    return [
        line
        for line in lines
        if SPLITS.index(line.split) == max(strictest[group] for group in line.groups)
    ]


def _choose(
    lines: Sequence[Line], parents: Sequence[Parent], weights: Sequence[float], seed: int
) -> Chosen:
    available: dict[str, dict[int, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        available[line.split][line.parent].append(line)
    chosen: Chosen = {}
    for split, by_parent in available.items():
        quotas = {parent: len(found) for parent, found in by_parent.items()}
        if weights:
            quotas = _quotas(quotas, weights)
        for parent, found in by_parent.items():
            names = (seed, "mix", split, parents[parent].fingerprint)
            if numbers := _evenly(found, quotas[parent], names):
                chosen[split, parent] = numbers
    return chosen


def _quotas(available: dict[int, int], weights: Sequence[float]) -> dict[int, int]:
    """The most samples in these proportions, each at most once."""
    total = min(available[parent] / weights[parent] for parent in available)
    return {
        parent: min(round(total * weights[parent]), count) for parent, count in available.items()
    }


def _evenly(lines: Sequence[Line], count: int, names: tuple[int, str, str, str]) -> set[int]:
    """Numbers of so many lines, in proportion from every task and answer."""
    if count == len(lines):
        return {line.number for line in lines}
    strata: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        strata[line.stratum].append(line.number)
    counts = apportion(count, {name: len(strata[name]) / len(lines) for name in sorted(strata)})
    return {
        strata[name][place]
        for name, number in counts.items()
        for place in child_rng(*names, name).permutation(len(strata[name]))[:number]
    }


def _interleave(
    parents: Sequence[Parent], split: str, chosen: Chosen, seed: int
) -> Iterator[Picked]:
    """Samples of all parents in a random order that keeps each parent's own."""
    found = {parent: chosen[name, parent] for name, parent in sorted(chosen) if name == split}
    turns = np.repeat(list(found), [len(numbers) for numbers in found.values()])
    samples = {parent: _read(parents, parent, split, numbers) for parent, numbers in found.items()}
    for turn in child_rng(seed, "mixed", split).permutation(turns):
        yield next(samples[int(turn)])


def _read(
    parents: Sequence[Parent], parent: int, split: str, numbers: set[int]
) -> Iterator[Picked]:
    for number, (sample, proof) in enumerate(read_split(parents[parent].path, split)):
        if number in numbers:
            yield Picked(parent, sample, proof)

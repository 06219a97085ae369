"""A dataset divided anew into splits; a scene or episode is whole in one of them.

    split(Path("a"), Path("out"), shares=(0.9, 0.1))

All samples are divided, whichever split they are in. Scenes and episodes (or the physical objects
behind them, see `xvr.exchange.parents`) are given out one by one; a sample of two episodes that
come into different splits is left out and counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from xvr.dataset.atomic import new_folder
from xvr.dataset.reader import read_split
from xvr.dataset.record import SPLITS
from xvr.engine.seeds import child_rng
from xvr.errors import UserError
from xvr.exchange.derive import Derivation, Picked, Progress, write_derived
from xvr.exchange.parents import Line, Parent, open_parent, survey


def split(
    dataset: Path,
    out: Path,
    *,
    shares: Sequence[float],
    by_id: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Write a dataset with the same samples in other splits.

    Args:
        dataset: the dataset to divide.
        out: the folder to write; it must not be there.
        shares: of train, valid and xvr_eval; they sum to 1.
        by_id: group samples without provenance by the episode in their id and by shared images,
            which cannot keep scenes whole.
        seed: of the order in which groups are given out.
        progress: called after every sample.

    Raises:
        UserError: bad arguments, samples whose group is unknown, too few groups, or `out` cannot
            be written.
    """
    wanted = _check_shares(shares)
    parent = open_parent(dataset)
    lines = survey([parent])
    _require_groups(dataset, lines, by_id=by_id)
    place = _assign(lines, wanted, seed)
    chosen: dict[tuple[str, int], str] = {}
    for line in lines:
        places = {place[line.kind, group] for group in line.groups}
        if len(places) == 1:
            chosen[line.split, line.number] = places.pop()
    empty = set(wanted) - set(chosen.values())
    if empty:
        raise UserError(
            f"{dataset}: {len(place)} scenes and episodes are too few, {', '.join(sorted(empty))} "
            "would be empty; ask for fewer splits"
        )
    derivation = Derivation(
        made_by="split",
        arguments={"shares": list(shares), "by_id": by_id, "seed": seed},
        parents=[parent],
        outcome={
            "groups": dict(sorted(Counter(place.values()).items())),
            "across_splits": len(lines) - len(chosen),
        },
    )
    with new_folder(out) as folder:
        splits = {name: _read(parent, chosen, name) for name in wanted}
        write_derived(folder, splits, derivation, total=len(chosen), progress=progress)


def _require_groups(dataset: Path, lines: Sequence[Line], *, by_id: bool) -> None:
    unproven = sum(line.kind == "unproven" for line in lines)
    if unproven and not by_id:
        raise UserError(
            f"{dataset}: {unproven} of {len(lines)} samples have no provenance, so their scenes "
            "are unknown and could end up in two splits; with --by-id they are grouped by the "
            "episode in their id and by shared images, and scenes may not stay whole"
        )


def _check_shares(shares: Sequence[float]) -> dict[str, float]:
    if not 2 <= len(shares) <= len(SPLITS) or abs(sum(shares) - 1) > 1e-6 or min(shares) < 0:
        listed = " ".join(map(str, shares))
        raise UserError(
            f"--shares {listed}: give shares of {', '.join(SPLITS)} that sum to 1, such as 0.9 0.1"
        )
    return {name: share for name, share in zip(SPLITS, shares, strict=False) if share > 0}


def _assign(
    lines: Sequence[Line], wanted: dict[str, float], seed: int
) -> dict[tuple[str, str], str]:
    """The split of every group: in random order, each goes where the most is missing.

    General, robotic and imported samples are divided apart, so that a split has its share of each.
    """
    sizes: Counter[tuple[str, str]] = Counter()
    for line in lines:
        sizes.update((line.kind, group) for group in line.groups)
    place = {}
    for kind in sorted({kind for kind, _ in sizes}):
        groups = sorted(group for found, group in sizes if found == kind)
        total = sum(sizes[kind, group] for group in groups)
        missing = dict.fromkeys(wanted, 1.0)
        for number in child_rng(seed, "split", kind).permutation(len(groups)):
            key = kind, groups[number]
            place[key] = max(missing, key=lambda name: missing[name])
            missing[place[key]] -= sizes[key] / (wanted[place[key]] * total)
    return place


def _read(parent: Parent, chosen: dict[tuple[str, int], str], name: str) -> Iterator[Picked]:
    for old in parent.splits:
        for number, (sample, proof) in enumerate(read_split(parent.path, old)):
            if chosen.get((old, number)) == name:
                yield Picked(0, sample, proof)

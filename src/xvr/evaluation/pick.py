"""Which items of runs a person looks at: of every task, right and wrong ones alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from xvr.engine.seeds import child_rng
from xvr.evaluation.item import Target

Verdicts = Mapping[str, tuple[bool | None, ...]]
"""{item: whether each run is right; None where a run was not asked}."""


def pick(targets: Sequence[Target], verdicts: Verdicts, number: int, seed: int) -> list[Target]:
    """So many items, drawn in turn from every task, and there from every pattern of verdicts.

    A larger number draws the same items and more.

    Args:
        targets: all items.
        verdicts: of the runs.
        number: the most items.
        seed: of the draw.

    Returns:
        Items in the order of `targets`.
    """
    tasks: dict[str, dict[tuple[bool | None, ...], list[str]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for target in targets:
        tasks[target.task][verdicts[target.item_id]].append(target.item_id)
    by_task = []
    for task, patterns in tasks.items():
        rng = child_rng(seed, "pick", task)
        groups = [list(rng.permutation(patterns[key])) for key in sorted(patterns, key=repr)]
        order = rng.permutation(len(groups))
        by_task.append(_in_turn([groups[place] for place in order]))
    chosen = set(_in_turn(by_task)[:number])
    return [target for target in targets if target.item_id in chosen]


def _in_turn(groups: Sequence[Sequence[str]]) -> list[str]:
    """The first of every group, then the second of every group, and so on."""
    rounds = zip_longest(*groups)
    return [str(name) for names in rounds for name in names if name is not None]

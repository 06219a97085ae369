"""Which items of a benchmark a run asks."""

from collections import defaultdict
from collections.abc import Sequence

from xvr.engine.seeds import digest
from xvr.errors import UserError, unknown_name
from xvr.evaluation.item import Item

_SEED = "items of a run"


def choose(items: Sequence[Item], *, tasks: Sequence[str], limit: int | None) -> tuple[Item, ...]:
    """Items of some tasks, in the order of the benchmark.

    With a limit, every task keeps its share. The choice depends on nothing but the ids, so that all
    models are asked the same, and a larger limit takes the same items and more.

    Args:
        items: of the benchmark.
        tasks: to keep; all when empty.
        limit: most items, all when None.

    Raises:
        UserError: the benchmark has no such task, or the limit is not positive.
    """
    known = {item.target.task for item in items}
    for task in tasks:
        if task not in known:
            raise unknown_name("task of this benchmark", task, known)
    if limit is not None and limit < 1:
        raise UserError(f"the limit is {limit}; it must be at least 1")
    kept = [item for item in items if not tasks or item.target.task in tasks]
    if limit is None or limit >= len(kept):
        return tuple(kept)
    chosen = set(_in_turn(kept)[:limit])
    return tuple(item for item in kept if item.target.item_id in chosen)


def _in_turn(items: Sequence[Item]) -> list[str]:
    """Ids in an order of which any beginning has every task by its share."""
    tasks: dict[str, list[str]] = defaultdict(list)
    for item in items:
        tasks[item.target.task].append(item.target.item_id)
    places = []
    for ids in tasks.values():
        ids.sort(key=_drawn)
        places += [((rank + 0.5) / len(ids), _drawn(name), name) for rank, name in enumerate(ids)]
    return [name for _, _, name in sorted(places)]


def _drawn(item_id: str) -> bytes:
    return digest(_SEED, item_id)

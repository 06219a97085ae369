"""Several runs of one build at the same time, as in an array job: `--rank 3 --world 8`.

Every run makes the same plan, as it follows from the receipts in the shared folder alone. In each
round a run does its own share, then what others have not finished yet. So nobody waits for a run
that is slow, lost or not yet started: any one of them would finish the build alone. Two runs may
meet at a unit in flight; both then write the same bytes, and the first receipt stays.
"""

from collections.abc import Callable, Iterator, Sequence

from xvr.engine.executor import Crew, Execute, RunUnit
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.engine.seeds import digest

Find = Callable[[Unit], Receipt | None]
"""The receipt of a unit that is done, if it is."""

_AT_ONCE = 1000
"""Units of others whose receipts are in memory at a time."""


def execute_with_others(
    units: Sequence[Unit],
    run: RunUnit,
    execute: Execute,
    crew: Crew,
    find: Find,
) -> Iterator[tuple[Unit, Receipt]]:
    """Every unit with its receipt, whoever made it.

    Args:
        units: those of a round, in the order of the plan.
        run: does a unit.
        execute: runs units.
        crew: with rank and world.
        find: looks for a receipt.
    """
    own = units[crew.rank :: crew.world]
    others = [unit for n, unit in enumerate(units) if n % crew.world != crew.rank]
    # each run helps in an order of its own, so that two seldom choose the same unit
    others.sort(key=lambda unit: digest(crew.rank, unit.name))
    yield from execute(own, run)
    for start in range(0, len(others), _AT_ONCE):
        yield from _missing_and_done(others[start : start + _AT_ONCE], run, execute, find)


def _missing_and_done(
    units: Sequence[Unit], run: RunUnit, execute: Execute, find: Find
) -> Iterator[tuple[Unit, Receipt]]:
    """Look for a unit's receipt only when the unit would start, as others are at work."""
    done: list[tuple[Unit, Receipt]] = []

    def missing() -> Iterator[Unit]:
        for unit in units:
            receipt = find(unit)
            if receipt is None:
                yield unit
            else:
                done.append((unit, receipt))

    yield from execute(missing(), run)
    yield from done

"""Several runs of one build at the same time, as in an array job: `--rank 3 --world 8`.

Every run makes the same plan, as it follows from the receipts in the shared folder alone. In each
round a run does its own share, then what others have not finished yet. So nobody waits for a run
that is slow, lost or not yet started: any one of them would finish the build alone. Two runs may
meet at a unit in flight; both then write the same bytes, and the first receipt stays.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

from xvr.engine.executor import Crew, Execute, RunUnit
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.engine.seeds import digest


def execute_with_others(
    units: Sequence[Unit],
    run: RunUnit,
    execute: Execute,
    crew: Crew,
    find: Callable[[Unit], Receipt | None],
) -> Iterator[tuple[Unit, Receipt]]:
    """Every unit with its receipt, whoever made it.

    Args:
        units: those of a round, in the order of the plan.
        run: does a unit.
        execute: runs units.
        crew: with rank and world.
        find: the receipt of a unit that is done.
    """
    own = units[crew.rank :: crew.world]
    others = [unit for n, unit in enumerate(units) if n % crew.world != crew.rank]
    # each run helps in an order of its own, so that two seldom choose the same unit
    others.sort(key=lambda unit: digest(crew.rank, unit.name))
    done: list[tuple[Unit, Receipt]] = []

    def missing() -> Iterator[Unit]:
        for unit in others:
            receipt = find(unit)
            if receipt is None:
                yield unit
            else:
                done.append((unit, receipt))

    yield from execute(itertools.chain(own, missing()), run)
    yield from done

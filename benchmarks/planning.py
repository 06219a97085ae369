"""Planning over sources of full size that are folders and lists only; no image is read."""

import time
from pathlib import Path
from typing import Any

from measure import cpu_s, peak_mb

from xvr.engine.config import BuildConfig
from xvr.engine.plan import SplitPlanner, assign_splits, split_counts
from xvr.sources import fingerprint, index, parse_source

FILLED = 0.9
"""Share of its slots that a unit is assumed to fill."""
MAX_ROUNDS = 20


def measure_planning(scenes: Path, episodes: Path, samples: int) -> dict[str, Any]:
    """Seconds and memory of index, fingerprint, splits and all rounds; in a fresh process."""
    config = BuildConfig(
        sources=(f"wildrgbd:{scenes}", f"lerobot:{episodes}"), samples=samples, evaluation=True
    )
    before_mb = peak_mb()
    steps: dict[str, float] = {}
    wall = time.perf_counter()

    start = cpu_s()
    sources = [parse_source(text) for text in config.sources]
    found = [index(source) for source in sources]
    steps["index"] = cpu_s() - start

    start = cpu_s()
    for refs, source in zip(found, sources, strict=True):
        fingerprint(refs, source)
    steps["fingerprint"] = cpu_s() - start

    start = cpu_s()
    refs = [ref for refs in found for ref in refs]
    splits = assign_splits(refs, config)
    wanted = split_counts(config, splits)
    steps["splits"] = cpu_s() - start

    start = cpu_s()
    rounds = units = 0
    for split, counts in wanted.items():
        planner = SplitPlanner(split=split, refs=splits[split], counts=counts)
        while planner.open_slots and planner.round < MAX_ROUNDS:
            for unit in planner.next_units():
                filled = unit.slots[: max(1, round(FILLED * len(unit.slots)))]
                planner.account(unit, filled, [f"{task}{number}" for task, number in filled])
                units += 1
            planner.finish_round()
        rounds += planner.round
    steps["rounds"] = cpu_s() - start
    return {
        "refs": len(refs),
        "samples": samples,
        "units": units,
        "rounds": rounds,
        "cpu_s": sum(steps.values()),
        "wall_s": time.perf_counter() - wall,
        "steps_s": steps,
        "added_mb": peak_mb() - before_mb,
        "peak_mb": peak_mb(),
    }

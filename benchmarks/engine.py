"""Measures the data engine: CPU against the floor of decoding and encoding, memory, planning.

    python benchmarks/engine.py --out out/bench

One run measures on data that it simulates first (kept in OUT/data and used again by the next run;
the sim extra is needed for that) or on `--captures` and `--episodes`. Absolute times depend on the
machine and on what else it does; ratios to the floor of the same run depend on it less. Writes
`engine.json` and `engine.md` to OUT and prints the tables.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from builds import first_build_s, fresh_build, measure_build, measure_drafting, one_subject
from data import EPISODES, SCENES, link_copies, record, write_episode_shells, write_scene_shells
from measure import Cost, cost_of, in_new_process, machine
from planning import measure_planning
from report import as_markdown

from xvr.engine.config import BuildConfig

DENSE, SPARSE = 60, 8
"""Samples per scene or episode: of a small build, and the least that the planner asks for."""
QUESTIONS = 200
"""Point correspondence without images: questions per scene."""
SHELL_SCENES, SHELL_EPISODES = 18_000, 70_000
PLANNED_SAMPLES = 100_000
COPIES = 8
"""Names for the captures when workers are compared, so that units outnumber workers."""


def main() -> None:
    """Measure all and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder of results")
    parser.add_argument("--captures", type=Path, help="WildRGB-D folder instead of simulated ones")
    parser.add_argument("--episodes", type=Path, help="LeRobot folder instead of simulated ones")
    choices = parser.parse_args()
    out: Path = choices.out
    out.mkdir(parents=True, exist_ok=True)
    captures, episodes = choices.captures, choices.episodes
    if captures is None or episodes is None:
        recorded = in_new_process(record, out / "data", LP_NUM_THREADS="1")
        captures, episodes = captures or recorded[0], episodes or recorded[1]
    results = {"machine": machine(), **_measure(captures.resolve(), episodes.resolve())}
    results["machine"]["load_average_after"] = machine()["load_average"]
    text = as_markdown(results)
    (out / "engine.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "engine.md").write_text(text)
    print(text)


def _say(step: str) -> None:
    """A line for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {step}", file=sys.stderr, flush=True)


def _measure(captures: Path, episodes: Path) -> dict[str, Any]:
    general, robotic = f"wildrgbd:{captures}", f"lerobot:{episodes}"
    scenes = _count(captures, "*/scenes/*/cam_poses.txt") or SCENES
    robots = _count(episodes, "**/data/**/episode_*.parquet") or EPISODES
    points = one_subject(
        general, QUESTIONS * scenes, tasks=("point_correspondence",), images="none"
    )
    with _scratch() as work:
        results: dict[str, Any] = {"builds": {}}
        _say("compiling")
        results["compile_s"] = _compile_s(one_subject(general, 24, mixture="general"), work)
        for name, config in _configs(general, scenes, robotic, robots).items():
            _say(name)
            results["builds"][name] = in_new_process(measure_build, config, work / "dataset")
        _say("point correspondence without images")
        whole = in_new_process(measure_build, points, work / "dataset", 1)
        drafting = in_new_process(measure_drafting, general, QUESTIONS)
        results["points"] = {"build": whole, "drafting": drafting, "scenes": scenes}
        _say("one worker and two")
        results["scaling"] = in_new_process(_scaling, captures, scenes, work)
        _say("planning")
        write_scene_shells(work / "scenes", SHELL_SCENES)
        write_episode_shells(work / "episodes", SHELL_EPISODES)
        results["planning"] = in_new_process(
            measure_planning, work / "scenes", work / "episodes", PLANNED_SAMPLES
        )
    return results


def _configs(general: str, scenes: int, robotic: str, robots: int) -> dict[str, BuildConfig]:
    """What is built, by the name of its row."""
    configs = {}
    for per_subject in (DENSE, SPARSE):
        scene = one_subject(general, per_subject * scenes, mixture="general", image_format="jpeg")
        robot = one_subject(robotic, per_subject * robots, mixture="robotic", image_format="jpeg")
        configs[f"PNG captures to JPEG, {per_subject} a scene"] = scene
        if per_subject == DENSE:
            configs[f"PNG captures to PNG, {per_subject} a scene"] = replace(
                scene, image_format="png"
            )
        configs[f"H.264 episodes to JPEG, {per_subject} an episode"] = robot
    return configs


def _compile_s(config: BuildConfig, work: Path) -> float:
    """CPU seconds of compiling: the first build with an empty cache, less one with a full one.

    The cache of the installation is filled too, as a compiler in a process adds to its memory.
    """
    in_new_process(first_build_s, config, work / "first")
    cache = str(work / "numba")
    cold, warm = (
        in_new_process(first_build_s, config, work / "first", NUMBA_CACHE_DIR=cache)
        for _ in range(2)
    )
    return cold - warm


def _scaling(captures: Path, scenes: int, work: Path) -> dict[str, Any]:
    """The same build with one and with two workers, in turns; the shorter of each counts."""
    links = link_copies(captures, work / "copies", COPIES)
    config = BuildConfig(
        sources=tuple(f"wildrgbd:{link}" for link in links),
        samples=DENSE * scenes * COPIES,
        mixture="general",
        valid_share=0.0,
        image_format="jpeg",
    )
    costs: dict[int, list[Cost]] = {1: [], 2: []}
    for _ in range(2):
        for workers, found in costs.items():
            found.append(
                cost_of(lambda workers=workers: fresh_build(config, work / "scaled", workers))
            )
    one, two = (min(found, key=lambda cost: cost.wall_s) for found in costs.values())
    return {
        "samples": config.samples,
        "units": scenes * COPIES,
        "one": one._asdict(),
        "two": two._asdict(),
        "speedup": one.wall_s / two.wall_s,
    }


def _count(folder: Path, pattern: str) -> int:
    return sum(1 for _ in folder.glob(pattern))


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xvr-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""Measures the data engine: CPU against the floor of decoding and encoding, memory, planning.

    python benchmarks/engine.py --out out/bench

One run measures on data that it simulates first (kept in OUT/data and used again by the next run;
the sim extra is needed for that) or on `--captures` and `--episodes`. Captures are measured as JPEG
too and episodes as AV1, encoded from the same pictures. Absolute times depend on the machine and on
what else it does; ratios to the floor of the same run depend on it less. Writes `engine.json`,
`engine.md` and `engine.svg` to OUT and prints the tables.
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
from typing import Any, NamedTuple

from builds import first_build_s, fresh_build, measure_build, measure_drafting, one_subject
from data import link_copies, record, write_episode_shells, write_scene_shells
from measure import Cost, cost_of, in_new_process, machine
from planning import measure_planning
from plot import as_svg
from recoded import as_av1, as_jpeg, recoded_name
from report import as_markdown

from xvr.engine.config import BuildConfig
from xvr.sources import index, parse_source

DENSE, SPARSE = 60, 8
"""Samples per scene or episode: of a small build, and the least that the planner asks for."""
QUESTIONS = 200
"""Point correspondence without images: questions per scene."""
SHELL_SCENES, SHELL_EPISODES = 18_000, 70_000
PLANNED_SAMPLES = 100_000
AS_RECORDED = ("PNG captures", "H.264 episodes")
"""Measured with PNG output too, and sparsely."""
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
    _say("other codecs")
    jpeg = in_new_process(as_jpeg, captures, out / "data" / recoded_name(captures))
    av1 = in_new_process(as_av1, episodes, out / "data" / recoded_name(episodes), SVT_LOG="1")
    sources = Sources(captures.resolve(), jpeg.resolve(), episodes.resolve(), av1.resolve())
    results = {"machine": machine(), **_measure(sources)}
    results["machine"]["load_average_after"] = machine()["load_average"]
    text = as_markdown(results)
    (out / "engine.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "engine.md").write_text(text)
    (out / "engine.svg").write_text(as_svg(results["builds"], results["scaling"]))
    print(text)


def _say(step: str) -> None:
    """A line for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {step}", file=sys.stderr, flush=True)


class Sources(NamedTuple):
    """The same captures and episodes in two codecs each."""

    captures: Path
    captures_jpeg: Path
    episodes: Path
    episodes_av1: Path


def _measure(sources: Sources) -> dict[str, Any]:
    captures, general = sources.captures, f"wildrgbd:{sources.captures}"
    scenes = len(index(parse_source(general)))
    points = one_subject(
        general, QUESTIONS * scenes, tasks=("point_correspondence",), images="none"
    )
    with _scratch() as work:
        results: dict[str, Any] = {"builds": {}}
        _say("compiling")
        results["compile_s"] = _compile_s(one_subject(general, 24, mixture="general"), work)
        for name, config in _configs(sources).items():
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


def _configs(sources: Sources) -> dict[str, BuildConfig]:
    """What is built, by the name of its row."""
    kinds = (
        ("PNG captures", f"wildrgbd:{sources.captures}", "general", "a scene"),
        ("JPEG captures", f"nerfstudio:{sources.captures_jpeg}", "general", "a scene"),
        ("H.264 episodes", f"lerobot:{sources.episodes}", "robotic", "an episode"),
        ("AV1 episodes", f"lerobot:{sources.episodes_av1}", "robotic", "an episode"),
    )
    configs = {}
    for name, source, mixture, each in kinds:
        subjects = len(index(parse_source(source)))
        dense = one_subject(source, DENSE * subjects, mixture=mixture, image_format="jpeg")
        configs[f"{name} to JPEG, {DENSE} {each}"] = dense
        if name in AS_RECORDED:
            configs[f"{name} to PNG, {DENSE} {each}"] = replace(dense, image_format="png")
            sparse = replace(dense, samples=SPARSE * subjects)
            configs[f"{name} to JPEG, {SPARSE} {each}"] = sparse
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


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xvr-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

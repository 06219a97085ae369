"""Builds of a few scenes and episodes: CPU per image against the floor, and where it goes."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from floor import measure_floor
from measure import Parts, cost_of, peak_mb, watched

from xvr.engine import build as build_module
from xvr.engine import rounds
from xvr.engine import unit as unit_module
from xvr.engine.build import build
from xvr.engine.config import BuildConfig
from xvr.engine.executor import Crew, prepare_process
from xvr.engine.plan import SplitPlanner
from xvr.engine.receipt import UnitFiles, UnitWriter
from xvr.errors import Unusable
from xvr.sources import index, lerobot_frames, load, nerfstudio, parse_source, wildrgbd
from xvr.sources.records import Scene
from xvr.tasks import get_task, grid
from xvr.tasks.draft import Refusal
from xvr.tasks.pool import PointPool, ViewPixels, build_pool

REPEATS = 3
"""Passes of what is short; the least time counts."""
PARTS: list[tuple[Any, str, str]] = [
    (build_module, "watch", "index and plan"),
    (rounds, "assign_splits", "index and plan"),
    (SplitPlanner, "next_units", "index and plan"),
    (unit_module, "load", "poses, rows"),
    (wildrgbd, "read_image", "decode"),
    (wildrgbd, "read_depth", "decode depth"),
    (nerfstudio, "read_image", "decode"),
    (nerfstudio, "read_depth", "decode depth"),
    (lerobot_frames, "read_frames", "decode"),
    (unit_module, "refuse_inconsistent_scene", "check calibration"),
    (unit_module, "refuse_inconsistent_episode", "check calibration"),
    (unit_module, "check_points", "count points"),
    (unit_module, "build_pool", "pool"),
    (grid, "ssim", "similarity"),
    (grid, "gray_thumbnail", "similarity"),
    (unit_module, "_try", "draft"),
    (unit_module, "draw_marks", "draw"),
    (unit_module, "encode", "encode"),
    (unit_module, "unit_record", "records"),
    (UnitWriter, "add_image", "write"),
    (UnitWriter, "add_record", "records"),
    (UnitWriter, "write", "write"),
    (UnitFiles, "commit", "write"),
    (build_module, "merge", "merge"),
    (build_module, "compute_stats", "describe"),
    (build_module, "write_stats", "describe"),
    (build_module, "write_card", "describe"),
    (build_module, "write_manifest", "describe"),
]
"""Where a build spends its time; the names are the engine's own and change with it."""


def one_subject(source: str, samples: int, **choices: Any) -> BuildConfig:
    """A config without a valid split: all samples come from all scenes or episodes."""
    return BuildConfig(sources=(source,), samples=samples, valid_share=0.0, **choices)


def measure_build(config: BuildConfig, work: Path, repeats: int = REPEATS) -> dict[str, Any]:
    """CPU, memory and parts of a build with one worker, and its floor where it writes images.

    Everything is warm: compiled code is loaded and files are in the page cache.
    """
    fresh_build(replace(config, samples=16), work)
    costs = []
    for _ in range(repeats):
        shutil.rmtree(work)
        costs.append(cost_of(lambda: fresh_build(config, work)))
    least = min(costs)
    result: dict[str, Any] = {
        "samples": config.samples,
        "cpu_s": least.cpu_s,
        "wall_s": least.wall_s,
        "peak_mb": peak_mb(),
        "samples_per_cpu_s": config.samples / least.cpu_s,
    }
    shutil.rmtree(work)
    with watched(PARTS) as parts:
        watched_s = cost_of(lambda: fresh_build(config, work)).cpu_s
    result["parts_s"] = _parts(parts, watched_s)
    result["decodings"] = parts.calls["decode"]
    if config.images != "none":
        result |= _against_floor(config, work, least.cpu_s, parts.calls["encode"])
    shutil.rmtree(work)
    return result


def fresh_build(config: BuildConfig, out: Path, workers: int = 1) -> None:
    """Build from nothing."""
    if out.exists():
        shutil.rmtree(out)
    build(out, config, Crew(workers=workers))


def _against_floor(
    config: BuildConfig, dataset: Path, cpu_s: float, encodings: int
) -> dict[str, Any]:
    floor = measure_floor(dataset, config)
    # an unmarked image that several samples show is encoded once
    strict_s = floor.decode_s + floor.encode_s * encodings / floor.written
    return {
        "images": floor.written,
        "different_images": floor.decoded,
        "encodings": encodings,
        "ms_per_image": 1000 * cpu_s / floor.written,
        "floor_ms_per_image": 1000 * floor.total_s / floor.written,
        "floor_decode_s": floor.decode_s,
        "floor_encode_s": floor.encode_s,
        "ratio": cpu_s / floor.total_s,
        "ratio_encoding_once": cpu_s / strict_s,
    }


def _parts(parts: Parts, total_s: float) -> dict[str, float]:
    known = dict(sorted(parts.seconds.items(), key=lambda item: -item[1]))
    return known | {"other": total_s - sum(known.values())}


def first_build_s(config: BuildConfig, work: Path) -> float:
    """CPU seconds of the first build in a process: compiles, or loads what is compiled."""
    seconds = cost_of(lambda: fresh_build(config, work)).cpu_s
    shutil.rmtree(work)
    return seconds


def measure_drafting(source: str, questions: int) -> dict[str, float]:
    """Point correspondence alone, `questions` from each scene's pool: questions per CPU second.

    Making the pools and loading compiled code is not counted; choosing views is.
    """
    prepare_process()
    rules = BuildConfig(sources=(source,), samples=1).rules
    task = get_task("point_correspondence")
    parts = Parts()
    draft = parts.timed("draft", task.draft)
    made = 0
    for pool, rng in _pools(source):
        if not parts.calls:
            fresh, start = replace(pool, kept={}), np.random.default_rng(0)
            for number in range(len(task.cells)):
                task.draft(fresh, task.slot("train", number), start, rules)
        for number in range(questions):
            slot = task.slot("train", number)
            for _ in range(rules.attempts_per_sample):
                found = draft(pool, slot, rng, rules)
                made += not isinstance(found, Refusal)
                if not isinstance(found, Refusal) or found.final:
                    break
    seconds = parts.seconds["draft"]
    return {
        "questions": made,
        "tries": parts.calls["draft"],
        "questions_per_cpu_s": made / seconds,
        "tries_per_cpu_s": parts.calls["draft"] / seconds,
    }


def _pools(source: str) -> Iterator[tuple[PointPool, np.random.Generator]]:
    """A pool of all views of each scene, with a generator for its questions."""
    rules = BuildConfig(sources=(source,), samples=1).rules
    for ref in index(parse_source(source)):
        scene = load(ref)
        if not isinstance(scene, Scene):
            raise Unusable("no_scene", ref.id)
        views = [
            ViewPixels(
                view.name,
                view.frame_index,
                view.time_s,
                view.camera,
                view.read_image(),
                view.read_depth() if view.read_depth else None,
            )
            for view in scene.views
        ]
        rng = np.random.default_rng(0)
        yield build_pool(views, scene.tracks, rules, rng), rng

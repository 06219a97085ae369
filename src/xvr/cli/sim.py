"""`xvr sim ...`: recording simulated data in the public formats."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from xvr.cli.progress import Bar, tell

Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]


def sim_captures(
    out: Out,
    /,
    scenes: int,
    seed: int = 0,
    frames: int = 60,
    width: int = 640,
    height: int = 480,
    plain: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    workers: int = 1,
) -> int:
    """Record object-centric RGB-D orbits on cluttered tables, in the WildRGB-D layout.

    Args:
        out: Folder to write; running again goes on with what is missing.
        scenes: Number of scenes.
        seed: Root of all randomness.
        frames: Frames of each orbit.
        width: Image width, pixels.
        height: Image height, pixels.
        plain: Draw without shadows and multisampling, which costs less than half.
        workers: Processes.
    """
    from xvr.sim.captures import record_captures

    written = 0
    with Bar("captures", "scene") as bar:
        recorded = record_captures(out, scenes, seed, frames, width, height, workers, plain)
        for count, capture in enumerate(recorded, start=1):
            written += capture.written
            bar.show(count, scenes)
    tell(f"{scenes} captures in {out} ({written} new)")
    return 0


def sim_episodes(
    out: Out,
    /,
    episodes: int,
    seed: int = 0,
    format: Literal["v2.1", "v3.0"] = "v2.1",
    size: int = 256,
    fps: int = 20,
    seconds: tuple[float, float] = (20.5, 25.0),
    workers: int = 1,
) -> int:
    """Record a robot arm at three kitchen tasks, as a LeRobot dataset with calibration and depth.

    Args:
        out: Folder to write; running again goes on with what is missing.
        episodes: Number of successful episodes.
        seed: Root of all randomness.
        format: LeRobot dataset version.
        size: Image width and height, pixels.
        fps: Frames per second that are kept; it divides 20.
        seconds: Shortest and longest duration; the arm slows down, or hurries as far as it can.
        workers: Processes.
    """
    from xvr.sim.episodes import record_episodes

    failed = 0
    with Bar("episodes", "episode") as bar:
        recorded = record_episodes(
            out, episodes, seed, format, size=size, workers=workers, seconds=seconds, fps=fps
        )
        for count, episode in enumerate(recorded, start=1):
            failed += episode.failures
            bar.show(count, episodes)
    tell(f"{episodes} episodes in {out} ({failed} failed attempts kept out)")
    return 0

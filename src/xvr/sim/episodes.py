"""Records robot episodes in the simulated kitchen as a LeRobot dataset with calibration and depth.

Three tasks take turns (press the coffee machine's button, stop the microwave, take something from
the cabinet to the counter). Beside what LeRobot asks for, every frame holds its cameras' intrinsics
(`camera_intrinsics.<camera>`: fx, fy, cx, cy in pixels, pixel centres at +0.5) and poses
(`camera_extrinsics.<camera>`: row-major 4x4 world_from_camera, OpenCV axes, metres), and about
every half second a frame has depth in `depth/<video key>/episode_000000/frame_000000.png` (uint16
millimetres along z, 0 where there is none).

    for episode in record_episodes(Path("kitchen"), episodes=8, workers=2):
        ...

An episode is simulated once, without pictures; if the expert succeeded it is drawn from the kept
positions, else it is counted and tried again with another kitchen. Episode `i` depends on the
seed, `i` and the attempt only. Finished episodes are staged in `.xvr_sim/`, so that a second call
with the same arguments goes on where the first one stopped.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

import numpy as np
from jaxtyping import UInt8

from xvr.errors import UserError
from xvr.sim.kitchen_features import FPS, depth_every, kitchen_columns, kitchen_recording
from xvr.sim.kitchen_layout import KITCHEN_TASKS
from xvr.sim.kitchen_rig import CAMERAS, sample_rig, shaken
from xvr.sim.kitchen_rollout import Rollout, observe, roll_out, thinned
from xvr.sim.kitchen_scene import DRAWN_GROUPS, drawn_model
from xvr.sim.kitchen_view import OVERSAMPLING
from xvr.sim.lerobot_writer import (
    LeRobotFormat,
    StagedEpisode,
    assemble,
    link_or_copy,
    stage_episode,
    write_whole,
)
from xvr.sim.processes import one_thread_each
from xvr.sim.renderer import Renderer, import_mujoco

_STAGE = ".xvr_sim"
_DONE = "meta/xvr_sim.json"
_MAX_ATTEMPTS = 10
_RIG_STREAM = 0x51  # keeps the rig's generator apart from the episodes'


@dataclass(frozen=True, kw_only=True)
class EpisodeArguments:
    """What a dataset of episodes depends on."""

    episodes: int
    seed: int = 0
    format: LeRobotFormat = "v2.1"
    size: int = 256
    """Width and height of the pictures in pixels."""
    seconds: tuple[float, float] = (20.5, 25.0)
    """Range of durations; experts slow down or hurry to fit."""
    fps: int = FPS
    """Frames per second that are kept of the simulation's."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.fps < 1 or FPS % self.fps:
            fits = ", ".join(str(fps) for fps in range(1, FPS + 1) if FPS % fps == 0)
            raise UserError(f"--fps {self.fps}: write one of {fits}")
        if self.episodes < 1:
            raise UserError(f"--episodes {self.episodes}: write at least 1")
        if self.format not in get_args(LeRobotFormat):
            raise UserError(f"--format {self.format!r}: write v2.1 or v3.0")
        if self.size < 32 or self.size % 2:
            raise UserError(f"--size {self.size}: write an even number of pixels, at least 32")
        if not 2 <= self.seconds[0] <= self.seconds[1] < float("inf"):
            least, most = self.seconds
            raise UserError(f"--seconds {least} {most}: write a range that starts at 2 or more")

    def record(self) -> dict[str, Any]:
        """What is kept beside the data; datasets recorded before there was `fps` have none."""
        settings = json.loads(json.dumps(asdict(self)))
        return settings if self.fps != FPS else {k: v for k, v in settings.items() if k != "fps"}


@dataclass(frozen=True, kw_only=True)
class RecordedEpisode:
    """One episode of the dataset."""

    index: int
    task: str
    """RoboCasa's name."""
    instruction: str
    frames: int
    failures: int
    """Kitchens in which the expert failed before; they are not in the dataset."""


def record_episodes(  # noqa: PLR0913
    out: Path,
    episodes: int,
    seed: int = 0,
    format: LeRobotFormat = "v2.1",
    size: int = 256,
    workers: int = 1,
    seconds: tuple[float, float] = (20.5, 25.0),
    fps: int = FPS,
) -> Iterator[RecordedEpisode]:
    """Records a dataset at `out` and yields its episodes in order, as they are finished.

    The dataset is complete when the iterator ends.

    Args:
        out: a new or empty folder, or one that the same arguments left unfinished or finished.
        episodes: how many.
        seed: of the rig and of all episodes.
        format: LeRobot's version.
        size: width and height of the pictures in pixels.
        workers: processes; they do not change the result.
        seconds: range of the episodes' durations.
        fps: frames per second that are kept; fewer cost less to draw.

    Raises:
        UserError: an argument is out of range, `out` holds something else, the sim extra is
            missing, or the expert fails again and again, as in too short an episode.
    """
    arguments = EpisodeArguments(
        episodes=episodes,
        seed=seed,
        format=format,
        size=size,
        seconds=(float(seconds[0]), float(seconds[1])),
        fps=fps,
    )
    if workers < 1:
        raise UserError(f"--workers {workers}: write at least 1")
    done = _claim(out, arguments)
    return iter(done) if done is not None else _record_all(out, arguments, workers)


def _claim(out: Path, arguments: EpisodeArguments) -> list[RecordedEpisode] | None:
    """Makes `out` ours; returns its episodes if it is complete already."""
    wanted = arguments.record()
    done, begun = out / _DONE, out / _STAGE / "arguments.json"
    for path in (done, begun):
        if not path.exists():
            continue
        held = json.loads(path.read_text())
        found = held["arguments"] if path == done else held
        if found != wanted:
            raise UserError(f"{out} was recorded with {found}, not {wanted}: choose another folder")
        if path == done:
            shutil.rmtree(out / _STAGE, ignore_errors=True)
            return [RecordedEpisode(**one) for one in held["episodes"]]
        return None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty and not ours: choose another folder, or delete it")
    write_whole(begun, json.dumps(wanted))
    return None


def _record_all(out: Path, arguments: EpisodeArguments, workers: int) -> Iterator[RecordedEpisode]:
    missing = [i for i in range(arguments.episodes) if not _stage(out, i).exists()]
    if workers == 1 or len(missing) < 2:
        for index in range(arguments.episodes):
            if index in missing:
                _record_one(out, arguments, index)
            yield _recorded(out, index)
    else:
        with (
            one_thread_each(),
            ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        ):
            pending: dict[int, Future[None]] = {
                index: pool.submit(_record_one, out, arguments, index) for index in missing
            }
            try:
                for index in range(arguments.episodes):
                    if index in pending:
                        pending[index].result()
                    yield _recorded(out, index)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    _finish(out, arguments)


def _finish(out: Path, arguments: EpisodeArguments) -> None:
    """Puts the staged episodes together and takes the stage down."""
    stages = [_stage(out, index) for index in range(arguments.episodes)]
    recording = kitchen_recording(arguments.size, arguments.fps)
    assemble(out, recording, [StagedEpisode.load(stage) for stage in stages], arguments.format)
    for index, stage in enumerate(stages):
        for picture in sorted((stage / "depth").rglob("*.png")):
            key = picture.parent.name
            target = out / "depth" / key / f"episode_{index:06d}" / picture.name
            link_or_copy(picture, target)
    records = [_recorded(out, index) for index in range(arguments.episodes)]
    failed = sum(record.failures for record in records)
    note = {
        "arguments": arguments.record(),
        "attempts": failed + len(records),
        "failures": failed,
        "episodes": [asdict(record) for record in records],
    }
    write_whole(out / _DONE, json.dumps(note, indent=2) + "\n")
    shutil.rmtree(out / _STAGE)


def _record_one(out: Path, arguments: EpisodeArguments, index: int) -> None:
    """Simulates episode `index` until the expert succeeds, draws it and stages it."""
    from xvr.sim.kitchen import make_kitchen

    task = KITCHEN_TASKS[index % len(KITCHEN_TASKS)]
    rig = sample_rig(np.random.default_rng([arguments.seed, _RIG_STREAM]))
    for attempt in range(_MAX_ATTEMPTS):
        rng = np.random.default_rng([arguments.seed, index, attempt])
        env = make_kitchen(task, rng, shaken(rig, rng))
        env.reset()
        rollout = roll_out(env, rng, float(rng.uniform(*arguments.seconds)))
        if rollout.success:
            break
        env.close()  # else its memory is kept: robosuite's objects refer to each other
    else:
        raise UserError(
            f"episode {index} ({task}, seed {arguments.seed}): the expert failed {_MAX_ATTEMPTS} "
            "times; give it more --seconds, or choose another --seed"
        )
    partial = out / _STAGE / f"partial_{index:06d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model, instruction = drawn_model(env.mj_model, env.pictures), env.layout.instruction
    env.close()
    rollout = thinned(rollout, FPS // arguments.fps)
    observed = observe(model, rollout)
    columns = kitchen_columns(model, rollout, observed, arguments.size)
    depth_step = depth_every(arguments.fps)
    frames = _frames(model, rollout, arguments.size, partial / "depth", depth_step)
    recording = kitchen_recording(arguments.size, arguments.fps)
    staged = stage_episode(partial, recording, instruction, columns, frames)
    record = RecordedEpisode(
        index=index,
        task=task,
        instruction=staged.task,
        frames=staged.length,
        failures=attempt,
    )
    (partial / "record.json").write_text(json.dumps(asdict(record)))
    partial.rename(_stage(out, index))


def _frames(
    model: Any, rollout: Rollout, size: int, depth: Path, depth_step: int
) -> Iterator[dict[str, UInt8[np.ndarray, "h w 3"]]]:
    """Draws every frame of every camera; writes depth of every `depth_step`-th on the way."""
    import cv2

    mujoco = import_mujoco()
    data = mujoco.MjData(model)
    large = round(size * OVERSAMPLING)
    far_m = model.vis.map.zfar * model.stat.extent
    for camera in CAMERAS:
        (depth / f"observation.images.{camera}").mkdir(parents=True)
    with Renderer(model, large, large, msaa=0, shadows=False, groups=DRAWN_GROUPS) as renderer:
        for number, qpos in enumerate(rollout.qpos):
            data.qpos[:] = qpos
            mujoco.mj_forward(model, data)
            pictures = {}
            for camera in CAMERAS:
                key = f"observation.images.{camera}"
                drawn = renderer.rgb(data, camera)
                pictures[key] = cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA)
                if number % depth_step == 0:
                    depth_m = renderer.depth(data, camera, (size, size))
                    millimetres = np.round(np.where(depth_m < 0.99 * far_m, depth_m, 0) * 1000)
                    path = depth / key / f"frame_{number:06d}.png"
                    cv2.imwrite(str(path), millimetres.astype(np.uint16))
            yield pictures


def _stage(out: Path, index: int) -> Path:
    return out / _STAGE / f"episode_{index:06d}"


def _recorded(out: Path, index: int) -> RecordedEpisode:
    return RecordedEpisode(**json.loads((_stage(out, index) / "record.json").read_text()))

"""Records demonstrations of an environment's expert as a LeRobot dataset, ready for training.

Pictures, state and actions are those of the environment's contract, drawn before every action, and
the plan of every episode is kept in `meta/info.json`, so that its actions can be replayed.

    for episode in record_demonstrations(Path("demos"), "embedded", "reach-button", 80):
        ...

Episodes in which the expert fails are left out and counted. Finished ones are staged in
`.xvr_record/`, so that the same command goes on where it stopped.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from xvr import __version__
from xvr.errors import UserError
from xvr.sim.lerobot_writer import (
    Feature,
    LeRobotFormat,
    Recording,
    StagedEpisode,
    assemble,
    stage_episode,
    write_whole,
)
from xvr.vla.contract import Contract
from xvr.vla.environment import Environment, EpisodePlan, make_plans, plan_from_json
from xvr.vla.environments import open_environment
from xvr.vla.observation import Observation
from xvr.vla.workers import Ask, run_jobs

_STAGE = ".xvr_record"
_SPARE = 2  # an expert that fails in more than half of the episodes is broken


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An episode in which the expert was let loose."""

    plan: EpisodePlan
    frames: int
    """0 where it failed."""


@dataclass(frozen=True, kw_only=True)
class RecordJob:
    """Lets the expert act and stages what it did; a `workers.Job`."""

    out: Path
    spec: str
    notes: Mapping[str, Any]

    def open(self, task: str) -> Environment:
        """The environment of a task."""
        return open_environment(self.spec, task)

    def run(self, environment: Environment, plan: EpisodePlan, ask: Ask) -> int:  # noqa: ARG002
        """One episode; returns its frames, 0 if the expert failed."""
        environment.reset(plan)
        seen: list[Observation] = []
        actions: list[np.ndarray] = []
        while not environment.success and len(actions) < environment.max_steps:
            seen.append(environment.observe())
            actions.append(environment.expert_action())
            environment.step(actions[-1])
        done = _stage(self.out, plan)
        partial = done.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if environment.success:
            recording = recording_of(environment.contract, self.notes)
            columns = {
                "observation.state": np.stack([one.state for one in seen]),
                "action": np.stack(actions),
            }
            frames = ({_key(name): image for name, image in one.images.items()} for one in seen)
            stage_episode(partial, recording, environment.instruction, columns, frames)
        partial.rename(done)
        return len(actions) if environment.success else 0


def record_demonstrations(
    out: Path,
    spec: str,
    task: str,
    episodes: int,
    seed: int = 0,
    workers: int = 1,
    format: LeRobotFormat = "v2.1",
) -> Iterator[Recorded]:
    """Record a dataset at `out`; it is complete when the iterator ends.

    Args:
        out: a new or empty folder, or one that the same arguments left unfinished or finished.
        spec: of the environment, as `open_environment` reads it.
        task: of the environment.
        episodes: how many successful ones; those of `make_plans`, in order, without failures.
        seed: of the plans.
        workers: processes; they change nothing in the result.
        format: LeRobot's version.

    Raises:
        UserError: an argument is wrong, `out` holds something else, or the expert keeps failing.
    """
    if format not in ("v2.1", "v3.0"):
        raise UserError(f"--format {format!r}: write v2.1 or v3.0")
    plans = make_plans(task, _SPARE * episodes, seed)
    notes = {"environment": spec, "task": task, "seed": seed, "episodes": episodes}
    wanted = notes | {"format": format, "version": __version__}
    if _claim(out, wanted):
        return iter([])
    return _record(out, RecordJob(out=out, spec=spec, notes=wanted), plans, workers, format)


def recording_of(contract: Contract, notes: Mapping[str, Any]) -> Recording:
    """What a dataset of an environment with this contract holds."""
    features = {
        _key(camera.name): Feature(dtype="video", shape=(camera.height, camera.width, 3))
        for camera in contract.cameras
    }
    for column, fields in (("observation.state", contract.state), ("action", contract.action)):
        names = tuple(name for field in fields for name in field.names)
        width = sum(field.dims for field in fields)
        features[column] = Feature(dtype="float32", shape=(width,), names=names)
    robot = str(notes["task"])
    return Recording(fps=round(contract.fps), robot_type=robot, features=features, notes={**notes})


def recorded_plans(dataset: Path) -> tuple[EpisodePlan, ...]:
    """The plans of the episodes of a dataset that was recorded here, in order.

    Raises:
        UserError: it was not.
    """
    try:
        notes = json.loads((dataset / "meta/info.json").read_text())["xvr"]
        return tuple(plan_from_json(plan) for plan in notes["plans"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{dataset} was not recorded by xvr vla record: meta/info.json has no plans ({error!r})"
        ) from error


def recorded_actions(
    dataset: Path,
) -> Iterator[tuple[EpisodePlan, Float32[np.ndarray, "t action"]]]:
    """The plan and the actions of every episode.

    Raises:
        UserError: the dataset was not recorded here, or a file is missing.
    """
    from xvr.sources.lerobot import open_dataset
    from xvr.sources.lerobot_rows import read_columns

    plans = recorded_plans(dataset)
    _, listed = open_dataset(dataset, dataset.name, by_modality=False, every_camera=True)
    for number, plan in enumerate(plans):
        rows = read_columns(listed.files(number).data, number, ["action"])
        yield plan, rows["action"].astype(np.float32)


def _record(
    out: Path, job: RecordJob, plans: Sequence[EpisodePlan], workers: int, format: LeRobotFormat
) -> Iterator[Recorded]:
    episodes = int(job.notes["episodes"])
    kept: list[EpisodePlan] = []
    position = 0
    while len(kept) < episodes:
        batch = plans[position : position + episodes - len(kept)]
        if not batch:
            raise UserError(
                f"the expert of {job.notes['task']} failed in {len(plans) - len(kept)} of "
                f"{len(plans)} episodes; nothing is written"
            )
        missing = [plan for plan in batch if not _stage(out, plan).exists()]
        for plan, frames in run_jobs(job, missing, workers, lambda questions: questions):
            yield Recorded(plan=plan, frames=frames)
        kept += [plan for plan in batch if (_stage(out, plan) / "episode.json").exists()]
        position += len(batch)
    _finish(out, job, kept, format)


def _finish(out: Path, job: RecordJob, kept: Sequence[EpisodePlan], format: LeRobotFormat) -> None:
    with_contract = job.open(str(job.notes["task"]))
    notes = {**job.notes, "plans": [plan.to_json() for plan in kept]}
    recording = recording_of(with_contract.contract, notes)
    with_contract.close()
    assemble(out, recording, [StagedEpisode.load(_stage(out, plan)) for plan in kept], format)
    shutil.rmtree(out / _STAGE)


def _claim(out: Path, wanted: dict[str, Any]) -> bool:
    """Makes `out` ours; returns whether it is complete already."""
    done, begun = out / "meta/info.json", out / _STAGE / "arguments.json"
    found: dict[str, Any] | None = None
    if done.exists():
        notes = json.loads(done.read_text()).get("xvr") or {}
        found = {name: notes.get(name) for name in wanted}
    elif begun.exists():
        found = json.loads(begun.read_text())
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty and not ours: choose another folder, or delete it")
    if found is not None and found != wanted:
        raise UserError(f"{out} was recorded with {found}, not {wanted}: choose another folder")
    if found is None:
        write_whole(begun, json.dumps(wanted))
    return done.exists()


def _stage(out: Path, plan: EpisodePlan) -> Path:
    return out / _STAGE / f"episode_{plan.index:06d}"


def _key(camera: str) -> str:
    return f"observation.images.{camera}"

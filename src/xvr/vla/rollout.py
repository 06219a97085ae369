"""Runs episodes and writes a row of each: `xvr vla rollout`.

    for row in roll_out(options):
        ...

The list of episodes is fixed before the first one begins, each begins from its own seed, and the
policy's noise belongs to (seed, task, episode, query): neither the number of workers nor a stop and
a second start changes any action. An episode ends with success or at the task's horizon.
"""

import hashlib
import logging
import platform
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from xvr import __version__
from xvr.errors import UserError
from xvr.vla.actors import Actor, answers
from xvr.vla.casting import Cast, cast
from xvr.vla.environment import Environment, EpisodePlan, make_plans
from xvr.vla.environments import environment_name, open_environment, tasks_of
from xvr.vla.record import recorded_plans
from xvr.vla.rollout_folder import (
    MANIFEST,
    VIDEOS,
    RolloutManifest,
    Row,
    RowLog,
    open_rollouts,
    read_rollouts,
)
from xvr.vla.workers import Ask, run_jobs

_DEFAULT = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RolloutOptions:
    """What to run."""

    policy: str
    """Folder of a policy, `remote:ws://HOST:PORT`, `replay:DATASET`, `expert`, `random` or
    `zero`."""
    env: str
    """`embedded`, or `robocasa:v0.2` and `robocasa:v1.0`, these with @PYTHON."""
    tasks: tuple[str, ...]
    """Tasks of the environment."""
    episodes: int | None = None
    """Episodes of each task; all of `plan`, or 50 without one."""
    seed: int = 0
    """Of the episodes and of the policy's noise."""
    plan: Path | None = None
    """A run or a recorded dataset whose episodes are to be run, instead of those of the seed."""
    execute: int = 8
    """Actions of a chunk that are executed before the policy is asked again."""
    workers: int = 1
    """Processes; each has an environment of its own."""
    videos: int = 0
    """Most videos of failed episodes."""
    device: str = "cpu"
    """Where the policy computes, such as cpu or cuda."""
    out: Path
    """Folder of the run."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.execute < 1:
            raise UserError(f"--execute {self.execute}: write at least 1")
        if self.videos < 0:
            raise UserError(f"--videos {self.videos}: write 0 or more")
        if not self.tasks:
            raise UserError("--task: name at least one task")


@dataclass(frozen=True, kw_only=True)
class EpisodeJob:
    """Runs an actor in an environment; a `workers.Job`."""

    spec: str
    actor: Actor

    def open(self, task: str) -> Environment:
        """The environment of a task."""
        return open_environment(self.spec, task)

    def run(self, environment: Environment, plan: EpisodePlan, ask: Ask) -> "Episode":
        """One episode."""
        environment.reset(plan)
        instruction, meta = environment.instruction, environment.meta
        done: list[np.ndarray] = []
        queries = 0
        while not environment.success and len(done) < environment.max_steps:
            actions = self.actor.actions(environment, plan, queries, ask)
            queries += 1
            if not len(actions):
                break
            for action in actions[: environment.max_steps - len(done)]:
                done.append(np.array(action, np.float32))
                environment.step(done[-1])
                if environment.success:
                    break
        width = environment.contract.action_dims
        return Episode(
            success=environment.success,
            queries=queries,
            instruction=instruction,
            meta=None if meta is None else dict(meta),
            actions=np.array(done, np.float32).reshape(len(done), width),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """What came of one episode."""

    success: bool
    queries: int
    instruction: str
    meta: dict[str, Any] | None
    actions: Float32[np.ndarray, "t action"]

    def row(self, plan: EpisodePlan) -> Row:
        """As a row of the run."""
        return Row(
            task=plan.task,
            index=plan.index,
            seed=plan.seed,
            success=self.success,
            steps=len(self.actions),
            queries=self.queries,
            instruction=self.instruction,
            meta=self.meta,
            actions=hashlib.sha256(self.actions.tobytes()).hexdigest(),
        )


def roll_out(options: RolloutOptions) -> Iterator[Row]:
    """Run what is missing of a run; yields all its rows, first those that were there already.

    Raises:
        UserError: an option is wrong, the policy and the environment do not fit, the folder holds
            something else, or the run cannot go on; finished episodes are kept.
    """
    plans = _plans(options)
    with closing(_cast(options, plans)) as chosen:
        manifest = _manifest(options, chosen, [plan.task for plan in plans])
        with open_rollouts(options.out, manifest, plans) as (held, log):
            yield from held.rows
            finished = {row.key for row in held.rows}
            waiting = [plan for plan in plans if (plan.task, plan.index) not in finished]
            filmed = sum(bool(row.video) for row in held.rows)
            yield from _run(options, chosen, waiting, log, filmed)


def _cast(options: RolloutOptions, plans: Sequence[EpisodePlan]) -> Cast:
    return cast(options.policy, plans, options.execute, options.seed, options.device)


def count_episodes(options: RolloutOptions) -> int:
    """How many episodes the options ask for."""
    return len(_plans(options))


def _run(
    options: RolloutOptions, chosen: Cast, plans: Sequence[EpisodePlan], log: RowLog, filmed: int
) -> Iterator[Row]:
    job = EpisodeJob(spec=options.env, actor=chosen.actor)
    answer: Any = partial(answers, chosen.policy, options.seed) if chosen.policy else _nobody
    for plan, episode in run_jobs(job, plans, options.workers, answer):
        row = episode.row(plan)
        if not row.success and filmed < options.videos:
            name = f"{VIDEOS}/{plan.task}_{plan.index:05d}_failed.mp4"
            film(options.env, plan, episode, options.out / name)
            row, filmed = replace(row, video=name), filmed + 1
        log.append(row)
        yield row


def film(spec: str, plan: EpisodePlan, episode: Episode, path: Path) -> None:
    """Run the actions of an episode again and write what its cameras see, side by side.

    So nothing is drawn for a video while the policy acts.
    """
    from xvr.sim.lerobot_video import VideoFile

    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_environment(spec, plan.task)) as environment:
        environment.reset(plan)
        contract = environment.contract
        height = max(camera.height for camera in contract.cameras)
        width = sum(camera.width for camera in contract.cameras)
        video = VideoFile(path, round(contract.fps), (height, width, 3))
        for action in episode.actions:
            video.add(_strip(environment))
            environment.step(action)
        video.add(_strip(environment))
        video.close()
        if environment.success != episode.success:
            _log.warning("%s shows another episode: the simulator did not repeat it", path)


def _strip(environment: Environment) -> np.ndarray:
    images = environment.observe().images
    height = max(image.shape[0] for image in images.values())
    padded = [
        np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0))) for image in images.values()
    ]
    return np.ascontiguousarray(np.hstack(padded))


def _plans(options: RolloutOptions) -> tuple[EpisodePlan, ...]:
    known, wanted = tasks_of(options.env), options.episodes
    source = options.plan
    if source is None and options.policy.startswith("replay:"):
        source = Path(options.policy.removeprefix("replay:"))
    if source is None:
        return tuple(
            plan
            for task in dict.fromkeys(options.tasks)
            for plan in make_plans(task, _DEFAULT if wanted is None else wanted, options.seed)
        )
    of_run = (source / MANIFEST).exists()
    held = read_rollouts(source).known_plans if of_run else recorded_plans(source)
    chosen: list[EpisodePlan] = []
    for task in dict.fromkeys(options.tasks):
        of_task = [plan for plan in held if plan.task == task]
        if task in known and not of_task:
            raise UserError(f"{source} holds no episode of {task}")
        chosen += of_task[:wanted]
    return tuple(chosen)


def _manifest(options: RolloutOptions, chosen: Cast, tasks: Sequence[str]) -> RolloutManifest:
    horizon, contract = {}, None
    for task in dict.fromkeys(tasks):
        with closing(open_environment(options.env, task)) as environment:
            horizon[task] = environment.max_steps
            mine = environment.contract
        if contract is not None and contract != mine:
            raise UserError(f"{task} has other cameras or fields than {tasks[0]}: run it apart")
        contract = mine
    assert contract is not None
    chosen.require(contract)
    return RolloutManifest(
        policy=options.policy,
        policy_revision=chosen.revision,
        policy_contract=chosen.contract.to_json() if chosen.contract else None,
        environment=environment_name(options.env),
        environment_contract=contract.to_json(),
        horizon=horizon,
        execute=options.execute,
        seed=options.seed,
        versions=_versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _versions() -> dict[str, str]:
    found = {"xvr": __version__, "python": platform.python_version()}
    for package in ("numpy", "torch", "transformers", "mujoco", "robosuite"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _nobody(questions: Sequence[Any]) -> Sequence[Any]:
    raise AssertionError(f"an actor without a policy asked one: {len(questions)} questions")

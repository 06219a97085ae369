"""`xvr vla record`, `rollout`, `serve` and `compare`: policies in environments."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from xvr.cli.progress import Bar, tell

Json = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]
Tasks = Annotated[tuple[str, ...], tyro.conf.arg(name="task", metavar="TASK...")]


def vla_record(
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")],
    /,
    task: str,
    episodes: int,
    env: str = "embedded",
    seed: int = 0,
    format: Literal["v2.1", "v3.0"] = "v2.1",
    workers: int = 1,
) -> int:
    """Record demonstrations of an environment's scripted expert, as a LeRobot dataset to train on.

    Args:
        out: Folder to write; running again goes on with what is missing.
        task: Task of the environment.
        episodes: Number of successful episodes.
        env: Environment that has an expert: embedded.
        seed: Root of all randomness.
        format: LeRobot dataset version.
        workers: Processes.
    """
    from xvr.vla.record import record_demonstrations

    failed = 0
    with Bar("demonstrations", "episode") as bar:
        recorded = record_demonstrations(out, env, task, episodes, seed, workers, format)
        for count, episode in enumerate(recorded, start=1):
            failed += episode.frames == 0
            bar.show(count - failed, episodes)
    tell(f"{episodes} demonstrations of {task} in {out} ({failed} failed ones kept out)")
    return 0


def vla_rollout(
    policy: str,
    task: Tasks,
    out: Path,
    env: str = "embedded",
    episodes: int | None = None,
    seed: int = 0,
    plan: Path | None = None,
    execute: int = 8,
    workers: int = 1,
    videos: int = 0,
    device: str = "cpu",
    as_json: Json = False,
) -> int:
    """Let a policy act in an environment and write a row for every episode.

    Args:
        policy: Folder that `xvr vla train` wrote, remote:ws://HOST:PORT, replay:DATASET, expert,
            random or zero.
        task: Tasks of the environment.
        out: Folder of the run; running again goes on with what is missing.
        env: embedded, or robocasa:v0.2 and robocasa:v1.0 with @PYTHON, the Python that has it.
        episodes: Episodes of each task; all of --plan, or 50 without one.
        seed: Of the episodes and of the policy's noise.
        plan: A run or a recorded dataset whose episodes to run, instead of those of the seed.
        execute: Actions of a chunk that are executed before the policy is asked again.
        workers: Processes, each with an environment of its own.
        videos: Most videos of failed episodes.
        device: Where the policy computes, such as cpu or cuda.
        as_json: Print the numbers as JSON.
    """
    from xvr.vla.rollout import RolloutOptions, count_episodes, roll_out
    from xvr.vla.success import success_rates, to_text

    options = RolloutOptions(
        policy=policy,
        env=env,
        tasks=task,
        episodes=episodes,
        seed=seed,
        plan=plan,
        execute=execute,
        workers=workers,
        videos=videos,
        device=device,
        out=out,
    )
    total = count_episodes(options)
    with Bar("rollouts", "episode") as bar:
        for count, _ in enumerate(roll_out(options), start=1):
            bar.show(count, total)
    rates = success_rates(out)
    if as_json:
        content = {name: rate.to_json() for name, rate in rates.items()}
        sys.stdout.write(json.dumps(content, indent=1) + "\n")
    else:
        sys.stdout.write(to_text(rates) + "\n")
    tell(f"{out}")
    return 0


def vla_serve(policy: Path, host: str = "127.0.0.1", port: int = 8765, device: str = "cpu") -> int:
    """Answer for a policy on a websocket, until Ctrl-C; there is no password.

    Args:
        policy: Folder that `xvr vla train` wrote.
        host: Address to listen on; the default is reached from this machine only.
        port: Port to listen on; 0 takes a free one.
        device: Where the policy computes, such as cpu or cuda.
    """
    from xvr.vla.casting import policy_revision
    from xvr.vla.policy import load_policy
    from xvr.vla.serve import serving

    loaded = load_policy(policy, device=device)
    with serving(loaded, policy_revision(policy), host, port) as (server, bound):
        tell(f"serving {policy} at ws://{host}:{bound}; use it as remote:ws://{host}:{bound}")
        server.serve_forever()
    return 0


def vla_compare(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")],
    /,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Hold rollouts against those of the first one, episode by episode.

    Args:
        runs: Two or more runs of the same episodes. A folder of runs is one policy that was
            trained with several seeds.
        seed: Seed of the bootstrap.
        as_json: Print one JSON object per pair.
    """
    from xvr.evaluation.tables import to_text
    from xvr.vla.compare import compare_rollouts
    from xvr.vla.comparison_table import comparison_table

    found = compare_rollouts(runs, seed=seed)
    if as_json:
        sys.stdout.write("".join(json.dumps(one.to_json()) + "\n" for one in found))
    else:
        sys.stdout.write("\n\n".join(to_text(comparison_table(one)) for one in found) + "\n")
    return 0

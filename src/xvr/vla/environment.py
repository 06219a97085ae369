"""What every environment is: one episode at a time, pictures only when somebody looks.

    environment.reset(plan)
    for _ in range(environment.max_steps):
        observation = environment.observe()      # draws; leave it out and nothing is drawn
        environment.step(action)
        if environment.success:
            break

Episodes are a list that is fixed before the first one runs (`make_plans`). An environment never
resets itself, and success stays once it is reached, until the next reset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32

from xvr.engine.seeds import digest
from xvr.errors import UserError
from xvr.vla.contract import Contract
from xvr.vla.observation import Observation

Action = Float32[np.ndarray, " action"]


@dataclass(frozen=True, kw_only=True)
class EpisodePlan:
    """One episode before it is run."""

    task: str
    index: int
    """Place in the list of its task."""
    seed: int
    """All that the episode's beginning is drawn from, 0 to 2**31 - 1."""
    meta: Mapping[str, Any] | None = None
    """What the simulator needs beside a seed to begin the same way, as RoboCasa does."""

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it; `plan_from_json` reads it back."""
        return asdict(self)


class Environment(Protocol):
    """A simulated world in which episodes are run one after the other."""

    @property
    def contract(self) -> Contract:
        """All cameras and fields that it offers, and what its actions mean."""
        ...

    @property
    def max_steps(self) -> int:
        """The task's horizon: actions after which an episode without success has failed."""
        ...

    @property
    def instruction(self) -> str:
        """What to do in the present episode."""
        ...

    @property
    def success(self) -> bool:
        """Whether the task has been done since the reset."""
        ...

    @property
    def meta(self) -> Mapping[str, Any] | None:
        """What the simulator needs beside the seed to begin this episode again, if anything."""
        ...

    def reset(self, plan: EpisodePlan) -> None:
        """Begin the episode."""
        ...

    def observe(self) -> Observation:
        """Draw and read what there is now, with all that the contract names."""
        ...

    def step(self, action: Action) -> None:
        """Apply one action for `1 / contract.fps` seconds."""
        ...

    def expert_action(self) -> Action:
        """What the scripted expert does now; it knows what no camera shows.

        Raises:
            UserError: this environment has no expert.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def make_plans(task: str, episodes: int, seed: int) -> tuple[EpisodePlan, ...]:
    """The first so many episodes of a task that belong to a seed.

    Another number of episodes has the same first ones; other seeds have none in common.

    Raises:
        UserError: a number is out of range.
    """
    if episodes < 1:
        raise UserError(f"--episodes {episodes}: write at least 1")
    if seed < 0:
        raise UserError(f"--seed {seed}: write 0 or more")
    return tuple(
        EpisodePlan(task=task, index=index, seed=_episode_seed(task, seed, index))
        for index in range(episodes)
    )


def plan_from_json(content: Mapping[str, Any]) -> EpisodePlan:
    """The plan that `to_json` gave.

    Raises:
        UserError: it is none.
    """
    try:
        return EpisodePlan(**content)
    except TypeError as error:
        raise UserError(f"this is no plan of an episode: {error}") from error


def offered(environment: Contract, policy: Contract) -> Contract:
    """What an environment offers of what a policy asks for.

    A policy may take fewer cameras and fields of the state, in another order, and pictures of
    another size: `presented` does that. All else must be the same, and is compared by `require`.
    """
    cameras = {camera.name: camera for camera in environment.cameras}
    state = {field.name: field for field in environment.state}
    return Contract(
        cameras=tuple(one for one in policy.cameras if one.name in cameras),
        state=tuple(state[field.name] for field in policy.state if field.name in state),
        action=environment.action,
        fps=environment.fps,
    )


def presented(observation: Observation, environment: Contract, policy: Contract) -> Observation:
    """An environment's observation as a policy wants it; `offered` must agree with the policy."""
    from xvr.vla.resize import to_size

    bounds = np.cumsum([0, *(field.dims for field in environment.state)])
    parts = {
        field.name: observation.state[start:stop]
        for field, start, stop in zip(environment.state, bounds[:-1], bounds[1:], strict=True)
    }
    state: Sequence[np.ndarray] = [parts[field.name] for field in policy.state]
    return Observation(
        images={
            camera.name: to_size(observation.images[camera.name], camera.height, camera.width)
            for camera in policy.cameras
        },
        state=np.concatenate([np.zeros(0, np.float32), *state]).astype(np.float32),
        instruction=observation.instruction,
    )


def _episode_seed(task: str, seed: int, index: int) -> int:
    return int.from_bytes(digest(seed, "episode", task, index)[:4], "little") >> 1

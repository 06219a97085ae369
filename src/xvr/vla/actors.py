"""Who acts in a rollout: a policy, or something simple to hold it against.

    PATH                    a folder that `xvr vla train` wrote
    remote:ws://HOST:PORT   a policy behind `xvr vla serve`
    replay:DATASET          the actions of recorded demonstrations
    expert                  the environment's scripted expert
    random, zero            noise in -1..1, and nothing at all

An actor gives a few actions for the moment that it is asked about. Policies live in the parent
process and are asked through `ask`; the others act where the environment is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from xvr.engine.seeds import child_rng
from xvr.errors import UserError
from xvr.vla.contract import Contract
from xvr.vla.environment import Environment, EpisodePlan, offered, presented
from xvr.vla.observation import Observation
from xvr.vla.policy import Policy
from xvr.vla.workers import Ask

Actions = Float32[np.ndarray, "k action"]

SIMPLE = ("expert", "random", "zero")


class Actor(Protocol):
    """Something that acts; it travels to worker processes."""

    def actions(self, environment: Environment, plan: EpisodePlan, query: int, ask: Ask) -> Actions:
        """The next actions of an episode; none when it has no more.

        Args:
            environment: as it is now.
            plan: of the episode.
            query: how often this was called before in the episode.
            ask: reaches the policy.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a worker asks the policy."""

    observation: Observation
    task: str
    index: int
    """Of the episode."""
    query: int
    """How many were asked before in the episode."""


@dataclass(frozen=True, kw_only=True)
class PolicyActor:
    """Shows the environment to the policy and does the first actions of its chunk."""

    contract: Contract
    """Of the policy."""
    execute: int
    """Actions of a chunk that are executed before the policy is asked again."""

    def actions(self, environment: Environment, plan: EpisodePlan, query: int, ask: Ask) -> Actions:
        """Asks the policy."""
        if query == 0:
            mine = environment.contract
            offered(mine, self.contract).require(self.contract, "the environment")
        shown = presented(environment.observe(), environment.contract, self.contract)
        return ask(Question(observation=shown, task=plan.task, index=plan.index, query=query))[
            : self.execute
        ]


@dataclass(frozen=True, kw_only=True)
class ReplayActor:
    """Does what was recorded for the very same episode."""

    recorded: dict[tuple[str, int], Actions]
    """By task and seed."""

    def actions(
        self,
        environment: Environment,  # noqa: ARG002 - it looks at nothing
        plan: EpisodePlan,
        query: int,
        ask: Ask,  # noqa: ARG002
    ) -> Actions:
        """The whole episode at once."""
        found = self.recorded[plan.task, plan.seed]
        return found if query == 0 else found[:0]


@dataclass(frozen=True, kw_only=True)
class SimpleActor:
    """`expert`, `random` or `zero`."""

    name: str
    seed: int

    def actions(
        self,
        environment: Environment,
        plan: EpisodePlan,
        query: int,
        ask: Ask,  # noqa: ARG002
    ) -> Actions:
        """One action."""
        width = environment.contract.action_dims
        if self.name == "expert":
            return environment.expert_action()[None]
        if self.name == "zero":
            return np.zeros((1, width), np.float32)
        rng = noise(self.seed, plan.task, plan.index, query)
        return rng.uniform(-1, 1, (1, width)).astype(np.float32)


def noise(seed: int, task: str, index: int, query: int) -> np.random.Generator:
    """The generator of one query; it depends on nothing else."""
    return child_rng(seed, "policy", task, index, query)


def answers(
    policy: Policy, seed: int, questions: Sequence[Question]
) -> list[Float32[np.ndarray, "chunk action"]]:
    """The policy's chunks for questions that wait.

    Raises:
        UserError: an action is not a number.
    """
    rngs = [noise(seed, one.task, one.index, one.query) for one in questions]
    chunks = policy.act([one.observation for one in questions], rngs)
    for chunk, asked in zip(chunks, questions, strict=True):
        if not np.isfinite(chunk).all():
            raise UserError(
                f"the policy's actions for {asked.task} episode {asked.index}, query {asked.query} "
                "are not finite: was it trained on NaN, or to an end?"
            )
    return list(chunks)


def replayed(dataset: Path, plans: Sequence[EpisodePlan]) -> ReplayActor:
    """An actor for plans that a dataset of `xvr vla record` has recorded.

    Raises:
        UserError: it has no recording of one of them.
    """
    from xvr.vla.record import recorded_actions

    found = {(plan.task, plan.seed): actions for plan, actions in recorded_actions(dataset)}
    for plan in plans:
        if (plan.task, plan.seed) not in found:
            raise UserError(
                f"{dataset} holds no recording of {plan.task} with seed {plan.seed}: add --plan "
                f"{dataset} to run the episodes that it holds"
            )
    return ReplayActor(recorded=found)

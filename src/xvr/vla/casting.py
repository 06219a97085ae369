"""From the name of a policy, one of those that `xvr.vla.actors` lists, to who acts in a run."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xvr.errors import UserError, unknown_name
from xvr.vla.actors import SIMPLE, Actor, PolicyActor, SimpleActor, replayed
from xvr.vla.contract import Contract
from xvr.vla.environment import EpisodePlan, offered
from xvr.vla.policy import Policy

REMOTE, REPLAY = "remote:", "replay:"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who acts in a run; close it."""

    actor: Actor
    policy: Policy | None = None
    """Lives in the parent process; None for what acts without one."""
    contract: Contract | None = None
    """Of the policy."""
    revision: str
    """Changes when the policy does."""
    end: Callable[[], None] | None = None

    def require(self, environment: Contract) -> None:
        """Raise a `UserError` unless an environment offers what the policy was trained with."""
        if self.contract is not None:
            offered(environment, self.contract).require(self.contract, "the environment")

    def close(self) -> None:
        """Hang up on a server."""
        if self.end is not None:
            self.end()


def cast(
    name: str, plans: Sequence[EpisodePlan], execute: int, seed: int, device: str = "cpu"
) -> Cast:
    """Who `name` stands for.

    Raises:
        UserError: nobody; or the policy cannot be loaded or reached, or gives shorter chunks.
    """
    if name in SIMPLE:
        return Cast(actor=SimpleActor(name=name, seed=seed), revision=name)
    if name.startswith(REPLAY):
        dataset = Path(name.removeprefix(REPLAY))
        digest = hashlib.sha256((dataset / "meta/info.json").read_bytes()).hexdigest()
        return Cast(actor=replayed(dataset, plans), revision=digest)
    if name.startswith(REMOTE):
        from xvr.vla.remote import RemotePolicy

        remote = RemotePolicy(name.removeprefix(REMOTE))
        actor = _policy_actor(remote.contract, execute)
        return Cast(
            actor=actor,
            policy=remote,
            contract=remote.contract,
            revision=remote.revision,
            end=remote.close,
        )
    folder = Path(name)
    if not folder.is_dir():
        raise unknown_name("policy", name, (*SIMPLE, "replay:DATASET", "remote:ws://HOST:PORT"))
    from xvr.vla.policy import load_policy

    policy = load_policy(folder, device=device)
    actor = _policy_actor(policy.contract, execute)
    return Cast(
        actor=actor, policy=policy, contract=policy.contract, revision=policy_revision(folder)
    )


def policy_revision(folder: Path) -> str:
    """SHA-256 over the files of a policy, or of the one that a run ended with."""
    from xvr.vla.run_folder import policy_folder

    digest = hashlib.sha256()
    for path in sorted(policy_folder(folder).iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _policy_actor(contract: Contract, execute: int) -> PolicyActor:
    if contract.chunk is not None and execute > contract.chunk:
        raise UserError(
            f"--execute {execute}: the policy gives {contract.chunk} actions at once, write at "
            f"most {contract.chunk}"
        )
    return PolicyActor(contract=contract, execute=execute)

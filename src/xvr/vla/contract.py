"""What a policy and whatever feeds it must agree on: cameras, state, actions, rate, prompt.

A policy that is fed other cameras, another order or another convention for a gripper does not fail;
it acts badly. So a contract is derived from the training data, saved with the policy, and held
against every environment, server and data set; what differs is told field by field.

    theirs.require(policy.contract, "the environment")   # UserError with the differences

Environments declare what they know. Fields that only a policy has (chunk, prompt, normaliser) and
free text are compared where both sides declare them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from xvr.errors import UserError

Kind = Literal["continuous", "binary_01", "binary_pm1", "quaternion_xyzw", "rotation_6d"]
"""How numbers are to be read: `binary_01` is {0, 1}, `binary_pm1` is {-1, +1}, `rotation_6d` the
first two columns of a rotation matrix, one after the other (https://arxiv.org/abs/1812.07035)."""
WIDTHS: dict[str, int] = {"quaternion_xyzw": 4, "rotation_6d": 6}
"""Kinds whose number of entries is fixed."""
PLAIN_PROMPT = "{instruction}"


@dataclass(frozen=True, kw_only=True)
class CameraSpec:
    """One camera as the policy takes it."""

    name: str
    """Short name, such as `left_view`."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""

    def __post_init__(self) -> None:
        """Checks the size."""
        if min(self.height, self.width) < 1:
            raise UserError(
                f"camera {self.name!r}: size {self.height}x{self.width} is not positive"
            )


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """One named stretch of the state or action vector, as the robot has it (not normalised)."""

    name: str
    """Such as `end_effector_position`."""
    dims: int
    """Entries of the vector."""
    kind: Kind = "continuous"
    meaning: str = ""
    """Unit, frame and what else a person must know; empty where nothing says it."""
    names: tuple[str, ...] = ()
    """A name for each entry; empty where nothing names them."""

    def __post_init__(self) -> None:
        """Checks that kind, number of entries and names fit each other."""
        if self.kind not in get_args(Kind):
            raise UserError(
                f"field {self.name!r}: kind {self.kind!r}, known are {', '.join(get_args(Kind))}"
            )
        if self.dims != WIDTHS.get(self.kind, self.dims) or self.dims < 1:
            raise UserError(f"field {self.name!r}: {self.dims} entries do not make a {self.kind}")
        if self.names and len(self.names) != self.dims:
            raise UserError(f"field {self.name!r}: {len(self.names)} names for {self.dims} entries")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """All that a policy and an environment must agree on."""

    cameras: tuple[CameraSpec, ...]
    """In the order in which the policy sees them."""
    state: tuple[FieldSpec, ...]
    """In the order of the state vector; empty for a policy that takes no state."""
    action: tuple[FieldSpec, ...]
    """In the order of the action vector."""
    fps: float
    """Actions per second."""
    chunk: int | None = None
    """Actions that the policy gives at once; None for an environment."""
    prompt: str | None = None
    """What the policy makes of an instruction, with `{instruction}`; None for an environment."""
    normalizer: str | None = None
    """Hash of the statistics that states and actions are normalised with; None outside of one."""

    def __post_init__(self) -> None:
        """Checks that names are unique and numbers positive."""
        groups = {"camera": self.cameras, "state field": self.state, "action field": self.action}
        for kind, parts in groups.items():
            names = [part.name for part in parts]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise UserError(f"{kind} {twice[0]!r} is named twice")
        if not self.action:
            raise UserError("a contract without an action is none")
        if not self.fps > 0 or (self.chunk is not None and self.chunk < 1):
            raise UserError(f"fps {self.fps} and chunk {self.chunk} must be positive")
        if self.prompt is not None and "{instruction}" not in self.prompt:
            raise UserError(f"prompt {self.prompt!r} has no {{instruction}}")

    @property
    def state_dims(self) -> int:
        """Entries of the state vector."""
        return sum(field.dims for field in self.state)

    @property
    def action_dims(self) -> int:
        """Entries of an action."""
        return sum(field.dims for field in self.action)

    @property
    def hash(self) -> str:
        """SHA-256 over all fields."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it; `from_json` reads it back."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Contract":
        """The contract that `to_json` gave.

        Raises:
            UserError: keys are missing or unknown, or values out of range.
        """
        try:
            known = dict(content)
            known["cameras"] = tuple(CameraSpec(**camera) for camera in known["cameras"])
            for part in ("state", "action"):
                entries = (entry | {"names": tuple(entry["names"])} for entry in known[part])
                known[part] = tuple(FieldSpec(**entry) for entry in entries)
            return cls(**known)
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"this is no contract of a policy: {error!r}") from error

    def differences(self, other: "Contract") -> list[str]:
        """Where another contract differs, one line each: `fps: 20.0 here, 30.0 there`."""
        found = _compared("cameras", self.cameras, other.cameras)
        found += _compared("state", self.state, other.state)
        found += _compared("action", self.action, other.action)
        for name in ("fps", "chunk", "prompt", "normalizer"):
            found += _difference(name, getattr(self, name), getattr(other, name))
        return found

    def require(self, policy: "Contract", who: str) -> None:
        """Raise a `UserError` with the differences unless this agrees with a policy's contract.

        Args:
            policy: what is asked for.
            who: whose contract this is, such as `the environment`.
        """
        found = self.differences(policy)
        if found:
            lines = "".join(f"\n  {line}" for line in found)
            raise UserError(
                f"{who} does not offer what the policy was trained with (here: {who}, "
                f"there: the policy):{lines}"
            )


def _compared(
    part: str,
    here: Sequence[CameraSpec] | Sequence[FieldSpec],
    there: Sequence[CameraSpec] | Sequence[FieldSpec],
) -> list[str]:
    names_here, names_there = [one.name for one in here], [one.name for one in there]
    if names_here != names_there:
        return [_order(part, names_here, names_there)]
    found = []
    for mine, theirs in zip(here, there, strict=True):
        for field in fields(mine):
            values = getattr(mine, field.name), getattr(theirs, field.name)
            found += _difference(f"{part}.{mine.name}.{field.name}", *values)
    return found


def _order(part: str, here: list[str], there: list[str]) -> str:
    if sorted(here) == sorted(there):
        return f"{part}: the order is {_listed(here)} here, {_listed(there)} there"
    only_here = [name for name in here if name not in there]
    only_there = [name for name in there if name not in here]
    sides = [f"here only {_listed(only_here)}"] if only_here else []
    sides += [f"there only {_listed(only_there)}"] if only_there else []
    return f"{part}: {', '.join(sides)}"


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))


def _difference(name: str, here: object, there: object) -> list[str]:
    """A line where both sides declare a value and they differ."""
    undeclared = (None, "", ())
    if here == there or here in undeclared or there in undeclared:
        return []
    return [f"{name}: {_shown(here)} here, {_shown(there)} there"]


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else repr(value)

"""States and actions between a robot's units and those of a network, there and back.

One `Normalizer` is measured on the training data, saved with the policy and used by everything that
acts. Its hash is in the contract, so that statistics of another data set are refused.

What becomes of a field depends on its kind and the mode:

- `binary_01` and `binary_pm1` become -1 and +1; back, what is above 0 is the greater value;
- a `quaternion_xyzw` becomes six numbers (`xvr.vla.rotation`), a `rotation_6d` stays; back, they
  are made a rotation again;
- `continuous` is shifted and scaled: `min_max` to [-1, 1] by the least and greatest value,
  `quantile` by the 1 % and 99 % quantiles, `mean_std` to mean 0 and deviation 1, `identity` not.

An entry that never changes carries nothing: it becomes 0, and comes back as its constant. One whose
quantiles are equal although it changes is scaled by its least and greatest value. Nothing is
clipped, so that every mode has an inverse.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec, Kind
from xvr.vla.rotation import (
    orthonormal_6d,
    quaternion_from_rotation_6d,
    rotation_6d_from_quaternion,
)
from xvr.vla.statistics import Statistics

Mode = Literal["min_max", "quantile", "mean_std", "identity"]
CONSTANT = 1e-6
"""A spread below this share of the greatest magnitude (or of 1) is noise of a constant."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """One field of a vector and what is done to it."""

    name: str
    kind: Kind
    dims: int
    """Entries as the robot has it."""
    shift: tuple[float, ...] = ()
    """Of `continuous` fields: subtracted first."""
    scale: tuple[float, ...] = ()
    """Of `continuous` fields: divided by then; 0 for an entry that never changes."""

    @property
    def width(self) -> int:
        """Entries as the network has it."""
        return 6 if self.kind == "quaternion_xyzw" else self.dims

    def encode(self, values: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n w"]:
        """From the robot's units."""
        if self.kind == "binary_01":
            return 2 * values - 1
        if self.kind == "quaternion_xyzw":
            return rotation_6d_from_quaternion(values)
        if self.kind == "continuous":
            scale = np.array(self.scale)
            spread = np.where(scale == 0, 1.0, scale)
            return np.where(scale == 0, 0.0, (values - np.array(self.shift)) / spread)
        return values

    def decode(self, values: Float[np.ndarray, "*n w"]) -> Float[np.ndarray, "*n d"]:
        """To the robot's units."""
        if self.kind == "binary_01":
            return (values > 0).astype(values.dtype)
        if self.kind == "binary_pm1":
            return np.where(values > 0, 1.0, -1.0)
        if self.kind == "quaternion_xyzw":
            return quaternion_from_rotation_6d(values)
        if self.kind == "rotation_6d":
            return orthonormal_6d(values)
        return values * np.array(self.scale) + np.array(self.shift)


@dataclass(frozen=True, kw_only=True)
class VectorNormalizer:
    """All fields of a state or an action."""

    spans: tuple[Span, ...]

    @property
    def dims(self) -> int:
        """Entries as the robot has it."""
        return sum(span.dims for span in self.spans)

    @property
    def width(self) -> int:
        """Entries as the network has it."""
        return sum(span.width for span in self.spans)

    def encode(self, values: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n w"]:
        """From the robot's units, float32."""
        return self._mapped(values, [(span.dims, span.encode) for span in self.spans])

    def decode(self, values: Float[np.ndarray, "*n w"]) -> Float[np.ndarray, "*n d"]:
        """To the robot's units, float32."""
        return self._mapped(values, [(span.width, span.decode) for span in self.spans])

    def _mapped(self, values: np.ndarray, steps: list[tuple[int, Any]]) -> np.ndarray:
        expected = sum(width for width, _ in steps)
        if values.shape[-1] != expected:
            raise ValueError(f"{values.shape[-1]} entries, expected {expected}")
        exact = values.astype(np.float64)
        parts, start = [np.zeros((*values.shape[:-1], 0))], 0
        for width, step in steps:
            parts.append(step(exact[..., start : start + width]))
            start += width
        return np.concatenate(parts, axis=-1).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Normalizer:
    """Of states and of actions, with the data it was measured on."""

    state: VectorNormalizer
    action: VectorNormalizer
    data: str
    """Hash of the states and actions that were measured."""

    @property
    def hash(self) -> str:
        """SHA-256 over all numbers and the data they come from."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it; `from_json` reads it back."""
        spans = {
            part: [vars(span) for span in vector.spans]
            for part, vector in (("state", self.state), ("action", self.action))
        }
        return json.loads(json.dumps(spans | {"data": self.data}))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Normalizer":
        """The normaliser that `to_json` gave.

        Raises:
            UserError: it is no normaliser.
        """
        try:
            vectors = {
                part: VectorNormalizer(spans=tuple(map(_span, content[part])))
                for part in ("state", "action")
            }
            return cls(**vectors, data=str(content["data"]))
        except (KeyError, TypeError) as error:
            raise UserError(f"this is no normaliser: {error!r}") from error

    def require(self, data: str, who: str) -> None:
        """Raise a `UserError` unless it was measured on the data with this hash."""
        if self.data != data:
            raise UserError(
                f"these are statistics of another data set ({self.data[:12]}) than {who} "
                f"({data[:12]}): actions would come out in other units; use the data that they "
                "were measured on, or train a new policy"
            )


def fit(specs: Sequence[FieldSpec], statistics: Statistics, mode: Mode) -> VectorNormalizer:
    """The normaliser of a vector with these fields and statistics.

    Raises:
        UserError: an unknown mode.
    """
    if mode not in get_args(Mode):
        raise UserError(f"normalisation {mode!r}: known are {', '.join(get_args(Mode))}")
    shift, scale = _shift_and_scale(statistics, mode)
    spans, start = [], 0
    for spec in specs:
        part = slice(start, start + spec.dims)
        numbers = spec.kind == "continuous"
        spans.append(
            Span(
                name=spec.name,
                kind=spec.kind,
                dims=spec.dims,
                shift=tuple(shift[part].tolist()) if numbers else (),
                scale=tuple(scale[part].tolist()) if numbers else (),
            )
        )
        start += spec.dims
    return VectorNormalizer(spans=tuple(spans))


def _shift_and_scale(
    measured: Statistics, mode: Mode
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    magnitude = np.maximum(1.0, np.maximum(np.abs(measured.low), np.abs(measured.high)))
    constant = measured.high - measured.low <= CONSTANT * magnitude
    if mode == "identity":
        return np.zeros_like(measured.low), np.ones_like(measured.low)
    if mode == "mean_std":
        shift, scale = measured.mean, measured.std
    else:
        low, high = measured.low, measured.high
        if mode == "quantile":
            flat = measured.high_quantile - measured.low_quantile <= CONSTANT * magnitude
            low = np.where(flat, low, measured.low_quantile)
            high = np.where(flat, high, measured.high_quantile)
        shift, scale = (low + high) / 2, (high - low) / 2
    return np.where(constant, measured.low, shift), np.where(constant, 0.0, scale)


def _span(entry: Mapping[str, Any]) -> Span:
    return Span(**{**entry, "shift": tuple(entry["shift"]), "scale": tuple(entry["scale"])})

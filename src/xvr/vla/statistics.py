"""What the numbers of a data set are like, entry by entry; all of it goes into a normaliser."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec

LOW, HIGH = 0.01, 0.99
"""The quantiles of the mode `quantile`."""
BINARY = {"binary_01": (0.0, 1.0), "binary_pm1": (-1.0, 1.0)}
"""The two values of each binary kind."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistics:
    """Of each entry of a vector over all frames."""

    low: Float[np.ndarray, " n"]
    """Least value."""
    high: Float[np.ndarray, " n"]
    """Greatest value."""
    mean: Float[np.ndarray, " n"]
    std: Float[np.ndarray, " n"]
    low_quantile: Float[np.ndarray, " n"]
    high_quantile: Float[np.ndarray, " n"]


def measure(episodes: Iterable[Float[np.ndarray, "t n"]], dims: int) -> Statistics:
    """Statistics over the frames of all episodes, in float64.

    Raises:
        UserError: there is no frame.
    """
    parts = [np.asarray(part, np.float64) for part in episodes]
    values = np.concatenate(parts) if parts else np.zeros((0, dims))
    if not len(values):
        raise UserError("no frame to take statistics of")
    quantiles = np.quantile(values, (LOW, HIGH), axis=0)
    return Statistics(
        low=values.min(axis=0),
        high=values.max(axis=0),
        mean=values.mean(axis=0),
        std=values.std(axis=0),
        low_quantile=quantiles[0],
        high_quantile=quantiles[1],
    )


def check_binary(
    specs: Sequence[FieldSpec], values: Float[np.ndarray, "t n"], where: str
) -> str | None:
    """The first field that is said to be binary and has other values, as a message; or None."""
    start = 0
    for spec in specs:
        pair = BINARY.get(spec.kind)
        part = values[:, start : start + spec.dims]
        if pair is not None and not np.isin(part, pair).all():
            other = part[~np.isin(part, pair)].flat[0]
            return f"{where}: {spec.name} is said to be {spec.kind} and has the value {other:g}"
        start += spec.dims
    return None

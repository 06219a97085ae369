"""Which convention a switch has: {0, 1} or {-1, +1}. Its name tells a switch, its data the rest.

RoboCasa's own environment has -1 and +1, its LeRobot releases 0 and 1, and files of both meet under
the same name; a policy that mixes them up opens its hand where it should close it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec
from xvr.vla.data.layout import BINARY_NAMES
from xvr.vla.statistics import BINARY


def settle(
    specs: Sequence[FieldSpec], actions: Iterable[Float[np.ndarray, "t n"]], decided: Iterable[str]
) -> tuple[FieldSpec, ...]:
    """The action fields with the conventions that the data have.

    Args:
        specs: fields of the action.
        actions: of all episodes.
        decided: names of fields that the user gave a kind; they stay.

    Raises:
        UserError: the values fit both conventions, so that nobody can tell.
    """
    values = [np.unique(part, axis=0) for part in actions]
    settled, start = [], 0
    for spec in specs:
        if spec.name in BINARY_NAMES and spec.kind == "continuous" and spec.name not in decided:
            part = np.unique(np.concatenate([one[:, start : start + spec.dims] for one in values]))
            spec = _settled(spec, part)
        settled.append(spec)
        start += spec.dims
    return tuple(settled)


def _settled(spec: FieldSpec, values: np.ndarray) -> FieldSpec:
    fitting = [kind for kind, pair in BINARY.items() if np.isin(values, pair).all()]
    if len(fitting) > 1:
        raise UserError(
            f"action {spec.name!r} is {values[0]:g} in every frame, which does not tell whether it "
            f"is 0 or 1, or -1 or +1: say --kinds {spec.name}=binary_01 or "
            f"--kinds {spec.name}=binary_pm1"
        )
    if fitting == ["binary_01"]:
        return replace(spec, kind="binary_01")
    return replace(spec, kind="binary_pm1") if fitting else spec

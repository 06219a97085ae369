"""What differs between the versions of RoboCasa: names of tasks, horizons, scenes of evaluation.

Task names are those of v0.2, which are the published ones; v1.0 has others for the same tasks.
Sources: robocasa/robocasa@756598a5 (v0.2) robocasa/utils/{dataset_registry,eval_utils}.py, and
@be22d659 (v1.0.1) robocasa/utils/{dataset_registry,env_utils}.py.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xvr.errors import UserError

TASKS = ("CoffeePressButton", "TurnOffMicrowave", "PnPCabToCounter")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of RoboCasa."""

    names: Mapping[str, str]
    """Our task to its environment."""
    horizons: Mapping[str, int]
    """Steps, as its registry has them."""
    arguments: Mapping[str, Any]
    """Scenes and objects of its protocol of evaluation."""


VERSIONS: dict[str, Version] = {
    "v0.2": Version(
        names={task: task for task in TASKS},
        horizons={"CoffeePressButton": 300, "TurnOffMicrowave": 500, "PnPCabToCounter": 500},
        arguments={
            "obj_instance_split": "B",
            "layout_and_style_ids": ((1, 1), (2, 2), (4, 4), (6, 9), (7, 10)),
        },
    ),
    "v1.0": Version(
        names={
            "CoffeePressButton": "StartCoffeeMachine",
            "TurnOffMicrowave": "TurnOffMicrowave",
            "PnPCabToCounter": "PickPlaceCabinetToCounter",
        },
        horizons={"CoffeePressButton": 300, "TurnOffMicrowave": 300, "PnPCabToCounter": 450},
        arguments={
            "obj_instance_split": "target",
            "layout_and_style_ids": tuple((scene, scene) for scene in range(1, 11)),
        },
    ),
}


def parse_spec(spec: str) -> tuple[Version, str]:
    """The version and the Python of `robocasa:VERSION` or `robocasa:VERSION@PYTHON`.

    Raises:
        UserError: there is no such version.
    """
    name, _, python = spec.partition("@")
    version = name.partition(":")[2]
    if version not in VERSIONS:
        raise UserError(
            f"unknown environment {spec!r}: write robocasa:v0.2 or robocasa:v1.0; results of "
            "different versions cannot be compared"
        )
    return VERSIONS[version], python or sys.executable

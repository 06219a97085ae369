"""Environments by name: `embedded` ones of this package, and RoboCasa where it is installed.

open_environment("embedded", "reach-button")
open_environment("robocasa:v0.2@/opt/robocasa/bin/python", "TurnOffMicrowave")
"""

from xvr.errors import UserError, unknown_name
from xvr.vla.environment import Environment

KITCHEN_TASKS = ("press-coffee-button", "stop-microwave", "cabinet-to-counter")
"""Tasks of the simulated kitchen; names and world are our own."""

EMBEDDED_TASKS = ("reach-button", *KITCHEN_TASKS)


def tasks_of(spec: str) -> tuple[str, ...]:
    """Tasks that an environment has.

    Raises:
        UserError: there is no such environment.
    """
    if spec == "embedded":
        return EMBEDDED_TASKS
    if spec.split(":")[0] == "robocasa":
        from xvr.vla.environments.robocasa_names import TASKS, parse_spec

        parse_spec(spec)
        return tuple(TASKS)
    raise UserError(
        f"unknown environment {spec!r}: write embedded, robocasa:v0.2 or robocasa:v1.0, the last "
        "two with @PYTHON where the simulator lives in another Python"
    )


def environment_name(spec: str) -> str:
    """The environment without the Python that it lives in."""
    return spec.partition("@")[0]


def open_environment(spec: str, task: str) -> Environment:
    """An environment for one task; close it.

    Raises:
        UserError: environment or task are unknown, or what they need is not installed.
    """
    if task not in tasks_of(spec):
        raise unknown_name("task", task, tasks_of(spec))
    if spec != "embedded":
        from xvr.vla.environments.robocasa import RoboCasaEnvironment

        return RoboCasaEnvironment(spec, task)
    if task in KITCHEN_TASKS:
        from xvr.vla.environments.kitchen import KitchenEnvironment

        return KitchenEnvironment(task)
    from xvr.vla.environments.reach import ReachEnvironment

    return ReachEnvironment()

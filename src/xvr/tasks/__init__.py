"""The eight tasks: (scene or episodes, slot, rng, rules) -> Draft or Refusal.

A task works on cameras, points and frames; it never opens a file and never draws.
"""

from xvr.errors import unknown_name
from xvr.tasks import (
    cross_scenario_localization,
    directional_correspondence,
    directional_view_localization,
    language_conditioned_localization,
    point_correspondence,
    spatial_verification,
    temporal_verification,
    viewpoint_localization,
)
from xvr.tasks.task import Task

__all__ = ["TASKS", "TASK_NAMES", "Task", "get_task", "task_name"]

TASKS: tuple[Task, ...] = (
    point_correspondence.TASK,
    directional_correspondence.TASK,
    spatial_verification.TASK,
    temporal_verification.TASK,
    viewpoint_localization.TASK,
    directional_view_localization.TASK,
    cross_scenario_localization.TASK,
    language_conditioned_localization.TASK,
)
"""All tasks, in the order of the published table."""

TASK_NAMES: tuple[str, ...] = tuple(task.name for task in TASKS)

_BY_NAME = {task.name: task for task in TASKS}
assert len(_BY_NAME) == len(TASKS), "task names must be unique"
_NAME_OF_ID = {task.released_id: task.name for task in TASKS}


def get_task(name: str) -> Task:
    """The task with a name.

    Raises:
        UserError: the name is unknown; the message offers the closest one.
    """
    if name not in _BY_NAME:
        raise unknown_name("task", name, _BY_NAME)
    return _BY_NAME[name]


def task_name(written: str) -> str:
    """Our name of a task that may be written as a released id; what is neither stays as it is."""
    return _NAME_OF_ID.get(written, written)

"""The tasks, published and extended: (scene or episodes, slot, rng, rules) -> Draft or Refusal.

A task works on cameras, points and frames; it never opens a file and never draws.
"""

from xvr.errors import unknown_name
from xvr.tasks import (
    cross_scenario_localization,
    depth_order,
    directional_correspondence,
    directional_view_localization,
    language_conditioned_localization,
    point_correspondence,
    relative_pose,
    spatial_verification,
    temporal_order,
    temporal_sync,
    temporal_verification,
    view_overlap,
    viewpoint_localization,
)
from xvr.tasks.task import Task

__all__ = [
    "ALL_TASKS",
    "ALL_TASK_NAMES",
    "EXTENDED_TASKS",
    "TASKS",
    "TASK_NAMES",
    "Task",
    "get_task",
    "task_name",
]

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
"""The published tasks, in the order of the published table."""

EXTENDED_TASKS: tuple[Task, ...] = (
    relative_pose.TASK,
    view_overlap.TASK,
    depth_order.TASK,
    temporal_order.TASK,
    temporal_sync.TASK,
)
"""Tasks beyond the published ones; made only when asked for."""

ALL_TASKS: tuple[Task, ...] = (*TASKS, *EXTENDED_TASKS)

TASK_NAMES: tuple[str, ...] = tuple(task.name for task in TASKS)
ALL_TASK_NAMES: tuple[str, ...] = tuple(task.name for task in ALL_TASKS)

_BY_NAME = {task.name: task for task in ALL_TASKS}
assert len(_BY_NAME) == len(ALL_TASKS), "task names must be unique"
_NAME_OF_ID = {task.released_id: task.name for task in ALL_TASKS}


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

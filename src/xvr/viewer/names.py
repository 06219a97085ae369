"""Tasks by name: ours, or the ids of the published release."""

from collections.abc import Iterable

from xvr.tasks import ALL_TASK_NAMES, get_task, task_name


def title(task: str) -> str:
    """The name of a task in words."""
    return task_name(task).replace("_", " ").capitalize()


def question(task: str) -> str:
    """What a task asks, in one line; empty for a task that is not ours."""
    name = task_name(task)
    return get_task(name).question if name in ALL_TASK_NAMES else ""


def ordered(tasks: Iterable[str]) -> list[str]:
    """Tasks in the order of the table of tasks, unknown ones last."""
    known = {name: position for position, name in enumerate(ALL_TASK_NAMES)}
    return sorted(tasks, key=lambda task: (known.get(task_name(task), len(known)), task))

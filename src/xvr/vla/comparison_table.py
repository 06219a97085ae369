"""A comparison of rollouts as a table, with what must be said with it.

Where the environment is RoboCasa, what others published for the same tasks stands below, as theirs.
"""

from xvr.evaluation.published import published
from xvr.evaluation.tables import NONE, Row, Table, interval, percent, points, probability
from xvr.vla.compare import RolloutComparison, TaskDifference

PUBLISHED = "robocasa"
"""Name of the published numbers in `xvr.evaluation.published`."""

_FEW_SEEDS = 3


def comparison_table(comparison: RolloutComparison) -> Table:
    """By task, and the mean over tasks where there are several."""
    heads = ("", "n", "A %", "Wilson 95 %", "B %", "Wilson 95 %", "B - A", "over episodes 95 %")
    rows = [_row(task, one) for task, one in comparison.tasks.items()]
    if len(comparison.tasks) > 1:
        over = comparison.mean_over_episodes
        spread = NONE if over is None else " to ".join(map(points, over))
        blank = ("",) * 4
        rows.append(
            Row(
                cells=(
                    "mean of tasks",
                    *blank,
                    "",
                    points(comparison.mean),
                    spread,
                    *blank,
                    "",
                    "",
                ),
                kind="total",
            )
        )
    theirs, notes = _published(comparison)
    return Table(
        title=f"A {comparison.first} against B {comparison.second}, {comparison.environment}",
        heads=(*heads, "over training 95 %", "only A", "only B", "p", "p (Holm)", "detectable"),
        rows=(*rows, *theirs),
        notes=(*_notes(comparison), *notes),
    )


def _row(task: str, one: TaskDifference) -> Row:
    seeds = one.over_training
    cells = (
        task,
        str(one.first.episodes),
        percent(one.first.share),
        interval(one.first.interval),
        percent(one.second.share),
        interval(one.second.interval),
        points(one.difference),
        NONE if one.over_episodes is None else " to ".join(map(points, one.over_episodes)),
        NONE if seeds is None else " to ".join(map(points, seeds)),
        str(one.only_first),
        str(one.only_second),
        probability(one.p),
        probability(one.p_holm),
        NONE if one.detectable is None else percent(one.detectable),
    )
    return Row(cells=cells)


def _notes(comparison: RolloutComparison) -> list[str]:
    seeds = comparison.training_seeds
    if seeds == 1:
        return [
            "one training seed each: intervals and p tell whether these two policies differ, not "
            "whether training again would give the same"
        ]
    told = "; ".join(
        f"{task}: {', '.join(map(points, one.by_training_seed))}"
        for task, one in comparison.tasks.items()
    )
    notes = [f"B - A for each of {seeds} training seeds: {told}"]
    notes.append(
        "Wilson and p take all episodes as independent and are given these policies; the interval "
        f"over training draws the {seeds} training seeds and is too short for so few"
    )
    if seeds < _FEW_SEEDS:
        notes.append(f"{seeds} training seeds are few; {_FEW_SEEDS} or more are usual")
    return notes


def _published(comparison: RolloutComparison) -> tuple[list[Row], list[str]]:
    if not comparison.environment.startswith(PUBLISHED):
        return [], []
    rows, notes = [], []
    width = 14
    for found in published(PUBLISHED):
        for task in comparison.tasks:
            if task in found.percent:
                cells = (f"published: {task}, {found.name}", "", f"{found.percent[task]:.1f}")
                rows.append(Row(cells=cells + ("",) * (width - len(cells)), kind="theirs"))
        notes.append(f"published {found.name}: {found.source}; {found.note}")
    return rows, notes if rows else []

"""Point correspondence: references mark one 3D point; which dot in the target image is it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with five coloured dots -> "yellow"

All five dots lie on points that the target and every reference see and that look alike in the
references, so neither the target alone nor matching colours tells (see `xvr.tasks.decoys`).
"""

import numba
import numpy as np
from jaxtyping import Int

from xvr.geometry.spacing import closest_pair
from xvr.tasks import wordings
from xvr.tasks.choices import Choices
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import find_decoys
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.looks import looks_of
from xvr.tasks.nearness import nearness
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.splitmix import state_of
from xvr.tasks.task import Task, cells
from xvr.tasks.views import Marked, SharedPoints, angle_checks, view_angles

OPTIONS = 5
CUES = 6
"""What may tell the right dot in the target: three colours, oddness, centrality, height."""
WHY_HARD = "spread", "near_depth", "similar_color"
"""At least one wrong option must be more than spread."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the rank of the answer by its fit."""
    fit = slot.variant
    choices = pool.keep(("choices", slot.images), lambda: Choices(OPTIONS, rng))
    wanted = choices.wants(fit, slot.index)
    refusal = choices.look_further(pool, slot.images, _find_choices, rules) if wanted else None
    if not choices.known(fit):
        reason = Refusal(reason="no_distractors_of_the_color_rank", final=not wanted)
        return refusal or reason
    chosen = choices.take(fit, rng)
    point, *wrong = chosen.points.tolist()
    marked = Marked(point, chosen.shared.views)
    target, *references = marked.views.tolist()
    hardness = _hardness(pool, target, chosen.points, rules)
    colors = [c for c in rng.permutation(len(COLORS)).tolist() if c != slot.answer]
    dots = {slot.answer: (marked.point, "answer")} | dict(
        zip(colors, zip(wrong, hardness, strict=True), strict=True)
    )
    views = [*references, target]
    angles_deg = view_angles(pool, marked.views, marked.point)
    return Draft(
        slot=slot,
        images=tuple(
            view_ref(pool, view, "target" if view == target else "reference") for view in views
        ),
        blocks=_blocks(len(references), rng),
        marks=_marks(pool, views, marked.point, dots, rng),
        options=tuple(
            Option(value=COLORS[c], correct=c == slot.answer, why=dots[c][1]) for c in sorted(dots)
        ),
        answer=COLORS[slot.answer],
        key=(
            triple(pool.points_world[marked.point]),
            pool.names([target]),
            pool.names(references),
        ),
        world={"point_m": triple(pool.points_world[marked.point])},
        checks=angle_checks(angles_deg) | _checks(pool, marked, chosen.points),
        difficulty={
            "nearest_reference_deg": float(angles_deg[0, 1:].min()),
            "color_rank": float(fit),
        }
        | nearness(pool, marked.views[:1], marked.views[1:]),
    )


def _find_choices(
    pool: PointPool, shared: SharedPoints, rules: Rules
) -> tuple[Int[np.ndarray, "m o"], Int[np.ndarray, "m r"]]:
    """Points that could be options, the right one first, and the ranks of the right one.

    They are how many wrong ones fit better, and what else may tell it in the target: how many have
    less of each colour, are less odd in colour, nearer to the middle, and higher.
    """
    state = state_of(pool.seed, len(shared.views), shared.number, OPTIONS)
    options = find_decoys(looks_of(pool, shared, 0, rules), OPTIONS - 1, state)
    target = int(shared.views[0])
    lab, _ = pool.colors(target, shared.points)
    points = np.empty((options.shape[0] * options.shape[1], OPTIONS), np.int64)
    ranks = np.empty((len(points), 1 + CUES), np.int64)
    hard = rules.hard_depth_share, rules.hard_color_distance
    seen = lab, pool.depth_m[target], pool.uv_px[target], pool.sizes_px[target]
    count = _describe(options, shared.points, seen, hard, points, ranks)
    return points[:count], ranks[:count]


@numba.njit(cache=True)
def _describe(options, shared, seen, hard, points, ranks):  # pragma: no cover - compiled
    """Fill in the points of options, where one at least is hard, and their ranks; their number."""
    lab, depth_m, uv_px, size_px = seen
    cues, levels = np.empty((OPTIONS, CUES)), np.empty(OPTIONS - 1, np.int64)
    count = 0
    for fit in range(options.shape[0]):
        for found in options[fit]:
            if found[0] < 0:
                break
            for n in range(OPTIONS):
                points[count, n] = shared[found[n]]
            _grade(lab, depth_m, points[count], hard, levels)
            if levels.max() == 0:
                continue
            cues[:, 3:] = 0.0
            for axis in range(3):
                for n in range(OPTIONS):
                    cues[n, axis] = lab[points[count, n], axis]
                middle = np.sort(cues[:, axis])[OPTIONS // 2]  # the median
                for n in range(OPTIONS):
                    cues[n, 3] += (cues[n, axis] - middle) ** 2
            for n in range(OPTIONS):
                for axis in range(2):
                    cues[n, 4] += (uv_px[points[count, n], axis] / size_px[axis] - 0.5) ** 2
                cues[n, 5] = uv_px[points[count, n], 1]
            ranks[count, 0] = fit
            for cue in range(CUES):
                ranks[count, 1 + cue] = (cues[:, cue] < cues[0, cue]).sum()
            count += 1
    return count


@numba.njit(cache=True)
def _grade(lab, depth_m, points, hard, levels):  # pragma: no cover - compiled
    """Why each wrong option is hard to tell from the right one, as places in `WHY_HARD`."""
    right, (depth_share, color_distance) = points[0], hard
    for n in range(1, len(points)):
        unlike = 0.0
        for axis in range(3):
            unlike += (lab[points[n], axis] - lab[right, axis]) ** 2
        near = abs(depth_m[points[n]] - depth_m[right]) <= depth_share * depth_m[right]
        levels[n - 1] = 2 if unlike <= color_distance * color_distance else int(near)


def _hardness(
    pool: PointPool, target: int, points: Int[np.ndarray, " o"], rules: Rules
) -> list[str]:
    """Why each wrong option is hard."""
    lab, _ = pool.colors(target, points)
    levels = np.empty(len(points) - 1, np.int64)
    hard = rules.hard_depth_share, rules.hard_color_distance
    _grade(lab, pool.depth_m[target], points, hard, levels)
    return [WHY_HARD[level] for level in levels.tolist()]


def _marks(
    pool: PointPool,
    views: list[int],
    point: int,
    options: dict[int, tuple[int, str]],
    rng: np.random.Generator,
) -> tuple[Mark, ...]:
    target = len(views)
    shown_m = triple(pool.points_world[point])
    palette = rng.integers(len(COLORS), size=target - 1).tolist()
    references = [
        Mark(
            image=number,
            kind="dot",
            color=COLORS[color],
            label="Target",
            uv_px=pair(pool.uv_px[view, point]),
            point_m=shown_m,
        )
        for number, (view, color) in enumerate(zip(views, palette, strict=False), start=1)
    ]
    targets = [
        Mark(
            image=target,
            kind="dot",
            color=COLORS[color],
            label=COLORS[color],
            uv_px=pair(pool.uv_px[views[-1], options[color][0]]),
            point_m=triple(pool.points_world[options[color][0]]),
        )
        for color in sorted(options)
    ]
    return (*references, *targets)


def _blocks(references: int, rng: np.random.Generator) -> tuple[str | int, ...]:
    target = references + 1
    question = pick(wordings.POINT, rng).format(
        references=references, target=target, colors=", ".join(COLORS)
    )
    labels = [f"Image {n} (Reference):" for n in range(1, target)] + [f"Image {target} (Target):"]
    return prompt(pick(wordings.GENERAL_OPENINGS, rng), labels, question)


def _checks(pool: PointPool, marked: Marked, points: Int[np.ndarray, " o"]) -> dict[str, float]:
    target = int(marked.views[0])
    closest_px = closest_pair(pool.uv_px[target].take(points, axis=0))
    closest_m = closest_pair(pool.points_world.take(points, axis=0))
    return {
        "max_depth_error_m": float(pool.error_m[marked.views[:, None], points].max()),
        "min_option_px_share": closest_px / pool.camera(target).diagonal_px,
        "min_option_scene_share": closest_m / pool.extent_m,
        "scene_extent_m": pool.extent_m,
    }


TASK = Task(
    name="point_correspondence",
    released_id="task9",
    id_prefix="multi_reference_point_matching",
    domain="general",
    question="References mark one 3D point; which coloured dot in the target image is it?",
    cells=cells((3, 4, 5), lambda _: OPTIONS),
    variants=OPTIONS,
    draft=draft,
    eval_count=264,
)

"""Depth order: three images mark one point each; which point is nearest to a fourth camera?

    Image 1 (Viewer), Images 2, 3, 4 with one dot each -> "4"

All four images see all three points, so any image could mark any of them, and the points can be
found in Image 1. Which image marks which point is chosen last: in its own image, the dot of the
right point is the lowest to highest, and its distance the smallest to largest, equally often.
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import choose_views

POINTS = 3
DRAWS = 40
"""Sets of points that one try looks at."""
ORDERS = np.array(list(permutations(range(POINTS))))


class Chosen(NamedTuple):
    """What is shown: the point of image 2, 3, 4, in order, and how far they are."""

    viewer: int
    views: Int[np.ndarray, "3"]
    points: Int[np.ndarray, "3"]
    distance_m: Float[np.ndarray, "3"]
    """From the viewer's camera."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives two ranks of the right dot in its own image."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    order = rng.permutation(slot.images)
    viewer, views = int(shared.views[order[0]]), shared.views[order[1:]]
    away = pool.points_world[shared.points][:, None] - pool.centers_world[[viewer, *views]]
    distance_m = np.linalg.norm(away, axis=2)  # (n, 4)
    height = pool.place[views][:, shared.points, 1].T  # (n, 3), from the top
    apart = False
    for _ in range(DRAWS):
        trio = rng.choice(len(shared.points), size=POINTS, replace=False)
        if not _apart(pool, shared.points[trio], distance_m[trio, 0], rules):
            continue
        apart = True
        right = int(distance_m[trio, 0].argmin())
        shown = _arrange(height[trio], distance_m[trio, 1:], right, slot, rng)
        if shown is not None:
            trio = trio[shown]
            chosen = Chosen(viewer, views, shared.points[trio], distance_m[trio, 0])
            return _compose(pool, slot, chosen, rng)
    return Refusal(reason="no_dots_of_the_ranks" if apart else "no_point_clearly_nearest")


def _apart(
    pool: PointPool,
    points: Int[np.ndarray, "3"],
    distance_m: Float[np.ndarray, "3"],
    rules: Rules,
) -> bool:
    """Whether one point is clearly nearest, and all are different places."""
    nearest, second = np.sort(distance_m)[:2]
    if second < rules.min_distance_ratio * nearest:
        return False
    world = pool.points_world[points]
    gaps_m = np.linalg.norm(world - np.roll(world, 1, axis=0), axis=1)
    return bool(gaps_m.min() >= rules.min_option_scene_share * pool.extent_m)


def _arrange(
    height: Float[np.ndarray, "3 3"],
    own_m: Float[np.ndarray, "3 3"],
    right: int,
    slot: Slot,
    rng: np.random.Generator,
) -> Int[np.ndarray, "3"] | None:
    """Which point each image marks, so that the right one is in its place and has its ranks.

    `height` and `own_m` have a row per point and a column per image.
    """
    image = np.arange(POINTS)
    for order in ORDERS[rng.permutation(len(ORDERS))]:
        if order[slot.answer] != right:
            continue
        heights, lengths = height[order, image], own_m[order, image]
        low = int((heights > heights[slot.answer]).sum())
        near = int((lengths < lengths[slot.answer]).sum())
        if (low, near) == divmod(slot.variant, POINTS):
            return order
    return None


def _compose(pool: PointPool, slot: Slot, chosen: Chosen, rng: np.random.Generator) -> Draft:
    viewer, views, points, distance_m = chosen
    numbers = [str(2 + n) for n in range(POINTS)]
    question = pick(extended_wordings.DEPTH_ORDER, rng).format(candidates=", ".join(numbers))
    labels = ["Image 1 (Viewer):", *(f"Image {n}:" for n in numbers)]
    world = pool.points_world[points]
    nearest, second = np.sort(distance_m)[:2]
    gaps_m = np.linalg.norm(world - np.roll(world, 1, axis=0), axis=1)
    every = [viewer, *views]
    return Draft(
        slot=slot,
        images=(
            view_ref(pool, viewer, "reference"),
            *(view_ref(pool, int(view), "candidate") for view in views),
        ),
        blocks=prompt(pick(wordings.GENERAL_OPENINGS, rng), labels, question),
        marks=tuple(
            Mark(
                image=2 + n,
                kind="dot",
                color=COLORS[int(rng.integers(len(COLORS)))],
                label="Point",
                uv_px=pair(pool.uv_px[view, point]),
                point_m=triple(pool.points_world[point]),
            )
            for n, (view, point) in enumerate(zip(views, points, strict=True))
        ),
        options=tuple(
            Option(
                value=n, correct=k == slot.answer, why="answer" if k == slot.answer else "farther"
            )
            for k, n in enumerate(numbers)
        ),
        answer=numbers[slot.answer],
        key=(triple(world[slot.answer]), pool.views[viewer].name, pool.names(views)),
        world={
            "distances_m": {n: round(float(m), 6) for n, m in zip(numbers, distance_m, strict=True)}
        },
        checks={
            "min_distance_ratio": float(second / nearest),
            "min_option_scene_share": float(gaps_m.min() / pool.extent_m),
            "max_depth_error_m": float(pool.error_m[every][:, points].max()),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "distance_ratio": float(second / nearest),
            "height_rank": float(slot.variant // POINTS),
            "distance_rank": float(slot.variant % POINTS),
        },
    )


TASK = Task(
    name="depth_order",
    released_id="depth_order",
    id_prefix="depth_order",
    domain="general",
    question="Three images mark a point each: which is nearest to the camera of Image 1?",
    cells=cells((1 + POINTS,), lambda _: POINTS),
    variants=POINTS**2,
    draft=draft,
    eval_count=200,
)

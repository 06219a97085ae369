"""Depth order: three images mark one point each; which point is nearest to a fourth camera?

    Image 1 (Viewer), Images 2, 3, 4 with one dot each -> "4"

Points and the images that mark them are chosen together with three viewers, one for which each of
the points is the nearest; only then it is drawn who views. So dots and images alone tell
nothing. The viewer sees all three points: they can be found in Image 1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import unit
from xvr.tasks import extended_wordings, wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

POINTS = 3
SETS_PER_POOL = 300
"""Sets of points that are found in a pool, at most."""
SETS_PER_ROUND, ROUNDS = 4000, 20
"""Random sets that are looked at for that."""
DRAWS = 40
"""Sets of points, with views that see them, that one try looks at."""


class Chosen(NamedTuple):
    """What is shown: the point of image 2, 3, 4, in order, and how far they are."""

    viewer: int
    views: Int[np.ndarray, "3"]
    points: Int[np.ndarray, "3"]
    distance_m: Float[np.ndarray, "3"]
    """From the viewer's camera."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the slot has no variants."""
    sets = pool.keep("depth sets", lambda: _find_sets(pool, rules))
    for _ in range(DRAWS if len(sets) else 0):
        points = rng.permutation(sets[int(rng.integers(len(sets)))])
        nearest, distance_m = _nearest(pool, points[None], rules)
        of_point = [np.flatnonzero(nearest[:, 0] == number) for number in range(POINTS)]
        viewers = np.array([rng.choice(found) for found in of_point])
        views = _draw_views(pool, points, viewers, rng, rules)
        if len(views) == POINTS:
            viewer = int(viewers[slot.answer])
            return _compose(pool, slot, Chosen(viewer, views, points, distance_m[viewer, 0]), rng)
    return Refusal(reason="no_viewer_for_every_point")


def _find_sets(pool: PointPool, rules: Rules) -> Int[np.ndarray, "n 3"]:
    """Points each of which is the nearest to some view that sees them all."""
    rng = np.random.default_rng([pool.seed, POINTS])
    found: list[Int[np.ndarray, "_ 3"]] = []
    for _ in range(ROUNDS):
        sets = rng.integers(len(pool.points_world), size=(SETS_PER_ROUND, POINTS))
        apart = _scene_shares(pool, sets).min(axis=1) >= rules.min_option_scene_share
        nearest, _ = _nearest(pool, sets[apart], rules)
        each = [(nearest == number).any(axis=0) for number in range(POINTS)]
        found.append(sets[apart][np.all(each, axis=0)])
        if sum(map(len, found)) >= SETS_PER_POOL:
            break
    return np.concatenate(found)[:SETS_PER_POOL]


def _scene_shares(pool: PointPool, sets: Int[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Distances of the points of a set from each other, of the scene's extent."""
    world = pool.points_world[sets]
    return np.linalg.norm(world - np.roll(world, 1, axis=-2), axis=-1) / pool.extent_m


def _nearest(
    pool: PointPool, sets: Int[np.ndarray, "n 3"], rules: Rules
) -> tuple[Int[np.ndarray, "v n"], Float[np.ndarray, "v n 3"]]:
    """Which point is clearly nearest to each view, -1 where none is or not all are seen."""
    away = pool.centers_world[:, None, None] - pool.points_world[sets]
    distance_m = np.linalg.norm(away, axis=3)  # (v, n, 3)
    ordered = np.sort(distance_m, axis=2)
    clear = ordered[..., 1] >= rules.min_distance_ratio * ordered[..., 0]
    clear &= pool.visible[:, sets].all(axis=2)
    return np.where(clear, distance_m.argmin(axis=2), -1), distance_m


def _draw_views(
    pool: PointPool,
    points: Int[np.ndarray, "3"],
    viewers: Int[np.ndarray, "3"],
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " k"]:
    """Three random views, or fewer, that see all points at allowed angles to all viewers."""
    seeing = rng.permutation(np.flatnonzero(pool.visible[:, points].all(axis=1)))
    allowed = _at_allowed_angles(pool, points, np.concatenate([seeing, viewers]), rules)
    left = allowed[: len(seeing), len(seeing) :].all(axis=1)
    views: list[int] = []
    while left.any() and len(views) < POINTS:
        views.append(int(left.argmax()))
        left &= allowed[views[-1], : len(seeing)]
    return seeing[views]


def _at_allowed_angles(
    pool: PointPool, points: Int[np.ndarray, "3"], views: Int[np.ndarray, " k"], rules: Rules
) -> Bool[np.ndarray, "k k"]:
    """Whether two views differ as the rules want, seen from every point."""
    arms = unit(pool.centers_world[views] - pool.points_world[points][:, None])  # (3, k, 3)
    cosines = arms @ arms.transpose(0, 2, 1)  # (3, k, k)
    low, high = np.cos(np.radians([rules.min_view_angle_deg, rules.max_view_angle_deg]))
    return ((cosines <= low) & (cosines >= high)).all(axis=0)


def _compose(pool: PointPool, slot: Slot, chosen: Chosen, rng: np.random.Generator) -> Draft:
    viewer, views, points, distance_m = chosen
    numbers = [str(2 + n) for n in range(POINTS)]
    question = pick(extended_wordings.DEPTH_ORDER, rng).format(candidates=", ".join(numbers))
    labels = ["Image 1 (Viewer):", *(f"Image {n}:" for n in numbers)]
    world = pool.points_world[points]
    nearest, second = np.sort(distance_m)[:2]
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
            "min_option_scene_share": float(_scene_shares(pool, points).min()),
            "max_depth_error_m": float(pool.error_m[every][:, points].max()),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "distance_ratio": float(second / nearest),
        },
    )


TASK = Task(
    name="depth_order",
    released_id="depth_order",
    id_prefix="depth_order",
    domain="general",
    question="Three images mark a point each: which is nearest to the camera of Image 1?",
    cells=cells((1 + POINTS,), lambda _: POINTS),
    variants=1,
    draft=draft,
    eval_count=200,
)

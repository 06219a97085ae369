"""Spatial verification: every image marks one 3D point, one image marks another: which?

    Image 1 ... Image 5, one dot each -> "2"

The right and the wrong point are drawn alike from those that every image sees and that change about
as much between images, so no image alone tells. By the colour around it and by its place in the
image, the odd image's dot is the first to last most unlike the others equally often.
"""

import numpy as np
from jaxtyping import Float, Int

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import balanced_ranks, comparable
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.point_correspondence import apart
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_views, view_angles

IMAGES = (4, 5)
CUES = 2
POINTS_TRIED, OTHERS_TRIED = 12, 200
CHANGE = 0.3
"""Largest |log| ratio of how much the two points change between images."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the ranks of the odd image by colour and place."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    views, odd = shared.views[rng.permutation(slot.images)], slot.answer
    ranks = balanced_ranks(slot.variant, slot.images, CUES)
    chosen = _choose_points(pool, views, odd, shared.points, ranks, rng, rules)
    if chosen is None:
        return Refusal(reason="no_points_of_the_ranks")
    point, other = chosen
    angles_deg = view_angles(pool, views, point)
    points = np.full(slot.images, point)
    points[odd] = other
    question = pick(wordings.SPATIAL, rng).format(count=slot.images)
    odd_camera = pool.cameras[int(views[odd])]
    odd_px = pool.uv_px[views[odd], [point, other]]
    odd_m = pool.points_world[[point, other]]
    return Draft(
        slot=slot,
        images=tuple(view_ref(pool, int(view), "candidate") for view in views),
        blocks=prompt(
            pick(wordings.GENERAL_OPENINGS, rng),
            [f"Image {n}:" for n in range(1, slot.images + 1)],
            question,
        ),
        marks=tuple(
            Mark(
                image=number,
                kind="dot",
                color=COLORS[int(rng.integers(len(COLORS)))],
                label="Point",
                uv_px=pair(pool.uv_px[view, shown]),
                point_m=triple(pool.points_world[shown]),
            )
            for number, (view, shown) in enumerate(zip(views, points, strict=True), start=1)
        ),
        options=tuple(
            Option(value=str(n + 1), correct=n == odd, why="answer" if n == odd else "agrees")
            for n in range(slot.images)
        ),
        answer=str(odd + 1),
        key=(triple(pool.points_world[point]), pool.names([views[odd]]), pool.names(views)),
        world={
            "point_m": triple(pool.points_world[point]),
            "odd_point_m": triple(pool.points_world[other]),
        },
        checks=angle_checks(angles_deg)
        | {
            "max_depth_error_m": float(pool.error_m[views, points].max()),
            "odd_px_share": float(np.linalg.norm(odd_px[1] - odd_px[0]) / odd_camera.diagonal_px),
            "odd_scene_share": float(np.linalg.norm(odd_m[1] - odd_m[0]) / pool.extent_m),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "nearest_view_deg": float(
                np.where(np.eye(slot.images, dtype=bool), np.inf, angles_deg).min()
            ),
            "color_rank": float(ranks[0]),
            "place_rank": float(ranks[1]),
        },
    )


def _choose_points(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    odd: int,
    shared: Int[np.ndarray, " n"],
    ranks: tuple[int, ...],
    rng: np.random.Generator,
    rules: Rules,
) -> tuple[int, int] | None:
    """A point and another one whose dot in the odd image has the ranks by colour and place.

    Cheap conditions come first: each leaves one pair in four or five to the next.
    """
    points = rng.permutation(shared)[:POINTS_TRIED]
    others = rng.permutation(shared)[:OTHERS_TRIED]
    color, place = ranks
    good = apart(pool, int(views[odd]), points, others, rules)
    for cue, floor in ((pool.place, 0.02), (pool.lab, 1.0)):
        spread, other_spread = (_spread(cue[views][:, p]) + floor for p in (points, others))
        good &= comparable(spread[:, None], other_spread, CHANGE)
    good &= _place_ranks(pool.place[views][:, points], pool.place[views[odd], others], odd) == place
    first, second = np.nonzero(good)
    for cue in (pool.lab, pool.rgb):
        kept = _color_ranks(cue[views][:, points[first]], cue[views[odd], others[second]], odd)
        first, second = first[kept == color], second[kept == color]
    if len(first) == 0:
        return None
    found = rng.integers(len(first))
    return int(points[first[found]]), int(others[second[found]])


def _spread(cues: Float[np.ndarray, "k n d"]) -> Float[np.ndarray, " n"]:
    """How much points' cues differ between images: mean distance to the mean."""
    return np.linalg.norm(cues - cues.mean(axis=0), axis=2).mean(axis=0)


def _place_ranks(
    places: Float[np.ndarray, "k m 2"], odd_places: Float[np.ndarray, "n 2"], odd: int
) -> Int[np.ndarray, "m n"]:
    """Per pair, how many dots of the point are farther from all other dots than the odd one."""
    rest = np.delete(places, odd, axis=0)
    to_odd = np.linalg.norm(rest[:, :, None] - odd_places, axis=3)  # (k - 1, m, n)
    to_rest = np.linalg.norm(rest[:, None] - rest, axis=3).sum(axis=1)  # (k - 1, m)
    return (to_rest[:, :, None] + to_odd > to_odd.sum(axis=0)).sum(axis=0)


def _color_ranks(
    colors: Float[np.ndarray, "k p 3"], odd_colors: Float[np.ndarray, "p 3"], odd: int
) -> Int[np.ndarray, " p"]:
    """Per pair, how many images' patches are more unlike the rest than the odd one's.

    Unlike in three measures that must agree, or the rank is -1: the sum and the median of the
    distances to all images, and the distance to the median of all.
    """
    values = colors.copy()
    values[odd] = odd_colors
    away = np.linalg.norm(values[:, None] - values, axis=3)  # (k, k, p)
    off_median = np.linalg.norm(values - np.median(values, axis=0), axis=2)
    measures = (away.sum(axis=1), np.median(away, axis=1), off_median)  # (k, p) each
    ranks = np.stack([(unlike > unlike[odd]).sum(axis=0) for unlike in measures])
    return np.where((ranks == ranks[0]).all(axis=0), ranks[0], -1)


TASK = Task(
    name="spatial_verification",
    released_id="task6",
    id_prefix="correspondence_verification",
    domain="general",
    question="Every image marks the same 3D point, but one marks another: which image?",
    cells=cells(IMAGES, lambda images: images),
    variants=20**CUES,
    draft=draft,
    eval_count=264,
)

"""Spatial verification: every image marks one 3D point, one image marks another: which?

    Image 1 ... Image 5, one dot each -> "2"

The right and the wrong point are drawn alike from those that every image sees, so no image alone
tells. By the colour around it and by its place in the image, the odd image's dot is the first to
last most unlike the others equally often, and so is its distance from the image's centre.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import balanced_ranks
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.point_correspondence import apart
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_views, view_angles

IMAGES = (4, 5)
CUES = 3


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the ranks of the odd image by colour and place."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    if len(shared.points) == 0:
        return Refusal(reason="too_few_shared_points")
    views, odd = shared.views[rng.permutation(slot.images)], slot.answer
    point = int(rng.choice(shared.points))
    others = shared.points[apart(pool, int(views[odd]), point, shared.points, rules)]
    color, place, central = balanced_ranks(slot.variant, slot.images, CUES)
    for cue, rank in ((pool.lab, color), (pool.rgb, color), (pool.place, place)):
        others = others[_has_outlier_rank(cue, views, odd, point, others, rank)]
    others = others[_central_rank(pool, views, odd, point, others) == central]
    if len(others) == 0:
        return Refusal(reason="no_other_point_of_the_ranks")
    other = int(rng.choice(others))
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
            "color_rank": float(color),
            "place_rank": float(place),
        },
    )


def _has_outlier_rank(
    cue: Float[np.ndarray, "v n d"],
    views: Int[np.ndarray, " k"],
    odd: int,
    point: int,
    others: Int[np.ndarray, " m"],
    rank: int,
) -> Bool[np.ndarray, " m"]:
    """For which other points `rank` images would be more unlike the rest than the odd one.

    Unlike in three measures that must agree: the sum and the median of the distances to the other
    images, and the distance to the median.
    """
    values = np.repeat(cue[views, point][:, None], len(others), axis=1)  # (k, m, d)
    values[odd] = cue[views[odd], others]
    distances = np.linalg.norm(values[:, None] - values[None], axis=3)  # (k, k, m)
    off_median = np.linalg.norm(values - np.median(values, axis=0), axis=2)
    measures = (distances.sum(axis=1), np.median(distances, axis=1), off_median)  # (k, m) each
    return np.all([(m > m[odd]).sum(axis=0) == rank for m in measures], axis=0)


def _central_rank(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    odd: int,
    point: int,
    others: Int[np.ndarray, " m"],
) -> Int[np.ndarray, " m"]:
    """Per other point, how many images show their dot nearer to the image's centre than the odd."""
    off_center = np.linalg.norm(pool.place[views] - 0.5, axis=2)  # (k, n)
    rest = np.delete(off_center[:, point], odd)
    return (rest[:, None] < off_center[odd, others]).sum(axis=0)


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

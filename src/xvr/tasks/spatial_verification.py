"""Spatial verification: every image marks one 3D point, one image marks another: which?

    Image 1 ... Image 5, one dot each -> "2"

The right and the wrong point are both visible in every image, so no image alone tells; the odd
image's patch is the first to last most unlike the others in colour equally often.
"""

import numpy as np
from jaxtyping import Float, Int

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.point_correspondence import apart
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_marked_point

IMAGES = (4, 5)


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the colour rank of the odd image."""
    marked = choose_marked_point(pool, slot.images, rng, rules)
    if isinstance(marked, Refusal):
        return marked
    order = rng.permutation(slot.images)
    views, odd = marked.views[order], slot.answer
    shared = np.flatnonzero(pool.visible[views].all(axis=0))
    shared = shared[apart(pool, int(views[odd]), marked.point, shared, rules)]
    if len(shared) == 0:
        return Refusal(reason="no_other_point")
    rank = _outlier_ranks(pool, views, odd, marked.point, shared)
    group = shared[rank == slot.variant % slot.images]
    if len(group) == 0:
        return Refusal(reason="no_other_point_of_the_color_rank")
    other = int(group[rng.integers(len(group))])
    points = np.full(slot.images, marked.point)
    points[odd] = other
    question = pick(wordings.SPATIAL, rng).format(count=slot.images)
    odd_camera = pool.cameras[int(views[odd])]
    odd_px = pool.uv_px[views[odd], [marked.point, other]]
    odd_m = pool.points_world[[marked.point, other]]
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
                uv_px=pair(pool.uv_px[view, point]),
                point_m=triple(pool.points_world[point]),
            )
            for number, (view, point) in enumerate(zip(views, points, strict=True), start=1)
        ),
        options=tuple(
            Option(value=str(n + 1), correct=n == odd, why="answer" if n == odd else "agrees")
            for n in range(slot.images)
        ),
        answer=str(odd + 1),
        key=(triple(pool.points_world[marked.point]), pool.names([views[odd]]), pool.names(views)),
        world={
            "point_m": triple(pool.points_world[marked.point]),
            "odd_point_m": triple(pool.points_world[other]),
        },
        checks=angle_checks(marked.angles_deg)
        | {
            "max_depth_error_m": float(pool.error_m[views, points].max()),
            "odd_px_share": float(np.linalg.norm(odd_px[1] - odd_px[0]) / odd_camera.diagonal_px),
            "odd_scene_share": float(np.linalg.norm(odd_m[1] - odd_m[0]) / pool.extent_m),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "nearest_view_deg": float(
                np.where(np.eye(slot.images, dtype=bool), np.inf, marked.angles_deg).min()
            ),
            "color_rank": float(slot.variant % slot.images),
        },
    )


def _outlier_ranks(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    odd: int,
    point: int,
    others: Int[np.ndarray, " n"],
) -> Int[np.ndarray, " n"]:
    """Per other point, how many images' patches are more unlike the rest than the odd one's."""
    lab: Float[np.ndarray, "k n 3"] = np.repeat(
        pool.lab[views, point][:, None], len(others), axis=1
    )
    lab[odd] = pool.lab[views[odd], others]
    unlike = np.linalg.norm(lab[:, None] - lab[None], axis=3).sum(axis=1)  # (k, n)
    return (unlike > unlike[odd]).sum(axis=0)


TASK = Task(
    name="spatial_verification",
    released_id="task6",
    id_prefix="correspondence_verification",
    domain="general",
    question="Every image marks the same 3D point, but one marks another: which image?",
    cells=cells(IMAGES, lambda images: images),
    variants=20,
    draft=draft,
    eval_count=264,
)

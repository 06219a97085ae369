"""Spatial verification: every image marks one 3D point, one image marks another: which?

    Image 1 ... Image 5, one dot each -> "2"

The right and the wrong point are drawn alike, from those that every image sees and that look alike,
so no image alone tells. By its colour the odd image is the first to last most unlike the others
equally often (see `xvr.tasks.odd_pairs`).
"""

import numpy as np

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.looks import looks_of
from xvr.tasks.odd_pairs import draw_pair
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_views, view_angles

IMAGES = (4, 5)
RANKS = 20
"""Variants in which every rank of 4 and of 5 images comes up equally often."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the odd dot's rank by colour."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    order, odd = rng.permutation(slot.images), slot.answer
    views = shared.views[order]
    rank = slot.variant % slot.images
    place = int(order[odd])
    looks = pool.keep(
        ("looks", slot.images, shared.number, place), lambda: looks_of(pool, shared, place, rules)
    )
    chosen = draw_pair(looks, rank, rng)
    if chosen is None:
        return Refusal(reason="no_points_of_the_color_rank")
    point, other = shared.points[list(chosen)].tolist()
    angles_deg = view_angles(pool, views, point)
    points = np.full(slot.images, point)
    points[odd] = other
    question = pick(wordings.SPATIAL, rng).format(count=slot.images)
    odd_camera = pool.camera(int(views[odd]))
    odd_px = pool.uv_px[views[odd], [point, other]]
    odd_px_share = float(np.linalg.norm(odd_px[1] - odd_px[0]) / odd_camera.diagonal_px)
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
            "odd_px_share": odd_px_share,
            "odd_scene_share": float(np.linalg.norm(odd_m[1] - odd_m[0]) / pool.extent_m),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "nearest_view_deg": float(
                np.where(np.eye(slot.images, dtype=bool), np.inf, angles_deg).min()
            ),
            "color_rank": float(rank),
            "odd_px_share": odd_px_share,
        },
    )


TASK = Task(
    name="spatial_verification",
    released_id="task6",
    id_prefix="correspondence_verification",
    domain="general",
    question="Every image marks the same 3D point, but one marks another: which image?",
    cells=cells(IMAGES, lambda images: images),
    variants=RANKS,
    draft=draft,
    eval_count=264,
)

"""Spatial verification: every image marks one 3D point, one image marks another: which?

    Image 1 ... Image 5, one dot each -> "2"

The right and the wrong point are drawn alike, from those that every image sees and that look alike,
so no image alone tells. By its colour the odd image is the first to last most unlike the others
equally often (see `xvr.tasks.odd_pairs`).
"""

import numpy as np
from jaxtyping import Bool, Int

from xvr.geometry.epipolar import epipolar_gap_px
from xvr.tasks import wordings
from xvr.tasks.choices import Choices
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.looks import looks_of
from xvr.tasks.nearness import nearness
from xvr.tasks.odd_pairs import find_pairs
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.splitmix import state_of
from xvr.tasks.task import Task, cells
from xvr.tasks.views import SharedPoints, angle_checks, view_angles

IMAGES = (4, 5)
RANKS = 20
"""Variants in which every rank of 4 and of 5 images comes up equally often."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the odd dot's rank by colour."""
    rank, odd = slot.variant % slot.images, slot.answer
    choices = pool.keep(("pairs", slot.images), lambda: Choices(slot.images, rng))
    wanted = choices.wants(rank, slot.index)
    refusal = choices.look_further(pool, slot.images, _find_choices, rules) if wanted else None
    if not choices.known(rank):
        reason = Refusal(reason="no_points_of_the_color_rank", final=not wanted)
        return refusal or reason
    chosen = choices.take(rank, rng)
    point, other = chosen.points.tolist()
    views = np.insert(rng.permutation(chosen.shared.views[1:]), odd, chosen.shared.views[0])
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
        }
        | nearness(pool, *views[np.stack(np.triu_indices(slot.images, 1))]),
    )


def _find_choices(
    pool: PointPool, shared: SharedPoints, rules: Rules
) -> tuple[Int[np.ndarray, "m 2"], Int[np.ndarray, "m r"]]:
    """Points for all images and others for the first one, the odd one, with its ranks.

    They are how many images are more unlike the rest by colour, how many have less of each colour,
    and how many have their dot nearer to the middle, nearer to the middle row, and higher.
    """
    state = state_of(pool.seed, len(shared.views), shared.number)
    pairs = find_pairs(looks_of(pool, shared, 0, rules), state)
    colors, places = np.nonzero(pairs[..., 0] >= 0)
    points = shared.points[pairs[colors, places]]  # (m, 2)
    clear = _is_clearly_odd(pool, shared, points, rules)
    colors, points = colors[clear], points[clear]
    odd, *others = shared.views.tolist()
    shown = [(odd, points[:, 1]), *((view, points[:, 0]) for view in others)]
    place = np.stack([pool.place(view, dots) for view, dots in shown]) - 0.5  # (k, m, 2)
    lab = np.stack(
        [pool.colors(view, dots)[0].take(dots, axis=0) for view, dots in shown]
    )  # (k, m, 3)
    away, height = (place**2).sum(axis=2), place[..., 1]
    measures = np.stack([*np.moveaxis(lab, 2, 0), away, np.abs(height), height])  # (6, k, m)
    ranks = (measures < measures[:, :1]).sum(axis=1)  # (6, m)
    return points, np.column_stack([colors, *ranks])


def _is_clearly_odd(
    pool: PointPool, shared: SharedPoints, points: Int[np.ndarray, "m 2"], rules: Rules
) -> Bool[np.ndarray, " m"]:
    """Whether no point explains the odd dot and the dots of all other images but one.

    Else that one could be the odd image. So at least two of the others must contradict the odd dot.
    """
    odd, *others = shared.views.tolist()
    gaps_px = [
        epipolar_gap_px(
            pool.camera(odd),
            pool.uv_px[odd, points[:, 1]],
            pool.camera(other),
            pool.uv_px[other, points[:, 0]],
        )
        for other in others
    ]
    needed_px = rules.min_odd_px_share * pool.camera(odd).diagonal_px
    return (np.array(gaps_px) >= needed_px).sum(axis=0) >= 2


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

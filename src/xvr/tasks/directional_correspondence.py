"""Directional correspondence: references draw one 3D direction; which target arrow shows it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with four coloured arrows -> "green"

All arrows start at one anchor that every image sees and have one length in 3D; the target's four
directions are drawn alike, from those that every image can show and that point alike in the
references on average: neither the target alone nor matching angles tells.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.angles import (
    circular_mean_deg,
    plane_angles,
    unit,
    upper_pairs,
    wrapped_difference_deg,
)
from xvr.geometry.camera import project
from xvr.geometry.visibility import inside
from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.nearness import nearness
from xvr.tasks.pool import PointPool, margin_px
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import Marked, angle_checks, choose_views, view_angles

OPTIONS = 4
DIRECTIONS_TRIED = 600
CHOICES_TRIED = 24
ALIKE_DEG, ALIKE_LENGTH = 25.0, 0.35
"""Largest difference of options' mean angles in the references, and of their |log| mean lengths."""


class Arrows(NamedTuple):
    """Candidate arrows from one anchor in the chosen views."""

    directions: Float[np.ndarray, "n 3"]
    ends_world: Float[np.ndarray, "n 3"]
    ends_px: Float[np.ndarray, "k n 2"]
    angles_deg: Float[np.ndarray, "k n"]
    """Angle of each arrow in each image, from +u towards +v."""
    length_share: Float[np.ndarray, "k n"]
    """Length in each image, of its diagonal."""


class Style(NamedTuple):
    """How a mark looks."""

    color: str
    label: str


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the slot has no variants."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    marked = Marked(int(rng.choice(shared.points)), shared.views)
    arrows = _drawable_arrows(pool, marked, rng, rules)
    if len(arrows.directions) < OPTIONS:
        return Refusal(reason="too_few_drawable_arrows")
    planes_deg = _widest_plane_angle(pool, marked, arrows)
    determined = np.flatnonzero(planes_deg >= rules.min_plane_angle_deg)
    if len(determined) >= OPTIONS:
        chosen = _choose_arrows(arrows, determined, rng, rules)
        if chosen is not None:
            return _compose(pool, slot, marked, arrows, chosen, float(planes_deg[chosen[0]]), rng)
    return Refusal(reason="no_distractors")


def _drawable_arrows(
    pool: PointPool, marked: Marked, rng: np.random.Generator, rules: Rules
) -> Arrows:
    """Random directions whose arrows are long enough and inside every chosen image."""
    directions = unit(rng.normal(size=(DIRECTIONS_TRIED, 3)))
    anchor = pool.points_world[marked.point]
    ends_world = anchor + rules.arrow_scene_share * pool.extent_m * directions
    drawable = np.ones(len(directions), bool)
    ends_px = np.empty((len(marked.views), len(directions), 2))
    offsets, shares = np.empty_like(ends_px), np.empty(ends_px.shape[:2])
    for n, view in enumerate(marked.views.tolist()):
        camera = pool.camera(view)
        ends_px[n], _ = project(camera, ends_world)
        offsets[n] = ends_px[n] - pool.uv_px[view, marked.point]
        shares[n] = np.sqrt((offsets[n] ** 2).sum(axis=1)) / camera.diagonal_px
        drawable &= inside(ends_px[n], camera.width, camera.height, margin_px(camera, rules))
        drawable &= shares[n] >= rules.min_arrow_px_share
    kept = np.flatnonzero(drawable)
    offsets = offsets.take(kept, axis=1)
    return Arrows(
        directions[kept],
        ends_world[kept],
        ends_px.take(kept, axis=1),
        np.degrees(np.arctan2(offsets[..., 1], offsets[..., 0])),
        shares.take(kept, axis=1),
    )


def _widest_plane_angle(pool: PointPool, marked: Marked, arrows: Arrows) -> Float[np.ndarray, " n"]:
    """Per arrow, the widest angle between two references' planes through arrow and camera."""
    rays = pool.points_world[marked.point] - pool.centers_world[marked.views[1:]]  # (k - 1, 3)
    normals = unit(np.cross(rays[:, None], arrows.directions))  # (k - 1, n, 3)
    return plane_angles(normals.transpose(1, 0, 2)).max(axis=(1, 2))


def _choose_arrows(
    arrows: Arrows, candidates: Int[np.ndarray, " n"], rng: np.random.Generator, rules: Rules
) -> Int[np.ndarray, "4"] | None:
    """Arrows apart in the target that look alike in the references; the first is the right one."""
    angles = arrows.angles_deg[0, candidates]
    mean_angles = circular_mean_deg(arrows.angles_deg[1:, candidates].T)
    mean_lengths = np.log(arrows.length_share[1:, candidates]).mean(axis=0)
    for _ in range(CHOICES_TRIED):
        chosen = [int(rng.integers(len(candidates)))]
        free = (wrapped_difference_deg(mean_angles, mean_angles[chosen[0]]) <= ALIKE_DEG) & (
            np.abs(mean_lengths - mean_lengths[chosen[0]]) <= ALIKE_LENGTH
        )
        while len(chosen) < OPTIONS:
            free &= wrapped_difference_deg(angles, angles[chosen[-1]]) >= rules.min_arrow_gap_deg
            left = np.flatnonzero(free)
            if not len(left):
                break
            chosen.append(int(rng.choice(left)))
        if len(chosen) == OPTIONS:
            return candidates[rng.permutation(chosen)]
    return None


def _compose(
    pool: PointPool,
    slot: Slot,
    marked: Marked,
    arrows: Arrows,
    chosen: Int[np.ndarray, " k"],
    planes_deg: float,
    rng: np.random.Generator,
) -> Draft:
    answer = int(chosen[0])
    free = rng.permutation([c for c in range(len(COLORS)) if c != slot.answer])
    arrow_of = dict(zip([slot.answer, *free.tolist()], chosen.tolist(), strict=False))
    target, references = int(marked.views[0]), marked.views[1:]
    palette = rng.integers(len(COLORS), size=len(references))
    marks = [
        _mark(pool, marked, arrows, position, answer, Style(COLORS[color], "Target"))
        for position, color in enumerate(palette, start=1)
    ]
    marks += [
        _mark(pool, marked, arrows, 0, arrow, Style(COLORS[color], COLORS[color]))
        for color, arrow in sorted(arrow_of.items())
    ]
    names = [COLORS[c] for c in sorted(arrow_of)]
    question = pick(wordings.DIRECTION, rng).format(
        references=len(references), target=slot.images, colors=", ".join(names)
    )
    labels = [f"Image {n} (Reference):" for n in range(1, slot.images)]
    view_angles_deg = view_angles(pool, marked.views, marked.point)
    angles = arrows.angles_deg[0, chosen]
    gaps = wrapped_difference_deg(angles[:, None], angles[None])[upper_pairs(OPTIONS)]
    deviation = wrapped_difference_deg(angles[:1], circular_mean_deg(arrows.angles_deg[1:, answer]))
    return Draft(
        slot=slot,
        images=(
            *(view_ref(pool, int(view), "reference") for view in references),
            view_ref(pool, target, "target"),
        ),
        blocks=prompt(
            pick(wordings.GENERAL_OPENINGS, rng),
            [*labels, f"Image {slot.images} (Target):"],
            question,
        ),
        marks=tuple(marks),
        options=tuple(
            Option(
                value=COLORS[c],
                correct=c == slot.answer,
                why="answer" if c == slot.answer else "direction",
            )
            for c in sorted(arrow_of)
        ),
        answer=COLORS[slot.answer],
        key=(triple(pool.points_world[marked.point]), pool.names([target]), pool.names(references)),
        world={
            "point_m": triple(pool.points_world[marked.point]),
            "direction": triple(arrows.directions[answer]),
        },
        checks=angle_checks(view_angles_deg)
        | {
            "max_depth_error_m": float(pool.error_m[marked.views, marked.point].max()),
            "max_plane_angle_deg": planes_deg,
            "min_arrow_gap_deg": float(gaps.min()),
            "min_arrow_px_share": float(
                min(arrows.length_share[:, answer].min(), arrows.length_share[0, chosen].min())
            ),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "nearest_reference_deg": float(view_angles_deg[0, 1:].min()),
            "image_angle_change_deg": float(deviation[0]),
        }
        | nearness(pool, marked.views[:1], marked.views[1:]),
    )


def _mark(
    pool: PointPool, marked: Marked, arrows: Arrows, position: int, arrow: int, style: Style
) -> Mark:
    """The mark of one arrow in the chosen view at a position; position 0 is the target."""
    return Mark(
        image=position or len(marked.views),
        kind="arrow",
        color=style.color,
        label=style.label,
        uv_px=pair(pool.uv_px[marked.views[position], marked.point]),
        uv_end_px=pair(arrows.ends_px[position, arrow]),
        point_m=triple(pool.points_world[marked.point]),
        end_point_m=triple(arrows.ends_world[arrow]),
    )


TASK = Task(
    name="directional_correspondence",
    released_id="task10",
    id_prefix="multi_reference_direction_matching",
    domain="general",
    question="References draw one 3D direction; which coloured arrow in the target shows it?",
    cells=cells((3, 4, 5), lambda _: len(COLORS)),
    variants=1,
    draft=draft,
    eval_count=264,
)

"""Directional correspondence: references draw one 3D direction; which target arrow shows it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with four coloured arrows -> "green"

All arrows start at one anchor that every image sees and have one length in 3D; the target's four
directions are drawn alike from those that every image can show and that turn about as much between
references and target. The answer turns by any angle equally often, so that its angle in the image
says nothing, and by its length it is the first to fourth nearest to the references equally often.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.angles import circular_mean_deg, plane_angles, unit, wrapped_difference_deg
from xvr.geometry.camera import project
from xvr.geometry.visibility import inside
from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import choose_decoys, fits_better
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool, margin_px
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_views, view_angles

OPTIONS = 4
DIRECTIONS_TRIED = 400
ANSWERS_TRIED = 12
TURN_BINS = 8
PER_SECTOR = 4
COMPARABLE_TURN_DEG = 20.0


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


class Marked(NamedTuple):
    """The anchor and the views that show it; the first view is the target."""

    point: int
    views: Int[np.ndarray, " k"]


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the turn and the length rank of the answer."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    marked = Marked(int(rng.choice(shared.points)), shared.views)
    arrows = _drawable_arrows(pool, marked, rng, rules)
    if len(arrows.directions) < OPTIONS:
        return Refusal(reason="too_few_drawable_arrows")
    planes_deg = _widest_plane_angle(pool, marked, arrows)
    determined = np.flatnonzero(planes_deg >= rules.min_plane_angle_deg)
    turn_bin, length_rank = slot.variant % TURN_BINS, slot.variant // TURN_BINS
    turns_deg = _turns_deg(arrows)
    turned = determined[(turns_deg[determined] // (360 / TURN_BINS)) == turn_bin]
    if len(turned) == 0:
        return Refusal(reason="no_arrow_of_the_turn")
    for answer in rng.permutation(turned)[:ANSWERS_TRIED]:
        difference = np.abs(np.abs(turns_deg[determined] - 180) - abs(turns_deg[answer] - 180))
        alike = determined[difference <= COMPARABLE_TURN_DEG]
        others = _distractors(arrows, alike, int(answer), length_rank, rng, rules)
        if others is not None:
            chosen = np.array([answer, *others])
            return _compose(pool, slot, marked, arrows, chosen, float(planes_deg[answer]), rng)
    return Refusal(reason="no_arrows_of_the_length_rank")


def _drawable_arrows(
    pool: PointPool, marked: Marked, rng: np.random.Generator, rules: Rules
) -> Arrows:
    """Random directions whose arrows are long enough and inside every chosen image."""
    directions = unit(rng.normal(size=(DIRECTIONS_TRIED, 3)))
    anchor = pool.points_world[marked.point]
    ends_world = anchor + rules.arrow_scene_share * pool.extent_m * directions
    drawable = np.ones(len(directions), bool)
    ends_px, shares, angles = [], [], []
    for view in marked.views:
        camera = pool.cameras[view]
        end_px, _ = project(camera, ends_world)
        offset = end_px - pool.uv_px[view, marked.point]
        share = np.linalg.norm(offset, axis=1) / camera.diagonal_px
        drawable &= inside(end_px, camera.width, camera.height, margin_px(camera, rules))
        drawable &= share >= rules.min_arrow_px_share
        ends_px.append(end_px)
        shares.append(share)
        angles.append(np.degrees(np.arctan2(offset[:, 1], offset[:, 0])))
    return Arrows(
        directions[drawable],
        ends_world[drawable],
        np.stack(ends_px)[:, drawable],
        np.stack(angles)[:, drawable],
        np.stack(shares)[:, drawable],
    )


def _widest_plane_angle(pool: PointPool, marked: Marked, arrows: Arrows) -> Float[np.ndarray, " n"]:
    """Per arrow, the widest angle between two references' planes through arrow and camera."""
    rays = pool.points_world[marked.point] - pool.centers_world[marked.views[1:]]  # (k - 1, 3)
    normals = unit(np.cross(rays[:, None], arrows.directions))  # (k - 1, n, 3)
    return plane_angles(normals.transpose(1, 0, 2)).max(axis=(1, 2))


def _distractors(
    arrows: Arrows,
    candidates: Int[np.ndarray, " n"],
    answer: int,
    length_rank: int,
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " k"] | None:
    """Arrows at random angles of the target's image, apart, with the length rank."""
    angles = arrows.angles_deg[0]
    candidates = _thinned(angles, candidates, rng)
    candidates_gap = wrapped_difference_deg(angles[candidates], float(angles[answer]))
    candidates = candidates[candidates_gap >= rules.min_arrow_gap_deg]
    gaps = wrapped_difference_deg(angles[candidates], angles[candidates][:, None])
    misfit = _length_misfit(arrows, answer)
    fits = fits_better(misfit[:, candidates], misfit[:, answer])[None]
    chosen = choose_decoys(fits, gaps >= rules.min_arrow_gap_deg, (length_rank,), OPTIONS - 1, rng)
    return None if chosen is None else candidates[chosen]


def _thinned(
    angles: Float[np.ndarray, " n"], candidates: Int[np.ndarray, " k"], rng: np.random.Generator
) -> Int[np.ndarray, " m"]:
    """At most `PER_SECTOR` candidates in every sector of 10 degrees, so that no angle is favoured.

    Directions in space crowd at some image angles, those along the view's foreshortened axis.
    """
    shuffled = rng.permutation(candidates)
    sectors = (angles[shuffled] // 10).astype(np.int64)
    order = np.argsort(sectors, kind="stable")
    place_in_sector = np.arange(len(order)) - np.searchsorted(sectors[order], sectors[order])
    return shuffled[order[place_in_sector < PER_SECTOR]]


def _turns_deg(arrows: Arrows) -> Float[np.ndarray, " n"]:
    """How far each arrow is turned in the target from its mean angle in the references, 0..360."""
    means = circular_mean_deg(arrows.angles_deg[1:].T)
    return (arrows.angles_deg[0] - means) % 360.0


def _length_misfit(arrows: Arrows, answer: int) -> Float[np.ndarray, "1 n"]:
    """Ratio of every target arrow's length to the references' geometric mean, as |log|."""
    references = np.log(arrows.length_share[1:, answer]).mean()
    return np.abs(np.log(arrows.length_share[0]) - references)[None]


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
    gaps = wrapped_difference_deg(angles[:, None], angles[None])[np.triu_indices(OPTIONS, 1)]
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
            "length_rank": float(slot.variant // TURN_BINS),
        },
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
    variants=TURN_BINS * OPTIONS,
    draft=draft,
    eval_count=264,
)

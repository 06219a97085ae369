"""Point correspondence: references mark one 3D point; which dot in the target image is it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with five coloured dots -> "yellow"

All five dots are drawn alike from the points that the target and every reference see, so the target
alone tells nothing. By the colour around it and by its place in the image, the answer is the first
to fifth nearest to the references equally often: matching colours or places tells nothing either.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import balanced_ranks, choose_decoys, comparable, fits_better
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import angle_checks, choose_views, view_angles

OPTIONS = 5
CUES = 2
CANDIDATES = 150
"""Points among which distractors are looked for; more take longer and find no more."""
CHANGE = 0.5
"""Largest |log| ratio of a distractor's change between views to the answer's."""
COMPARABLE_COLOR = 1.2
"""Largest |log| ratio of a distractor's colour misfit to the answer's, each plus 1 Lab unit."""


class Marked(NamedTuple):
    """A point and the views that show it; the first view is the target."""

    point: int
    views: Int[np.ndarray, " k"]


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the ranks of the answer by colour and place."""
    shared = choose_views(pool, slot.images, rng, rules)
    if isinstance(shared, Refusal):
        return shared
    marked = Marked(int(rng.choice(shared.points)), shared.views)
    target, references = int(marked.views[0]), marked.views[1:]
    found = _distractors(pool, marked, shared.points, slot.variant, rng, rules)
    if found is None:
        return Refusal(reason="no_distractors_of_the_ranks")
    hardness = [_why_hard(pool, marked, int(point), rules) for point in found]
    if set(hardness) == {"spread"}:
        return Refusal(reason="no_hard_distractor")
    order = [c for c in rng.permutation(len(COLORS)).tolist() if c != slot.answer]
    options = {slot.answer: (marked.point, "answer")} | dict(
        zip(order, zip(found.tolist(), hardness, strict=True), strict=True)
    )
    views = [*references.tolist(), target]
    angles_deg = view_angles(pool, marked.views, marked.point)
    color_rank, place_rank = balanced_ranks(slot.variant, OPTIONS, CUES)
    return Draft(
        slot=slot,
        images=tuple(
            view_ref(pool, view, "target" if view == target else "reference") for view in views
        ),
        blocks=_blocks(len(references), rng),
        marks=_marks(pool, views, marked.point, options, rng),
        options=tuple(
            Option(value=COLORS[c], correct=c == slot.answer, why=options[c][1])
            for c in sorted(options)
        ),
        answer=COLORS[slot.answer],
        key=(
            triple(pool.points_world[marked.point]),
            pool.names([target]),
            pool.names(references),
        ),
        world={"point_m": triple(pool.points_world[marked.point])},
        checks=angle_checks(angles_deg) | _checks(pool, marked, found),
        difficulty={
            "nearest_reference_deg": float(angles_deg[0, 1:].min()),
            "color_rank": float(color_rank),
            "place_rank": float(place_rank),
        },
    )


def _distractors(
    pool: PointPool,
    marked: Marked,
    shared: Int[np.ndarray, " n"],
    variant: int,
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " k"] | None:
    """Shared points, apart in pixels and in 3D, with the ranks of the variant."""
    target = int(marked.views[0])
    candidates = shared[apart(pool, target, marked.point, shared, rules)]
    with_own = np.array([marked.point, *candidates])
    color, place = (f(pool, marked, with_own) for f in (_color_misfit, _place_misfit))
    fits = np.stack([fits_better(misfit[:, 1:], misfit[:, 0]) for misfit in (color, place)])
    near = np.abs(np.log((color[0, 1:] + 1) / (color[0, 0] + 1))) <= COMPARABLE_COLOR
    alike = near & _change_alike(pool, marked, candidates)
    eligible = np.flatnonzero((fits != 0).all(axis=0) & alike)
    eligible = rng.permutation(eligible)[:CANDIDATES]
    candidates, fits = candidates[eligible], fits[:, eligible]
    gaps = apart(pool, target, candidates, candidates, rules)
    ranks = balanced_ranks(variant, OPTIONS, CUES)
    chosen = choose_decoys(fits, gaps, ranks, OPTIONS - 1, rng)
    return None if chosen is None else candidates[chosen]


def _change_alike(
    pool: PointPool, marked: Marked, points: Int[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Which points change place and colour between references and target as the answer does."""
    target, references = marked.views[0], marked.views[1:]
    alike = np.ones(len(points), bool)
    for cue, floor, tolerance in ((pool.place, 0.02, CHANGE), (pool.lab, 1.0, CHANGE)):
        own = cue[target, marked.point] - cue[references, marked.point].mean(axis=0)
        other = cue[target, points] - cue[references][:, points].mean(axis=0)
        own_change = np.linalg.norm(own, keepdims=True) + floor
        alike &= comparable(own_change, np.linalg.norm(other, axis=1) + floor, tolerance)
    return alike


def _color_misfit(
    pool: PointPool, marked: Marked, points: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "m n"]:
    """How unlike points' patches in the target are to the references' patches, in six measures."""
    measures = []
    for colors in (pool.lab, pool.rgb):
        seen, wanted = colors[marked.views[0], points], colors[marked.views[1:], marked.point]
        each = np.linalg.norm(seen - wanted[:, None], axis=2)  # (references, n)
        to_mean = np.linalg.norm(seen - wanted.mean(axis=0), axis=1)
        measures += [to_mean, each.mean(axis=0), each.min(axis=0)]
    return np.stack(measures)


def _place_misfit(
    pool: PointPool, marked: Marked, points: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "1 n"]:
    """Distance of points in the target to the mean place of the references' dots, of the image."""
    wanted = pool.place[marked.views[1:], marked.point].mean(axis=0)
    return np.linalg.norm(pool.place[marked.views[0], points] - wanted, axis=1)[None]


def apart(
    pool: PointPool,
    view: int,
    points: int | Int[np.ndarray, " m"],
    others: Int[np.ndarray, " n"],
    rules: Rules,
) -> Bool[np.ndarray, "*m n"]:
    """Which points are far enough from others, in the pixels of a view and in 3D."""
    uv_px, world = pool.uv_px[view], pool.points_world
    pixels = uv_px[others] - uv_px[points][..., None, :]
    metres = world[others] - world[points][..., None, :]
    min_px = rules.min_option_px_share * pool.cameras[view].diagonal_px
    min_m = rules.min_option_scene_share * pool.extent_m
    return (np.einsum("...i,...i", pixels, pixels) >= min_px**2) & (
        np.einsum("...i,...i", metres, metres) >= min_m**2
    )


def _why_hard(pool: PointPool, marked: Marked, point: int, rules: Rules) -> str:
    target = marked.views[0]
    if _color_misfit(pool, marked, np.array([point]))[0, 0] <= rules.hard_color_distance:
        return "similar_color"
    depth_m, own_m = pool.depth_m[target, point], pool.depth_m[target, marked.point]
    return "near_depth" if abs(depth_m - own_m) <= rules.hard_depth_share * own_m else "spread"


def _marks(
    pool: PointPool,
    views: list[int],
    point: int,
    options: dict[int, tuple[int, str]],
    rng: np.random.Generator,
) -> tuple[Mark, ...]:
    references = [
        Mark(
            image=number,
            kind="dot",
            color=COLORS[int(rng.integers(len(COLORS)))],
            label="Target",
            uv_px=pair(pool.uv_px[view, point]),
            point_m=triple(pool.points_world[point]),
        )
        for number, view in enumerate(views[:-1], start=1)
    ]
    targets = [
        Mark(
            image=len(views),
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


def _checks(
    pool: PointPool, marked: Marked, distractors: Int[np.ndarray, " k"]
) -> dict[str, float]:
    points = np.array([marked.point, *distractors])
    uv_px, target = pool.uv_px[marked.views[0], points], pool.cameras[marked.views[0]]
    upper = np.triu_indices(len(points), 1)
    pixels = np.linalg.norm(uv_px[:, None] - uv_px, axis=2)[upper]
    world = pool.points_world[points]
    metres = np.linalg.norm(world[:, None] - world, axis=2)[upper]
    return {
        "max_depth_error_m": float(pool.error_m[marked.views][:, points].max()),
        "min_option_px_share": float(pixels.min() / target.diagonal_px),
        "min_option_scene_share": float(metres.min() / pool.extent_m),
        "scene_extent_m": pool.extent_m,
    }


TASK = Task(
    name="point_correspondence",
    released_id="task9",
    id_prefix="multi_reference_point_matching",
    domain="general",
    question="References mark one 3D point; which coloured dot in the target image is it?",
    cells=cells((3, 4, 5), lambda _: OPTIONS),
    variants=OPTIONS**CUES,
    draft=draft,
    eval_count=264,
)

"""Point correspondence: references mark one 3D point; which dot in the target image is it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with five coloured dots -> "yellow"

All five dots lie on points that the target and every reference see, so the target alone tells
nothing. The answer's patch is the first to fifth most similar in colour to the references' patch
equally often, so matching colours tells nothing either.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import MarkedPoint, angle_checks, choose_marked_point

OPTIONS = 5


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the colour rank of the answer."""
    marked = choose_marked_point(pool, slot.images, rng, rules)
    if isinstance(marked, Refusal):
        return marked
    found = _distractors(pool, marked, slot.variant, rng, rules)
    if isinstance(found, Refusal):
        return found
    target, references = int(marked.views[0]), marked.views[1:]
    hardness = [_why_hard(pool, marked, int(point), rules) for point in found]
    if "spread" in hardness and len(set(hardness)) == 1:
        return Refusal(reason="no_hard_distractor")
    order = [c for c in rng.permutation(len(COLORS)).tolist() if c != slot.answer]
    options = {slot.answer: (marked.point, "answer")} | dict(
        zip(order, zip(found.tolist(), hardness, strict=True), strict=True)
    )
    views = [*(int(v) for v in references), target]
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
        key=(triple(pool.points_world[marked.point]), pool.names([target]), pool.names(references)),
        world={"point_m": triple(pool.points_world[marked.point])},
        checks=_checks(pool, marked, found),
        difficulty={
            "nearest_reference_deg": float(marked.angles_deg[0, 1:].min()),
            "color_rank": float(slot.variant),
        },
    )


def color_distances(
    pool: PointPool, marked: MarkedPoint, points: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Lab distance of points' patches in the target to the mean patch of the references."""
    wanted = pool.lab[marked.views[1:], marked.point].mean(axis=0)
    return np.linalg.norm(pool.lab[marked.views[0], points] - wanted, axis=1)


def _distractors(
    pool: PointPool, marked: MarkedPoint, rank: int, rng: np.random.Generator, rules: Rules
) -> Int[np.ndarray, " k"] | Refusal:
    """Points that all views see, apart in pixels and in 3D, `rank` of them more alike in colour."""
    target = int(marked.views[0])
    remaining = np.flatnonzero(pool.visible[marked.views].all(axis=0))
    remaining = remaining[apart(pool, target, marked.point, remaining, rules)]
    own = color_distances(pool, marked, np.array([marked.point]))[0]
    closer = color_distances(pool, marked, remaining) < own
    chosen: list[int] = []
    for from_closer in rng.permutation([n < rank for n in range(OPTIONS - 1)]):
        group = remaining[closer == from_closer]
        if len(group) == 0:
            return Refusal(reason="no_distractors_of_the_color_rank")
        chosen.append(int(group[rng.integers(len(group))]))
        still_apart = apart(pool, target, chosen[-1], remaining, rules)
        remaining, closer = remaining[still_apart], closer[still_apart]
    return np.array(chosen)


def apart(
    pool: PointPool, view: int, point: int, others: Int[np.ndarray, " n"], rules: Rules
) -> Bool[np.ndarray, " n"]:
    """Which points are far enough from a point, in the pixels of a view and in 3D."""
    pixels = np.linalg.norm(pool.uv_px[view, others] - pool.uv_px[view, point], axis=1)
    metres = np.linalg.norm(pool.points_world[others] - pool.points_world[point], axis=1)
    min_px = rules.min_option_px_share * pool.cameras[view].diagonal_px
    return (pixels >= min_px) & (metres >= rules.min_option_scene_share * pool.extent_m)


def _why_hard(pool: PointPool, marked: MarkedPoint, point: int, rules: Rules) -> str:
    target = marked.views[0]
    if color_distances(pool, marked, np.array([point]))[0] <= rules.hard_color_distance:
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
    pool: PointPool, marked: MarkedPoint, distractors: Int[np.ndarray, " k"]
) -> dict[str, float]:
    points = np.array([marked.point, *distractors])
    uv_px, target = pool.uv_px[marked.views[0], points], pool.cameras[marked.views[0]]
    upper = np.triu_indices(len(points), 1)
    pixels = np.linalg.norm(uv_px[:, None] - uv_px, axis=2)[upper]
    world = pool.points_world[points]
    metres = np.linalg.norm(world[:, None] - world, axis=2)[upper]
    return angle_checks(marked.angles_deg) | {
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
    variants=OPTIONS,
    draft=draft,
    eval_count=264,
)

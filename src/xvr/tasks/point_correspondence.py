"""Point correspondence: references mark one 3D point; which dot in the target image is it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with five coloured dots -> "yellow"

All five dots lie on points that the target and every reference see and that look alike in the
references, so neither the target alone nor matching colours tells (see `xvr.tasks.decoys`).
"""

import numpy as np
from jaxtyping import Int

from xvr.tasks import wordings
from xvr.tasks.choices import Choices, Ranks
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import Marked, angle_checks, choose_views, view_angles

OPTIONS = 5
BRIGHTER = (
    *("23104", "42013", "13240", "12304", "42130", "10234", "41230", "24310", "12034", "20314"),
    *("41230", "31204", "01234", "32410", "34120", "23401", "03214", "32140", "03214", "21340"),
)
"""How many wrong options are brighter where 0, 1, ... 4 of them fit better.

Each number comes up equally often by itself; pairs come up as often as among options of one crowd
(measured on simulated captures, margins made even). What fits worst is mostly the brightest or the
darkest, whichever option it is: were all pairs equally common, the rare ones would tell.
"""

AIMED = (0, 1, 2, 3, 4, 4)
"""How many nearer and how many higher options are aimed at in turn; all the others more often, as
the right one is rarely the farthest from the middle or the lowest by itself."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot gives the ranks of the answer by colour."""
    ranks, nearer, higher = _ranks(slot.variant)
    choices = pool.keep(("choices", slot.images), Choices)
    if choices.wants(ranks, slot.index):
        shared = choose_views(pool, slot.images, rng, rules)
        if isinstance(shared, Refusal):
            return shared
        choices.survey(pool, shared, OPTIONS - 1, rules)
    if not choices.known(ranks):
        return Refusal(reason="no_distractors_of_the_color_rank")
    chosen = choices.take(ranks, nearer, higher, rng)
    point, *wrong = chosen.options.tolist()
    marked, found = Marked(point, chosen.shared.views), np.array(wrong)
    target, references = int(marked.views[0]), marked.views[1:]
    hardness = [_why_hard(pool, marked, int(point), rules) for point in found]
    if set(hardness) == {"spread"}:
        return Refusal(reason="no_hard_distractor")
    colors = [c for c in rng.permutation(len(COLORS)).tolist() if c != slot.answer]
    dots = {slot.answer: (marked.point, "answer")} | dict(
        zip(colors, zip(found.tolist(), hardness, strict=True), strict=True)
    )
    views = [*references.tolist(), target]
    angles_deg = view_angles(pool, marked.views, marked.point)
    return Draft(
        slot=slot,
        images=tuple(
            view_ref(pool, view, "target" if view == target else "reference") for view in views
        ),
        blocks=_blocks(len(references), rng),
        marks=_marks(pool, views, marked.point, dots, rng),
        options=tuple(
            Option(value=COLORS[c], correct=c == slot.answer, why=dots[c][1]) for c in sorted(dots)
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
            "color_rank": float(ranks.fit),
        },
    )


def _ranks(variant: int) -> tuple[Ranks, int, int]:
    """Ranks, and the numbers of nearer and of higher options that are aimed at.

    Each number of better and of brighter options comes once in five variants.
    """
    fit, turn = variant % OPTIONS, variant // OPTIONS
    ranks = Ranks(fit, int(BRIGHTER[turn % len(BRIGHTER)][fit]))
    nearer, higher = AIMED[(fit + turn) % len(AIMED)], AIMED[(fit + 2 * turn) % len(AIMED)]
    return ranks, nearer, higher


def _why_hard(pool: PointPool, marked: Marked, point: int, rules: Rules) -> str:
    target = marked.views[0]
    look = pool.lab[target]
    if np.linalg.norm(look[point] - look[marked.point]) <= rules.hard_color_distance:
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
    uv_px, target = pool.uv_px[marked.views[0], points], pool.camera(marked.views[0])
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
    variants=OPTIONS * len(BRIGHTER),
    draft=draft,
    eval_count=264,
)

"""Point correspondence: references mark one 3D point; which dot in the target image is it?

    Image 1 (Reference), Image 2 (Reference), Image 3 (Target) with five coloured dots -> "yellow"

All five dots lie on points that the target and every reference see and that look alike in the
references, so neither the target alone nor matching colours tells (see `xvr.tasks.decoys`).
"""

import numpy as np
from jaxtyping import Int

from xvr.tasks import wordings
from xvr.tasks.choices import Choices
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.decoys import find_decoys
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.looks import looks_of
from xvr.tasks.nearness import nearness
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells
from xvr.tasks.views import Marked, SharedPoints, angle_checks, choose_views, view_angles

OPTIONS = 5
WHY_HARD = "spread", "near_depth", "similar_color"
"""At least one wrong option must be more than spread."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the rank of the answer by its fit."""
    fit = slot.variant
    choices = pool.keep(("choices", slot.images), lambda: Choices(OPTIONS))
    if choices.wants(fit, slot.index):
        shared = choose_views(pool, slot.images, rng, rules)
        if isinstance(shared, Refusal):
            return shared
        if choices.is_new(shared):
            choices.add(shared, *_find_choices(pool, shared, rules))
    if not choices.known(fit):
        return Refusal(reason="no_distractors_of_the_color_rank")
    chosen = choices.take(fit, rng)
    point, *wrong = chosen.points.tolist()
    marked, found = Marked(point, chosen.shared.views), np.array(wrong)
    target, references = int(marked.views[0]), marked.views[1:]
    hardness = [WHY_HARD[level] for level in _hardness(pool, target, chosen.points[None], rules)[0]]
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
            "color_rank": float(fit),
        }
        | nearness(pool, marked.views[:1], marked.views[1:]),
    )


def _find_choices(
    pool: PointPool, shared: SharedPoints, rules: Rules
) -> tuple[Int[np.ndarray, "m o"], Int[np.ndarray, "m r"]]:
    """Points that could be options, the right one first, and the ranks of the right one.

    They are how many wrong ones fit better, and what else may tell it in the target: how many have
    less of each colour, are less odd in colour, nearer to the middle, and higher.
    """
    rng = np.random.default_rng([pool.seed, len(shared.views), shared.number])
    options = find_decoys(looks_of(pool, shared, 0, rules), OPTIONS - 1, rng)
    fits, places = np.nonzero(options[..., 0] >= 0)
    points = shared.points[options[fits, places]]  # (m, o)
    hard = _hardness(pool, int(shared.views[0]), points, rules).any(axis=1)
    fits, points = fits[hard], points[hard]
    lab = pool.lab[shared.views[0], points]  # (m, o, 3)
    place = pool.place[shared.views[0], points] - 0.5  # (m, o, 2)
    oddness = np.linalg.norm(lab - np.median(lab, axis=1, keepdims=True), axis=2)
    measures = [*np.moveaxis(lab, 2, 0), oddness, np.linalg.norm(place, axis=2), place[..., 1]]
    ranks = [(measure < measure[:, :1]).sum(axis=1) for measure in measures]
    return points, np.column_stack([fits, *ranks])


def _hardness(
    pool: PointPool, target: int, points: Int[np.ndarray, "m o"], rules: Rules
) -> Int[np.ndarray, "m w"]:
    """Why each wrong option is hard to tell from the right one, as places in `WHY_HARD`."""
    unlike = np.linalg.norm(
        pool.lab[target, points[:, 1:]] - pool.lab[target, points[:, :1]], axis=2
    )
    own_m = pool.depth_m[target, points[:, :1]]
    near = np.abs(pool.depth_m[target, points[:, 1:]] - own_m) <= rules.hard_depth_share * own_m
    return np.where(unlike <= rules.hard_color_distance, 2, near.astype(int))


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
    variants=OPTIONS,
    draft=draft,
    eval_count=264,
)

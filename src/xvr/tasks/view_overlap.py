"""View overlap: which of three candidate images shares the most surface with the reference?

    Image 1 (Reference), Images 2, 3, 4 (Candidate) -> "3"

What two views share is counted in points of the pool that both see. Three candidates are drawn
together with three references, one for which each of them is the right one; then it is drawn which
of these questions is asked. So the candidates alone tell nothing, and by the likeness of whole
images the right one is the first, second or third equally often.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import angles_seen_from
from xvr.tasks import extended_wordings
from xvr.tasks.compose import pick, prompt, view_ref
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

CANDIDATES = 3
DRAWS = 64
"""Sets of candidates that one try looks at."""


class Overlaps(NamedTuple):
    """What reference i has to do with candidate j."""

    share: Float[np.ndarray, "v v"]
    """Share of the points that view i sees that view j sees too."""
    apart: Bool[np.ndarray, "v v"]
    """Whether the two views differ by an angle, from the scene's centre, that the rules allow."""
    separate: Bool[np.ndarray, "v v"]
    """Whether the two can be candidates of one question."""
    angle_deg: Float[np.ndarray, "v v"]


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the likeness rank of the right candidate."""
    if any(view.depth is None for view in pool.views):
        return Refusal(reason="overlap_needs_depth")
    overlaps = _overlaps(pool, rules)
    tried = _draw_candidates(len(pool.views), rng)
    references = _references(pool, overlaps, tried, slot.variant, rules)  # (t, c, v)
    usable = np.flatnonzero(references.any(axis=2).all(axis=1))
    if not len(usable):
        return Refusal(reason="no_reference_for_every_candidate")
    chosen, asked = usable[0], int(rng.integers(CANDIDATES))
    reference = int(rng.choice(np.flatnonzero(references[chosen, asked])))
    candidates = tried[chosen]
    return _compose(pool, slot, overlaps, reference, int(candidates[asked]), candidates, rng)


@lru_cache(maxsize=1)
def _overlaps(pool: PointPool, rules: Rules) -> Overlaps:
    seen = pool.visible.astype(np.float32)
    share = (seen @ seen.T) / np.maximum(seen.sum(axis=1), 1)[:, None]
    angle_deg = angles_seen_from(pool.center_world, pool.centers_world)
    apart = (angle_deg >= rules.min_view_angle_deg) & (angle_deg <= rules.max_view_angle_deg)
    return Overlaps(share, apart, angle_deg >= rules.min_candidate_angle_deg, angle_deg)


def _draw_candidates(views: int, rng: np.random.Generator) -> Int[np.ndarray, "t c"]:
    """Sets of different views, in random order."""
    return rng.random((DRAWS, views)).argsort(axis=1)[:, :CANDIDATES]


def _references(
    pool: PointPool,
    overlaps: Overlaps,
    candidates: Int[np.ndarray, "t c"],
    rank: int,
    rules: Rules,
) -> Bool[np.ndarray, "t c v"]:
    """For each candidate, the views for which it is clearly the right one and has the rank."""
    share = overlaps.share[:, candidates]  # (v, t, c)
    ordered = np.sort(share, axis=2)
    clear = ordered[:, :, -1] - ordered[:, :, -2] >= rules.min_overlap_gap_share
    clear &= overlaps.apart[:, candidates].all(axis=2)
    first, second = np.triu_indices(CANDIDATES, 1)
    clear &= overlaps.separate[candidates[:, first], candidates[:, second]].all(axis=1)
    best = share.argmax(axis=2)  # (v, t)
    likeness = pool.similarity[:, candidates]
    of_best = np.take_along_axis(likeness, best[:, :, None], axis=2)
    clear &= (likeness > of_best).sum(axis=2) == rank
    return np.stack([(clear & (best == c)).T for c in range(CANDIDATES)], axis=1)


def _compose(
    pool: PointPool,
    slot: Slot,
    overlaps: Overlaps,
    reference: int,
    right: int,
    candidates: Int[np.ndarray, " c"],
    rng: np.random.Generator,
) -> Draft:
    shown = [c for c in rng.permutation(candidates).tolist() if c != right]
    shown.insert(slot.answer, right)
    share = overlaps.share[reference, shown]
    numbers = [str(2 + n) for n in range(CANDIDATES)]
    question = pick(extended_wordings.VIEW_OVERLAP, rng).format(candidates=", ".join(numbers))
    labels = ["Image 1 (Reference):", *(f"Image {n} (Candidate):" for n in numbers)]
    return Draft(
        slot=slot,
        images=(
            view_ref(pool, reference, "reference"),
            *(view_ref(pool, view, "candidate") for view in shown),
        ),
        blocks=prompt(pick(extended_wordings.PLAIN_OPENINGS, rng), labels, question),
        options=tuple(
            Option(value=n, correct=k == slot.answer, why="answer" if k == slot.answer else "less")
            for k, n in enumerate(numbers)
        ),
        answer=numbers[slot.answer],
        key=(pool.views[reference].name, pool.names(shown)),
        world={
            "overlap_shares": {n: round(float(s), 4) for n, s in zip(numbers, share, strict=True)}
        },
        checks={
            "overlap_share": float(share[slot.answer]),
            "min_overlap_gap_share": float(
                share[slot.answer] - np.delete(share, slot.answer).max()
            ),
            "min_view_angle_deg": float(overlaps.angle_deg[reference, shown].min()),
            "max_view_angle_deg": float(overlaps.angle_deg[reference, shown].max()),
        },
        difficulty={
            "overlap_share": float(share[slot.answer]),
            "similarity_rank": float(slot.variant),
        },
    )


TASK = Task(
    name="view_overlap",
    released_id="view_overlap",
    id_prefix="view_overlap",
    domain="general",
    question="Which of three candidate images shares the most surface with the reference?",
    cells=cells((4,), lambda _: CANDIDATES),
    variants=CANDIDATES,
    draft=draft,
    eval_count=200,
)

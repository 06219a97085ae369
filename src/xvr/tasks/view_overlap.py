"""View overlap: which of two candidate images shares the most surface with the reference?

    Image 1 (Reference), Images 2, 3 (Candidate) -> "3"

What a candidate shares is counted twice, in points of the pool and in pixels of the reference, and
the right one is clearly first both times. Candidates are drawn together with two references, one
for which each of them is right; then one reference is taken. So the candidates alone tell nothing.
By every measure of `xvr.tasks.likeness` the right one is ahead as often as it is not, whatever the
other measures say, and by none do the candidates differ much.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import angles_seen_from
from xvr.geometry.camera import project, unproject
from xvr.geometry.visibility import Tolerance, lookup_depth
from xvr.tasks import extended_wordings
from xvr.tasks.compose import pick, prompt, view_ref
from xvr.tasks.draft import Draft, Option, Refusal, Slot
from xvr.tasks.likeness import allowed_gaps, view_likeness
from xvr.tasks.pool import PointPool, ViewPixels
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

CANDIDATES = 2
MEASURES = 3
"""Of `xvr.tasks.likeness`."""
ANY_SLOPE = Tolerance(np.inf, 0.0)
"""Depth is read on slopes too: leaving them out would favour what is seen from the front."""
GRID_COLUMNS = 32
"""Pixels in a row of the grid that stands for an image."""
DRAWS = 200
"""Sets of candidates that one try looks at, each with every view as the reference."""


class Overlaps(NamedTuple):
    """What reference i has to do with candidate j."""

    share: Float[np.ndarray, "2 v v"]
    """Share of what view i sees that view j sees too: of its points, and of its pixels."""
    apart: Bool[np.ndarray, "v v"]
    """Whether the two views differ by an angle, from the scene's centre, that the rules allow."""
    separate: Bool[np.ndarray, "v v"]
    """Whether the two can be candidates of one question."""
    angle_deg: Float[np.ndarray, "v v"]
    likeness: Float[np.ndarray, "m v v"]
    """In standard deviations."""


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot says in which measures the answer is behind."""
    if any(view.depth is None for view in pool.views):
        return Refusal(reason="overlap_needs_depth")
    overlaps = pool.keep("overlaps", lambda: _overlaps(pool, rules))
    tried = _draw_candidates(len(pool.views), rng)
    best = overlaps.share[0][:, tried].argmax(axis=2)  # (v, t)
    fitting = _clear(overlaps, tried, best, rules)
    fitting &= _alike(overlaps, tried, best, slot.variant, rules)
    of_candidate = [fitting & (best == number) for number in range(CANDIDATES)]
    usable = np.flatnonzero(np.all([found.any(axis=0) for found in of_candidate], axis=0))
    if not len(usable):
        return Refusal(reason="no_candidates_that_look_so")
    number, right = int(rng.choice(usable)), int(rng.integers(CANDIDATES))
    reference = int(rng.choice(np.flatnonzero(of_candidate[right][:, number])))
    shown = tried[number].tolist()
    shown.insert(slot.answer, shown.pop(right))
    return _compose(pool, slot, overlaps, reference, shown, rng)


def _overlaps(pool: PointPool, rules: Rules) -> Overlaps:
    seen = pool.visible.astype(np.float32)
    of_points = seen @ seen.T / np.maximum(seen.sum(axis=1), 1)[:, None]
    share = np.stack([of_points, _pixel_shares(pool, rules)])
    angle_deg = angles_seen_from(pool.center_world, pool.centers_world)
    apart = (angle_deg >= rules.min_view_angle_deg) & (angle_deg <= rules.max_view_angle_deg)
    likeness = view_likeness(pool)
    spread = likeness[:, apart].std(axis=1) if apart.any() else np.ones(len(likeness))
    return Overlaps(
        share,
        apart,
        angle_deg >= rules.min_candidate_angle_deg,
        angle_deg,
        likeness / np.maximum(spread, 1e-9)[:, None, None],
    )


def _pixel_shares(pool: PointPool, rules: Rules) -> Float[np.ndarray, "v v"]:
    """Share of a grid of view i's pixels whose surface view j shows too."""
    surfaces = [_surface(view) for view in pool.views]
    ends = np.cumsum([len(surface) for surface in surfaces])[:-1]
    points = np.concatenate(surfaces)
    columns = []
    for view in pool.views:
        assert view.depth is not None, view.name
        uv_px, z_m = project(view.camera, points)
        found_m = lookup_depth(view.depth, uv_px, ANY_SLOPE)
        allowed_m = np.maximum(rules.depth_tolerance_m, rules.depth_tolerance_share * z_m)
        shown = (z_m > 0) & (np.abs(found_m - z_m) <= allowed_m)  # NaN is unknown, so not shown
        columns.append([part.mean() if len(part) else 0.0 for part in np.split(shown, ends)])
    return np.array(columns).T


def _surface(view: ViewPixels) -> Float[np.ndarray, "n 3"]:
    """World points behind a grid of a view's pixels, where there is depth."""
    assert view.depth is not None, view.name
    camera = view.camera
    step = camera.width / GRID_COLUMNS
    u, v = np.meshgrid(
        np.arange(step / 2, camera.width, step), np.arange(step / 2, camera.height, step)
    )
    uv_px = np.column_stack([u.ravel(), v.ravel()])
    depth_m = lookup_depth(view.depth, uv_px, ANY_SLOPE)
    known = np.isfinite(depth_m)
    return unproject(camera, uv_px[known], depth_m[known])


def _draw_candidates(views: int, rng: np.random.Generator) -> Int[np.ndarray, "t c"]:
    """Sets of different views, in random order."""
    return rng.random((DRAWS, views)).argsort(axis=1)[:, :CANDIDATES]


def _clear(
    overlaps: Overlaps,
    tried: Int[np.ndarray, "t c"],
    best: Int[np.ndarray, "v t"],
    rules: Rules,
) -> Bool[np.ndarray, "v t"]:
    """Whether a reference and candidates are at allowed angles and the best is best by far."""
    clear = overlaps.apart[:, tried].all(axis=2)
    first, second = np.triu_indices(CANDIDATES, 1)
    clear &= overlaps.separate[tried[:, first], tried[:, second]].all(axis=1)
    for share in overlaps.share[:, :, tried]:  # (v, t, c)
        ordered = np.sort(share, axis=2)
        clear &= ordered[:, :, -1] - ordered[:, :, -2] >= rules.min_overlap_gap_share
        clear &= share.argmax(axis=2) == best
    return clear


def _alike(
    overlaps: Overlaps,
    tried: Int[np.ndarray, "t c"],
    best: Int[np.ndarray, "v t"],
    variant: int,
    rules: Rules,
) -> Bool[np.ndarray, "v t"]:
    """Whether candidates are about equally like the reference and the best is behind as wanted."""
    likeness = overlaps.likeness[:, :, tried]  # (m, v, t, c)
    of_best = np.take_along_axis(likeness, best[None, :, :, None], axis=3)
    behind = (likeness > of_best).any(axis=3)  # (m, v, t)
    wanted = np.array([variant >> measure & 1 for measure in range(MEASURES)], dtype=bool)
    ranked = (behind == wanted[:, None, None]).all(axis=0)
    spread = np.ptp(likeness, axis=3)  # (m, v, t)
    gaps = allowed_gaps(rules.max_overlap_likeness_sd)
    return ranked & (spread <= gaps[:, None, None]).all(axis=0)


def _compose(
    pool: PointPool,
    slot: Slot,
    overlaps: Overlaps,
    reference: int,
    shown: list[int],
    rng: np.random.Generator,
) -> Draft:
    points, pixels = overlaps.share[:, reference, shown]
    numbers = [str(2 + n) for n in range(CANDIDATES)]
    question = pick(extended_wordings.VIEW_OVERLAP, rng).format(candidates=" and ".join(numbers))
    labels = ["Image 1 (Reference):", *(f"Image {n} (Candidate):" for n in numbers)]
    gaps = [s[slot.answer] - np.delete(s, slot.answer).max() for s in (points, pixels)]
    angle_deg = overlaps.angle_deg[reference, shown]
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
            "overlap_shares": {n: round(float(s), 4) for n, s in zip(numbers, pixels, strict=True)}
        },
        checks={
            "overlap_share": float(pixels[slot.answer]),
            "min_overlap_gap_share": float(min(gaps)),
            "min_view_angle_deg": float(angle_deg.min()),
            "max_view_angle_deg": float(angle_deg.max()),
        },
        difficulty={
            "overlap_share": float(pixels[slot.answer]),
            "measures_behind": float(slot.variant.bit_count()),
        },
    )


TASK = Task(
    name="view_overlap",
    released_id="view_overlap",
    id_prefix="view_overlap",
    domain="general",
    question="Which of two candidate images shares the most surface with the reference?",
    cells=cells((1 + CANDIDATES,), lambda _: CANDIDATES),
    variants=2**MEASURES,
    draft=draft,
    eval_count=200,
)

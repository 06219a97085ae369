"""View overlap: which of two candidate images shares the most surface with the reference?

    Image 1 (Reference), Images 2, 3 (Candidate) -> "3"

What a candidate shares is counted twice, in points of the pool and in pixels of the reference, and
the right one is clearly first both times. Questions come in twins: the same two candidates with two
references, one for which each of them is right. By every measure of `xvr.tasks.likeness` the one
candidate is ahead of the other by about as much for both references. So neither the candidates
alone nor how much they look like the reference tells which of the twins is asked.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

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
ANY_SLOPE = Tolerance(np.inf, 0.0)
"""Depth is read on slopes too: leaving them out would favour what is seen from the front."""
GRID_COLUMNS = 32
"""Pixels in a row of the grid that stands for an image."""


class Overlaps(NamedTuple):
    """What reference i has to do with candidate j."""

    share: Float[np.ndarray, "2 v v"]
    """Share of what view i sees that view j sees too: of its points, and of its pixels."""
    apart: Bool[np.ndarray, "v v"]
    """Whether the two views differ by an angle, from the scene's centre, that the rules allow."""
    angle_deg: Float[np.ndarray, "v v"]


class Twins(NamedTuple):
    """Two questions about the same candidates; the n-th candidate is right for the n-th."""

    candidates: tuple[int, int]
    references: tuple[int, int]


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the slot has no variants."""
    if any(view.depth is None for view in pool.views):
        return Refusal(reason="overlap_needs_depth")
    overlaps = pool.keep("overlaps", lambda: _overlaps(pool, rules))
    twins = pool.keep("twins", lambda: _find_twins(pool, overlaps, rules))
    if not twins:
        return Refusal(reason="no_references_that_look_alike")
    candidates, references = twins[int(rng.integers(len(twins)))]
    right = int(rng.integers(CANDIDATES))
    shown = list(candidates)
    shown.insert(slot.answer, shown.pop(right))
    return _compose(pool, slot, overlaps, references[right], shown, rng)


def _overlaps(pool: PointPool, rules: Rules) -> Overlaps:
    seen = pool.visible.astype(np.float32)
    of_points = seen @ seen.T / np.maximum(seen.sum(axis=1), 1)[:, None]
    share = np.stack([of_points, _pixel_shares(pool, rules)])
    angle_deg = angles_seen_from(pool.center_world, pool.centers_world)
    apart = (angle_deg >= rules.min_view_angle_deg) & (angle_deg <= rules.max_view_angle_deg)
    return Overlaps(share, apart, angle_deg)


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


def _find_twins(pool: PointPool, overlaps: Overlaps, rules: Rules) -> list[Twins]:
    """All twins of a pool, those that are most alike first among equal candidates.

    A reference has one twin at most: so each candidate is right as often as the other one.
    """
    likeness = view_likeness(pool)
    gaps = allowed_gaps(rules.max_overlap_likeness_sd) * _spread(likeness, overlaps)
    likeness = likeness / np.maximum(gaps, 1e-12)[:, None, None]
    twins = []
    for first, second in np.argwhere(
        np.triu(overlaps.angle_deg >= rules.min_candidate_angle_deg, 1)
    ).tolist():
        allowed = overlaps.apart[:, first] & overlaps.apart[:, second]
        lead = overlaps.share[:, :, first] - overlaps.share[:, :, second]  # (2, v)
        sides = [
            np.flatnonzero(allowed & (sign * lead >= rules.min_overlap_gap_share).all(axis=0))
            for sign in (1, -1)
        ]
        ahead = likeness[:, :, first] - likeness[:, :, second]  # (m, v)
        twins += [
            Twins((first, second), (int(sides[0][i]), int(sides[1][j])))
            for i, j in _match(ahead[:, sides[0]], ahead[:, sides[1]])
        ]
    return twins


def _spread(likeness: Float[np.ndarray, "m v v"], overlaps: Overlaps) -> Float[np.ndarray, " m"]:
    """Standard deviation of each measure over the views that are at allowed angles."""
    return likeness[:, overlaps.apart].std(axis=1) if overlaps.apart.any() else np.zeros(1)


def _match(
    first: Float[np.ndarray, "m a"], second: Float[np.ndarray, "m b"]
) -> list[tuple[int, int]]:
    """Pairs of columns with equal signs that differ by 1 at most, the nearest first, each once."""
    gaps = np.abs(first[:, :, None] - second[:, None])  # (m, a, b)
    same_side = (first > 0)[:, :, None] == (second > 0)[:, None]
    apart = np.where((same_side & (gaps <= 1.0)).all(axis=0), gaps.max(axis=0), np.inf)
    pairs = []
    while apart.size and np.isfinite(apart.min()):
        i, j = np.unravel_index(apart.argmin(), apart.shape)
        pairs.append((int(i), int(j)))
        apart[i], apart[:, j] = np.inf, np.inf
    return pairs


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
            "overlap_gap_share": float(min(gaps)),
        },
    )


TASK = Task(
    name="view_overlap",
    released_id="view_overlap",
    id_prefix="view_overlap",
    domain="general",
    question="Which of two candidate images shares the most surface with the reference?",
    cells=cells((1 + CANDIDATES,), lambda _: CANDIDATES),
    variants=1,
    draft=draft,
    eval_count=200,
    min_views=60,
)

"""Options that look alike where the references show them, so that looks do not give the answer.

Whoever matches colours across images instead of reasoning takes the option whose patch fits the
references best. All options are therefore drawn from one crowd of points that look alike in the
references; the wrong ones are chosen so that by its fit the right one is the first, second, ...
equally often, in every measure of the fit, and so that by its brightness it is too: what fits badly
although it is right is mostly a highlight.

The draws run compiled: a question takes dozens of tries, and a try some microseconds.
"""

from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ALIKE_LEVELS = 8.0
"""Largest Lab difference of a crowd's mean patches in the references."""
ALIKE_CHANGE = 0.7
"""Largest |log| ratio of a crowd's changes to the view of the options, each plus one level."""
CLEAR_LEVELS = 0.05
"""By how much a misfit must be smaller or larger than the right one's to count."""
CROWDS_TRIED = 40
"""Crowds among which a choice is looked for before the views are given up."""
POINTS_TRIED = 10
"""Points whose pairs are looked at together."""


class Looks(NamedTuple):
    """How n shared points look: in the view that shows the options, and in r references."""

    seen: Float[np.ndarray, "2 n 3"]
    """Patches in the view of the options, in CIE Lab and in RGB."""
    wanted: Float[np.ndarray, "2 r n 3"]
    """Patches in the references, likewise."""
    mean: Float[np.ndarray, "n 3"]
    """Mean of the references' patches, in CIE Lab."""
    change: Float[np.ndarray, " n"]
    """log(1 + difference) of the patch in the view of the options to that mean."""
    uv_px: Float[np.ndarray, "n 2"]
    """Projections in the view of the options."""
    world: Float[np.ndarray, "n 3"]
    min_px: float
    """How far apart options are in that view."""
    min_m: float
    """How far apart options are in 3D."""
    max_misfit: float
    """Largest |log| ratio of a wrong option's misfit to the right one's, each plus one level."""


def looks_of(
    pool: PointPool, views: Int[np.ndarray, " k"], shared: Int[np.ndarray, " n"], rules: Rules
) -> Looks:
    """The looks of shared points; the first view shows the options."""
    colors = np.stack([look[views][:, shared] for look in (pool.lab, pool.rgb)]).astype(np.float64)
    mean = colors[0, 1:].mean(axis=0)
    return Looks(
        mean=mean,
        change=np.log1p(np.sqrt(((colors[0, 0] - mean) ** 2).sum(axis=1))),
        seen=np.ascontiguousarray(colors[:, 0]),
        wanted=np.ascontiguousarray(colors[:, 1:]),
        uv_px=np.ascontiguousarray(pool.uv_px[views[0], shared]),
        world=np.ascontiguousarray(pool.points_world[shared]),
        min_px=rules.min_option_px_share * pool.cameras[int(views[0])].diagonal_px,
        min_m=rules.min_option_scene_share * pool.extent_m,
        max_misfit=rules.max_misfit_log_ratio,
    )


def draw_options(
    looks: Looks, wrong: int, fit: int, brightness: int, rng: np.random.Generator
) -> Int[np.ndarray, " o"] | None:
    """A right option and `wrong` wrong ones, pairwise apart, all from one crowd.

    Args:
        looks: of the points to choose from.
        wrong: how many wrong options.
        fit: how many of them fit the right one's references better than itself.
        brightness: how many of them are brighter than the right one.
        rng: source of randomness.

    Returns:
        Indices of points, the right one first, or None when no try succeeded.
    """
    for _ in range(CROWDS_TRIED):
        better = np.where(rng.permutation(wrong) < fit, 1, -1)
        brighter = np.where(rng.permutation(wrong) < brightness, 1, -1)
        chosen = _try_options(*looks, better, brighter, rng)
        if chosen[-1] >= 0:
            return chosen
    return None


def draw_pair(
    looks: Looks, rank: int, lower: bool, rng: np.random.Generator
) -> tuple[int, int] | None:
    """A point for all images and another for the odd one, from one crowd.

    A pair is drawn from those of many points together: drawing the point first would favour points
    with few others far enough away, which lie elsewhere than those with many.

    Args:
        looks: of the points to choose from; the view of the options is the odd image.
        rank: how many images' patches are more unlike the rest than the odd one's.
        lower: whether the odd image's dot is below the right place, not above it.
        rng: source of randomness.

    Returns:
        Indices of both points, or None when no try succeeded.
    """
    for _ in range(CROWDS_TRIED):
        point, other = _try_pair(*looks, rank, lower, rng)
        if point >= 0:
            return int(point), int(other)
    return None


@numba.njit(cache=True)
def _crowd(mean, change, rng):  # pragma: no cover - compiled
    """Points that look like a random one in the references and change as much from there."""
    seed = rng.integers(0, len(mean))
    found = np.empty(len(mean), np.int64)
    count = 0
    for i in range(len(mean)):
        if abs(change[i] - change[seed]) > ALIKE_CHANGE:
            continue
        unlike = 0.0
        for axis in range(3):
            unlike += (mean[i, axis] - mean[seed, axis]) ** 2
        if unlike <= ALIKE_LEVELS * ALIKE_LEVELS:
            found[count] = i
            count += 1
    return found[:count]


@numba.njit(cache=True)
def _apart(uv_px, world, min_px, min_m, a, b):  # pragma: no cover - compiled
    pixels, metres = 0.0, 0.0
    for axis in range(2):
        pixels += (uv_px[a, axis] - uv_px[b, axis]) ** 2
    for axis in range(3):
        metres += (world[a, axis] - world[b, axis]) ** 2
    return pixels >= min_px * min_px and metres >= min_m * min_m


@numba.njit(cache=True)
def _misfits(seen, wanted, owner, point, out):  # pragma: no cover - compiled
    """How unlike a point's patch is to the owner's in the references, in six measures.

    In CIE Lab and in RGB: against the mean of the references, on average, against the nearest.
    """
    references = wanted.shape[1]
    for space in range(2):
        to_mean, total, nearest = 0.0, 0.0, np.inf
        for axis in range(3):
            mean = 0.0
            for r in range(references):
                mean += wanted[space, r, owner, axis]
            to_mean += (seen[space, point, axis] - mean / references) ** 2
        for r in range(references):
            distance = 0.0
            for axis in range(3):
                distance += (seen[space, point, axis] - wanted[space, r, owner, axis]) ** 2
            total += np.sqrt(distance)
            nearest = min(nearest, distance)
        out[3 * space], out[3 * space + 1] = np.sqrt(to_mean), total / references
        out[3 * space + 2] = np.sqrt(nearest)


@numba.njit(cache=True)
def _try_options(  # noqa: PLR0913, C901
    seen, wanted, mean, change, uv_px, world, min_px, min_m, max_misfit, better, brighter, rng
):  # pragma: no cover - compiled
    wrong = len(better)
    chosen = np.full(wrong + 1, -1)
    crowd = _crowd(mean, change, rng)
    right = crowd[rng.integers(0, len(crowd))]
    own, misfits = np.empty(6), np.empty(6)
    _misfits(seen, wanted, right, right, own)
    fits = np.zeros(len(crowd), np.int8)
    for c in range(len(crowd)):
        if not _apart(uv_px, world, min_px, min_m, right, crowd[c]):
            continue
        _misfits(seen, wanted, right, crowd[c], misfits)
        if np.abs(np.log1p(misfits) - np.log1p(own)).max() > max_misfit:
            continue
        if (misfits < own - CLEAR_LEVELS).all():
            fits[c] = 1
        elif (misfits > own + CLEAR_LEVELS).all():
            fits[c] = -1
    for n in range(wrong):
        count = 0
        for c in range(len(crowd)):
            light = 1 if seen[0, crowd[c], 0] > seen[0, right, 0] else -1
            if fits[c] == better[n] and light == brighter[n]:
                count += 1
                if rng.integers(0, count) == 0:  # every fitting one is kept equally likely
                    chosen[n + 1] = crowd[c]
        if count == 0:
            chosen[wrong] = -1
            return chosen
        for c in range(len(crowd)):
            if not _apart(uv_px, world, min_px, min_m, chosen[n + 1], crowd[c]):
                fits[c] = 0
    chosen[0] = right
    return chosen


@numba.njit(cache=True)
def _try_pair(  # noqa: PLR0913
    seen, wanted, mean, change, uv_px, world, min_px, min_m, _, rank, lower, rng
):  # pragma: no cover - compiled
    crowd = _crowd(mean, change, rng)
    k = wanted.shape[1] + 1
    values, unlike = np.empty((k, 3)), np.empty((2, k))
    best_point, best_other, count = -1, -1, 0
    for point in rng.permutation(crowd)[:POINTS_TRIED]:
        for other in crowd:
            if (uv_px[other, 1] > uv_px[point, 1]) != lower:
                continue
            if not _apart(uv_px, world, min_px, min_m, point, other):
                continue
            agrees = True
            for space in range(2):
                values[0] = seen[space, other]
                values[1:] = wanted[space, :, point]
                _outliers(values, unlike)
                for measure in range(2):
                    if (unlike[measure] > unlike[measure, 0]).sum() != rank:
                        agrees = False
                if not agrees:
                    break
            if agrees:
                count += 1
                if rng.integers(0, count) == 0:  # every pair is kept equally likely
                    best_point, best_other = point, other
    return best_point, best_other


@numba.njit(cache=True)
def _outliers(values, out):  # pragma: no cover - compiled
    """Per image, the sum of distances to all images, and the distance to the median of all."""
    k = len(values)
    out[:] = 0.0
    for axis in range(3):
        ordered = np.sort(values[:, axis])
        median = 0.5 * (ordered[(k - 1) // 2] + ordered[k // 2])
        for i in range(k):
            out[1, i] += (values[i, axis] - median) ** 2
    for i in range(k):
        for j in range(k):
            out[0, i] += np.sqrt(((values[i] - values[j]) ** 2).sum())

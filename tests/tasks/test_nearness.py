from itertools import combinations

import numpy as np
import pytest

from toy.drafting import drafts, pool

TASKS = "point_correspondence", "directional_correspondence", "spatial_verification"


def pairs(draft):
    """Numbers of images that are held against each other: with the target, or any two."""
    parts = [image.part for image in draft.images]
    if "target" not in parts:
        return list(combinations(range(len(parts)), 2))
    target = parts.index("target")
    return [(target, other) for other in range(len(parts)) if other != target]


@pytest.mark.parametrize("task", TASKS)
def test_difficulty_tells_the_shortest_baseline_and_the_largest_overlap(task):
    for seed, draft in drafts(task):
        scene = pool(seed)
        names = [view.name for view in scene.views]
        seen = [names.index(image.view) for image in draft.images]
        baselines, overlaps = [], []
        for one, other in pairs(draft):
            a, b = seen[one], seen[other]
            baselines.append(np.linalg.norm(scene.centers_world[a] - scene.centers_world[b]))
            first, second = (set(np.flatnonzero(scene.visible[view])) for view in (a, b))
            overlaps.append(len(first & second) / len(first | second))
        assert draft.difficulty["baseline_m"] == pytest.approx(min(baselines))
        assert draft.difficulty["overlap_share"] == pytest.approx(max(overlaps))
        assert 0 < draft.difficulty["overlap_share"] < 1

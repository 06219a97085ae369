"""Looks do not tell the right option from the wrong ones."""

import numpy as np
import pytest

from toy.drafting import drafts, pool, tries
from xvr.tasks.draft import Draft


def indices(draft):
    names = [view.name for view in pool().views]
    return [names.index(image.view) for image in draft.images]


def point_index(mark):
    return int(np.argmin(np.linalg.norm(pool().points_world - mark.point_m, axis=1)))


@pytest.mark.parametrize("cue", ["lab", "place"])
def test_the_dot_that_looks_most_like_the_references_is_seldom_the_right_one(cue):
    """Chance is 1 in 5; of these drafts, the dot that is nearest in colour or place is right in
    far fewer than half, as it would be among dots that are drawn alike."""
    made = [d for d in tries("point_correspondence", pool(), count=400) if isinstance(d, Draft)]
    assert len(made) > 60
    values, right = getattr(pool(), cue), 0
    for draft in made:
        *references, target = indices(draft)
        dots = {m.label: point_index(m) for m in draft.marks if m.label != "Target"}
        wanted = values[references, dots[draft.answer]].mean(axis=0)
        misfit = {c: np.linalg.norm(values[target, p] - wanted) for c, p in dots.items()}
        right += min(misfit, key=misfit.__getitem__) == draft.answer
    assert right / len(made) < 0.4


def test_the_right_candidate_has_the_rank_of_its_slot_by_similarity():
    for seed, draft in drafts("viewpoint_localization"):
        subject = pool(seed)
        shown = indices(draft)
        references, candidates = shown[:-3], shown[-3:]
        alike = subject.similarity[np.ix_(candidates, references)].mean(axis=1)
        right = int(draft.answer) - len(references) - 1
        assert (alike > alike[right]).sum() == draft.slot.variant

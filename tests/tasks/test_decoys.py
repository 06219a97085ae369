"""Looks do not tell the right option from the wrong ones."""

import numpy as np
import pytest

from toy.drafting import drafts, fill, pool
from xvr.tasks import get_task


def indices(subject, draft):
    names = [view.name for view in subject.views]
    return [names.index(image.view) for image in draft.images]


def point_index(subject, mark):
    return int(np.argmin(np.linalg.norm(subject.points_world - mark.point_m, axis=1)))


def of_all_variants(task, count):
    """Drafts with the fewest images, of slots that differ in what is balanced."""
    cells = get_task(task).cells
    options = sum(images == cells[0][0] for images, _ in cells)
    return [fill(task, number * len(cells) + number % options) for number in range(count)]


@pytest.mark.parametrize("cue", ["lab", "rgb"])
def test_the_dot_that_looks_most_like_the_references_is_seldom_the_right_one(cue):
    """Chance is 1 in 5."""
    made, right = of_all_variants("point_correspondence", 50), 0
    for seed, draft in made:
        subject = pool(seed)
        values = getattr(subject, cue)
        *references, target = indices(subject, draft)
        dots = {m.label: point_index(subject, m) for m in draft.marks if m.label != "Target"}
        wanted = values[references, dots[draft.answer]].mean(axis=0)
        misfit = {c: np.linalg.norm(values[target, p] - wanted) for c, p in dots.items()}
        right += min(misfit, key=misfit.__getitem__) == draft.answer
    assert right <= 0.32 * len(made)


def test_the_dot_that_looks_most_unlike_the_others_is_seldom_the_odd_one():
    """Chance is 1 in 4 or 5."""
    made, right = of_all_variants("spatial_verification", 40), 0
    for seed, draft in made:
        subject = pool(seed)
        shown = zip(indices(subject, draft), draft.marks, strict=True)
        colors = np.array([subject.lab[view, point_index(subject, mark)] for view, mark in shown])
        unlike = np.linalg.norm(colors[:, None] - colors, axis=2).sum(axis=1)
        right += int(np.argmax(unlike)) + 1 == int(draft.answer)
    assert right <= 0.4 * len(made)


def test_the_right_candidate_has_the_rank_of_its_slot_by_similarity():
    for seed, draft in drafts("viewpoint_localization"):
        subject = pool(seed)
        shown = indices(subject, draft)
        references, candidates = shown[:-3], shown[-3:]
        alike = subject.similarity[np.ix_(candidates, references)].mean(axis=1)
        right = int(draft.answer) - len(references) - 1
        assert (alike > alike[right]).sum() == draft.slot.variant

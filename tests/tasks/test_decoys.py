"""Looks do not tell the right option from the wrong ones."""

import numpy as np

from toy.drafting import drafts, fill, pool, views
from xvr.tasks import get_task


def looks(seed, draft):
    """Mean colour around each mark in the clean images, over 1.1 % of the diagonal: 3 by 3 here."""
    found = []
    for mark in draft.marks:
        shown = draft.images[mark.image - 1].frame_index
        u, v = (int(x) for x in mark.uv_px)
        patch = views(seed)[shown].image[v - 1 : v + 2, u - 1 : u + 2]
        found.append(patch.reshape(-1, 3).mean(axis=0))
    return np.array(found)


def of_all_variants(task, count):
    """Drafts with the fewest images, of slots that differ in what is balanced."""
    cells = get_task(task).cells
    options = sum(images == cells[0][0] for images, _ in cells)
    return [fill(task, number * len(cells) + number % options) for number in range(count)]


def test_the_dot_that_looks_most_like_the_references_is_seldom_the_right_one():
    """Chance is 1 in 5."""
    made, right = of_all_variants("point_correspondence", 50), 0
    for seed, draft in made:
        target = np.array([mark.label != "Target" for mark in draft.marks])
        colors = looks(seed, draft)
        misfit = np.linalg.norm(colors[target] - colors[~target].mean(axis=0), axis=1)
        labels = [mark.label for mark in draft.marks if mark.label != "Target"]
        right += labels[int(np.argmin(misfit))] == draft.answer
    assert right <= 0.4 * len(made)


def test_the_dot_that_looks_most_unlike_the_others_is_seldom_the_odd_one():
    """Chance is 1 in 4 with four images."""
    made, right = of_all_variants("spatial_verification", 40), 0
    for seed, draft in made:
        colors = looks(seed, draft)
        unlike = np.linalg.norm(colors[:, None] - colors, axis=2).sum(axis=1)
        right += int(np.argmax(unlike)) + 1 == int(draft.answer)
    assert right <= 0.45 * len(made)


def test_the_right_candidate_has_the_rank_of_its_slot_by_similarity():
    for seed, draft in drafts("viewpoint_localization"):
        subject = pool(seed)
        names = [view.name for view in subject.views]
        shown = [names.index(image.view) for image in draft.images]
        references, candidates = shown[:-3], shown[-3:]
        alike = subject.similarity[np.ix_(candidates, references)].mean(axis=1)
        right = int(draft.answer) - len(references) - 1
        assert (alike > alike[right]).sum() == draft.slot.variant

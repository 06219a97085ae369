"""Looks do not tell the right option from the wrong ones."""

import numpy as np

from toy import room
from toy.drafting import RULES, drafts, fill, fresh, pool, views
from xvr.tasks import get_task, point_correspondence, spatial_verification
from xvr.tasks.choices import Choices, even_weights


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
    places = (divmod(number, options) for number in range(count))
    return [fill(task, turn * len(cells) + cell) for turn, cell in places]


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


def choices(task, seed, images):
    """What could be asked of a room with so many images."""
    subject, rng = fresh(pool(seed)), np.random.default_rng(seed)
    found = Choices(5, rng)
    for _ in range(12):
        found.look_further(subject, images, task._find_choices, RULES)
    return [found.take(rank, rng) for rank in range(5) for _ in range(found.known(rank))]


def of_all(subject):
    """Colours around every point that a view sees: Lab and RGB, (v, n, 3)."""
    seeing = [np.flatnonzero(seen) for seen in subject.visible]
    rows = [subject.colors(view, points) for view, points in enumerate(seeing)]
    return [np.stack(look) for look in zip(*rows, strict=True)]


def misfits(subject, views, owner, point):
    """Slow twin: six measures of how unlike a point in the target is to the owner's references."""
    measures = []
    for look in of_all(subject):
        wanted, seen = look[views[1:], owner].astype(float), look[views[0], point].astype(float)
        distances = np.linalg.norm(wanted - seen, axis=1)
        to_mean = np.linalg.norm(wanted.mean(axis=0) - seen)
        measures += [to_mean, distances.mean(), distances.min()]
    return np.array(measures)


def test_dots_to_choose_from_have_their_ranks_in_every_measure():
    checked = 0
    for seed in range(2):
        subject = pool(seed)
        for choice in choices(point_correspondence, seed, 3):
            fit, dark, *_, central, high = choice.ranks
            views, right = choice.shared.views, int(choice.points[0])
            all_of = np.array([misfits(subject, views, right, int(p)) for p in choice.points])
            own, others = all_of[0], all_of[1:]
            assert ((others < own).sum(axis=0) == fit).all()
            order = np.argsort(all_of, axis=0)
            assert (order == order[:, :1]).all()  # no option stands out by what measures agree on
            ratio = np.ptp(np.log1p(all_of), axis=0)
            assert ratio.max() <= RULES.max_misfit_log_ratio + 1e-9
            light = of_all(subject)[0][views[0], choice.points, 0]
            assert (light[1:] < light[0]).sum() == dark
            uv_px = subject.uv_px[views[0], choice.points]
            away = np.linalg.norm(uv_px / (room.WIDTH, room.HEIGHT) - 0.5, axis=1)
            assert (away[1:] < away[0]).sum() == central
            assert (uv_px[1:, 1] < uv_px[0, 1]).sum() == high
            checked += 1
    assert checked > 50


def test_dots_to_choose_from_are_apart_and_seen_by_all_views():
    subject = pool(0)
    for choice in choices(point_correspondence, 0, 3):
        views, points = choice.shared.views, choice.points
        assert len(set(points.tolist())) == point_correspondence.OPTIONS
        assert subject.visible[np.ix_(views, points)].all()
        upper = np.triu_indices(len(points), 1)
        uv_px, world = subject.uv_px[views[0], points], subject.points_world[points]
        pixels = np.linalg.norm(uv_px[:, None] - uv_px, axis=2)[upper]
        metres = np.linalg.norm(world[:, None] - world, axis=2)[upper]
        diagonal_px = subject.camera(int(views[0])).diagonal_px
        assert pixels.min() >= RULES.min_option_px_share * diagonal_px - 1e-9
        assert metres.min() >= RULES.min_option_scene_share * subject.extent_m - 1e-9


def test_the_odd_dot_has_its_rank_in_every_measure():
    checked = 0
    for seed in range(2):
        subject = pool(seed)
        for choice in choices(spatial_verification, seed, 4):
            views, (point, other) = choice.shared.views, choice.points
            shown = np.array([other, *[point] * (len(views) - 1)])
            for look in of_all(subject):
                patches = look[views, shown].astype(float)
                far = np.linalg.norm(patches[:, None] - patches, axis=2)
                to_median = np.linalg.norm(patches - np.median(patches, axis=0), axis=1)
                for unlike in (far.sum(axis=1), np.median(far, axis=1), to_median):
                    own, others = unlike[0], unlike[1:]  # two may be equal, but for rounding
                    assert (others > own + 1e-6).sum() <= choice.ranks[0]
                    assert (others > own - 1e-6).sum() >= choice.ranks[0]
            place = subject.uv_px[views, shown] / (room.WIDTH, room.HEIGHT) - 0.5
            assert (place[1:, 1] < place[0, 1]).sum() == choice.ranks[-1]
            checked += 1
    assert checked > 50


def test_weights_make_every_rank_even():
    """The second rank is mostly 0 where the first is 0: no weights by the first alone would do."""
    rng = np.random.default_rng(0)
    ranks = rng.integers(0, 4, (600, 3))
    ranks[(ranks[:, 0] == 0) & (rng.random(600) < 0.7), 1] = 0
    weights = even_weights(ranks, 4)
    shares = np.array([np.bincount(column, weights) for column in ranks.T]) / weights.sum()
    np.testing.assert_allclose(shares, 0.25, atol=0.01)
    assert np.ptp(np.bincount(ranks[:, 1]) / 600) > 0.1


def test_what_hardly_ever_comes_up_is_not_asked_all_the_time():
    ranks = np.zeros((1000, 1), int)
    ranks[0] = 1
    weights = even_weights(ranks, 5)
    assert 0.001 < weights[0] / weights.sum() < 0.1
    np.testing.assert_allclose(even_weights(ranks[1:], 5), 1.0)


def test_a_choice_is_given_once():
    given = [
        (choice.shared.number, *choice.points.tolist())
        for choice in choices(spatial_verification, 0, 4)
    ]
    assert len(set(given)) == len(given) > 20

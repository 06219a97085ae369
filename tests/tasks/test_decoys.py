"""Looks do not tell the right option from the wrong ones."""

from itertools import product

import numpy as np

from toy import room
from toy.drafting import RULES, drafts, fill, fresh, pool, views
from xvr.tasks import get_task
from xvr.tasks.choices import Choices, Ranks
from xvr.tasks.draft import Refusal
from xvr.tasks.point_correspondence import BRIGHTER, OPTIONS
from xvr.tasks.views import choose_views


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


def choices(seed):
    """Choices of a room with three images, each with its ranks."""
    subject, rng, found = fresh(pool(seed)), np.random.default_rng(seed), Choices()
    for _ in range(12):
        shared = choose_views(subject, 3, rng, RULES)
        if not isinstance(shared, Refusal):
            found.survey(subject, shared, OPTIONS - 1, RULES)
    ranks = [Ranks(*numbers) for numbers in product(range(OPTIONS), repeat=2)]
    return [(rank, found.take(rank, 2, 2, rng)) for rank in ranks for _ in range(found.known(rank))]


def misfits(subject, views, owner, point):
    """Slow twin: six measures of how unlike a point in the target is to the owner's references."""
    measures = []
    for look in (subject.lab, subject.rgb):
        wanted, seen = look[views[1:], owner].astype(float), look[views[0], point].astype(float)
        distances = np.linalg.norm(wanted - seen, axis=1)
        to_mean = np.linalg.norm(wanted.mean(axis=0) - seen)
        measures += [to_mean, distances.mean(), distances.min()]
    return np.array(measures)


def test_surveyed_choices_have_their_ranks_in_every_measure():
    checked = 0
    for seed in range(2):
        subject = pool(seed)
        for (fit, brighter), choice in choices(seed):
            right, views = int(choice.options[0]), choice.shared.views
            all_of = np.array([misfits(subject, views, right, int(p)) for p in choice.options])
            own, others = all_of[0], all_of[1:]
            assert ((others < own).sum(axis=0) == fit).all()
            order = np.argsort(all_of, axis=0)
            assert (order == order[:, :1]).all()  # no option stands out by what measures agree on
            light = subject.lab[views[0], choice.options, 0]
            assert (light[1:] > light[0]).sum() == brighter
            ratio = np.ptp(np.log1p(all_of), axis=0)
            assert ratio.max() <= RULES.max_misfit_log_ratio + 1e-9
            checked += 1
    assert checked > 50


def test_surveyed_options_are_apart_and_seen_by_all_views():
    subject = pool(0)
    for _, choice in choices(0):
        views, points = choice.shared.views, choice.options
        assert len(set(points.tolist())) == OPTIONS
        assert subject.visible[np.ix_(views, points)].all()
        upper = np.triu_indices(OPTIONS, 1)
        uv_px, world = subject.uv_px[views[0], points], subject.points_world[points]
        pixels = np.linalg.norm(uv_px[:, None] - uv_px, axis=2)[upper]
        metres = np.linalg.norm(world[:, None] - world, axis=2)[upper]
        away = np.linalg.norm(uv_px / (room.WIDTH, room.HEIGHT) - 0.5, axis=1)
        assert (away[1:] < away[0]).sum() == choice.nearer
        assert (uv_px[1:, 1] < uv_px[0, 1]).sum() == choice.higher
        diagonal_px = subject.camera(int(views[0])).diagonal_px
        assert pixels.min() >= RULES.min_option_px_share * diagonal_px - 1e-9
        assert metres.min() >= RULES.min_option_scene_share * subject.extent_m - 1e-9


def test_every_rank_by_fit_and_by_brightness_comes_up_equally_often():
    for order in BRIGHTER:
        assert sorted(order) == ["0", "1", "2", "3", "4"]

"""The table with the button: what is in it, and that it is drawn only when somebody looks."""

from contextlib import closing

import numpy as np
import pytest

from xvr.sim.reach_layout import sample_layout
from xvr.sim.reach_world import ReachWorld
from xvr.vla.environment import make_plans
from xvr.vla.environments.reach import ReachEnvironment

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def world():
    with closing(ReachEnvironment()) as environment:
        yield environment


def run_expert(environment, plan):
    environment.reset(plan)
    for step in range(environment.max_steps):
        if environment.success:
            return step
        environment.step(environment.expert_action())
    return None


def test_the_expert_presses_every_button_within_half_of_the_horizon(world):
    steps = [run_expert(world, plan) for plan in make_plans("reach-button", 40, 0)]
    assert None not in steps
    assert max(steps) <= 35


def test_doing_nothing_presses_nothing(world):
    for plan in make_plans("reach-button", 3, 0):
        world.reset(plan)
        for _ in range(world.max_steps):
            world.step(np.zeros(3, np.float32))
        assert not world.success


def test_success_stays_until_the_next_reset(world):
    plan, other = make_plans("reach-button", 2, 0)
    run_expert(world, plan)
    for _ in range(20):
        world.step(np.array([0, 0, 1], np.float32))
    assert world.success
    world.reset(other)
    assert not world.success


def test_nothing_is_drawn_unless_somebody_looks():
    with closing(ReachEnvironment()) as environment:
        run_expert(environment, make_plans("reach-button", 1, 0)[0])
        assert environment.world._renderer is None
        environment.observe()
        assert environment.world._renderer is not None


def test_an_episode_is_the_same_wherever_it_stands_in_the_list(world):
    plans = make_plans("reach-button", 3, 5)
    for plan in plans:
        world.reset(plan)
    late = world.observe()
    with closing(ReachEnvironment()) as fresh:
        fresh.reset(plans[-1])
        first = fresh.observe()
    np.testing.assert_array_equal(late.state, first.state)
    for name, image in late.images.items():
        np.testing.assert_array_equal(image, first.images[name])


def test_screens_hide_the_button_from_the_side_they_stand_on_and_no_other():
    """Red pixels tell; in one of fifty the button looks past the end of a screen."""
    hidden, open_to = [], []
    with closing(ReachWorld()) as table:
        for seed in range(80):
            layout = sample_layout(np.random.default_rng(seed))
            table.reset(layout)
            for side in ("left", "right"):
                behind = layout.screens in (side, "both")
                (hidden if behind else open_to).append(red(table.picture(f"{side}_view")))
    assert np.mean(np.array(hidden) < 3) > 0.95
    assert min(open_to) > 5
    assert 0.3 < len(hidden) / 160 < 0.5


def red(picture):
    return int(((picture[..., 0] > 150) & (picture[..., 1] < 60)).sum())


def test_a_policy_without_eyes_cannot_know_where_the_button_is():
    """The best fixed end of the path, the middle, is within reach of few buttons."""
    places = np.array([sample_layout(np.random.default_rng(seed)).button_m for seed in range(2000)])
    aside = np.linalg.norm(places[:, :2] - places[:, :2].mean(axis=0), axis=1)
    assert (aside < 0.034).mean() < 0.04  # radius of the button and of the finger

"""What each camera tells of the button: `python benchmarks/sight.py [--placements 100]`.

Prints two tables in Markdown: success of reach-button's expert when it knows only what a set of
cameras sees (`xvr.sim.reach_sight`), and in which share of an expert's steps each camera of the
kitchen sees the button that it is about to press.
"""

import argparse
from contextlib import closing

import numpy as np

from xvr.sim.reach_layout import SCREENS, sample_layout
from xvr.sim.reach_sight import camera_sets, succeeded
from xvr.sim.reach_world import ReachWorld
from xvr.vla.environment import EpisodePlan, make_plans
from xvr.vla.environments.kitchen import CAMERAS, KitchenEnvironment
from xvr.vla.environments.reach import MAX_STEPS

MIN_PX = 12
"""Of the button in a picture of 256 by 256: less is not seen."""


def reach_table(placements: int) -> None:
    """Success by set of cameras and by what hides the button."""
    layouts = [sample_layout(np.random.default_rng([1, seed])) for seed in range(placements)]
    counts = {kind: sum(one.screens == kind for one in layouts) for kind in SCREENS}
    print("| cameras | all " + "".join(f"| hidden from {kind} " for kind in SCREENS) + "|")
    print("|---|--:" + "|--:" * len(SCREENS) + "|")
    with closing(ReachWorld()) as world:
        for cameras in camera_sets():
            won = [one.screens for one in layouts if succeeded(world, one, cameras, MAX_STEPS)]
            cells = [f"{100 * len(won) / placements:.0f} %"]
            cells += [f"{100 * won.count(kind) / counts[kind]:.0f} %" for kind in SCREENS]
            print(
                f"| {', '.join(cameras).replace('_view', '')} | {' | '.join(cells)} |", flush=True
            )
    print(f"\n{placements} placements: {counts}")


def kitchen_table(episodes: int) -> None:
    """Share of the steps before the button is pressed in which a camera sees it."""
    print("\n| task " + "".join(f"| {name.removesuffix('_view')} " for name in CAMERAS) + "|")
    print("|---" + "|--:" * len(CAMERAS) + "|")
    buttons = {"press-coffee-button": "coffee_button", "stop-microwave": "microwave_stop"}
    for task, geom in buttons.items():
        seen: list[list[bool]] = []
        with closing(KitchenEnvironment(task)) as environment:
            for plan in make_plans(task, episodes, 0):
                seen += visible(environment, plan, geom)
        shares = 100 * np.mean(seen, axis=0)
        print(f"| {task} | " + " | ".join(f"{one:.0f} %" for one in shares) + " |")


def visible(environment: KitchenEnvironment, plan: EpisodePlan, body: str) -> list[list[bool]]:
    """For every fifth step until the button is touched, which cameras see it."""
    environment.reset(plan)
    kitchen, view = environment._env, environment._view
    assert kitchen is not None
    assert view is not None
    rows = []
    for step in range(environment.max_steps):
        if environment.success or kitchen._touched:
            break
        if step % 5 == 0:
            view.look()
            rows.append([view.pixels_of(body, name) >= MIN_PX for name in CAMERAS])
        environment.step(environment.expert_action())
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--placements", type=int, default=100)
    parser.add_argument("--episodes", type=int, default=4)
    arguments = parser.parse_args()
    reach_table(arguments.placements)
    kitchen_table(arguments.episodes)

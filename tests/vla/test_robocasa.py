"""The adapter to RoboCasa against a stand-in of its API that runs in a process of its own."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from xvr.errors import UserError
from xvr.vla.environment import EpisodePlan, make_plans
from xvr.vla.environments import open_environment, tasks_of
from xvr.vla.environments.robocasa_names import VERSIONS

OPEN, CLOSED = 0.0, 1.0


@pytest.fixture(autouse=True)
def _standin(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "standin"))


def action(gripper):
    """In the order of the LeRobot releases; the stand-in checks the simulator's order."""
    base, mode = [-0.1, -0.2, -0.3, -0.4], [0.0]
    return np.array([*base, *mode, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, gripper], np.float32)


def test_an_action_reaches_the_simulator_in_its_own_order_and_success_stays():
    with closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment:
        environment.reset(EpisodePlan(task="TurnOffMicrowave", index=0, seed=3))
        environment.step(action(OPEN))
        assert not environment.success
        for _ in range(8):
            environment.step(action(CLOSED))
        assert environment.success


def test_pictures_are_upright_and_cameras_and_state_in_the_order_of_the_contract():
    with closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment:
        environment.reset(EpisodePlan(task="TurnOffMicrowave", index=0, seed=3))
        seen = environment.observe()
    assert list(seen.images) == ["left_view", "right_view", "wrist_view"]
    for place, image in enumerate(seen.images.values()):
        assert image.shape == (256, 256, 3)
        assert image[0, 0, 0] == 200, "the sky is at the top"
        assert image[-1, 0, 0] == 0
        assert image[0, 0, 2] == place * 50
    np.testing.assert_allclose(seen.state[:3], [1, 2, 3])
    np.testing.assert_allclose(seen.state[3:7], [0, 0, 0, 1])
    np.testing.assert_allclose(seen.state[7:10], [0.4, 0.5, 0.6])
    np.testing.assert_allclose(seen.state[14:], [0.02, -0.02])
    assert seen.state.dtype == np.float32
    assert len(seen.state) == environment.contract.state_dims


def test_an_episode_begins_the_same_way_wherever_it_stands_in_the_list():
    plans = make_plans("TurnOffMicrowave", 4, 0)
    with closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment:
        forwards = [begun(environment, plan) for plan in plans]
        backwards = [begun(environment, plan) for plan in reversed(plans)]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) > 1


def begun(environment, plan):
    environment.reset(plan)
    return environment.instruction, str(environment.meta)


def test_stored_metadata_are_replayed():
    plan = EpisodePlan(task="TurnOffMicrowave", index=0, seed=3, meta={"scene": [6, 9]})
    with closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment:
        environment.reset(plan)
        assert environment.instruction == "do TurnOffMicrowave in 6"
        assert environment.meta == {"scene": [6, 9], "lang": "do TurnOffMicrowave in 6"}


@pytest.mark.parametrize(
    ("version", "task", "name", "horizon"),
    [
        ("v0.2", "CoffeePressButton", "CoffeePressButton", 300),
        ("v0.2", "PnPCabToCounter", "PnPCabToCounter", 500),
        ("v1.0", "CoffeePressButton", "StartCoffeeMachine", 300),
        ("v1.0", "TurnOffMicrowave", "TurnOffMicrowave", 300),
        ("v1.0", "PnPCabToCounter", "PickPlaceCabinetToCounter", 450),
    ],
)
def test_versions_have_their_names_and_horizons(version, task, name, horizon):
    assert VERSIONS[version].names[task] == name
    with closing(open_environment(f"robocasa:{version}", task)) as environment:
        assert environment.max_steps == horizon


def test_a_version_opens_the_scenes_of_its_protocol():
    with closing(open_environment("robocasa:v1.0", "PnPCabToCounter")) as environment:
        environment.reset(EpisodePlan(task="PnPCabToCounter", index=0, seed=1))
        assert environment.instruction.startswith("do PickPlaceCabinetToCounter in ")
        scene = environment.meta["scene"]
    assert scene[0] == scene[1]
    assert 1 <= scene[0] <= 10


def test_unknown_versions_tasks_and_pythons_are_told():
    with pytest.raises(UserError, match=r"unknown environment 'robocasa:v3'.*robocasa:v0\.2"):
        tasks_of("robocasa:v3")
    with pytest.raises(UserError, match="did you mean 'TurnOffMicrowave'"):
        open_environment("robocasa:v0.2", "TurnOffMicrowav")
    with (
        closing(open_environment("robocasa:v0.2@/no/python", "TurnOffMicrowave")) as environment,
        pytest.raises(UserError, match=r"/no/python: No such file.*name the Python"),
    ):
        environment.reset(EpisodePlan(task="TurnOffMicrowave", index=0, seed=3))


def test_without_robocasa_its_message_is_passed_on(monkeypatch, tmp_path):
    (tmp_path / "robocasa.py").write_text("raise ImportError('no robocasa here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment,
        pytest.raises(UserError, match=r"cannot open: ImportError: no robocasa here"),
    ):
        environment.reset(EpisodePlan(task="TurnOffMicrowave", index=0, seed=3))


def test_a_simulator_that_dies_is_told_with_its_last_words(monkeypatch, tmp_path):
    (tmp_path / "robocasa.py").write_text(
        "import os, sys; sys.stderr.write('MuJoCo is lost\\n'); sys.stderr.flush(); os._exit(9)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment,
        pytest.raises(UserError, match=r"(?s)robocasa_host.py died.*MuJoCo is lost"),
    ):
        environment.reset(EpisodePlan(task="TurnOffMicrowave", index=0, seed=3))


def test_there_is_no_expert():
    with (
        closing(open_environment("robocasa:v0.2", "TurnOffMicrowave")) as environment,
        pytest.raises(UserError, match="no scripted expert"),
    ):
        environment.expert_action()

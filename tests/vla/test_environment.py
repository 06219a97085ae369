"""Plans of episodes, and what an environment shows of itself to a policy."""

import acting
import numpy as np
import pytest

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec
from xvr.vla.environment import make_plans, offered, plan_from_json, presented
from xvr.vla.environments import EMBEDDED_TASKS, open_environment, tasks_of
from xvr.vla.environments.kitchen import KitchenEnvironment
from xvr.vla.observation import Observation

OFFERED = acting.OFFERED


def seen():
    images = {
        camera.name: np.full((96, 96, 3), place, np.uint8)
        for place, camera in enumerate(OFFERED.cameras)
    }
    return Observation(images=images, state=np.arange(3, dtype=np.float32), instruction="press")


def test_more_episodes_begin_with_the_same_ones_and_seeds_share_none():
    few, many = make_plans("reach-button", 3, 7), make_plans("reach-button", 40, 7)
    assert many[:3] == few
    others = make_plans("reach-button", 40, 8)
    assert not {plan.seed for plan in many} & {plan.seed for plan in others}
    assert all(0 <= plan.seed < 2**31 for plan in many)
    assert [plan_from_json(plan.to_json()) for plan in many] == list(many)


@pytest.mark.parametrize(
    ("episodes", "seed", "told"), [(0, 0, "--episodes 0"), (1, -1, "--seed -1")]
)
def test_numbers_out_of_range_are_told(episodes, seed, told):
    with pytest.raises(UserError, match=told):
        make_plans("reach-button", episodes, seed)


def test_a_policy_may_take_fewer_cameras_smaller_pictures_and_no_state():
    policy = acting.contract(cameras=(acting.camera("wrist_view", 48),), state=())
    offered(OFFERED, policy).require(policy, "the environment")
    shown = presented(seen(), OFFERED, policy)
    assert list(shown.images) == ["wrist_view"]
    assert shown.images["wrist_view"].shape == (48, 48, 3)
    assert (shown.images["wrist_view"] == 2).all()
    assert shown.state.shape == (0,)


def test_state_fields_come_in_the_policys_order():
    mine = KitchenEnvironment.contract
    state = np.arange(mine.state_dims, dtype=np.float32)
    observation = Observation(images={}, state=state, instruction="go")
    fields = {field.name: field for field in mine.state}
    policy = acting.contract(cameras=(), state=(fields["gripper_qpos"], fields["base_position"]))
    shown = presented(observation, mine, policy)
    np.testing.assert_array_equal(shown.state, [14, 15, 0, 1, 2])


def test_a_camera_that_the_environment_does_not_have_is_told_by_name():
    policy = acting.contract(cameras=(*OFFERED.cameras, acting.camera("front_view")))
    with pytest.raises(UserError, match="there only 'front_view'"):
        offered(OFFERED, policy).require(policy, "the environment")


def test_another_action_or_rate_is_told_field_by_field():
    action = (FieldSpec(name="tip_shift", dims=3, meaning="metres per step"),)
    policy = acting.contract(action=action, fps=10.0)
    with pytest.raises(UserError) as told:
        offered(OFFERED, policy).require(policy, "the environment")
    assert "fps: 20.0 here, 10.0 there" in str(told.value)
    assert "action.tip_shift.meaning" in str(told.value)


def test_the_kitchen_tells_switches_from_numbers_and_names_all_entries():
    kinds = {field.name: field.kind for field in KitchenEnvironment.contract.action}
    assert kinds["gripper_close"] == kinds["control_mode"] == "binary_pm1"
    assert kinds["end_effector_position"] == "continuous"
    assert KitchenEnvironment.contract.action_dims == 12
    assert KitchenEnvironment.contract.state_dims == 16
    fields = (*KitchenEnvironment.contract.state, *KitchenEnvironment.contract.action)
    assert all(len(field.names) == field.dims for field in fields)


def test_environments_and_tasks_are_found_by_name_and_closest_names_offered():
    assert tasks_of("embedded") == EMBEDDED_TASKS
    with pytest.raises(UserError, match="did you mean 'reach-button'"):
        open_environment("embedded", "reach-buton")
    with pytest.raises(UserError, match="unknown environment 'libero': write embedded"):
        open_environment("libero", "reach-button")


def test_no_task_of_ours_has_the_name_of_one_of_robocasa():
    assert not set(EMBEDDED_TASKS) & set(tasks_of("robocasa:v0.2"))

import pytest

from xvr.errors import UserError
from xvr.sources.roles import ROLES, assign_roles, moves_between_episodes, role_of_name


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ("left_view right_view front_view wrist_view", "fix_left fix_right fix_center ego"),
        (
            "robot0_agentview_left robot0_agentview_right robot0_agentview_center "
            "robot0_frontview robot0_eye_in_hand",
            "fix_left fix_right fix_center fix_front ego",
        ),
        ("exterior_1_left exterior_2_left wrist_left", "fix_side fix_side_1 ego"),
        ("ext1_cam ext2_cam wrist_cam", "fix_side fix_side_1 ego"),
        (
            "cam_high cam_low cam_left_wrist cam_right_wrist",
            "fix_center fix_center_1 ego_left ego_right",
        ),
        ("head_color hand_left_color hand_right_color", "ego_head ego_left ego_right"),
        ("hand_left_fisheye_color hand_right_fisheye", "ego_left ego_right"),
        (
            "head_color head_center_fisheye_color head_left_fisheye_color head_right_fisheye",
            "ego_head ego_head_1 ego_head_left ego_head_right",
        ),
        ("image_left image_right image_top image_wrist", "fix_left fix_right fix_top ego"),
        ("image_side_1 image_side_2 image_wrist_1 image_wrist_2", "fix_side fix_side_1 ego ego_1"),
        ("ego_view cam_exterior cam_wrist", "ego_head fix_side ego"),
        ("top front side wrist", "fix_top fix_front fix_side ego"),
        ("Top Cam_Left gripper", "fix_top fix_left ego"),
    ],
)
def test_known_rigs_have_their_roles(names: str, roles: str):
    keys = [f"observation.images.{name}" for name in names.split()]
    assignment = assign_roles(keys)
    assert [assignment.roles[key] for key in keys] == roles.split()
    assert assignment.left_out == []
    assert set(assignment.roles.values()) <= set(ROLES)


def test_unknown_names_are_left_out():
    keys = [
        "observation.images.phone",
        "observation.images.top",
        "head_depth",
        "back_left_fisheye_color",
    ]
    roles, left_out = assign_roles(keys)
    assert roles == {"observation.images.top": "fix_top"}
    assert left_out == ["back_left_fisheye_color", "head_depth", "observation.images.phone"]
    assert role_of_name("leftover") is None


def test_two_cameras_never_share_a_role():
    keys = ["cam_left", "left", "left_image", "front", "front_image"]
    roles, left_out = assign_roles(keys)
    assert roles == {"cam_left": "fix_left", "front": "fix_front", "left": "fix_left_1"}
    assert left_out == ["front_image", "left_image"]


def test_the_order_of_the_keys_does_not_matter():
    keys = ["cam_left", "left", "wrist", "hand"]
    assert assign_roles(keys) == assign_roles(reversed(keys))


def test_a_choice_replaces_the_names_and_may_leave_cameras_out():
    keys = ["observation.images.phone", "observation.images.wrist"]
    roles, left_out = assign_roles(keys, {"phone": "fix_right_1"})
    assert roles == {"observation.images.phone": "fix_right_1"}
    assert left_out == ["observation.images.wrist"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"phon": "ego"}, "unknown camera 'phon': did you mean 'phone'"),
        ({"phone": "fix_middle"}, "unknown camera role 'fix_middle'"),
        ({"phone": "ego", "wrist": "ego"}, "already taken"),
    ],
)
def test_a_wrong_choice_is_a_user_error(chosen: dict[str, str], message: str):
    with pytest.raises(UserError, match=message):
        assign_roles(["phone", "wrist"], chosen)


def test_sides_and_mounts_follow_from_the_name_of_a_role():
    for name, role in ROLES.items():
        side = next((side for side in ("left", "right") if side in name), role.side)
        assert role.side == side
        assert (role.mount == "fixed") == name.startswith("fix_")


def test_numbered_cameras_mean_something_in_their_dataset_only():
    keys = [f"steps/observation/image_{n}" for n in range(4)]
    roles, left_out = assign_roles(keys, dataset="bridge_orig")
    assert list(roles.values()) == ["fix_side", "fix_side_1", "fix_side_2"]
    assert left_out == keys[3:]
    assert assign_roles(keys).roles == {}
    assert moves_between_episodes(keys[0], "bridge_orig")
    assert not moves_between_episodes(keys[0], "fmb")
    assert moves_between_episodes("exterior_image_1_left")

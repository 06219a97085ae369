from dataclasses import replace

import pytest
from audit_room import relabelled, rig_entry, rig_episode

from xvr.audit.rigs import Kind, check_robotic, kind_of
from xvr.audit.thresholds import Thresholds
from xvr.audit.wording import described


def problems(entry, *episodes):
    return list(check_robotic(entry, episodes or (rig_episode(),), Thresholds()))


def reasons(entry, *episodes, kind="answer"):
    return {problem.reason for problem in problems(entry, *episodes) if problem.kind == kind}


def temporal(odd_frame=100):
    return rig_entry(
        task="temporal_verification",
        shown=[("fix_left", 50, None), ("fix_right", odd_frame, None), ("ego", 50, None)],
        world={},
        options=("1", "2", "3"),
        answer="2",
    )


def directional_view(first="fix_right", second="fix_left", answer="3", text="left"):
    return rig_entry(
        task="directional_view_localization",
        shown=[("fix_center", 50, None), (first, 50, None), (second, 50, None)],
        world={"side": "left", "text": f"on its {text}"},
        options=("2", "3"),
        answer=answer,
    )


def cross_scenario(text="Image 2 in Scenario 1"):
    return rig_entry(
        task="cross_scenario_localization",
        shown=[
            ("fix_center", 50, 0),
            ("fix_left", 50, 0),
            ("fix_right", 50, 0),
            ("fix_right", 70, 1),
            ("fix_center", 70, 1),
            ("fix_left", 70, 1),
        ],
        world={"asked_image": 2, "asked_role": "fix_left", "text": text},
        options=("4", "5", "6"),
        answer="6",
    )


def language(role="ego", text='"the view of the wrist camera"'):
    return rig_entry(
        task="language_conditioned_localization",
        shown=[("fix_center", 50, None), ("fix_left", 50, None), (role, 50, None)],
        world={"asked_role": "ego", "text": text},
        options=("2", "3"),
        answer="3",
    )


def test_right_temporal_answers_pass():
    assert problems(temporal()) == []


def test_a_wrong_temporal_answer_is_found():
    assert reasons(relabelled(temporal(), "1")) == {"wrong_answer"}


def test_a_temporal_sample_whose_images_are_all_synchronous_is_found():
    assert reasons(temporal(50)) == {"not_one_odd"}


def test_a_time_that_the_source_contradicts_is_found():
    entry = temporal()
    entry.proof.images[0] = entry.proof.images[0].model_copy(update={"time_s": 9.0})
    assert reasons(entry) == {"time_differs"}


def test_times_less_than_two_seconds_apart_break_a_rule():
    entry = temporal(65)
    assert reasons(entry) == set()
    assert "times_too_close" in reasons(entry, kind="rule")


def test_a_resting_arm_breaks_a_rule():
    still = replace(rig_episode(), effector_positions=rig_episode().effector_positions * 0)
    found = reasons(temporal(), still, kind="rule")
    assert found == {"effector_still", "effector_path_too_short"}


def test_a_short_episode_with_two_cameras_breaks_rules():
    episode = rig_episode()
    short = replace(episode, length=150, cameras=episode.cameras[1:3])
    found = reasons(directional_view(), short, kind="rule")
    assert found == {"episode_too_short", "too_few_cameras"}


def test_a_recorded_figure_that_is_not_measured_breaks_a_rule():
    entry = temporal()
    entry.proof.checks["time_gap_s"] = 5.0
    assert reasons(entry) == set()
    entry.proof.checks["time_gap_s"] = 6.0
    assert reasons(entry, kind="rule") == {"recorded_check_differs"}


@pytest.mark.parametrize("calibrated", [True, False])
def test_right_sides_pass(calibrated):
    assert problems(directional_view(), rig_episode(calibrated=calibrated)) == []


@pytest.mark.parametrize("calibrated", [True, False])
def test_swapped_sides_are_found(calibrated):
    entry = directional_view(answer="2")
    assert reasons(entry, rig_episode(calibrated=calibrated)) == {"wrong_answer"}


def test_a_role_that_the_source_does_not_give_is_found():
    entry = directional_view()
    entry.proof.images[1] = entry.proof.images[1].model_copy(update={"role": "fix_left"})
    assert "role_differs" in reasons(entry)


def test_two_cameras_on_one_side_are_found():
    assert "sides_unclear" in reasons(directional_view(first="fix_left"))


@pytest.mark.parametrize("calibrated", [True, False])
def test_right_cross_scenario_answers_pass(calibrated):
    first = rig_episode(calibrated=calibrated)
    second = rig_episode("episode_1", calibrated=calibrated)
    assert problems(cross_scenario(), first, second) == []


def test_a_wrong_cross_scenario_answer_is_found():
    entry = relabelled(cross_scenario(), "4")
    assert reasons(entry, rig_episode(), rig_episode("episode_1")) == {"wrong_answer"}


def test_one_episode_against_itself_is_found():
    assert "same_episode" in reasons(cross_scenario(), rig_episode(), rig_episode())


def test_a_moved_rig_breaks_a_rule():
    moved = rig_episode("episode_1", calibrated=True)
    cameras = moved.cameras
    swapped = replace(cameras[1], calibration=cameras[0].calibration)
    moved = replace(moved, cameras=(cameras[0], swapped, *cameras[2:]))
    found = reasons(cross_scenario(), rig_episode(calibrated=True), moved, kind="rule")
    assert found == {"poses_disagree"}


def test_right_language_answers_pass():
    assert problems(language()) == []


def test_a_wrong_language_answer_is_found():
    assert reasons(relabelled(language(), "2")) == {"wrong_answer", "description_differs"}


def test_a_description_that_no_image_fits_is_found():
    assert reasons(language("fix_right")) == {"not_one_fits"}


def test_a_question_for_the_other_side_is_found():
    assert reasons(directional_view(text="right")) == {"question_differs"}


def test_a_question_about_another_image_is_found():
    entry = cross_scenario("Image 3 in Scenario 1")
    assert reasons(entry, rig_episode(), rig_episode("episode_1")) == {"question_differs"}


def test_a_description_of_another_image_is_found():
    assert reasons(language(text='"the fixed left camera"')) == {"description_differs"}


@pytest.mark.parametrize(
    ("text", "on_robot", "places"),
    [
        ("a camera on the robot's wrist, moving with the hand", True, set()),
        ("a hand-mounted camera on its left arm", True, {"left"}),
        ("a stationary camera that watches from the right-hand side", False, {"right"}),
        ("a fixed camera in the middle, facing the workspace", False, {"center"}),
        ("a camera on the robot's head", True, {"head"}),
        ("an overhead camera", False, {"top"}),
    ],
)
def test_descriptions_are_understood(text, on_robot, places):
    assert described(f'which of images 2 and 3 is "{text}"? left or right') == (on_robot, places)


def test_a_description_without_a_place_says_nothing():
    assert described("which camera is far away?") is None


def test_an_unknown_camera_or_frame_is_found():
    entry = temporal(999)
    entry.proof.images[0] = entry.proof.images[0].model_copy(update={"camera": "gone"})
    assert {"unknown_camera", "unknown_frame"} <= reasons(entry)


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("fix_left_1", Kind("fix", "left")),
        ("ego", Kind("ego", "")),
        ("fix_center", Kind("fix", "center")),
        ("fix_top", Kind("fix", "top")),
        ("ego_right", Kind("ego", "right")),
    ],
)
def test_the_kind_of_a_role(role, kind):
    assert kind_of(role) == kind

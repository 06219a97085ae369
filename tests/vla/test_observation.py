from dataclasses import replace

import numpy as np
import pytest
from contracts import CONTRACT, observation

from xvr.errors import UserError
from xvr.vla.observation import check_observation
from xvr.vla.resize import to_size


def test_a_fitting_observation_passes():
    check_observation(CONTRACT, observation())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"images": {}}, "camera 'wrist_view': missing"),
        (
            {"images": observation().images | {"top": np.zeros((8, 8, 3), np.uint8)}},
            "camera 'top': the policy never saw it, its cameras are left_view, wrist_view",
        ),
        (
            {"images": observation().images | {"wrist_view": np.zeros((4, 8, 3), np.uint8)}},
            "camera 'wrist_view': uint8 (4, 8, 3), expected uint8 (8, 8, 3)",
        ),
        (
            {"images": observation().images | {"wrist_view": np.zeros((8, 8, 3), np.float32)}},
            "camera 'wrist_view': float32",
        ),
        ({"state": np.zeros(6, np.float32)}, "state: float32 (6,), expected float32 (7,)"),
        ({"state": np.zeros(7)}, "state: float64"),
        ({"state": np.full(7, np.nan, np.float32)}, "state: entry 0 is not finite"),
        ({"instruction": " "}, "instruction: empty"),
    ],
)
def test_what_does_not_fit_is_told(change, told):
    with pytest.raises(UserError) as refused:
        check_observation(CONTRACT, replace(observation(), **change))
    assert told in str(refused.value)


def test_pictures_of_the_right_size_stay_as_they_are():
    image = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    assert to_size(image, 6, 4) is image


def test_a_smaller_picture_is_the_mean_of_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    mean = image.reshape(2, 2, 3, 2, 3).mean(axis=(1, 3))
    assert np.abs(to_size(image, 2, 3) - mean).max() <= 0.5

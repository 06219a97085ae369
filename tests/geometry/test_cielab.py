import cv2
import numpy as np
import pytest

from xvr.geometry.cielab import lab_of_srgb


def test_lab_is_that_of_opencv():
    """Which looks its curves up in a table, so that it is off by up to half a level."""
    levels = np.random.default_rng(0).random((300, 3)) ** 2
    expected = cv2.cvtColor(levels[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    found = [lab_of_srgb(*(100 * level)) for level in levels]
    np.testing.assert_allclose(found, expected, atol=0.6)
    assert np.abs(found - expected).mean() < 0.1


def test_black_and_white_are_at_the_ends_of_lightness():
    assert lab_of_srgb(0.0, 0.0, 0.0) == pytest.approx((0, 0, 0), abs=1e-6)
    assert lab_of_srgb(100.0, 100.0, 100.0) == pytest.approx((100, 0, 0), abs=0.01)

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import seeds
from skimage.metrics import structural_similarity

from xvr.geometry.similarity import correlations, gray_thumbnail, ssim


@given(seeds, st.integers(7, 40), st.integers(7, 40), st.floats(0.0, 1.0))
def test_ssim_agrees_with_scikit_image(seed, height, width, noise):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 256, (height, width), dtype=np.uint8)
    other = rng.integers(0, 256, (height, width))
    b = ((1 - noise) * a + noise * other).astype(np.uint8)
    expected = structural_similarity(a, b, data_range=255)
    found = ssim(a.astype(np.float32), b.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-6)


def test_an_image_is_like_itself_and_like_no_other_order():
    a = np.random.default_rng(0).uniform(0, 255, (20, 30)).astype(np.float32)
    b = np.random.default_rng(1).uniform(0, 255, (20, 30)).astype(np.float32)
    assert ssim(a, a) == pytest.approx(1.0)
    assert ssim(a, b) == pytest.approx(ssim(b, a))
    assert ssim(a, b) < 0.2


@pytest.mark.parametrize("shape", [(480, 640), (64, 64), (5, 400), (100, 100)])
def test_a_thumbnail_has_the_width_asked_for_and_the_mean_of_the_image(shape):
    image = np.full((*shape, 3), (200, 100, 50), np.uint8)
    small = gray_thumbnail(image, 160)
    assert small.shape == (max(7, round(shape[0] * 160 / shape[1])), 160)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, 0.299 * 200 + 0.587 * 100 + 0.114 * 50, atol=1)


def test_correlations_are_those_of_numpy_and_a_flat_image_correlates_with_none():
    thumbnails = np.random.default_rng(0).normal(size=(4, 50))
    np.testing.assert_allclose(correlations(thumbnails), np.corrcoef(thumbnails))
    thumbnails[2] = 7.0
    found = correlations(thumbnails)
    np.testing.assert_array_equal(found[2], 0.0)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(256, 256), (480, 640), (271, 399)])
def test_a_thumbnail_is_the_area_average(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    size = (160, round(shape[0] * 160 / shape[1]))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    expected = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    assert np.abs(gray_thumbnail(image, 160) - expected).max() <= 1

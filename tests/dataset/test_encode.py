import importlib.util

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xvr.dataset import encode as encode_module
from xvr.dataset.encode import ENCODERS, encode, png_encoder_name
from xvr.errors import UserError

images = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


def decode(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(params=["fpng", "opencv"])
def png_encoder(request, monkeypatch):
    """Each PNG encoder in turn; OpenCV's by hiding fpng."""
    if request.param == "opencv":
        real = importlib.util.find_spec
        monkeypatch.setattr(
            encode_module, "find_spec", lambda name: None if name == "fpng" else real(name)
        )
    elif importlib.util.find_spec("fpng") is None:
        pytest.skip("fpng has no wheel for this machine")
    encode_module._png_function.cache_clear()
    yield request.param
    encode_module._png_function.cache_clear()


@pytest.fixture
def smooth():
    """A smooth RGB image of 64 x 48 whose channels differ."""
    rows, columns = np.indices((48, 64))
    return np.stack([rows * 5, columns * 4, 255 - columns * 2 - rows], axis=-1).astype(np.uint8)


def test_png_gives_back_the_same_pixels(png_encoder, smooth):
    assert png_encoder_name() == png_encoder
    assert np.array_equal(decode(encode(smooth, "png")), smooth)


@settings(max_examples=50, deadline=None)
@given(image=images)
def test_png_of_any_size_gives_back_the_same_pixels(image):
    assert np.array_equal(decode(encode(image, "png")), image)


def test_views_of_arrays_are_encoded_as_they_look(png_encoder, smooth):  # noqa: ARG001
    for view in (smooth[:, ::-1], smooth[..., ::-1], smooth[::2], smooth[:, :33]):
        assert np.array_equal(decode(encode(view, "png")), view)
        assert encode(view, "jpeg") == encode(np.ascontiguousarray(view), "jpeg")


def test_jpeg_is_close_to_the_pixels_and_closer_with_more_quality(smooth):
    errors = [np.abs(decode(encode(smooth, "jpeg", q)).astype(int) - smooth) for q in (60, 95)]
    assert errors[1].max() < 16
    assert errors[1].mean() < errors[0].mean()


def test_jpeg_halves_the_resolution_of_colour(smooth):
    data = encode(smooth, "jpeg")
    frame = data.index(b"\xff\xc0")
    # The first component of the frame header is luma: sampled 2 x 2 against 1 x 1 for colour.
    assert data[frame + 11] == 0x22


@pytest.mark.parametrize("name", ENCODERS)
def test_the_same_pixels_give_the_same_bytes(name, smooth):
    assert encode(smooth, name) == encode(smooth.copy(), name)


def test_each_format_has_its_extension():
    assert {name: e.extension for name, e in ENCODERS.items()} == {"png": ".png", "jpeg": ".jpg"}


def test_an_unknown_format_is_answered_with_the_closest_name(smooth):
    with pytest.raises(UserError, match="unknown image format 'jpg': did you mean 'jpeg'"):
        encode(smooth, "jpg")

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from xvr.errors import Unusable
from xvr.sources.pixels import decode_depth, decode_image, image_size, read_depth, read_image


def smooth_image(height: int = 48, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 4, (x + y) * 2], axis=-1).astype(np.uint8)  # RGB


def encode(suffix: str, array: np.ndarray) -> bytes:
    bgr = array[..., ::-1] if array.ndim == 3 and array.shape[2] == 3 else array
    done, data = cv2.imencode(suffix, bgr)
    assert done
    return data.tobytes()


def reason(data: bytes, decode=decode_image) -> str:
    with pytest.raises(Unusable) as caught:
        decode(data, "here")
    assert caught.value.detail.startswith("here")
    return caught.value.reason


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm"])
def test_lossless_images_come_back_as_rgb(suffix: str):
    image = smooth_image()
    np.testing.assert_array_equal(decode_image(encode(suffix, image), "here"), image)


def test_a_jpeg_comes_back_as_rgb():
    decoded = decode_image(simplejpeg.encode_jpeg(smooth_image(), quality=95), "here")
    assert np.abs(decoded.astype(int) - smooth_image()).mean() < 3


def test_grey_jpeg_and_png_become_three_equal_channels():
    grey = smooth_image()[..., 0].copy()
    decoded = decode_image(encode(".png", grey), "here")
    np.testing.assert_array_equal(decoded, np.dstack([grey] * 3))
    jpeg = decode_image(simplejpeg.encode_jpeg(grey[..., None], colorspace="GRAY"), "here")
    assert jpeg.shape == (48, 64, 3)


def test_alpha_is_dropped_and_16_bit_is_narrowed():
    image = smooth_image()
    bgra = np.dstack([image[..., ::-1], np.full(image.shape[:2], 7, np.uint8)])
    np.testing.assert_array_equal(decode_image(encode(".png", bgra), "here"), image)
    deep = image.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(encode(".png", deep), "here"), image)


def test_a_palette_png_is_expanded():
    pillow = pytest.importorskip("PIL.Image")
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4] = (10, 200, 30)
    stream = BytesIO()
    pillow.fromarray(image).convert("P", palette=1).save(stream, "PNG")
    assert np.abs(decode_image(stream.getvalue(), "here").astype(int) - image).max() < 4


def truncations(data: bytes) -> list[bytes]:
    return [data[: len(data) * part // 100] for part in (20, 60, 98)] + [data[:-1]]


@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_refused_at_every_length(progressive: bool):
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    data = cv2.imencode(".jpg", smooth_image(), flags)[1].tobytes()
    for cut in truncations(data):
        assert reason(cut) == "truncated_image"


def test_a_truncated_png_is_refused_at_every_length():
    data = encode(".png", smooth_image())
    for length in range(8, len(data)):
        assert reason(data[:length]) == "truncated_image"


@pytest.mark.parametrize("suffix", [".bmp", ".tiff", ".webp"])
def test_other_truncated_images_are_refused(suffix: str):
    data = encode(suffix, smooth_image())
    assert reason(data[: len(data) // 2]) == "unreadable_image"


def test_a_flipped_bit_in_a_png_is_refused():
    for depth in (False, True):
        array = smooth_image()[..., 0].astype(np.uint16) if depth else smooth_image()
        data = bytearray(encode(".png", array))
        data[len(data) // 2] ^= 1
        content = "depth" if depth else "image"
        found = reason(bytes(data), decode_depth if depth else decode_image)
        assert found == f"unreadable_{content}"


def test_noise_in_a_jpeg_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = bytearray(simplejpeg.encode_jpeg(noise))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff\xd7" * 20
    assert reason(bytes(data)) == "unreadable_image"


def test_text_and_nothing_are_no_images():
    assert reason(b"not an image at all") == "unreadable_image"
    assert reason(b"") == "truncated_image"


def test_a_png_with_impossible_content_is_refused():
    header_only = encode(".png", smooth_image())[:33]
    end = b"\0\0\0\0IEND\xaeB`\x82"
    assert reason(header_only + end) == "unreadable_image"
    assert reason(header_only + end, decode_depth) == "unreadable_depth"


def test_a_uint16_png_keeps_its_numbers():
    raw = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20
    decoded = decode_depth(encode(".png", raw), "here")
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, raw)


def test_a_float_tiff_is_depth():
    raw = np.linspace(0, 4, 48 * 64, dtype=np.float32).reshape(48, 64)
    np.testing.assert_array_equal(decode_depth(encode(".tiff", raw), "here"), raw)


@pytest.mark.parametrize(
    "array", [smooth_image(), smooth_image()[..., 0].copy(), smooth_image().astype(np.uint16)]
)
def test_eight_bits_or_colours_are_no_depth(array: np.ndarray):
    assert reason(encode(".png", array), decode_depth) == "wrong_depth_dtype"


def test_truncated_depth_is_refused():
    data = encode(".png", smooth_image()[..., 0].astype(np.uint16))
    assert {reason(data[:length], decode_depth) for length in (9, 60, len(data) - 1)} == {
        "truncated_depth"
    }


def test_read_depth_gives_metres_with_zero_for_unknown(tmp_path: Path):
    raw = np.array([[0.0, np.nan, np.inf], [-1.0, 2000.0, 500.0]], np.float32)
    (tmp_path / "d.tiff").write_bytes(encode(".tiff", raw))
    depth_m = read_depth(tmp_path / "d.tiff", (3, 2), 0.001)
    np.testing.assert_allclose(depth_m, [[0, 0, 0], [0, 2.0, 0.5]])
    assert depth_m.dtype == np.float32


def test_missing_files_and_wrong_sizes_are_named(tmp_path: Path):
    with pytest.raises(Unusable, match=r"missing_image: .*nothing\.png"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(Unusable, match="missing_depth"):
        read_depth(tmp_path / "nothing.png", (3, 2), 0.001)
    with pytest.raises(Unusable, match="missing_image"):
        image_size(tmp_path / "nothing.png")
    (tmp_path / "a.png").write_bytes(encode(".png", smooth_image()))
    with pytest.raises(Unusable, match=r"wrong_image_size: .*64x48, expected 48x64"):
        read_image(tmp_path / "a.png", (48, 64))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_image_size_is_width_and_height(tmp_path: Path, suffix: str):
    (tmp_path / "a").write_bytes(encode(suffix, smooth_image()))
    assert image_size(tmp_path / "a") == (64, 48)


def test_image_size_of_a_damaged_jpeg_is_refused(tmp_path: Path):
    (tmp_path / "a").write_bytes(encode(".jpg", smooth_image())[:9])
    with pytest.raises(Unusable, match="unreadable_image"):
        image_size(tmp_path / "a")

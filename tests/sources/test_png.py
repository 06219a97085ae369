"""PNG of the two common kinds, written here by hand, filter by filter."""

import struct
import zlib

import cv2
import numpy as np
import pyspng
import pytest

from xvr.sources.png import PNG_SIGNATURE, PngError, decode_png, read_chunks

FILTERS = range(5)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(header: tuple, stream: bytes, parts: int = 1) -> bytes:
    """A file of any header, with its data in several chunks."""
    size = -(-len(stream) // parts)
    data = b"".join(chunk(b"IDAT", stream[n : n + size]) for n in range(0, len(stream), size))
    return (
        PNG_SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
        + data
        + chunk(b"IEND", b"")
    )


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    """Slow twin of the filters, as the specification words them."""
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda near: abs(guess - near))
    return (0, left, up, (left + up) // 2)[kind]


def filtered(rows: np.ndarray, step: int, kinds: list[int]) -> bytes:
    """Bytes of rows with a filter each."""
    before = np.zeros((rows.shape[0] + 1, rows.shape[1] + step), int)
    before[1:, step:] = rows
    stream = bytearray()
    for y, kind in enumerate(kinds):
        stream.append(kind)
        for x in range(rows.shape[1]):
            around = before[y + 1, x], before[y, x + step], before[y, x]
            stream.append((int(rows[y, x]) - predicted(kind, *map(int, around))) % 256)
    return bytes(stream)


def rgb(kinds: list[int]) -> tuple[np.ndarray, bytes]:
    image = np.random.default_rng(len(kinds)).integers(0, 256, (len(kinds), 9, 3), np.uint8)
    stream = zlib.compress(filtered(image.reshape(len(kinds), -1), 3, kinds))
    return image, png((9, len(kinds), 8, 2, 0, 0, 0), stream, parts=3)


@pytest.mark.parametrize("kind", FILTERS)
def test_every_filter_is_undone_in_the_first_row_and_below_it(kind: int):
    image, data = rgb([kind, kind, kind])
    np.testing.assert_array_equal(decode_png(read_chunks(data)), image)
    np.testing.assert_array_equal(pyspng.load(data), image)


@pytest.mark.parametrize("kind", FILTERS)
def test_depth_keeps_both_bytes_of_its_numbers(kind: int):
    depth = np.random.default_rng(kind).integers(0, 65536, (4, 7)).astype(np.uint16)
    rows = depth.astype(">u2").view(np.uint8).reshape(4, -1)
    data = png((7, 4, 16, 0, 0, 0, 0), zlib.compress(filtered(rows, 2, [kind] * 4)))
    found = decode_png(read_chunks(data))
    np.testing.assert_array_equal(found, depth)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), -1), depth)


def test_filters_may_change_from_row_to_row():
    image, data = rgb([4, 0, 3, 1, 2, 4, 4, 1])
    np.testing.assert_array_equal(decode_png(read_chunks(data)), image)


@pytest.mark.parametrize(
    "header", [(4, 4, 8, 0, 0, 0, 0), (4, 4, 8, 6, 0, 0, 0), (4, 4, 8, 2, 0, 0, 1)]
)
def test_other_kinds_are_left_to_other_decoders(header: tuple):
    """Grey of 8 bits, transparency, interlacing."""
    assert decode_png(read_chunks(png(header, zlib.compress(bytes(99))))) is None


@pytest.mark.parametrize(
    "stream",
    [
        zlib.compress(bytes(40)),
        zlib.compress(bytes(53)),
        zlib.compress(b"\x05" + bytes(51)),
        zlib.compress(bytes(52))[:-3] + b"abc",
        b"no stream",
    ],
    ids=["too short", "too long", "unknown filter", "wrong checksum", "no zlib stream"],
)
def test_damaged_pixels_are_refused(stream: bytes):
    """4 x 4 pixels are 52 bytes."""
    assert decode_png(read_chunks(png((4, 4, 8, 2, 0, 0, 0), zlib.compress(bytes(52))))) is not None
    with pytest.raises(PngError):
        decode_png(read_chunks(png((4, 4, 8, 2, 0, 0, 0), stream)))


def test_a_file_that_is_cut_or_changed_has_no_chunks():
    _, data = rgb([0, 1])
    with pytest.raises(PngError, match="ends after") as caught:
        read_chunks(data[:-5])
    assert caught.value.truncated
    with pytest.raises(PngError, match="wrong checksum") as caught:
        read_chunks(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    assert not caught.value.truncated

"""`tf.train.Example` messages, taken apart without TensorFlow or protobuf and without copying.

    Example { Features features = 1; }      Features { map<string, Feature> feature = 1; }
    Feature { oneof: BytesList = 1; FloatList = 2; Int64List = 3; }, each a repeated `value = 1`

A feature is where its values lie; they are decoded when asked for.

    features = parse_example(buffer, start, end)
    state = features["steps/observation/state"].floats()
    jpeg = bytes(buffer[slice(*features["steps/observation/image_0"].spans[7])])

Sources: https://github.com/tensorflow/tensorflow, tensorflow/core/example/feature.proto and
example.proto; https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from xvr.sources.tfrecord import Span

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""
_KINDS: tuple[Literal["bytes", "floats", "ints"], ...] = ("bytes", "floats", "ints")


class BadMessage(ValueError):
    """Bytes that are no `tf.train.Example`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Feature:
    """The values of one feature."""

    kind: Literal["bytes", "floats", "ints"]
    buffer: memoryview
    spans: tuple[Span, ...]
    """Where values lie: one each for bytes, and any number of runs of floats or of varints."""

    def strings(self) -> list[bytes]:
        """Values of a feature of bytes."""
        return [bytes(self.buffer[start:end]) for start, end in self._of("bytes")]

    def floats(self) -> Float32[np.ndarray, " n"]:
        """Values of a feature of floats; float64 was rounded when it was written."""
        return np.frombuffer(self._joined("floats"), "<f4").astype(np.float32)

    def ints(self) -> Int64[np.ndarray, " n"]:
        """Values of a feature of integers or truth values."""
        data = np.frombuffer(self._joined("ints"), np.uint8)
        ends = np.flatnonzero(data < 128)
        if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
            raise BadMessage("an integer has no end")
        starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
        place = np.arange(len(data)) - np.repeat(starts, ends - starts + 1)
        if len(place) and place.max() > 9:
            raise BadMessage("an integer is longer than 10 bytes")
        parts = (data & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
        return np.add.reduceat(parts, starts).astype(np.int64) if len(ends) else ends

    def _joined(self, kind: str) -> bytes:
        return b"".join(self.buffer[start:end] for start, end in self._of(kind))

    def _of(self, kind: str) -> tuple[Span, ...]:
        if self.kind != kind and self.spans:
            raise BadMessage(f"holds {self.kind}, expected {kind}")
        return self.spans


def parse_example(buffer: memoryview, start: int, end: int) -> dict[str, Feature]:
    """The features of the message between two places of a buffer, by name.

    Raises:
        BadMessage: the bytes are something else.
    """
    found: dict[str, Feature] = {}
    for number, _, features in _fields(buffer, start, end):
        if number != 1:
            continue
        for _, _, entry in _fields(buffer, *features):
            parts = {number: span for number, _, span in _fields(buffer, *entry)}
            if 1 in parts and 2 in parts:
                try:
                    name = bytes(buffer[slice(*parts[1])]).decode()
                except UnicodeDecodeError as error:
                    raise BadMessage(f"a name is not text: {error}") from error
                found[name] = _feature(buffer, parts[2])
    return found


def _feature(buffer: memoryview, span: Span) -> Feature:
    for number, wire, values in _fields(buffer, *span):
        if 1 <= number <= len(_KINDS) and wire == LENGTH:
            spans = tuple(part for field, _, part in _fields(buffer, *values) if field == 1)
            return Feature(kind=_KINDS[number - 1], buffer=buffer, spans=spans)
    return Feature(kind="bytes", buffer=buffer, spans=())


def _fields(buffer: memoryview, start: int, end: int) -> Iterator[tuple[int, int, Span]]:
    """Number, wire type and content of each field of a message."""
    place = start
    while place < end:
        key, place = _varint(buffer, place, end)
        wire, begin = key & 7, place
        if wire == LENGTH:
            length, begin = _varint(buffer, place, end)
            place = begin + length
        elif wire == VARINT:
            _, place = _varint(buffer, place, end)
        elif wire in (FIXED32, FIXED64):
            place += 4 if wire == FIXED32 else 8
        else:
            raise BadMessage(f"unknown wire type {wire} at byte {begin}")
        if place > end:
            raise BadMessage(f"a field at byte {begin} ends after its message")
        yield key >> 3, wire, Span(begin, place)


def _varint(buffer: memoryview, place: int, end: int) -> tuple[int, int]:
    """An integer and the place after it."""
    value = shift = 0
    while place < end and shift < 70:
        byte = buffer[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
    raise BadMessage(f"an integer at byte {place} has no end")

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from write_rlds import example, field, varint

from xvr.sources.tf_example import BadMessage, Feature, parse_example


def parse(data: bytes) -> dict[str, Feature]:
    return parse_example(memoryview(data), 0, len(data))


def with_list(number: int, content: bytes) -> bytes:
    """An example whose feature `a` holds a list of this kind with this content."""
    return field(1, field(1, field(1, b"a") + field(2, field(number, content))))


def test_features_come_back_as_they_were_written():
    floats = np.array([0.5, -1.25, 3e9], np.float32)
    ints = np.array([0, 1, 127, 128, 2**40, -1, -(2**63), 2**63 - 1])
    features = parse(
        example({"steps/a": floats, "b": ints, "c": [b"x", b"", b"\0\0"], "d": np.array([True])})
    )
    assert features["steps/a"].floats().tolist() == floats.tolist()
    assert features["b"].ints().tolist() == ints.tolist()
    assert features["c"].strings() == [b"x", b"", b"\0\0"]
    assert features["d"].ints().tolist() == [1]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_any_integers_come_back(values: list[int]):
    assert parse(example({"a": np.array(values, np.int64)}))["a"].ints().tolist() == values


def test_numbers_that_are_not_packed_are_read_too():
    floats = b"".join(varint(1 << 3 | 5) + np.float32(x).tobytes() for x in (1.5, -2.0))
    assert parse(with_list(2, floats))["a"].floats().tolist() == [1.5, -2.0]
    ints = b"".join(varint(1 << 3) + varint(x) for x in (300, 5))
    assert parse(with_list(3, ints))["a"].ints().tolist() == [300, 5]


def test_unknown_fields_are_passed_over():
    extra = varint(9 << 3 | 1) + bytes(8) + varint(7 << 3) + varint(1)
    data = extra + with_list(1, extra + field(1, b"text")) + field(2, b"sequence")
    assert parse(data)["a"].strings() == [b"text"]


def test_a_feature_without_values_is_empty_in_every_kind():
    feature = parse(field(1, field(1, field(1, b"a") + field(2, b""))))["a"]
    assert feature.strings() == []
    assert len(feature.floats()) == len(feature.ints()) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\xff",
        b"\x0a\x05abc",
        b"\x0b",
        b"\xff" * 12,
        with_list(1, b"\x0a\x09x"),
        field(1, field(1, field(1, b"\xff\xfe") + field(2, b""))),
    ],
)
def test_what_is_no_example_is_refused(data: bytes):
    with pytest.raises(BadMessage):
        parse(data)


def test_the_wrong_kind_and_endless_integers_are_refused():
    with pytest.raises(BadMessage, match="holds bytes, expected floats"):
        parse(example({"a": [b"text"]}))["a"].floats()
    with pytest.raises(BadMessage, match="no end"):
        parse(with_list(3, field(1, b"\x80")))["a"].ints()
    with pytest.raises(BadMessage, match="longer than 10"):
        parse(with_list(3, field(1, b"\x80" * 10 + b"\x01")))["a"].ints()


@given(st.binary(max_size=60))
def test_random_bytes_are_parsed_or_refused(data: bytes):
    with suppress(BadMessage):
        parse(data)

"""Messages between a policy and who asks it: what comes back is what was sent, or it is refused."""

import pickle

import msgpack
import numpy as np
import pytest

from xvr.vla.observation import Observation
from xvr.vla.wire import (
    BadMessage,
    generator_to_wire,
    observation_to_wire,
    pack,
    unpack,
    wire_to_generator,
    wire_to_observation,
)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(3,), (2, 4, 3), (0,), (1, 2, 3, 4)])
def test_an_array_comes_back_to_the_bit(dtype, shape):
    sent = np.random.default_rng(0).uniform(0, 255, shape).astype(dtype)
    got = unpack(pack({"it": [sent]}))["it"][0]
    assert got.dtype == sent.dtype
    assert got.shape == sent.shape
    assert got.tobytes() == sent.tobytes()


def test_an_observation_and_a_generator_come_back():
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    sent = Observation(images={"a": image}, state=np.ones(2, np.float32), instruction="go")
    got = wire_to_observation(unpack(pack({"it": observation_to_wire(sent)}))["it"])
    assert got.instruction == "go"
    np.testing.assert_array_equal(got.images["a"], image)
    rng = np.random.default_rng([1, 2, 3])
    other = wire_to_generator(generator_to_wire(rng))
    np.testing.assert_array_equal(rng.normal(size=9), other.normal(size=9))


@pytest.mark.parametrize("value", [np.int64(1), np.zeros(2), {1, 2}, object()])
def test_what_is_not_of_the_protocol_is_not_sent(value):
    with pytest.raises(TypeError, match="cannot be sent"):
        pack({"it": value})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        "text",
        pickle.dumps({"observations": []}),
        msgpack.packb([1, 2]),
        msgpack.packb({"a": 1})[:-1],
        msgpack.packb({"it": msgpack.ExtType(5, b"code")}),
        msgpack.packb({"it": {"array": ["object", [1], b"12345678"]}}),
        msgpack.packb({"it": {"array": ["float32", [2], b"1234"]}}),
        msgpack.packb({"it": {"array": ["float32", [-1], b""]}}),
        msgpack.packb({"it": {"array": ["uint8", [2**40, 0], b""]}}),
        msgpack.packb({"it": {"array": ["uint8", [1] * 9, b"1"]}}),
        msgpack.packb({"it": {"array": 5}}),
        msgpack.packb({"it": list(range(5000))}),
        b"\x81\xa2it" + b"\x91" * 100_000 + b"\xc0",
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(BadMessage):
        unpack(data)


@pytest.mark.parametrize("content", [None, 5, {}, {"images": {}, "state": [1], "instruction": "a"}])
def test_what_is_no_observation_is_refused(content):
    with pytest.raises(BadMessage):
        wire_to_observation(content)


@pytest.mark.parametrize("content", [None, ["1"], ["a", "b"], [str(2**200), "1"], ["-1", "1"]])
def test_what_is_no_generator_is_refused(content):
    with pytest.raises(BadMessage):
        wire_to_generator(content)

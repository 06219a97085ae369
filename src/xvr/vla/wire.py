"""Messages between a policy and who asks it: msgpack, numpy arrays as plain bytes, never pickle.

An array travels as `{"array": [dtype, shape, bytes]}` with a dtype of `DTYPES`; everything is
checked before an array is made of it. What is longer than the limits is refused unread.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from xvr.errors import UserError
from xvr.vla.observation import Observation

PROTOCOL = 1
"""Changes when messages do."""

MAX_MESSAGE_BYTES = 64 * 2**20
MAX_BATCH = 64
"""Observations in one message."""

_MAX_TEXT, _MAX_ITEMS = 2**20, 4096
DTYPES = ("uint8", "float32")


class BadMessage(Exception):
    """What came is no message of this protocol."""


def pack(message: Mapping[str, Any]) -> bytes:
    """A message as bytes."""
    import msgpack

    packed = msgpack.packb(message, default=_array_to_wire, use_bin_type=True)
    assert packed is not None
    return packed


def unpack(data: bytes | str) -> dict[str, Any]:
    """A message of bytes that nobody vouches for.

    Raises:
        BadMessage: it is none, or too large.
    """
    import msgpack

    if not isinstance(data, bytes):
        raise BadMessage("text where bytes were expected")
    try:
        message = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            object_hook=_wire_to_array,
            max_str_len=_MAX_TEXT,
            max_bin_len=MAX_MESSAGE_BYTES,
            max_array_len=_MAX_ITEMS,
            max_map_len=_MAX_ITEMS,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise BadMessage(f"not readable: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("no map")
    return message


def observation_to_wire(observation: Observation) -> dict[str, Any]:
    """An observation as a part of a message."""
    return {
        "images": dict(observation.images),
        "state": observation.state,
        "instruction": observation.instruction,
    }


def wire_to_observation(content: Any) -> Observation:
    """The observation that was sent; what is in it is checked by the policy's contract.

    Raises:
        BadMessage: it is none.
    """
    try:
        images, state, instruction = (content[name] for name in ("images", "state", "instruction"))
        fits = isinstance(state, np.ndarray) and isinstance(instruction, str)
        if not fits or not all(isinstance(image, np.ndarray) for image in images.values()):
            raise BadMessage("an observation has arrays as images and state, and an instruction")
    except (TypeError, KeyError, AttributeError) as error:
        raise BadMessage(f"no observation: {error!r}") from error
    return Observation(images=images, state=state, instruction=instruction)


def generator_to_wire(rng: np.random.Generator) -> list[str]:
    """The state of a generator: its numbers have 128 bits, more than msgpack has."""
    state = rng.bit_generator.state
    if state["bit_generator"] != "PCG64" or state["has_uint32"]:
        raise UserError("only fresh generators of numpy's default kind can be sent")
    return [str(state["state"]["state"]), str(state["state"]["inc"])]


def wire_to_generator(content: Any) -> np.random.Generator:
    """A generator in the state that was sent.

    Raises:
        BadMessage: it is none.
    """
    try:
        state, increment = (int(str(number)[:40]) for number in content)
        if not 0 <= min(state, increment) <= max(state, increment) < 2**128:
            raise BadMessage("no generator: a number is out of range")
        bits = np.random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
    except (TypeError, ValueError, OverflowError) as error:
        raise BadMessage(f"no generator: {error}") from error
    return np.random.Generator(bits)


def _array_to_wire(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    if value.dtype.name not in DTYPES:
        raise TypeError(f"arrays of {value.dtype} cannot be sent, only {', '.join(DTYPES)}")
    return {"array": [value.dtype.name, list(value.shape), np.ascontiguousarray(value).tobytes()]}


def _wire_to_array(content: dict[str, Any]) -> Any:
    if set(content) != {"array"}:
        return content
    try:
        name, shape, data = content["array"]
    except (TypeError, ValueError) as error:
        raise ValueError("an array has a dtype, a shape and bytes") from error
    if name not in DTYPES or not isinstance(data, bytes) or not isinstance(shape, list):
        raise ValueError(f"no array: {name!r}")
    if len(shape) > 4 or not all(isinstance(side, int) and 0 <= side < 2**16 for side in shape):
        raise ValueError(f"no shape of an array: {shape!r}")
    count = 1
    for side in shape:
        count *= side
    dtype = np.dtype(name).newbyteorder("<")
    if count * dtype.itemsize != len(data):
        raise ValueError(f"{len(data)} bytes for an array of {shape}")
    return np.frombuffer(data, dtype).reshape(shape).astype(name)

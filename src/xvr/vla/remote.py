"""A policy on the other side of a websocket; `xvr vla serve` is what answers.

policy = RemotePolicy("ws://127.0.0.1:8765")
chunk = policy.act([observation], [rng])[0]
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from xvr.errors import UserError
from xvr.vla.contract import Contract
from xvr.vla.observation import Observation, check_observation
from xvr.vla.policy import Chunks
from xvr.vla.wire import (
    MAX_BATCH,
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    BadMessage,
    generator_to_wire,
    observation_to_wire,
    pack,
    unpack,
)

_ANSWER_S = 300.0
"""A large model on a slow machine may take so long."""


class RemotePolicy:
    """Asks a server; close it."""

    def __init__(self, url: str, offers: Contract | None = None) -> None:
        """Connects and shakes hands.

        Args:
            url: such as `ws://127.0.0.1:8765`.
            offers: what the asking side has; the server refuses what does not fit. None when the
                asking side compares by itself.

        Raises:
            UserError: nobody answers there, or the server refuses.
        """
        try:
            from websockets.exceptions import WebSocketException
            from websockets.sync.client import connect
        except ImportError as error:
            raise UserError(f'asking a server needs: pip install "xvr[vla]" ({error})') from error
        self._open = ExitStack()
        self._url, self._gone = url, (WebSocketException, OSError, EOFError, TimeoutError)
        try:
            connecting = connect(url, max_size=MAX_MESSAGE_BYTES, compression=None)
            self._link: Any = self._open.enter_context(connecting)
        except (*self._gone, ValueError) as error:
            raise UserError(
                f"no policy answers at {url} ({error or type(error).__name__}): start it with "
                "xvr vla serve, and name it as remote:ws://HOST:PORT"
            ) from error
        try:
            self._shake_hands(offers)
        except UserError:
            self.close()
            raise

    def _shake_hands(self, offers: Contract | None) -> None:
        hello = self._received()
        if hello.get("protocol") != PROTOCOL:
            raise UserError(
                f"{self._url} speaks protocol {hello.get('protocol')!r}, this is {PROTOCOL}: "
                "install the same version of xvr on both sides"
            )
        self.contract = Contract.from_json(hello["contract"])
        """Of the policy."""
        self.revision = str(hello["revision"])
        """Of its files."""
        offered = None if offers is None else offers.to_json()
        self._send({"protocol": PROTOCOL, "contract": offered})
        self._received()

    def act(
        self, observations: Sequence[Observation], rngs: Sequence[np.random.Generator]
    ) -> Chunks:
        """A chunk of actions for each observation, worked out by the server.

        Raises:
            UserError: an observation is not what the contract says, or the server is gone.
        """
        for observation in observations:
            check_observation(self.contract, observation)
        starts = range(0, len(observations), MAX_BATCH)
        return np.concatenate(
            [self._asked(observations[i : i + MAX_BATCH], rngs[i : i + MAX_BATCH]) for i in starts]
        )

    def _asked(
        self, observations: Sequence[Observation], rngs: Sequence[np.random.Generator]
    ) -> Chunks:
        """The answer to one message."""
        self._send(
            {
                "observations": [observation_to_wire(one) for one in observations],
                "rngs": [generator_to_wire(rng) for rng in rngs],
            }
        )
        chunks = self._received().get("chunks")
        shape = (len(observations), self.contract.chunk, self.contract.action_dims)
        if not isinstance(chunks, np.ndarray) or chunks.shape != shape:
            raise UserError(f"{self._url} answered with no actions of shape {shape}")
        return chunks

    def save(self, folder: Path) -> None:
        """Not from here.

        Raises:
            UserError: always.
        """
        raise UserError(f"the policy at {self._url} can only be saved where it is, not to {folder}")

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._link.send(pack(message))
        except self._gone as error:
            raise self._lost(error) from error

    def _received(self) -> dict[str, Any]:
        try:
            message = unpack(self._link.recv(timeout=_ANSWER_S))
        except BadMessage as error:
            raise UserError(f"{self._url} is no server of xvr: {error}") from error
        except self._gone as error:
            raise self._lost(error) from error
        if "error" in message:
            raise UserError(f"{self._url} refused: {message['error']}")
        return message

    def _lost(self, error: Exception) -> UserError:
        reason = str(error) or type(error).__name__
        return UserError(
            f"the policy at {self._url} is gone ({reason}); finished episodes are kept: start the "
            "server again and run the same command"
        )

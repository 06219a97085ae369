"""A policy behind a websocket: `xvr vla serve`. Who asks may live in another Python or machine.

The server speaks first: its protocol, version, the policy's contract and the revision of its files.
The other side answers with what it offers (a contract, or nothing when it adapts by itself); where
that differs from the policy's, it is told field by field and the connection ends. Then every
message holds observations and generators, every answer a chunk of actions for each.

Only this machine is listened to unless told otherwise: there is no password.

    with serving(policy, revision, "127.0.0.1", 0) as (server, port):
        server.serve_forever()
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xvr import __version__
from xvr.errors import UserError
from xvr.vla.contract import Contract
from xvr.vla.policy import Policy
from xvr.vla.wire import (
    MAX_BATCH,
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    BadMessage,
    pack,
    unpack,
    wire_to_generator,
    wire_to_observation,
)

_log = logging.getLogger(__name__)


@contextmanager
def serving(policy: Policy, revision: str, host: str, port: int) -> Iterator[tuple[Any, int]]:
    """A server that listens, and the port that it has; `serve_forever` of it does the work.

    Args:
        policy: who answers; asked by one connection at a time.
        revision: of the policy's files.
        host: whom to listen to: `127.0.0.1` is this machine only.
        port: 0 takes a free one.

    Raises:
        UserError: it cannot listen there.
    """
    try:
        from websockets.sync.server import serve
    except ImportError as error:
        raise UserError(f'serving needs websockets: pip install "xvr[vla]" ({error})') from error

    turn = threading.Lock()

    def talk(connection: Any) -> None:
        _talk(connection, policy, revision, turn)

    try:
        # No origin: a page in somebody's browser may not ask.
        server = serve(
            talk, host, port, max_size=MAX_MESSAGE_BYTES, compression=None, origins=[None]
        )
    except OSError as error:
        raise UserError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    with server:
        yield server, int(server.socket.getsockname()[1])


def _talk(connection: Any, policy: Policy, revision: str, turn: threading.Lock) -> None:
    from websockets.exceptions import ConnectionClosed

    who = connection.remote_address
    try:
        connection.send(pack(_hello(policy.contract, revision)))
        _check_hello(unpack(connection.recv()), policy.contract)
        connection.send(pack({"ready": True}))
        for data in connection:
            with turn:
                reply = _answer(policy, unpack(data))
            connection.send(pack(reply))
    except (UserError, BadMessage) as error:
        _log.warning("refused %s: %s", who, error)
        connection.send(pack({"error": str(error)}))
        connection.close(1008, "refused")
    except ConnectionClosed as error:
        _log.info("%s hung up: %s", who, error)


def _hello(contract: Contract, revision: str) -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "contract": contract.to_json(),
        "hash": contract.hash,
        "revision": revision,
    }


def _check_hello(message: dict[str, Any], contract: Contract) -> None:
    if message.get("protocol") != PROTOCOL:
        raise UserError(
            f"the server speaks protocol {PROTOCOL}, you speak {message.get('protocol')!r}: "
            "install the same version of xvr on both sides"
        )
    if message.get("contract") is not None:
        if not isinstance(message["contract"], dict):
            raise BadMessage("the contract is no map")
        Contract.from_json(message["contract"]).require(contract, "the client")


def _answer(policy: Policy, message: dict[str, Any]) -> dict[str, Any]:
    observations, rngs = message.get("observations"), message.get("rngs")
    if not isinstance(observations, list) or not isinstance(rngs, list):
        raise BadMessage("a question has observations and rngs")
    if len(observations) != len(rngs) or not 1 <= len(rngs) <= MAX_BATCH:
        raise BadMessage(f"{len(observations)} observations, {len(rngs)} generators")
    chunks = policy.act(
        [wire_to_observation(one) for one in observations],
        [wire_to_generator(one) for one in rngs],
    )
    return {"chunks": chunks}

"""The sessions on an address of this machine."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from xvr.errors import UserError
from xvr.evaluation.human.app import make_app
from xvr.evaluation.human.session import Session


def serve(
    sessions: Sequence[Session],
    title: str,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C.

    Args:
        sessions: one of each annotator.
        title: shown above the questions.
        host: address or name of this machine to listen on.
        port: to listen on; 0 takes a free one.
        ready: called with the address of the page when it can be opened.

    Raises:
        UserError: the package is missing, or the address cannot be listened on.
    """
    app = make_app(sessions, title, frozenset({host.lower(), socket.gethostname().lower()}))
    import uvicorn

    with _listen(host, port) as listener:
        listening = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
        )
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listener.getsockname()[1]}/")
        listening.run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UserError(
            f"cannot listen on {host} port {port}: {error}; choose another --port (0: a free one)"
        ) from error

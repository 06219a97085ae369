"""A server of chat completions on this machine that misbehaves as it is told.

A script is called with the item and the number of the try, from 1, and gives a `Reply`.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    status: int = 200
    content: Any = None
    """JSON, or bytes as they are."""
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    cut: int | None = None
    """Breaks the connection after so many bytes of the content."""


def completion(text: Any, reason: str = "stop") -> dict[str, Any]:
    return {
        "model": "served",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
    }


Script = Callable[[str, int], Reply]


def always(reply: Reply) -> Script:
    return lambda item, number: reply  # noqa: ARG005


@dataclass
class Served:
    url: str
    requests: list[dict[str, Any]]
    headers: list[dict[str, str]]
    tries: Counter[str]
    """Per item."""


@contextmanager
def chat_server(script: Script, port: int = 0) -> Iterator[Served]:
    served = Served("", [], [], Counter())
    lock = threading.Lock()
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            item = _item(request)
            with lock:
                served.requests.append(request)
                served.headers.append(dict(self.headers))
                served.tries[item] += 1
                number = served.tries[item]
            reply = script(item, number)
            time.sleep(reply.after_s)
            content = reply.content
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """The client went away, as it should after a timeout."""

    server = Server(("127.0.0.1", port), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        for connection in connections:  # as when the process dies; else they are served on
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join()


def _item(request: dict[str, Any]) -> str:
    """The item's id, which the tests put last."""
    return request["messages"][0]["content"][-1]["text"].split()[-1]

"""`openai:MODEL[@URL]` and `vllm:MODEL[@URL]`: any server that speaks OpenAI's chat completions.

A question is one user message: its texts and images as blocks, in order, images as data URIs.
Threads share one client. What may pass is tried again: lost connections, timeouts, too many
requests, errors of the server, replies that are no completions. A wrong key, model or address ends
the run.

The key comes from `OPENAI_API_KEY` (`vllm:` takes `VLLM_API_KEY`) and is written nowhere; it is
also cut out of what a server says.
"""

import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from xvr.errors import UserError
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.chat_reply import read_reply
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.remote import Tries, Trouble
from xvr.evaluation.models.sent_images import data_uri

OPENAI_URL = "https://api.openai.com/v1"
VLLM_URL = "http://localhost:8000/v1"
LONGEST_REPLY = 32 * 2**20
"""Bytes; no answer is longer."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Whom to ask."""

    model: str
    url: str
    """Without `/chat/completions`."""
    key: str | None
    key_name: str
    """The environment variable of the key."""


def make(rest: str, options: ModelOptions) -> "ChatModel":
    """The model of `openai:REST`.

    Raises:
        UserError: no key for OpenAI itself, an address that is none, or a missing package.
    """
    server = _server(rest, options, default=OPENAI_URL, key_name="OPENAI_API_KEY")
    if server.url == OPENAI_URL and not server.key:
        raise UserError(f"openai:{rest} needs a key: set OPENAI_API_KEY, or name another server")
    return ChatModel(f"openai:{rest}", server, options)


def make_vllm(rest: str, options: ModelOptions) -> "ChatModel":
    """The model of `vllm:REST`; the server is on this machine unless told otherwise."""
    server = _server(rest, options, default=VLLM_URL, key_name="VLLM_API_KEY")
    return ChatModel(f"vllm:{rest}", server, options)


class ChatModel:
    """A model behind a server; `answer` is called from several threads."""

    batch_size = 1
    revision = ""

    def __init__(self, name: str, server: Server, options: ModelOptions) -> None:
        """Opens no connection yet."""
        if find_spec("httpx") is None:
            raise UserError(f'{name} needs httpx; install it with: pip install "xvr[api]"')
        import httpx

        if options.min_image_pixels:
            raise UserError(f"{name}: --min-image-pixels is for hf: models; leave it out")
        self.name = name
        self.concurrency = options.concurrency
        self.decoding = _decoding(options)
        self._server = server
        self._options = options
        self._tries = Tries(server.url, options)
        headers = {"Content-Type": "application/json"}
        if server.key:
            headers["Authorization"] = f"Bearer {server.key}"
        self._client = httpx.Client(
            headers=headers,
            timeout=options.timeout_s,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        )

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """One answer or failure for each prompt, in order.

        Raises:
            UserError: a wrong key, model or address, no credit, a server that does not answer at
                all, or an image that cannot be read; other threads then raise it too.
        """
        return [self._ask(prompt) for prompt in prompts]

    def close(self) -> None:
        """Ends waits and connections; a thread that still asks gets a failure."""
        self._tries.stop()
        self._client.close()

    def _ask(self, prompt: Prompt) -> Answer | Failure:
        body = self._body(prompt)
        return self._tries.ask(lambda: self._post(body))

    def _post(self, body: bytes) -> Answer | Trouble:
        """One request."""
        import httpx

        try:
            status, headers, content = self._exchange(body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Trouble(kind="unreachable", message=self._clean(error), passing=True)
        except (httpx.TimeoutException, TimeoutError):
            message = f"no answer within {self._options.timeout_s:g} s"
            return Trouble(kind="timeout", message=message, passing=True)
        except httpx.HTTPError as error:
            return Trouble(kind="connection_lost", message=self._clean(error), passing=True)
        except RuntimeError:
            if not self._tries.are_stopped:
                raise
            return Trouble(kind="stopped", message="the run was stopped")  # the client is closed
        try:
            found = read_reply(status, headers, content)
        except UserError as error:
            message = f"{self._server.url}: {self._clean(error)}; {self._what_to_check()}"
            raise UserError(message) from error
        if isinstance(found, Trouble):
            return replace(found, message=self._clean(found.message))
        return found

    def _exchange(self, body: bytes) -> tuple[int, Any, bytes]:
        """Sends and reads; httpx limits each wait, and this the whole."""
        ends_s = time.monotonic() + self._options.timeout_s
        content = bytearray()
        url = f"{self._server.url}/chat/completions"
        with self._client.stream("POST", url, content=body) as reply:
            for chunk in reply.iter_bytes():
                content += chunk
                if time.monotonic() > ends_s or len(content) > LONGEST_REPLY:
                    raise TimeoutError
            return reply.status_code, reply.headers, bytes(content)

    def _body(self, prompt: Prompt) -> bytes:
        limit = "max_completion_tokens" if self._server.url == OPENAI_URL else "max_tokens"
        blocks = [self._block(part) for part in prompt.parts if part != ""]
        request: dict[str, Any] = {
            "model": self._server.model,
            "messages": [{"role": "user", "content": blocks}],
            limit: self._options.max_new_tokens,
        }
        for name in ("temperature", "seed"):
            if name in self.decoding:
                request[name] = self.decoding[name]
        return json.dumps(request).encode()

    def _block(self, part: str | Picture) -> dict[str, Any]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        uri = data_uri(part, self._options.max_image_pixels)
        return {"type": "image_url", "image_url": {"url": uri}}

    def _what_to_check(self) -> str:
        key = f"{self._server.key_name}, which is {'' if self._server.key else 'not '}set"
        return f"check the model {self._server.model!r}, the address and {key}"

    def _clean(self, error: object) -> str:
        """A message without the key, should the server have said it."""
        text = " ".join(str(error).split()) or type(error).__name__
        return text.replace(self._server.key, "***") if self._server.key else text


def _server(rest: str, options: ModelOptions, *, default: str, key_name: str) -> Server:
    model, _, url = rest.partition("@http")
    url = f"http{url}" if url else options.base_url or default
    if options.base_url and url != options.base_url:
        raise UserError(
            f"{rest!r} and --base-url {options.base_url} name two servers; leave one out"
        )
    if re.search(r"@[\w.-]+:\d+", model):
        raise UserError(f"model {rest!r}: write the address with http:// or https://")
    key = os.environ.get(key_name, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise UserError(f"{key_name} holds spaces or letters that no key has; set it again")
    return Server(model=model, url=_whole_url(url), key=key or None, key_name=key_name)


def _whole_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        named = parts.port is None or parts.port > 0
    except ValueError:
        parts, named = urlsplit(""), False
    if not named or parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{text!r} is no address of a server; write http://HOST:PORT/v1")
    if parts.username or parts.password or parts.query:
        # The address goes into the records of the run.
        raise UserError(f"the address of {parts.hostname} holds a password or query: leave it out")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _decoding(options: ModelOptions) -> dict[str, Any]:
    decoding: dict[str, Any] = {"max_new_tokens": options.max_new_tokens}
    if options.temperature is not None:
        decoding["temperature"] = options.temperature
    if options.temperature:  # some servers refuse a seed, and greedy answers need none
        decoding["seed"] = options.seed
    if options.max_image_pixels:
        decoding["max_image_pixels"] = options.max_image_pixels
    return decoding

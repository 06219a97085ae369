"""`anthropic:MODEL`, `google:MODEL`, `inspect:PROVIDER/MODEL`: through Inspect's model layer.

Only the layer that talks to providers is used (inspect.aisi.org.uk/models.html): it knows their
formats, keys and parameters. Prompts, retries, records and scores stay ours; its cache is off. A
question is one user message, its texts and images in order, images as data URIs.

Inspect turns some errors of a provider into the text of an answer ("prompt is too long"); they are
failures here.
"""

import asyncio
import math
import re
from collections.abc import Sequence
from concurrent.futures import CancelledError
from importlib.util import find_spec
from threading import Thread
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.remote import Tries, Trouble, trouble_of_status
from xvr.evaluation.models.sent_images import data_uri

WITHOUT_TEMPERATURE = {"anthropic"}
"""Providers whose newer models refuse one; Inspect leaves it out and so does the record."""


def make_anthropic(rest: str, options: ModelOptions) -> "InspectModel":
    """The model of `anthropic:MODEL`; the key is in `ANTHROPIC_API_KEY`."""
    return InspectModel(f"anthropic:{rest}", f"anthropic/{rest}", options)


def make_google(rest: str, options: ModelOptions) -> "InspectModel":
    """The model of `google:MODEL`; the key is in `GOOGLE_API_KEY`."""
    return InspectModel(f"google:{rest}", f"google/{rest}", options)


def make(rest: str, options: ModelOptions) -> "InspectModel":
    """The model of `inspect:PROVIDER/MODEL`, as Inspect names it."""
    return InspectModel(f"inspect:{rest}", rest, options)


class InspectModel:
    """A model of one of Inspect's providers; `answer` is called from several threads."""

    batch_size = 1
    revision = ""

    def __init__(self, name: str, model: str, options: ModelOptions, **arguments: Any) -> None:
        """Starts an event loop in a thread of its own, where the provider's client lives.

        Args:
            name: the specification.
            model: `PROVIDER/MODEL`.
            options: how it is run.
            **arguments: for Inspect's provider.

        Raises:
            UserError: a package or key is missing, or there is no such provider.
        """
        if find_spec("inspect_ai") is None:
            raise UserError(f'{name} needs inspect-ai; install it with: pip install "xvr[inspect]"')
        if options.min_image_pixels:
            raise UserError(f"{name}: --min-image-pixels is for hf: models; leave it out")
        self.name = name
        self.concurrency = options.concurrency
        self._options = options
        self.decoding: dict[str, Any] = {"max_new_tokens": options.max_new_tokens}
        provider = model.partition("/")[0]
        if options.temperature is not None and provider not in WITHOUT_TEMPERATURE:
            self.decoding["temperature"] = options.temperature
        if options.max_image_pixels:
            self.decoding["max_image_pixels"] = options.max_image_pixels
        self._tries = Tries(model, options)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        try:
            self._model = self._run(self._open(model, arguments))
        except BaseException:
            self._end_loop()
            raise

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """One answer or failure for each prompt, in order.

        Raises:
            UserError: a wrong key or model, no credit, a provider that cannot be reached, or an
                image that cannot be read; other threads then raise it too.
        """
        return [self._ask(prompt) for prompt in prompts]

    def close(self) -> None:
        """Ends waits and connections; a thread that still asks gets a failure."""
        self._tries.stop()
        if self._thread.is_alive():
            self._run(self._shut())
            self._end_loop()

    def _ask(self, prompt: Prompt) -> Answer | Failure:
        from inspect_ai.model import ChatMessageUser, ContentImage, ContentText

        limit = self._options.max_image_pixels
        content = [
            ContentImage(image=data_uri(part, limit))
            if isinstance(part, Picture)
            else ContentText(text=part)
            for part in prompt.parts
            if part != ""
        ]
        message = ChatMessageUser(content=content)  # pyright: ignore[reportArgumentType]
        return self._tries.ask(lambda: self._send(message))

    def _send(self, message: Any) -> Answer | Trouble:
        """One request."""
        try:
            output = self._run(self._model.generate([message], cache=False))
        except CancelledError:
            return Trouble(kind="stopped", message="the run was stopped")
        except Exception as error:  # noqa: BLE001  (providers raise what they like)
            return _read_error(_root(error), self.name)
        return _read_output(output)

    def _run(self, work: Any) -> Any:
        """Runs a coroutine in the loop's thread and waits for it.

        Raises:
            CancelledError: the model was closed meanwhile.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:  # the loop is closed
            work.close()
            raise CancelledError from error
        while True:
            try:
                return future.result(timeout=1.0)
            except TimeoutError:
                if future.done():
                    raise
                if not self._thread.is_alive():
                    raise CancelledError from None

    async def _open(self, model: str, arguments: dict[str, Any]) -> Any:
        from inspect_ai.model import GenerateConfig, get_model

        config = GenerateConfig(
            max_tokens=self._options.max_new_tokens,
            max_connections=self._options.concurrency,
            attempt_timeout=math.ceil(self._options.timeout_s),
            max_retries=0,  # `Tries` does them: counted, within bounds, ended by close
            temperature=self.decoding.get("temperature"),
        )
        try:
            return get_model(
                model, config=config, base_url=self._options.base_url, memoize=False, **arguments
            )
        except Exception as error:
            raise UserError(f"{self.name}: {_plain(error)}") from error

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._model.__aexit__(None, None, None)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _read_output(output: Any) -> Answer | Trouble:
    if not output.choices:
        return Trouble(kind="unreadable_reply", message="no completion", passing=True)
    reason = output.stop_reason
    text = output.completion
    if reason == "content_filter":
        return Trouble(kind="content_filter", message=output.error or "held back by a filter")
    if reason == "model_length" or output.error:
        # The text is the provider's error message.
        return Trouble(kind="bad_request", message=output.error or text)
    if not text.strip():
        return Trouble(kind="empty_answer", message=f"no text (stop reason {reason})")
    usage = output.usage
    read = usage and sum(
        count or 0
        for count in (
            usage.input_tokens,
            usage.input_tokens_cache_read,
            usage.input_tokens_cache_write,
        )
    )
    return Answer(
        text=text,
        input_tokens=read,
        output_tokens=usage and usage.output_tokens,
        details={"stop_reason": reason, "served_model": output.model},
    )


def _root(error: BaseException) -> BaseException:
    """The provider's error within those of Inspect and of its retries."""
    while error.__cause__ is not None and type(error).__name__ in (
        "RetryError",
        "ModelGenerateError",
    ):
        error = error.__cause__
    return error


def _read_error(error: BaseException, name: str) -> Trouble:
    """What an exception of a provider's package means; they agree on little but the status.

    Raises:
        UserError: no item can be answered.
    """
    message = _plain(error)
    kind = type(error).__name__
    for field in ("status_code", "code"):
        status = getattr(error, field, None)
        if isinstance(status, int):
            if "API_KEY_INVALID" in message or "API key not valid" in message:
                status = 401  # Google says 400
            try:
                return trouble_of_status(status, message)
            except UserError as hopeless:
                raise UserError(f"{name}: {hopeless}") from error
    if "Timeout" in kind:
        return Trouble(kind="timeout", message=message, passing=True)
    if "Connect" in kind:
        return Trouble(kind="unreachable", message=message, passing=True)
    return Trouble(kind="provider_error", message=f"{kind}: {message}", passing=True)


def _plain(error: BaseException) -> str:
    """The message on one line, not too long: some hold the whole request."""
    text = str(getattr(error, "message", None) or error)
    text = " ".join(re.sub(r"\[/?[a-z]+\]", "", text).split())  # the tags of a terminal
    text = text.removeprefix("ERROR: ")
    return (text if len(text) <= 300 else f"{text[:300]}...") or type(error).__name__

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import anyio
import chat_server
import pytest
from chat_server import Reply, always
from inspect_ai.model import ModelOutput, ModelUsage
from noise_questions import picture

from xvr.errors import UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models import pacing
from xvr.evaluation.models.inspect_layer import InspectModel, make, make_anthropic, make_google
from xvr.evaluation.models.options import ModelOptions

OPTIONS = ModelOptions(concurrency=4, timeout_s=20.0, max_retries=2, max_new_tokens=50)
PROMPT = Prompt(
    item_id="a",
    parts=(
        *("Image 1:", picture(1), "Image 2 (ego):\n"),
        *(picture(2, format="jpeg"), picture(3), "Which one?"),
    ),
)
CLAUDE = {
    "id": "1",
    "type": "message",
    "role": "assistant",
    "model": "claude-served",
    "content": [{"type": "text", "text": "red"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 900, "output_tokens": 2, "cache_read_input_tokens": 100},
}
GEMINI = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "red"}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 2, "totalTokenCount": 1002},
    "modelVersion": "gemini-served",
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"  # of google-genai
)


@pytest.fixture(autouse=True)
def _keys_of_nobody_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-nobody")
    monkeypatch.setenv("GOOGLE_API_KEY", "sk-nobody")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pacing, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(chat_server, "_item", lambda _: "a")


def said(text: str, **settings: Any) -> ModelOutput:
    output = ModelOutput.from_content("mock", text, **settings)
    output.usage = ModelUsage(input_tokens=1000, output_tokens=10, input_tokens_cache_read=24)
    return output


def mock(outputs: Any, options: ModelOptions = OPTIONS) -> InspectModel:
    return InspectModel("inspect:mockllm/m", "mockllm/m", options, custom_outputs=outputs)


def ask(outputs: Any, options: ModelOptions = OPTIONS) -> Answer | Failure:
    model = mock(outputs, options)
    try:
        return model.answer([PROMPT])[0]
    finally:
        model.close()


def test_texts_and_images_reach_the_provider_in_order():
    seen: list[Any] = []

    def listen(messages: list[Any], *_: Any) -> ModelOutput:
        seen.append(messages)
        return said("red")

    ask(listen)
    ((message,),) = seen
    assert message.role == "user"
    for part, block in zip(PROMPT.parts, message.content, strict=True):
        if isinstance(part, str):
            assert (block.type, block.text) == ("text", part)
        else:
            kind = part.name.split(".")[-1]
            encoded = base64.b64encode(part.read()).decode()
            assert (block.type, block.image) == ("image", f"data:image/{kind};base64,{encoded}")


def test_an_answer_comes_with_all_tokens_and_cost():
    prices = replace(OPTIONS, input_price_usd=2.0, output_price_usd=10.0)
    assert ask([said("red")], prices) == Answer(
        text="red",
        input_tokens=1024,
        output_tokens=10,
        cost_usd=0.002148,
        details={"stop_reason": "stop", "served_model": "mock"},
    )


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (said("prompt is too long", stop_reason="model_length"), "bad_request"),
        (said("Sorry, I cannot.", stop_reason="content_filter"), "content_filter"),
        (said("limit reached", error="limit reached"), "bad_request"),
        (said(" "), "empty_answer"),
    ],
)
def test_an_error_told_as_text_is_a_failure(output, kind):
    failure = ask([output])
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retries) == (kind, 0)


class ProviderError(Exception):
    def __init__(self, status_code: int | None, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


class SlowTimeoutError(Exception):
    pass


def failing(*errors: Exception) -> Any:
    """Raises one after the other, then answers."""
    left: Iterator[Exception] = iter(errors)

    def reply(*_: Any) -> ModelOutput:
        for error in left:
            raise error
        return said("red")

    return reply


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderError(429, "slow"), "rate_limited"),
        (ProviderError(503, "down"), "server_error"),
        (ProviderError(None, "odd"), "provider_error"),
        (SlowTimeoutError("late"), "timeout"),
    ],
)
def test_what_may_pass_is_tried_again_and_counted(error, kind):
    answer = ask(failing(error, error))
    assert isinstance(answer, Answer)
    assert (answer.text, answer.retries) == ("red", 2)
    failure = ask(failing(error, error, error))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retries) == (kind, 2)


def test_what_will_not_pass_is_a_failure_at_once():
    failure = ask(failing(ProviderError(400, "too many images" + 500 * "!")))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retries) == ("bad_request", 0)
    assert len(failure.message) < 400


@pytest.mark.parametrize(
    "error", [ProviderError(401, "k"), ProviderError(400, "API key not valid. Pass a valid one.")]
)
def test_a_wrong_key_ends_the_run(error):
    with pytest.raises(UserError, match="inspect:mockllm/m: the key is missing or wrong"):
        ask(failing(error))


def test_several_threads_ask_at_the_same_time():
    together = threading.Barrier(4, timeout=10)

    async def reply(*_: Any) -> ModelOutput:
        await anyio.to_thread.run_sync(together.wait)
        return said("red")

    model = mock(reply)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: model.answer([PROMPT])[0], range(4)))
    model.close()
    assert [answer.text for answer in answers if isinstance(answer, Answer)] == 4 * ["red"]


def test_a_closed_model_gives_failures_at_once():
    asked = threading.Event()

    async def never(*_: Any) -> ModelOutput:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    model = mock(never)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(model.answer, [PROMPT])
        assert asked.wait(10)
        model.close()
        (failure,) = waiting.result(timeout=10)
    assert isinstance(failure, Failure)
    assert failure.kind == "stopped"
    assert model.answer([PROMPT])[0].kind == "stopped"  # pyright: ignore
    model.close()


def test_an_answer_that_takes_too_long_is_given_up():
    async def never(*_: Any) -> ModelOutput:
        await anyio.sleep_forever()
        raise AssertionError

    began = time.monotonic()
    failure = ask(never, replace(OPTIONS, timeout_s=0.5, max_retries=0))
    assert isinstance(failure, Failure)
    assert failure.kind == "timeout"
    assert time.monotonic() - began < 10


def test_claude_is_sent_the_question_in_order():
    with chat_server.chat_server(always(Reply(content=CLAUDE))) as server:
        local = replace(OPTIONS, base_url=server.url.removesuffix("/v1"))
        model = make_anthropic("claude-served", local)
        answer = model.answer([PROMPT])[0]
        model.close()
    blocks = server.requests[0]["messages"][0]["content"]
    assert [block["type"] for block in blocks] == [
        *("text", "image", "text", "image", "image", "text")
    ]
    assert [blocks[i]["text"] for i in (0, 2, 5)] == [PROMPT.parts[i] for i in (0, 2, 5)]
    assert [b["source"]["data"] for b in blocks if b["type"] == "image"] == encoded_images()
    assert answer == Answer(
        text="red",
        input_tokens=1000,
        output_tokens=2,
        details={"stop_reason": "stop", "served_model": "claude-served"},
    )
    assert "temperature" not in server.requests[0]
    assert model.decoding == {"max_new_tokens": 50}


def test_gemini_is_sent_the_question_in_order():
    with chat_server.chat_server(always(Reply(content=GEMINI))) as server:
        local = replace(OPTIONS, base_url=server.url.removesuffix("/v1"))
        model = make_google("gemini-2.0-flash", local)
        answer = model.answer([PROMPT])[0]
        model.close()
    parts = server.requests[0]["contents"][0]["parts"]
    assert [*map(list, parts)] == [
        *(["text"], ["inlineData"], ["text"], ["inlineData"], ["inlineData"], ["text"])
    ]
    sent = [p["inlineData"]["data"] for p in parts if "inlineData" in p]
    assert [data.replace("-", "+").replace("_", "/") for data in sent] == encoded_images()
    assert isinstance(answer, Answer)
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("red", 1000, 2)
    assert server.requests[0]["generationConfig"]["temperature"] == 0.0
    assert model.decoding["temperature"] == 0.0


def encoded_images() -> list[str]:
    return [base64.b64encode(picture.read()).decode() for picture in PROMPT.pictures]


@pytest.mark.parametrize(
    ("maker", "name"), [(make_anthropic, "ANTHROPIC"), (make_google, "GOOGLE")]
)
def test_a_missing_key_is_named(maker, name, monkeypatch):
    for variable in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f"{name}_API_KEY") as caught:
        maker("some-model", OPTIONS)
    assert "[bold]" not in str(caught.value)


@pytest.mark.parametrize("spec", ["nobody/model", "gpt"])
def test_an_unknown_provider_is_refused(spec):
    with pytest.raises(UserError, match=f"inspect:{spec}"):
        make(spec, OPTIONS)

import base64
import re
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from chat_server import Reply, always, chat_server, completion
from noise_questions import picture

from xvr.dataset.encode import encode
from xvr.errors import UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models import pacing
from xvr.evaluation.models.openai import ChatModel, make, make_vllm
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.sent_images import data_uri
from xvr.sources.pixels import decode_image

OPTIONS = ModelOptions(concurrency=4, timeout_s=5.0, max_retries=3, max_new_tokens=50)
FINE = Reply(content=completion("red"))


@pytest.fixture(autouse=True)
def _no_keys_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "VLLM_API_KEY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pacing, "FIRST_WAIT_S", 0.01)


def item(name: str) -> Prompt:
    texts = "Image 1:", "Image 2 (ego):\n", f"Which is item {name}"
    return Prompt(
        item_id=name,
        parts=(texts[0], picture(1), texts[1], picture(2, format="jpeg"), picture(3), texts[2]),
    )


def ask(model: ChatModel, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
    """As a run asks: single prompts from several threads."""
    with ThreadPoolExecutor(model.concurrency) as pool:
        return list(pool.map(lambda prompt: model.answer([prompt])[0], prompts))


def ask_one(reply: Reply, options: ModelOptions = OPTIONS) -> tuple[Any, int]:
    """The answer or failure, and the number of tries."""
    with chat_server(always(reply)) as server:
        model = make(f"tiny@{server.url}", options)
        found = model.answer([item("a")])[0]
        model.close()
    return found, server.tries["a"]


def test_texts_and_images_are_sent_in_the_order_of_the_question():
    with chat_server(always(FINE)) as server:
        model = make(f"tiny@{server.url}", OPTIONS)
        model.answer([item("a")])
        model.close()
    (request,) = server.requests
    (message,) = request["messages"]
    assert message["role"] == "user"
    assert [block["type"] for block in message["content"]] == [
        *("text", "image_url", "text", "image_url", "image_url", "text")
    ]
    for part, block in zip(item("a").parts, message["content"], strict=True):
        if isinstance(part, str):
            assert block["text"] == part
        else:
            start, data = block["image_url"]["url"].split(",")
            assert start == f"data:image/{part.name.split('.')[-1]};base64"
            assert base64.b64decode(data) == part.read()
    del request["messages"]
    assert request == {"model": "tiny", "max_tokens": 50, "temperature": 0.0}


def test_an_answer_comes_with_tokens_cost_and_who_gave_it():
    options = replace(OPTIONS, input_price_usd=2.0, output_price_usd=10.0)
    answer, _ = ask_one(FINE, options)
    assert answer == Answer(
        text="red",
        input_tokens=1000,
        output_tokens=10,
        cost_usd=0.0021,
        details={"stop_reason": "stop", "served_model": "served"},
    )


def test_every_item_is_answered_once_whatever_happens_on_the_way():
    troubles = [
        Reply(status=429, headers={"Retry-After": "0.05"}, content={"error": {"message": "slow"}}),
        Reply(status=429, content=b""),
        Reply(status=500, content=b"<html>Internal error 7</html>"),
        Reply(status=503, content={"error": "red"}),
        Reply(content=b"red"),
        Reply(content={"choices": []}),
        Reply(content={"error": {"message": "blue", "code": 5}}),
        Reply(content=completion("yellow"), cut=20),
        Reply(content=completion("green"), cut=0),
        Reply(content=completion("purple"), after_s=0.5),
        Reply(content=completion("half", reason="error")),
        Reply(content=completion({"odd": "shape"})),
    ]

    def script(name: str, number: int) -> Reply:
        if number <= 2:
            return troubles[(int(name) + number) % len(troubles)]
        return Reply(content=completion(f"answer {name}"))

    names = [str(number) for number in range(24)]
    with chat_server(script) as server:
        model = make(f"tiny@{server.url}", replace(OPTIONS, concurrency=8, timeout_s=0.25))
        answers = ask(model, [item(name) for name in names])
        model.close()
    assert [answer.text for answer in answers if isinstance(answer, Answer)] == [
        f"answer {name}" for name in names
    ]
    assert [answer.retries for answer in answers] == 24 * [2]
    assert set(server.tries.values()) == {3}
    for request in server.requests:
        kinds = [block["type"][0] for block in request["messages"][0]["content"]]
        assert "".join(kinds) == "titiit"


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (Reply(status=429, content={"error": {"message": "too fast"}}), "rate_limited", "too fast"),
        (Reply(status=500, content=b"oh\nno"), "server_error", "HTTP 500: oh no"),
        (Reply(content=b"<html>"), "unreadable_reply", "<html>"),
        (Reply(content={"choices": [{}]}), "unreadable_reply", "choices"),
        (Reply(content={"choices": [{"message": "red"}]}), "unreadable_reply", "red"),
        (Reply(content=completion("r"), cut=0), "connection_lost", ""),
    ],
)
def test_what_stays_wrong_is_a_failure_after_all_retries(reply, kind, says):
    failure, tries = ask_one(reply)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert says in failure.message
    assert (failure.retries, tries) == (3, 4)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=400, content={"error": {"message": "too many images"}}), "bad_request"),
        (Reply(status=413, content=b"too large"), "bad_request"),
        (Reply(status=422, content={"detail": [{"loc": ["body"]}]}), "bad_request"),
        (Reply(content=completion("")), "empty_answer"),
        (Reply(content=completion(None)), "empty_answer"),
        (Reply(content=completion(" \n", reason="length")), "empty_answer"),
        (Reply(content=completion(None, reason="content_filter")), "content_filter"),
        (Reply(status=429, headers={"Retry-After": "86400"}, content=b"{}"), "rate_limited"),
    ],
)
def test_what_will_not_pass_is_a_failure_at_once(reply, kind):
    failure, tries = ask_one(reply)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert (failure.retries, tries) == (0, 1)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(status=401, content={"error": {"message": "bad key"}}), "key is missing or wrong"),
        (Reply(status=402, content=b"{}"), "no credit"),
        (Reply(status=403, content=b"{}"), "does not allow"),
        (Reply(status=404, content=b"{}"), "no such model or address"),
        (Reply(status=308, headers={"Location": "http://other/v1"}), "redirects to http://other"),
        (Reply(status=429, content={"error": {"code": "insufficient_quota"}}), "no credit"),
    ],
)
def test_what_no_item_can_pass_ends_the_run(reply, says):
    with chat_server(always(reply)) as server:
        model = make(f"tiny@{server.url}", OPTIONS)
        with pytest.raises(UserError, match=says) as caught:
            ask(model, [item(str(number)) for number in range(20)])
        model.close()
    assert "OPENAI_API_KEY, which is not set" in str(caught.value)
    assert len(server.requests) <= OPTIONS.concurrency


def test_a_cut_answer_is_kept_with_its_stop_reason():
    answer, _ = ask_one(Reply(content=completion("the answer is", reason="length")))
    assert (answer.text, answer.details["stop_reason"]) == ("the answer is", "length")


def test_an_answer_in_blocks_is_read():
    blocks = [{"type": "text", "text": "re"}, {"type": "thinking"}, {"type": "text", "text": "d"}]
    answer, _ = ask_one(Reply(content=completion(blocks)))
    assert answer.text == "red"


def test_a_server_that_drips_is_given_up_in_time():
    class Dripping:
        status_code, headers = 200, {}

        def __enter__(self) -> "Dripping":
            return self

        def __exit__(self, *_: object) -> None: ...

        def iter_bytes(self) -> Any:
            while True:
                time.sleep(0.02)
                yield b" "

    model = make("tiny@http://127.0.0.1:9", replace(OPTIONS, timeout_s=0.1, max_retries=1))
    model._client.stream = lambda *_, **__: Dripping()  # pyright: ignore
    failure = model.answer([item("a")])[0]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == ("timeout", "no answer within 0.1 s")
    model.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_is_not_there_ends_the_run():
    port = closed_port()
    model = make_vllm(f"tiny@http://127.0.0.1:{port}", OPTIONS)
    with pytest.raises(UserError, match=f"no server answers at http://127.0.0.1:{port}/v1"):
        ask(model, [item(str(number)) for number in range(10)])
    model.close()


def test_a_server_that_dies_midway_and_comes_back_is_waited_for(monkeypatch):
    monkeypatch.setattr(pacing, "FIRST_WAIT_S", 0.2)
    names = [str(number) for number in range(6)]
    with chat_server(always(FINE)) as server:
        model = make(f"tiny@{server.url}", replace(OPTIONS, max_retries=6))
        assert ask(model, [item(name) for name in names[:3]]) == 3 * [ask_fine()]
    with ThreadPoolExecutor() as pool:
        rest = pool.submit(ask, model, [item(name) for name in names[3:]])
        time.sleep(0.1)
        with chat_server(always(FINE), port=int(server.url.split(":")[2].split("/")[0])):
            answers = rest.result()
    model.close()
    assert [answer.text for answer in answers if isinstance(answer, Answer)] == 3 * ["red"]


def ask_fine() -> Answer:
    return Answer(
        text="red",
        input_tokens=1000,
        output_tokens=10,
        details={"stop_reason": "stop", "served_model": "served"},
    )


def test_a_server_that_dies_for_good_ends_the_run():
    with chat_server(always(FINE)) as server:
        model = make(f"tiny@{server.url}", OPTIONS)
        model.answer([item("a")])
    with pytest.raises(UserError, match="no server answers"):
        ask(model, [item(str(number)) for number in range(10)])
    model.close()


def test_a_closed_model_gives_failures_at_once(monkeypatch):
    monkeypatch.setattr(pacing, "FIRST_WAIT_S", 30.0)
    with chat_server(always(Reply(status=500))) as server, ThreadPoolExecutor() as pool:
        model = make(f"tiny@{server.url}", OPTIONS)
        waiting = pool.submit(model.answer, [item("a")])
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.05)
        model.close()
        (failure,) = waiting.result(timeout=5)
        assert model.answer([item("b")])[0].kind == "stopped"  # pyright: ignore
    assert isinstance(failure, Failure)
    assert failure.kind == "stopped"


def test_the_key_is_sent_and_shown_nowhere(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    echo = Reply(status=400, content={"error": {"message": "wrong key sk-secret"}})
    with chat_server(always(echo)) as server:
        model = make(f"tiny@{server.url}", OPTIONS)
        failure = model.answer([item("a")])[0]
        shown = repr((failure, model.name, model.revision, model.decoding))
        model.close()
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert isinstance(failure, Failure)
    assert failure.message == "HTTP 400: wrong key ***"
    assert "sk-secret" not in shown


def test_a_key_with_other_letters_is_refused_without_showing_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-“secret”")
    with pytest.raises(UserError, match="OPENAI_API_KEY holds") as caught:
        make("m", OPTIONS)
    assert "secret" not in str(caught.value)


def test_a_server_of_ones_own_never_gets_the_key_of_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with chat_server(always(FINE)) as server:
        model = make_vllm(f"org/tiny@{server.url}", OPTIONS)
        model.answer([item("a")])
        model.close()
    assert "Authorization" not in server.headers[0]


def test_large_images_are_reduced_and_small_ones_sent_as_they_are():
    large, small = picture(1, 300, 400, "jpeg"), picture(2, 40, 60)
    prompt = Prompt(item_id="a", parts=(large, small, picture(3, 200, 100), "a"))
    with chat_server(always(FINE)) as server:
        model = make(f"tiny@{server.url}", replace(OPTIONS, max_image_pixels=10_000))
        model.answer([prompt])
        model.close()
    blocks = server.requests[0]["messages"][0]["content"][:3]
    urls = [block["image_url"]["url"].split(",") for block in blocks]
    images = [base64.b64decode(data) for _, data in urls]
    assert [start for start, _ in urls] == [
        f"data:image/{kind};base64" for kind in ("jpeg", "png", "png")
    ]
    assert [decode_image(data, "").shape for data in images] == [
        *((86, 115, 3), (40, 60, 3), (141, 70, 3))
    ]
    assert images[1] == small.read()
    assert model.decoding["max_image_pixels"] == 10_000


def test_reducing_an_image_keeps_what_it_shows():
    whole = np.zeros((200, 400, 3), np.uint8)
    whole[:, 200:] = 255, 0, 0
    data = encode(whole, "png")
    uri = data_uri(replace(picture(1), read=lambda: data), max_pixels=5_000)
    seen = decode_image(base64.b64decode(uri.split(",")[1]), "")
    assert seen.shape == (50, 100, 3)
    assert (seen[:, 0] == 0).all()
    assert (seen[:, -1] == (255, 0, 0)).all()


def test_other_image_formats_are_refused():
    tiff = replace(picture(1), read=lambda: b"II*\0")
    model = make("tiny@http://127.0.0.1:9", OPTIONS)
    with pytest.raises(UserError, match="JPEG, PNG, GIF and WebP"):
        model.answer([Prompt(item_id="a", parts=(tiff, "a"))])
    model.close()


def test_requests_of_all_threads_keep_to_the_limit():
    with chat_server(always(FINE)) as server:
        model = make(f"tiny@{server.url}", replace(OPTIONS, requests_per_minute=1200))
        began = time.monotonic()
        ask(model, [item(str(number)) for number in range(9)])
        took = time.monotonic() - began
        model.close()
    assert took >= 8 * 60 / 1200 - 0.01


def test_only_what_was_asked_for_is_recorded_and_sent():
    url = "tiny@http://localhost:1"
    assert make(url, OPTIONS).decoding == {"max_new_tokens": 50, "temperature": 0.0}
    assert make(url, replace(OPTIONS, temperature=None)).decoding == {"max_new_tokens": 50}
    assert make(url, replace(OPTIONS, temperature=0.7, seed=3)).decoding["seed"] == 3


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ("m@http://host:1", "http://host:1/v1"),
        ("m@https://host/api/v2/", "https://host/api/v2"),
        ("m@http://host:1/v1/chat/completions", "http://host:1/v1"),
        ("@cf/org/m@http://host", "http://host/v1"),
    ],
)
def test_an_address_is_completed(spec, url):
    model = make(spec, OPTIONS)
    assert model.name == f"openai:{spec}"
    assert model._server.url == url


def test_vllm_is_on_this_machine_unless_told_otherwise():
    assert make_vllm("org/m", OPTIONS)._server.url == "http://localhost:8000/v1"
    elsewhere = replace(OPTIONS, base_url="http://gpu:8000")
    assert make_vllm("org/m", elsewhere)._server.url == "http://gpu:8000/v1"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("m", "set OPENAI_API_KEY"),
        ("m@localhost:8000", "with http://"),
        ("m@http://", "no address of a server"),
        ("m@http://host:port", "no address of a server"),
        ("m@http://me:secret@host", "holds a password"),
        ("m@http://host/v1?key=secret", "holds a password or query"),
    ],
)
def test_a_specification_that_cannot_work_is_refused(spec, says):
    with pytest.raises(UserError, match=re.escape(says)) as caught:
        make(spec, OPTIONS)
    assert "secret" not in str(caught.value)


def test_two_addresses_are_refused():
    with pytest.raises(UserError, match="name two servers"):
        make("m@http://a", replace(OPTIONS, base_url="http://b"))


def test_a_lower_limit_on_pixels_is_refused():
    with pytest.raises(UserError, match="leave it out"):
        make("m@http://a", replace(OPTIONS, min_image_pixels=100))


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", None), (None, None), ("nan", None)]
)
def test_a_time_to_wait_is_read(value, seconds):
    assert pacing.retry_after_s(value) == seconds


def test_a_date_to_wait_for_is_read():
    assert pacing.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert pacing.retry_after_s("Wed, 21 Oct 2115 07:28:00 GMT") > 1e9  # pyright: ignore


def test_waits_double_up_to_a_minute(monkeypatch):
    monkeypatch.setattr(pacing, "FIRST_WAIT_S", 1.0)
    for failures, longest in ((1, 1.0), (2, 2.0), (5, 16.0), (9, 60.0), (50, 60.0)):
        waits = [pacing.backoff_s(failures) for _ in range(50)]
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 10

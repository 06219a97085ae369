import json
import sys
from itertools import pairwise

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from xvr.errors import UserError
from xvr.evaluation.human.app import make_app
from xvr.evaluation.human.serve import is_loopback
from xvr.evaluation.human.session import Session
from xvr.evaluation.item import Item, Picture, Prompt, Target

HOST = "http://127.0.0.1:8765"


def picture(name, shade):
    encoded = cv2.imencode(".jpg", np.full((24, 32, 3), shade, np.uint8))[1].tobytes()
    return Picture(name=name, read=lambda: encoded)


def question(number, kind="image_number", answer="3", options=("3", "2")):
    parts = "Look.", "Image 1:", picture("a", 50), "Image 2:", picture("b", 90), "Which one?"
    name = f"item_{number}"
    return Item(
        prompt=Prompt(item_id=name, parts=parts),
        target=Target(item_id=name, task="secret_task", kind=kind, answer=answer, options=options),
    )


class Kept(list):
    def __call__(self, item, text, seconds):
        self.append((item.target.item_id, text, seconds))


@pytest.fixture
def items():
    return [question(number) for number in range(6)]


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def session(items, kept):
    return Session("Ann", items, {}, kept)


@pytest.fixture
def page(session):
    return TestClient(make_app([session], "toy"), base_url=HOST)


def give(page, session, number, answer, seconds=1.5, who=0):
    body = {"session": session.id, "answer": answer, "seconds": seconds}
    return page.post(f"/{who}/answer/{number}", json=body)


def test_an_answer_is_kept_with_its_time_before_the_page_hears_of_it(page, session, kept):
    reply = give(page, session, 2, "2")
    assert reply.json()["answered"] == [False, False, True, False, False, False]
    assert kept == [(session.items[2].target.item_id, "2", 1.5)]
    assert page.get("/0/question/2").json()["answer"] == "2"


def test_a_changed_answer_is_kept_again_and_the_same_one_is_not(page, session, kept):
    for text in ("2", "2", "3"):
        assert give(page, session, 0, text).status_code == 200
    assert [text for _, text, _ in kept] == ["2", "3"]


@pytest.mark.parametrize(
    ("number", "answer", "seconds", "code"),
    [(0, "4", 1, 422), (0, "", 1, 422), (6, "2", 1, 404), (-1, "2", 1, 404), (0, "2", -1, 422)],
)
def test_what_is_no_answer_is_refused_and_not_kept(
    page, session, kept, number, answer, seconds, code
):
    assert give(page, session, number, answer, seconds).status_code == code
    assert kept == []


def test_a_page_left_open_cannot_answer_for_another_session(page, kept):
    body = {"session": "other", "answer": "2", "seconds": 1}
    assert page.post("/0/answer/0", json=body).status_code == 409
    assert kept == []


def test_an_answer_that_could_not_be_written_does_not_count(items):
    def full(*_):
        raise UserError("the disk is full")

    session = Session("Ann", items, {}, full)
    page = TestClient(make_app([session], "toy"), base_url=HOST)
    reply = give(page, session, 0, "2")
    assert (reply.status_code, reply.json()["detail"]) == (500, "the disk is full")
    assert not any(page.get("/0/state").json()["answered"])


def test_the_right_answer_never_goes_to_the_browser(page):
    # The right option stands first in the fixture; the page is told them in order of number.
    told = page.get("/0/question/0").json()
    assert [choice["value"] for choice in told["choices"]] == ["2", "3"]
    assert set(told) == {"blocks", "choices", "point", "answer"}
    assert "secret_task" not in json.dumps([told, page.get("/0/state").json()])
    assert "item_" not in json.dumps([told, page.get("/0/state").json()])


def test_texts_and_pictures_stay_in_order_and_pictures_have_their_labels(page):
    blocks = page.get("/0/question/0").json()["blocks"]
    assert [(block["text"], block["picture"]) for block in blocks] == [
        ("Look.", None),
        ("Image 1", 0),
        ("Image 2", 1),
        ("Which one?", None),
    ]
    shown = page.get("/0/picture/0/1")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content[:2] == b"\xff\xd8"
    assert page.get("/0/picture/0/2").status_code == 404


def test_a_picture_that_cannot_be_read_says_which(kept):
    def broken():
        raise UserError("images/1.jpg is missing")

    parts = (Picture(name="a", read=broken), "Which?")
    target = question(0).target
    session = Session(
        "Ann", [Item(prompt=Prompt(item_id="x", parts=parts), target=target)], {}, kept
    )
    page = TestClient(make_app([session], "toy"), base_url=HOST)
    reply = page.get("/0/picture/0/0")
    assert (reply.status_code, reply.json()["detail"]) == (500, "images/1.jpg is missing")


@pytest.mark.parametrize("host", ["evil.example:8765", "localhost.evil.example", ""])
def test_a_foreign_name_for_this_machine_is_refused(page, host):
    assert page.get("/0/state", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765", "10.0.0.4"])
def test_localhost_and_addresses_in_numbers_are_served(page, host):
    assert page.get("/0/state", headers={"host": host}).status_code == 200


def test_a_page_of_another_site_can_neither_ask_nor_answer(page, session, kept):
    body = {"session": session.id, "answer": "2", "seconds": 1}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        reply = page.post("/0/answer/0", json=body, headers={"origin": origin})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers
    assert kept == []
    assert page.post("/0/answer/0", json=body, headers={"origin": HOST}).status_code == 200


def test_the_page_is_one_file_that_asks_no_other_place(page):
    reply = page.get("/", follow_redirects=True)
    assert reply.url.path == "/0/"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "http://" not in reply.text
    assert "https://" not in reply.text


def test_everyone_has_a_page_and_an_order_of_their_own(items, kept):
    ann, bob = Session("Ann", items, {}, kept), Session("<Bob>", items, {}, kept)
    page = TestClient(make_app([ann, bob], "toy"), base_url=HOST)
    assert "&lt;Bob&gt;" in page.get("/").text
    assert page.get("/1/state").json()["annotator"] == "<Bob>"
    assert [item.target.item_id for item in ann.items] != [i.target.item_id for i in bob.items]
    assert give(page, ann, 0, "2", who=1).status_code == 409
    give(page, bob, 0, "2", who=1)
    assert not any(page.get("/0/state").json()["answered"])


def test_the_same_name_finds_the_same_order_and_its_answers_again(items, kept):
    first = Session("Ann", items, {}, kept)
    again = Session("Ann", items, {first.items[3].target.item_id: "2"}, kept)
    assert [item.target for item in again.items] == [item.target for item in first.items]
    assert again.id == first.id
    assert again.answered == (False, False, False, True, False, False)


@pytest.mark.parametrize("name", ["", " ", " Ann", "Ann\n"])
def test_a_name_that_cannot_be_told_from_another_is_refused(items, kept, name):
    with pytest.raises(UserError, match="--annotator"):
        Session(name, items, {}, kept)


def test_a_point_is_a_pair_of_fractions(kept):
    item = question(0, kind="point", answer="", options=())
    session = Session("Ann", [item], {}, kept)
    page = TestClient(make_app([session], "toy"), base_url=HOST)
    assert page.get("/0/question/0").json()["point"] is True
    for text in ("(0.5, 0.5)", "(1.2000, 0.5000)", "(0.5000, 0.5000", "(0.5000,0.5000)"):
        assert give(page, session, 0, text).status_code == 422
    assert give(page, session, 0, "(0.2500, 1.0000)").status_code == 200


@pytest.mark.parametrize(
    ("kind", "options", "keys"),
    [
        ("image_number", ("10", "3", "2"), {"2": ["2"], "3": ["3"], "10": []}),
        ("letter", ("B", "A"), {"A": ["a", "1"], "B": ["b", "2"]}),
        ("yes_no", ("no", "yes"), {"yes": ["y", "1"], "no": ["n", "2"]}),
        (
            "color",
            ("red", "blue", "black", "silver"),
            {"black": ["1"], "blue": ["2"], "red": ["r", "3"], "silver": ["4"]},
        ),
    ],
)
def test_every_option_says_its_keys_and_no_key_means_two_things(kind, options, keys, kept):
    item = question(0, kind=kind, answer=options[0], options=options)
    page = TestClient(make_app([Session("Ann", [item], {}, kept)], "toy"), base_url=HOST)
    choices = page.get("/0/question/0").json()["choices"]
    assert {choice["value"]: choice["keys"] for choice in choices} == keys
    assert [*keys] == [choice["value"] for choice in choices]
    pressed = sorted(key for choice in choices for key in choice["keys"])
    assert all(one != other for one, other in pairwise(pressed))


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_a_missing_package_is_told_with_the_line_that_installs_it(missing, session, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError, match=r'pip install "xvr\[human\]"'):
        make_app([session], "toy")


def test_addresses_that_only_this_machine_reaches():
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.4", "example.org")))

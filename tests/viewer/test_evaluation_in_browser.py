"""The page over runs in a real browser; skipped where there is no Chromium."""

import shutil

import cv2
import numpy as np
import pytest

from xvr.evaluation.item import Picture, Prompt, Target
from xvr.evaluation.judged import Judged
from xvr.viewer.answered import filters, item_card
from xvr.viewer.html import Markup, tag
from xvr.viewer.page import page
from xvr.viewer.pictures import embed

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
TASKS = ("among", "around")
VERDICTS = ("rr", "rw", "wr", "ww", "w-")
"""Of the items of each task, by two runs."""


def write_page(path):
    """Ten items with two images each."""
    png = cv2.imencode(".png", np.full((30, 40, 3), 90, np.uint8))[1].tobytes()
    images = [Picture(name=name, read=lambda: png) for name in ("a", "b")]
    pictures = embed(lambda _: png, ("a", "b"))
    cards = []
    for task in TASKS:
        for verdicts in VERDICTS:
            item_id = f"{task}_{verdicts}"
            target = Target(item_id=item_id, task=task, kind="letter", answer="A", options=("A",))
            parts = ("Image 1:", images[0], "Image 2:", images[1], "Which?")
            answers = {
                str(place): None
                if verdict == "-"
                else Judged(target=target, text="A", parsed="A", correct=verdict == "r")
                for place, verdict in enumerate(verdicts)
            }
            cards.append(item_card(target, Prompt(item_id=item_id, parts=parts), pictures, answers))
    body = Markup(filters(["first", "second"], TASKS, 10, 50) + tag("div", *cards, class_="cards"))
    styles = ("page.css", "evaluation.css")
    path.write_text(page("test", body, scripts=("evaluation.js",), styles=styles))
    return path.as_uri()


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    address = write_page(tmp_path_factory.mktemp("page") / "report.html")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        found = browser.new_page(viewport={"width": 1000, "height": 800})
        found.set_default_timeout(10_000)
        complaints = []
        found.on("console", lambda message: complaints.append(message.text))
        found.on("pageerror", lambda error: complaints.append(str(error)))
        found.goto(address)
        yield found
        browser.close()
    assert complaints == []


def shown(opened, **chosen):
    for name in ("task", "right", "wrong", "differ"):
        opened.select_option(f"select[name={name}]", chosen.get(name, ""))
    return [card.text_content() for card in opened.locator(".card:visible header code").all()]


def test_items_are_chosen_by_task_by_who_is_right_and_wrong_and_by_who_differs(opened):
    assert len(shown(opened)) == 10
    assert shown(opened, task="among") == [f"among_{verdicts}" for verdicts in VERDICTS]
    assert shown(opened, right="0", wrong="1") == ["among_rw", "around_rw"]
    assert shown(opened, task="around", wrong="1") == ["around_rw", "around_ww"]
    assert opened.text_content("output") == "2 of the 10 items drawn from 50"
    assert shown(opened, task="among", differ="0 1") == ["among_rw", "among_wr"]


def test_an_image_opens_large_and_arrows_go_to_the_next_of_its_item(opened):
    shown(opened)
    opened.locator(".zoom").first.click()
    dialog = opened.locator("dialog")
    assert dialog.locator("p").text_content() == "Image 1"
    opened.keyboard.press("ArrowRight")
    assert dialog.locator("p").text_content() == "Image 2"
    opened.keyboard.press("ArrowRight")
    assert dialog.locator("p").text_content() == "Image 1"
    opened.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_images_are_loaded_under_the_policy_of_the_page(opened):
    shown(opened)
    for place in (0, 19):  # the last one is loaded only when it is scrolled to
        image = opened.locator(".zoom img").nth(place)
        image.scroll_into_view_if_needed()
        sync_api.expect(image).to_have_js_property("naturalWidth", 40)

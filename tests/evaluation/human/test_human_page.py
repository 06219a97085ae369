"""The page in a real browser, served by the real command; skipped where there is no Chromium."""

import json
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from xvr.evaluation.agreement import answers_by_person
from xvr.evaluation.store import read_run

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


class Server:
    """`xvr eval human` as a process of its own."""

    def __init__(self, data, out, *options):
        code = "from xvr.cli import entry; entry()"
        arguments = ["eval", "human", "xvr", "--data", data, "--out", out, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.PIPE, text=True
        )
        told = next(line for line in self.process.stderr if line.startswith("http"))
        self.address = told.split()[0]
        self.port = re.search(r":(\d+)/", told)[1]

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self.process.stderr.close()
        return code


@contextmanager
def served(data, out, *options):
    server = Server(data, out, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield found
        found.close()


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(10_000)
    errors = []
    opened.on("pageerror", lambda error: errors.append(error))
    yield opened
    opened.close()
    assert errors == []


def at(page, title):
    sync_api.expect(page).to_have_title(title)


def pictures_shown(page):
    """Wait until every image of the question has come from the server."""
    page.wait_for_function(
        "[...document.querySelectorAll('.picture img')].every(one => one.naturalWidth > 0)"
    )


def choices(page):
    return [one.get_attribute("value") for one in page.get_by_role("radio").all()]


def answer(page, number, place):
    """Answer the question shown with its option at a place, by keys alone."""
    at(page, f"Question {number}")
    for _ in range(place + 1):
        page.keyboard.press("ArrowDown")
    value = choices(page)[place]
    sync_api.expect(page.locator("input:checked")).to_have_value(value)
    page.keyboard.press("Enter")
    return value


def rows(out):
    return [json.loads(line) for line in (out / "attempts.jsonl").read_text().splitlines()]


def test_answers_by_keys_can_be_changed_and_survive_a_reload_and_a_kill(small, tmp_path, page):
    out = tmp_path / "run"
    who = "--annotator", "Ann", "--limit", "4"
    with served(small, out, *who, "--port", "0") as server:
        page.goto(server.address)
        first = answer(page, 1, 0)
        at(page, "Question 2")
        assert [row["text"] for row in rows(out)] == [first]

        page.keyboard.press("ArrowLeft")
        at(page, "Question 1")
        sync_api.expect(page.locator("input:checked")).to_have_value(first)
        page.keyboard.press("ArrowDown")
        changed = choices(page)[1]
        page.keyboard.press("Enter")
        at(page, "Question 2")

        page.reload()
        at(page, "Question 2")
        page.keyboard.press("s")
        at(page, "Question 3")
        pictures_shown(page)
        server.end(signal.SIGKILL)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        sync_api.expect(page.get_by_role("status")).to_contain_text("Nothing was saved")

    with (out / "attempts.jsonl").open("a") as file:  # what a kill within a write leaves
        file.write('{"key": "12')
    with served(small, out, *who, "--port", server.port) as server:
        page.keyboard.press("Enter")  # the same page, still open
        answer(page, 4, 0)
        answer(page, 2, 1)
        at(page, "All answered")
        assert server.end(signal.SIGINT) == 0

    texts = [row["text"] for row in rows(out)]
    assert texts[:2] == [first, changed]
    assert len(texts) == 5
    assert all(row["annotator"] == "Ann" and 0 < row["seconds"] < 60 for row in rows(out))
    run = read_run(out)
    assert len(run.answers) == run.manifest.items == 4
    assert changed in run.answers.values()
    assert first != changed


def test_two_people_answer_in_one_run(small, tmp_path, page):
    out = tmp_path / "run"
    people = "--annotator", "Ann", "--annotator", "Bob"
    with served(small, out, *people, "--limit", "2", "--port", "0") as server:
        for name in ("Ann", "Bob"):
            page.goto(server.address)
            page.get_by_role("link", name=name).click()
            answer(page, 1, 0)
            answer(page, 2, 0)
            at(page, "All answered")
        assert server.end(signal.SIGINT) == 0
    found = answers_by_person(read_run(out).attempts)
    assert [sorted(people) for people in found.values()] == [["Ann", "Bob"]] * 2


def test_pictures_stand_in_order_and_open_large_and_an_early_end_says_so(small, tmp_path, page):
    with served(small, tmp_path / "run", "--annotator", "Ann", "--port", "0") as server:
        page.goto(server.address)
        at(page, "Question 1")
        captions = page.locator("figcaption").all_inner_texts()
        numbers = [int(re.match(r"Image (\d+)", text)[1]) for text in captions]
        assert numbers == list(range(1, len(numbers) + 1))
        loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
        page.wait_for_load_state("networkidle")
        assert page.locator(".picture img").evaluate_all(loaded)
        page.keyboard.press("z")
        sync_api.expect(page.locator("#zoom")).to_be_visible()
        page.keyboard.press("ArrowRight")
        sync_api.expect(page.locator("#zoom-label")).to_contain_text("Image 2")
        page.keyboard.press("Escape")
        sync_api.expect(page.locator("#zoom")).to_be_hidden()
        at(page, "Question 1")
        page.keyboard.press("?")
        sync_api.expect(page.get_by_role("heading", name="Keys")).to_be_visible()
        assert server.end(signal.SIGINT) == 130

"""The page over runs, on runs over a dataset of toy rooms."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from xvr.errors import UserError
from xvr.evaluation.attempt import attempt_of
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.difficulty import Bin
from xvr.evaluation.item import Target
from xvr.evaluation.judged import Judged
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.statistics import Interval, wilson
from xvr.evaluation.store import Manifest, open_run
from xvr.viewer.curves import curves
from xvr.viewer.evaluation import report
from xvr.viewer.pointing import overlay

HOSTILE = "<img src=x onerror=alert(1)> & </script> \ud800"
RUNS = {
    "base": "hf:someone/Base-2B",
    "tuned": "hf:someone/Tuned-2B",
    "flaky": "openai:far@https://api.example.com/v1",
}


def reply(run, place, target):
    """The first option; the right one but for what is hostile; the right one but for failures."""
    if run == "base":
        return Answer(text=target.options[0])
    if run == "oracle":
        return Answer(text=target.answer)
    if run == "tuned":
        return Answer(text=target.answer if place % 3 else HOSTILE)
    return Answer(text=target.answer) if place % 4 else Failure(kind="rate_limited", message="429")


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    """Runs on the train split, of which one has failed at every fourth item."""
    folder = tmp_path_factory.mktemp("runs")
    loaded = get_benchmark("xvr", split="train").load(dataset)
    for name, model in (*RUNS.items(), ("oracle", "oracle")):
        manifest = Manifest(
            benchmark="xvr",
            data=str(dataset),
            revision=loaded.revision,
            model=model,
            model_revision="0123abc",
            decoding={"temperature": 0.0},
            tasks=None,
            limit=None,
            items=len(loaded.items),
            notes=loaded.notes,
            started="2026-01-01T00:00:00+00:00",
        )
        with open_run(folder / name, manifest, loaded.items) as log:
            for place, item in enumerate(loaded.items):
                answer = reply(name, place, item.target)
                log.append(attempt_of(item.target.item_id, "key", 1, answer, 0.1))
    return folder


def write(runs, out, *names, **options):
    paths = [runs / name for name in names]
    return report(paths, out / "report.html", **options)


@pytest.fixture(scope="module")
def page(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("page")
    return write(runs, out, *RUNS, samples=16)[0].read_text()


def cards(page):
    return re.findall(r'<article class="card".*?</article>', page, flags=re.DOTALL)


class _Balance(HTMLParser):
    """Fails on an element that is closed in the wrong place."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(page):
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,|#)', page)
    assert "default-src 'none'" in page


def test_what_a_model_says_cannot_become_part_of_the_page(page):
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;/script&gt; ?" in page


def test_a_run_without_all_answers_is_said_to_be_so_first(page, runs, tmp_path):
    alarm = page.index('role="alert"')
    assert alarm < page.index("<main>")
    assert "NOT COMPLETE: 12 of 48 items have no answer" in page[alarm:]
    whole = write(runs, tmp_path, "base", samples=0)[0].read_text()
    assert "NOT COMPLETE" not in whole


def test_cards_show_the_images_in_order_beside_their_labels_and_what_was_said(page):
    found = cards(page)
    assert len(found) == 16
    for text in found:
        labels = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", text)
        assert [label.split()[1] for label in labels] == [str(n + 1) for n in range(len(labels))]
        assert text.count("data:image/jpeg;base64,") == len(labels)
        assert text.count("<tr>") == len(RUNS)
        assert len(re.search(r'data-verdicts="(\w+)"', text)[1]) == len(RUNS)
        assert 'class="question"' in text


def test_cards_are_of_all_tasks_and_of_all_verdicts(page):
    assert len({re.search(r'data-task="(\w+)"', text)[1] for text in cards(page)}) == 8
    verdicts = {re.search(r'data-verdicts="(\w+)"', text)[1] for text in cards(page)}
    assert {text[0] for text in verdicts} == {"r", "w"}


def test_all_items_are_shown_unless_fewer_are_asked_for(runs, tmp_path):
    page = write(runs, tmp_path, "base")[0].read_text()
    items = len((runs / "base" / "targets.jsonl").read_text().splitlines())
    assert len(cards(page)) == items
    assert f"{items} of {items} items" in page
    assert "Only one right of" not in page  # there is no second run


def test_published_rows_are_marked_as_those_of_others(page):
    rows = re.search(r'<tbody class="theirs">.*?</tbody>', page, flags=re.DOTALL)[0]
    assert "GPT-5" in rows
    assert "published by others (arXiv 2603.27967) and not measured here" in page


def test_every_section_of_the_contents_is_there(page):
    links = re.findall(r'<a href="#(\w+)"', page)
    assert {"runs", "scores", "published", "paired", "answers", "cost", "items"} <= {*links}
    assert all(f'id="{link}"' in page for link in links)


def test_one_run_has_no_pairs(runs, tmp_path):
    page = write(runs, tmp_path, "base", samples=2)[0].read_text()
    assert 'href="#paired"' not in page
    assert len(cards(page)) == 2


def test_the_numbers_are_beside_the_page(runs, tmp_path):
    _, markdown, numbers = write(runs, tmp_path, "base", "tuned", samples=0)
    text = markdown.read_text()
    assert "## A Base-2B against B Tuned-2B, scorer strict" in text
    found = json.loads(numbers.read_text())
    assert list(found["runs"]) == ["Base-2B", "Tuned-2B"]
    accuracy = found["runs"]["Base-2B"]["scorers"]["strict"]["totals"]["overall"]["accuracy"]
    assert f"{100 * accuracy:.1f}" in text


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    (tmp_path / "1").mkdir()
    first, again = (
        [path.read_bytes() for path in write(runs, tmp_path / name, "base", samples=4)]
        for name in ("1", "2")
    )
    assert first == again


def test_without_the_data_there_are_numbers_and_answers_but_no_images(runs, tmp_path):
    copy = tmp_path / "moved"
    copy.mkdir()
    for path in (runs / "base").iterdir():
        text = path.read_text()
        if path.name == "run.json":
            text = json.dumps(json.loads(text) | {"data": "/no/such"})
        (copy / path.name).write_text(text)
    page = report([copy], tmp_path / "report.html", samples=4)[0].read_text()
    assert "Without images and difficulty: /no/such" in page
    assert "Give the data with --data." in page
    assert len(cards(page)) == 4
    assert "data:image" not in page


def test_data_of_another_revision_is_refused(runs, dataset, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "image_shards").symlink_to(dataset / "image_shards")
    (other / "train.jsonl").write_bytes((dataset / "train.jsonl").read_bytes())
    with pytest.raises(UserError, match="is not what the run was asked: the revision of the run"):
        write(runs, tmp_path, "base", data=other)


def test_images_of_many_items_are_files_beside_the_page(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("xvr.viewer.evaluation.MOST_EMBEDDED", 3)
    told = []
    page = write(runs, tmp_path, "base", samples=4, progress=lambda *done: told.append(done))[0]
    text = page.read_text()
    places = re.findall(r'src="([^"]+)"', text)
    assert "data:image" not in text
    assert len(places) > 4
    assert all((tmp_path / place).read_bytes()[:2] == b"\xff\xd8" for place in places)
    assert told[-1] == (len(set(places)), len(set(places)))


def test_points_are_drawn_over_the_image_where_they_were_read():
    square = [[0.25, 0.25], [0.5, 0.25], [0.5, 0.5], [0.25, 0.5]]
    target = Target(item_id="a", task="context", kind="point", answer="", facts={"polygon": square})

    def said(parsed):
        return Judged(target=target, text="", parsed=parsed, correct=False)

    answers = {"a": said("(0.3, 0.4)"), "b": said(None), "c": None, "d": said("(7.0, 0.5)")}
    drawn = overlay(target, answers)
    assert drawn is not None
    assert 'points="25.00,25.00 50.00,25.00 50.00,50.00 25.00,50.00"' in drawn
    assert drawn.count('class="dot"') == 1
    assert "left:30.00%;top:40.00%" in drawn
    assert overlay(replace(target, kind="letter"), answers) is None


def test_a_bar_of_all_right_answers_has_the_interval_that_says_something(runs, tmp_path):
    def told(name):
        page = write(runs, tmp_path, name, samples=0)[0].read_text()
        chart = re.search(r'<section class="panel total">.*?</section>', page, flags=re.DOTALL)[0]
        return re.search(r'aria-label="([^"]*)"', chart)[1]

    low, high = wilson(48, 48)
    assert told("oracle") == f"100.0 %, 95 % interval {100 * low:.1f}–{100 * high:.1f}"
    assert told("base") != told("oracle")


def test_difficulty_is_drawn_for_every_measure_and_run():
    one = Bin(low=2.0, high=14.5, n=20, right=10, interval=Interval(0.3, 0.7))
    found = {"temporal_verification": {"time_gap_s": {"a": (one, one), "b": (one, one)}}}
    drawn = curves(found, ["a", "b"])
    assert drawn is not None
    assert "Temporal verification: time gap" in drawn
    assert drawn.count("<circle") == 4
    assert ">2–14.5 s<" in drawn
    assert "a: 50 %, 50 %; b: 50 %, 50 %" in drawn
    assert curves({}, []) is None


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("report.pdf", {}, "name the page, such as"),
        ("run.html", {}, "run.json beside it is what a run has"),
        ("/proc/nowhere/report.html", {}, "cannot write to /proc/nowhere"),
        ("report.html", {"samples": -1}, "--samples is -1"),
        ("report.html", {"scorer": "judge"}, "unknown scorer of xvr 'judge'"),
    ],
)
def test_mistakes_are_said_before_anything_is_written(runs, tmp_path, out, options, message):
    with pytest.raises(UserError, match=re.escape(message)):
        report([runs / "base"], tmp_path / out, **options)
    assert not any(tmp_path.iterdir())


def test_no_run_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="name at least one"):
        report([], tmp_path / "report.html")

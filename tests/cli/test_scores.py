"""`xvr eval score`, `compare` and `report` as a person meets them."""

import json

import pytest
from running import run

from xvr.evaluation.attempt import attempt_of
from xvr.evaluation.item import Item, Prompt, Target
from xvr.evaluation.model import Answer
from xvr.evaluation.store import Manifest, open_run


@pytest.fixture
def runs(tmp_path):
    """Two runs of ten items, of which one has seven right and the other all."""
    items = [
        Item(
            prompt=Prompt(item_id=f"item_{place}", parts=()),
            target=Target(
                item_id=f"item_{place}",
                task="temporal_verification",
                kind="image_number",
                answer="1",
                options=("1", "2"),
            ),
        )
        for place in range(10)
    ]
    for name, right in (("base", 7), ("tuned", 10)):
        manifest = Manifest(
            benchmark="xvr",
            data="/no/such",
            revision="5ca1ab1e",
            model=f"hf:someone/{name}",
            model_revision="",
            decoding={},
            tasks=None,
            limit=None,
            items=10,
            started="2026-01-01T00:00:00+00:00",
        )
        with open_run(tmp_path / name, manifest, items) as log:
            for place, item in enumerate(items):
                answer = Answer(text="1" if place < right else "2")
                log.append(attempt_of(item.target.item_id, "key", 1, answer))
    return tmp_path


def test_score_prints_a_table_for_each_scorer_and_writes_all_of_it(runs, capsys):
    found = run(capsys, "eval", "score", runs / "base")
    assert found.code == 0
    assert found.err == f"{runs / 'base' / 'scores.json'}\n"
    assert "hf:someone/base, scorer strict" in found.out
    assert "hf:someone/base, scorer lenient" in found.out
    (row, *_) = [line for line in found.out.splitlines() if line.startswith("temporal_ver")]
    assert row.split()[1:4] == ["10", "70.0", "39.7–89.2"]
    assert json.loads((runs / "base" / "scores.json").read_text())["complete"]


def test_score_can_print_json_of_one_scorer(runs, capsys):
    found = run(capsys, "eval", "score", runs / "base", "--scorer", "lenient", "--json")
    assert found.code == 0
    assert list(json.loads(found.out)["scorers"]) == ["lenient"]
    assert len(json.loads((runs / "base" / "scores.json").read_text())["scorers"]) > 1


def test_compare_prints_the_pairs(runs, capsys):
    found = run(capsys, "eval", "compare", runs / "base", runs / "tuned")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("A base against B tuned, scorer strict")
    (total,) = [line for line in found.out.splitlines() if line.startswith("overall")]
    assert total.split()[1:5] == ["10", "70.0", "100.0", "+30.0"]
    assert total.split()[8:11] == ["0", "3", "0.250"]


def test_compare_can_print_json_lines(runs, capsys):
    words = ("eval", "compare", runs / "base", runs / "tuned", runs / "base", "--json")
    found = [json.loads(line) for line in run(capsys, *words).out.splitlines()]
    assert [one["totals"]["overall"]["only_second"] for one in found] == [3, 0]


def test_report_prints_what_it_wrote(runs, capsys):
    found = run(capsys, "eval", "report", runs / "base", "--out", runs / "pages" / "report.html")
    names = ("report.html", "report.md", "report.json")
    assert found == (0, "".join(f"{runs / 'pages' / name}\n" for name in names), "")
    assert all((runs / "pages" / name).stat().st_size for name in names)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("score", "nowhere"), "nowhere holds no run"),
        (("score", "base", "--scorer", "judge"), "unknown scorer of xvr 'judge'"),
        (("compare", "base"), "name at least two"),
        (("compare", "base", "nowhere"), "nowhere holds no run"),
        (("report", "base", "--out", "page.pdf"), "name the page, such as"),
        (("report", "base", "--data", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_end_with_2_and_a_message(runs, words, message, capsys, monkeypatch):
    monkeypatch.chdir(runs)
    found = run(capsys, "eval", *words)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")
    assert message in found.err

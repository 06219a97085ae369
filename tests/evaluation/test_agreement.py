import pytest

from xvr.evaluation.agreement import (
    agreement,
    agreement_of,
    answers_by_person,
    majority,
)
from xvr.evaluation.attempt import Attempt, AttemptError
from xvr.evaluation.item import Target


def said(item, name, text, key="k", number=1):
    return Attempt(
        key=key, item_id=item, attempt=number, status="answered", text=text, annotator=name
    )


def test_the_last_answer_of_each_person_counts_and_people_stay_in_order():
    rows = said("a", "Ann", "1"), said("a", "Bob", "2"), said("a", "Ann", "3", number=3)
    found = answers_by_person(rows)
    assert found == {"a": {"Ann": "3", "Bob": "2"}}
    assert [*found["a"]] == ["Ann", "Bob"]


def test_answers_to_an_older_form_of_the_question_do_not_count():
    rows = said("a", "Ann", "1", key="old"), said("a", "Bob", "2", key="new")
    assert answers_by_person(rows) == {"a": {"Bob": "2"}}


def test_answers_of_models_and_failures_are_not_answers_of_people():
    failed = Attempt(
        key="k",
        item_id="b",
        attempt=1,
        status="failed",
        error=AttemptError(kind="left", message=""),
        annotator="Ann",
    )
    model = Attempt(key="k", item_id="a", attempt=1, status="answered", text="1")
    assert answers_by_person((failed, model)) == {}


def test_most_people_win_and_among_equals_the_first_person():
    assert majority({"Ann": "1", "Bob": "2", "Cid": "2"}) == "2"
    assert majority({"Ann": "1", "Bob": "2"}) == "1"
    assert majority({"Ann": "3", "Bob": "2", "Cid": "1", "Dee": "1", "Eve": "2"}) == "2"


def test_percent_is_the_share_of_agreeing_pairs_of_each_item():
    found = agreement_of([{"Ann": "1", "Bob": "1", "Cid": "2"}, {"Ann": "1", "Bob": "1"}])
    assert found.percent == pytest.approx(100 * (1 / 3 + 1) / 2)
    assert (found.items, found.annotators) == (2, 3)


def test_items_of_one_person_say_nothing():
    found = agreement_of([{"Ann": "1"}, {}])
    assert (found.items, found.annotators, found.percent, found.alpha) == (0, 0, None, None)


def test_alpha_is_one_at_perfect_agreement_and_unknown_without_variety():
    assert agreement_of([{"a": "1", "b": "1"}, {"a": "2", "b": "2"}]).alpha == 1
    assert agreement_of([{"a": "1", "b": "1"}, {"a": "1", "b": "1"}]).alpha is None


def test_alpha_of_the_nominal_example_with_missing_answers():
    # Four observers and twelve units, section C of the paper named in the module: 0.743.
    table = (
        "1 2 3 3 2 1 4 1 2 - - -",
        "1 2 3 3 2 2 4 1 2 5 - 3",
        "- 3 3 3 2 3 4 2 2 5 1 -",
        "1 2 3 3 2 4 4 1 2 5 1 -",
    )
    rows = [line.split() for line in table]
    items = [
        {str(person): row[unit] for person, row in enumerate(rows) if row[unit] != "-"}
        for unit in range(12)
    ]
    found = agreement_of(items)
    assert found.items == 11
    assert found.alpha == pytest.approx(0.743, abs=5e-4)


def test_agreement_of_a_run_leaves_points_out():
    targets = [
        Target(item_id="a", task="t", kind="letter", answer="A", options=("A", "B")),
        Target(item_id="p", task="t", kind="point", answer=""),
    ]
    rows = [said(item, name, "A") for item in ("a", "p") for name in ("Ann", "Bob")]
    found = agreement(targets, rows)
    assert (found.items, found.annotators, found.percent) == (1, 2, 100)

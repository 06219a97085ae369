import json
from dataclasses import fields

import pytest

from xvr.errors import UserError
from xvr.tasks.rules import Rules, load_rules


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "rules.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def refusal(*arguments):
    with pytest.raises(UserError) as caught:
        load_rules(*arguments)
    return str(caught.value)


def test_without_changes_the_rules_are_the_defaults():
    assert load_rules() == Rules()


def test_a_file_changes_the_named_rules_and_no_other(file):
    rules = load_rules(file({"max_ssim": 0.8, "min_views": 5}))
    assert rules == Rules(max_ssim=0.8, min_views=5)


def test_a_word_wins_over_the_file_and_the_last_word_over_the_first(file):
    rules = load_rules(file({"max_ssim": 0.8}), ["max_ssim=0.7", " max_ssim = 0.6 "])
    assert rules == Rules(max_ssim=0.6)


def test_an_unknown_name_offers_the_closest(file):
    expected = "unknown rule 'max_sim': did you mean 'max_ssim'?"
    assert expected in refusal(None, ["max_sim=0.7"])
    assert expected in refusal(file({"max_sim": 0.7}))


def test_every_rule_is_a_number_of_its_own_kind():
    for field in fields(Rules):
        value = getattr(
            load_rules(None, [f"{field.name}={getattr(Rules(), field.name)}"]), field.name
        )
        assert type(value) is field.type
        assert value == getattr(Rules(), field.name)


@pytest.mark.parametrize("text", ["1e5", "100000", "100000.0"])
def test_a_whole_number_may_be_written_as_any_number(text):
    assert load_rules(None, [f"min_scene_points={text}"]).min_scene_points == 100_000


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("max_ssim=high", "rule max_ssim: 'high' is not a number"),
        ("max_ssim=", "rule max_ssim: '' is not a number"),
        ("max_ssim", "--set 'max_ssim': write name=value, such as max_ssim=0.85"),
        ("min_views=3.5", "rule min_views: '3.5' is not a whole number"),
        ("min_views=-1", "rule min_views is -1; it must be zero or more"),
        ("max_ssim=nan", "rule max_ssim is nan; it must be zero or more"),
        ("min_view_angle_deg=130", "min_view_angle_deg (130.0) exceeds max_view_angle_deg (120.0)"),
    ],
)
def test_a_bad_word_says_what_is_wrong(word, message):
    assert message in refusal(None, [word])


@pytest.mark.parametrize("word", ["min_views=nan", "min_views=inf"])
def test_a_whole_number_that_is_none_is_refused(word):
    assert "min_views" in refusal(None, [word])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", "cannot read rules from"),
        ("[1, 2]", "must hold a JSON object"),
        ({"max_ssim": None}, "rule max_ssim: None is not a number"),
        ({"max_ssim": [0.5]}, "rule max_ssim: [0.5] is not a number"),
    ],
)
def test_a_bad_file_says_what_is_wrong(file, content, message):
    assert message in refusal(file(content))


def test_a_missing_file_is_named(tmp_path):
    assert str(tmp_path / "none.json") in refusal(tmp_path / "none.json")

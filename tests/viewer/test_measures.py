import pytest

from xvr.viewer.html import Markup, script_data, tag
from xvr.viewer.measures import label, limit, quantity


@pytest.mark.parametrize(
    ("name", "value", "words", "shown"),
    [
        ("min_view_angle_deg", 12.4606, "min view angle", "12.5°"),
        ("min_option_px_share", 0.0812, "min option px", "8.12 %"),
        ("scene_extent_m", 2.34301, "scene extent", "2.34 m"),
        ("max_depth_error_m", 0.0018, "max depth error", "1.8 mm"),
        ("time_gap_s", 4.0, "time gap", "4 s"),
        ("color_rank", 3.0, "color rank", "3"),
    ],
)
def test_a_measure_has_its_name_in_words_and_its_unit(name, value, words, shown):
    assert label(name) == words
    assert quantity(name, value) == shown


def test_a_rule_of_the_same_name_is_shown_as_a_limit():
    rules = {"min_view_angle_deg": 5.0, "max_ssim": 0.9, "odd": 1.0}
    assert limit("min_view_angle_deg", rules) == "≥ 5°"
    assert limit("max_ssim", rules) == "≤ 0.9"
    assert limit("odd", rules) == ""
    assert limit("min_absent_deg", rules) == ""


def test_children_and_attributes_are_escaped_unless_they_are_markup():
    inner = tag("b", "1 < 2")
    assert tag("p", inner, "&", title='"') == '<p title="&quot;"><b>1 &lt; 2</b>&amp;</p>'


def test_absent_attributes_and_children_are_left_out():
    assert tag("p", None, class_=None, hidden=True, data_x="1") == '<p hidden data-x="1"></p>'


def test_data_cannot_end_its_script_element():
    assert "</script>" not in script_data({"a": "</script>"})[:-9]
    assert isinstance(script_data({}), Markup)

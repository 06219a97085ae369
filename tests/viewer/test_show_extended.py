"""The page over extended tasks: options in words, and what their proofs are about in 3D."""

import json
import re

import pytest

from toy.datasets import pairs
from xvr.viewer import show
from xvr.viewer.names import ordered, question, title


@pytest.fixture(scope="module")
def page(extended, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "show.html"
    return show(extended, out=out, samples_per_task=1).read_text()


def drawings(page):
    """By task, the drawing of its only sample."""
    found = re.findall(r'<script type="application/json">({.*?})</script>', page)
    order = ("relative_pose", "view_overlap", "depth_order", "temporal_order", "temporal_sync")
    return dict(zip(order, map(json.loads, found), strict=True))


def test_extended_tasks_come_after_the_published_ones_with_titles_and_questions():
    assert ordered(["temporal_sync", "temporal_verification"])[1] == "temporal_sync"
    assert title("view_overlap") == "View overlap"
    assert question("depth_order").endswith("?")


def test_options_that_are_letters_are_shown_with_their_words(page, extended):
    shown = [
        proof["world"]["choices"]
        for _, proof in pairs(extended, "train")
        if "choices" in proof["world"]
    ]
    assert shown
    assert re.search(r"A: to the (left|right) by about \d+ degrees</li>", page)
    assert "F: 5, 4, 3</li>" in page


def test_a_turn_is_drawn_from_the_middle_of_the_scene(page):
    drawing = drawings(page)["relative_pose"]
    assert [dot["label"] for dot in drawing["dots"]] == ["middle of the scene"]
    assert len(drawing["cameras"]) == 2
    assert len(drawing["lines"]) == 2


def test_marked_points_are_drawn_with_their_distances_and_the_nearest_stands_out(page):
    drawing = drawings(page)["depth_order"]
    dots = [dot for dot in drawing["dots"] if dot["label"].startswith("point of ")]
    assert len(dots) == 3
    nearest = min(dots, key=lambda dot: float(dot["label"].split()[-1]))
    assert [dot for dot in dots if dot["right"]] == [nearest]

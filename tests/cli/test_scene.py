"""`xvr scene check` and `xvr scene reconstruct`: exit codes and what they print."""

import json

import numpy as np
import pytest
from running import run

from toy import room


@pytest.fixture(scope="module")
def inverted(tmp_path_factory):
    """Toy captures; the poses of the second are world-to-camera."""
    root = tmp_path_factory.mktemp("inverted")
    room.write_captures(root, 2)
    path = root / "toy/scenes/scene_001/cam_poses.txt"
    poses = np.linalg.inv(np.loadtxt(path)[:, 1:].reshape(-1, 4, 4)).reshape(-1, 16)
    lines = [" ".join(map(repr, [number, *row])) for number, row in enumerate(poses.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return root


def test_consistent_captures_exit_with_0(captures, capsys):
    found = run(capsys, "scene", "check", captures / "toy/scenes/scene_000")
    assert found.code == 0
    assert found.out.startswith("consistent    toy/scenes/scene_000: 100% of")
    assert found.err == "1 consistent\n"


def test_an_inconsistent_capture_exits_with_1_and_is_told(inverted, capsys):
    found = run(capsys, "scene", "check", f"wildrgbd:{inverted}")
    assert found.code == 1
    assert "inconsistent  toy/scenes/scene_001: poses are world-to-camera" in found.out
    assert found.err == "1 consistent, 1 inconsistent\n"


def test_json_has_a_line_for_each(inverted, capsys):
    found = run(capsys, "scene", "check", inverted, "--json")
    assert found.code == 1
    first, second = map(json.loads, found.out.splitlines())
    assert (first["verdict"], second["verdict"]) == ("consistent", "inconsistent")
    assert "mistake" not in first
    assert second["mistake"] == "inverted_poses"
    assert second["repaired"]["share"] > 0.9 > second["given"]["share"]


def test_rules_reach_the_check(inverted, capsys):
    words = ("--set", "min_consistent_share=0.01", "--set", "max_repair_gain=1")
    assert run(capsys, "scene", "check", inverted, *words).code == 0


def test_where_nothing_can_be_checked_exits_with_2(episodes, capsys, tmp_path):
    found = run(capsys, "scene", "check", f"lerobot:{episodes}")
    assert found.code == 2
    assert "nothing could be checked: no depth beside the calibration" in found.err
    found = run(capsys, "scene", "check", tmp_path)
    assert (found.code, found.out) == (2, "")


def test_photographs_that_are_not_there_exit_with_2(capsys, tmp_path):
    pytest.importorskip("pycolmap")
    found = run(capsys, "scene", "reconstruct", tmp_path / "nowhere", tmp_path / "out")
    assert found.code == 2
    assert "nowhere does not exist" in found.err
    assert list(tmp_path.iterdir()) == []

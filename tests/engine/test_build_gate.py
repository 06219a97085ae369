"""The gate before a build: captures that contradict themselves are skipped and counted."""

import json

import numpy as np
import pytest

from toy import datasets, room
from xvr.engine.build import build


@pytest.fixture(scope="module")
def captures_with_one_wrong(tmp_path_factory):
    """Two toy captures; the poses of the first are world-to-camera."""
    root = tmp_path_factory.mktemp("wrong")
    room.write_captures(root, 2)
    path = root / "toy/scenes/scene_000/cam_poses.txt"
    rows = np.loadtxt(path)
    inverted = np.linalg.inv(rows[:, 1:].reshape(-1, 4, 4)).reshape(-1, 16)
    lines = [" ".join(map(repr, [number, *row])) for number, row in enumerate(inverted.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return root


def test_a_capture_that_contradicts_itself_is_skipped(captures_with_one_wrong, tmp_path):
    source = f"wildrgbd:{captures_with_one_wrong}"
    build(
        tmp_path / "out",
        datasets.config(source, samples=24, tasks=("directional_correspondence",), valid_share=0),
    )
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["skipped_by_reason"] == {"inconsistent_calibration": 1}
    (skipped,) = manifest["skipped"]
    assert "scene_000" in json.dumps(skipped)
    assert "world-to-camera" in json.dumps(skipped)

"""`xvr vla check`: what it finds, and its exit codes."""

import subprocess
import sys

import av
import numpy as np
import pytest
from toy_demos import SIDE, add_modality, edit_info, write_demos

from xvr.cli import main

WHAT = ("--image-size", "32")


def check(capsys, root, *words):
    code = main(["vla", "check", str(root), *WHAT, *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_sound_data_are_told_in_full(tmp_path, capsys):
    root = add_modality(write_demos(tmp_path / "demos", version="v2.0"))
    code, out, _ = check(capsys, root, "--decode")
    assert code == 0
    for line in (
        f"{root}: LeRobot v2.0, meta/modality.json, 3 episodes listed",
        "3 episodes, 26 frames at 20 per second, 3 to 14 frames each",
        "3 of them shorter than a chunk of 16: their missing steps are masked, not learned",
        "2 instructions: 'reach the square' (2), 'touch the square' (1)",
        "cameras, as a policy would see them: left_view 32x32, wrist_view 32x32",
        "action gripper_close: 1 x binary_01, 0 to 1",
        "every episode can be used",
    ):
        assert line in out.splitlines()
    assert "state hand_rotation: 4 x quaternion_xyzw" in out
    assert "2 of them never change" in out


def spoil(number, states, actions):  # noqa: ARG001
    if number == 1:
        actions[2, 1] = np.nan


def test_an_episode_that_cannot_be_used_is_exit_code_1(tmp_path, capsys):
    code, out, _ = check(capsys, write_demos(tmp_path / "demos", change=spoil))
    assert code == 1
    assert "skipped: 1 x not_finite" in out
    assert "demos/episode_000001: " in out
    assert "row 2: hand_motion is not finite" in out


def test_a_video_of_another_rate_is_found_by_its_header(tmp_path, capsys):
    root = write_demos(tmp_path / "demos", (6, 6))
    video = next(root.glob("videos/*/observation.images.left_view/episode_000000.mp4"))
    video.unlink()
    with av.open(str(video), "w") as file:
        stream = file.add_stream("libx264", rate=30)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(np.zeros((SIDE, SIDE, 3), np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    code, out, _ = check(capsys, root)
    assert code == 1
    assert "skipped: 1 x wrong_fps" in out
    assert "30 per second, info.json says 20" in out


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (lambda root: edit_info(root, fps=7), "no episode of"),
        (lambda root: (root / "meta" / "info.json").unlink(), "holds no LeRobot dataset"),
        (lambda root: edit_info(root, codebase_version="v1.6"), "readable are v2.0, v2.1 and"),
    ],
)
def test_what_cannot_be_read_at_all_is_exit_code_2(tmp_path, capsys, spoiled, told):
    root = write_demos(tmp_path / "demos", (4,))
    spoiled(root)
    code, out, err = check(capsys, root)
    assert (code, out) == (2, "")
    assert told in err


def test_a_check_needs_no_model_library(tmp_path):
    root = write_demos(tmp_path / "demos", (4,))
    code = (
        "import sys\nfrom xvr.cli import main\n"
        f"assert main(['vla', 'check', {str(root)!r}, '--image-size', '32']) == 0\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

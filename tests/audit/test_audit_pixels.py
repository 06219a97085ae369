from dataclasses import replace

import cv2
import numpy as np
import pytest
from audit_room import rig_entry, rig_episode
from skimage.metrics import structural_similarity as reference_ssim

from xvr.audit.origin import Origins
from xvr.audit.pixels import check_pixels, structural_similarity
from xvr.audit.thresholds import Thresholds


def moving_frame(number):
    """A bright square that moves with time over a smooth background."""
    image = np.full((24, 32, 3), 60, np.uint8)
    image[:, :, 1] += np.arange(32, dtype=np.uint8) * 3
    column = number % 24
    image[6:18, column : column + 8] = 230
    return image


def still_frame(_):
    return moving_frame(0)


def temporal_problems(monkeypatch, frame, written):
    """Problems of a temporal sample whose odd image, frame 103, was written as `written`."""
    episode = rig_episode()
    cameras = tuple(
        replace(camera, read_frames=lambda frames: [frame(number) for number in frames])
        for camera in episode.cameras
    )
    monkeypatch.setattr(Origins, "open", lambda *_: [replace(episode, cameras=cameras)])
    entry = rig_entry(
        task="temporal_verification",
        shown=[("fix_left", 50, None), ("fix_right", 103, None), ("ego", 50, None)],
        world={},
        options=("1", "2", "3"),
        answer="2",
    )
    png = cv2.imencode(".png", cv2.cvtColor(written, cv2.COLOR_RGB2BGR))[1].tobytes()
    _, findings = check_pixels([entry], lambda _: png, Origins(), Thresholds(), 5)
    return {(finding.kind, finding.reason) for finding in findings}


def test_the_odd_image_of_the_right_time_passes(monkeypatch):
    assert temporal_problems(monkeypatch, moving_frame, moving_frame(103)) == set()


def test_the_odd_image_from_the_common_time_is_found(monkeypatch):
    found = temporal_problems(monkeypatch, moving_frame, moving_frame(50))
    assert found == {("pixels", "other_frame"), ("pixels", "other_time")}


def test_an_odd_camera_that_saw_no_change_is_found(monkeypatch):
    found = temporal_problems(monkeypatch, still_frame, still_frame(0))
    assert found == {("pixels", "other_time"), ("rule", "frame_unchanged")}


def test_an_image_of_another_size_is_found(monkeypatch):
    small = moving_frame(103)[:20]
    assert temporal_problems(monkeypatch, moving_frame, small) == {("pixels", "wrong_size")}


@pytest.mark.parametrize("noise", [0.0, 5.0, 40.0])
def test_the_similarity_is_that_of_scikit_image(noise):
    rng = np.random.default_rng(0)
    first = cv2.resize(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), (160, 120))
    second = np.clip(first + rng.normal(0, noise, first.shape), 0, 255).astype(np.uint8)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float) for image in (first, second)]
    expected = reference_ssim(grey[0], grey[1], data_range=255)
    assert structural_similarity(first, second) == pytest.approx(expected, abs=1e-9)

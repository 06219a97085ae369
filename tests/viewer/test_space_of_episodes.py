import numpy as np
import pytest

from xvr.audit.origin import Origins
from xvr.dataset.record import ImageRecord, OptionRecord, Provenance, SourceRecord
from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.records import Episode, EpisodeCamera
from xvr.viewer.space import draw_space

FRAMES = 40


class Opened(Origins):
    """Stands for the sources: gives these episodes, or raises."""

    def __init__(self, *episodes, error=None):
        super().__init__()
        object.__setattr__(self, "found", (episodes, error))

    def open(self, record):  # noqa: ARG002
        episodes, error = self.found  # type: ignore[attr-defined]
        if error:
            raise error
        return list(episodes)


def episode(*, calibrated: bool, positions: bool = True) -> Episode:
    def calibration(frame_index):
        pose = np.eye(4)
        pose[0, 3] = frame_index / FRAMES
        return Camera(width=8, height=8, fx=8.0, fy=8.0, cx=4.0, cy=4.0, world_from_camera=pose)

    return Episode(
        id="e",
        dataset="d",
        rig="r",
        instruction="",
        fps=10.0,
        length=FRAMES,
        cameras=tuple(
            EpisodeCamera(
                key=role,
                role=role,
                read_frames=lambda _: [],
                calibration=calibration if calibrated else None,
            )
            for role in ("fix_left", "ego", "fix_right")
        ),
        effector_positions=np.linspace(0, 1, FRAMES)[:, None] * (1.0, 0.5, 0.2)
        if positions
        else None,
    )


def proof(frames=(5, 30, 5), episodes=(None, None, None)) -> Provenance:
    return Provenance(
        sample_id="s",
        task="temporal_verification",
        domain="robotic",
        source=SourceRecord(format="lerobot", path="/data", episode="e"),
        images=[
            ImageRecord(
                image=n,
                url=f"{n}.png",
                part="candidate",
                camera=key,
                role=key,
                episode=number,
                frame_index=frame,
                width=8,
                height=8,
            )
            for n, (key, frame, number) in enumerate(
                zip(("fix_left", "ego", "fix_right"), frames, episodes, strict=True), start=1
            )
        ],
        marks=[],
        world={},
        options=[OptionRecord(value="2", correct=True, why="answer")],
        answer="2",
        checks={},
        difficulty={},
        seed=0,
        version="0",
    )


def test_calibrated_cameras_stand_at_the_instant_of_their_image():
    drawing, note = draw_space(proof(), Opened(episode(calibrated=True)), {})
    assert note == ""
    assert [camera["right"] for camera in drawing["cameras"]] == [False, True, False]
    first, odd, third = (camera["points"][0] for camera in drawing["cameras"])
    assert first == third
    assert odd != first


def test_images_of_one_instant_share_the_dot_of_the_gripper():
    drawing, _ = draw_space(proof(), Opened(episode(calibrated=True)), {})
    assert [dot["label"] for dot in drawing["dots"]] == ["gripper in 1, 3", "gripper in 2"]
    assert len(drawing["lines"]) == 1


def test_two_scenarios_have_two_paths_of_which_one_is_dashed():
    both = Opened(episode(calibrated=True), episode(calibrated=True))
    drawing, _ = draw_space(proof(episodes=(0, 1, 1)), both, {})
    assert [line["dash"] for line in drawing["lines"]] == [False, True]


def test_without_calibration_the_path_is_drawn_alone_with_a_note():
    drawing, note = draw_space(proof(), Opened(episode(calibrated=False)), {})
    assert drawing["cameras"] == []
    assert drawing["lines"]
    assert "no camera calibration" in note


def test_with_neither_calibration_nor_positions_there_is_only_a_note():
    drawing, note = draw_space(proof(), Opened(episode(calibrated=False, positions=False)), {})
    assert drawing is None
    assert note


@pytest.mark.parametrize("frame", [-1, FRAMES])
def test_a_frame_that_the_source_does_not_have_is_named(frame):
    _, note = draw_space(proof(frames=(frame, 5, 5)), Opened(episode(calibrated=True)), {})
    assert f"frame {frame}" in note


def test_a_source_that_cannot_be_read_is_a_note():
    lost = Opened(error=Unusable("missing_video", "/data/a.mp4"))
    drawing, note = draw_space(proof(), lost, {})
    assert drawing is None
    assert "/data/a.mp4" in note

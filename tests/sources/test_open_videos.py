from pathlib import Path

import numpy as np
import pytest
from write_video import code_of, write_video

from xvr.errors import Unusable
from xvr.sources import open_videos
from xvr.sources.video import frame_times, read_frames

COUNT, FPS = 60, 20


@pytest.fixture(autouse=True)
def nothing_kept():
    open_videos.close_all()
    yield
    open_videos.close_all()


@pytest.fixture(params=["h264_g2", "h264_g250", "av1_g8"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec, gop = request.param.split("_g")
    codec = {"h264": "libx264", "av1": "libsvtav1"}[codec]
    write_video(tmp_path / "a.mp4", range(COUNT), fps=FPS, codec=codec, gop=int(gop))
    return tmp_path / "a.mp4"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def codes(path: Path, numbers: list[int]) -> list[int]:
    found = read_frames(path, [number / FPS for number in numbers], 0.005)
    return [code_of(image) for image in found]


def test_a_video_is_read_again_from_wherever_it_was_left(video: Path):
    rng = np.random.default_rng(0)
    for count in (1, 3, COUNT, 2, 10, 1, 1, 5):
        numbers = sorted(rng.choice(COUNT, count, replace=False).tolist())
        assert codes(video, numbers) == numbers
        with open_videos.opened(video) as (_, used):
            assert used
    assert len(frame_times(video)) == COUNT
    assert codes(video, [0, 1]) == [0, 1]
    assert len(frame_times(video)) == COUNT


def test_a_video_that_is_written_anew_is_opened_anew(video: Path):
    assert codes(video, [5]) == [5]
    write_video(video, range(100, 100 + COUNT), fps=FPS)
    assert codes(video, [5]) == [105]


def test_a_video_that_is_gone_is_missing_though_it_was_open(video: Path):
    assert codes(video, [5]) == [5]
    video.unlink()
    with pytest.raises(Unusable, match="missing_video"):
        codes(video, [5])


def test_after_an_error_a_video_is_opened_anew(video: Path):
    assert codes(video, [5]) == [5]
    with pytest.raises(Unusable, match="frame_time_mismatch"):
        codes(video, [7, 900])
    with open_videos.opened(video) as (_, used):
        assert not used
    assert codes(video, [7]) == [7]


def test_only_the_last_videos_stay_open(tmp_path: Path):
    paths = [tmp_path / f"{number}.mp4" for number in range(open_videos.MAX_KEPT + 3)]
    for path in paths:
        write_video(path, range(4), fps=FPS)
    before = open_files()
    for path in paths:
        assert codes(path, [3]) == [3]
    assert open_files() - before == open_videos.MAX_KEPT
    open_videos.close_all()
    assert open_files() == before

from pathlib import Path

import numpy as np
import pytest
from write_video import HEIGHT, WIDTH, code_of, cut_video, write_video

from xvr.errors import Unusable
from xvr.sources.video import frame_times, read_by_index, read_frames

COUNT = 120
FPS = 20


@pytest.fixture(
    scope="module", params=["h264_g2", "h264_g10", "h264_g250", "hevc_g30", "av1_g2", "av1_g30"]
)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    codec, gop = request.param.split("_g")
    path = tmp_path_factory.mktemp("video") / f"{request.param}.mp4"
    write_video(
        path,
        range(COUNT),
        fps=FPS,
        codec={"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}[codec],
        gop=int(gop),
    )
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    write_video(tmp_path / "plain.mp4", range(60), fps=FPS)
    return tmp_path / "plain.mp4"


def codes(path: Path, times_s: list[float], tolerance_s: float = 0.005) -> list[int]:
    return [code_of(image) for image in read_frames(path, times_s, tolerance_s)]


def test_every_subset_of_frames_is_exact(video: Path):
    rng = np.random.default_rng(0)
    for count in (1, 2, 5, 30, COUNT):
        numbers = np.sort(rng.choice(COUNT, count, replace=False))
        assert codes(video, (numbers / FPS).tolist()) == numbers.tolist()


def test_frames_of_a_far_and_a_near_jump_are_exact(video: Path):
    numbers = [0, 1, 2, 55, 56, 60, 118, 119]
    assert codes(video, [number / FPS for number in numbers]) == numbers


def test_images_are_rgb_of_the_stored_size(video: Path):
    (image,) = read_frames(video, [1.0], 0.005)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    red, green, blue = image[40, 20]
    assert abs(int(red) - (20 + 20 + 60)) < 12
    assert abs(int(green) - 100) < 12
    assert abs(int(blue) - 90) < 12


def test_two_times_of_one_frame_give_it_twice(plain: Path):
    assert codes(plain, [0.5, 0.505, 0.55, 0.552], tolerance_s=0.01) == [10, 10, 11, 11]


def test_times_rounded_to_float32_are_exact(video: Path):
    numbers = np.arange(0, COUNT, 7)
    times = (numbers / FPS).astype(np.float32).astype(float).tolist()
    assert codes(video, times) == numbers.tolist()


def test_numbers_and_times_agree(video: Path):
    np.testing.assert_allclose(frame_times(video), np.arange(COUNT) / FPS, atol=1e-6)
    assert [code_of(image) for image in read_by_index(video, [3, 4, 77])] == [3, 4, 77]


def test_variable_frame_rate_is_read_by_time_and_by_number(tmp_path: Path):
    gaps = np.random.default_rng(1).integers(20, 200, 80)
    ticks = np.cumsum(gaps).tolist()
    write_video(tmp_path / "vfr.mp4", range(80), fps=1000, ticks=ticks)
    times = frame_times(tmp_path / "vfr.mp4")
    np.testing.assert_allclose(times, np.array(ticks) / 1000, atol=1e-6)
    assert codes(tmp_path / "vfr.mp4", times[[2, 30, 79]].tolist()) == [2, 30, 79]
    indices = [0, 11, 12, 70]
    assert [code_of(i) for i in read_by_index(tmp_path / "vfr.mp4", indices)] == indices


def test_a_start_offset_is_part_of_the_time(tmp_path: Path):
    write_video(tmp_path / "late.mp4", range(60), ticks=[5000 + 50 * n for n in range(60)])
    assert codes(tmp_path / "late.mp4", [5.0, 6.0, 7.95]) == [0, 20, 59]
    assert [code_of(i) for i in read_by_index(tmp_path / "late.mp4", [7, 40])] == [7, 40]


def test_an_edit_list_hides_the_frames_before_the_cut(plain: Path, tmp_path: Path):
    cut_video(plain, tmp_path / "cut.mp4", first=13)
    assert codes(tmp_path / "cut.mp4", [0.0, 0.05, 1.0]) == [13, 14, 33]
    assert code_of(read_by_index(tmp_path / "cut.mp4", [2])[0]) == 15


def test_a_matroska_file_without_an_index_at_hand_is_read(tmp_path: Path):
    write_video(tmp_path / "a.mkv", range(60), fps=FPS)
    assert codes(tmp_path / "a.mkv", [0.5, 2.0]) == [10, 40]


def test_a_time_between_frames_is_refused_or_rounded_by_the_tolerance(plain: Path):
    assert codes(plain, [0.512], tolerance_s=0.0125) == [10]
    with pytest.raises(Unusable, match=r"frame_time_mismatch: .*0\.512"):
        codes(plain, [0.512], tolerance_s=0.005)


def test_times_outside_of_the_video_are_refused(plain: Path):
    for time_s in (-0.2, 3.0, 60.0):
        with pytest.raises(Unusable, match="frame_time_mismatch"):
            codes(plain, [time_s])
    with pytest.raises(Unusable, match=r"frame_time_mismatch: .*60 frames, asked for 60"):
        read_by_index(plain, [60])


def test_no_times_give_no_frames_and_descending_times_are_an_error(plain: Path):
    assert read_frames(plain, [], 0.005) == []
    with pytest.raises(ValueError, match="ascend"):
        read_frames(plain, [1.0, 0.5], 0.005)


def test_a_missing_video_is_refused(tmp_path: Path):
    for read in (lambda path: codes(path, [0.0]), frame_times):
        with pytest.raises(Unusable, match="missing_video"):
            read(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0" * 5000])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(Unusable, match="unreadable_video"):
        codes(tmp_path / "a.mp4", [0.0])


def test_a_file_without_a_video_stream_is_refused(tmp_path: Path):
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0" * 1600)
    with pytest.raises(Unusable, match=r"unreadable_video: .*no video stream"):
        codes(tmp_path / "a.wav", [0.0])


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
@pytest.mark.parametrize("faststart", [False, True])
def test_a_truncated_video_is_refused(tmp_path: Path, codec: str, faststart: bool):
    write_video(tmp_path / "a.mp4", range(60), codec=codec, faststart=faststart)
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 7 // 10])
    with pytest.raises(Unusable, match="unreadable_video"):
        codes(tmp_path / "cut.mp4", [2.95])


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_noise_in_the_frames_is_refused(tmp_path: Path, codec: str):
    write_video(tmp_path / "a.mp4", range(60), codec=codec)
    content = bytearray((tmp_path / "a.mp4").read_bytes())
    start = content.index(b"mdat") + 1000
    noise = np.random.default_rng(0).integers(0, 256, len(content) - start, dtype=np.uint8)
    stop = content.index(b"moov") - 8
    content[start:stop] = noise[: stop - start].tobytes()
    (tmp_path / "a.mp4").write_bytes(bytes(content))
    with pytest.raises(Unusable, match="unreadable_video"):
        read_by_index(tmp_path / "a.mp4", range(60))

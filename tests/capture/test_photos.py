import av
import cv2
import numpy as np
import pytest

from xvr.capture.photos import gather_photos, sharpest_frames
from xvr.errors import UserError


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Twelve frames of noise, number n dark by n; all but 2, 4, 8 and 11 are blurred."""
    path = tmp_path_factory.mktemp("video") / "walk.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(12):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            if number not in (2, 4, 8, 11):
                image = cv2.blur(image, (9, 9))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_the_sharpest_frame_of_each_stretch_is_taken(video):
    found = list(sharpest_frames(video, 4))
    assert [number for number, _ in found] == [2, 4, 8, 11]
    assert found[0][1].shape == (48, 64, 3)


def test_a_short_video_gives_all_its_frames(video, tmp_path):
    names = gather_photos(video, 50, tmp_path)
    assert len(names) == 12
    assert sorted(file.name for file in tmp_path.iterdir()) == names


def test_photographs_are_copied_as_they_are(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / "in" / name).write_bytes(name.encode())
    assert gather_photos(tmp_path / "in", 9, tmp_path / "out") == ["a.png", "b.JPG"]
    assert (tmp_path / "out/b.JPG").read_bytes() == b"b.JPG"


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(UserError, match="holds no photograph"):
        gather_photos(tmp_path, 9, tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        gather_photos(tmp_path / "nothing.mp4", 9, tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match="cannot be read as a video"):
        gather_photos(tmp_path / "broken.mp4", 9, tmp_path)

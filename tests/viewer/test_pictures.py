import cv2
import numpy as np
import pytest

from xvr.dataset.encode import encode
from xvr.errors import UserError
from xvr.viewer.pictures import put_beside


def noise(width, height=20):
    return np.random.default_rng(width).integers(0, 255, (height, width, 3), np.uint8)


SMALL, WIDE = encode(noise(640), "jpeg", 90), encode(noise(641), "jpeg", 90)
FILES = {"small": SMALL, "wide": WIDE, "png": encode(noise(30), "png"), "cut": SMALL[:-9]}


def read(url):
    if url not in FILES:
        raise UserError(f"{url} is gone")
    return FILES[url]


@pytest.fixture
def beside(tmp_path):
    found = put_beside(tmp_path / "a page.html", read, [*FILES, "lost", "small"])
    return found, tmp_path / "a page_images"


def test_a_small_jpeg_is_put_beside_the_page_as_it_is(beside):
    pictures, folder = beside
    assert (folder / "000001.jpg").read_bytes() == SMALL
    small = pictures["small"]
    assert (small.place, small.width, small.height) == ("a%20page_images/000001.jpg", 640, 20)


def test_wider_and_other_images_become_smaller_jpegs(beside):
    pictures, folder = beside
    for name, file, width in (("wide", "000002.jpg", 480), ("png", "000003.jpg", 30)):
        assert cv2.imread(str(folder / file)).shape[1] == pictures[name].width == width


def test_what_cannot_be_read_says_so_in_its_place(beside):
    pictures, folder = beside
    assert "cut" in pictures["cut"].problem
    assert pictures["lost"].problem == "lost is gone"
    assert sorted(path.name for path in folder.iterdir()) == [f"00000{n}.jpg" for n in (1, 2, 3)]

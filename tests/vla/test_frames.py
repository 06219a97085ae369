"""The cache of frames, the order of chunks, shifts and prefetching."""

import numpy as np
import pytest
from toy_demos import write_demos

from xvr.errors import UserError
from xvr.vla.augment import shifted
from xvr.vla.data import frames as frames_module
from xvr.vla.data.chunks import Chunks, Order
from xvr.vla.data.demonstrations import DataOptions, read_demonstrations
from xvr.vla.data.frames import FrameStore
from xvr.vla.prefetch import Prefetcher
from xvr.vla.prepare import measure_normalizer


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    root = write_demos(tmp_path_factory.mktemp("frames") / "demos")
    return read_demonstrations([root], DataOptions(image_size=32))


def test_frames_are_decoded_once(demos, tmp_path, monkeypatch):
    store, calls = FrameStore(tmp_path), []
    store.fill(demos, progress=lambda done, total: calls.append((done, total)))
    assert (calls[0], calls[-1]) == ((0, 6), (6, 6))
    monkeypatch.setattr(frames_module, "_decode", None)
    again = FrameStore(tmp_path)
    assert again.fill(demos).episodes == demos.episodes
    camera, episode = demos.cameras[0], demos.episodes[1]
    (fresh,) = episode.pictures["left_view"].read([4])
    assert np.array_equal(again.read(episode, 4, camera), fresh)


def test_what_a_kill_left_is_decoded_again(demos, tmp_path):
    store = FrameStore(tmp_path)
    store.fill(demos)
    whole = sorted(tmp_path.rglob("*.npy"))
    content = whole[0].read_bytes()
    whole[0].with_name(f".{whole[0].name}.123.partial").write_bytes(content[:50])
    whole[0].unlink()
    FrameStore(tmp_path).fill(demos)
    assert whole[0].read_bytes() == content


def test_a_disk_without_room_is_told_before(demos, tmp_path, monkeypatch):
    used = frames_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        frames_module.shutil,
        "disk_usage",
        lambda path: used._replace(free=10),  # noqa: ARG005
    )
    with pytest.raises(UserError, match=r"decoded frames need .* choose another --cache"):
        FrameStore(tmp_path / "cache").fill(demos)
    assert not list(tmp_path.rglob("*.npy"))


def test_every_moment_comes_once_an_epoch_in_an_order_of_seed_and_epoch():
    order = Order(10, 4, seed=3)
    steps = [order.step(number) for number in range(5)]
    assert sorted(np.concatenate(steps)[:10]) == list(range(10))
    assert sorted(np.concatenate(steps)[10:]) == list(range(10))
    assert np.array_equal(Order(10, 4, seed=3).step(3), steps[3])
    assert not np.array_equal(Order(10, 4, seed=4).step(0), steps[0])


def test_chunks_end_with_their_episode(demos):
    chunks = Chunks(demos, None, measure_normalizer(demos, "identity"), 4)
    assert len(chunks) == 26
    batch = chunks.batch([0, 12, 23, 25])
    assert list(batch.places) == [(0, 0), (0, 12), (2, 0), (2, 2)]
    assert batch.real.sum(axis=1).tolist() == [4, 2, 3, 1]
    actions = demos.episodes[0].action
    assert np.array_equal(batch.actions[1, :, :2], actions[[12, 13, 13, 13], :2])
    assert batch.instructions[0] == "reach the square"


def test_a_shift_moves_a_picture_and_repeats_its_edge():
    images = np.random.default_rng(0).integers(0, 256, (6, 20, 20, 3), dtype=np.uint8)
    moved = shifted(images, 0.1, np.random.default_rng(1))
    assert moved.shape == images.shape
    rows, columns = (np.clip(np.arange(20) + move, 0, 19) for move in _moves())
    assert np.array_equal(moved[0], images[0][rows[:, None], columns[None]])
    assert shifted(images, 0.0, np.random.default_rng(1)) is images


def _moves():
    rng = np.random.default_rng(1)
    return [int(rng.integers(-2, 3)) for _ in range(2)]


def test_prefetched_items_come_in_order_and_errors_in_their_place():
    assert list(Prefetcher(lambda number: number * 2, 3, 7)) == [6, 8, 10, 12]

    def fails(number):
        if number == 2:
            raise UserError("no such frame")
        return number

    got = []
    with pytest.raises(UserError, match="no such frame"):
        got.extend(Prefetcher(fails, 0, 5))
    assert got == [0, 1]

import hashlib
import json
import pickle
import shutil
import subprocess
import tarfile

import pytest

from xvr.dataset.shard_index import index_path_of, index_shard
from xvr.dataset.shards import SHARD_FOLDER, ShardReader, ShardWriter, image_url
from xvr.errors import UserError

IMAGES = {image_url(n, ".png"): bytes([n % 256]) * (n * 211 % 1500) for n in range(1, 18)}


def write(folder, images=IMAGES, images_per_shard=7):
    with ShardWriter(folder, images_per_shard) as shards:
        for url, data in images.items():
            shards.add(url, data)
    return sorted((folder / SHARD_FOLDER).glob("*.tar"))


def remove_indexes(folder):
    for path in (folder / SHARD_FOLDER).glob("*.json"):
        path.unlink()


def read_all(folder):
    with ShardReader(folder) as images:
        return {url: images.read(url) for url in IMAGES}


def names_in(shard):
    with tarfile.open(shard) as tar:
        return tar.getnames()


def test_urls_are_those_of_the_release():
    assert image_url(1, ".png") == "images/img_0000001.png"
    assert image_url(396_320, ".jpg") == "images/img_0396320.jpg"


def test_images_are_split_into_shards_of_a_fixed_number(tmp_path):
    shards = write(tmp_path)
    assert [path.name for path in shards] == ["images_000.tar", "images_001.tar", "images_002.tar"]
    names = [names_in(path) for path in shards]
    assert [len(n) for n in names] == [7, 7, 3]
    assert [name for shard in names for name in shard] == list(IMAGES)


def test_a_full_last_shard_is_not_followed_by_an_empty_one(tmp_path):
    assert len(write(tmp_path, images_per_shard=17)) == 1


def test_numbering_can_start_anywhere(tmp_path):
    with ShardWriter(tmp_path, first_shard=41) as shards:
        shards.add("images/a.png", b"a")
    assert (tmp_path / SHARD_FOLDER / "images_041.tar").is_file()


def test_tarfile_reads_what_was_written(tmp_path):
    for path in write(tmp_path):
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                assert file.read() == IMAGES[member.name]
                assert (member.mode, member.mtime, member.uid, member.uname) == (0o644, 0, 0, "")


def test_a_shard_is_byte_for_byte_what_tarfile_writes(tmp_path):
    (shard,) = write(tmp_path, images_per_shard=100)
    with tarfile.open(tmp_path / "by_tarfile.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for url, data in IMAGES.items():
            (tmp_path / "image").write_bytes(data)
            member = tarfile.TarInfo(url)
            member.size = len(data)
            with (tmp_path / "image").open("rb") as file:
                tar.addfile(member, file)
    assert shard.read_bytes() == (tmp_path / "by_tarfile.tar").read_bytes()


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar program")
def test_the_tar_program_unpacks_shards_to_the_urls(tmp_path):
    for path in write(tmp_path):
        done = subprocess.run(["tar", "xf", path], cwd=tmp_path, capture_output=True, check=True)
        assert done.stderr == b""
    shutil.rmtree(tmp_path / SHARD_FOLDER)
    assert read_all(tmp_path) == IMAGES


def test_the_same_images_give_the_same_bytes(tmp_path):
    files = [
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in shards[0].parent.iterdir()}
        for shards in (write(tmp_path / "a"), write(tmp_path / "b"))
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 6


def test_images_are_read_back_by_index(tmp_path):
    write(tmp_path)
    assert read_all(tmp_path) == IMAGES


def test_shards_without_an_index_are_scanned(tmp_path):
    write(tmp_path)
    remove_indexes(tmp_path)
    assert read_all(tmp_path) == IMAGES


def test_members_are_found_by_file_name_in_shards_of_others(tmp_path):
    shard = tmp_path / SHARD_FOLDER / "images_000.tar"
    shard.parent.mkdir()
    (tmp_path / "image").write_bytes(b"pixels")
    with tarfile.open(shard, "w") as tar:
        tar.add(tmp_path / "image", "./img_0000001.png")
    assert ShardReader(tmp_path).read("images/img_0000001.png") == b"pixels"


def test_unpacked_images_come_first_and_shards_fill_the_rest(tmp_path):
    write(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "img_0000003.png").write_bytes(b"unpacked")
    with ShardReader(tmp_path) as images:
        assert images.read("images/img_0000003.png") == b"unpacked"
        assert images.read("images/img_0000004.png") == IMAGES["images/img_0000004.png"]


def test_an_image_that_is_nowhere_is_reported(tmp_path):
    write(tmp_path)
    with pytest.raises(UserError, match=r"no image 'images/img_0000099.png' .* the 3 shards"):
        ShardReader(tmp_path).read("images/img_0000099.png")


def test_urls_do_not_leave_the_dataset(tmp_path):
    (tmp_path / "dataset" / "images").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"")
    for url in ("../secret", "images/../../secret", str(tmp_path / "secret")):
        with pytest.raises(UserError, match="no image"):
            ShardReader(tmp_path / "dataset").read(url)


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("kept_bytes", [0, 100, 512, 600, 4096])
def test_a_shard_that_is_cut_short_is_reported(tmp_path, indexed, kept_bytes):
    shard = write(tmp_path)[0]
    if not indexed:
        remove_indexes(tmp_path)
    shard.write_bytes(shard.read_bytes()[:kept_bytes])
    with pytest.raises(UserError, match=r"images_000.tar: the shard is damaged: .* again"):
        ShardReader(tmp_path).read("images/img_0000001.png")


def test_a_shard_that_is_cut_between_members_is_reported(tmp_path):
    shard = write(tmp_path)[0]
    second = json.loads(index_path_of(shard).read_bytes())["offsets"][1] - 512
    remove_indexes(tmp_path)
    shard.write_bytes(shard.read_bytes()[:second])
    with pytest.raises(UserError, match="no end of archive"):
        ShardReader(tmp_path).read("images/img_0000001.png")


def test_a_broken_index_is_reported(tmp_path):
    shard = write(tmp_path)[0]
    index_path_of(shard).write_text("{}")
    with pytest.raises(UserError, match=r"images_000.index.json: not an index .* delete it"):
        ShardReader(tmp_path).read("images/img_0000001.png")


def test_a_reader_knows_what_is_there(tmp_path):
    write(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "loose.png").touch()
    with ShardReader(tmp_path) as images:
        for url, there in (
            ("images/img_0000001.png", True),
            ("images/loose.png", True),
            ("images/img_9999999.png", False),
            ("../images/loose.png", False),
            ("/etc/passwd", False),
        ):
            assert (url in images) == there


def test_the_index_of_a_shard_can_be_made_again(tmp_path):
    shard = write(tmp_path)[0]
    index = index_path_of(shard)
    before = index.read_bytes()
    index.unlink()
    index_shard(shard)
    assert index.read_bytes() == before


def test_unmarked_copies_are_found_in_a_shard_without_an_index(tmp_path):
    write(tmp_path, {"clean/a.png": b"clean", "images/a.png": b"marked"})
    remove_indexes(tmp_path)
    with ShardReader(tmp_path) as images:
        assert images.read("images/a.png") == b"marked"
        assert images.read("clean/a.png") == b"clean"


def test_a_reader_can_be_closed_reopened_and_pickled(tmp_path):
    write(tmp_path)
    with ShardReader(tmp_path) as images:
        images.read("images/img_0000001.png")
    for reader in (images, pickle.loads(pickle.dumps(images))):
        assert reader.read("images/img_0000002.png") == IMAGES["images/img_0000002.png"]
        reader.close()


def test_an_error_leaves_no_shard_behind(tmp_path):
    with pytest.raises(RuntimeError), ShardWriter(tmp_path) as shards:  # noqa: PT012
        shards.add("images/a.png", b"a")
        raise RuntimeError
    assert list((tmp_path / SHARD_FOLDER).iterdir()) == []


def test_a_shard_has_no_final_name_before_it_is_complete(tmp_path):
    with ShardWriter(tmp_path) as shards:
        shards.add("images/a.png", b"a")
        assert [p.name for p in (tmp_path / SHARD_FOLDER).iterdir()] == ["images_000.tar.tmp"]


@pytest.mark.parametrize("url", ["", "images/" + "x" * 94, "images/ä.png"])
def test_a_name_that_ustar_cannot_hold_is_refused(tmp_path, url):
    with pytest.raises(ValueError, match="1 to 100 ASCII"), ShardWriter(tmp_path) as shards:
        shards.add(url, b"")


def test_an_image_that_is_added_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="added twice"), ShardWriter(tmp_path) as shards:  # noqa: PT012
        shards.add("images/a.png", b"a")
        shards.add("images/a.png", b"a")

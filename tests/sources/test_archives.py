import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from write_video import code_of, write_video

from xvr.errors import Unusable, UserError
from xvr.sources import archive_index
from xvr.sources.archive_index import read_members
from xvr.sources.archives import Member, open_tree
from xvr.sources.pixels import image_size, read_image
from xvr.sources.video import frame_times, probe, read_by_index, read_frames

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`kept.bin` and what archives are made of."""
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "content.bin").write_bytes(CONTENT)
    (tmp_path / "a" / "empty").write_bytes(b"")
    (tmp_path / "kept.bin").write_bytes(b"on disk")
    return tmp_path


def make_tar(path: Path, source: Path, name: str, form: int = tarfile.PAX_FORMAT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        tar.add(source, name)
    return path


def make_zip(path: Path, source: Path, name: str, method: int) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(source.rglob("*")):
            archive.write(file, f"{name}/{file.relative_to(source).as_posix()}")
    return path


def make(folder: Path, kind: str) -> Path:
    if kind == "tar":
        return make_tar(folder / "a.tar", folder / "a", "m")
    method = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
    return make_zip(folder / "a.zip", folder / "a", "m", method)


def member_of(archive: Path, name: str = "m/deep/content.bin") -> Member:
    found = open_tree(archive.parent, [archive.name]).find(name)
    assert isinstance(found, Member)
    return found


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


kinds = pytest.mark.parametrize("kind", ["tar", "stored", "deflated"])


@kinds
def test_a_member_reads_as_the_file_that_it_was(folder: Path, kind: str):
    member = member_of(make(folder, kind))
    assert member.read_bytes() == CONTENT
    with member.open("rb") as file:
        assert file.seekable()
        assert file.read(3) == CONTENT[:3]
        assert file.seek(-5, os.SEEK_END) == len(CONTENT) - 5
        assert file.read() == CONTENT[-5:]
        assert file.seek(255) == 255
        assert file.seek(2, os.SEEK_CUR) == 257
        assert file.read(4) == CONTENT[257:261]
        assert file.tell() == 261
        file.seek(len(CONTENT) + 10)
        assert file.read() == b""
    with pytest.raises(ValueError, match="rb"):
        member.open("w")


@kinds
def test_an_empty_member_is_empty(folder: Path, kind: str):
    empty = member_of(make(folder, kind), "m/empty")
    assert empty.read_bytes() == b""
    with empty.open() as file:
        assert file.read() == b""


@kinds
def test_a_member_goes_to_another_process_and_leaves_no_file_open(folder: Path, kind: str):
    member = member_of(make(folder, kind))
    before = open_files()
    copy = pickle.loads(pickle.dumps(member))
    with copy.open() as file:
        file.read(1)
    assert copy.read_bytes() == CONTENT
    assert copy == member
    assert open_files() == before


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_all_dialects_of_tar_are_read_with_long_names_where_they_have_them(folder: Path, form: int):
    name = "x" * (90 if form == tarfile.USTAR_FORMAT else 190)
    archive = make_tar(folder / "b.tar", folder / "a" / "deep" / "content.bin", name, form)
    assert member_of(archive, name).read_bytes() == CONTENT


def test_a_tree_shows_members_where_extracting_would_put_them(folder: Path):
    make_tar(folder / "a" / "b.tar", folder / "a" / "deep", "./b/deep")
    tree = open_tree(folder, ["a/*.tar"])
    assert tree.folders() == ["a"]
    assert tree.folders("a") == ["b", "deep"]
    assert tree.files("a") == ["b.tar", "empty"]
    assert tree.files("a/b/deep") == ["content.bin"]
    found = tree.find("a/b/deep/content.bin")
    assert isinstance(found, Member)
    assert str(found) == f"{folder / 'a' / 'b.tar'}:b/deep/content.bin"
    assert tree.find("kept.bin") == folder / "kept.bin"
    assert tree.find("a/b/deep") is None
    assert tree.find("a/nothing") is None
    assert tree.files("nowhere") == []


def test_a_file_on_disk_comes_before_the_one_in_an_archive(folder: Path):
    make_zip(folder / "a.zip", folder / "a", "a", zipfile.ZIP_STORED)
    tree = open_tree(folder, ["*.zip"])
    assert tree.find("a/deep/content.bin") == folder / "a" / "deep" / "content.bin"
    (folder / "a" / "deep" / "content.bin").unlink()
    assert isinstance(tree.find("a/deep/content.bin"), Member)


@pytest.mark.parametrize("name", ["648642", "327/648642", "observations/327/648642"])
def test_a_member_that_repeats_its_folder_is_in_the_same_place(folder: Path, name: str):
    make_tar(folder / "observations" / "327" / "x.tar", folder / "a", name)
    tree = open_tree(folder, ["observations/*/*.tar"])
    assert tree.find("observations/327/648642/deep/content.bin") is not None


def test_an_archive_is_indexed_only_when_its_folder_is_looked_into(folder: Path):
    make_tar(folder / "one" / "x.tar", folder / "a", "a")
    (folder / "two").mkdir()
    (folder / "two" / "broken.tar").write_bytes(b"no archive")
    tree = open_tree(folder, ["*/*.tar"])
    assert tree.folders("one") == ["a"]
    with pytest.raises(UserError, match=r"broken\.tar is cut short or no plain tar"):
        tree.folders("two")


def test_an_archive_that_is_damaged_is_told_each_time(folder: Path):
    (folder / "broken.zip").write_bytes(b"no archive")
    tree = open_tree(folder, ["*.zip"])
    for _ in range(2):
        with pytest.raises(UserError, match=r"broken\.zip"):
            tree.find("nothing")


def test_hidden_and_left_out_members_are_not_remembered(folder: Path):
    (folder / "a" / "._empty").write_bytes(b"left by another system")
    (folder / "a" / "deep" / "depth").mkdir()
    (folder / "a" / "deep" / "depth" / "0.png").write_bytes(b"depth")
    archive = make(folder, "tar")
    tree = open_tree(folder, ["*.tar"])
    assert tree.files("m") == ["empty"]
    assert tree.files("m/deep/depth") == ["0.png"]
    other = open_tree(folder, [archive.name], leave_out=("depth",))
    assert other.folders("m/deep") == []
    assert other.find("m/deep/depth/0.png") is None
    assert other.find("m/deep/content.bin") is not None


def test_a_changed_archive_is_indexed_anew(folder: Path):
    make_tar(folder / "b.tar", folder / "a", "first")
    assert open_tree(folder, ["*.tar"]).find("first/empty") is not None
    make_tar(folder / "b.tar", folder / "a", "second one")
    os.utime(folder / "b.tar", ns=(1, 1))
    tree = open_tree(folder, ["*.tar"])
    assert tree.find("first/empty") is None
    assert tree.find("second one/empty") is not None


@kinds
def test_an_archive_is_read_once_and_then_remembered(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    archive = make(folder, kind)
    first = member_of(archive)
    monkeypatch.setattr(archive_index, "read_members", None)
    assert member_of(archive) == first
    (kept,) = (folder / "cache" / "xvr" / "archives").iterdir()
    kept.write_bytes(b"damaged" * 1000)
    with pytest.raises(UserError, match=r"\.sqlite: .*delete it"):
        open_tree(folder, [archive.name]).folders("m")


def test_a_cache_that_cannot_be_written_is_a_user_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "kept.bin"))
    make(folder, "tar")
    with pytest.raises(UserError, match="set XDG_CACHE_HOME"):
        open_tree(folder, ["*.tar"]).folders()


def test_a_damaged_archive_leaves_no_half_index(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    archive = make(folder, "tar")
    archive.write_bytes(archive.read_bytes()[:100_000])
    with pytest.raises(UserError, match="cut short"):
        open_tree(folder, ["*.tar"]).folders()
    assert list((folder / "cache" / "xvr" / "archives").iterdir()) == []


def test_all_archives_can_be_indexed_before_they_are_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    make(folder, "tar")
    make(folder, "stored")
    open_tree(folder, ["*.tar", "*.zip"]).index_all()
    assert len(list((folder / "cache" / "xvr" / "archives").iterdir())) == 2


def test_folders_without_files_of_their_own_are_found(folder: Path):
    make_tar(folder / "b.tar", folder / "a" / "deep" / "content.bin", "one/two/three/x")
    tree = open_tree(folder, ["*.tar"])
    assert [tree.folders(name) for name in ("one", "one/two", "one/two/three")] == [
        ["two"],
        ["three"],
        [],
    ]
    assert "one" in tree.folders()


@pytest.mark.parametrize("left", [100, 1024, 100_000])
def test_a_tar_that_is_cut_short_is_a_user_error(folder: Path, left: int):
    archive = make(folder, "tar")
    archive.write_bytes(archive.read_bytes()[:left])
    with pytest.raises(UserError, match=r"a\.tar is cut short"):
        list(read_members(archive))


def test_a_tar_cut_between_two_files_is_a_user_error(folder: Path):
    archive = make_tar(folder / "b.tar", folder / "a" / "deep" / "content.bin", "name")
    archive.write_bytes(archive.read_bytes()[: 512 + len(CONTENT)])
    with pytest.raises(UserError, match=r"b\.tar is cut short"):
        list(read_members(archive))


def test_a_tar_with_a_damaged_header_is_a_user_error(folder: Path):
    archive = make_tar(folder / "a.tar", folder / "a", "m", tarfile.USTAR_FORMAT)
    *_, last = read_members(archive)
    data = bytearray(archive.read_bytes())
    data[last.offset - 512 + 20] ^= 1
    archive.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.tar is cut short or damaged at byte"):
        list(read_members(archive))


def test_an_archive_that_cannot_be_opened_is_a_user_error(folder: Path):
    (folder / "b.zip").mkdir()
    with pytest.raises(UserError, match=r"b\.zip cannot be read"):
        list(read_members(folder / "b.zip"))


def test_a_compressed_tar_is_a_user_error(folder: Path):
    with tarfile.open(folder / "b.tar", "w:gz") as tar:
        tar.add(folder / "a", "a")
    with pytest.raises(UserError, match="decompress it"):
        list(read_members(folder / "b.tar"))


def test_a_zip_that_is_cut_short_or_packed_otherwise_is_a_user_error(folder: Path):
    archive = make(folder, "stored")
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"a\.zip.*download it again"):
        list(read_members(archive))
    make_zip(folder / "b.zip", folder / "a", "a", zipfile.ZIP_BZIP2)
    with pytest.raises(UserError, match="extract it"):
        list(read_members(folder / "b.zip"))


@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_damage_in_a_zip_shows_when_the_member_is_read(folder: Path, kind: str):
    archive = make(folder, kind)
    member = member_of(archive)
    data = bytearray(archive.read_bytes())
    at = member.offset + member.stored_bytes // 2 + 60
    data[at] ^= 255
    archive.write_bytes(data)
    with pytest.raises(OSError, match=r"a\.zip:m/deep/content\.bin: "):
        member.read_bytes()
    data[member.offset : member.offset + 4] = b"gone"
    archive.write_bytes(data)
    with pytest.raises(OSError, match="no member at byte"):
        member.open()


def test_an_archive_that_shrinks_after_it_was_indexed_is_damaged(folder: Path):
    archive = make(folder, "tar")
    member = member_of(archive)
    archive.write_bytes(archive.read_bytes()[: member.offset + 10])
    with pytest.raises(OSError, match="the archive ends within it"):
        member.read_bytes()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AV1 video on disk, and its likes in a tar and in zips."""
    folder = tmp_path_factory.mktemp("videos")
    path = folder / "a" / "v.mp4"
    write_video(path, range(30), fps=30, codec="libsvtav1", gop=8)
    for kind in ("tar", "stored"):
        make(folder, kind)
    make_zip(folder / "deflated.zip", folder / "a", "m", zipfile.ZIP_DEFLATED)
    return folder


@pytest.mark.parametrize("name", ["a.tar", "a.zip", "deflated.zip"])
def test_a_video_is_decoded_where_it_lies_in_an_archive(videos: Path, name: str):
    member = member_of(videos / name, "m/v.mp4")
    path = videos / "a" / "v.mp4"
    assert probe(member) == probe(path)
    np.testing.assert_array_equal(frame_times(member), frame_times(path))
    wanted = [0, 7, 29]
    assert [code_of(image) for image in read_by_index(member, wanted)] == wanted
    for got, expected in zip(
        read_frames(member, [0.1, 0.5], 0.005), read_frames(path, [0.1, 0.5], 0.005), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def test_a_video_in_a_lost_or_damaged_archive_is_unusable(videos: Path, tmp_path: Path):
    copy = tmp_path / "a.tar"
    copy.write_bytes((videos / "a.tar").read_bytes())
    member = member_of(copy, "m/v.mp4")
    copy.write_bytes(copy.read_bytes()[: member.offset + member.stored_bytes // 3])
    with pytest.raises(Unusable, match="unreadable_video"):
        probe(member)
    copy.unlink()
    with pytest.raises(Unusable, match="missing_video"):
        probe(member)


def test_an_image_is_decoded_from_an_archive_and_its_damage_is_told(tmp_path: Path):
    import cv2

    pixels = np.full((4, 6, 3), 80, np.uint8)
    (tmp_path / "a").mkdir()
    cv2.imwrite(str(tmp_path / "a" / "x.png"), pixels)
    member = member_of(make(tmp_path, "deflated"), "m/x.png")
    np.testing.assert_array_equal(read_image(member, (6, 4)), pixels)
    assert image_size(member) == (6, 4)
    member.archive.write_bytes(member.archive.read_bytes().replace(b"PK\x03\x04", b"PK\x03\x05"))
    with pytest.raises(Unusable, match=r"unreadable_image: .*a\.zip:m/x\.png"):
        read_image(member)
    member.archive.unlink()
    with pytest.raises(Unusable, match="missing_image"):
        read_image(member)


def test_a_tree_itself_can_be_sent_to_another_process(folder: Path):
    make(folder, "tar")
    copy = pickle.loads(pickle.dumps(open_tree(folder, ["*.tar"])))
    assert copy.find("m/empty").read_bytes() == b""

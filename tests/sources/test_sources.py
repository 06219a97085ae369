import shutil
from pathlib import Path

import pytest
from write_scannet import frames, write_exported
from write_wildrgbd import write_category

from xvr.errors import Unusable, UserError
from xvr.sources import Source, find_source, fingerprint, index, load, parse_source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    write_category(tmp_path / "data" / "cup")
    return parse_source(f"wildrgbd:{tmp_path / 'data'}")


def test_a_source_is_a_format_and_a_path(source: Source):
    refs = index(source)
    assert [ref.id for ref in refs] == ["cup/scenes/scene_000", "cup/scenes/scene_007"]
    assert load(refs[0]).id == refs[0].id


@pytest.mark.parametrize("text", ["", "wildrgbd", "wildrgbd:", "/data"])
def test_a_source_without_format_or_path_is_a_user_error(text: str):
    with pytest.raises(UserError, match="write FORMAT:PATH"):
        parse_source(text)


def test_an_unknown_format_gets_the_closest_name(tmp_path: Path):
    with pytest.raises(UserError, match="did you mean 'wildrgbd'"):
        parse_source(f"wildrgb:{tmp_path}")


def test_a_missing_path_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="does not exist"):
        parse_source(f"wildrgbd:{tmp_path / 'nowhere'}")


def test_the_fingerprint_survives_a_move_and_sees_a_changed_size(source: Source, tmp_path: Path):
    before = fingerprint(index(source), source)
    shutil.move(tmp_path / "data", tmp_path / "moved")
    moved = parse_source(f"wildrgbd:{tmp_path / 'moved'}")
    refs = index(moved)
    assert fingerprint(refs, moved) == before
    poses = tmp_path / "moved" / "cup" / "scenes" / "scene_007" / "cam_poses.txt"
    poses.write_text(poses.read_text() + "\n")
    assert fingerprint(refs, moved) != before
    assert fingerprint(refs[:1], moved) != before
    poses.unlink()
    assert len(fingerprint(refs, moved)) == 64


def test_a_file_that_cannot_be_read_makes_its_scene_unusable(source: Source, tmp_path: Path):
    metadata = tmp_path / "data" / "cup" / "scenes" / "scene_000" / "metadata"
    metadata.unlink()
    metadata.mkdir()
    with pytest.raises(Unusable, match="unreadable_file"):
        load(index(source)[0])


def test_a_path_alone_gets_the_format_that_it_holds(source: Source, tmp_path: Path):
    assert find_source(str(tmp_path / "data")) == source
    assert find_source(f"wildrgbd:{tmp_path / 'data'}") == source


def test_a_path_of_no_or_several_formats_asks_for_the_format(source: Source, tmp_path: Path):
    with pytest.raises(UserError, match="does not exist"):
        find_source(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="holds no known format; write FORMAT:PATH"):
        find_source(str(tmp_path))
    write_exported(tmp_path / "data" / "scene0000_00", frames(1))
    with pytest.raises(UserError, match=r"holds several formats \(wildrgbd, scannet\)"):
        find_source(str(source.path))

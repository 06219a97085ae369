from pathlib import Path

import pytest

from xvr.errors import UserError
from xvr.sources.reader_notes import read_notes


def test_the_nearest_notes_count_up_to_the_top(tmp_path: Path):
    folder = tmp_path / "top" / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "reader.json").write_text('{"fps": 1}')
    assert read_notes(folder, tmp_path / "top").fps is None
    (tmp_path / "top" / "reader.json").write_text('{"fps": 2, "channels": "bgr"}')
    assert read_notes(folder, tmp_path / "top").fps == 2
    (folder / "reader.json").write_text('{"fps": 3}')
    notes = read_notes(folder, tmp_path / "top")
    assert (notes.fps, notes.channels) == (3, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object, found list"),
        ('{"pfs": 10}', "unknown entry 'pfs': did you mean 'fps'"),
        ('{"fps": -1}', "must be a positive number"),
        ('{"fps": "10"}', "must be a positive number"),
        ('{"fps": true}', "must be a positive number"),
        ('{"channels": "RGB"}', 'must be "rgb" or "bgr"'),
        ('{"camera_roles": ["ego"]}', "must be an object of camera to role"),
    ],
)
def test_wrong_notes_are_a_user_error(tmp_path: Path, text: str, message: str):
    (tmp_path / "reader.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_notes(tmp_path, tmp_path)


def test_wrong_roles_name_the_file(tmp_path: Path):
    (tmp_path / "reader.json").write_text('{"camera_roles": {"left": "leftmost"}}')
    with pytest.raises(UserError, match=r"reader\.json: unknown camera role 'leftmost'"):
        read_notes(tmp_path, tmp_path).roles(["left"])

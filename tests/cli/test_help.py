"""The help of every command, as kept in `snapshots/`.

After a change that is meant: XVR_SNAPSHOTS=write python -m pytest tests/cli/test_help.py
"""

import os
import re
from pathlib import Path

import pytest
from running import run

from xvr import __version__
from xvr.cli import COMMANDS

SNAPSHOTS = Path(__file__).parent / "snapshots"


def words(text):
    """Text without the frames and line breaks, which are tyro's and not ours."""
    return re.sub(r"[\s╭╮╰╯│─]+", " ", text).strip()


def check(name, text):
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("XVR_SNAPSHOTS") == "write":
        path.write_text(text)
    assert words(path.read_text()) == words(text)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    found = run(capsys, *command.split(), "--help")
    assert (found.code, found.err) == (0, "")
    check(command.replace(" ", "_"), found.out)


@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",)])
def test_help_of_the_program_lists_every_command(argv, capsys):
    found = run(capsys, *argv)
    assert (found.code, found.err) == (0, "")
    check("xvr", found.out)


def test_help_of_a_room_lists_its_commands_only(capsys):
    found = run(capsys, "data", "--help")
    assert found.code == 0
    assert "xvr data build" in found.out
    assert "xvr sim" not in found.out


def test_the_version_is_told(capsys):
    assert run(capsys, "--version") == (0, f"xvr {__version__}\n", "")

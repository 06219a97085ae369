"""Running a command in this process."""

from typing import NamedTuple

import pytest

from xvr.cli import main


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *words: object) -> Result:
    """Run `xvr WORDS`; usage errors end as they do in a shell, with their exit code."""
    capsys.readouterr()
    try:
        code = main([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    captured = capsys.readouterr()
    return Result(code, captured.out, captured.err)

import sys

import pytest

from xvr.cli.progress import Bar, tell


def test_a_bar_is_silent_where_no_one_watches(capsys):
    with Bar("samples", "sample") as bar:
        bar.show(1, 10)
        bar.show(10, 10)
    assert capsys.readouterr() == ("", "")


def test_a_bar_counts_up_to_all_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Bar("samples", "sample") as bar:
        for done in (0, 4, 4, 10):
            bar.show(done, 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "10/10" in captured.err


def test_a_bar_is_closed_when_the_work_fails(capsys):
    def work():
        with Bar("samples", "sample") as bar:
            bar.show(3, 10)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        work()
    assert capsys.readouterr() == ("", "")


def test_people_are_told_on_stderr(capsys):
    tell("done")
    assert capsys.readouterr() == ("", "done\n")

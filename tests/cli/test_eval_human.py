import socket

import pytest
from running import run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--annotator", "Ann", "--port", "70000"), "--port 70000"),
        (("--annotator", "Ann", "--annotator", "Ann"), "nobody twice"),
        (("--annotator", " "), "give a name"),
    ],
)
def test_what_a_person_must_mend_is_told(options, message, small, tmp_path, capsys):
    words = "eval", "human", "xvr", "--data", small, "--out", tmp_path / "run"
    found = run(capsys, *words, *options)
    assert found.code == 2
    assert message in found.err


def test_a_port_that_is_taken_is_told(small, tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = "--data", small, "--out", tmp_path / "run", "--annotator", "Ann", "--port", port
        found = run(capsys, "eval", "human", "xvr", *words)
    assert found.code == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in found.err
    assert "choose another --port" in found.err

import platform
import subprocess
import sys

import pytest

from xvr.engine import malloc


def test_elsewhere_than_on_linux_nothing_is_done(monkeypatch):
    monkeypatch.setattr(malloc.sys, "platform", "darwin")
    assert malloc.tune_malloc() is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_glibc_accepts_both_thresholds():
    # In a process of its own: the setting cannot be taken back.
    code = "from xvr.engine.malloc import tune_malloc; raise SystemExit(not tune_malloc())"
    subprocess.run([sys.executable, "-c", code], check=True)

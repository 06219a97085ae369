"""Builds that are killed at every so many-th sync to disk, each followed by one that resumes.

    python kill_builds.py OUT POINTS SOURCE...

Prints, as JSON, whether each build was killed and the hashes of each resumed folder. A process of
its own forks, because the one of the tests has threads; a fork costs no imports.
"""

import json
import os
import signal
import sys
from pathlib import Path

from toy.datasets import config, hashes
from xvr.engine.build import build


def main(out: Path, points: list[int], sources: list[str]) -> None:
    found = {}
    for point in points:
        folder = out / str(point)
        child = os.fork()
        if child == 0:
            _die_at(point)
            build(folder, config(*sources))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        whole = _is_whole(folder)
        build(folder, config(*sources))
        found[point] = {"killed": killed, "whole": whole, "hashes": hashes(folder)}
    sys.stdout.write(json.dumps(found))


def _is_whole(folder: Path) -> bool:
    """Whether a folder with a manifest holds all that the manifest names."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return True
    found = hashes(folder)
    named = json.loads(manifest.read_text())["sha256"]
    return all(found.get(name) == sha256 for name, sha256 in named.items())


def _die_at(point: int) -> None:
    sync, calls = os.fsync, iter(range(1, point + 1))

    def fsync(descriptor: int) -> None:
        if next(calls) == point:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    os.fsync = fsync


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:])

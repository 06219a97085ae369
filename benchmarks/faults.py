"""Disturbs real builds in every way that happens to them and compares what they leave.

    python benchmarks/faults.py --captures out/captures --episodes out/episodes

Each build is the command itself in processes of its own: killed at random moments, with a full disk
(a small tmpfs, where this may be mounted), with a source that vanishes, twice at once, in ranks of
which one dies, on Ray with a worker that dies. Prints a table; exits 1 when a byte is wrong.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lab import COMMAND, Lab, Row, finish, hashes, prepare, shortened, wait_for_receipts

KILLS = 10


def main() -> int:
    """Run every fault and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--captures", type=Path, required=True, help="WildRGB-D folder")
    parser.add_argument("--episodes", type=Path, required=True, help="LeRobot folder")
    parser.add_argument("--samples", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    choices = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="xvr-faults-"))
    try:
        lab = prepare(scratch, choices.captures, choices.episodes, choices.samples)
        rows = []
        print("| fault | what the build said | nothing half written | same bytes after a rerun |")
        print("| --- | --- | --- | --- |", flush=True)
        for row in all_faults(lab, random.Random(choices.seed)):
            cells = row.fault, row.seen, *("yes" if ok else "NO" for ok in (row.whole, row.same))
            print(f"| {' | '.join(cells)} |", flush=True)
            rows.append(row)
    finally:
        shutil.rmtree(scratch)
    return 0 if all(row.whole and row.same for row in rows) else 1


def all_faults(lab: Lab, rng: random.Random) -> Iterator[Row]:
    """Every fault in turn."""
    for number in range(KILLS):
        yield kill(lab, number, rng)
    yield full_disk(lab)
    yield corrupt_scene(lab)
    yield vanishing_source(lab)
    yield two_at_once(lab)
    yield lost_rank(lab)
    if find_spec("ray") is not None:
        yield dead_ray_worker(lab)


def kill(lab: Lab, number: int, rng: random.Random) -> Row:
    """SIGKILL to the whole group, or to the parent alone; every other time with two workers."""
    out = lab.scratch / f"killed_{number}"
    workers = 1 + number % 2
    build = lab.start(out, "--workers", str(workers))
    wait_for_receipts(out, rng.randint(0, lab.units))
    time.sleep(rng.uniform(0, 1))
    made = f"after {len(list((out / '.build').glob('*.receipt.json')))} units"
    if (out / "image_shards").exists():
        made = "at the very end" if (out / "manifest.json").exists() else "in the merge"
    alone = number % 4 == 3
    if build.poll() is not None:
        shutil.rmtree(out)  # too late
        return kill(lab, number, rng)
    (os.kill if alone else os.killpg)(build.pid, signal.SIGKILL)
    target = "the parent of two" if alone else f"all of {workers} workers"
    return lab.judge(f"kill -9 {made}, {target}", out, build)


def full_disk(lab: Lab) -> Row:
    """A tmpfs half as large as the work needs, made larger for the second run."""
    disk = lab.scratch / "disk"
    need = sum(path.stat().st_size for path in (lab.scratch / "reference").rglob("*.tar"))
    with small_disk(disk, need) as (kind, grow, prefix):
        build = subprocess.Popen(
            [*prefix, *COMMAND, str(disk / "out"), *lab.arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        build.wait()
        grow()
        return lab.judge(f"full disk ({kind})", disk / "out", build)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[tuple[str, Callable[[], object], list[str]]]:
    """Its kind, how to make it large, and words before a command; a limit where none is mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        limit = ["bash", "-c", f'ulimit -f {size // 8 // 1024}; trap "" XFSZ; "$@"', "bash"]
        yield "limit of the size of a file", int, limit
        return
    try:
        grow = ["mount", "-o", f"remount,size={20 * size}", str(folder)]
        yield f"tmpfs of {size / 1e6:.1f} MB", lambda: subprocess.run(grow, check=True), []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def corrupt_scene(lab: Lab) -> Row:
    """A scene with a cut image among good ones: skipped, and the same bytes by two workers."""
    captures = lab.scratch / "captures"
    target = captures.readlink()
    copy = shutil.copytree(target, lab.scratch / "damaged", symlinks=True)
    for image in sorted(copy.glob("*/scenes/*"))[0].glob("rgb/*"):
        image.write_bytes(image.read_bytes()[:1000])
    captures.unlink()
    captures.symlink_to(copy)
    try:
        one, two = (lab.scratch / f"corrupt_{workers}" for workers in (1, 2))
        message = finish(lab.start(one))
        finish(lab.start(two, "--workers", "2"))
        skipped = json.loads((one / "manifest.json").read_text())["skipped"]
    finally:
        captures.unlink()
        captures.symlink_to(target)
    said = ", ".join(f"{entry['id']} {entry['reason']}" for entry in skipped)
    return Row(
        fault="a scene with cut images",
        seen=f"0 {shortened(message)}; skipped {said}",
        whole=len(skipped) == 1,
        same=hashes(one) == hashes(two),
    )


def vanishing_source(lab: Lab) -> Row:
    """The captures are gone at half time, and back for the second run."""
    out, captures = lab.scratch / "vanished", lab.scratch / "captures"
    target = captures.readlink()
    build = lab.start(out)
    wait_for_receipts(out, 3)
    captures.unlink()
    build.wait()
    captures.symlink_to(target)
    return lab.judge("the captures vanish", out, build)


def two_at_once(lab: Lab) -> Row:
    """A second run into the folder is refused; the first one does not notice."""
    out = lab.scratch / "twice"
    first = lab.start(out)
    wait_for_receipts(out, 1)
    second = lab.start(out)
    _, message = second.communicate()
    finish(first)
    return Row(
        fault="a second build into the folder",
        seen=f"{second.returncode} {shortened(message)}",
        whole=second.returncode == 2,
        same=hashes(out) == lab.reference,
    )


def lost_rank(lab: Lab) -> Row:
    """Three ranks at once, of which one is killed; the others finish without it."""
    out = lab.scratch / "ranks"
    ranks = [lab.start(out, "--rank", str(rank), "--world", "3") for rank in range(3)]
    wait_for_receipts(out, 4)
    os.killpg(ranks[1].pid, signal.SIGKILL)
    messages = [rank.communicate()[1] for rank in ranks]
    return Row(
        fault="rank 1 of 3 is killed",
        seen=f"{[rank.returncode for rank in ranks]} {shortened(messages[0])}",
        whole=[rank.returncode for rank in ranks] == [0, -signal.SIGKILL, 0],
        same=hashes(out) == lab.reference,
    )


def dead_ray_worker(lab: Lab) -> Row:
    """A worker of a local Ray is killed; Ray starts another, and its unit is tried again."""
    out, mark = lab.scratch / "ray", uuid.uuid4().hex
    build = lab.start(out, "--ray", "local", "--workers", "2", XVR_FAULTS=mark)
    wait_for_receipts(out, 3)
    worker = next(
        pid
        for pid in processes_with(mark)
        if Path(f"/proc/{pid}/cmdline").read_text().startswith("ray::_run_there")
    )
    os.kill(worker, signal.SIGKILL)
    message = finish(build)
    return Row(
        fault="a worker of Ray is killed",
        seen=f"0 {shortened(message)}",
        whole=True,
        same=hashes(out) == lab.reference,
    )


def processes_with(mark: str) -> Iterator[int]:
    """Processes that this run started with the mark in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"XVR_FAULTS={mark}".encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:  # it has ended, or belongs to someone else
            continue


if __name__ == "__main__":
    sys.exit(main())

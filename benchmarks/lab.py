"""A build that is disturbed again and again, and what it must look like afterwards."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

COMMAND = (sys.executable, "-c", "from xvr.cli import entry; entry()", "data", "build")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a fault did."""

    fault: str
    seen: str
    """Exit code and message of the disturbed build, shortened."""
    whole: bool
    """No file under a final name was anything but the final file."""
    same: bool
    """After the same command ran again, every byte is that of an undisturbed build."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A build that is disturbed again and again, and its undisturbed result."""

    scratch: Path
    arguments: tuple[str, ...]
    reference: dict[str, str]
    """SHA-256 of its files."""
    units: int
    """That gave samples."""

    def start(self, out: Path, *more: str, **environment: str) -> subprocess.Popen[str]:
        """The build as a process group of its own."""
        return subprocess.Popen(
            [*COMMAND, str(out), *self.arguments, *more],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | environment,
        )

    def judge(self, fault: str, out: Path, disturbed: subprocess.Popen[str]) -> Row:
        """Wait for a disturbed build, look at what it left, run it again, compare."""
        _, message = disturbed.communicate()
        whole = self.is_whole(out)
        finish(self.start(out))
        return Row(
            fault=fault,
            seen=f"{disturbed.returncode} {shortened(message)}",
            whole=whole,
            same=hashes(out) == self.reference,
        )

    def is_whole(self, out: Path) -> bool:
        """Whether every file under a final name is the final file, and the manifest the last."""
        found = hashes(out)
        final = {name: sha for name, sha in found.items() if not name.startswith(".build")}
        final = {
            name: sha for name, sha in final.items() if not name.endswith((".tmp", ".partial"))
        }
        complete = "manifest.json" not in final or final == self.reference
        return complete and all(self.reference.get(name) == sha for name, sha in final.items())


def prepare(scratch: Path, captures: Path, episodes: Path, samples: int) -> Lab:
    """Build once undisturbed; the captures are named through a link, so that they can vanish."""
    (scratch / "captures").symlink_to(captures.resolve())
    arguments = (
        *("--source", f"wildrgbd:{scratch / 'captures'}"),
        *("--source", f"lerobot:{episodes.resolve()}"),
        *("--samples", str(samples), "--image-format", "jpeg", "--valid-share", "0.1"),
    )
    lab = Lab(scratch=scratch, arguments=arguments, reference={}, units=0)
    finish(lab.start(scratch / "reference"))
    units = json.loads((scratch / "reference" / "manifest.json").read_text())["units"]
    return replace(lab, reference=hashes(scratch / "reference"), units=units)


def wait_for_receipts(out: Path, count: int) -> None:
    """Wait until a build has made some units."""
    deadline = time.monotonic() + 300
    while len(list((out / ".build").glob("*.receipt.json"))) < count:
        if (out / "manifest.json").exists():
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{out}: no {count} units in 300 s")
        time.sleep(0.05)


def finish(build: subprocess.Popen[str]) -> str:
    """Wait for a build that must succeed; returns what it said."""
    _, message = build.communicate()
    if build.returncode != 0:
        raise RuntimeError(f"exit code {build.returncode}: {message}")
    return message


def shortened(message: str) -> str:
    """The first line that says something, without paths."""
    said = ("error", " samples (", "all units are done")
    lines = [line for line in message.splitlines() if any(word in line for word in said)]
    words = (word.rsplit("/", 1)[-1] for word in (lines or [""])[0].split())
    return " ".join(words).replace("|", "/")[:90]


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
    return found

"""A simulator in a process of its own, asked through its standard input and output.

Frames are those that `xvr.vla.shipped.robocasa_host` describes; nothing is pickled. What the
simulator prints is kept and shown when it dies.
"""

import json
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from xvr.errors import UserError

_LAST_LINES = 6


class SimulatorProcess:
    """Starts with the first request; close it."""

    def __init__(self, python: str, script: Path) -> None:
        """Names the Python that has the simulator, and the script that runs in it."""
        self._command = [python, str(script)]
        self._process: subprocess.Popen[bytes] | None = None
        self._printed: IO[bytes] | None = None

    def ask(self, what: str, **values: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
        """The reply to one request, with its arrays.

        Raises:
            UserError: the simulator cannot be started, died, or says what is wrong.
        """
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        text = json.dumps({"do": what, "with": values}).encode()
        try:
            self._process.stdin.write(struct.pack(">I", len(text)) + text)
            self._process.stdin.flush()
            reply = json.loads(self._read(struct.unpack(">I", self._read(4))[0]))
            arrays = [self._array(*listed) for listed in reply.pop("arrays")]
        except (EOFError, BrokenPipeError) as error:
            raise UserError(f"{' '.join(self._command)} died{self._told()}") from error
        if "error" in reply:
            raise UserError(f"the simulator cannot {what}: {reply['error']}{self._told()}")
        return reply, arrays

    def close(self) -> None:
        """End the process."""
        streams: list[IO[bytes] | None] = [self._printed]
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            streams += [self._process.stdin, self._process.stdout]
        for stream in streams:
            if stream is not None:
                stream.close()
        self._process = self._printed = None

    def _start(self) -> None:
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._printed,
            )
        except OSError as error:
            raise UserError(
                f"{self._command[0]}: {error.strerror}; name the Python that has RoboCasa, such as "
                "robocasa:v0.2@/opt/robocasa/bin/python"
            ) from error

    def _read(self, count: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _array(self, name: str, shape: list[int]) -> np.ndarray:
        dtype = np.dtype(name)
        data = self._read(dtype.itemsize * int(np.prod(shape)))
        return np.frombuffer(data, dtype).reshape(shape).copy()

    def _told(self) -> str:
        """The end of what the simulator printed."""
        if self._printed is None:
            return ""
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").strip().splitlines()
        return "".join(f"\n  {line}" for line in lines[-_LAST_LINES:])

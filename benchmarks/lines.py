"""Lines: a host's end in this process, the bridge or socat in the middle, a stand-in for a module at the other end.

Both ends are pseudo-terminals that are made here; the bridge and socat get the same thing, the paths of their slaves.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any

from benchmarks.standin import READ_BYTES

TOP = Path(__file__).resolve().parents[1]
HOST_DIALECT, MODULE_DIALECT = "edsoft-3.02", "wipsoft-5.57"
LIMIT_S = 20
"""No single thing may take longer: then it has failed."""


class Failure(Exception):
    """Something did not do its part, so that there is nothing to measure."""


def _late(_number: int, _frame: FrameType | None) -> None:
    raise Failure(f"nothing came within {LIMIT_S} s")


@contextmanager
def limit() -> Iterator[None]:
    """Break blocking reads and writes off when they take too long."""
    before = signal.signal(signal.SIGALRM, _late)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Pair:
    """A pseudo-terminal. Its slave is kept open, so that it stays raw whoever opens and closes it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.master)
        os.close(self.slave)


class Process:
    """A program that was started here and says in a line when it is ready."""

    def __init__(self, arguments: list[str], *, ready: str, ready_on: str = "stdout", pass_fds: tuple[int, ...] = ()):
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.begun_ns = time.monotonic_ns()
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if ready_on == "stderr" else self._errors,
            cwd=TOP,
            pass_fds=pass_fds,
        )
        self._name = arguments[0] if arguments[0] == "socat" else arguments[2]
        if ready:
            self._wait_ready(self.process.stderr if ready_on == "stderr" else self.process.stdout, ready)

    def _wait_ready(self, stream: IO[bytes] | None, ready: str) -> None:
        while ready not in self.line(stream):
            pass
        self.ready_ns = time.monotonic_ns()

    def line(self, stream: IO[bytes] | None = None) -> str:
        """The next line of standard output (or of ``stream``)."""
        stream = stream or self.process.stdout
        assert stream is not None
        if not select.select([stream], [], [], LIMIT_S)[0]:
            raise Failure(f"{self._name} says nothing; {self.complaint()}")
        # Unbuffered: select must see the lines that are left.
        text = b""
        while not text.endswith(b"\n"):
            byte = os.read(stream.fileno(), 1)
            if not byte:
                raise Failure(f"{self._name} ended; {self.complaint()}")
            text += byte
        return text.decode(errors="replace")

    def tell(self, *words: object) -> None:
        """Say a line on its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def complaint(self) -> str:
        """What it said on standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ask it to end; :meth:`close` waits for that."""
        if self.process.poll() is None:
            self.process.terminate()

    def close(self) -> int:
        """End it; its exit code."""
        self.stop()
        try:
            code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self._errors.close()
        return code


def bridge_arguments(host: str, module: str) -> list[str]:
    """The gateway, as a user starts it."""
    ends = ["--host", host, "--host-dialect", HOST_DIALECT, "--module", module, "--module-dialect", MODULE_DIALECT]
    return [sys.executable, "-m", "gateway", "bridge", *ends, "--log-level", "warning"]


def start_bridge(host: Pair, module: Pair) -> Process:
    """The gateway between two lines."""
    return Process(bridge_arguments(host.path, module.path), ready="ready")


def start_socat(host: Pair, module: Pair) -> Process:
    """Socat between two lines. Its notices (``-d -d``) tell when it begins; it says nothing while it works."""
    arguments = ["socat", "-d", "-d", "-b65536", f"{host.path},rawer", f"{module.path},rawer"]
    return Process(arguments, ready="starting data transfer loop", ready_on="stderr")


class Line:
    """One line with all that is on it. ``middle`` is ``bridge`` or ``socat``."""

    def __init__(self, stack: ExitStack, middle: str) -> None:
        self.middle = middle
        host, module = Pair(), Pair()
        stack.callback(host.close)
        stack.callback(module.close)
        self.fd = host.master
        standin = [sys.executable, "-m", "benchmarks.standin", str(module.master)]
        self.standin = Process(standin, ready="", pass_fds=(module.master,))
        stack.callback(self.standin.close)
        start = start_bridge if middle == "bridge" else start_socat
        self.process = start(host, module)
        stack.callback(self.process.close)

    def ask(self, command: str, end: bytes = b"\r\nOK\r\n") -> bytes:
        """Say a command line; everything up to ``end``, which must be the last thing said."""
        os.write(self.fd, command.encode() + b"\r")
        got = b""
        while not got.endswith(end):
            got += os.read(self.fd, READ_BYTES)
            if b"ERROR" in got:
                raise Failure(f"{command} through {self.middle}: {got!r}")
        return got

    def order(self, *words: object) -> None:
        """Have the stand-in take or make bulk."""
        self.standin.tell(*words)

    def done(self) -> tuple[int, int, str]:
        """When the stand-in ended or began, how many bytes there were, and their digest."""
        words: list[Any] = self.standin.line().split()
        if len(words) != 4 or words[0] != "done":
            raise Failure(f"the stand-in says {words}")
        return int(words[1]), int(words[2]), str(words[3])

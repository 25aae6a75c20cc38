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

from benchmarks.standin import READ_BYTES, put, take

TOP = Path(__file__).resolve().parents[1]
HOST_DIALECT, MODULE_DIALECT = "edsoft-3.02", "wipsoft-5.57"
DIGITS_DIALECT = "fibocom-l610"
"""Of modules that take payload as digits."""
LIMIT_S = 20.0
"""No single thing may take longer: then it has failed."""
END_S = 5.0
"""Nor may a process take longer to end: then it is killed."""


class Failure(Exception):
    """Something did not do its part, so that there is nothing to measure."""


@contextmanager
def limit(what: str, seconds: float = LIMIT_S) -> Iterator[None]:
    """Break off what takes too long, also blocking reads and writes, and say what it was. May stand in another."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise Failure(f"{what}: not done within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    begun = time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        rest = max(0.001, left - (time.monotonic() - begun)) if left else 0
        signal.setitimer(signal.ITIMER_REAL, rest)


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
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self._errors.close()
        return code


def bridge_arguments(host: str, module: str, dialects: tuple[str, str]) -> list[str]:
    """The gateway, as a user starts it."""
    ends = ["--host", host, "--host-dialect", dialects[0], "--module", module, "--module-dialect", dialects[1]]
    return [sys.executable, "-m", "gateway", "bridge", *ends, "--log-level", "warning"]


def start_bridge(host: Pair, module: Pair, dialects: tuple[str, str]) -> Process:
    """The gateway between two lines."""
    return Process(bridge_arguments(host.path, module.path, dialects), ready="ready")


def start_socat(host: Pair, module: Pair) -> Process:
    """Socat between two lines. Its notices (``-d -d``) tell when it begins; it says nothing while it works."""
    arguments = ["socat", "-d", "-d", "-b65536", f"{host.path},rawer", f"{module.path},rawer"]
    return Process(arguments, ready="starting data transfer loop", ready_on="stderr")


class Line:
    """One line with all that is on it. ``middle`` is ``bridge`` or ``socat``; ``dialects``: of the host and the module;
    ``baud``: the rate that the module's line has, 0 for none."""

    def __init__(
        self, stack: ExitStack, middle: str, dialects: tuple[str, str] = (HOST_DIALECT, MODULE_DIALECT), baud: int = 0
    ) -> None:
        self.middle = middle
        host, module = Pair(), Pair()
        stack.callback(host.close)
        stack.callback(module.close)
        self.fd = host.master
        kind = "mip" if dialects[1] == DIGITS_DIALECT else "wipsoft"
        standin = [sys.executable, "-m", "benchmarks.standin", str(module.master), kind, str(baud)]
        self.standin = Process(standin, ready="", pass_fds=(module.master,))
        stack.callback(self.standin.close)
        if middle == "bridge":
            self.process = start_bridge(host, module, dialects)
        else:
            self.process = start_socat(host, module)
        self._unread = b""
        stack.callback(self.process.close)

    def ask(self, command: str, end: bytes = b"\r\nOK\r\n") -> bytes:
        """Say a command line; everything up to ``end``."""
        os.write(self.fd, command.encode() + b"\r")
        return self.hear(end, command)

    def say(self, data: bytes) -> int:
        """Write; when that began."""
        return put(self.fd, data)

    def hear(self, end: bytes, what: str = "") -> bytes:
        """Everything up to ``end``."""
        while True:
            at = self._unread.find(end)
            if at >= 0:
                got, self._unread = self._unread[: at + len(end)], self._unread[at + len(end) :]
                return got
            if b"ERROR" in self._unread:
                raise Failure(f"{what or 'payload'} through {self.middle}: {self._unread!r}")
            self._unread += os.read(self.fd, READ_BYTES)

    def take(self, size: int) -> tuple[int, bytes]:
        """So many bytes; when the last one came."""
        ended, rest = take(self.fd, size - len(self._unread))
        got = self._unread + rest
        self._unread = got[size:]
        return ended, got[:size]

    def some(self) -> tuple[int, bytes]:
        """What there is, or comes next; and when."""
        got, self._unread = self._unread, b""
        got = got or os.read(self.fd, READ_BYTES)
        return time.monotonic_ns(), got

    def order(self, *words: object) -> None:
        """Have the stand-in take or make bulk."""
        self.standin.tell(*words)

    def done(self) -> tuple[int, int, str]:
        """When the stand-in ended or began, how many bytes there were, and their digest."""
        words: list[Any] = self.standin.line().split()
        if len(words) != 4 or words[0] != "done":
            raise Failure(f"the stand-in says {words}")
        return int(words[1]), int(words[2]), str(words[3])

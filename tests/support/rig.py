"""Real programs on real pseudo-terminals, and the servers behind them: for tests from end to end.

Every wait has a limit and ends when what is awaited is there; nothing sleeps.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

LIMIT_S = 15.0


class Speaking(ABC):
    """Whoever says commands on a line and hears answers."""

    unasked: tuple[str, ...] = ()
    """Beginnings of lines that belong to no answer."""

    @property
    def now_s(self) -> float:
        """The time by which limits are kept."""
        return time.monotonic()

    @abstractmethod
    def say(self, data: bytes) -> None:
        """Write everything."""

    @abstractmethod
    def until(self, *wanted: bytes, limit_s: float = LIMIT_S) -> bytes:
        """Bytes up to the first of what is wanted, which they include."""

    def ask(self, command: str, *ends: bytes, limit_s: float = LIMIT_S) -> bytes:
        """Say a command line; everything up to a final result."""
        self.say(command.encode("latin-1") + b"\r")
        ends = ends or (b"\r\nOK\r\n", b"ERROR\r\n", b"\r\nNO CARRIER\r\n")
        return self.until(*ends, limit_s=limit_s)

    def answer(self, command: str, limit_s: float = LIMIT_S) -> str:
        """The lines of an answer, joined by ' | ', without the echo."""
        self.say(command.encode("latin-1") + b"\r")
        lines: list[str] = []
        while True:
            line = self.until(b"\r\n", limit_s=limit_s)[:-2].decode("latin-1")
            line = line.rpartition("\r")[2]
            if line and not line.startswith(self.unasked):
                lines.append(line)
            if line in ("OK", "ERROR", "NO CARRIER", "CONNECT") or "CME ERROR: " in line or "CMS ERROR: " in line:
                return " | ".join(lines)


class Terminal(Speaking):
    """One end of a line, as a host or a tester has it: raw bytes."""

    def __init__(self, path: str | Path | None = None, *, fd: int | None = None) -> None:
        if fd is None:
            assert path is not None
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(fd)
        self.fd = fd
        os.set_blocking(fd, False)
        self.seen = bytearray()
        """All bytes that ever came."""
        self._buffer = bytearray()

    def close(self) -> None:
        os.close(self.fd)

    def say(self, data: bytes) -> None:
        """Write everything; what comes meanwhile is kept."""
        due = time.monotonic() + LIMIT_S
        while data:
            readable, writable, _ = select.select([self.fd], [self.fd], [], max(0, due - time.monotonic()))
            assert readable or writable, f"the line takes no bytes: {len(data)} left"
            if readable:
                self._read()
            if writable:
                try:
                    data = data[os.write(self.fd, data[:4096]) :]
                except BlockingIOError:
                    continue

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return
        self._buffer += data
        self.seen += data

    def until(self, *wanted: bytes, limit_s: float = LIMIT_S) -> bytes:
        """Bytes up to the first of what is wanted, which they include."""
        due = time.monotonic() + limit_s
        while True:
            ends = [at + len(text) for text in wanted if (at := self._buffer.find(text)) >= 0]
            if ends:
                got = bytes(self._buffer[: min(ends)])
                del self._buffer[: min(ends)]
                return got
            left = due - time.monotonic()
            assert left > 0, f"waited {limit_s} s for {wanted!r}, got {bytes(self._buffer[-600:])!r}"
            if select.select([self.fd], [], [], left)[0]:
                self._read()

    def take(self, size: int, limit_s: float = LIMIT_S) -> bytes:
        """Exactly so many bytes; the limit is of a line on which nothing comes."""
        while len(self._buffer) < size:
            came = select.select([self.fd], [], [], limit_s)[0]
            assert came, f"waited {limit_s} s for {size} bytes, got {len(self._buffer)}"
            self._read()
        got = bytes(self._buffer[:size])
        del self._buffer[:size]
        return got

    def rest(self) -> bytes:
        """What came and was not taken yet; taken now."""
        got = bytes(self._buffer)
        self._buffer.clear()
        return got

    def silent_for(self, seconds: float) -> bytes:
        """Say nothing for a guard time that the other side measures; what came meanwhile."""
        due = time.monotonic() + seconds
        before = len(self._buffer)
        while (left := due - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self._read()
        return bytes(self._buffer[before:])

    def deaf_for(self, seconds: float) -> None:
        """Say nothing for a guard time, and read nothing."""
        threading.Event().wait(seconds)

    def stream(self, sent: bytes, expected: bytes, limit_s: float = 60.0) -> bytes:
        """Write ``sent`` and read as many bytes as are expected at the same time; what was read.

        The limit is of a line that moves nothing either way.
        """
        at = 0
        while len(self._buffer) < len(expected):
            readable, writable, _ = select.select([self.fd], [self.fd] if at < len(sent) else [], [], limit_s)
            assert readable or writable, f"sent {at} of {len(sent)}, got {len(self._buffer)} of {len(expected)}"
            if readable:
                self._read()
            if writable:
                with suppress(BlockingIOError):
                    at += os.write(self.fd, sent[at : at + 4096])
        return self.take(len(expected))

    @property
    def speed(self) -> int:
        """The line's rate, as a termios constant."""
        speed: int = termios.tcgetattr(self.fd)[4]
        return speed


class Program:
    """``at-gateway`` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.arguments = arguments
        self.errors = folder / f"stderr-{arguments[0]}-{time.monotonic_ns()}"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,  # select must see the lines that are left
                stderr=errors,
                env=os.environ | {"PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"} | (environment or {}),
            )

    def wait_ready(self) -> str:
        """The line that says so."""
        line = self.line(LIMIT_S * 4)  # many may be starting at once
        assert line.startswith("ready"), f"{self.arguments}: {line!r} {self.complaint()}"
        return line

    def line(self, limit_s: float = LIMIT_S) -> str:
        """The next line of standard output; empty at its end."""
        out = self.process.stdout
        assert out is not None
        assert select.select([out], [], [], limit_s)[0], f"{self.arguments} says nothing: {self.complaint()}"
        return out.readline().decode()

    def complaint(self) -> str:
        """What it said on standard error."""
        return self.errors.read_text(errors="replace")

    def says(self, wanted: str, times: int = 1) -> str:
        """What it has said on standard error as soon as it has said that."""
        due = time.monotonic() + LIMIT_S
        while self.complaint().count(wanted) < times:
            assert time.monotonic() < due, self.complaint()
            time.sleep(0.01)
        return self.complaint()

    def wait(self, limit_s: float = LIMIT_S) -> int:
        """Its exit code."""
        return self.process.wait(limit_s)

    def stop(self, number: int = signal.SIGTERM, limit_s: float = LIMIT_S) -> int:
        """End it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(limit_s)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def memory_mib(self) -> float:
        """Resident memory now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")


class Server:
    """A TCP server on a free port of loopback; each connection runs ``serve`` in a thread."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.connections: list[socket.socket] = []
        self._arrived = threading.Semaphore(0)
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(LIMIT_S * 4)
            self.connections.append(connection)
            if self._closed:
                connection.close()
                return
            self._arrived.release()
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):
                self._serve(connection)
        except ValueError:  # what a socket that was closed meanwhile is to select
            if not self._closed:
                raise

    def arrived(self) -> socket.socket:
        """Wait for the next connection."""
        assert self._arrived.acquire(timeout=LIMIT_S), "nobody connected"
        return self.connections[-1]

    def close(self) -> None:
        self._closed = True  # before: one that is just being accepted is closed by its thread
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # else it listens as long as its thread waits
        self.socket.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # else its thread waits for ever
            connection.close()


def echo(connection: socket.socket) -> None:
    """Send back what comes."""
    while data := connection.recv(65536):
        connection.sendall(data)


def hold(connection: socket.socket) -> None:
    """Leave the connection to the test."""
    del connection


def end(connection: socket.socket) -> None:
    """End it as one does that has said all: what still comes is heard, so that there is no reset."""
    connection.shutdown(socket.SHUT_WR)
    read_to_end(connection)


def resets(connection: socket.socket) -> None:
    """From now on its close is a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def abort(connection: socket.socket) -> None:
    """End it by a reset."""
    resets(connection)
    connection.close()


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes of a connection."""
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part, f"the connection ended after {len(data)} of {size} bytes: {data[-80:]!r}"
        data += part
    return data


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    data = b""
    while part := connection.recv(65536):
        data += part
    return data


def unused_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Rig:
    """Programs, terminals and servers of one test; all ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        """What the programs have besides this process's."""
        self._open: list[Program | Terminal | Server] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thing in reversed(self._open):
            thing.close()

    def path(self, name: str) -> str:
        """A path in the test's own folder."""
        return str(self.folder / name)

    def start(self, *arguments: str, ready: bool = True) -> Program:
        """Run ``at-gateway``; unless told otherwise until it is ready."""
        program = Program(self.folder, *arguments, environment=self.environment)
        self._open.append(program)
        if ready:
            program.wait_ready()
        return program

    def terminal(self, name: str) -> Terminal:
        """Open a line."""
        terminal = Terminal(self.path(name))
        self._open.append(terminal)
        return terminal

    def server(self, serve: Callable[[socket.socket], None] = echo) -> Server:
        """A TCP server on loopback."""
        server = Server(serve)
        self._open.append(server)
        return server

    def module(self, *arguments: str, dialect: str = "wipsoft-5.57", link: str | None = None) -> Program:
        """A virtual module at ``module``."""
        return self.start("module", "--dialect", dialect, "--link", link or f"pty:{self.path('module')}", *arguments)

    def bridge(
        self,
        *arguments: str,
        host_dialect: str = "edsoft-3.02",
        module_dialect: str = "wipsoft-5.57",
        module: str | None = None,
    ) -> Program:
        """A bridge from ``host`` to ``module``."""
        return self.start(
            "bridge",
            "--host",
            f"pty:{self.path('host')}",
            "--host-dialect",
            host_dialect,
            "--module",
            module or self.path("module"),
            "--module-dialect",
            module_dialect,
            *arguments,
        )

    def native(self, *arguments: str, host_dialect: str = "edsoft-3.02") -> Program:
        """A bridge from ``host`` to this computer's network."""
        return self.start(
            "bridge", "--host", f"pty:{self.path('host')}", "--host-dialect", host_dialect, "--native", *arguments
        )


@contextmanager
def pty_pair() -> Iterator[tuple[Terminal, str]]:
    """A terminal whose other end is a device path, for programs that want a real device."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    terminal = Terminal(fd=master)
    try:
        yield terminal, path
    finally:
        terminal.close()
        os.close(slave)

"""The module's end of a line, as a process of its own: ``python -m benchmarks.standin FD KIND [BAUD]``.

It answers AT lines as :mod:`benchmarks.wipsoft` or :mod:`benchmarks.mip` does; with BAUD as late as a line of that rate
would let it. Told so on standard input it does something else with payload, and says on standard output when that was
done and what it got::

    sink SIZE          -> ready, then: done NANOSECONDS SIZE DIGEST   (bytes of the line, nothing but blocking reads)
    source SIZE FORM [letter]
                       -> done NANOSECONDS SIZE DIGEST                (begun then; nothing but blocking writes)
    gather SIZE        -> ready, then: done NANOSECONDS SIZE DIGEST   (payload, whatever the module's dialect makes of it)
    collect SIZE       -> ready, then: done NANOSECONDS SIZE DIGEST   (a mail's last SIZE bytes)
    deliver SIZE       -> ready, then: done NANOSECONDS SIZE DIGEST   (a mail of so many bytes; begun then)

Nanoseconds are the system's monotonic clock, the same for every process.
"""

from __future__ import annotations

import os
import select
import sys
import time

from benchmarks import mip, wipsoft
from benchmarks.payload import FORMS, digest, letter, payload
from benchmarks.post import LETTER_END, Post

READ_BYTES = 65536
BITS = 10
"""On the line, for a byte."""


def take(fd: int, size: int) -> tuple[int, bytes]:
    """Read ``size`` bytes; when the last one came, and all of them."""
    parts = []
    left = size
    while left > 0:
        data = os.read(fd, READ_BYTES)
        parts.append(data)
        left -= len(data)
    return time.monotonic_ns(), b"".join(parts)


def put(fd: int, data: bytes) -> int:
    """Write everything; when that began."""
    begun = time.monotonic_ns()
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view[:READ_BYTES]) :]
    return begun


def _say(*words: object) -> None:
    print(*words, flush=True)


class End:
    """The module's end of a line."""

    def __init__(self, fd: int, kind: str, baud: int) -> None:
        self._fd = fd
        self._byte_s = BITS / baud if baud else 0.0
        self.post = Post()
        self.module: wipsoft.Module | mip.Module = mip.Module() if kind == "mip" else wipsoft.Module()
        self.begun = 0
        self._poll = select.poll()
        self._poll.register(0, select.POLLIN)
        self._poll.register(fd, select.POLLIN)

    def run(self) -> None:
        """Until standard input is closed."""
        while True:
            if 0 in self._step():
                order = os.read(0, 4096).decode().split()
                if not order:
                    return
                self._obey(order[0], int(order[1]), *order[2:])

    def _step(self) -> list[int]:
        """Wait for something, and answer what came on the line; what is ready."""
        due = self.module.deadline
        wait_ms = None if due is None else max(0.0, due - time.monotonic()) * 1000 + 1
        ready = [number for number, _ in self._poll.poll(wait_ms)]
        said = self.module.tick(time.monotonic())
        if self._fd in ready:
            data = os.read(self._fd, READ_BYTES)
            self._pass(data)
            said += self.module.receive(data, time.monotonic())
        if said:
            self._pass(said)
            self.begun = put(self._fd, said)
        return ready

    def _step_on(self) -> int:
        self._step()
        return time.monotonic_ns()

    def _take_letter(self) -> int:
        """A mail on a stream is looked at when all of it is there, as :func:`take` does; when that was."""
        parts, end = [], b""
        while not end.endswith(LETTER_END):
            parts.append(os.read(self._fd, READ_BYTES))
            end = (end + parts[-1])[-len(LETTER_END) :]
        when = time.monotonic_ns()
        put(self._fd, self.module.receive(b"".join(parts), time.monotonic()))
        return when

    def _pass(self, data: bytes) -> None:
        """The time that bytes take on the line."""
        if self._byte_s:
            time.sleep(len(data) * self._byte_s)

    def _obey(self, what: str, size: int, form: str = "", content: str = "") -> None:
        match what:
            case "sink":
                _say("ready")
                when, data = take(self._fd, size)
            case "source":
                data = FORMS[form](letter(size) if content else payload(size))
                when = put(self._fd, data)
            case "gather":
                self.module.taken.clear()
                _say("ready")
                while len(self.module.taken) < size:
                    self._step()
                when, data = time.monotonic_ns(), bytes(self.module.taken)
            case "collect" | "deliver":
                self.module.post, self.post.taken, self.post.gives = self.post, b"", False
                self.post.mail = letter(size) if what == "deliver" else b""
                _say("ready")
                when = 0
                while not (self.post.taken or self.post.gives):
                    when = self._take_letter() if self.post.taking and self.module.in_data else self._step_on()
                data = self.post.taken[-(size + 3) : -3]
                if what == "deliver":
                    when, data = self.begun, self.post.mail
            case _:
                raise ValueError(what)
        _say("done", when, len(data), digest(data))


if __name__ == "__main__":
    End(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0).run()

"""The module's end of a line, as a process of its own: ``python -m benchmarks.standin FD``.

It answers AT lines as :mod:`benchmarks.wipsoft` does. Told so on standard input it takes or makes bulk instead, with
nothing but blocking reads or writes, and says on standard output when it was done and what it got::

    sink SIZE          -> ready, then: done NANOSECONDS SIZE DIGEST
    source SIZE FORM   -> done NANOSECONDS SIZE DIGEST  (begun then)

Nanoseconds are the system's monotonic clock, the same for every process.
"""

from __future__ import annotations

import os
import select
import sys
import time

from benchmarks.payload import FORMS, digest, payload
from benchmarks.wipsoft import Module

READ_BYTES = 65536


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


def _bulk(fd: int, order: list[str]) -> None:
    size = int(order[1])
    if order[0] == "sink":
        _say("ready")
        when, data = take(fd, size)
    else:
        data = FORMS[order[2]](payload(size))
        when = put(fd, data)
    _say("done", when, len(data), digest(data))


def main() -> None:
    """Until standard input is closed."""
    fd = int(sys.argv[1])
    module = Module()
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(fd, select.POLLIN)
    while True:
        due = module.deadline
        wait_ms = None if due is None else max(0.0, due - time.monotonic()) * 1000 + 1
        ready = [number for number, _ in poll.poll(wait_ms)]
        said = module.tick(time.monotonic())
        if fd in ready:
            said += module.receive(os.read(fd, READ_BYTES), time.monotonic())
        if said:
            os.write(fd, said)
        if 0 in ready:
            order = os.read(0, 4096).decode().split()
            if not order:
                return
            _bulk(fd, order)


if __name__ == "__main__":
    main()

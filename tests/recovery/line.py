"""Lines in memory: what the programs under test write and read, and what can go wrong between two of them."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable

from support.rig import LIMIT_S, Speaking

from gateway.errors import LinkError
from gateway.links.link import HIGH_BYTES, LOW_BYTES, Link
from recovery.clock import Loop

LATENCY_S = 0.001
_UNASKED = re.compile(rb'\r\n\+CREG: 2,"[0-9A-F]{4}"\r\n')


class Way:
    """One direction of a line: bytes arrive in order, a moment later."""

    def __init__(self, loop: Loop, arrive: Callable[[bytes], None], chop: random.Random | None = None) -> None:
        self._loop, self._arrive, self._chop = loop, arrive, chop
        self._under_way: deque[bytes] = deque()
        self.held = False
        """What is under way stays there."""
        self.cut = False
        """What is sent is lost."""
        self.reading = True
        self.seen = bytearray()
        """All that was sent, lost or not."""
        self.on_sent: Callable[[bytes], None] = lambda _: None
        self.on_full: Callable[[bool], None] = lambda _: None
        """More is under way than a writer should add to, or no longer."""
        self._full = False
        self._waits_to_be_empty: list[Callable[[], None]] = []

    def when_empty(self, then: Callable[[], None]) -> None:
        if self._under_way:
            self._waits_to_be_empty.append(then)
        else:
            then()

    def _look(self) -> None:
        size = sum(map(len, self._under_way))
        if self._full != (size > (LOW_BYTES if self._full else HIGH_BYTES)):
            self._full = not self._full
            self.on_full(self._full)
        if not self._under_way:
            waiting, self._waits_to_be_empty = self._waits_to_be_empty, []
            for then in waiting:
                then()

    def send(self, data: bytes) -> None:
        self.seen += data
        if not self.cut:
            if self._chop is None:
                self._under_way.append(data)
            else:
                self._under_way.extend(_chopped(data, self._chop))
            self._arrange()
            self._look()
        self.on_sent(data)

    def hold(self, held: bool) -> None:
        self.held = held
        self._arrange()

    def read(self, reading: bool) -> None:
        if reading != self.reading:
            self.reading = reading
            self._arrange()

    def lose(self) -> None:
        """What is under way is lost."""
        self._under_way.clear()
        self._look()

    def _arrange(self) -> None:
        if self._under_way and not self.held and self.reading:
            self._loop.call_later(LATENCY_S, self._deliver)

    def _deliver(self) -> None:
        if self._under_way and not self.held and self.reading:
            self._arrive(self._under_way.popleft())
            self._arrange()
            self._look()


def _chopped(data: bytes, chop: random.Random) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        size = chop.choice((1, 2, 3, 7, 30, 200, 2000))
        parts.append(data[at : at + size])
        at += size
    return parts


class MemoryLink(Link):
    """One end of a line, for a runner."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.out: Way
        self.into: Way
        self.is_open = False
        self.plugged = True

    async def open(self) -> None:
        if not self.plugged:
            raise LinkError(f"{self.name} is not there")
        self.is_open = True

    def write(self, data: bytes) -> None:
        if self.is_open and self.plugged:
            self.out.on_full = self.on_congestion
            self.out.send(data)
        else:
            self.undelivered_bytes += len(data)

    def arrive(self, data: bytes) -> None:
        if self.is_open and self.plugged:
            self.on_data(data)

    def read(self, reading: bool) -> None:
        self.reading = reading
        self.into.read(reading)

    def drained(self, then: Callable[[], None]) -> None:
        self.out.when_empty(then)

    def close(self) -> None:
        self.is_open = False

    def unplug(self) -> None:
        """The device is gone."""
        self.plugged = False
        self.into.lose()
        self.on_lost()


class Line:
    """Two links and what is between them."""

    def __init__(self, loop: Loop, names: tuple[str, str], chop: random.Random | None = None) -> None:
        self.left, self.right = MemoryLink(names[0]), MemoryLink(names[1])
        self.right.out = self.left.into = self.to_left = Way(loop, self.left.arrive, chop)
        self.left.out = self.right.into = self.to_right = Way(loop, self.right.arrive, chop)


class Terminal(Speaking):
    """The host's end of a line, with the verbs of :class:`support.rig.Terminal` and time by hand."""

    unasked = ('+CREG: 2,"',)
    patience_s = 0.0
    """No verb gives up before, whatever its limit: the host is one that waits for as long as its manual says."""

    def __init__(self, loop: Loop, chop: random.Random | None = None) -> None:
        self._loop = loop
        self.link = MemoryLink("host")
        self.link.out = Way(loop, self._arrived, chop)
        self.link.into = self.way = Way(loop, self.link.arrive, chop)
        self.seen = bytearray()
        self.log: list[tuple[float, bytes]] = []
        """What came, and when."""
        self._buffer = bytearray()

    def _arrived(self, data: bytes) -> None:
        self.seen += data
        self.log.append((self._loop.time(), data))
        self._buffer += data
        self._loop.nudge()

    @property
    def now_s(self) -> float:
        return self._loop.time()

    def say(self, data: bytes) -> None:
        self.way.send(data)

    def until(self, *wanted: bytes, limit_s: float = LIMIT_S) -> bytes:
        """Bytes up to the first of what is wanted, which they include."""

        def end() -> int:
            self._put_aside()
            ends = [at + len(text) for text in wanted if (at := self._buffer.find(text)) >= 0]
            return min(ends, default=0)

        there = self._loop.wait(lambda: end() > 0, max(limit_s, self.patience_s))
        assert there, f"waited {limit_s} s for {wanted!r}, got {bytes(self._buffer[-600:])!r}"
        return self._take(end())

    def _put_aside(self) -> None:
        """What a module says unasked is nobody's answer; in payload it would be a fault, and stays."""
        if b"+CREG" in self._buffer:
            self._buffer = bytearray(_UNASKED.sub(b"", bytes(self._buffer)))

    def take(self, size: int, limit_s: float = LIMIT_S) -> bytes:
        there = self._loop.wait(lambda: len(self._buffer) >= size, limit_s)
        assert there, f"waited {limit_s} s for {size} bytes, got {bytes(self._buffer)!r}"
        return self._take(size)

    def rest(self) -> bytes:
        return self._take(len(self._buffer))

    def silent_for(self, seconds: float) -> bytes:
        """Say nothing for a guard time that the other side measures; what came meanwhile."""
        before = len(self._buffer)
        self._loop.wait(lambda: False, seconds)
        return bytes(self._buffer[before:])

    def stream(self, sent: bytes, expected: bytes, limit_s: float = 60.0) -> bytes:
        """Write ``sent`` and read as many bytes as are expected."""
        for at in range(0, len(sent), 4096):
            self.say(sent[at : at + 4096])
        return self.take(len(expected), limit_s)

    def _take(self, size: int) -> bytes:
        got = bytes(self._buffer[:size])
        del self._buffer[:size]
        return got

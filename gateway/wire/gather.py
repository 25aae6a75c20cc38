"""Collects what a host sends until a packet is full or its delay is over."""

from __future__ import annotations


class Gatherer:
    """Joins writes into packets: one ends when it holds ``limit_bytes``, or ``delay_s`` after its first byte.

    With a delay of 0 each write is a packet of its own. ``divided``: packets keep their boundaries (datagrams); those of
    a stream that are full at the same time leave together.
    """

    def __init__(self, delay_s: float, limit_bytes: int, *, divided: bool = True) -> None:
        self._delay_s = delay_s
        self.limit_bytes = limit_bytes
        self._divided = divided
        self._buffer = bytearray()
        self._due_s: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the packet that is being filled must go."""
        return self._due_s

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """Add bytes; the packets that are ready."""
        if not data:
            return []
        if self._delay_s <= 0 and not self._buffer and len(data) <= self.limit_bytes:
            return [data]
        if not self._buffer:
            self._due_s = now + self._delay_s
        self._buffer += data
        ready = self.split(self._buffer)
        if ready:
            self._due_s = now + self._delay_s if self._buffer else None
        if self._delay_s <= 0:
            ready += self.flush()
        return ready

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the full packets out of ``buffer``."""
        full = len(buffer) // self.limit_bytes * self.limit_bytes
        if not full:
            return []
        step = self.limit_bytes if self._divided else full
        ready = [bytes(buffer[at : at + step]) for at in range(0, full, step)]
        del buffer[:full]
        return ready

    def tick(self, now: float) -> list[bytes]:
        """The packet whose delay is over."""
        return self.flush() if self._due_s is not None and now >= self._due_s else []

    def flush(self) -> list[bytes]:
        """What is there, at once."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._due_s = None
        return [rest] if rest else []

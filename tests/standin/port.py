"""The module's serial port: the master end of a pseudo-terminal, what waits to be said, and the record of it all."""

from __future__ import annotations

import os
import time
import tty
from contextlib import suppress
from dataclasses import dataclass, field, replace

PIECE_GAP_S = 0.002
ENTRY_LIMIT_BYTES = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened on the port: ``>`` heard, ``<`` said, ``-`` a note, ``!`` a complaint."""

    at_s: float
    sign: str
    data: bytes | str


@dataclass
class Record:
    """Everything that happened, in order; a failing test shows it."""

    entries: list[Entry] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    begun_s: float = field(default_factory=time.monotonic)

    def add(self, sign: str, data: bytes | str) -> None:
        last = self.entries[-1] if self.entries else Entry(0.0, "", "")
        goes_on = last.sign == sign and len(last.data) < ENTRY_LIMIT_BYTES
        if goes_on and isinstance(data, bytes) and isinstance(last.data, bytes):
            self.entries[-1] = replace(last, data=last.data + data)
            return
        self.entries.append(Entry(time.monotonic() - self.begun_s, sign, data))

    def complain(self, text: str) -> None:
        """The gateway did what no guide allows."""
        self.complaints.append(text)
        self.add("!", text)

    def __str__(self) -> str:
        return "\n".join(f"{entry.at_s:8.3f} {entry.sign} {entry.data!r:.300}" for entry in self.entries[-80:])


class Port:
    """See the module's text. ``path`` is the device that the gateway opens."""

    def __init__(self, record: Record, piece_bytes: int) -> None:
        self.record = record
        self._piece_bytes = piece_bytes
        self.fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        os.set_blocking(self.fd, False)
        self.waiting = bytearray()
        self._not_before_s = 0.0

    def say(self, data: bytes) -> None:
        """Bytes for the gateway."""
        self.record.add("<", data)
        self.waiting += data

    def write(self) -> None:
        """As much as goes out now."""
        now = time.monotonic()
        if not self.waiting or now < self._not_before_s:
            return
        size = self._piece_bytes or len(self.waiting)
        with suppress(BlockingIOError):
            del self.waiting[: os.write(self.fd, self.waiting[:size])]
        self._not_before_s = now + PIECE_GAP_S if self._piece_bytes else 0.0

    @property
    def pause_s(self) -> float | None:
        """How long the next piece waits; None when nothing does."""
        return max(0.0, self._not_before_s - time.monotonic()) if self.waiting else None

    def read(self) -> bytes:
        """What came; empty when nothing did."""
        try:
            return os.read(self.fd, 4096)
        except (BlockingIOError, OSError):
            return b""

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._slave)

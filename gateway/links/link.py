"""A link as the runner sees it: bytes in and out, congestion, signals; and the part that moves bytes of a descriptor."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable

log = logging.getLogger("gateway.links")
READ_BYTES = 65536
FULL_READ_BYTES = 4095
"""A terminal's driver never gives more than this at once."""
HIGH_BYTES = 65536
"""Bytes that wait to be written; above this whoever makes them is held back."""
LOW_BYTES = 16384
BITS = 10
"""On a serial line, for a byte."""
WAITING_S = 4.0
"""No more than a serial line carries in this time: who waits for it to be gone has limits of his own."""
DRAIN_POLL_S = 0.01
FLUSH_S = 2.0
"""How long what was written may take to go out when a link is closed."""
_GONE = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.EPIPE, errno.ECONNRESET})


class Link(ABC):
    """One end of a line. The owner sets the callbacks before :meth:`start`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_data: Callable[[bytes], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None
        self.on_congestion: Callable[[bool], None] = lambda _: None
        self.on_ready_signal: Callable[[bool], None] = lambda _: None
        """The other side's DTR (seen as DSR or as a connection) went on or off."""
        self.reading = True
        """What :meth:`read` was last told; it holds for a link that is opened again too."""
        self.gone = False
        """It was lost since it was opened last."""
        self.undelivered_bytes = 0
        """What was written and could not go out, until somebody has told it and begins to count anew."""

    @abstractmethod
    async def open(self) -> None:
        """Open and begin to read. Raises :class:`~gateway.errors.LinkError`."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send; what cannot go at once waits."""

    @abstractmethod
    def read(self, reading: bool) -> None:
        """Whether to read: while not, the other side is held back as far as the line can."""

    @abstractmethod
    def drained(self, then: Callable[[], None]) -> None:
        """Call ``then`` when everything written has really gone out."""

    @abstractmethod
    def close(self) -> None:
        """Close, remove what was made, call nothing back any more."""

    async def closed(self) -> None:  # noqa: B027  # most links are closed at once
        """Wait, behind :meth:`close`, until what was written has gone out, as far as it goes within a short time."""

    def set_port(self, _rate: int | None, _flow: str | None) -> None:  # noqa: B027  # most links have neither
        """Set rate (bits per second) and flow control."""

    def set_carrier(self, _on: bool) -> None:  # noqa: B027
        """Show the host whether there is a connection (circuit 109)."""


class Pump:
    """Moves the bytes of a non-blocking descriptor on the event loop.

    ``os.read`` and ``os.write`` with the loop's readers and writers: as fast as socat, where pyserial's own asyncio
    packages are slow or leave a writer behind.
    """

    def __init__(self, link: Link, fd: int) -> None:
        self._link = link
        self._fd = fd
        self._high_bytes, self._low_bytes = HIGH_BYTES, LOW_BYTES
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self._congested = False
        self._reading = False
        self._closed = False
        os.set_blocking(fd, False)
        self.read(link.reading)

    def read(self, reading: bool) -> None:
        """Begin or cease reading."""
        if reading == self._reading or self._closed:
            return
        self._reading = reading
        if reading:
            self._loop.add_reader(self._fd, self._readable)
        else:
            self._loop.remove_reader(self._fd)

    def set_rate(self, rate: int) -> None:
        """Of a serial line, bits per second; a terminal that is none takes what it can."""
        self._high_bytes = min(HIGH_BYTES, round(rate / BITS * WAITING_S))
        self._low_bytes = self._high_bytes * LOW_BYTES // HIGH_BYTES

    def write(self, data: bytes) -> None:
        """Send at once what the descriptor takes, keep the rest."""
        if self._closed:
            self._link.undelivered_bytes += len(data)
            return
        if not self._out:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._link.undelivered_bytes += len(data)
                self._failed(error)
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._fd, self._writable)
        self._out += data
        if not self._congested and len(self._out) > self._high_bytes:
            self._congested = True
            self._link.on_congestion(True)

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be written."""
        return not self._out

    def close(self) -> None:
        """Let go of the descriptor; whoever opened it closes it."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._link.undelivered_bytes += len(self._out)
        self._out.clear()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if data:
            if len(data) >= FULL_READ_BYTES:
                data = self._read_on(data)
            self._link.on_data(data)
        else:
            self._failed(None)

    def _read_on(self, data: bytes) -> bytes:
        """There is probably more: taking it along is cheaper than another turn of the event loop."""
        parts, size = [data], len(data)
        while size < READ_BYTES:
            try:
                more = os.read(self._fd, READ_BYTES - size)
            except OSError:  # nothing there; a real error comes back at the next turn
                break
            if not more:
                break
            parts.append(more)
            size += len(more)
        return b"".join(parts)

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._out)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        del self._out[:sent]
        if not self._out:
            self._loop.remove_writer(self._fd)
        if self._congested and len(self._out) <= self._low_bytes:
            self._congested = False
            self._link.on_congestion(False)

    def _failed(self, error: OSError | None) -> None:
        if error is not None and error.errno not in _GONE:
            log.warning("the link %s: %s", self._link.name, error.strerror)
        self._link.gone = True
        self.close()
        if self._congested:
            self._congested = False
            self._link.on_congestion(False)
        self._link.on_lost()

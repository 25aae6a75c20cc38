"""A connection that is no socket of this computer: bytes go out by a function, and come in by being fed.

So a protocol engine, and TLS below it, work over a module's own socket as over any other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

STREAM_LIMIT_BYTES = 65536
"""Of one stream: twice as much unread holds the far side back; a line may not be longer."""
WRITE_LIMIT_BYTES = 65536
"""Unsent bytes of a writer beyond which the one above it waits."""
PUMP_BYTES = 16384


class Tunnel(asyncio.Transport):
    """A transport whose owner carries the bytes.

    To the owner: ``send`` for each write, ``finish`` for the end of writing (None: there is no half-close), ``reading``
    with whether bytes are wanted just now, ``closed`` once, with whether what was sent before is to be thrown away.
    From the owner: :meth:`feed`, :meth:`feed_eof`, :meth:`lost`, :meth:`congestion`. What is fed while nothing is wanted
    is kept, so that the owner's limit is how much it feeds after it was told.
    """

    # What the event loop's own start_tls asks of a transport.
    _start_tls_compatible = True

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        finish: Callable[[], None] | None = None,
        reading: Callable[[bool], None] | None = None,
        closed: Callable[[bool], None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(extra)
        self._send = send
        self._finish = finish
        self._tell_reading = reading
        self._tell_closed = closed
        self._protocol: asyncio.BaseProtocol | None = None
        self._paused = False
        self._closing = False
        self._ended = False
        self._congested = False
        self._kept: deque[bytes | None] = deque()
        """Bytes that wait, and None for the end of them."""
        self._loss: tuple[BaseException | None] | None = None
        self._gone = False

    # -- the owner's side ----------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Bytes of the far side."""
        if data and not self._closing and self._loss is None:
            self._kept.append(data)
            self._deliver()

    def feed_eof(self) -> None:
        """The far side sends no more."""
        if not self._closing and self._loss is None:
            self._kept.append(None)
            self._deliver()

    def lost(self, cause: BaseException | None = None) -> None:
        """The connection is gone; what was fed before is delivered before that is told."""
        if self._loss is None and not self._closing:
            self._loss = (cause,)
            self._deliver()

    def congestion(self, congested: bool) -> None:
        """Whether the far side takes no more just now."""
        if congested == self._congested or self._gone:
            return
        self._congested = congested
        if self._protocol is not None:
            (self._protocol.pause_writing if congested else self._protocol.resume_writing)()

    # -- the protocol's side -------------------------------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who takes the bytes from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who takes the bytes."""
        assert self._protocol is not None, "a tunnel without a protocol"
        return self._protocol

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the tunnel to its first protocol, or to another one that begins anew."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._deliver()

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closing or self._loss is not None

    def is_reading(self) -> bool:
        """Whether bytes are delivered."""
        return not self._paused and not self.is_closing()

    def pause_reading(self) -> None:
        """Deliver no more until told otherwise."""
        if not self._paused and not self._closing:
            self._paused = True
            self._say_reading(False)

    def resume_reading(self) -> None:
        """Deliver what was kept, and what comes."""
        if self._paused and not self._closing:
            self._paused = False
            self._deliver()
            if not self._paused:
                self._say_reading(True)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; nothing any more when the connection is gone or closed."""
        if data and not self.is_closing() and not self._ended:
            self._send(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all of them."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Send no more, go on reading."""
        if self._finish is None:
            raise NotImplementedError("this connection has no half-close")
        if not self._ended and not self.is_closing():
            self._ended = True
            self._finish()

    def can_write_eof(self) -> bool:
        """Whether there is a half-close."""
        return self._finish is not None

    def get_write_buffer_size(self) -> int:
        """Nothing is kept here."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The owner says when it has enough: :meth:`congestion`."""

    def close(self) -> None:
        """Close, after what was written has been sent."""
        self._close(False)

    def abort(self) -> None:
        """Close at once."""
        self._close(True)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _force_close(self, cause: BaseException | None) -> None:
        """What asyncio's TLS asks for when it fails."""
        self._close(True, cause)

    def _close(self, at_once: bool, cause: BaseException | None = None) -> None:
        if self._closing:
            return
        self._closing = True
        self._kept.clear()
        loss = self._loss
        if loss is None and self._tell_closed is not None:
            self._tell_closed(at_once)
        self._end(loss[0] if loss is not None else cause)

    def _end(self, cause: BaseException | None) -> None:
        if not self._gone and self._protocol is not None:
            self._gone = True
            wrapped = cause if cause is None or isinstance(cause, Exception) else ConnectionAbortedError(str(cause))
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, wrapped)

    def _say_reading(self, reading: bool) -> None:
        if self._tell_reading is not None and self._loss is None:
            self._tell_reading(reading)

    def _deliver(self) -> None:
        while self._kept and not self._paused and not self._closing and self._protocol is not None:
            data = self._kept.popleft()
            if data is None:
                self._deliver_end()
            elif isinstance(self._protocol, asyncio.BufferedProtocol):
                _fill(self._protocol, data)
            elif isinstance(self._protocol, asyncio.Protocol):
                self._protocol.data_received(data)
        if self._loss is not None and not self._kept:
            self._end(self._loss[0])

    def _deliver_end(self) -> None:
        if isinstance(self._protocol, asyncio.Protocol | asyncio.BufferedProtocol) and not self._protocol.eof_received():
            self.close()


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Hand bytes over to a protocol that brings its own buffer, as TLS does."""
    rest = memoryview(data)
    while rest:
        buffer = memoryview(protocol.get_buffer(len(rest)))
        size = min(len(buffer), len(rest))
        assert size, "a protocol gave an empty buffer"
        buffer[:size] = rest[:size]
        protocol.buffer_updated(size)
        rest = rest[size:]


class _Ends(asyncio.StreamReaderProtocol):
    """Reader and writer of a transport that is known when it is made."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, transport)


def ends() -> tuple[asyncio.StreamReader, asyncio.StreamReaderProtocol, Callable[[], asyncio.StreamWriter]]:
    """A reader, its protocol, and its writer once that protocol was given a transport."""
    reader = asyncio.StreamReader(limit=STREAM_LIMIT_BYTES)
    protocol = _Ends(reader)

    def writer() -> asyncio.StreamWriter:
        assert protocol.transport is not None, "asked before there is a connection"
        return asyncio.StreamWriter(protocol.transport, protocol, reader, asyncio.get_running_loop())

    return reader, protocol, writer


def streams(tunnel: Tunnel) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reader and writer over a tunnel that has no protocol yet."""
    reader, protocol, writer = ends()
    tunnel.start(protocol)
    return reader, writer()

"""TCP of this computer: connections as their owner sees them, and listeners."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any, cast

from gateway.model.causes import Cause
from gateway.model.values import ANY_ADDRESS, Endpoint
from gateway.native.network import NetworkFailure, address_family, cause_of

log = logging.getLogger("gateway.native")
UNREAD_LIMIT_BYTES = 65536
"""Bytes of a stream that nobody reads yet; beyond this the peer is held back."""
CONNECT_LIMIT_S = 75.0


class Stream(asyncio.Protocol):
    """A TCP connection. What arrives is kept until somebody reads, and the peer is held back when that is too much."""

    def __init__(self, owner: StreamOwner) -> None:
        self.owner = owner
        self.transport: asyncio.Transport | None = None
        self.reading = False
        self.congested = False
        self._unread = bytearray()
        self._told = False
        self._ended = self._end_told = False
        self._held = False
        self._lost_by: Cause | None = None
        """The connection is gone; what waits of it is told before."""
        self.closed = False

    # -- asyncio's side ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        if self.reading:
            self.owner.received(self, data)
            return
        self._unread += data
        if len(self._unread) > UNREAD_LIMIT_BYTES:
            self._pause()
        self._tell()

    def eof_received(self) -> bool:
        """The peer sends no more; the other direction stays open where it can end by itself: not by TLS before 1.3."""
        self._ended = True
        self._tell()
        return self.transport is None or self.transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        was_closed, self.closed = self.closed, True
        self.congested = False
        if was_closed:
            return
        cause = cause_of(exc) if isinstance(exc, OSError) else Cause.CLOSED_BY_PEER
        if isinstance(exc, NetworkFailure):
            cause = exc.cause
        self._lost_by = cause
        if self._unread:
            self.owner.congestion(self)
        self._tell()

    def pause_writing(self) -> None:
        """The peer reads too slowly."""
        self.congested = True
        self.owner.congestion(self)

    def resume_writing(self) -> None:
        """It reads again."""
        self.congested = False
        self.owner.congestion(self)

    # -- the engine's side ---------------------------------------------------------------------------------------------

    def read(self, reading: bool) -> None:
        """Deliver what is there and what comes, or keep it from now on."""
        self.reading = reading
        self._told = False
        if not reading:
            return
        if self._unread:
            data = bytes(self._unread)
            self._unread.clear()
            self.owner.received(self, data)
        self._tell()
        self.hold(self._held)

    def begin(self, held: bool) -> None:
        """Its opening was told: what came before, in spite of a pause, is told now; then as :meth:`hold`."""
        if self._unread and not self.reading:
            self._told = True
            self.owner.waiting(self, len(self._unread))
        elif self._ended:
            self.owner.ended(self)
        if self.closed and not self._unread:
            self.owner.lost(self, self._lost_by or Cause.CLOSED_BY_PEER)
        self.hold(held)

    def hold(self, held: bool) -> None:
        """The reader cannot take more just now, nor be told of what comes unless he reads it."""
        self._held = held
        if self.transport is not None and not self.transport.is_closing():
            if held:
                self._pause()
            elif len(self._unread) <= UNREAD_LIMIT_BYTES:
                with contextlib.suppress(RuntimeError):
                    self.transport.resume_reading()
        self._tell()

    def _tell(self) -> None:
        """What has come and was not told yet: bytes that nobody reads; the end, behind them, once.

        A transport need not heed that it is paused before it has begun, and one that is resumed says the end again.
        """
        if self._held and not self.reading:
            return
        if self._unread:
            if not self._told:
                self._told = True
                self.owner.waiting(self, len(self._unread))
            return
        if self._ended and not self._end_told:
            self._end_told = True
            self.owner.ended(self)
        if self._lost_by is not None:
            cause, self._lost_by = self._lost_by, None
            self.owner.lost(self, cause)

    def _pause(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            with contextlib.suppress(RuntimeError):
                self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        """Send."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def shutdown(self) -> None:
        """Send no more, after what was given; where there is no half-close only :meth:`close` tells the peer so."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            peer = self.peer
            log.info("%s:%d hears of the end with the close: TLS before 1.3 has no half-close", peer.host, peer.port)

    def close(self) -> None:
        """Close, after what was given has been sent."""
        self.closed = True
        if self.transport is not None:
            self.transport.close()

    @property
    def local(self) -> Endpoint:
        """Our end."""
        return _endpoint(self.transport, "sockname")

    @property
    def peer(self) -> Endpoint:
        """The other end."""
        return _endpoint(self.transport, "peername")


class StreamOwner:
    """What a :class:`Stream` tells."""

    def opened(self, stream: Stream) -> None:
        """A connection was made."""

    def received(self, stream: Stream, data: bytes) -> None:
        """Bytes for the reader."""

    def waiting(self, stream: Stream, size_bytes: int) -> None:
        """Bytes are there and nobody reads; told once until somebody does."""

    def ended(self, stream: Stream) -> None:
        """The peer sends no more, and all that it sent was delivered."""

    def lost(self, stream: Stream, cause: Cause) -> None:
        """The connection is gone."""

    def congestion(self, stream: Stream) -> None:
        """A stream became congested, or free again."""


def _endpoint(transport: asyncio.Transport | None, name: str) -> Endpoint:
    info: Any = transport.get_extra_info(name) if transport is not None else None
    return Endpoint(str(info[0]), int(info[1])) if info else Endpoint(ANY_ADDRESS, 0)


async def connect(peer: Endpoint, owner: StreamOwner) -> Stream:
    """Open a TCP connection to an address. Raises :class:`NetworkFailure`."""
    stream = Stream(owner)
    await open_tcp(peer, stream)
    return stream


async def open_tcp(peer: Endpoint, protocol: asyncio.Protocol) -> None:
    """Give a TCP connection to an address to ``protocol``. Raises :class:`NetworkFailure`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await loop.create_connection(lambda: protocol, peer.host, peer.port, family=address_family(peer.host))
    except TimeoutError:
        raise NetworkFailure(Cause.TIMED_OUT) from None
    except OSError as error:
        raise NetworkFailure(cause_of(error), str(error)) from error


async def listen(at: Endpoint, owner: StreamOwner) -> asyncio.Server:
    """Listen for TCP connections. Raises :class:`NetworkFailure`."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            lambda: Stream(owner), at.host, at.port, family=address_family(at.host), reuse_address=True
        )
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one, such as a..b
        raise NetworkFailure(Cause.OPEN_FAILED, str(error)) from error

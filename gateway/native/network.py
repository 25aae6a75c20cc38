"""This computer's network: names, TCP, UDP, for the engine that works a host's requests."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from gateway.model.causes import Cause
from gateway.model.values import (
    ANY_ADDRESS,
    ANY_ADDRESS6,
    Addresses,
    Endpoint,
    Family,
    is_dotted,
    is_numeric,
    is_six,
    plain,
)
from gateway.native.names import NameMap

log = logging.getLogger("gateway.native")
UNREAD_LIMIT_BYTES = 65536
"""Bytes of a stream that nobody reads yet; beyond this the peer is held back."""
DATAGRAMS_LIMIT = 256
"""Datagrams that nobody reads yet; beyond this new ones are lost, as UDP allows."""
CONNECT_LIMIT_S = 75.0


class NetworkFailure(Exception):  # becomes a result
    """Something on the network failed, for a reason of the common list."""

    def __init__(self, cause: Cause, detail: str = ""):
        super().__init__(detail or cause.value)
        self.cause = cause


def address_family(address: str) -> socket.AddressFamily:
    """What kind of socket an address is for."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


async def resolve(name: str, family: Family = Family.FOUR) -> str:
    """The address of a name; an address of either family as it is. Raises :class:`NetworkFailure`."""
    address = plain(name)
    if is_numeric(address):
        return address
    if name.lower().rstrip(".").endswith(".invalid"):
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name} is a name that never exists")
    loop = asyncio.get_running_loop()
    try:
        kind = socket.AF_INET6 if family is Family.SIX else socket.AF_INET
        found = await loop.getaddrinfo(name, None, family=kind, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, str(error)) from error
    return str(found[0][4][0])


def check_family(name: str, family: Family) -> None:
    """Raises :class:`NetworkFailure` for an address of the other family: it finds nobody."""
    if is_dotted(name) if family is Family.SIX else is_six(name):
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name} is an address of the other Internet Protocol")


async def place(names: NameMap, peer: Endpoint, family: Family = Family.FOUR) -> Endpoint:
    """Where a peer is on this computer's network; where the user has mapped it to an address of the other family, that
    is meant. A name that is there by its map alone is there with every port. Raises :class:`NetworkFailure`."""
    check_family(peer.host, family)
    mapped = names.outward(peer)
    if mapped is None:
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{peer.host} is mapped to nothing")
    try:
        return Endpoint(await resolve(mapped.host, family), mapped.port)
    except NetworkFailure:
        host = names.name(peer.host)
        if mapped is not peer or host is None or host == peer.host:
            raise
        return Endpoint(await resolve(host, family), peer.port)


def own_addresses(listening: str = ANY_ADDRESS, listening6: str = ANY_ADDRESS6) -> Addresses:
    """The addresses that this computer is reached at, and its name servers as its resolver has them.

    ``listening``: where it listens, unless that is everywhere.
    """
    own = _own_address("192.0.2.1", "127.0.0.1") if listening == ANY_ADDRESS else listening
    own6 = _own_address("2001:db8::1", "::1") if listening6 == ANY_ADDRESS6 else listening6
    servers: list[str] = []
    with contextlib.suppress(OSError), open("/etc/resolv.conf", encoding="utf-8") as file:  # noqa: PTH123
        servers = [line.split()[1] for line in file if line.startswith("nameserver") and len(line.split()) > 1]
    servers = [server for server in servers if is_dotted(server)] + [ANY_ADDRESS, ANY_ADDRESS]
    return Addresses(own, own, servers[0], servers[1], own6)


def _own_address(somewhere: str, loopback: str) -> str:
    """From which address this computer would speak to somewhere, or to itself; "" where it has not even that."""
    kind = address_family(somewhere)
    for place in (somewhere, loopback):
        with contextlib.suppress(OSError), socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect((place, 9))  # nothing is sent: only the route is asked for
            return str(probe.getsockname()[0])
    return "" if kind is socket.AF_INET6 else loopback


def cause_of(error: OSError) -> Cause:
    """The reason of a failed connection."""
    known = {
        errno.ECONNREFUSED: Cause.REFUSED,
        errno.ETIMEDOUT: Cause.TIMED_OUT,
        errno.EHOSTUNREACH: Cause.UNREACHABLE,
        errno.ENETUNREACH: Cause.UNREACHABLE,
        errno.ECONNRESET: Cause.RESET,
        errno.EPIPE: Cause.RESET,
    }
    return known.get(error.errno or 0, Cause.OPEN_FAILED)


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


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket: with one peer, or open to all and answering whoever spoke first."""

    def __init__(
        self,
        received: Callable[[Datagrams, bytes, Endpoint], None],
        waiting: Callable[[Datagrams, int, Endpoint], None],
        peer: Endpoint | None,
    ) -> None:
        self._received = received
        self._waiting = waiting
        self.peer = peer
        self._closed_to_others = peer is not None
        self._others: set[Endpoint] = set()
        self.transport: asyncio.DatagramTransport | None = None
        self.reading = False
        self.lost_count = 0
        self._unread: deque[tuple[bytes, Endpoint]] = deque()
        self._told = False
        self._held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A datagram; where there is one peer, from anybody else it is dropped."""
        peer = Endpoint(str(addr[0]), int(addr[1]))
        if self._closed_to_others and self.peer != peer and peer not in self._others:
            return
        if self.reading and not self._held:
            self.peer = self.peer or peer
            self._received(self, data, peer)
        elif len(self._unread) >= DATAGRAMS_LIMIT:
            self.lost_count += 1
        else:
            self._unread.append((data, peer))
            self._tell()

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: UDP promises nothing."""

    def _tell(self) -> None:
        if self._unread and not self._told and not self.reading:
            self._told = True
            data, peer = self._unread[0]
            self._waiting(self, len(data), peer)

    def read(self, reading: bool, peer: Endpoint | None = None) -> None:
        """Deliver what is there and what comes, or keep it; ``peer``: only this one's from now on."""
        self.reading = reading
        self._told = False
        if peer is not None:
            self.peer, self._closed_to_others = peer, True
            self._unread = deque(item for item in self._unread if item[1] == peer)
        if reading:
            self._deliver()

    def hold(self, held: bool) -> None:
        """The reader cannot take more just now."""
        self._held = held
        if self.reading and not held:
            self._deliver()

    def _deliver(self) -> None:
        while self._unread and not self._held:
            data, peer = self._unread.popleft()
            self.peer = self.peer or peer
            self._received(self, data, peer)

    def only(self, host: str) -> Endpoint | None:
        """Throw away what waits from others; who spoke first of the rest, if any."""
        self._unread = deque(item for item in self._unread if item[1].host == host)
        self._told = bool(self._unread)
        return self._unread[0][1] if self._unread else None

    def send(self, data: bytes) -> bool:
        """Send a datagram to the peer; False when there is none yet."""
        if self.peer is None or self.transport is None or self.transport.is_closing():
            return False
        self.transport.sendto(data, (self.peer.host, self.peer.port))
        return True

    def send_to(self, data: bytes, peer: Endpoint) -> None:
        """Send a datagram to another than the peer; what this one answers is taken too."""
        self._others.add(peer)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, (peer.host, peer.port))

    def close(self) -> None:
        """Close, and tell how many datagrams nobody has read in time."""
        if self.lost_count:
            log.warning("%d datagrams at port %d were lost: nobody read them", self.lost_count, self.local.port)
            self.lost_count = 0
        if self.transport is not None:
            self.transport.close()

    @property
    def local(self) -> Endpoint:
        """Our end."""
        info: Any = self.transport.get_extra_info("sockname") if self.transport is not None else None
        return Endpoint(str(info[0]), int(info[1])) if info else Endpoint(ANY_ADDRESS, 0)


async def open_udp(at: Endpoint, protocol: Datagrams) -> None:
    """Bind a UDP socket. Raises :class:`NetworkFailure`."""
    loop = asyncio.get_running_loop()
    try:
        await loop.create_datagram_endpoint(
            lambda: protocol, local_addr=(at.host, at.port), family=address_family(at.host)
        )
    except (OSError, UnicodeError) as error:
        raise NetworkFailure(Cause.OPEN_FAILED, str(error)) from error

"""A dialer whose connections are sockets of the module behind the gateway: for services that the module has not.

The module is asked in the words of the common model, through the session that works it; nothing here knows how.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import TypeVar

from gateway.model.causes import Cause
from gateway.model.events import Event, Incoming, PeerClosed, Received, SocketLost
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    ListenTcp,
    OpenUdp,
    QueryBearer,
    Request,
    SetClock,
    ShutdownTcp,
)
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.values import TUNNELS, Addresses, Endpoint, Family, HostSocket, Ticket
from gateway.native import tls
from gateway.native.dialer import Door, Streams
from gateway.native.network import NetworkFailure
from gateway.native.tunnel import Tunnel, ends, streams

UNWANTED_LIMIT_BYTES = 65536
"""What may come for tunnels that want nothing just now before the module is held back."""
_PORTS = range(49152, 65536)


Value = TypeVar("Value")


@dataclass(slots=True)
class _Line:
    """A socket of the module's."""

    socket: HostSocket
    tunnel: Tunnel | None = None
    unwanted_bytes: int = 0
    wanted: bool = True
    datagrams: asyncio.Queue[bytes | NetworkFailure] = field(default_factory=asyncio.Queue)
    calls: asyncio.Queue[Incoming | NetworkFailure] = field(default_factory=asyncio.Queue)


class ModuleDialer:
    """See the module's text. ``submit(ticket, request)`` and ``payload(socket, data)`` go to the module's side of the
    session; what it answers comes by :meth:`news` and :meth:`event`. ``look`` is called when :attr:`full` may differ."""

    def __init__(
        self,
        submit: Callable[[Ticket, Request], None],
        payload: Callable[[HostSocket, bytes], None],
        look: Callable[[], None],
        *,
        abilities: Mapping[str, str],
        trust: Callable[[], SSLContext] = tls.context,
    ) -> None:
        self.can_listen = "ListenTcp" in abilities
        self._half_close = "ShutdownTcp" in abilities
        self._submit = submit
        self._payload = payload
        self._look = look
        self._trust = trust
        self._lines: dict[HostSocket, _Line] = {}
        self._asked: dict[Ticket, asyncio.Future[Result]] = {}
        self._last_socket = TUNNELS
        self._last_ticket = 0

    # -- what the session tells ----------------------------------------------------------------------------------------

    def news(self, ticket: Ticket, result: Result | Progress) -> None:
        """A request of ours has a result."""
        if isinstance(result, Progress):
            return
        waiting = self._asked.pop(ticket, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)

    def event(self, event: Event) -> None:
        """Something happened on one of our sockets."""
        socket = event.listener if isinstance(event, Incoming) else getattr(event, "socket", HostSocket(0))
        line = self._lines.get(socket)
        if line is None:
            return
        match event:
            case Incoming():
                line.calls.put_nowait(event)
            case Received(_, data):
                self._received(line, data)
            case PeerClosed() if line.tunnel is not None:
                line.tunnel.feed_eof()
            case SocketLost(_, cause):
                del self._lines[socket]
                for waited in (line.datagrams, line.calls):
                    waited.put_nowait(NetworkFailure(cause))
                if line.tunnel is not None:
                    # An end that is none of the network's is how many modules tell that the peer has closed.
                    gone = None if cause is Cause.CLOSED_BY_PEER else NetworkFailure(cause)
                    if gone is None:
                        line.tunnel.feed_eof()
                    line.tunnel.lost(gone)

    def _received(self, line: _Line, data: bytes) -> None:
        if line.tunnel is None:
            line.datagrams.put_nowait(data)
            return
        if not line.wanted:
            line.unwanted_bytes += len(data)
            self._look()
        line.tunnel.feed(data)

    def congestion(self, congested: bool) -> None:
        """The module takes no more just now, or again."""
        for line in self._lines.values():
            if line.tunnel is not None:
                line.tunnel.congestion(congested)

    @property
    def full(self) -> bool:
        """Whether the module should be held back."""
        return any(line.unwanted_bytes > UNWANTED_LIMIT_BYTES for line in self._lines.values())

    # -- what engines ask ----------------------------------------------------------------------------------------------

    async def tunnel(self, peer: Endpoint, family: Family = Family.FOUR) -> Tunnel:
        """A connection of the module's, with nobody at its end yet. Raises :class:`NetworkFailure`."""
        line = self._new()
        await self._open(line, ConnectTcp(line.socket, peer, family=family))
        return await self._attached(line, peer)

    async def open(
        self, peer: Endpoint, *, secure: bool = False, server_name: str = "", family: Family = Family.FOUR
    ) -> Streams:
        """Connect."""
        tunnel = await self.tunnel(peer, family)
        if not secure:
            return streams(tunnel)
        reader, protocol, writer = ends()
        await tls.secure(tunnel, protocol, self._trust(), server_name or peer.host)
        return reader, writer()

    async def listen(self, peer: Endpoint) -> Door:
        """Have the module listen at some port."""
        del peer
        bearer = await self._ask(QueryBearer())
        if not isinstance(bearer, Done) or not isinstance(bearer.value, Addresses):
            raise NetworkFailure(Cause.NO_BEARER)
        line, port = self._new(), random.choice(_PORTS)
        await self._open(line, ListenTcp(line.socket, port))
        return _ModuleDoor(self, line, Endpoint(bearer.value.own, port))

    async def ask(self, peer: Endpoint, question: bytes, limit_s: float, family: Family = Family.FOUR) -> bytes:
        """Send one datagram; the first one that comes back."""
        line = self._new()
        await self._open(line, OpenUdp(line.socket, peer=peer, family=family))
        try:
            attached = await self._ask(Attach(line.socket))
            if isinstance(attached, Failed):
                raise NetworkFailure(attached.cause, attached.original)
            self._payload(line.socket, question)
            async with asyncio.timeout(limit_s):
                return _came(await line.datagrams.get())
        except TimeoutError:
            raise NetworkFailure(Cause.TIMED_OUT, f"no answer from {peer.host}:{peer.port}") from None
        finally:
            self.close(line.socket)

    async def set_clock(self, time: str) -> None:
        """Set the module's clock: a time in UTC, ``YYYY-MM-DDThh:mm:ss``. Raises :class:`NetworkFailure`."""
        result = await self._ask(SetClock(time))
        if isinstance(result, Failed):
            raise NetworkFailure(result.cause, result.original)

    async def accept(self, listener: HostSocket) -> Streams:
        """Take the first peer that calls; others find nobody any more."""
        if listener not in self._lines:
            raise NetworkFailure(Cause.CLOSED_BY_PEER, "the module listens no more")
        call = _came(await self._lines[listener].calls.get())
        line = self._new()
        await self._open(line, AcceptTcp(listener, call.connection, line.socket, last=True))
        return streams(await self._attached(line, call.peer))

    def close(self, socket: HostSocket) -> None:
        """Close a socket of the module's, whatever is in it."""
        if self._lines.pop(socket, None) is not None:
            self._submit(self._ticket(), CloseSocket(socket))
            self._look()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _new(self) -> _Line:
        self._last_socket += 1
        line = _Line(HostSocket(self._last_socket))
        self._lines[line.socket] = line
        return line

    def _ticket(self) -> Ticket:
        self._last_ticket -= 1
        return Ticket(self._last_ticket)

    async def _ask(self, request: Request) -> Result:
        ticket = self._ticket()
        self._asked[ticket] = asyncio.get_running_loop().create_future()
        waiting = self._asked[ticket]
        self._submit(ticket, request)
        return await waiting

    async def _open(self, line: _Line, request: Request) -> None:
        try:
            result = await self._ask(request)
        except asyncio.CancelledError:
            self.close(line.socket)
            raise
        if isinstance(result, Failed):
            self._lines.pop(line.socket, None)
            raise NetworkFailure(result.cause, result.original)

    async def _attached(self, line: _Line, peer: Endpoint | None) -> Tunnel:
        """The tunnel is there before anything can come for it."""
        socket = line.socket

        def reading(wanted: bool) -> None:
            line.wanted = wanted
            if wanted:
                line.unwanted_bytes = 0
            self._look()

        def finish() -> None:
            self._submit(self._ticket(), ShutdownTcp(socket))

        line.tunnel = tunnel = Tunnel(
            lambda data: self._payload(socket, data),
            finish=finish if self._half_close else None,
            reading=reading,
            closed=lambda _: self.close(socket),
            extra={"peername": (peer.host, peer.port)} if peer is not None else None,
        )
        try:
            result = await self._ask(Attach(socket))
        except asyncio.CancelledError:
            self.close(socket)
            raise
        if isinstance(result, Failed):
            self.close(socket)
            raise NetworkFailure(result.cause, result.original)
        return tunnel


def _came(what: Value | NetworkFailure) -> Value:
    """What a socket has brought. Raises what it was lost by."""
    if isinstance(what, NetworkFailure):
        raise what
    return what


class _ModuleDoor:
    def __init__(self, dialer: ModuleDialer, line: _Line, local: Endpoint) -> None:
        self._dialer = dialer
        self._line = line
        self._local = local

    @property
    def local(self) -> Endpoint:
        """Where the peer finds it."""
        return self._local

    async def accept(self) -> Streams:
        """The peer's connection."""
        return await self._dialer.accept(self._line.socket)

    def close(self) -> None:
        """Listen no more."""
        self._dialer.close(self._line.socket)

"""Sockets that speak TLS over a module's plain ones, for hosts whose module did it itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ssl import SSLContext

from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event, PeerClosed, Received, SendingHeld, SocketLost
from gateway.model.requests import Attach, CloseSocket, ConnectTcp, Detach, Request, ShutdownTcp
from gateway.model.results import Done, Failed, Result
from gateway.model.values import Endpoint, HostSocket, SocketInfo, Ticket
from gateway.native import tls
from gateway.native.network import NetworkFailure
from gateway.native.over_module import ModuleDialer
from gateway.native.tcp import Stream, StreamOwner


class SecureSockets(StreamOwner):
    """Works the requests of such sockets; ``news`` and ``happened`` are called on the event loop."""

    def __init__(
        self,
        news: Callable[[Ticket, Result], None],
        happened: Callable[[Event], None],
        look: Callable[[], None],
        dialer: ModuleDialer,
        *,
        trust: Callable[[], SSLContext] = tls.context,
    ) -> None:
        self._news = news
        self._happened = happened
        self._look = look
        self._dialer = dialer
        self._trust = trust
        self._streams: dict[HostSocket, Stream] = {}
        self._owned: dict[Stream, HostSocket] = {}
        self._opening: dict[Ticket, asyncio.Task[None]] = {}
        self._held = False

    def knows(self, request: Request) -> bool:
        """Whether a request is one of these sockets'."""
        if isinstance(request, ConnectTcp):
            return request.secure
        return getattr(request, "socket", None) in self._streams

    def has(self, socket: HostSocket) -> bool:
        """Whether a socket is one of these."""
        return socket in self._streams

    def submit(self, ticket: Ticket, request: Request) -> None:
        """Do something; its result comes by ``news``."""
        match request:
            case ConnectTcp(socket, peer):
                task = asyncio.get_running_loop().create_task(self._connect(ticket, socket, peer))
                self._opening[ticket] = task
                task.add_done_callback(lambda _: self._opening.pop(ticket, None))
                return
            case Attach(socket):
                self._news(ticket, Done())
                self._streams[socket].read(True)
                return
            case Detach(socket):
                self._streams[socket].read(False)
            case ShutdownTcp(socket):
                self._streams[socket].shutdown()
            case CloseSocket(socket):
                self._close(socket)
        self._news(ticket, Done())

    def withdraw(self, ticket: Ticket) -> None:
        """Its result is not wanted any more."""
        task = self._opening.pop(ticket, None)
        if task is not None:
            task.cancel()

    def payload(self, socket: HostSocket, data: bytes) -> None:
        """Send."""
        self._streams[socket].write(data)

    def hold(self, held: bool) -> None:
        """The host cannot take more just now, or can again."""
        if held != self._held:
            self._held = held
            for stream in self._streams.values():
                stream.hold(held)

    @property
    def congested(self) -> bool:
        """Whether some peer takes too slowly."""
        return any(stream.congested for stream in self._streams.values())

    def close(self) -> None:
        """End everything."""
        for task in list(self._opening.values()):
            task.cancel()
        for socket in list(self._streams):
            self._close(socket)

    async def _connect(self, ticket: Ticket, socket: HostSocket, peer: Endpoint) -> None:
        stream = Stream(self)
        try:
            tunnel = await self._dialer.tunnel(peer)
            await tls.secure(tunnel, stream, self._trust(), peer.host)
        except NetworkFailure as failure:
            self._news(ticket, Failed(failure.cause, str(failure)))
            return
        self._streams[socket] = stream
        self._owned[stream] = socket
        self._news(ticket, Done(SocketInfo(stream.local, peer)))
        stream.begin(self._held)

    def _close(self, socket: HostSocket) -> None:
        stream = self._streams.pop(socket, None)
        if stream is not None:
            del self._owned[stream]
            stream.close()

    # -- what streams tell ---------------------------------------------------------------------------------------------

    def received(self, stream: Stream, data: bytes) -> None:
        """Bytes for the host."""
        if stream in self._owned:
            self._happened(Received(self._owned[stream], data))

    def waiting(self, stream: Stream, size_bytes: int) -> None:
        """Bytes are there and the host does not read."""
        if stream in self._owned:
            self._happened(DataWaiting(self._owned[stream], size_bytes))

    def ended(self, stream: Stream) -> None:
        """The peer sends no more."""
        if stream in self._owned:
            self._happened(PeerClosed(self._owned[stream]))

    def lost(self, stream: Stream, cause: Cause) -> None:
        """The connection is gone."""
        socket = self._owned.pop(stream, None)
        if socket is not None:
            del self._streams[socket]
            self._happened(SocketLost(socket, cause))
        self._look()

    def congestion(self, stream: Stream) -> None:
        """A peer became slow, or fast again."""
        if stream in self._owned:
            self._happened(SendingHeld(self._owned[stream], stream.congested))
        self._look()

"""A host's requests worked with this computer's own network: the other half of a virtual module, and of no module at all.

Results and events come through a callback, on the event loop. Longer than 400 lines because every request has its few
lines here, and sockets, listeners and sessions end with the one bearer.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from gateway.model.causes import Cause
from gateway.model.events import (
    BearerLost,
    DataWaiting,
    Event,
    Incoming,
    ModuleText,
    PeerClosed,
    Received,
    SendingHeld,
    SocketLost,
)
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    PassThrough,
    Ping,
    QueryBearer,
    RefuseTcp,
    Request,
    ResolveName,
    SendDatagram,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed, PassedThrough, PingEcho, Progress, Prompted, Result
from gateway.model.services import Begun, ServiceRequest
from gateway.model.tuning import Tune, Tuned, Tuning, Tunings, ignored
from gateway.model.values import (
    ANY_ADDRESS,
    ANY_ADDRESS6,
    Addresses,
    Endpoint,
    Family,
    HostSocket,
    SocketInfo,
    Ticket,
    is_numeric,
)
from gateway.native import icmp, network, tcp, tls, tuning, udp
from gateway.native.dialer import ComputerDialer
from gateway.native.names import NameMap
from gateway.native.network import NetworkFailure
from gateway.native.radio import Radio
from gateway.native.services import ServiceEngine
from gateway.native.tcp import Stream, StreamOwner
from gateway.native.udp import Datagrams

log = logging.getLogger("gateway.native")
TEXT_LIMIT_BYTES = 4096
"""Of the text of a short message more is not kept."""

RING_S = 3.0
"""From one ring of the telephone to the next."""
CALL_LIMIT_S = 60.0
"""How long a call that is to be answered may take to ring."""
_CALLER_SHOWN = re.compile(r"AT\+CLIP=([01])", re.IGNORECASE)
_KIND_SHOWN = re.compile(r"AT\+CRC=([01])", re.IGNORECASE)


@dataclass(slots=True)
class Trouble:
    """What goes wrong on purpose, so that a host can be tested against a bad day."""

    bearer_refused: Cause | None = None
    bearer_refusals: int = 0
    """How often; 0 = always."""
    bearer_delay_s: float = 0.0
    bearer_lost_s: float | None = None
    connect_delay_s: float = 0.0
    called_on: str | None = None
    """The command, behind its AT, at which the telephone rings."""
    caller: str = ""
    """Who calls; the host is told where ``+CLIP`` is on."""
    rings: int = 10
    """How often."""
    ping_losses: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Sockets:
    streams: dict[HostSocket, Stream] = field(default_factory=dict)
    datagrams: dict[HostSocket, Datagrams] = field(default_factory=dict)
    listeners: dict[HostSocket, asyncio.Server] = field(default_factory=dict)
    incoming: dict[int, tuple[HostSocket, Stream]] = field(default_factory=dict)


class NativeEngine(StreamOwner):
    """See the module's text. ``news(ticket, result)`` and ``happened(event)`` are called on the event loop."""

    def __init__(
        self,
        news: Callable[[Ticket, Result | Progress], None],
        happened: Callable[[Event], None],
        congested: Callable[[], None],
        restart: Callable[[], None],
        *,
        names: NameMap | None = None,
        address: str = ANY_ADDRESS,
        address6: str = ANY_ADDRESS6,
        trouble: Trouble | None = None,
        radio: Radio | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._news = news
        self._happened = happened
        self._congested = congested
        self._restart = restart
        self._names = names or NameMap()
        self._addresses = {Family.FOUR: address, Family.SIX: address6}
        self._trouble = trouble or Trouble()
        self._radio = radio
        self._ringing = asyncio.Event()
        self._rung = 0
        """How often the call that rings has rung."""
        self._shows_caller = False
        self._shows_kind = False
        self._bell: asyncio.TimerHandle | None = None
        self._texts: dict[Ticket, bytearray] = {}
        self._sockets = _Sockets()
        self._tasks: dict[Ticket, asyncio.Task[None]] = {}
        self._over_bearer: set[Ticket] = set()
        """Those that end with the bearer."""
        self._bearer: Addresses | None = None
        self._bearer_end: asyncio.TimerHandle | None = None
        self._bearer_stops = 0
        """How often it has ended: what began before and ends behind it has no bearer."""
        self._echoes = 0
        """Echo requests so far: a gateway may ask for each with a command of its own."""
        self._connections = 0
        self._owned: dict[Stream, HostSocket] = {}
        self._tunings: dict[HostSocket, dict[Tuning, int]] = {}
        self._held = False
        self._trust = trust
        dialer = ComputerDialer(self._names, address=address, trust=trust)
        self._services = ServiceEngine(news, happened, congested, dialer, trust=trust, set_clock=self._set_clock)

    # -- requests ------------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, request: Request) -> None:
        """Do something; its result comes by ``news``."""
        if isinstance(request, PassThrough):
            answer = self._radio.answer(request.text) if self._radio is not None else PassedThrough((), "ERROR")
            if isinstance(answer, Prompted):
                self._texts[ticket] = bytearray()
            self._news(ticket, answer)
            if request.text[2:].strip().upper() in ("H", "H0"):
                self._quiet()  # a call that rings is refused (V.250, 6.3.6)
            shown = _CALLER_SHOWN.match(request.text)
            if shown:
                self._shows_caller = shown[1] == "1"
            shown = _KIND_SHOWN.match(request.text)
            if shown:
                self._shows_kind = shown[1] == "1"
            if self._trouble.called_on and request.text[2:].upper().startswith(self._trouble.called_on):
                self._quiet()
                self._ring()
            if self._radio is not None and self._radio.restarts(request.text):
                asyncio.get_running_loop().call_soon(self._restart)
            return
        if isinstance(request, ServiceRequest) or self._is_of_a_service(request):
            self._services.submit(ticket, request)
            return
        if isinstance(request, ResolveName) and request.servers and not self._is_known(request.name):
            self._services.submit(ticket, request)
            return
        quick = self._at_once(request)
        if quick is not None:
            if ticket:
                self._news(ticket, quick)
            self._after(request)
            return
        task = asyncio.get_running_loop().create_task(self._work(ticket, request))
        self._tasks[ticket] = task
        if not isinstance(request, StartBearer):
            self._over_bearer.add(ticket)
        task.add_done_callback(lambda _: self._over(ticket))

    def _over(self, ticket: Ticket) -> None:
        self._tasks.pop(ticket, None)
        self._over_bearer.discard(ticket)

    def _is_known(self, name: str) -> bool:
        """Whether nobody need be asked for an address."""
        return is_numeric(name) or self._names.knows(name)

    async def _set_clock(self, time: str) -> None:
        """The clock that a host is shown: this computer's own stays as it is."""
        if self._radio is not None:
            self._radio.set_clock(time)

    def withdraw(self, ticket: Ticket) -> None:
        """Its result is not wanted any more."""
        self._services.withdraw(ticket)
        self._texts.pop(ticket, None)
        task = self._tasks.pop(ticket, None)
        if task is not None:
            task.cancel()

    def payload(self, socket: HostSocket, data: bytes) -> None:
        """Send."""
        stream = self._sockets.streams.get(socket)
        if stream is not None:
            stream.write(data)
            return
        datagrams = self._sockets.datagrams.get(socket)
        if datagrams is not None:
            datagrams.send(data)
            return
        self._services.payload(socket, data)

    def text(self, ticket: Ticket, data: bytes, complete: bool) -> None:
        """What the host typed for a command that prompted."""
        typed = self._texts.get(ticket)
        if typed is None or self._radio is None:
            return
        typed += data
        del typed[TEXT_LIMIT_BYTES:-1]  # the last one says how the text has ended
        if complete:
            del self._texts[ticket]
            self._news(ticket, self._radio.text(bytes(typed)))

    def hold(self, held: bool) -> None:
        """The host cannot take more just now (or can again)."""
        self._held = held
        for stream in self._sockets.streams.values():
            stream.hold(held)
        for datagrams in self._sockets.datagrams.values():
            datagrams.hold(held)
        self._services.hold(held)

    @property
    def congested(self) -> bool:
        """Whether some peer reads too slowly: the host must wait."""
        return self._services.congested or any(stream.congested for stream in self._sockets.streams.values())

    async def close(self) -> None:
        """End everything."""
        for task in list(self._tasks.values()):
            task.cancel()
        self._quiet()
        self._stop_bearer()
        await self._services.shut()

    def restart(self) -> None:
        """The module that is played restarts: everything ends, and nobody is told (it says so only by its boot text)."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._quiet()
        self._stop_bearer()

    def lose_bearer(self) -> None:
        """The bearer is gone (a fault)."""
        if self._bearer is None:
            return
        sockets = [*self._sockets.streams, *self._sockets.datagrams]
        sockets += self._stop_bearer(Cause.BEARER_LOST)
        self._happened(BearerLost())
        for socket in sockets:
            self._happened(SocketLost(socket, Cause.BEARER_LOST))
        for ticket in [ticket for ticket in self._tasks if ticket in self._over_bearer]:
            self._tasks.pop(ticket).cancel()
            self._news(ticket, Failed(Cause.BEARER_LOST))

    def _at_once(self, request: Request) -> Result | None:
        """The result of a request that needs no waiting; None for the others."""
        sockets = self._sockets
        match request:
            case StopBearer():
                self._stop_bearer()
                return Done()
            case QueryBearer():
                return Done(self._bearer)
            case AcceptTcp(listener, connection, socket, last):
                waiting = sockets.incoming.pop(connection, None)
                if waiting is None:
                    return Failed(Cause.CLOSED_BY_PEER)
                sockets.streams[socket] = waiting[1]
                self._owned[waiting[1]] = socket
                tuning.apply(waiting[1].transport, self._tunings.get(listener, {}))
                if last:
                    self._close_listener(listener)
                return Done(SocketInfo(waiting[1].local, waiting[1].peer))
            case RefuseTcp(_, connection):
                waiting = sockets.incoming.pop(connection, None)
                if waiting is not None:
                    waiting[1].close()
                return Done()
            case Attach(socket, peer):
                return self._attach(socket, peer)
            case Detach(socket):
                self._read(socket, False, None)
                return Done()
            case FilterWaiting(socket, allowed):
                waits = sockets.datagrams[socket].only(allowed) if socket in sockets.datagrams else None
                return Done(waits)
            case ShutdownTcp(socket):
                if socket in sockets.streams:
                    sockets.streams[socket].shutdown()
                return Done()
            case CloseSocket(socket):
                self._close(socket)
                return Done()
            case Tune(socket, values):
                return self._tune(socket, values)
            case _:
                return None

    def _is_of_a_service(self, request: Request) -> TypeGuard[ShutdownTcp | CloseSocket]:
        return isinstance(request, ShutdownTcp | CloseSocket) and self._services.knows(request.socket)

    def _attach(self, socket: HostSocket, _peer: Endpoint | None) -> Result:
        known = socket in self._sockets.streams or socket in self._sockets.datagrams or self._services.knows(socket)
        return Done() if known else Failed(Cause.CLOSED_BY_PEER)

    def _after(self, request: Request) -> None:
        """What follows a result: data that waited come behind it."""
        if isinstance(request, Attach):
            self._read(request.socket, True, request.peer)
        elif isinstance(request, AcceptTcp | ConnectTcp):
            stream = self._sockets.streams.get(request.socket)
            if stream is not None:
                stream.begin(self._held)

    def _read(self, socket: HostSocket, reading: bool, peer: Endpoint | None) -> None:
        if socket in self._sockets.streams:
            self._sockets.streams[socket].read(reading)
        elif socket in self._sockets.datagrams:
            self._sockets.datagrams[socket].read(reading, peer)

    async def _work(self, ticket: Ticket, request: Request) -> None:
        try:
            result: Result = await self._do(ticket, request)
        except NetworkFailure as failure:
            result = Failed(failure.cause, str(failure))
        except Exception:  # our own fault, and still the host must hear an end
            log.exception("%s could not be worked", type(request).__name__)
            result = Failed(Cause.INTERNAL)
        self._tasks.pop(ticket, None)
        self._news(ticket, result)
        self._after(request)

    def _do(self, ticket: Ticket, request: Request) -> Coroutine[Any, Any, Result]:
        match request:
            case StartBearer():
                return self._start_bearer(ticket, request)
            case ConnectTcp():
                return self._connect(request)
            case ListenTcp():
                return self._listen(request)
            case OpenUdp():
                return self._open_udp(request)
            case ResolveName():
                return self._resolve_name(request)
            case SendDatagram():
                return self._send_datagram(request)
            case Ping():
                return self._ping(ticket, request)
            case _:
                return self._unable()

    async def _unable(self) -> Result:
        return Failed(Cause.NOT_SUPPORTED)

    # -- bearer --------------------------------------------------------------------------------------------------------

    def _ring(self) -> None:
        """Somebody calls, until he is answered or gives up."""
        self._rung += 1
        self._ringing.set()
        self._happened(ModuleText(("+CRING: REL ASYNC" if self._shows_kind else "RING",)))
        if self._shows_caller and self._trouble.caller:
            self._happened(ModuleText((f'+CLIP: "{self._trouble.caller}",129',)))
        goes_on = self._rung < self._trouble.rings
        self._bell = asyncio.get_running_loop().call_later(RING_S, self._ring if goes_on else self._quiet)

    def _quiet(self) -> None:
        self._rung = 0
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None

    async def _answer(self, request: StartBearer) -> None:
        """Wait for a call that is to be answered, and answer it."""
        wanted = request.caller in ("", self._trouble.caller)
        while not (wanted and self._rung >= max(request.rings, 1)):
            self._ringing.clear()
            await self._ringing.wait()
        self._quiet()

    async def _start_bearer(self, ticket: Ticket, request: StartBearer) -> Result:
        trouble = self._trouble
        if request.answers:
            if trouble.called_on is None:
                return Failed(Cause.NOT_SUPPORTED, "there is no telephone line")
            self._news(ticket, Begun())
            try:
                async with asyncio.timeout(None if request.waits else CALL_LIMIT_S):
                    await self._answer(request)
            except TimeoutError:
                return Failed(Cause.BEARER_TIMED_OUT, "nobody called")
        if trouble.bearer_delay_s:
            await asyncio.sleep(trouble.bearer_delay_s)
        if trouble.bearer_refused is not None:
            if trouble.bearer_refusals == 1:
                cause, trouble.bearer_refused = trouble.bearer_refused, None
                return Failed(cause, "fault on demand")
            trouble.bearer_refusals = max(0, trouble.bearer_refusals - 1)
            return Failed(trouble.bearer_refused, "fault on demand")
        addresses = network.own_addresses(*self._addresses.values())
        if request.family is Family.FOUR:
            addresses = replace(addresses, own6="")
        elif request.family is Family.SIX:
            if not addresses.own6:
                return Failed(Cause.NO_ADDRESS, "this computer has no IPv6")
            addresses = Addresses(own6=addresses.own6)
        self._bearer = addresses
        if trouble.bearer_lost_s is not None:
            loop = asyncio.get_running_loop()
            self._bearer_end = loop.call_later(trouble.bearer_lost_s, self.lose_bearer)
        return Done(self._bearer)

    def _stop_bearer(self, cause: Cause = Cause.ABORTED) -> list[HostSocket]:
        """Close everything, and fail what services do with ``cause``. Gives the sessions of services."""
        self._bearer = None
        self._bearer_stops += 1
        if self._bearer_end is not None:
            self._bearer_end.cancel()
            self._bearer_end = None
        for _, stream in self._sockets.incoming.values():
            stream.close()
        self._sockets.incoming.clear()
        for socket in [*self._sockets.streams, *self._sockets.datagrams, *self._sockets.listeners]:
            self._close(socket)
        return self._services.cut(cause)

    # -- sockets -------------------------------------------------------------------------------------------------------

    def _check(self, family: Family) -> None:
        """Whether the bearer carries it."""
        bearer = self._bearer
        if bearer is not None and (not bearer.own6 if family is Family.SIX else bearer.own == ANY_ADDRESS):
            raise NetworkFailure(Cause.UNREACHABLE, f"the bearer has no IPv{6 if family is Family.SIX else 4}")

    async def _place(self, peer: Endpoint, family: Family) -> Endpoint:
        """Where a peer is on this computer's network."""
        self._check(family)
        return await network.place(self._names, peer, family)

    async def _resolve_name(self, request: ResolveName) -> Result:
        self._check(request.family)
        network.check_family(request.name, request.family)
        mapped = self._names.name(request.name)
        if mapped is None:
            raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{request.name} is mapped to nothing")
        return Done(await network.resolve(mapped, request.family))

    async def _connect(self, request: ConnectTcp) -> Result:
        stops = self._bearer_stops
        if self._trouble.connect_delay_s:
            await asyncio.sleep(self._trouble.connect_delay_s)
        peer = await self._place(request.peer, request.family)
        if request.secure:
            stream = await tls.connect(peer, self, self._trust or tls.context(), request.peer.host)
        else:
            stream = await tcp.connect(peer, self)
        if stops != self._bearer_stops:
            stream.close()
            raise NetworkFailure(Cause.BEARER_LOST)
        self._sockets.streams[request.socket] = stream
        self._owned[stream] = request.socket
        tuning.apply(stream.transport, self._tunings.get(request.socket, {}))
        return Done(SocketInfo(stream.local, stream.peer))

    async def _listen(self, request: ListenTcp) -> Result:
        self._check(request.family)
        at = self._names.inward(request.port, self._addresses[request.family])
        owner = _Door(self, request.listener)
        server = await tcp.listen(at, owner)
        self._sockets.listeners[request.listener] = server
        return Done(SocketInfo(at))

    def called(self, listener: HostSocket, stream: Stream) -> None:
        """A peer has called a listener."""
        if listener not in self._sockets.listeners:
            stream.close()
            return
        self._connections += 1
        self._sockets.incoming[self._connections] = (listener, stream)
        stream.owner = self
        stream.hold(True)
        self._happened(Incoming(listener, self._connections, stream.peer))

    async def _send_datagram(self, request: SendDatagram) -> Result:
        datagrams = self._sockets.datagrams.get(request.socket)
        if datagrams is None:
            return Failed(Cause.SEND_FAILED)
        peer = await self._place(request.peer, Family.SIX if ":" in datagrams.local.host else Family.FOUR)
        datagrams.send_to(request.data, peer)
        return Done()

    async def _open_udp(self, request: OpenUdp) -> Result:
        self._check(request.family)
        peer = await self._place(request.peer, request.family) if request.peer is not None else None
        at = self._names.inward(request.local_port or 0, self._addresses[request.family])
        socket = request.socket

        def received(_: Datagrams, data: bytes, sender: Endpoint) -> None:
            self._happened(Received(socket, data, sender))

        def waiting(_: Datagrams, size_bytes: int, sender: Endpoint) -> None:
            self._happened(DataWaiting(socket, size_bytes, sender))

        datagrams = Datagrams(received, waiting, peer)
        await udp.open_udp(at, datagrams)
        self._sockets.datagrams[socket] = datagrams
        tuning.apply(datagrams.transport, self._tunings.get(socket, {}))
        return Done(SocketInfo(datagrams.local, peer))

    def _tune(self, socket: HostSocket, values: Tunings) -> Result:
        """At once where the socket is there; kept for one that will be, and for those that call a listener."""
        if socket:
            wanted = {name: value for name, value in values if name in tuning.ABLE}
            self._tunings[socket] = self._tunings.get(socket, {}) | wanted
            for open_one in (self._sockets.streams.get(socket), self._sockets.datagrams.get(socket)):
                if open_one is not None:
                    tuning.apply(open_one.transport, wanted)
        return Done(Tuned(ignored(values, tuning.ABLE)))

    def _close(self, socket: HostSocket) -> None:
        self._tunings.pop(socket, None)
        stream = self._sockets.streams.pop(socket, None)
        if stream is not None:
            self._owned.pop(stream, None)
            stream.close()
        datagrams = self._sockets.datagrams.pop(socket, None)
        if datagrams is not None:
            datagrams.close()
        self._close_listener(socket)

    def _close_listener(self, listener: HostSocket) -> None:
        server = self._sockets.listeners.pop(listener, None)
        if server is not None:
            server.close()
        for connection in [n for n, (owner, _) in self._sockets.incoming.items() if owner == listener]:
            self._sockets.incoming.pop(connection)[1].close()

    # -- what streams tell ---------------------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> None:
        """A connection of ours: nothing of it is read before its opening was told."""
        stream.hold(True)

    def received(self, stream: Stream, data: bytes) -> None:
        """Bytes of a peer."""
        socket = self._owned.get(stream)
        if socket is not None:
            self._happened(Received(socket, data))

    def waiting(self, stream: Stream, size_bytes: int) -> None:
        """Bytes that nobody reads."""
        socket = self._owned.get(stream)
        if socket is not None:
            self._happened(DataWaiting(socket, size_bytes))

    def ended(self, stream: Stream) -> None:
        """The peer sends no more."""
        socket = self._owned.get(stream)
        if socket is not None:
            self._happened(PeerClosed(socket))

    def lost(self, stream: Stream, cause: Cause) -> None:
        """A connection is gone."""
        socket = self._owned.pop(stream, None)
        if socket is not None:
            self._sockets.streams.pop(socket, None)
            self._happened(SocketLost(socket, cause))
        for connection in [n for n, (_, other) in self._sockets.incoming.items() if other is stream]:
            del self._sockets.incoming[connection]
        self._congested()

    def congestion(self, stream: Stream) -> None:
        """A peer became slow, or fast again."""
        socket = self._owned.get(stream)
        if socket is not None:
            self._happened(SendingHeld(socket, stream.congested))
        self._congested()

    # -- ping ----------------------------------------------------------------------------------------------------------

    async def _ping(self, ticket: Ticket, request: Ping) -> Result:
        found = await self._resolve_name(ResolveName(request.target, family=request.family))
        assert isinstance(found, Done)
        address = str(found.value)
        loop = asyncio.get_running_loop()
        for number in range(request.count):
            begun = loop.time()
            seconds = None
            lost = self._echoes in self._trouble.ping_losses
            self._echoes += 1
            if not lost:
                timeout_s = request.timeout_ms / 1000
                seconds = await icmp.echo(address, number + 1, timeout_s, request.size_bytes, request.ttl, request.tos)
            else:
                await asyncio.sleep(request.timeout_ms / 1000)
            self._news(ticket, PingEcho(number, round(seconds * 1000) if seconds is not None else None))
            if number + 1 < request.count:
                await asyncio.sleep(max(0.0, begun + request.interval_ms / 1000 - loop.time()))
        return Done()


class _Door(StreamOwner):
    """What a listener's new connections belong to until they are told."""

    def __init__(self, engine: NativeEngine, listener: HostSocket) -> None:
        self._engine = engine
        self._listener = listener

    def opened(self, stream: Stream) -> None:
        """A peer has called."""
        self._engine.called(self._listener, stream)

"""A host's requests worked with this computer's network: real sockets on loopback (SEMANTICS 4, 5 and 7.4)."""

from __future__ import annotations

import asyncio
import itertools
import select
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from support.rig import LIMIT_S, Server, abort, echo, hold, read_exactly, read_to_end, unused_port

from gateway.dialect import registry
from gateway.dialect.schema import LocalAnswer
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
from gateway.model.values import Addresses, BearerKind, Endpoint, HostSocket, SocketInfo, Ticket
from gateway.native import network, tcp, udp
from gateway.native.engine import NativeEngine, Trouble
from gateway.native.names import NameMap
from gateway.native.radio import Radio
from gateway.native.tcp import UNREAD_LIMIT_BYTES

EVERY = bytes(range(256))
MIB = 1 << 20
ONE, TWO, THREE = HostSocket(1), HostSocket(2), HostSocket(3)
GPRS = StartBearer(BearerKind.GPRS, "internet")
Kind = TypeVar("Kind")


SERVER = StartBearer(BearerKind.GSM, answers=True, waits=True)


class Desk:
    """The session's place: asks the engine, and keeps what it tells."""

    def __init__(self, maps: tuple[str, ...] = (), trouble: Trouble | None = None, radio: Radio | None = None) -> None:
        self.events: list[Event] = []
        self.results: dict[Ticket, Result] = {}
        self.progress: list[Progress] = []
        self.order: list[object] = []
        self.congestions: list[bool] = []
        self.holds: list[tuple[HostSocket, bool]] = []
        self.restarts = 0
        self._tickets = itertools.count(1)
        self._seen = 0
        self._news = asyncio.Event()
        self.engine = NativeEngine(
            self._answered,
            self._happened,
            self._congested,
            self._restarted,
            names=NameMap.parse(list(maps)),
            address="127.0.0.1",
            trouble=trouble,
            radio=radio,
        )

    def _answered(self, ticket: Ticket, result: Result | Progress) -> None:
        assert ticket not in self.results, "a request has one result"
        self.order.append(result)
        if isinstance(result, Done | Failed | PassedThrough):
            self.results[ticket] = result
        else:
            self.progress.append(result)
        self._news.set()

    def _happened(self, event: Event) -> None:
        if isinstance(event, SendingHeld):
            self.holds.append((event.socket, event.held))
            return
        self.order.append(event)
        self.events.append(event)
        self._news.set()

    def _congested(self) -> None:
        self.congestions.append(self.engine.congested)
        self._news.set()

    def _restarted(self) -> None:
        self.restarts += 1
        self._news.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for news that make ``wanted`` true; the test's limit ends a vain wait."""
        while not wanted():
            self._news.clear()
            await self._news.wait()

    def submit(self, request: Request) -> Ticket:
        """Ask without waiting."""
        ticket = Ticket(next(self._tickets))
        self.engine.submit(ticket, request)
        return ticket

    async def ask(self, request: Request) -> Result:
        """Ask; the result."""
        ticket = self.submit(request)
        await self.until(lambda: ticket in self.results)
        return self.results[ticket]

    async def done(self, request: Request) -> Any:
        """Ask for what must work; the value of its result."""
        result = await self.ask(request)
        assert isinstance(result, Done), result
        return result.value

    async def event(self, kind: type[Kind]) -> Kind:
        """The next event, which must be of this kind."""
        await self.until(lambda: len(self.events) > self._seen)
        event = self.events[self._seen]
        self._seen += 1
        assert isinstance(event, kind), event
        return event

    async def received(self, size: int) -> bytes:
        """So many bytes for the host, in however many events."""
        data = b""
        while len(data) < size:
            data += (await self.event(Received)).data
        return data

    def quiet(self) -> bool:
        """Whether nothing happened that the test has not seen."""
        return len(self.events) == self._seen


@asynccontextmanager
async def desk(*maps: str, trouble: Trouble | None = None, radio: Radio | None = None) -> AsyncIterator[Desk]:
    """An engine with its bearer up, ended with the test."""
    desk = Desk(maps, trouble, radio)
    if trouble is None:
        await desk.done(GPRS)
    try:
        yield desk
    finally:
        await desk.engine.close()
        await settled()


async def settled() -> None:
    """Let the loop do all that it can do at once."""
    for _ in range(20):
        await asyncio.sleep(0)


async def connected(desk: Desk, server: Server, number: HostSocket = ONE) -> socket.socket:
    """Connect, and attach; the server's end."""
    await desk.done(ConnectTcp(number, Endpoint("127.0.0.1", server.port)))
    await desk.done(Attach(number))
    return await asyncio.to_thread(server.arrived)


def flood(peer: socket.socket, limit: int = 64 * MIB) -> int:
    """Send until nothing more goes for a while: everything on the way is full."""
    peer.setblocking(False)
    sent = 0
    while sent < limit and select.select([], [peer], [], 0.3)[1]:
        with suppress(BlockingIOError):
            sent += peer.send(EVERY * 256)
    peer.setblocking(True)
    return sent


def call(port: int, address: str = "127.0.0.1") -> socket.socket:
    """A peer that calls a listener of the host's."""
    peer = socket.create_connection(("127.0.0.1", port), LIMIT_S, source_address=(address, 0))
    peer.settimeout(LIMIT_S)
    return peer


@pytest.fixture
def server() -> Iterator[Server]:
    """Its connections belong to the test."""
    server = Server(hold)
    yield server
    server.close()


@pytest.fixture
def mirror() -> Iterator[Server]:
    """Sends everything back."""
    server = Server(echo)
    yield server
    server.close()


@pytest.fixture
def peers() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two UDP sockets, at 127.0.0.1 and 127.0.0.2."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for peer, address in ((one, "127.0.0.1"), (two, "127.0.0.2")):
            peer.bind((address, 0))
            peer.settimeout(LIMIT_S)
        yield one, two


def place(peer: socket.socket) -> Endpoint:
    """Where a socket of the test is."""
    host, port = peer.getsockname()
    return Endpoint(host, port)


class TestBearer:
    async def test_up_and_down(self) -> None:
        """Every address is dotted; asked again it is the same; stopping twice is no failure."""
        desk = Desk()
        assert await desk.done(QueryBearer()) is None
        addresses = await desk.done(GPRS)
        assert isinstance(addresses, Addresses)
        for address in (addresses.own, addresses.peer, addresses.dns1, addresses.dns2):
            socket.inet_aton(address)
        assert await desk.done(QueryBearer()) == addresses
        for _ in range(2):
            assert await desk.done(StopBearer()) is None
            assert await desk.done(QueryBearer()) is None
        await desk.engine.close()

    async def test_refused(self) -> None:
        async with desk(trouble=Trouble(bearer_refused=Cause.AUTHENTICATION)) as d:
            for _ in range(3):
                result = await d.ask(GPRS)
                assert isinstance(result, Failed) and result.cause is Cause.AUTHENTICATION
            assert await d.done(QueryBearer()) is None

    @pytest.mark.parametrize("times", [1, 2, 3])
    async def test_refused_so_many_times(self, times: int) -> None:
        async with desk(trouble=Trouble(bearer_refused=Cause.NO_CARRIER, bearer_refusals=times)) as d:
            results = [await d.ask(GPRS) for _ in range(times + 1)]
        assert [type(result) for result in results] == [Failed] * times + [Done]

    async def test_a_call_is_answered(self) -> None:
        """It rings, who calls is told where +CLIP is on, and a server takes only its own caller's calls."""
        async with desk(trouble=Trouble(called_on="+CSCS", caller="0123"), radio=Radio({"+C*": LocalAnswer()})) as d:
            other = d.submit(replace(SERVER, caller="0999"))
            for text in ("AT+CLIP=1", "AT+CSCS=1"):
                await d.ask(PassThrough(text))
            assert [event.lines[0] for event in d.events if isinstance(event, ModuleText)] == [
                "RING",
                '+CLIP: "0123",129',
            ]
            taken = d.submit(replace(SERVER, caller="0123"))
            await d.until(lambda: taken in d.results)
            assert isinstance(d.results[taken], Done)
            assert other not in d.results
            d.engine.withdraw(other)

    @pytest.mark.parametrize(("asked", "told"), [("1", "+CRING: REL ASYNC"), ("0", "RING")])
    async def test_the_kind_of_a_call(self, asked: str, told: str) -> None:
        """3GPP TS 27.007, 6.11: with +CRC the kind of a call stands in place of RING."""
        async with desk(trouble=Trouble(called_on="+CSCS"), radio=Radio({"+C*": LocalAnswer()})) as d:
            for text in ("AT+CRC=1", f"at+crc={asked}", "AT+CSCS=1"):
                await d.ask(PassThrough(text))
            assert [event.lines for event in d.events if isinstance(event, ModuleText)] == [(told,)]

    async def test_a_call_where_nobody_calls(self) -> None:
        async with desk() as d:
            result = await d.ask(SERVER)
            assert isinstance(result, Failed) and result.cause is Cause.NOT_SUPPORTED

    async def test_withdrawn_while_it_comes_up(self) -> None:
        """A host that gives up hears nothing more of it, and the bearer is not up behind its back."""
        async with desk(trouble=Trouble(bearer_delay_s=0.05)) as d:
            ticket = d.submit(GPRS)
            await settled()
            d.engine.withdraw(ticket)
            second = d.submit(GPRS)
            await settled()
            assert await d.done(QueryBearer()) is None
            await d.until(lambda: second in d.results)
            assert ticket not in d.results

    async def test_lost(self, server: Server) -> None:
        """It is told first, then each socket that died with it; the peers notice, listeners are gone."""
        port = unused_port()
        async with desk() as d:
            peer = await connected(d, server)
            await d.done(OpenUdp(TWO, None, Endpoint("127.0.0.1", 9)))
            await d.done(ListenTcp(THREE, port))
            d.engine.lose_bearer()
            assert await d.event(BearerLost) == BearerLost()
            lost = {(await d.event(SocketLost)).socket for _ in range(2)}
            assert lost == {ONE, TWO}
            assert all(event.cause is Cause.BEARER_LOST for event in d.events if isinstance(event, SocketLost))
            assert await asyncio.to_thread(read_to_end, peer) == b""
            assert await d.done(QueryBearer()) is None
            await settled()
            with pytest.raises(ConnectionRefusedError):
                call(port)
            d.engine.lose_bearer()
            assert d.quiet(), "what is down cannot be lost"
            await d.done(GPRS)

    async def test_a_restart_is_told_nobody(self, server: Server) -> None:
        """FIELD, modules 4: the boot text alone says so, and that is not the network's."""
        async with desk() as d:
            peer = await connected(d, server)
            pinging = d.submit(Ping("127.0.0.1", 1000, 1000, 1000, 64, 64))
            d.engine.restart()
            assert await asyncio.to_thread(read_to_end, peer) == b""
            await settled()
            assert d.quiet() and pinging not in d.results
            assert await d.done(QueryBearer()) is None

    async def test_lost_after_a_time(self, server: Server) -> None:
        async with desk(trouble=Trouble(bearer_lost_s=0.05)) as d:
            await d.done(GPRS)
            await connected(d, server)
            await d.event(BearerLost)
            assert await d.event(SocketLost) == SocketLost(ONE, Cause.BEARER_LOST)

    async def test_stopped_before_it_is_lost(self) -> None:
        """The loss belongs to the bearer that was stopped: the next one has a time of its own."""
        async with desk(trouble=Trouble(bearer_lost_s=0.05)) as d:
            await d.done(GPRS)
            await d.done(StopBearer())
            await asyncio.sleep(0.1)
            assert d.quiet()

    async def test_stopping_closes_everything_without_a_word(self, server: Server) -> None:
        """What the host has asked for is its result, not an event."""
        port = unused_port()
        async with desk() as d:
            peer = await connected(d, server)
            await d.done(ListenTcp(TWO, port))
            waiting = call(port)
            await d.event(Incoming)
            await d.done(StopBearer())
            assert await asyncio.to_thread(read_to_end, peer) == b""
            assert await asyncio.to_thread(read_to_end, waiting) == b""
            waiting.close()
            await settled()
            assert d.quiet()

    async def test_ended_while_a_connection_is_made(self, mirror: Server) -> None:
        """There is no connection without a bearer, also none that is late (SEMANTICS 4)."""
        async with desk(trouble=Trouble(connect_delay_s=0.05)) as d:
            await d.done(GPRS)
            ticket = d.submit(ConnectTcp(ONE, Endpoint("127.0.0.1", mirror.port)))
            await settled()
            d.engine.lose_bearer()
            await d.until(lambda: ticket in d.results)
            result = d.results[ticket]
            assert isinstance(result, Failed) and result.cause is Cause.BEARER_LOST
            assert isinstance(await d.ask(Attach(ONE)), Failed)


class TestConnecting:
    async def test_every_byte_both_ways(self, mirror: Server) -> None:
        async with desk() as d:
            info = await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", mirror.port)))
            assert isinstance(info, SocketInfo)
            assert info.peer == Endpoint("127.0.0.1", mirror.port)
            assert info.local.host == "127.0.0.1" and info.local.port > 0
            await d.done(Attach(ONE))
            d.engine.payload(ONE, EVERY * 16)
            assert await d.received(4096) == EVERY * 16
            assert all(event.socket == ONE for event in d.events if isinstance(event, Received))

    async def test_a_name_of_the_map(self, mirror: Server) -> None:
        async with desk(f"server.example:80=127.0.0.1:{mirror.port}") as d:
            info = await d.done(ConnectTcp(ONE, Endpoint("Server.Example", 80)))
            assert info.peer == Endpoint("127.0.0.1", mirror.port)

    async def test_a_name_of_the_system(self, mirror: Server) -> None:
        async with desk() as d:
            info = await d.done(ConnectTcp(ONE, Endpoint("localhost", mirror.port)))
            assert info.peer.port == mirror.port

    @pytest.mark.parametrize("name", ["nowhere.example", "nowhere.invalid", "a..b", "x" * 70 + ".example", "bad name"])
    async def test_unknown(self, name: str) -> None:
        async with desk("nowhere.example:*=") as d:
            result = await d.ask(ConnectTcp(ONE, Endpoint(name, 80)))
            assert isinstance(result, Failed) and result.cause is Cause.NAME_NOT_RESOLVED

    async def test_refused(self) -> None:
        async with desk() as d:
            result = await d.ask(ConnectTcp(ONE, Endpoint("127.0.0.1", unused_port())))
            assert isinstance(result, Failed) and result.cause is Cause.REFUSED
            assert d.quiet()

    async def test_an_address_that_cannot_be_connected(self) -> None:
        """An answer, whatever the system says: never an exception in a task that nobody hears of."""
        async with desk() as d:
            result = await d.ask(ConnectTcp(ONE, Endpoint("255.255.255.255", 80)))
            assert isinstance(result, Failed)
            assert result.cause in (Cause.UNREACHABLE, Cause.OPEN_FAILED)

    @pytest.mark.parametrize(
        ("error", "cause"),
        [
            (ConnectionRefusedError(111, ""), Cause.REFUSED),
            (TimeoutError(110, ""), Cause.TIMED_OUT),
            (OSError(113, "EHOSTUNREACH"), Cause.UNREACHABLE),
            (OSError(101, "ENETUNREACH"), Cause.UNREACHABLE),
            (ConnectionResetError(104, ""), Cause.RESET),
            (BrokenPipeError(32, ""), Cause.RESET),
            (OSError(24, "EMFILE"), Cause.OPEN_FAILED),
        ],
    )
    def test_causes(self, error: OSError, cause: Cause) -> None:
        assert network.cause_of(error) is cause

    async def test_no_answer_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A listener whose queue is full answers nobody: the attempt has an end."""
        monkeypatch.setattr(tcp, "CONNECT_LIMIT_S", 0.2)
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            callers = [socket.socket() for _ in range(8)]
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(deaf.getsockname())
            try:
                async with desk() as d:
                    result = await d.ask(ConnectTcp(ONE, Endpoint(*deaf.getsockname())))
            finally:
                for caller in callers:
                    caller.close()
        assert isinstance(result, Failed) and result.cause is Cause.TIMED_OUT

    async def test_withdrawn(self, server: Server) -> None:
        """Nothing is told of it, and no connection is left that nobody knows."""
        async with desk(trouble=Trouble(connect_delay_s=0.05)) as d:
            ticket = d.submit(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            await settled()
            d.engine.withdraw(ticket)
            await d.done(ConnectTcp(TWO, Endpoint("127.0.0.1", server.port)))
            assert ticket not in d.results
            await asyncio.to_thread(server.arrived)
            assert len(server.connections) == 1

    async def test_data_comes_behind_the_result(self) -> None:
        """A server that speaks first: the host hears that it is connected, then that there are data."""
        server = Server(lambda connection: connection.sendall(b"welcome"))
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            assert await d.event(DataWaiting) == DataWaiting(ONE, 7)
            kinds = [type(thing) for thing in d.order if isinstance(thing, Done | DataWaiting)]
            assert kinds == [Done, Done, DataWaiting]  # the bearer, the connection, its data
            await d.done(Attach(ONE))
            assert await d.received(7) == b"welcome"
        server.close()

    async def test_attaching_what_is_not_open(self) -> None:
        async with desk() as d:
            assert isinstance(await d.ask(Attach(THREE)), Failed)
            d.engine.payload(THREE, b"nobody")
            await d.done(CloseSocket(THREE))
            await d.done(ShutdownTcp(THREE))
            await d.done(Detach(THREE))
            assert d.quiet()


class TestReading:
    async def test_what_waits_is_told_once_until_it_is_read(self, server: Server) -> None:
        """SEMANTICS 5.7."""
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            peer = await asyncio.to_thread(server.arrived)
            for _ in range(2):
                peer.sendall(b"first")
                assert (await d.event(DataWaiting)).socket == ONE
                peer.sendall(b"second")
                await settled()
                assert d.quiet()
                await d.done(Attach(ONE))
                assert await d.received(11) == b"firstsecond"
                peer.sendall(b"third")
                assert await d.received(5) == b"third"
                await d.done(Detach(ONE))
                await settled()
                assert d.quiet()

    async def test_a_peer_that_is_not_read_is_held_back(self, server: Server) -> None:
        """SEMANTICS 1.6; DESIGN 4: no buffer without a limit."""
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            peer = await asyncio.to_thread(server.arrived)
            sent = await asyncio.to_thread(flood, peer)
            assert sent < 64 * MIB, "nothing holds the peer back"
            waiting = await d.event(DataWaiting)
            assert 0 < waiting.size_bytes <= UNREAD_LIMIT_BYTES + 256 * 1024
            await d.done(Attach(ONE))
            assert await d.received(sent) == (EVERY * (sent // 256 + 1))[:sent]

    async def test_a_slow_host_holds_its_peers_back(self, server: Server) -> None:
        async with desk() as d:
            peer = await connected(d, server)
            d.engine.hold(True)
            sent = await asyncio.to_thread(flood, peer)
            assert sent < 64 * MIB
            assert d.quiet()
            d.engine.hold(False)
            assert await d.received(sent) == (EVERY * (sent // 256 + 1))[:sent]

    async def test_a_connection_of_a_time_when_the_host_was_slow(self, mirror: Server) -> None:
        """Holding goes for sockets that come later too, and ends for all of them."""
        async with desk() as d:
            d.engine.hold(True)
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", mirror.port)))
            await d.done(Attach(ONE))
            d.engine.payload(ONE, b"there and back")
            peer = await asyncio.to_thread(mirror.arrived)
            await asyncio.to_thread(select.select, [], [peer], [], LIMIT_S)
            await settled()
            assert d.quiet()
            d.engine.hold(False)
            assert await d.received(14) == b"there and back"


class TestWriting:
    async def test_a_slow_peer_holds_the_host_back(self, server: Server) -> None:
        """It is told when it begins and when it ends, and nothing is lost."""
        async with desk() as d:
            peer = await connected(d, server)
            assert not d.engine.congested
            data = EVERY * (16 * MIB // 256)
            d.engine.payload(ONE, data)
            assert d.engine.congested and d.congestions == [True]
            assert await asyncio.to_thread(read_exactly, peer, len(data)) == data
            await d.until(lambda: not d.engine.congested)
            assert d.congestions == [True, False]
            assert d.holds == [(ONE, True), (ONE, False)]

    async def test_a_slow_peer_that_goes_lets_the_host_go(self, server: Server) -> None:
        async with desk() as d:
            peer = await connected(d, server)
            d.engine.payload(ONE, bytes(16 * MIB))
            assert d.engine.congested
            abort(peer)
            assert (await d.event(SocketLost)).cause is Cause.RESET
            assert not d.engine.congested
            assert d.congestions[-1] is False

    async def test_one_slow_peer_and_a_fast_one(self, server: Server, mirror: Server) -> None:
        async with desk() as d:
            slow = await connected(d, server, ONE)
            await connected(d, mirror, TWO)
            d.engine.payload(ONE, bytes(16 * MIB))
            d.engine.payload(TWO, b"quick")
            assert await d.received(5) == b"quick"
            assert d.engine.congested
            await d.done(CloseSocket(ONE))
            assert not d.engine.congested
            abort(slow)

    async def test_closing_sends_the_rest_first(self, server: Server) -> None:
        """Payload given before a close is sent."""
        async with desk() as d:
            peer = await connected(d, server)
            data = EVERY * (8 * MIB // 256)
            d.engine.payload(ONE, data)
            await d.done(CloseSocket(ONE))
            d.engine.payload(ONE, b"late")
            assert await asyncio.to_thread(read_to_end, peer) == data
            await settled()
            assert d.quiet(), "the host has closed it: there is nothing to tell"


class TestEnds:
    async def test_half_closed_by_the_host(self, server: Server) -> None:
        """SEMANTICS 5.5: the sending direction ends behind the last byte, reading goes on."""
        async with desk() as d:
            peer = await connected(d, server)
            data = EVERY * (4 * MIB // 256)
            d.engine.payload(ONE, data)
            await d.done(ShutdownTcp(ONE))
            assert await asyncio.to_thread(read_to_end, peer) == data
            peer.sendall(EVERY)
            assert await d.received(256) == EVERY
            peer.close()
            assert await d.event(PeerClosed) == PeerClosed(ONE)

    async def test_half_closed_by_the_peer(self, server: Server) -> None:
        async with desk() as d:
            peer = await connected(d, server)
            peer.sendall(b"the last")
            peer.shutdown(socket.SHUT_WR)
            assert await d.received(8) == b"the last"
            assert await d.event(PeerClosed) == PeerClosed(ONE)
            d.engine.payload(ONE, b"but I have more to say")
            assert await asyncio.to_thread(read_exactly, peer, 22) == b"but I have more to say"
            await d.done(CloseSocket(ONE))
            assert await asyncio.to_thread(read_to_end, peer) == b""
            await settled()
            assert d.quiet()

    async def test_closed_behind_its_data(self, server: Server) -> None:
        """SEMANTICS 5.6: all bytes are delivered before the close is told."""
        async with desk() as d:
            peer = await connected(d, server)
            data = EVERY * (MIB // 256)
            await asyncio.to_thread(peer.sendall, data)
            peer.close()
            assert await d.received(MIB) == data
            assert await d.event(PeerClosed) == PeerClosed(ONE)

    async def test_closed_while_nobody_reads(self, server: Server) -> None:
        """Data that wait are told, the close only when they were read."""
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            peer = await asyncio.to_thread(server.arrived)
            peer.sendall(b"the last")
            peer.close()
            assert await d.event(DataWaiting) == DataWaiting(ONE, 8)
            await settled()
            assert d.quiet()
            await d.done(Attach(ONE))
            assert (await d.event(Received)).data == b"the last"
            assert await d.event(PeerClosed) == PeerClosed(ONE)

    async def test_closed_is_told_once(self, server: Server) -> None:
        """However often the host is slow behind it."""
        async with desk() as d:
            peer = await connected(d, server)
            peer.close()
            assert await d.event(PeerClosed) == PeerClosed(ONE)
            for held in (True, False, True, False):
                d.engine.hold(held)
                await settled()
            assert d.quiet()

    @pytest.mark.parametrize("ends", [False, True])
    async def test_a_peer_that_speaks_before_its_connection_is_told(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, ends: bool
    ) -> None:
        """A loop may have read it when reading is paused."""
        connect = tcp.open_tcp

        async def eager(peer: Endpoint, protocol: asyncio.Protocol) -> None:
            await connect(peer, protocol)
            if ends:
                protocol.eof_received()
            else:
                protocol.data_received(b"220")

        monkeypatch.setattr(tcp, "open_tcp", eager)
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            if ends:
                assert await d.event(PeerClosed) == PeerClosed(ONE)
            else:
                assert await d.event(DataWaiting) == DataWaiting(ONE, 3)

    async def test_closed_without_a_byte(self, server: Server) -> None:
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            (await asyncio.to_thread(server.arrived)).shutdown(socket.SHUT_RDWR)
            assert await d.event(PeerClosed) == PeerClosed(ONE)

    async def test_closed_while_the_host_was_slow(self, server: Server) -> None:
        async with desk() as d:
            peer = await connected(d, server)
            d.engine.hold(True)
            sent = await asyncio.to_thread(flood, peer)
            peer.close()
            await settled()
            assert d.quiet()
            d.engine.hold(False)
            assert len(await d.received(sent)) == sent
            assert await d.event(PeerClosed) == PeerClosed(ONE)

    async def test_reset(self, server: Server) -> None:
        async with desk() as d:
            peer = await connected(d, server)
            peer.sendall(b"alive")
            assert await d.received(5) == b"alive"
            abort(peer)
            assert await d.event(SocketLost) == SocketLost(ONE, Cause.RESET)
            d.engine.payload(ONE, b"late")
            assert isinstance(await d.ask(Attach(ONE)), Failed)
            await d.done(CloseSocket(ONE))
            assert d.quiet()

    async def test_reset_behind_data_that_wait(self, server: Server) -> None:
        """SEMANTICS 5.6: all bytes that were received are delivered before the end is told."""
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            peer = await asyncio.to_thread(server.arrived)
            peer.sendall(b"alive")
            assert await d.event(DataWaiting) == DataWaiting(ONE, 5)
            abort(peer)
            await settled()
            assert d.quiet()
            await d.done(Attach(ONE))
            assert (await d.event(Received)).data == b"alive"
            assert await d.event(SocketLost) == SocketLost(ONE, Cause.RESET)

    async def test_reset_behind_data_and_closed_by_the_host(self, server: Server) -> None:
        """The host does not want them: nothing is told of a socket that it has closed."""
        async with desk() as d:
            await d.done(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port)))
            peer = await asyncio.to_thread(server.arrived)
            peer.sendall(b"alive")
            await d.event(DataWaiting)
            abort(peer)
            await settled()
            await d.done(CloseSocket(ONE))
            assert isinstance(await d.ask(Attach(ONE)), Failed)
            await settled()
            assert d.quiet()

    async def test_the_number_can_be_used_again(self, mirror: Server) -> None:
        async with desk() as d:
            for _ in range(3):
                await connected(d, mirror)
                d.engine.payload(ONE, b"round")
                assert await d.received(5) == b"round"
                await d.done(CloseSocket(ONE))
            await settled()
            assert d.quiet()

    async def test_the_engine_ends(self, server: Server) -> None:
        """Everything is closed, and nothing is told any more."""
        port = unused_port()
        async with desk() as d:
            peer = await connected(d, server)
            await d.done(ListenTcp(TWO, port))
        assert await asyncio.to_thread(read_to_end, peer) == b""
        with pytest.raises(ConnectionRefusedError):
            call(port)
        assert d.quiet()


class TestListening:
    async def test_a_peer_calls_and_is_accepted(self) -> None:
        port = unused_port()
        async with desk() as d:
            info = await d.done(ListenTcp(ONE, port))
            assert info.local.port == port
            with call(port) as peer:
                incoming = await d.event(Incoming)
                assert (incoming.listener, incoming.peer) == (ONE, place(peer))
                info = await d.done(AcceptTcp(ONE, incoming.connection, TWO))
                assert (info.local, info.peer) == (Endpoint("127.0.0.1", port), place(peer))
                await d.done(Attach(TWO))
                peer.sendall(EVERY)
                assert await d.received(256) == EVERY
                d.engine.payload(TWO, EVERY)
                assert await asyncio.to_thread(read_exactly, peer, 256) == EVERY
                call(port).close()  # the listener stays
                assert (await d.event(Incoming)).connection != incoming.connection

    async def test_the_last_one(self) -> None:
        """eDSoft accepts one peer and stops listening (SEMANTICS 5.3)."""
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            with call(port) as peer:
                incoming = await d.event(Incoming)
                await d.done(AcceptTcp(ONE, incoming.connection, TWO, last=True))
                await settled()
                with pytest.raises(ConnectionRefusedError):
                    call(port)
                await d.done(Attach(TWO))
                peer.sendall(b"still here")
                assert await d.received(10) == b"still here"

    async def test_refused_by_the_host(self) -> None:
        """Accepted and closed at once; the listener stays."""
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            for _ in range(2):
                with call(port) as peer:
                    incoming = await d.event(Incoming)
                    await d.done(RefuseTcp(ONE, incoming.connection))
                    assert await asyncio.to_thread(read_to_end, peer) == b""
                assert isinstance(await d.ask(AcceptTcp(ONE, incoming.connection, TWO)), Failed)
            assert d.quiet()

    async def test_what_a_peer_said_before_it_was_accepted(self) -> None:
        """It called, spoke and went: the host hears all of it in order."""
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            with call(port) as peer:
                peer.sendall(b"in a hurry")
            incoming = await d.event(Incoming)
            await settled()
            assert d.quiet()
            await d.done(AcceptTcp(ONE, incoming.connection, TWO))
            await d.done(Attach(TWO))
            assert await d.received(10) == b"in a hurry"
            assert await d.event(PeerClosed) == PeerClosed(TWO)

    async def test_the_listener_is_closed_while_a_peer_waits(self) -> None:
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            with call(port) as peer:
                incoming = await d.event(Incoming)
                await d.done(CloseSocket(ONE))
                assert await asyncio.to_thread(read_to_end, peer) == b""
            await settled()
            with pytest.raises(ConnectionRefusedError):
                call(port)
            assert isinstance(await d.ask(AcceptTcp(ONE, incoming.connection, TWO)), Failed)

    async def test_closing_the_listener_leaves_its_children(self) -> None:
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            with call(port) as peer:
                incoming = await d.event(Incoming)
                await d.done(AcceptTcp(ONE, incoming.connection, TWO))
                await d.done(CloseSocket(ONE))
                await d.done(Attach(TWO))
                peer.sendall(b"still here")
                assert await d.received(10) == b"still here"

    async def test_a_port_in_use(self) -> None:
        port = unused_port()
        async with desk() as d:
            await d.done(ListenTcp(ONE, port))
            result = await d.ask(ListenTcp(TWO, port))
            assert isinstance(result, Failed) and result.cause is Cause.OPEN_FAILED
            await d.done(CloseSocket(ONE))
            await settled()
            await d.done(ListenTcp(TWO, port))

    async def test_another_place_by_the_map(self) -> None:
        port = unused_port()
        async with desk(f"listen:80=127.0.0.1:{port}") as d:
            await d.done(ListenTcp(ONE, 80))
            with call(port):
                assert (await d.event(Incoming)).listener == ONE

    async def test_a_place_that_cannot_be(self) -> None:
        """Whatever the map says the host gets an answer."""
        async with desk("listen:80=a..b:8080") as d:
            result = await d.ask(ListenTcp(ONE, 80))
            assert isinstance(result, Failed) and result.cause is Cause.OPEN_FAILED

    async def test_a_place_that_cannot_be_for_datagrams(self) -> None:
        async with desk("listen:80=a..b:8080") as d:
            result = await d.ask(OpenUdp(ONE, 80))
            assert isinstance(result, Failed) and result.cause is Cause.OPEN_FAILED

    async def test_our_own_fault(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """It is told to whoever can mend it, and the host has its answer all the same."""

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(tcp, "listen", broken)
        async with desk() as d:
            result = await d.ask(ListenTcp(ONE, 80))
            assert isinstance(result, Failed) and result.cause is Cause.INTERNAL
        assert "ZeroDivisionError" in caplog.text


class TestUdp:
    """SEMANTICS 5.4: a host datagram is a datagram on the air, and the reverse."""

    async def test_boundaries_both_ways(self, peers: tuple[socket.socket, socket.socket]) -> None:
        peer, _ = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            assert info.peer == place(peer) and info.local.port > 0
            await d.done(Attach(ONE))
            for data in (b"one", EVERY, b"x" * 1472):
                d.engine.payload(ONE, data)
                assert await asyncio.to_thread(peer.recvfrom, 9000) == (data, ("127.0.0.1", info.local.port))
            for data in (b"one", EVERY, b"x" * 1472):
                peer.sendto(data, ("127.0.0.1", info.local.port))
                assert await d.event(Received) == Received(ONE, data, place(peer))

    async def test_more_than_can_wait(
        self,
        peers: tuple[socket.socket, socket.socket],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """UDP may lose them; how many were lost is told (SEMANTICS 1.6)."""
        monkeypatch.setattr(udp, "DATAGRAMS_LIMIT", 4)
        peer, _ = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            for number in range(6):
                peer.sendto(b"%d" % number, ("127.0.0.1", info.local.port))
            assert (await d.event(DataWaiting)).size_bytes == 1
            await settled()
            await d.done(Attach(ONE))
            assert [(await d.event(Received)).data for _ in range(4)] == [b"0", b"1", b"2", b"3"]
            await d.done(CloseSocket(ONE))
        assert "2 datagrams" in caplog.text

    async def test_a_datagram_to_another_and_its_answer(self, peers: tuple[socket.socket, socket.socket]) -> None:
        peer, other = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            await d.done(Attach(ONE))
            await d.done(SendDatagram(ONE, b"hello", place(other)))
            assert await asyncio.to_thread(other.recvfrom, 99) == (b"hello", ("127.0.0.1", info.local.port))
            other.sendto(b"answer", ("127.0.0.1", info.local.port))
            assert await d.event(Received) == Received(ONE, b"answer", place(other))
            d.engine.payload(ONE, b"to the first")
            assert (await asyncio.to_thread(peer.recvfrom, 99))[0] == b"to the first"

    async def test_only_its_peer(self, peers: tuple[socket.socket, socket.socket]) -> None:
        peer, stranger = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            await d.done(Attach(ONE))
            stranger.sendto(b"stranger", ("127.0.0.1", info.local.port))
            peer.sendto(b"peer", ("127.0.0.1", info.local.port))
            assert (await d.event(Received)).data == b"peer"
            assert d.quiet()

    async def test_without_a_peer_it_answers_who_spoke_first(self, peers: tuple[socket.socket, socket.socket]) -> None:
        first, second = peers
        port = unused_port(socket.SOCK_DGRAM)
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, port))
            assert info.local.port == port
            await d.done(Attach(ONE))
            d.engine.payload(ONE, b"to nobody yet")
            first.sendto(b"first", ("127.0.0.1", port))
            assert await d.event(Received) == Received(ONE, b"first", place(first))
            second.sendto(b"second", ("127.0.0.1", port))
            assert await d.event(Received) == Received(ONE, b"second", place(second))
            d.engine.payload(ONE, b"answer")
            assert await asyncio.to_thread(first.recv, 100) == b"answer"

    async def test_what_waits_is_told_once_with_the_size_of_the_next(
        self, peers: tuple[socket.socket, socket.socket]
    ) -> None:
        peer, _ = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            for data in (b"four", b"sixsix"):
                peer.sendto(data, ("127.0.0.1", info.local.port))
            assert await d.event(DataWaiting) == DataWaiting(ONE, 4, place(peer))
            await settled()
            assert d.quiet()
            await d.done(Attach(ONE))
            assert [(await d.event(Received)).data for _ in range(2)] == [b"four", b"sixsix"]

    async def test_the_filter(self, peers: tuple[socket.socket, socket.socket]) -> None:
        """#LUDPSTART: who is allowed and spoke first becomes the peer; others are thrown away."""
        stranger, allowed = peers
        port = unused_port(socket.SOCK_DGRAM)
        async with desk() as d:
            await d.done(OpenUdp(ONE, port))
            assert await d.done(FilterWaiting(ONE, "127.0.0.2")) is None
            stranger.sendto(b"stranger", ("127.0.0.1", port))
            await d.event(DataWaiting)
            assert await d.done(FilterWaiting(ONE, "127.0.0.2")) is None
            allowed.sendto(b"allowed", ("127.0.0.1", port))
            await d.event(DataWaiting)
            assert await d.done(FilterWaiting(ONE, "127.0.0.2")) == place(allowed)
            stranger.sendto(b"stranger", ("127.0.0.1", port))
            await settled()
            await d.done(Attach(ONE, place(allowed)))
            assert await d.event(Received) == Received(ONE, b"allowed", place(allowed))
            stranger.sendto(b"stranger", ("127.0.0.1", port))
            allowed.sendto(b"again", ("127.0.0.1", port))
            assert (await d.event(Received)).data == b"again"
            assert d.quiet()
            d.engine.payload(ONE, b"answer")
            assert await asyncio.to_thread(allowed.recv, 100) == b"answer"

    async def test_held_in_order(self, peers: tuple[socket.socket, socket.socket]) -> None:
        peer, _ = peers
        async with desk() as d:
            info = await d.done(OpenUdp(ONE, None, place(peer)))
            await d.done(Attach(ONE))
            d.engine.hold(True)
            for number in range(20):
                peer.sendto(b"%d" % number, ("127.0.0.1", info.local.port))
            await settled()
            assert d.quiet()
            d.engine.hold(False)
            assert [(await d.event(Received)).data for _ in range(20)] == [b"%d" % number for number in range(20)]

    async def test_a_peer_that_does_not_listen(self) -> None:
        """An ICMP error is no end: UDP promises nothing."""
        async with desk() as d:
            await d.done(OpenUdp(ONE, None, Endpoint("127.0.0.1", unused_port(socket.SOCK_DGRAM))))
            await d.done(Attach(ONE))
            for _ in range(5):
                d.engine.payload(ONE, b"anybody?")
                await settled()
            assert d.quiet()

    async def test_a_port_in_use_and_unknown(self, peers: tuple[socket.socket, socket.socket]) -> None:
        peer, _ = peers
        async with desk("nowhere.example:*=") as d:
            result = await d.ask(OpenUdp(ONE, place(peer).port))
            assert isinstance(result, Failed) and result.cause is Cause.OPEN_FAILED
            result = await d.ask(OpenUdp(ONE, None, Endpoint("nowhere.example", 9)))
            assert isinstance(result, Failed) and result.cause is Cause.NAME_NOT_RESOLVED

    async def test_closed(self) -> None:
        port = unused_port(socket.SOCK_DGRAM)
        async with desk() as d:
            await d.done(OpenUdp(ONE, port))
            await d.done(CloseSocket(ONE))
            await settled()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.bind(("127.0.0.1", port))
            d.engine.payload(ONE, b"late")


class TestNamesAndPing:
    async def test_names(self) -> None:
        async with desk("meter.example:80=127.0.0.9:1", "nowhere.example:*=") as d:
            assert await d.done(ResolveName("meter.example")) == "127.0.0.9"
            assert await d.done(ResolveName("10.1.2.3")) == "10.1.2.3"
            for name in ("nowhere.example", "nowhere.invalid", "a..b"):
                result = await d.ask(ResolveName(name))
                assert isinstance(result, Failed) and result.cause is Cause.NAME_NOT_RESOLVED

    async def test_each_reply_then_the_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replies are numbered from 0; the one that is lost on purpose is None; the name is that of the map."""
        asked: list[tuple[str, int, float, int, int, int]] = []

        async def reply(address: str, sequence: int, timeout_s: float, size_bytes: int, ttl: int, tos: int) -> float:
            asked.append((address, sequence, timeout_s, size_bytes, ttl, tos))
            return 0.0126

        monkeypatch.setattr("gateway.native.icmp.echo", reply)
        desk = Desk(("meter.example:80=127.0.0.9:1",), Trouble(ping_losses=frozenset({1})))
        await desk.done(GPRS)
        assert await desk.done(Ping("meter.example", 3, 1, 10, 100, 17, 8)) is None
        assert desk.progress == [PingEcho(0, 13), PingEcho(1, None), PingEcho(2, 13)]
        assert asked == [("127.0.0.9", 1, 0.01, 100, 17, 8), ("127.0.0.9", 3, 0.01, 100, 17, 8)]
        await desk.engine.close()

    async def test_loopback(self) -> None:
        """A reply where the system allows echo requests, and no reply where it does not: never a failure."""
        async with desk() as d:
            await d.done(Ping("127.0.0.1", 2, 1, 2000))
            assert [type(echo) for echo in d.progress] == [PingEcho, PingEcho]
            assert [echo.index for echo in d.progress if isinstance(echo, PingEcho)] == [0, 1]

    async def test_unknown(self) -> None:
        async with desk("nowhere.example:*=") as d:
            result = await d.ask(Ping("nowhere.example"))
            assert isinstance(result, Failed) and result.cause is Cause.NAME_NOT_RESOLVED
            assert d.progress == []

    async def test_withdrawn(self) -> None:
        async with desk(trouble=Trouble(ping_losses=frozenset({0}))) as d:
            await d.done(GPRS)
            ticket = d.submit(Ping("127.0.0.1", 1, 1, 60_000))
            await settled()
            d.engine.withdraw(ticket)
            await settled()
            assert ticket not in d.results and d.progress == []


class TestPassingThrough:
    """What is not of the IP dialect goes to the pretended radio."""

    async def test_without_a_radio(self) -> None:
        async with desk() as d:
            assert await d.ask(PassThrough("AT+CSQ")) == PassedThrough((), "ERROR")

    async def test_a_prompt(self) -> None:
        async with desk(radio=Radio({})) as d:
            ticket = d.submit(PassThrough('AT+CMGS="123"'))
            assert d.progress == [Prompted()]
            d.engine.text(ticket, b"some ", False)
            assert ticket not in d.results
            d.engine.text(ticket, b"text\x1a", True)
            assert d.results[ticket] == PassedThrough(("+CMGS: 1",), "OK")
            d.engine.text(ticket, b"late\x1a", True)

    async def test_a_text_without_end(self) -> None:
        """Every buffer has a limit, and its end is still found."""
        async with desk(radio=Radio({})) as d:
            ticket = d.submit(PassThrough('AT+CMGS="123"'))
            for _ in range(64):
                d.engine.text(ticket, bytes(4096), False)
            assert sum(len(text) for text in d.engine._texts.values()) <= 8192
            d.engine.text(ticket, b"\x1a", True)
            assert d.results[ticket] == PassedThrough(("+CMGS: 1",), "OK")

    async def test_a_prompt_that_is_withdrawn(self) -> None:
        async with desk(radio=Radio({})) as d:
            ticket = d.submit(PassThrough('AT+CMGS="123"'))
            d.engine.withdraw(ticket)
            d.engine.text(ticket, b"text\x1a", True)
            assert ticket not in d.results and not d.engine._texts

    @pytest.mark.parametrize(
        ("dialect", "command", "restarts"),
        [
            ("wipsoft-5.57", "AT+CFUN=1", 1),
            ("wipsoft-2.01", "at+cfun = 1,1", 1),
            ("wipsoft-5.57", "AT+CFUN=1,0", 0),
            ("wipsoft-5.57", "AT+CFUN=0", 0),
            ("wipsoft-5.57", "AT+CFUN?", 0),
            ("edsoft-3.02", "AT+CFUN=1", 1),
            ("edsoft-2.10", "AT+CFUN=1", 1),
            ("fibocom-l610", "AT+CFUN=1", 0),
            ("fibocom-l610", "AT+CFUN=1,0", 0),
            ("fibocom-l610", "AT+CFUN=0", 0),
            ("fibocom-l610", "AT+CFUN=1,1", 1),
            ("fibocom-l610", "AT+CSQ", 0),
        ],
    )
    async def test_a_reset(self, dialect: str, command: str, restarts: int) -> None:
        """The module restarts when it has answered (3GPP TS 27.007, 8.2; Wavecom's modules by ``+CFUN=1`` alone too)."""
        tables = registry.load(dialect).tables
        async with desk(radio=Radio(tables.virtual_answers, tables.restarts)) as d:
            await d.ask(PassThrough(command))
            assert d.restarts == 0
            await settled()
            assert d.restarts == restarts

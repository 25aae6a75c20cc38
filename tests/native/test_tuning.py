"""How the packets of this computer's sockets are made (RFC 791, RFC 1122 4.2.3.6)."""

from __future__ import annotations

import asyncio
import socket

from support.client import ONE, TWO
from support.rig import Server, echo

from gateway.model.events import Event, Incoming
from gateway.model.requests import AcceptTcp, ConnectTcp, ListenTcp, OpenUdp, StartBearer
from gateway.model.results import Done, Progress, Result
from gateway.model.tuning import Tune, Tuned, Tuning
from gateway.model.values import BearerKind, Endpoint, Ticket
from gateway.native.engine import NativeEngine

KEEP_ALIVE = ((Tuning.KEEP_ALIVE_IDLE, 60), (Tuning.KEEP_ALIVE_INTERVAL, 10), (Tuning.KEEP_ALIVE_COUNT, 3))


class Host:
    """Asks an engine, and has a look at its sockets."""

    def __init__(self) -> None:
        self.results: asyncio.Queue[Result | Progress] = asyncio.Queue()
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.engine = NativeEngine(
            lambda _, result: self.results.put_nowait(result),
            self.events.put_nowait,
            lambda: None,
            lambda: None,
            address="127.0.0.1",
        )

    async def ask(self, request: object) -> Result | Progress:
        self.engine.submit(Ticket(1), request)  # type: ignore[arg-type]
        return await self.results.get()

    def option(self, level: int, option: int, number: int = 1) -> int:
        sockets = self.engine._sockets
        open_one = sockets.streams.get(number) or sockets.datagrams[number]  # type: ignore[call-overload]
        return open_one.transport.get_extra_info("socket").getsockopt(level, option)  # type: ignore[no-any-return]


async def started() -> Host:
    """One whose bearer is up."""
    made = Host()
    await made.ask(StartBearer(BearerKind.GPRS))
    return made


async def test_before_and_after_the_opening() -> None:
    host = await started()
    server = Server(echo)
    try:
        assert await host.ask(Tune(ONE, ((Tuning.TTL, 20), *KEEP_ALIVE))) == Done(Tuned())
        assert isinstance(await host.ask(ConnectTcp(ONE, Endpoint("127.0.0.1", server.port))), Done)
        assert host.option(socket.IPPROTO_IP, socket.IP_TTL) == 20
        assert host.option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert host.option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        assert host.option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 10
        assert host.option(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
        assert await host.ask(Tune(ONE, ((Tuning.TOS, 16), (Tuning.NO_DELAY, 0)))) == Done(Tuned())
        assert host.option(socket.IPPROTO_IP, socket.IP_TOS) == 16
        assert host.option(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
    finally:
        await host.engine.close()
        server.close()


async def test_datagrams() -> None:
    host = await started()
    await host.ask(OpenUdp(ONE, peer=Endpoint("127.0.0.1", 9)))
    assert await host.ask(Tune(ONE, ((Tuning.TTL, 3),))) == Done(Tuned())
    assert host.option(socket.IPPROTO_IP, socket.IP_TTL) == 3
    await host.engine.close()


async def test_those_who_call_a_listener() -> None:
    host = await started()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    await host.ask(Tune(ONE, ((Tuning.TOS, 8),)))
    await host.ask(ListenTcp(ONE, port))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    call = await host.events.get()
    assert isinstance(call, Incoming)
    await host.ask(AcceptTcp(ONE, call.connection, TWO))
    assert host.option(socket.IPPROTO_IP, socket.IP_TOS, TWO) == 8
    writer.close()
    await writer.wait_closed()
    await host.engine.close()


async def test_what_the_system_cannot() -> None:
    """It is told, also ahead of any socket; a value that the system does not take ends nothing."""
    host = await started()
    values = ((Tuning.RETRANSMISSIONS, 3), (Tuning.TTL, 20), (Tuning.SEND_LOW_WATER, 1))
    without = Done(Tuned((Tuning.RETRANSMISSIONS, Tuning.SEND_LOW_WATER)))
    assert await host.ask(Tune(socket=0, values=values)) == without  # type: ignore[arg-type]
    await host.ask(OpenUdp(ONE, peer=Endpoint("127.0.0.1", 9)))
    await host.ask(Tune(ONE, ((Tuning.TTL, 0),)))
    assert host.option(socket.IPPROTO_IP, socket.IP_TTL) > 0
    await host.engine.close()

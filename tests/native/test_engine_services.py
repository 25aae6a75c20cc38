"""Services and TLS of the engine that works with this computer's network (SEMANTICS 7.1, 7.6)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support import certificate
from support.client import EVERY, ONE, TWO, Client
from support.files import Files

from gateway.model.causes import Cause
from gateway.model.events import BearerLost, PeerClosed, Received, SocketLost
from gateway.model.requests import Attach, CloseSocket, ConnectTcp, ShutdownTcp, StartBearer, StopBearer
from gateway.model.results import Done, Failed
from gateway.model.services import GetFile, OpenFtp, PutFile
from gateway.model.values import BearerKind, Endpoint, Secret, SocketInfo
from gateway.native import tls
from gateway.native.engine import NativeEngine
from gateway.native.names import NameMap

GPRS = StartBearer(BearerKind.GPRS, "internet")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    made = Files(tmp_path)
    yield made
    made.close()


@asynccontextmanager
async def module(*maps: str, trust: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """A client of the whole engine."""
    made = Client("computer")
    engine = NativeEngine(
        made._answered,
        made._happened,
        made._congested,
        lambda: None,
        names=NameMap.parse(list(maps)),
        address="127.0.0.1",
        trust=trust,
    )
    made.engine = engine
    try:
        yield made
    finally:
        await engine.close()


def opening(**options: bool) -> OpenFtp:
    return OpenFtp(ONE, Endpoint("ftp.example.com", 21), "meter", Secret("secret"), **options)


@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
async def test_files_of_a_server_under_a_mapped_name(files: Files, passive: bool) -> None:
    async with module(f"ftp.example.com:21=127.0.0.1:{files.place.port}") as host:
        await host.done(GPRS)
        await host.done(opening(passive=passive))
        assert await host.ask(Attach(ONE)) == Done()
        ticket = host.submit(PutFile(ONE, "x"))
        await host.begins(ticket)
        host.engine.payload(ONE, EVERY)
        assert await host.ask(ShutdownTcp(ONE)) == Done()
        assert await host.result(ticket) == Done()
        host.engine.hold(True)
        ticket = host.submit(GetFile(ONE, "x"))
        await host.begins(ticket)
        assert not host.data
        host.engine.hold(False)
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == EVERY
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert files.commands[-1] == "QUIT"


async def test_a_lost_bearer_ends_sessions(files: Files) -> None:
    async with module(f"ftp.example.com:21=127.0.0.1:{files.place.port}") as host:
        await host.done(GPRS)
        await host.done(opening())
        ticket = host.submit(PutFile(ONE, "x"))
        await host.begins(ticket)
        assert isinstance(host.engine, NativeEngine)
        host.engine.lose_bearer()
        assert host.results[ticket] == Failed(Cause.BEARER_LOST)
        assert host.events == [BearerLost(), SocketLost(ONE, Cause.BEARER_LOST)]
        await host.done(GPRS)
        await host.done(opening())
        assert await host.ask(StopBearer()) == Done()
        assert (await host.fails(GetFile(ONE, "x"))).cause is Cause.BAD_STATE


async def test_a_withdrawn_request_has_no_result(files: Files) -> None:
    async with module(f"*:21=127.0.0.1:{files.place.port}") as host:
        await host.done(opening())
        ticket = host.submit(PutFile(ONE, "x"))
        host.engine.withdraw(ticket)
        assert await host.send(PutFile(ONE, "y"), b"1") == Done()
        assert ticket not in host.results


@asynccontextmanager
async def echo(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that gives back what it is sent, until that reads 'end'."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
            if data.endswith(b"end"):
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_socket_that_speaks_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    context, trust = certificate.make(tmp_path)
    data = EVERY * 4000 + b"end"
    async with echo(context) as port, module(f"example.com:443=127.0.0.1:{port}", trust=trust) as host:
        connected = await host.ask(ConnectTcp(TWO, Endpoint("example.com", 443), secure=True))
        assert isinstance(connected, Done)
        assert isinstance(connected.value, SocketInfo)
        await host.done(Attach(TWO))
        for at in range(0, len(data), 10000):
            await host.until(lambda: not host.engine.congested)
            host.engine.payload(TWO, data[at : at + 10000])
        await host.until(lambda: PeerClosed(TWO) in host.events)
        assert bytes(host.data) == data
        end = [event for event in host.events if not isinstance(event, Received)]
        assert PeerClosed(TWO) in end
    assert not caplog.records


@pytest.mark.parametrize("verify", [True, False])
async def test_a_server_must_prove_who_it_is_unless_told_otherwise(tmp_path: Path, verify: bool) -> None:
    context, _ = certificate.make(tmp_path)
    async with echo(context) as port, module(trust=tls.context(verify)) as host:
        result = await host.ask(ConnectTcp(TWO, Endpoint("127.0.0.1", port), secure=True))
        if verify:
            assert isinstance(result, Failed)
            assert result.cause is Cause.OPEN_FAILED
            assert "certificate" in result.original.lower()
        else:
            assert isinstance(result, Done)


async def test_another_name_than_the_certificates(tmp_path: Path) -> None:
    context, trust = certificate.make(tmp_path)
    async with echo(context) as port, module(f"evil.example:443=127.0.0.1:{port}", trust=trust) as host:
        result = await host.ask(ConnectTcp(TWO, Endpoint("evil.example", 443), secure=True))
        assert isinstance(result, Failed)
        assert result.cause is Cause.OPEN_FAILED

"""Servers that go: after any byte that they have said or heard, by an end, a reset or a bearer's loss; hosts that give
up there; in every service, over this computer's sockets and through a tunnel.

Whatever happens, each request has one result, soon and for a reason that is true; nothing is left behind, nothing is
logged as our own fault, and the next request works. ``AT_GATEWAY_LONG=1`` tries every byte, and not some of them.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support import certificate
from support.client import EVERY, LOOPS, ONE, WAYS, Client, client
from support.files import Files
from support.going import Between, How, Side, between
from support.nameserver import LARGE, NameServer
from support.pipe import PipeDialer
from support.post import post
from support.postbox import PASSWORD, USER, Postbox
from support.securebox import secure_box
from support.web import Web, proxy, web_server

from gateway.model.causes import Cause
from gateway.model.events import SocketLost
from gateway.model.requests import CloseSocket, Request, ResolveName
from gateway.model.results import Done, Failed, Result
from gateway.model.services import (
    DeleteFile,
    FetchMail,
    GetFile,
    ListMail,
    Method,
    MmsPart,
    OpenFtp,
    OpenHttp,
    OpenMms,
    OpenPop3,
    OpenSmtp,
    PutFile,
    SendMail,
    SendMms,
    WebRequest,
)
from gateway.model.values import Endpoint, Secret
from gateway.native import dialer, dns, pop3, services, smtp
from gateway.native.network import NetworkFailure

LONG = os.environ.get("AT_GATEWAY_LONG") == "1"
PARTS = 16 if LONG else 1
"""Of a test that tries every byte: each has the time limit of a test."""
PLAYS = 3
"""So many places to go at are tried where not every one is."""
SOON_S = 6.0
"""A result that takes longer is none; far less than any limit of the product's own."""
SILENCE_LIMIT_S = 1.0
BODY = EVERY * 2
LETTER = b"Subject: reading\r\n\r\n" + b"0815.4 kWh\r\n" * 5
CONFIRMED = b"\x8c\x81\x98T1\0\x8d\x92\x92\x80\x8bid-7\0"
GONE: dict[How, Cause] = {"end": Cause.CLOSED_BY_PEER, "reset": Cause.RESET, "silence": Cause.BEARER_LOST}
"""How that is told. A silence is a bearer that is gone, of which a module tells."""


@dataclass
class Step:
    """What is asked."""

    request: Request
    data: bytes | None = None
    """What is sent then."""
    expected: bytes | None = None
    """What must have come when it is told to be done."""


@dataclass
class Day:
    """What a host asks, and of whom; the steps behind the first one are asked again once the server is back."""

    place: Endpoint
    steps: Callable[[Endpoint], list[Step]]
    besides: tuple[Cause, ...] = ()
    """What is told where that is not how a server went."""
    watched: bool = True
    """The session has a connection for as long as it lasts, and is told when that goes."""
    files: bool = False
    port: int = 0
    """Where the server must be found."""


Shop = Callable[["Shops"], Any]


@dataclass
class Shops:
    """Where servers come from."""

    stack: AsyncExitStack
    folder: Path
    box: Postbox
    certificates: tuple[ssl.SSLContext, ssl.SSLContext]
    patch: pytest.MonkeyPatch


def letters(place: Endpoint, **options: Any) -> list[Step]:
    opening = OpenSmtp(ONE, place, user="meter", password=Secret("s\xe4cret"), domain="here.example", **options)
    return [Step(opening), Step(SendMail(ONE, "meter@example.com", ("a@example.com",), subject="x"), BODY)]


async def mail_out(shops: Shops) -> Day:
    return Day((await shops.stack.enter_async_context(post())).place, letters)


async def mail_out_tls(shops: Shops) -> Day:
    office = await shops.stack.enter_async_context(post(shops.certificates[0]))
    shops.patch.setattr(smtp, "STARTTLS_PORTS", ())
    return Day(office.place, lambda place: letters(place, secure=True), (Cause.OPEN_FAILED,))


async def mail_out_starttls(shops: Shops) -> Day:
    office = await shops.stack.enter_async_context(post(tls_context=shops.certificates[0], require_starttls=True))
    shops.patch.setattr(smtp, "STARTTLS_PORTS", range(1, 65536))
    return Day(office.place, lambda place: letters(place, secure=True), (Cause.OPEN_FAILED,))


def box(place: Endpoint, **options: Any) -> list[Step]:
    opening = OpenPop3(ONE, place, USER, Secret(PASSWORD), **options)
    body = LETTER.partition(b"\r\n\r\n")[2]
    fetched = [Step(FetchMail(ONE, 1), expected=LETTER), Step(FetchMail(ONE, 1, header=False), expected=body)]
    return [Step(opening), Step(ListMail(ONE)), *fetched]


async def mail_in(shops: Shops) -> Day:
    return Day(Endpoint("127.0.0.1", shops.box.port), box)


async def mail_in_tls(shops: Shops) -> Day:
    place = await shops.stack.enter_async_context(secure_box(shops.certificates[0], first=True, mail=LETTER[:-2]))
    shops.patch.setattr(pop3, "CLEAR_PORT", 0)
    return Day(place, lambda place: box(place, secure=True), (Cause.OPEN_FAILED,))


async def mail_in_stls(shops: Shops) -> Day:
    place = await shops.stack.enter_async_context(secure_box(shops.certificates[0], first=False, mail=LETTER[:-2]))

    def steps(place: Endpoint) -> list[Step]:
        shops.patch.setattr(pop3, "CLEAR_PORT", place.port)
        return box(place, secure=True)

    return Day(place, steps, (Cause.OPEN_FAILED,))


def files(shops: Shops, *, passive: bool) -> Day:
    served = Files(shops.folder)
    shops.stack.callback(served.close)
    (served.folder / "there.bin").write_bytes(BODY)

    def steps(place: Endpoint) -> list[Step]:
        opening = OpenFtp(ONE, place, "meter", Secret("secret"), passive=passive)
        put, get = Step(PutFile(ONE, "up.bin"), BODY), Step(GetFile(ONE, "there.bin"), expected=BODY)
        return [Step(opening), put, get, Step(DeleteFile(ONE, "up.bin")), put]

    return Day(served.place, steps, files=True)


async def files_passive(shops: Shops) -> Day:
    return files(shops, passive=True)


async def files_active(shops: Shops) -> Day:
    return files(shops, passive=False)


async def page(server: Web, request: web.Request) -> web.StreamResponse:
    """Chunked where the address says so."""
    if "chunked" not in request.path:
        return web.Response(body=BODY)
    response = web.StreamResponse()
    await response.prepare(request)
    for at in range(0, len(BODY), 200):
        await response.write(BODY[at : at + 200])
    return response


def pages(url: Callable[[Endpoint], str], **options: Any) -> Callable[[Endpoint], list[Step]]:
    def steps(place: Endpoint) -> list[Step]:
        asked = [Step(OpenHttp(ONE, **options))]
        for path in ("/a", "/chunked", "/c"):
            # What is neither counted nor in chunks ends with the connection, however that ends.
            expected = BODY if path != "/chunked" or options.get("version") != "1.0" else None
            asked.append(Step(WebRequest(ONE, Method.GET, url(place) + path), expected=expected))
        for path, length in (("/counted", len(BODY)), ("/uncounted", None)):
            asked.append(Step(WebRequest(ONE, Method.POST, url(place) + path, length=length), BODY, BODY))
        return asked

    return steps


async def web_pages(shops: Shops) -> Day:
    server = await shops.stack.enter_async_context(web_server(page))
    return Day(server.place, pages(lambda place: f"http://127.0.0.1:{place.port}"), watched=False)


async def web_pages_of_old(shops: Shops) -> Day:
    server = await shops.stack.enter_async_context(web_server(page))
    steps = pages(lambda place: f"http://127.0.0.1:{place.port}", version="1.0")
    return Day(server.place, steps, watched=False)


async def web_pages_tls(shops: Shops) -> Day:
    server = await shops.stack.enter_async_context(web_server(page, shops.certificates[0]))
    steps = pages(lambda place: f"https://127.0.0.1:{place.port}")
    return Day(server.place, steps, (Cause.OPEN_FAILED,), watched=False)


async def web_pages_proxy_tls(shops: Shops) -> Day:
    server = await shops.stack.enter_async_context(web_server(page, shops.certificates[0]))
    through = await shops.stack.enter_async_context(proxy())

    def steps(place: Endpoint) -> list[Step]:
        return pages(lambda _: f"https://localhost:{server.place.port}", server=place)(place)

    return Day(through.place, steps, (Cause.OPEN_FAILED,), watched=False)


async def multimedia(shops: Shops) -> Day:
    async def centre(server: Web, request: web.Request) -> web.Response:
        return web.Response(body=CONFIRMED, content_type="application/vnd.wap.mms-message")

    server = await shops.stack.enter_async_context(web_server(centre))

    def steps(place: Endpoint) -> list[Step]:
        parts = (MmsPart("image/jpeg", "p", BODY),)
        messages = [SendMms(ONE, ("+41",), parts=parts, chunked=chunked) for chunked in (True, False)]
        return [Step(OpenMms(ONE, f"http://127.0.0.1:{place.port}/")), *map(Step, messages)]

    return Day(server.place, steps, watched=False)


class _TooLong(asyncio.DatagramProtocol):
    """Says by datagram that the answer is too long for one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(data[:2] + b"\x87\x00" + bytes(8), addr)


async def names_by_connection(shops: Shops) -> Day:
    server = NameServer()
    shops.stack.callback(server.close)
    loop = asyncio.get_running_loop()
    while True:
        datagrams, _ = await loop.create_datagram_endpoint(_TooLong, local_addr=("127.0.0.1", 0))
        shops.stack.callback(datagrams.close)
        port = datagrams.get_extra_info("sockname")[1]
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            break  # also by connection it is nobody's
    shops.patch.setattr(dns, "PORT", port)
    shops.patch.setattr(dns, "TRIES", 1)
    question = ResolveName(LARGE, ("127.0.0.1",))
    return Day(
        Endpoint("127.0.0.1", server.port),
        lambda place: [Step(question), Step(question)],
        (Cause.NAME_NOT_RESOLVED,),
        watched=False,
        port=port,
    )


SHOPS: list[Shop] = [
    mail_out,
    mail_out_tls,
    mail_out_starttls,
    mail_in,
    mail_in_tls,
    mail_in_stls,
    files_passive,
    files_active,
    web_pages,
    web_pages_of_old,
    web_pages_tls,
    web_pages_proxy_tls,
    multimedia,
    names_by_connection,
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def full_box() -> Iterator[Postbox]:
    made = Postbox("twisted")
    made.put(LETTER)
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def only_ours() -> Iterator[None]:
    """What was there before is not looked through each time for what is left behind."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def faults(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged that is our own fault, or was left to the event loop."""

    def found() -> list[str]:
        gc.collect()  # a task or a future tells with its end that nobody has asked how it ended
        return [
            f"{record.name}: {record.getMessage()}"
            for record in caplog.records
            if record.name.startswith(("gateway", "asyncio")) and (record.exc_info or record.levelno >= logging.ERROR)
        ]

    return found


def ours() -> set[asyncio.Task[Any]]:
    """The product's tasks."""
    return {
        task
        for task in asyncio.all_tasks()
        if "/gateway/" in getattr(getattr(task.get_coro(), "cr_code", None), "co_filename", "")
    }


@asynccontextmanager
async def asking(way: str, trust: ssl.SSLContext, middle: Between, limit_s: float = 60.0) -> AsyncIterator[Client]:
    """A client of which nothing is left."""
    async with client(way, trust=trust, limit_s=limit_s) as host:
        yield host
    try:
        async with asyncio.timeout(SOON_S):
            while left := ours():
                await asyncio.wait(left)
            await middle.until_left()
    except TimeoutError as error:
        raise AssertionError(f"left behind: {ours()}, {middle.alive}") from error


async def ask(host: Client, step: Step) -> Result:
    """Ask; the result, which must have been soon, and true."""
    host.data.clear()
    async with asyncio.timeout(SOON_S):
        if step.data is None:
            result = await host.ask(step.request)
        else:
            result = await host.send(step.request, step.data, piece=100)  # type: ignore[arg-type]
    if isinstance(result, Done) and step.expected is not None:
        assert bytes(host.data) == step.expected, step.request
    return result


def lost(host: Client) -> list[SocketLost]:
    """What was told of sessions that have ended by themselves."""
    return [event for event in host.events if isinstance(event, SocketLost)]


async def one_day(day: Day, host: Client, middle: Between, how: How = "end") -> list[Failed]:
    """Ask everything, with the server's going where it goes, and everything again once it is back; what failed."""
    steps = day.steps(middle.place)
    true = {GONE[how], *day.besides}
    failed: list[Failed] = []
    for step in steps:
        result = await ask(host, step)
        if isinstance(result, Failed):
            told = result.cause is Cause.BAD_STATE and (failed or lost(host))
            assert told or result.cause in true, (step.request, result)
            failed.append(result)
    if not middle.cuts:
        return failed
    if day.watched:
        async with asyncio.timeout(SOON_S):
            await host.until(lambda: bool(failed or lost(host) or middle.returned))
    assert {event.cause for event in lost(host)} <= true
    if host.engine.knows(ONE):  # type: ignore[union-attr]
        steps = steps[1:]
    for step in steps:
        result = await ask(host, step)
        assert isinstance(result, Done), (step.request, result)
    assert await ask(host, Step(CloseSocket(ONE))) == Done()
    return failed


def lose(host: Client) -> None:
    """A module's bearer is gone, and its sockets with it."""
    assert isinstance(host.dialer, PipeDialer)
    for side in host.dialer.far:
        side.tunnel.lost(NetworkFailure(Cause.BEARER_LOST))


def places(size: int, part: int) -> list[int]:
    """Behind how many bytes the server goes: also before the first and behind the last one."""
    if LONG:
        return list(range(part, size + 1, PARTS))
    return sorted({size * number // (PLAYS - 1) for number in range(PLAYS)} | {max(size - 1, 0)})


@asynccontextmanager
async def prepared(shop: Shop, shops: Shops) -> AsyncIterator[tuple[Day, Between]]:
    async with shops.stack:
        day = await shop(shops)
        async with between(day.place, files=day.files, port=day.port) as middle:
            yield day, middle


WAYS_OF = [
    pytest.param(shop, way, id=f"{shop.__name__}-{way}")
    for shop in SHOPS
    for way in WAYS
    if (shop, way) != (files_active, "tunnel")  # nobody can call there
]


GOING = [
    pytest.param(*one.values, how, id=f"{one.id}-{how}")
    for one in WAYS_OF
    for how in ("end", "reset", "silence")
    if (how, one.values[1]) != ("silence", "computer")  # nobody would tell
]
LOOP = pytest.mark.parametrize("loop_factory", LOOPS if LONG else LOOPS[-1:])
PARTLY = pytest.mark.parametrize("part", range(PARTS))
SIDES = pytest.mark.parametrize("side", ["said", "heard"])


@LOOP
@PARTLY
@SIDES
@pytest.mark.parametrize(("shop", "way", "how"), GOING)
async def test_a_server_that_goes(
    shop: Shop,
    way: str,
    side: Side,
    how: How,
    part: int,
    loop_factory: object,
    tmp_path: Path,
    full_box: Postbox,
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    faults: Callable[[], list[str]],
) -> None:
    shops = Shops(AsyncExitStack(), tmp_path, full_box, certificates, monkeypatch)
    async with prepared(shop, shops) as (day, middle):
        async with asking(way, certificates[1], middle) as host:
            assert not await one_day(day, host, middle), "a server that stays"
        for place in places(getattr(middle, f"{side}_bytes"), part):
            middle.cut_after(side, place, how)
            try:
                async with asking(way, certificates[1], middle) as host:
                    middle.happened = functools.partial(lose, host) if how == "silence" else (lambda: None)
                    await one_day(day, host, middle, how)
            except BaseException as error:
                error.add_note(f"after {place} bytes {side}")
                raise
    assert not faults()


@LOOP
@PARTLY
@pytest.mark.parametrize("how", ["closes", "withdraws", "shuts"])
@SIDES
@pytest.mark.parametrize(("shop", "way"), WAYS_OF)
async def test_a_host_that_gives_up(
    shop: Shop,
    way: str,
    side: Side,
    how: str,
    part: int,
    loop_factory: object,
    tmp_path: Path,
    full_box: Postbox,
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    faults: Callable[[], list[str]],
) -> None:
    """The server says nothing more. What wants or brings data is given up; the rest may end by itself in time."""
    monkeypatch.setattr(services, "GOODBYE_LIMIT_S", 0.1)
    monkeypatch.setattr(dialer, "TLS_END_LIMIT_S", 0.1)
    shops = Shops(AsyncExitStack(), tmp_path, full_box, certificates, monkeypatch)
    async with prepared(shop, shops) as (day, middle):
        async with asking(way, certificates[1], middle) as host:
            assert not await one_day(day, host, middle), "a server that stays"
        for place in places(getattr(middle, f"{side}_bytes"), part):
            middle.cut_after(side, place, "silence")
            try:
                async with asking(way, certificates[1], middle, SILENCE_LIMIT_S) as host:
                    await one_that_gives_up(day, host, middle, how)
            except BaseException as error:
                error.add_note(f"after {place} bytes {side}")
                raise
    assert not faults()


async def one_that_gives_up(day: Day, host: Client, middle: Between, how: str) -> None:
    """Ask until nothing comes any more; then give up, and ask everything again."""
    silent = asyncio.Event()
    middle.happened = silent.set
    asking = asyncio.ensure_future(one_day(day, host, middle))
    heard = asyncio.ensure_future(silent.wait())
    await asyncio.wait([asking, heard], return_when=asyncio.FIRST_COMPLETED)
    for task in (asking, heard):
        task.cancel()
    await asyncio.wait([asking, heard])
    if how == "shuts" or not silent.is_set():
        return
    unanswered = set(host.asked) - set(host.results)
    if how == "withdraws" or day.port:
        for ticket in unanswered:
            host.engine.withdraw(ticket)
        await asyncio.sleep(0)
        assert not unanswered & set(host.results), "nobody wants to know"
        unanswered = set()
    if not day.port:
        assert await ask(host, Step(CloseSocket(ONE))) == Done()
    assert {host.results[ticket] for ticket in unanswered} <= {
        Failed(Cause.ABORTED),
        Failed(Cause.TIMED_OUT, "timed_out"),
    }
    for step in day.steps(middle.place):
        assert isinstance(await ask(host, step), Done)

"""Mail, web pages and messages of a WIPSoft host (guide 4111846, 6.1): a virtual module alone, and over others.

Over 5.57 and 2.01 they go over the module's sockets.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web
from support.office import PASSWORD, USER, PostOffice
from support.postbox import KINDS, Postbox
from support.rig import Rig, Terminal
from support.web import Web, web_server

DATA = random.Random(5).randbytes(30_000) + bytes(range(256)) + b"\x03\x10\x10\x03"
CONNECT = b"\r\nCONNECT\r\n"
OK = b"\r\nOK\r\n"
UP = ("ATE0", "AT+CMEE=1", "AT+WIPCFG=1", "AT+WIPBR=1,6", 'AT+WIPBR=2,6,11,"internet"', "AT+WIPBR=4,6,0")
CONFIRMED = b"\x8c\x81\x98T1\0\x8d\x92\x92\x80\x8bid-7\0"


def escaped(data: bytes) -> bytes:
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


def taken(host: Terminal, limit_s: float = 30) -> bytes:
    """A file up to its ETX."""
    got = bytearray()
    while True:
        part = host.until(b"\x03", b"\x10", limit_s=limit_s)
        got += part[:-1]
        if part[-1] == 3:
            return bytes(got)
        got += host.take(1)


@pytest.fixture(scope="module", params=["alone", "wipsoft-5.57", "wipsoft-2.01", "native"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def line(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A host whose bearer is up."""
    with Rig(tmp_path_factory.mktemp("rig")) as rig:
        if kind == "alone":
            rig.module(link=f"pty:{rig.path('host')}")
        elif kind == "native":
            rig.native(host_dialect="wipsoft-5.57")
        else:
            rig.module(dialect=kind)
            rig.bridge(host_dialect="wipsoft-5.57", module_dialect=kind)
        host = rig.terminal("host")
        for command in UP:
            assert host.answer(command).endswith("OK"), command
        yield host


@pytest.fixture
def host(line: Terminal) -> Iterator[Terminal]:
    """Without a session, before and after."""
    yield line
    for protocol in (4, 5, 6, 7, 8):
        answer = line.answer(f"AT+WIPCLOSE={protocol},1")
        if answer == "OK" and protocol == 4:
            line.until(b"+WIPPEERCLOSE: 4,1\r\n")
    assert line.answer("AT+CSQ").endswith("OK")


@pytest.fixture
def post() -> Iterator[PostOffice]:
    office = PostOffice()
    yield office
    office.close()


class Pages:
    """A web server in a thread of its own."""

    def __init__(self) -> None:
        self.web = Web()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(15)

    async def _serve(self) -> None:
        async with web_server(self._answer) as made:
            self.web = made
            self._ready.set()
            await self._end.wait()

    async def _answer(self, made: Web, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/gone":
                return web.Response(status=404, text="no such page")
            case "/moved":
                return web.Response(status=302, headers={"Location": made.url("/page")})
            case "/mms":
                return web.Response(body=CONFIRMED, content_type="application/vnd.wap.mms-message")
            case _:
                return web.Response(body=DATA)

    def close(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._loop.close()


@pytest.fixture
def pages() -> Iterator[Pages]:
    made = Pages()
    yield made
    made.close()


def open_session(host: Terminal, protocol: int, arguments: str) -> None:
    host.say(f"AT+WIPCREATE={protocol},1{arguments}\r".encode())
    ready = f"+WIPREADY: {protocol},1\r\n".encode()
    assert host.until(ready, b"ERROR", limit_s=30) == OK + b"\r\n" + ready


class TestMailOut:
    def test_a_mail(self, host: Terminal, post: PostOffice) -> None:
        open_session(host, 6, f',"127.0.0.1",{post.port},"{USER}","{PASSWORD}"')
        for option, value in (
            (61, "meter@here.example"), (62, "Meter 7"), (63, "a@there.example, b@there.example"),
            (64, "c@there.example"), (65, "d@there.example"), (66, "Reading"),
        ):  # fmt: skip
            assert host.answer(f'AT+WIPOPT=6,1,2,{option},"{value}"') == "OK"
        assert host.answer("AT+WIPFILE=6,1,2") == "CONNECT"
        host.say(b"0815.4 kWh\r\n.\r\nend\r\n\x03")
        assert host.until(OK) == OK
        (letter,) = post.letters
        assert letter.mail_from == "meter@here.example"
        assert letter.rcpt_tos == [f"{name}@there.example" for name in "abcd"]
        text = bytes(letter.content or b"")
        assert b"Subject: Reading\r\n" in text
        assert b"d@there.example" not in text
        assert text.endswith(b"\r\n\r\n0815.4 kWh\r\n.\r\nend\r\n")

    def test_a_header_of_the_hosts(self, host: Terminal, post: PostOffice) -> None:
        open_session(host, 6, f',"127.0.0.1",{post.port}')
        host.ask('AT+WIPOPT=6,1,2,61,"m@here.example";+WIPOPT=6,1,2,63,"a@there.example";+WIPOPT=6,1,2,67,0')
        assert host.answer("AT+WIPFILE=6,1,6") == "+WIPDATARW: 1,1 | OK"
        mail = b"Subject: mine\r\n\r\nHi\r\n"
        size = len(mail)
        assert host.answer(f'AT+WIPDATARW=1,1,"{mail.hex()}"').startswith(f"+WIPDATARW: 3,1,{size} | +WIPDATARW: 0,1")
        assert bytes(post.letters[0].content or b"") == mail

    def test_refusals(self, host: Terminal, post: PostOffice) -> None:
        post.unknown.update({"a@there.example", "c@there.example"})
        open_session(host, 6, f',"127.0.0.1",{post.port}')
        host.ask('AT+WIPOPT=6,1,2,61,"m@here.example";+WIPOPT=6,1,2,63,"a@there.example"')
        assert host.answer("AT+WIPFILE=6,1,2") == "+CME ERROR: 881"
        assert host.answer("AT+WIPOPT=6,1,1,60") == '+WIPOPT: 6,60,550,"No a@there.example" | OK'
        host.ask('AT+WIPOPT=6,1,2,63,"b@there.example";+WIPOPT=6,1,2,64,"c@there.example"')
        assert host.answer("AT+WIPFILE=6,1,2") == "+CME ERROR: 882"
        assert host.answer("AT+WIPCLOSE=6,1") == "OK"
        host.ask(f'AT+WIPCREATE=6,1,"127.0.0.1",{post.port},"{USER}","wrong"')
        assert host.until(b"ERROR: 862\r\n", limit_s=20)


@pytest.mark.parametrize("server", KINDS)
def test_mail_in(host: Terminal, server: str) -> None:
    box = Postbox(server)
    try:
        box.put(b"Subject: one\r\n\r\nfirst\r\n.\x10\x03\r\n", b"Subject: two\r\n\r\nsecond\r\n")
        open_session(host, 7, f',"127.0.0.1",{box.port},"{USER}","{PASSWORD}"')
        assert host.answer("AT+WIPOPT=7,1,1,71") == "+WIPOPT: 7,71,2 | OK"
        sizes = [line.split(",")[-1].rstrip('"') for line in host.answer("AT+WIPOPT=7,1,1,73").split(" | ")[:-1]]
        assert host.answer("AT+WIPOPT=7,1,1,72") == f"+WIPOPT: 7,72,{sum(map(int, sizes))} | OK"
        host.ask('AT+WIPFILE=7,1,1,"1"', CONNECT)
        assert taken(host).endswith(b"Subject: one\r\n\r\nfirst\r\n.\x10\x03\r\n")
        assert host.until(OK) == OK
        assert host.answer('AT+WIPFILE=7,1,1,"9"') == "+CME ERROR: 867"
        host.ask('AT+WIPFILE=7,1,3,"1"', CONNECT)
        assert b"first" in taken(host)
        assert host.until(OK) == OK
        assert "+WIPDATARW: 2,1,1,1," in host.answer('AT+WIPFILE=7,1,8,"2"')
        assert host.answer("AT+WIPCLOSE=7,1") == "OK"
        open_session(host, 7, f',"127.0.0.1",{box.port},"{USER}","{PASSWORD}"')
        assert host.answer("AT+WIPOPT=7,1,1,71") == "+WIPOPT: 7,71,0 | OK"
    finally:
        box.close()


class TestWeb:
    def test_a_page(self, host: Terminal, pages: Pages) -> None:
        open_session(host, 5, "")
        host.ask(f'AT+WIPFILE=5,1,1,"{pages.web.url("/page")}","anna","pw","X-Own","a b"', CONNECT)
        assert taken(host) == DATA
        assert host.until(b'"\r\n') == b'\r\nOK\r\n\r\n+WIPFILE: 5,1,1,200,"OK"\r\n'
        assert pages.web.requests[0].headers["X-Own"] == "a b"
        assert pages.web.requests[0].headers["Authorization"].startswith("Basic ")

    def test_what_is_not_there_or_elsewhere(self, host: Terminal, pages: Pages) -> None:
        open_session(host, 5, "")
        host.ask(f'AT+WIPFILE=5,1,1,"{pages.web.url("/gone")}"', CONNECT)
        assert taken(host) == b"no such page"
        assert host.until(b'"\r\n') == b'\r\nOK\r\n\r\n+WIPFILE: 5,1,1,404,"Not Found"\r\n'
        host.ask(f'AT+WIPFILE=5,1,1,"{pages.web.url("/moved")}"', CONNECT)
        assert taken(host) == DATA
        assert host.until(b'"\r\n').endswith(b'200,"OK"\r\n')
        assert host.answer("AT+WIPOPT=5,1,2,53,0") == "OK"
        host.ask(f'AT+WIPFILE=5,1,1,"{pages.web.url("/moved")}"', CONNECT)
        assert host.until(b'"\r\n').endswith(b'302,"Found"\r\n')

    @pytest.mark.parametrize(("mode", "method"), [(2, "PUT"), (4, "POST")])
    def test_a_body(self, host: Terminal, pages: Pages, mode: int, method: str) -> None:
        open_session(host, 5, "")
        assert host.answer(f'AT+WIPFILE=5,1,{mode},"{pages.web.url("/form")}"') == "CONNECT"
        host.say(escaped(DATA) + b"\x03")
        assert host.until(b'"\r\n') == f'\r\nOK\r\n\r\n+WIPFILE: 5,1,{mode},200,"OK"\r\n'.encode()
        assert pages.web.requests[0].method == method
        assert pages.web.bodies == [DATA]

    def test_delete_and_digits(self, host: Terminal, pages: Pages) -> None:
        open_session(host, 5, "")
        host.ask(f'AT+WIPFILE=5,1,3,"{pages.web.url("/gone")}"', CONNECT)
        assert taken(host) == b"no such page"
        assert host.until(b'"\r\n').endswith(b'+WIPFILE: 5,1,3,404,"Not Found"\r\n')
        assert pages.web.requests[0].method == "DELETE"
        answer = host.answer(f'AT+WIPFILE=5,1,7,"{pages.web.url("/gone")}"')
        assert answer == f'+WIPDATARW: 2,1,1,1,"{b"no such page".hex().upper()}" | +WIPDATARW: 0,1 | OK'
        assert host.until(b'"\r\n') == b'\r\n+WIPFILE: 5,1,7,404,"Not Found"\r\n'

    def test_nobody_there(self, host: Terminal, pages: Pages) -> None:
        open_session(host, 5, "")
        pages.close()
        assert host.answer(f'AT+WIPFILE=5,1,1,"{pages.web.url("/page")}"') == "+CME ERROR: 842"


def test_a_multimedia_message(host: Terminal, pages: Pages) -> None:
    place = pages.web.place
    open_session(host, 8, f',"{place.host}",{place.port},"{pages.web.url("/mms")}"')
    for command in (
        'AT+WIPOPT=8,1,2,83,"+33623456789"', 'AT+WIPOPT=8,1,2,82,"a@there.example"', 'AT+WIPOPT=8,1,2,87,"Hi"',
        'AT+WIPOPT=8,1,2,92,1,"application/smil","<001>"', 'AT+WIPOPT=8,1,2,93,9,100,"1.smil","<001>"',
        f'AT+WIPOPT=8,1,2,93,4,{len(DATA)},"4.jpeg","<004>"',
    ):  # fmt: skip
        assert host.answer(command) == "OK", command
    for name, data in (("1.smil", b"<smil/>"), ("4.jpeg", DATA)):
        assert host.answer(f'AT+WIPFILE=8,1,2,"{name}"') == "CONNECT"
        host.say(escaped(data) + b"\x03")
        assert host.until(OK) == OK
    assert host.ask("AT+WIPOPT=8,1,2,96", b"+WIPPEERCLOSE: 8,1\r\n") == OK + b"\r\n+WIPPEERCLOSE: 8,1\r\n"
    (body,) = pages.web.bodies
    assert DATA in body
    assert b"<smil/>" in body
    assert b"+33623456789/TYPE=PLMN" in body

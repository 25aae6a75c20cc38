"""Web pages of a real server, over this computer's sockets and through a tunnel (SEMANTICS 7.5; RFC 9110, RFC 9112)."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support import certificate
from support.client import EVERY, LOOPS, ONE, WAYS, client
from support.rig import Server, resets, unused_port
from support.web import Web, proxy, web_server

from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket
from gateway.model.results import Done, Failed
from gateway.model.services import Begun, Method, OpenHttp, WebRequest
from gateway.model.values import Endpoint, Secret
from gateway.native import http, weburl
from gateway.native.service import Refused

MIB = 1 << 20


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def page(server: Web, request: web.Request) -> web.StreamResponse:
    """Answers by path."""
    match request.path:
        case "/big":
            return web.Response(body=EVERY * 4096, headers={"X-Kind": "big"})
        case "/chunked":
            response = web.StreamResponse()
            await response.prepare(request)
            for number in range(100):
                await response.write(b"%d," % number)
            return response
        case "/echo":
            return web.Response(body=server.bodies[-1], status=201, reason="Made")
        case "/none":
            return web.Response(status=404, text="not here")
        case "/away":
            return web.Response(status=302, headers={"Location": "/big"}, text="x" * 5000)
        case "/other":
            return web.Response(status=307, headers={"Location": request.query["to"]})
        case "/see":
            return web.Response(status=303, headers={"Location": "echo"})
        case "/round":
            return web.Response(status=301, headers={"Location": "/round"})
        case "/empty":
            return web.Response(status=204)
        case _:
            return web.Response(text=f"{request.method} {request.path_qs}")


def get(url: str, method: Method = Method.GET, **options: Any) -> WebRequest:
    return WebRequest(ONE, method, url, **options)


async def test_a_page_and_what_is_told_of_it(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, headers=(("User-Agent", "meter/1"), ("Accept", "*/*"))))
        ticket = host.submit(get(server.url("/big"), headers=(("accept", "text/html"),)))
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == EVERY * 4096
        (begun,) = host.begun[ticket]
        assert isinstance(begun, Begun)
        assert (begun.size_bytes, begun.status) == (1 * MIB, 200)
        assert "X-Kind: big" in begun.header.split("\r\n")
        (request,) = server.requests
        assert request.headers["User-Agent"] == "meter/1"
        assert request.headers.getall("Accept") == ["text/html"]
        assert request.headers["Host"] == f"127.0.0.1:{server.place.port}"
        assert await host.ask(CloseSocket(ONE)) == Done()


@pytest.mark.parametrize("method", list(Method))
async def test_every_method(way: str, method: Method) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place))
        if method in (Method.POST, Method.PUT):
            assert await host.send(get("/a?b=c d", method), b"") == Done()
        else:
            await host.done(get("/a?b=c d", method))
        expected = f"{method} /a?b=c%20d".encode() if method is not Method.HEAD else b""
        assert bytes(host.data).replace(b" d", b"%20d") == expected
        assert server.requests[0].method == method.value


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("length", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("method", [Method.POST, Method.PUT])
async def test_a_body_goes_up(way: str, version: str, length: bool, method: Method) -> None:
    data = EVERY * 2000
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, version=version))
        request = get(server.url("/echo"), method, length=len(data) if length else None)
        ticket = host.submit(request)
        assert await host.begins(ticket) == Begun()
        for at in range(0, len(data), 3000):
            await host.until(lambda: not host.engine.congested or version == "1.0")
            host.engine.payload(ONE, data[at : at + 3000])
        host.engine.shutdown(ONE)
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == data
        assert (await host.begins(ticket, 2)).status == 201
        asked = server.requests[0]
        assert asked.version == (1, int(version[-1]))
        assert ("Content-Length" in asked.headers) == (length or version == "1.0")


async def test_chunks_are_joined(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE))
        expected = b"".join(b"%d," % number for number in range(100))
        assert await host.fetch(get(server.url("/chunked"))) == expected
        await host.done(OpenHttp(HostTwo := type(ONE)(2), version="1.0"))
        host.data.clear()
        await host.done(WebRequest(HostTwo, Method.GET, server.url("/chunked")))
        assert bytes(host.data) == expected


async def test_what_is_no_success_is_told_by_its_status(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE))
        for path, status, body in (("/none", 404, b"not here"), ("/empty", 204, b"")):
            host.data.clear()
            ticket = host.submit(get(server.url(path)))
            assert await host.result(ticket) == Done()
            assert (await host.begins(ticket)).status == status
            assert bytes(host.data) == body


@pytest.mark.parametrize("loop_factory", LOOPS)
@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
async def test_one_connection_serves_many_requests_and_a_dead_one_is_replaced(
    way: str, reset: bool, loop_factory: object
) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place))
        for number in range(5):
            assert await host.fetch(get(f"/{number}")) == b"GET /%d" % number
        assert len(server.peers) == 1
        for request in server.requests:
            if request.transport is not None:
                if reset:
                    resets(request.transport.get_extra_info("socket"))
                request.transport.abort()
        assert await host.fetch(get("/again")) == b"GET /again"
        assert len(server.peers) == 2


async def test_redirections(way: str) -> None:
    async with web_server(page) as server, web_server(page) as other, client(way) as host:
        await host.done(OpenHttp(ONE, server.place, "meter", Secret("secret"), redirects=3))
        assert await host.fetch(get("/away")) == EVERY * 4096
        assert await host.fetch(get(f"/other?to={other.url('/x')}", headers=(("Cookie", "a=b"),))) == b"GET /x"
        assert "Authorization" in server.requests[-1].headers and "Cookie" in server.requests[-1].headers
        assert not {"Authorization", "Cookie"} & set(other.requests[-1].headers)
        host.data.clear()
        assert await host.send(get("/see", Method.POST), b"body") == Done()
        assert (server.requests[-1].method, server.requests[-1].path) == ("GET", "/echo")
        before = len(server.requests)
        ticket = host.submit(get("/round"))
        assert await host.result(ticket) == Done()
        assert (await host.begins(ticket)).status == 301
        assert len(server.requests) == before + 4


async def test_a_body_that_is_gone_is_not_sent_on(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place))
        ticket = host.submit(get(f"/other?to={server.url('/x')}", Method.PUT))
        await host.begins(ticket)
        host.engine.payload(ONE, b"body")
        host.engine.shutdown(ONE)
        assert await host.result(ticket) == Done()
        assert (await host.begins(ticket, 2)).status == 307
        assert len(server.requests) == 1


async def test_no_redirection_where_none_is_wanted(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place, redirects=0))
        ticket = host.submit(get("/away"))
        assert await host.result(ticket) == Done()
        assert (await host.begins(ticket)).status == 302


async def test_who_asks(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place, "session", Secret("\xe4")))
        await host.done(get("/"))
        await host.done(get("/", user="request", password=Secret("p")))
        await host.done(get(f"http://in:url@127.0.0.1:{server.place.port}/"))
        told = [request.headers["Authorization"] for request in server.requests]
        assert told == ["Basic c2Vzc2lvbjrk", "Basic cmVxdWVzdDpw", "Basic aW46dXJs"]


async def test_tls(way: str, tmp_path: Path) -> None:
    context, trust = certificate.make(tmp_path)
    async with web_server(page, context) as server, client(way, trust=trust) as host:
        await host.done(OpenHttp(ONE))
        assert await host.fetch(get(server.url("/big"))) == EVERY * 4096
        assert await host.send(get(server.url("/echo"), Method.POST), EVERY * 1000) == Done()
        assert server.bodies[-1] == EVERY * 1000
    async with web_server(page, context) as server, client(way) as host:
        await host.done(OpenHttp(ONE))
        failed = await host.fails(get(server.url("/big")))
        assert failed.cause is Cause.OPEN_FAILED
        assert "certificate" in failed.original.lower()


async def test_through_a_proxy(way: str, tmp_path: Path) -> None:
    context, trust = certificate.make(tmp_path)
    async with (
        web_server(page) as plain,
        web_server(page, context) as secure,
        proxy() as between,
        client(way, trust=trust) as host,
    ):
        name = f"http://localhost:{plain.place.port}/a?b"
        between.user = b"proxy:user"
        await host.done(OpenHttp(ONE, between.place, "proxy", Secret("user")))
        assert await host.fetch(get(name)) == b"GET /a?b"
        assert between.lines == [f"GET {name} HTTP/1.1".encode()]
        assert await host.fetch(get(f"https://localhost:{secure.place.port}/big")) == EVERY * 4096
        assert between.lines[1:] == [f"CONNECT localhost:{secure.place.port} HTTP/1.1".encode()]
        assert not any("Proxy-Authorization" in request.headers for request in secure.requests)
        between.user = b"somebody:else"
        await host.done(CloseSocket(ONE))
        await host.done(OpenHttp(ONE, between.place, "proxy", Secret("user")))
        failed = await host.fails(get(f"https://localhost:{secure.place.port}/big"))
        assert failed.cause is Cause.SERVER_PASSWORD


async def test_an_answer_before_the_body_has_ended(way: str) -> None:
    def serve(link: socket.socket) -> None:
        link.recv(10)
        link.sendall(b"HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno")
        while link.recv(65536):
            pass

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenHttp(ONE, Endpoint("127.0.0.1", server.port)))
        ticket = host.submit(get("/", Method.PUT))
        await host.begins(ticket)
        host.engine.payload(ONE, b"some")
        assert await host.result(ticket) == Done()
        assert (await host.begins(ticket, 2)).status == 413
        assert bytes(host.data) == b"no"
    server.close()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", Cause.CLOSED_BY_PEER),
        (b"SSH-2.0-x\r\n\r\n", Cause.SERVER_NOT_READY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Cause.CLOSED_BY_PEER),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Cause.SERVER_NOT_READY),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200000, Cause.SERVER_NOT_READY),
    ],
)
async def test_a_server_that_makes_no_sense(way: str, answer: bytes, cause: Cause) -> None:
    def serve(link: socket.socket) -> None:
        link.recv(4096)
        link.sendall(answer)
        link.shutdown(socket.SHUT_WR)
        while link.recv(65536):
            pass

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenHttp(ONE))
        assert (await host.fails(get(f"http://127.0.0.1:{server.port}/"))).cause is cause
    server.close()


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("ftp://example.com/", Cause.BAD_PROTOCOL),
        ("http://", Cause.BAD_VALUE),
        ("http://x:99999/", Cause.BAD_VALUE),
        ("http://a\r\nb/", Cause.BAD_VALUE),
        ("http://nowhere.invalid/", Cause.NAME_NOT_RESOLVED),
        ("http://127.0.0.1:UNUSED/", Cause.REFUSED),
    ],
)
async def test_an_address_that_leads_nowhere(way: str, url: str, cause: Cause) -> None:
    url = url.replace("UNUSED", str(unused_port()))
    async with client(way) as host:
        await host.done(OpenHttp(ONE))
        assert (await host.fails(get(url))).cause is cause
        failed = await host.fails(get(url, Method.POST))
        assert failed.cause is cause


async def test_a_header_that_cannot_be_one(way: str) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place))
        assert (await host.fails(get("/", headers=(("X", "a\r\nY: b"),)))).cause is Cause.BAD_VALUE
        assert await host.fetch(get("/x")) == b"GET /x"


@pytest.mark.parametrize("data", [b"four", b"more than four"])
async def test_a_body_that_has_another_length(way: str, data: bytes) -> None:
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place))
        assert (await host.send(get("/echo", Method.PUT, length=6), data)) == Failed(
            Cause.SEND_SIZE, f"Too {'little' if len(data) < 6 else 'much'} data for declared Content-Length"
        )


async def test_a_body_that_is_too_big_to_be_counted(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT_BYTES", 1000)
    async with web_server(page) as server, client(way) as host:
        await host.done(OpenHttp(ONE, server.place, version="1.0"))
        failed = await host.send(get("/echo", Method.PUT), bytes(2000))
        assert isinstance(failed, Failed) and failed.cause is Cause.OUT_OF_MEMORY


async def test_closing_in_the_middle_and_a_silent_server(way: str) -> None:
    server = Server(lambda link: None)
    async with client(way, limit_s=0.05) as host:
        await host.done(OpenHttp(ONE, Endpoint("127.0.0.1", server.port)))
        assert (await host.fails(get("/"))).cause is Cause.TIMED_OUT
    async with client(way) as host:
        await host.done(OpenHttp(ONE, Endpoint("127.0.0.1", server.port)))
        ticket = host.submit(get("/"))
        await asyncio.to_thread(server.arrived)
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert host.results[ticket] == Failed(Cause.ABORTED)
    server.close()


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("www.x.example", "http://www.x.example/"),
        ("HTTP://X.Example:80/a b?c=ü#d", "http://x.example/a%20b?c=%FC"),
        ("https://x.example:8443/%41", "https://x.example:8443/%41"),
        ("/a", "http://s.example:81/a"),
        ("", "http://s.example:81/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ],
)
def test_an_address_is_read(text: str, whole: str) -> None:
    assert weburl.parse(text, Endpoint("s.example", 81)).text == whole


def test_a_reference_is_followed_from_where_it_stands() -> None:
    here = weburl.parse("http://u:p@x.example/a/b?c")
    assert (here.user, here.password) == (b"u", b"p")
    assert here.joined("../d").text == "http://x.example/d"
    assert here.joined("//y.example/z").text == "http://y.example/z"
    with pytest.raises(Refused):
        here.joined("mailto:a@b")

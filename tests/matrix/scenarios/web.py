"""Web pages: from a real server, from some that end too early, through a proxy, by TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from support.pages import EVERY, LARGE, LOGIN, PAGE, PASSWORD, USER, WORDS, Pages
from support.rig import Server

from matrix.certificates import trusted
from matrix.host import fails
from matrix.proxy import ways_through
from matrix.scenario import scenario
from matrix.stage import NOBODY, REFUSED, SERVER, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_web import DELETE, GET, GET_OFFLINE, POST, PUT, REDIRECTS, VERSION, Answer, WipsoftWeb


class Site(Pages):
    """A pair's own server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(self.context(folder))

    def context(self, folder: Path) -> ssl.SSLContext | None:
        """How it speaks TLS; not at all."""
        del folder
        return None

    def url(self, path: str) -> str:
        """Of a page, by the server's name."""
        return f"{self.web.scheme}://{SERVER}:{self.port}/{path}"


class SecureSite(Site):
    """The same by TLS."""

    def context(self, folder: Path) -> ssl.SSLContext | None:
        return trusted(folder)


def web_of(stage: Stage) -> tuple[WipsoftWeb, Site]:
    """The web verbs of a pair's host, and its server as if new."""
    assert isinstance(stage.host, WipsoftHost)
    site = stage.servers.of(Site)
    site.forget()
    return WipsoftWeb(stage.host), site


@contextmanager
def one_answer(*parts: bytes) -> Iterator[Server]:
    """A server that says this to a request, and closes."""

    def serve(link: socket.socket) -> None:
        with link:
            head = b""
            while b"\r\n\r\n" not in head:
                head += link.recv(4096)
            for part in parts:
                link.sendall(part)

    with closing(Server(serve)) as server:
        yield server


def url_of(server: Server) -> str:
    """Where such a server is."""
    return f"http://{SERVER}:{server.port}/"


@scenario("web")
def pages_of_any_kind(stage: Stage, _: str) -> None:
    """Every byte, chunks, nothing, words of a module's; by digits too; all by one connection."""
    web, site = web_of(stage)
    with web.session():
        for mode in (GET, GET_OFFLINE):
            assert web.ask(site.url("page?a=b c"), mode) == Answer(200, "OK", PAGE)
            assert web.ask(site.url("chunked"), mode) == Answer(200, "OK", PAGE)
            assert web.ask(site.url("nothing"), mode) == Answer(200, "OK")
            assert web.ask(site.url("empty"), mode) == Answer(204, "No Content")
        assert web.ask(site.url("words")) == Answer(200, "OK", WORDS)
    assert {request.method for request in site.web.requests} == {"GET"}
    assert site.web.requests[0].query_string == "a=b c"
    assert len(site.web.peers) == 1


@scenario("web")
def much_of_the_web(stage: Stage, _: str) -> None:
    """64 KiB each way; 300 on one module in each way."""
    web, site = web_of(stage)
    much = LARGE if stage.pair.longest("web") else LARGE[:65536]
    with web.session():
        assert web.ask(site.url(f"large/{len(much)}")) == Answer(200, "OK", much)
        assert web.send(site.url("form"), POST, much) == Answer(200, "OK")
    assert site.web.bodies[-1] == much


@scenario("web")
def what_a_web_server_says(stage: Stage, _: str) -> None:
    """Its status is told whatever it is; a page of an error is a page."""
    web, site = web_of(stage)
    said = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}
    with web.session():
        for code, reason in said.items():
            page = b"this is %d" % code
            for mode in (GET, DELETE):
                assert web.ask(site.url(f"status/{code}"), mode) == Answer(code, reason, page)
            for mode in (PUT, POST):
                assert web.send(site.url(f"status/{code}"), mode, b"body") == Answer(code, reason)
    methods = [request.method for request in site.web.requests]
    assert methods == ["GET", "DELETE", "PUT", "POST"] * len(said)


@scenario("web")
def bodies_for_a_web_server(stage: Stage, _: str) -> None:
    """Every byte, and none; HTTP 1.0 tells the length before."""
    web, site = web_of(stage)
    for version in (1, 0):
        with web.session():
            web.option(VERSION, version)
            for mode in (PUT, POST):
                for body in (PAGE, b""):
                    assert web.send(site.url("form"), mode, body) == Answer(200, "OK")
    assert [request.method for request in site.web.requests] == ["PUT", "PUT", "POST", "POST"] * 2
    assert site.web.bodies == [PAGE, b""] * 4
    assert [request.version.minor for request in site.web.requests] == [1] * 4 + [0] * 4


@scenario("web")
def pages_that_are_elsewhere(stage: Stage, _: str) -> None:
    """Followed as often as option 53 allows; a body is sent once."""
    web, site = web_of(stage)
    with web.session():
        for code in (301, 302, 303, 307, 308):
            assert web.ask(site.url(f"moved/{code}/page")) == Answer(200, "OK", PAGE)
        assert web.send(site.url("moved/303/page"), POST, b"body") == Answer(200, "OK")
        assert web.send(site.url("moved/307/page"), PUT, b"body").status == 307
        assert web.ask(site.url("moved/302/moved/302/moved/302/page")) == Answer(200, "OK", PAGE)
        web.option(REDIRECTS, 2)
        assert web.ask(site.url("moved/302/moved/302/moved/302/page")) == Answer(302, "Found", b"it is elsewhere")
        web.option(REDIRECTS, 0)
        assert web.ask(site.url("moved/302/page")) == Answer(302, "Found", b"it is elsewhere")
    assert site.web.requests[11].method == "GET", "what is elsewhere is not posted again"


@scenario("web")
def headers_and_users(stage: Stage, _: str) -> None:
    """Headers of the session and of the request; who is asked for a name, and gives it."""
    web, site = web_of(stage)
    with web.session("", "", "", "", "X-Session", "one, two"):
        assert web.ask(site.url("login")).status == 401
        assert web.ask(site.url("login"), GET, USER, PASSWORD) == Answer(200, "OK", PAGE)
        assert web.ask(site.url("page"), GET, "", "", "X-Own", "a b", "X-Session", "mine").status == 200
    first, second, third = site.web.requests
    assert (first.headers["X-Session"], second.headers["Authorization"]) == ("one, two", LOGIN)
    assert (third.headers["X-Session"], third.headers["X-Own"]) == ("mine", "a b")
    assert "Authorization" not in third.headers


@scenario("web")
def by_way_of_a_proxy(stage: Stage, _: str) -> None:
    """It is told the whole address; its user is not the server's."""
    web, site = web_of(stage)
    with web.session(SERVER, site.port, USER, PASSWORD):
        assert web.ask("http://elsewhere.example/page") == Answer(200, "OK", PAGE)
        assert web.send("http://elsewhere.example:81/form", PUT, PAGE) == Answer(200, "OK")
    first, second = site.web.requests
    assert [str(request.url) for request in (first, second)] == [
        "http://elsewhere.example/page", "http://elsewhere.example:81/form"
    ]  # fmt: skip
    assert first.headers["Proxy-Authorization"] == LOGIN
    assert "Authorization" not in first.headers


@scenario("web")
def the_web_by_tls(stage: Stage, _: str) -> None:
    """https, also by a way through a proxy, and a server whom nobody vouches for."""
    web, site = web_of(stage)
    secure = stage.servers.of(SecureSite)
    with web.session():
        assert web.ask(secure.url("page")) == Answer(200, "OK", PAGE)
        assert web.send(secure.url("form"), POST, PAGE) == Answer(200, "OK")
        with fails("842"):
            web.ask(secure.url("page").replace(SERVER, "echo.example"))
        with fails("842"):
            web.ask(site.url("page").replace("http:", "https:"))
    assert secure.web.bodies[-1] == PAGE
    with closing(ways_through(secure.port)) as proxy, web.session(SERVER, proxy.port):
        assert web.ask(secure.url("page")) == Answer(200, "OK", PAGE)


@scenario("web")
def no_web_server(stage: Stage, _: str) -> None:
    """Nobody there, nobody of the name; the session goes on."""
    web, site = web_of(stage)
    with web.session():
        for place in (f"{REFUSED}:{stage.servers.refused_port}", NOBODY):
            with fails("842"):
                web.ask(f"http://{place}/page")
            with fails("842"):
                web.send(f"http://{place}/page", PUT, b"body")
        assert web.ask(site.url("page")).status == 200


@scenario("web")
def web_servers_that_leave(stage: Stage, _: str) -> None:
    """Without a word, in the middle of a page, with nonsense; one of old that ends its page by leaving."""
    web, _site = web_of(stage)
    head = b"HTTP/1.1 200 OK\r\n"
    with web.session():
        with one_answer() as server, fails("841"):
            web.ask(url_of(server))
        with one_answer(head + b"Content-Length: 100\r\n\r\n", b"half") as server, fails("841"):
            web.ask(url_of(server))
        with one_answer(head + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n") as server, fails("841"):
            web.ask(url_of(server))
        with one_answer(b"what do you want\r\n\r\n") as server, fails("866"):
            web.ask(url_of(server))
        with one_answer(b"HTTP/1.0 200 OK\r\n\r\n", EVERY) as server:
            assert web.ask(url_of(server)) == Answer(200, "OK", EVERY)


@scenario("web")
def a_page_that_the_host_wants_no_more_of(stage: Stage, _: str) -> None:
    """6.1.2: +++ in silence breaks it off; the session goes on."""
    web, site = web_of(stage)
    with web.session():
        web.breaks_off(site.url(f"large/{len(LARGE)}"), LARGE[:1000])
        if "broken off" not in stage.pair.lost("web"):
            assert web.done(GET).status == 200
        assert web.ask(site.url("page")) == Answer(200, "OK", PAGE)


@scenario("web", bearer=False)
def a_session_of_the_web_of_the_guide(stage: Stage, _: str) -> None:
    """9.6."""
    web, site = web_of(stage)
    host = stage.host
    host.up()
    with web.session(SERVER, site.port, "username", "password", "header-name", "header value"):
        assert host.command("AT+WIPOPT=5,1,1,51") == "+WIPOPT: 5,51,0"
        web.option(REDIRECTS, 6)
        with fails("834"):
            host.command("AT+WIPOPT=5,1,1,54")
        said = web.ask(
            site.url("page"), GET, "username", "password", "Accept", "text/html", "Transfer-codings", "compress"
        )
        assert said == Answer(200, "OK", PAGE)
    (request,) = site.web.requests
    assert (request.headers["Accept"], request.headers["Transfer-codings"]) == ("text/html", "compress")
    host.down()

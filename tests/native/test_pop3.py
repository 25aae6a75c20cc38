"""Mail in from real servers, over this computer's sockets and through a tunnel (SEMANTICS 7.3; RFC 1939)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import certificate
from support.client import ONE, WAYS, client
from support.postbox import KINDS, PASSWORD, USER, Postbox
from support.rig import Server
from support.securebox import secure_box

from gateway.model.causes import Cause
from gateway.model.events import SocketLost
from gateway.model.requests import CloseSocket
from gateway.model.results import Done, Failed
from gateway.model.services import DeleteMail, FetchMail, ListMail, MailList, OpenPop3
from gateway.model.values import Endpoint, Secret
from gateway.native import pop3

FIRST = b"From: a@x.example\r\nSubject: one\r\n\r\nHello\r\n.\r\n..\r\n.dot\r\n"
EIGHT = b"Subject: two\r\n\r\n" + bytes(byte for byte in range(1, 256) if byte not in (10, 13)) + b"\r\n"
LONG = b"Subject: three\r\n\r\n" + b"0123456789abcdef" * 65536 + b"\r\n"


@pytest.fixture(params=KINDS)
def box(request: pytest.FixtureRequest) -> Iterator[Postbox]:
    made = Postbox(str(request.param))
    yield made
    made.close()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opening(box: Postbox | Server, password: str = PASSWORD, **options: bool) -> OpenPop3:
    return OpenPop3(ONE, Endpoint("127.0.0.1", box.port), USER, Secret(password), **options)


async def test_mails_are_listed_fetched_and_deleted(box: Postbox, way: str) -> None:
    box.put(FIRST, EIGHT, LONG)
    async with client(way) as host:
        await host.done(opening(box))
        mails = await host.done(ListMail(ONE))
        assert isinstance(mails, MailList)
        assert [number for number, _ in mails.mails] == [1, 2, 3]
        ticket = host.submit(FetchMail(ONE, 1))
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == FIRST
        assert (await host.begins(ticket)).size_bytes == mails.mails[0][1]
        assert await host.fetch(FetchMail(ONE, 1, header=False)) == FIRST.partition(b"\r\n\r\n")[2]
        assert await host.fetch(FetchMail(ONE, 2)) == EIGHT
        assert (await host.fetch(FetchMail(ONE, 3))).replace(b"\r\n", b"") == LONG.replace(b"\r\n", b"")
        await host.done(DeleteMail(ONE, 2))
        assert box.count == 3, "a mark is no deletion"
        assert (await host.fails(FetchMail(ONE, 2))).cause is Cause.SERVER_RETRIEVE
        if box.kind == "dovecot":  # the other one breaks
            assert (await host.fails(DeleteMail(ONE, 9))).cause is Cause.SERVER_DELETE
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert box.count == 2
        await host.done(opening(box))
        assert len((await host.done(ListMail(ONE))).mails) == 2


async def test_an_empty_box(box: Postbox, way: str) -> None:
    async with client(way) as host:
        await host.done(opening(box))
        assert await host.done(ListMail(ONE)) == MailList(())
        failed = await host.fails(FetchMail(ONE))
        assert failed.cause is Cause.SERVER_RETRIEVE
        assert failed.original.startswith("-ERR")
        assert await host.ask(CloseSocket(ONE)) == Done()


async def test_who_is_not_let_in(box: Postbox, way: str) -> None:
    async with client(way) as host:
        assert (await host.fails(opening(box, "wrong"))).cause is Cause.SERVER_PASSWORD
        assert not host.engine.knows(ONE)


async def test_a_user_that_the_server_does_not_know(way: str) -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(b"+OK\r\n")
        link.recv(100)
        link.sendall(b"-ERR never heard of\r\n")
        link.recv(100)

    server = Server(serve)
    async with client(way) as host:
        assert await host.ask(opening(server)) == Failed(Cause.SERVER_USER, "-ERR never heard of")
    server.close()


async def test_a_withdrawn_fetch_leaves_a_session_of_use(box: Postbox, way: str) -> None:
    box.put(LONG, FIRST)
    async with client(way) as host:
        await host.done(opening(box))
        ticket = host.submit(FetchMail(ONE, 1))
        await host.until(lambda: len(host.data) > 0)
        host.engine.withdraw(ticket)
        assert (await host.fetch(FetchMail(ONE, 2)))[-30:] == FIRST[-30:]


async def test_a_host_that_takes_no_more_holds_the_server(way: str) -> None:
    mail = b"0123456789abcde" * 8 + b"\r\n"
    mail *= 100000
    sent = []

    def serve(link: socket.socket) -> None:
        link.sendall(b"+OK\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(b"+OK\r\n")
                if line.startswith(b"RETR"):
                    link.sendall(mail)
                    sent.append(len(mail))
                    link.sendall(b".\r\n")

    server = Server(serve)
    async with client(way) as host:
        await host.done(opening(server))
        host.engine.hold(True)
        ticket = host.submit(FetchMail(ONE, 1))
        await host.begins(ticket)
        assert not host.data
        assert not sent, "12 MB do not fit into the buffers on the way"
        if way == "computer":
            host.engine.hold(False)
            assert await host.result(ticket) == Done()
            assert bytes(host.data) == mail
    server.close()


@pytest.mark.parametrize("first", [True, False], ids=["first", "on the way"])
async def test_tls(way: str, first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trust = certificate.make(tmp_path)

    async with secure_box(context, first=first, mail=b"x" * 700000) as place, client(way, trust=trust) as host:
        monkeypatch.setattr(pop3, "CLEAR_PORT", 0 if first else place.port)
        await host.done(OpenPop3(ONE, place, USER, Secret("x"), secure=True))
        assert await host.done(ListMail(ONE)) == MailList(((1, 700000),))
        assert len(await host.fetch(FetchMail(ONE, 1))) == 700002
        assert await host.ask(CloseSocket(ONE)) == Done()


@pytest.mark.parametrize(
    "answer",
    [b"what\r\n", b"+OK\r\n1 x\r\n.\r\n", b"+OK\r\n" + b"1 2\r\n" * 300000 + b".\r\n", b"+OK\r\n1", b"x" * 99999],
)
async def test_a_server_that_makes_no_sense(way: str, answer: bytes) -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(b"+OK\r\n")
        for reply in (b"+OK\r\n", b"+OK\r\n", answer):
            link.recv(100)
            link.sendall(reply)

    server = Server(lambda link: (serve(link), link.shutdown(2)))
    async with client(way) as host:
        await host.done(opening(server))
        failed = await host.fails(ListMail(ONE))
        bad = (Cause.SERVER_NOT_READY, Cause.SERVER_LIST, Cause.OUT_OF_MEMORY, Cause.CLOSED_BY_PEER)
        assert failed.cause in bad
    server.close()


async def test_a_session_that_the_server_ends_is_told(way: str) -> None:
    box = Postbox("twisted")
    async with client(way) as host:
        await host.done(opening(box))
        box.close()
        await host.until(lambda: bool(host.events))
        assert host.events == [SocketLost(ONE, Cause.CLOSED_BY_PEER)]

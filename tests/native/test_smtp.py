"""Mail out to a real server, over this computer's sockets and through a tunnel (SEMANTICS 7.2; RFC 5321)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from support import certificate
from support.client import EVERY, ONE, WAYS, client
from support.post import post
from support.rig import Server, abort

from gateway.model.causes import Cause
from gateway.model.events import SocketLost
from gateway.model.requests import CloseSocket
from gateway.model.results import Done, Failed
from gateway.model.services import OpenSmtp, SendMail
from gateway.model.values import Endpoint, Secret
from gateway.native import smtp

MAIL = SendMail(ONE, "meter@example.com", ("a@example.com",), subject="Reading", sender_name="Meter 7")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_mail_with_a_header_of_its_fields(way: str) -> None:
    async with post() as office, client(way) as host:
        await host.done(office.open(domain="meter.example.com"))
        assert await host.send(MAIL, b"21 kWh\r\n.\r\n.hidden\nend") == Done()
        assert await host.ask(CloseSocket(ONE)) == Done()
        (letter,) = office.letters
        assert (letter.mail_from, letter.rcpt_tos) == ("meter@example.com", ["a@example.com"])
        assert isinstance(letter.content, bytes)
        read = message_from_bytes(letter.content, policy=SMTP_POLICY)
        assert (read["From"], read["To"], read["Subject"]) == ("Meter 7 <meter@example.com>", "a@example.com", "Reading")
        assert letter.content.partition(b"\r\n\r\n")[2] == b"21 kWh\r\n.\r\n.hidden\r\nend\r\n"
        assert office.domains == ["meter.example.com"]


async def test_a_mail_whose_header_is_the_hosts(way: str) -> None:
    text = b"Subject: mine\r\n\r\n" + EVERY.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    async with post() as office, client(way) as host:
        await host.done(office.open())
        request = SendMail(ONE, "m@example.com", ("a@example.com",), ("c@example.com",), ("b@example.com",), header=False)
        assert await host.send(request, text, piece=7) == Done()
        (letter,) = office.letters
        assert letter.content == text
        assert letter.rcpt_tos == ["a@example.com", "c@example.com", "b@example.com"]
        assert "BODY=8BITMIME" in letter.mail_options
        assert office.domains == ["[127.0.0.1]"]


async def test_a_big_mail_of_one_line_is_broken_and_arrives(way: str) -> None:
    body = b"0123456789 abcde" * (1 << 16)
    async with post() as office, client(way) as host:
        await host.done(office.open())
        assert await host.send(MAIL, body) == Done()
        assert isinstance(office.letters[0].content, bytes)
        got = office.letters[0].content.partition(b"\r\n\r\n")[2]
        assert got.replace(b"\r\n", b"") == body
        assert max(map(len, got.split(b"\r\n"))) <= 998


async def test_several_mails_in_one_session(way: str) -> None:
    async with post() as office, client(way) as host:
        await host.done(office.open())
        for body in (b"", b"one", b"two\r\n"):
            assert await host.send(MAIL, body) == Done()
        bodies = [bytes(letter.content or b"").partition(b"\r\n\r\n")[2] for letter in office.letters]
        assert bodies == [b"", b"one\r\n", b"two\r\n"]
        assert len({id(session) for session in office.sessions}) == 1


async def test_who_logs_in_and_who_does_not(way: str) -> None:
    async with post(auth_required=True) as office, client(way) as host:
        failed = await host.fails(office.open(user="meter", password=Secret("wrong")))
        assert failed.cause is Cause.SERVER_PASSWORD
        assert failed.original.startswith("535")
        await host.done(office.open(user="meter", password=Secret("s\xe4cret")))
        assert await host.send(MAIL, b"x") == Done()
        await host.done(CloseSocket(ONE))
        await host.done(office.open())
        failed = await host.fails(MAIL)
        assert failed.cause is Cause.SERVER_SENDER
        assert failed.original.startswith("530")


async def test_a_server_without_log_in(way: str) -> None:
    async with post(authenticator=None, auth_exclude_mechanism=["LOGIN", "PLAIN"]) as office, client(way) as host:
        failed = await host.fails(office.open(user="meter", password=Secret("x")))
        assert failed.cause is Cause.AUTHENTICATION


async def test_who_is_rejected_is_told_and_nobody_gets_the_mail(way: str) -> None:
    async with post() as office, client(way) as host:
        await host.done(office.open())
        office.unknown = {"b@x.example", "d@x.example", "no@x.example"}
        mail = SendMail(ONE, "m@x.example", ("a@x.example", "b@x.example"), ("c@x.example", "d@x.example"))
        failed = await host.fails(mail)
        assert failed.cause is Cause.SERVER_RECIPIENT
        assert failed.original == "b@x.example: 550 No b@x.example; d@x.example: 550 No d@x.example"
        failed = await host.fails(SendMail(ONE, "m@x.example", ("a@x.example",), (), ("d@x.example",)))
        assert failed == Failed(Cause.SERVER_BLIND_COPY, "d@x.example: 550 No d@x.example")
        assert (await host.fails(SendMail(ONE, "no@x.example", ("a@x.example",)))).cause is Cause.SERVER_SENDER
        assert (await host.fails(SendMail(ONE, "m@x.example", ()))).cause is Cause.SERVER_RECIPIENT
        assert (await host.fails(SendMail(ONE, "m@x.example", ("a>\r\nDATA",)))).cause is Cause.SERVER_RECIPIENT
        assert (await host.fails(SendMail(ONE, "z\xfc@x.example", ("a@x.example",)))).cause is Cause.SERVER_SENDER
        assert not office.letters
        assert await host.send(MAIL, b"x") == Done(), "the session goes on"
        office.body_answer = "554 Spam"
        assert await host.send(MAIL, b"x") == Failed(Cause.SERVER_BODY, "554 Spam")


async def test_a_domain_that_is_none(way: str) -> None:
    async with post() as office, client(way) as host:
        assert (await host.fails(office.open(domain="a b\r\nQUIT"))).cause is Cause.BAD_VALUE


async def test_tls_first(way: str, tmp_path: Path) -> None:
    server, trust = certificate.make(tmp_path)
    async with post(server) as office, client(way, trust=trust) as host:
        await host.done(office.open(secure=True))
        assert await host.send(MAIL, b"x" * 100000) == Done()
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert len(office.letters) == 1


async def test_tls_on_the_way(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, trust = certificate.make(tmp_path)
    async with post(tls_context=server, require_starttls=True) as office, client(way, trust=trust) as host:
        monkeypatch.setattr(smtp, "STARTTLS_PORTS", (office.place.port,))
        await host.done(office.open(secure=True, user="meter", password=Secret("s\xe4cret")))
        assert await host.send(MAIL, b"x" * 100000) == Done()
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert len(office.letters) == 1
        assert office.sessions[0].ssl


@pytest.mark.parametrize("first", [True, False], ids=["first", "on the way"])
async def test_a_server_that_cannot_prove_who_it_is(
    way: str, first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = certificate.make(tmp_path)
    options: dict[str, Any] = {} if first else {"tls_context": server}
    async with post(server if first else None, **options) as office, client(way) as host:
        monkeypatch.setattr(smtp, "STARTTLS_PORTS", () if first else (office.place.port,))
        failed = await host.fails(office.open(secure=True))
        assert failed.cause is Cause.OPEN_FAILED
        assert "certificate" in failed.original.lower()


async def test_a_server_that_speaks_no_tls(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with post() as office, client(way) as host:
        monkeypatch.setattr(smtp, "STARTTLS_PORTS", (office.place.port,))
        assert (await host.fails(office.open(secure=True))).cause is Cause.OPEN_FAILED


@pytest.mark.parametrize("greeting", [b"554 No\r\n", b"421 Busy\r\n", b"what\r\n", b"", b"\xff" * 100000])
async def test_a_server_that_is_none(greeting: bytes, way: str) -> None:
    def serve(link: Any) -> None:
        link.sendall(greeting)
        link.shutdown(1)
        link.recv(1)

    server = Server(serve)
    async with client(way) as host:
        failed = await host.fails(OpenSmtp(ONE, Endpoint("127.0.0.1", server.port)))
        assert failed.cause in (Cause.SERVER_NOT_READY, Cause.CLOSED_BY_PEER)
    server.close()


@pytest.mark.parametrize(
    ("how", "cause"),
    [(abort, Cause.RESET), (lambda link: link.shutdown(socket.SHUT_WR), Cause.CLOSED_BY_PEER)],
    ids=["reset", "end"],
)
async def test_a_server_that_goes_in_the_middle(how: Callable[[Any], None], cause: Cause, way: str) -> None:
    def serve(link: Any) -> None:
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(b"354 go\r\n" if line == b"DATA\r\n" else b"250 yes\r\n")
                if line == b"DATA\r\n":
                    lines.readline()
                    how(link)
                    return

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenSmtp(ONE, Endpoint("127.0.0.1", server.port)))
        assert (await host.fails(MAIL)).cause is cause, "also while the host says nothing"
    server.close()


async def test_a_session_that_the_server_ends_is_told(way: str) -> None:
    async with post() as office, client(way) as host:
        silent = Server(
            lambda link: (link.sendall(b"220 x\r\n"), link.recv(99), link.sendall(b"250 x\r\n"), link.recv(9))
        )
        await host.done(OpenSmtp(ONE, Endpoint("127.0.0.1", silent.port)))
        silent.connections[0].shutdown(2)
        await host.until(lambda: bool(host.events))
        assert host.events == [SocketLost(ONE, Cause.CLOSED_BY_PEER)]
        silent.close()
        await host.done(office.open())


async def test_a_withdrawn_mail_is_not_sent_and_the_next_is(way: str) -> None:
    async with post() as office, client(way) as host:
        await host.done(office.open())
        ticket = host.submit(MAIL)
        await host.begins(ticket)
        host.engine.payload(ONE, b"half")
        host.engine.withdraw(ticket)
        assert await host.send(MAIL, b"whole") == Done()
        assert len(office.letters) == 1


async def test_a_server_that_takes_no_more_has_a_time_limit() -> None:
    def serve(link: Any) -> None:
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(b"354 go\r\n" if line == b"DATA\r\n" else b"250 yes\r\n")
                if line == b"DATA\r\n":
                    return

    server = Server(serve)
    async with client("computer", limit_s=1.0) as host:
        await host.done(OpenSmtp(ONE, Endpoint("127.0.0.1", server.port)))
        ticket = host.submit(MAIL)
        await host.begins(ticket)
        while ticket not in host.results and not host.engine.congested:
            host.engine.payload(ONE, b"x" * 65536)
            await asyncio.sleep(0)
        assert (await host.result(ticket)) == Failed(Cause.TIMED_OUT, "timed_out")
    server.close()

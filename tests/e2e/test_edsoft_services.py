"""Mail of an eDSoft host: over a module's sockets, and over this computer's network (S000333 ch. 3)."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from support.office import PASSWORD, USER, PostOffice
from support.postbox import KINDS, Postbox
from support.rig import Rig, Terminal

WAITING = b"\r\nOk_Info_WaitingForData\r\n"


@pytest.fixture(scope="module", params=["wipsoft-5.57", "wipsoft-2.01", "fibocom-l610", "native"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A host whose bearer is up."""
    folder = tmp_path_factory.mktemp("rig")
    with Rig(folder) as rig:
        if request.param == "native":
            rig.native("--trace", str(folder / "trace"))
        else:
            rig.module(dialect=request.param)
            rig.bridge("--trace", str(folder / "trace"), module_dialect=request.param)
        host = rig.terminal("host")
        host.ask("ATE0")
        for name, value in (
            ("SMTPSERV", "127.0.0.1"), ("SMTPUN", USER), ("SMTPPW", PASSWORD), ("SENDERADDR", "meter@here.example"),
            ("SENDERNAME", "Meter 7"), ("DOMAIN", "here.example"), ("REC1", "a@there.example"), ("SUBJ1", "Reading"),
            ("BODY1", "0815.4 kWh"), ("POP3SERV", "127.0.0.1"), ("POP3UN", USER), ("POP3PW", PASSWORD),
        ):  # fmt: skip
            assert host.answer(f'AT#{name}="{value}"') == "OK"
        host.ask("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n")
        yield host
    trace = (folder / "trace").read_text(encoding="utf-8")
    together = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, PASSWORD.encode().hex(), PASSWORD.encode().hex().upper(), together):
        assert secret not in trace


@pytest.fixture
def post(host: Terminal) -> Iterator[PostOffice]:
    office = PostOffice()
    assert host.answer(f"AT#SMTPPORT={office.port}") == "OK"
    yield office
    office.close()


class TestMailOut:
    def test_a_stored_mail(self, host: Terminal, post: PostOffice) -> None:
        assert host.answer("AT#SENDMAIL1") == "OK"
        (letter,) = post.letters
        assert (letter.mail_from, letter.rcpt_tos) == ("meter@here.example", ["a@there.example"])
        text = bytes(letter.content or b"")
        assert b"Subject: Reading\r\n" in text
        assert text.rstrip().endswith(b"0815.4 kWh")

    def test_a_body_of_the_host(self, host: Terminal, post: PostOffice) -> None:
        host.ask("AT#PUTMAIL", WAITING)
        host.say(b"first\r\n.second\r\nthird\r\n.")
        host.say(b"\r\n")
        assert host.until(b"OK\r\n") == b"\r\nOK\r\n"
        assert bytes(post.letters[0].content or b"").endswith(b"\r\n\r\nfirst\r\n.second\r\nthird\r\n")

    def test_refusals(self, host: Terminal, post: PostOffice) -> None:
        post.unknown.add("a@there.example")
        assert host.answer("AT#SENDMAIL1") == "#CME ERROR: 38029"
        post.close()
        assert host.answer("AT#SENDMAIL1") == "#CME ERROR: 38016"
        assert host.answer("AT+CSQ").endswith("OK")


class TestMailIn:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_first_mail_is_given_and_deleted(self, host: Terminal, kind: str) -> None:
        box = Postbox(kind)
        try:
            box.put(b"From: a@there.example\r\nSubject: do\r\n\r\nfirst\r\n.second\r\n")
            assert host.answer(f"AT#POP3PORT={box.port}") == "OK"
            host.ask("AT#GETMAIL", b"\r\nOk_Info_Mail\r\n")
            got = host.until(b"\r\n.\r\n")
            assert got.endswith(b"\r\n\r\nfirst\r\n..second\r\n.\r\n")
            assert b"Subject: do\r\n" in got
            assert host.until(b"OK\r\n") == b"\r\nOK\r\n"
            host.ask("AT#GETMAIL", b"\r\nOk_Info_NoMail\r\n")
            assert box.count == 0
        finally:
            box.close()

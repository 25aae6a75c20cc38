"""What a virtual WIPSoft 5.57 module asks for when its session moves something (§6.1), and what becomes of the rest."""

from __future__ import annotations

import pytest
from support.fake import SimModule

from gateway.model.causes import Cause
from gateway.model.events import BearerLost, Received, SocketLost
from gateway.model.requests import CloseSocket, Request
from gateway.model.results import Done, Failed
from gateway.model.services import (
    Begun,
    DeleteMail,
    FetchMail,
    GetFile,
    Method,
    MmsPart,
    PutFile,
    SendMail,
    SendMms,
    WebRequest,
)
from gateway.model.values import HostSocket, Secret

HANDLE = HostSocket(1)
OPENINGS = {4: '4,1,"f","u","p"', 5: "5,1", 6: '6,1,"m"', 7: '7,1,"m"', 8: '8,1,"10.0.0.9",8080,"http://mms"'}


def opened(protocol: int) -> SimModule:
    """A module with a session."""
    sim = SimModule().up()
    assert "OK" in sim.ask(f"AT+WIPCREATE={OPENINGS[protocol]}")
    return sim


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        ('4,1,1,"./a b.txt"', GetFile(HANDLE, "./a b.txt")),
        ('4,1,2,"a",1', PutFile(HANDLE, "a")),
        ('4,1,5,"a"', PutFile(HANDLE, "a", append=True)),
        ('4,1,7,"a"', GetFile(HANDLE, "a")),
        (
            '5,1,1,"u","anna","pw","Accept","text/html","A","b"',
            WebRequest(HANDLE, Method.GET, "u", "anna", Secret("pw"), (("Accept", "text/html"), ("A", "b"))),
        ),
        ('5,1,2,"u"', WebRequest(HANDLE, Method.PUT, "u")),
        ('5,1,3,"u"', WebRequest(HANDLE, Method.DELETE, "u")),
        ('5,1,4,"u",,,"A","b"', WebRequest(HANDLE, Method.POST, "u", headers=(("A", "b"),))),
        ('5,1,7,"u"', WebRequest(HANDLE, Method.GET, "u")),
        ('7,1,1,"15"', FetchMail(HANDLE, 15)),
        ('7,1,8,"3"', FetchMail(HANDLE, 3)),
    ],
)
def test_what_is_asked_for(command: str, request_: Request) -> None:
    sim = opened(int(command[0]))
    sim.ask(f"AT+WIPFILE={command}")
    assert sim.requests[-1] == request_


def test_a_mail_has_what_the_options_say() -> None:
    sim = opened(6)
    for option, value in (
        (61, "s@x"), (62, "Meter 7"), (63, "a@x, B b <b@x>;c@x"), (64, "d@x"), (65, "e@x f@x"), (66, "Reading"),
    ):  # fmt: skip
        assert sim.ask(f'AT+WIPOPT=6,1,2,{option},"{value}"') == "OK"
    assert sim.ask("AT+WIPFILE=6,1,2") == "CONNECT"
    recipients = ("a@x", "B b <b@x>", "c@x")
    assert sim.requests[-1] == SendMail(HANDLE, "s@x", recipients, ("d@x",), ("e@x", "f@x"), "Meter 7", "Reading")
    sim.say(b"\x03")
    sim.moved(Done())
    sim.ask("AT+WIPOPT=6,1,2,67,0;+WIPFILE=6,1,2")
    mail = sim.requests[-1]
    assert isinstance(mail, SendMail)
    assert not mail.header


def test_a_mail_is_deleted_once_it_was_given() -> None:
    """Modes 3 and 8 (§6.1.5)."""
    sim = opened(7)
    sim.ask('AT+WIPFILE=7,1,3,"2"')
    sim.moved(Failed(Cause.CLOSED_BY_PEER))
    assert isinstance(sim.requests[-1], FetchMail)
    sim.ask('AT+WIPFILE=7,1,3,"2"')
    sim.wait(2)
    sim.say(b"+++")
    assert sim.wait(2) == b"\r\nOK\r\n"
    assert isinstance(sim.requests[-1], FetchMail), "the host has not got all of it"
    for mode in (3, 8):
        sim.ask(f'AT+WIPFILE=7,1,{mode},"2"')
        sim.moved(Done())
        assert sim.requests[-1] == DeleteMail(HANDLE, 2)


def test_a_message_with_its_parts() -> None:
    sim = opened(8)
    for option, value in (
        (81, "0683517984"), (82, "a@x"), (84, "c@x"), (86, "b@x"), (87, "Hi"), (91, "me@x"), (80, "11/21/2025 10:00:00"),
    ):  # fmt: skip
        assert sim.ask(f'AT+WIPOPT=8,1,2,{option},"{value}"') == "OK"
    sim.ask("AT+WIPOPT=8,1,2,88,2;+WIPOPT=8,1,2,89,2;+WIPOPT=8,1,2,90,1;+WIPOPT=8,1,2,95,0")
    sim.ask('AT+WIPOPT=8,1,2,92,1,"application/smil","<1>";+WIPOPT=8,1,2,93,9,9,"1.smil","<1>"')
    sim.ask('AT+WIPOPT=8,1,2,94,"audio/xyz",2,"6.xyz"')
    sim.ask('AT+WIPFILE=8,1,2,"6.xyz"')
    sim.say(b"\x10\x03\x10\x10\x03")
    assert sim.ask('AT+WIPFILE=8,1,2,,"<1>"').endswith("CONNECT")
    sim.say(b"<smil/>\x03")
    sim.read()
    sim.refuse[SendMms] = Cause.SERVER_CONTENT
    assert sim.ask("AT+WIPOPT=8,1,2,96") == "+CME ERROR: 895"
    sim.refuse.clear()
    assert sim.ask("AT+WIPOPT=8,1,2,96") == "OK | +WIPPEERCLOSE: 8,1"
    parts = (MmsPart("application/smil", "1.smil", b"<smil/>", "<1>"), MmsPart("audio/xyz", "6.xyz", b"\x03\x10"))
    sent = SendMms(
        HANDLE,
        ("0683517984/TYPE=PLMN", "a@x"),
        ("c@x",),
        ("b@x",),
        "me@x",
        "Hi",
        "11/21/2025 10:00:00",
        "ADVERTISEMENT",
        "HIGH",
        hide_sender=True,
        related=True,
        chunked=False,
        parts=parts,
        first="<1>",
    )
    assert sim.requests[-2:] == [sent, CloseSocket(HANDLE)]


def test_a_large_file_comes_in_as_many_blocks_as_the_buffer_holds() -> None:
    """200 bytes a block (§6.3.3), 2048 in the buffer (option 15)."""
    sim = opened(4)
    sim.say(b'AT+WIPFILE=4,1,7,"a"\r')
    read = b"".join(sim.happens(Received(HANDLE, bytes(range(100)))) for _ in range(30)) + sim.moved(Done())
    lines = [line for line in read.decode().split("\r\n") if line]
    blocks = [line.split(",") for line in lines[:-2]]
    assert [block[1:4] for block in blocks] == [
        *(["1", "11", str(number)] for number in range(1, 12)),
        *(["1", "5", str(number)] for number in range(1, 6)),
    ]
    assert bytes.fromhex("".join(block[4].strip('"') for block in blocks)) == bytes(range(100)) * 30
    assert lines[-2:] == ["+WIPDATARW: 0,1", "OK"]


def test_more_than_the_buffer_is_refused() -> None:
    """853 (§6.3.5)."""
    sim = opened(4)
    assert sim.ask('AT+WIPFILE=4,1,6,"a"') == "+WIPDATARW: 1,1 | OK"
    for _ in range(10):
        assert sim.ask(f'AT+WIPDATARW=2,1,"{"30" * 200}"') == "OK"
    assert sim.ask(f'AT+WIPDATARW=1,1,"{"30" * 200}"') == "+CME ERROR: 853"
    assert sim.ask("AT+WIPDATARW=0,1") == "+WIPDATARW: 0,1 | OK"
    assert not any(isinstance(request, PutFile) for request in sim.requests)


@pytest.mark.parametrize("mode", [1, 2])
def test_the_bearer_goes_in_the_middle(mode: int) -> None:
    sim = opened(4)
    sim.ask(f'AT+WIPFILE=4,1,{mode},"a"')
    assert sim.moved(Failed(Cause.BEARER_LOST)) == b"\x03\r\n+CME ERROR: 843\r\n"
    assert sim.happens(BearerLost()) == b"\r\n+WIPPEERCLOSE: 4,1\r\n"
    assert sim.happens(SocketLost(HANDLE, Cause.BEARER_LOST)) == b""
    assert sim.ask('AT+WIPFILE=4,1,1,"a"') == "+CME ERROR: 831"


@pytest.mark.parametrize("mode", [1, 2])
def test_the_terminal_is_not_ready_any_more(mode: int) -> None:
    """DTR (§6.1.2) ends what is sent, and breaks off what comes."""
    sim = opened(4)
    sim.ask(f'AT&D1;+WIPFILE=4,1,{mode},"a"')
    sim.side.terminal_ready(False, sim.now)
    sim._settle()
    assert sim.read() == (b"\r\nOK\r\n" if mode == 1 else b"")
    if mode == 2:
        assert sim.moved(Done()) == b"\r\nOK\r\n"
    assert sim.ask('AT+WIPFILE=4,1,1,"a"') == "CONNECT"


def test_what_comes_for_a_session_that_is_gone_is_dropped() -> None:
    sim = opened(4)
    sim.ask('AT+WIPFILE=4,1,1,"a"')
    sim.wait(2)
    sim.say(b"+++")
    sim.wait(2)
    sim.ask("AT+WIPCLOSE=4,1")
    for _ in range(100):
        assert sim.happens(Received(HANDLE, bytes(1000))) == b""
    assert not sim.side.holds_module


def test_a_page_without_words_for_its_status() -> None:
    sim = opened(5)
    sim.ask('AT+WIPFILE=5,1,1,"u"')
    sim.moved(Begun(status=302))
    assert sim.moved(Done()) == b'\x03\r\nOK\r\n\r\n+WIPFILE: 5,1,1,302,""\r\n'

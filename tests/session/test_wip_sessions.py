"""Sessions of a virtual WIPSoft 5.57 module: what is asked for, one at a time, options, limits, ends (§5.1 to §5.3)."""

from __future__ import annotations

import pytest
from support.fake import SimModule

from gateway.model.causes import Cause
from gateway.model.events import BearerLost
from gateway.model.requests import CloseSocket, ConnectTcp, Request
from gateway.model.services import DeleteMail, OpenFtp, OpenHttp, OpenMms, OpenPop3, OpenSmtp, SetFtp
from gateway.model.values import Endpoint, HostSocket, Secret

HANDLE = HostSocket(1)


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (
            '4,1,"ftp.example","anna","","acct"',
            OpenFtp(HANDLE, Endpoint("ftp.example", 21), "anna", Secret(""), Secret("acct"), binary=False),
        ),
        (
            '4,1,"ftp.example","2121","anna","pw"',
            OpenFtp(HANDLE, Endpoint("ftp.example", 2121), "anna", Secret("pw"), binary=False),
        ),
        ("5,1", OpenHttp(HANDLE)),
        ('5,1,"proxy"', OpenHttp(HANDLE, Endpoint("proxy", 80))),
        (
            '5,1,"proxy",8080,,,"Accept","text/html"',
            OpenHttp(HANDLE, Endpoint("proxy", 8080), headers=(("Accept", "text/html"),)),
        ),
        ('5,1,,,"anna","pw"', OpenHttp(HANDLE, None, "anna", Secret("pw"))),
        ('6,1,"mail.example"', OpenSmtp(HANDLE, Endpoint("mail.example", 25))),
        ('6,1,"mail.example","587","pw"', OpenSmtp(HANDLE, Endpoint("mail.example", 25), "587", Secret("pw"))),
        ('7,1,"mail.example",,"anna","pw"', OpenPop3(HANDLE, Endpoint("mail.example", 110), "anna", Secret("pw"))),
        ('8,1,"10.0.0.9",8080,"http://mms"', OpenMms(HANDLE, "http://mms", Endpoint("10.0.0.9", 8080))),
    ],
)
def test_what_is_asked_for(command: str, request_: Request) -> None:
    sim = SimModule().up()
    sim.ask(f"AT+WIPCREATE={command}")
    assert sim.requests[-1] == request_


def test_what_nobody_can_do_is_a_locked_feature() -> None:
    """839 (§3.1.3)."""
    sim = SimModule().up()
    for kind in (OpenFtp, OpenHttp, ConnectTcp):
        sim.refuse[kind] = Cause.NOT_SUPPORTED
    assert sim.ask('AT+WIPCREATE=4,1,"ftp.example","anna","pw"') == "+CME ERROR: 839"
    assert sim.ask("AT+WIPCREATE=5,1") == "OK | +CME ERROR: 839"
    assert sim.ask('AT+WIPCREATE=9,1,"web.example",443') == "OK | +CME ERROR: 839"
    assert sim.ask("AT+WIPCREATE?") == "OK"


@pytest.mark.parametrize(
    ("cause", "code"), [(Cause.SERVER_USER, 861), (Cause.SERVER_PASSWORD, 862), (Cause.AUTHENTICATION, 865)]
)
def test_why_a_server_refuses(cause: Cause, code: int) -> None:
    sim = SimModule().up()
    sim.refuse[OpenFtp] = cause
    assert sim.ask('AT+WIPCREATE=4,1,"ftp.example","anna","pw"') == f"+CME ERROR: {code}"
    assert sim.ask('AT+WIPCREATE=7,1,"mail.example"') == "OK | +WIPREADY: 7,1"


@pytest.mark.parametrize("second", ['4,2,"f","u","p"', "5,1", '6,1,"m"', '7,8,"m"', '8,1,"h",80,"u"'])
def test_a_second_session_of_any_protocol(second: str) -> None:
    """840, and the first stays as it is (§5.3.7.4)."""
    sim = SimModule().up()
    assert sim.ask('AT+WIPCREATE=6,1,"mail.example"') == "OK | +WIPREADY: 6,1"
    assert sim.ask(f"AT+WIPCREATE={second}") == "+CME ERROR: 840"
    assert sim.ask("AT+WIPOPT=6,1,1,60") == '+WIPOPT: 6,60,0,"OK" | OK'


def test_a_session_counts_among_the_sockets() -> None:
    sim = SimModule().up()
    sim.ask("AT+WIPCFG=2,6,1;+WIPCFG=4,1;+WIPCFG=0;+WIPCFG=1;+WIPBR=1,6;+WIPBR=4,6,0")
    assert sim.ask('AT+WIPCREATE=7,1,"m"') == "OK | +WIPREADY: 7,1"
    assert sim.ask('AT+WIPCREATE=2,1,"h",80') == "+CME ERROR: 838"
    assert sim.ask("AT+WIPCLOSE=7,1") == "OK"
    assert sim.ask('AT+WIPCREATE=2,1,"h",80') == "OK | +WIPREADY: 2,1"


def test_options_become_requests() -> None:
    sim = SimModule().up()
    sim.ask('AT+WIPCREATE=4,1,"f","u","p"')
    sim.ask("AT+WIPOPT=4,1,2,41,0")
    assert sim.requests[-1] == SetFtp(HANDLE, binary=False, passive=False)
    sim.ask('AT+WIPCLOSE=4,1;+WIPCREATE=7,1,"m"')
    assert sim.ask("AT+WIPOPT=7,1,2,74,3") == "OK"
    assert sim.requests[-1:] == [DeleteMail(HostSocket(2), 3)]
    assert sim.ask("AT+WIPOPT=7,1,1,71") == "+WIPOPT: 7,71,2 | OK"
    sim.refuse[DeleteMail] = Cause.SERVER_DELETE
    assert sim.ask("AT+WIPOPT=7,1,2,74,4") == "+CME ERROR: 863"


def test_recipients_of_a_message_have_a_limit() -> None:
    """Twelve in all, 249 characters a list (§5.3.7.6.4.1)."""
    sim = SimModule().up()
    sim.ask('AT+WIPCREATE=8,1,"h",80,"u"')
    for number in range(12):
        assert sim.ask(f'AT+WIPOPT=8,1,2,{(82, 84, 86)[number % 3]},"m{number}@example.com"') == "OK"
    assert sim.ask('AT+WIPOPT=8,1,2,81,"0041"') == "+CME ERROR: 801"
    sim.ask('AT+WIPCLOSE=8,1;+WIPCREATE=8,1,"h",80,"u"')
    assert sim.ask(f'AT+WIPOPT=8,1,2,82,"{"x" * 249}"') == "OK"
    assert sim.ask('AT+WIPOPT=8,1,2,81,"1"') == "+CME ERROR: 801"


def test_parts_of_a_message_have_a_limit() -> None:
    """300 Kbytes in all (§5.3.7.6)."""
    sim = SimModule().up()
    sim.ask('AT+WIPCREATE=8,1,"h",80,"u"')
    assert sim.ask('AT+WIPOPT=8,1,2,93,4,307200,"a.jpeg"') == "OK"
    assert sim.ask('AT+WIPOPT=8,1,2,94,"audio/xyz",1,,"<a>"') == "+CME ERROR: 801"
    assert sim.ask("AT+WIPOPT=8,1,1,93") == "+CME ERROR: 800"
    assert sim.ask("AT+WIPOPT=8,1,2,96") == "+CME ERROR: 831", "a part is missing"


def test_a_session_ends_with_its_bearer() -> None:
    sim = SimModule().up()
    sim.ask('AT+WIPCREATE=6,1,"m"')
    assert sim.happens(BearerLost()) == b"\r\n+WIPPEERCLOSE: 6,1\r\n"
    assert sim.ask("AT+WIPCLOSE=6,1") == "+CME ERROR: 831"
    sim = SimModule().up()
    sim.ask('AT+WIPCREATE=6,1,"m"')
    assert sim.ask("AT+WIPBR=5,6") == "OK"
    assert CloseSocket(HANDLE) in sim.requests
    assert sim.ask("AT+WIPCLOSE=6,1") == "+CME ERROR: 831"

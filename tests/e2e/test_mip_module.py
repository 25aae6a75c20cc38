"""A virtual Fibocom L610 on a real line, with this computer's loopback as its network."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
from support.rig import LIMIT_S, Rig, Terminal, hold, read_exactly, unused_port

OK = b"\r\nOK\r\n"
EVERY = bytes(range(256))


@pytest.fixture
def host(rig: Rig) -> Iterator[Terminal]:
    """A host of the module, the link up, without echo."""
    rig.module(dialect="fibocom-l610")
    terminal = rig.terminal("module")
    assert terminal.ask("ATE0;+CMEE=1") == b"ATE0;+CMEE=1\r" + OK
    assert terminal.ask("AT+MIPCALL=1") == OK
    assert re.fullmatch(rb"\r\n\+MIPCALL: [\d.]+\r\n", terminal.until(b"\r\n+MIPCALL: ") + terminal.until(b"\r\n"))
    yield terminal


def opened(host: Terminal, id: int, port: int, protocol: int = 0) -> None:
    """Open a client."""
    assert host.ask(f'AT+MIPOPEN={id},,"127.0.0.1",{port},{protocol}') == OK
    host.until(b"\r\n+MIPOPEN: %d,1\r\n" % id)


def prompted(host: Terminal, id: int, data: bytes, answer: bytes) -> None:
    """Send by length."""
    host.say(b"AT+MIPSEND=%d,%d\r" % (id, len(data)))
    host.until(b"\r\n>\r\n")
    host.say(data)
    host.until(answer)


SENT = b"\r\nOK\r\n\r\n+MIPPUSH: 1,0\r\n\r\n+MIPSEND: 1,0,2048\r\n\r\nOK\r\n"


def test_tcp_echo_in_each_form(rig: Rig, host: Terminal) -> None:
    server = rig.server()
    opened(host, 1, server.port)
    assert host.answer('AT+MIPSEND=1,"00FF313233";+MIPPUSH=1') == "+MIPSEND: 1,0,2043 | +MIPPUSH: 1,0 | OK"
    assert host.until(b"3233\r\n") == b"\r\n+MIPRTCP: 1,0,00FF313233\r\n"
    assert host.answer('AT+GTSET="IPRFMT",2') == "OK"
    prompted(host, 1, EVERY, SENT)
    head = b"\r\n+MIPRTCP: 1,256,"
    assert host.take(len(head) + 258) == head + EVERY + b"\r\n"
    assert host.answer('AT+GTSET="IPRFMT",5') == "OK"
    prompted(host, 1, EVERY, SENT)
    host.until(b"\r\n+MIPREAD: 1,256\r\n")
    assert host.ask("AT+MIPREAD=1,300") == b"\r\n+MIPDATA: 1,256\r\n" + EVERY + b"\r\n" + OK
    assert host.answer('AT+GTSET="IPRFMT",1') == "OK"
    prompted(host, 1, EVERY, SENT)
    assert host.take(256) == EVERY
    assert host.ask("AT+MIPCLOSE=1") == OK
    host.until(b"\r\n+MIPCLOSE: 1,0\r\n")


def test_a_listener_becomes_its_connection(host: Terminal) -> None:
    port = unused_port()
    assert host.answer(f'AT+MIPOPEN=4,{port},"0.0.0.0",0,0') == "OK"
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as peer:
        own = peer.getsockname()[1]
        host.until(b"\r\n+MIPOPEN: 4,1,127.0.0.1,%d\r\n" % own)
        peer.sendall(b"ask")
        host.until(b"\r\n+MIPRTCP: 4,0,61736B\r\n")
        assert host.answer('AT+MIPSEND=4,"74656C6C";+MIPPUSH=4') == "+MIPSEND: 4,0,2044 | +MIPPUSH: 4,0 | OK"
        assert read_exactly(peer, 4) == b"tell"
    host.until(b"\r\n+MIPSTAT: 4,1\r\n")
    assert host.answer("AT+MIPOPEN?") == "+MIPOPEN: 1,2,3,4,5,6 | OK"


def test_datagrams(host: Terminal) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
        for peer in (one, two):
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(LIMIT_S)
        opened(host, 2, one.getsockname()[1], 1)
        assert host.answer('AT+MIPSEND=2,"6F6E65";+MIPPUSH=2').endswith("OK")
        data, module = one.recvfrom(99)
        assert data == b"one"
        one.sendto(b"back", module)
        host.until(b"\r\n+MIPRUDP: 127.0.0.1,%d,2,0,6261636B\r\n" % one.getsockname()[1])
        port = two.getsockname()[1]
        assert host.answer(f'AT+MIPSEND=2,"74776F";+MIPPUSH=2,"127.0.0.1",{port}').endswith("OK")
        assert two.recvfrom(99) == (b"two", module)
        two.sendto(b"too", module)
        host.until(b"\r\n+MIPRUDP: 127.0.0.1,%d,2,0,746F6F\r\n" % port)


def test_online_data_mode(rig: Rig, host: Terminal) -> None:
    server = rig.server()
    assert host.answer(f'AT+MIPODM=1,,"localhost",{server.port},0') == "OK"
    host.until(b"\r\n+MIPODM: 1,1\r\n")
    sent = (EVERY * 400)[:100_000]
    assert host.stream(sent, sent) == sent
    host.silent_for(1.1)
    host.say(b"+++")
    assert host.until(OK) == OK
    server.connections[-1].sendall(b"meanwhile")
    host.until(b"\r\n+MIPDATA: 1,9\r\n")
    assert host.ask("ATO", b"CONNECT\r\n") == b"\r\nCONNECT\r\n"
    assert host.take(9) == b"meanwhile"
    server.connections[-1].shutdown(socket.SHUT_WR)
    host.until(b"\r\n+MIPSTAT: 1,1\r\n")
    assert host.answer("AT+MIPCLOSE?") == "+MIPCLOSE: 0 | OK"


def test_a_peer_that_does_not_read(rig: Rig, host: Terminal) -> None:
    """Flow control comes from the real state of the connection, and commands go on being answered."""
    server = rig.server(hold)
    opened(host, 1, server.port)
    peer = server.arrived()
    block = EVERY * 8
    sent = 0
    while True:
        host.say(b"AT+MIPSEND=1,2048\r")
        host.until(b"\r\n>\r\n")
        host.say(block)
        status = host.until(b"\r\n+MIPSEND: 1,0,2048\r\n", b"\r\n+MIPSEND: 1,1,2048\r\n")
        host.until(OK)
        if b"+MIPSEND: 1,1," in status:
            break
        sent += len(block)
        assert sent < 64 << 20, "nothing holds the host back"
    assert b"\r\n+MIPXOFF: 1\r\n" in host.seen
    assert host.answer("AT+MIPPUSH=1").endswith("OK")
    assert read_exactly(peer, sent) == block * (sent // len(block))
    host.until(b"\r\n+MIPXON: 1\r\n")
    prompted(host, 1, b"more", SENT)
    assert read_exactly(peer, 4) == b"more"


def test_names_and_ping(host: Terminal) -> None:
    """Where the system allows no echo requests each one times out."""
    assert host.answer('AT+MIPDNS="localhost"') == '+MIPDNS: "localhost",127.0.0.1 | OK'
    assert host.answer('AT+MIPDNS="nowhere.invalid"') == "+CME ERROR: 2002"
    assert host.answer('AT+MPING=1,"127.0.0.1",2,32,64,0,500') == "OK"
    summary = host.until(b"\r\n+MPINGSTAT: 0,") + host.until(b"\r\n")
    echoes = rb"((\r\n\+MPING: 127\.0\.0\.1,0,0,\d+\r\n){2}|(\r\n\+MPINGSTAT: 1\r\n){2})"
    assert re.fullmatch(echoes + rb'\r\n\+MPINGSTAT: 0,"127\.0\.0\.1",2,(2,\d+|0)\r\n', summary), summary


def test_full_functionality_is_no_restart(host: Terminal) -> None:
    """A host makes sure of its radio while its link is up."""
    assert host.ask("AT+CFUN=1") == OK
    assert host.answer("AT+MIPCALL?").startswith("+MIPCALL: 1,")


def test_settings_are_kept_over_a_restart(rig: Rig, host: Terminal) -> None:
    assert host.answer('AT+GTSET="IPRFMT",5;+MIPKEEPCONF=1,60,10,3') == "OK"
    host.ask("AT+CFUN=1,1")
    host.until(b"AT READY\r\n")
    assert host.ask("ATE0").endswith(OK)
    assert host.answer("AT+MIPCALL?") == "+MIPCALL: 0 | OK"
    assert host.answer("AT+MIPKEEPCONF?") == "+MIPKEEPCONF: 1,60,10,3 | OK"
    server = rig.server(hold)
    assert host.ask("AT+MIPCALL=1") == OK
    host.until(b"\r\n+MIPCALL: ")
    host.until(b"\r\n")
    opened(host, 1, server.port)
    server.arrived().sendall(b"abc")
    host.until(b"\r\n+MIPREAD: 1,3\r\n")

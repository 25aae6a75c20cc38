"""A Fibocom host's buffers: kept as its manual says by modules that have none of it, too (SEMANTICS 5.7, 5.8)."""

from __future__ import annotations

import socket

from support.rig import read_exactly

from matrix.fibocom import FibocomHost
from matrix.host import fails
from matrix.scenario import scenario
from matrix.stage import HOLD, HOLD_PORT, Stage


def _socket(stage: Stage) -> tuple[FibocomHost, socket.socket]:
    """Socket 1 and its peer."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    host.connect(HOLD, HOLD_PORT)
    return host, stage.servers.hold.arrived()


@scenario("TCP client", "mip")
def what_is_written_waits(stage: Stage, _: str) -> None:
    """1.1.6 to 1.1.8: until it is pushed, until there is so much, or so long; flushed it is gone; closed too."""
    host, peer = _socket(stage)
    assert host.command("AT+MIPSETS?") == "+MIPSETS: 1,2048,0"
    assert host.command('AT+MIPSEND=1,"6C6F7374"') == "+MIPSEND: 1,0,2044"
    assert host.command("AT+MIPSEND?") == "+MIPSEND: 1,2044"
    assert host.command("AT+MIPFLUSH=1") == "+MIPFLUSH: 1"
    assert host.command("AT+MIPPUSH=1") == "+MIPPUSH: 1,2"
    assert host.command('AT+MIPSEND=1,"707573686564"') == "+MIPSEND: 1,0,2042"
    assert host.command("AT+MIPPUSH=1") == "+MIPPUSH: 1,0"
    assert read_exactly(peer, 6) == b"pushed"
    assert host.command("AT+MIPSETS=1,5") == "+MIPSETS: 0"
    assert host.command('AT+MIPSEND=1,"3132"') == "+MIPSEND: 1,0,2046"
    assert host.command('AT+MIPSEND=1,"333435"') == "+MIPSEND: 1,0,2048"
    assert read_exactly(peer, 5) == b"12345"
    assert host.command("AT+MIPSETS=1,1024,100") == "+MIPSETS: 0"
    assert host.command('AT+MIPSEND=1,"6C61746572"') == "+MIPSEND: 1,0,2043"
    assert read_exactly(peer, 5) == b"later"
    assert host.command("AT+MIPSETS=1,1024,1000") == "+MIPSETS: 0"
    assert host.command('AT+MIPSEND=1,"6C6F7374"') == "+MIPSEND: 1,0,2044"
    host.closed(1)
    assert peer.recv(1) == b""
    assert host.command("AT+MIPSETS=1,2048,0") == "+MIPSETS: 0"  # it outlives the socket


@scenario("TCP client", "mip")
def what_comes_is_told_as_the_host_wants_it(stage: Stage, _: str) -> None:
    """1.1.9, 1.2.4: cut to size with what is left; raw with its length; raw alone, with one socket; kept until read."""
    host, peer = _socket(stage)
    assert host.command("AT+MIPDSETS=1,2") == "+MIPDSETS: 0"
    peer.sendall(b"12345")
    assert host.line.until(b",35\r\n") == b"\r\n+MIPRTCP: 1,3,3132\r\n\r\n+MIPRTCP: 1,1,3334\r\n\r\n+MIPRTCP: 1,0,35\r\n"
    assert host.command("AT+MIPDSETS=1,2048") == "+MIPDSETS: 0"
    host.closed(1)
    for form, sent, told in (
        (2, b'a,"\r\nOK\r\n.', b'\r\n+MIPRTCP: 1,10,a,"\r\nOK\r\n.\r\n'),
        (1, b"abc\r\n", b"abc\r\n"),
        (5, b"kept", b"\r\n+MIPREAD: 1,4\r\n"),
    ):
        host.command(f'AT+GTSET="IPRFMT",{form}')
        peer = _opened(host, stage)
        peer.sendall(sent)
        assert host.line.take(len(told)) == told
        if form == 1:
            with fails("2003"):
                host.command(f'AT+MIPOPEN=2,,"{HOLD}",{HOLD_PORT},0')
        if form == 5:
            host.line.say(b"AT+MIPREAD=1,3\r")
            wanted = b"\r\n+MIPDATA: 1,3\r\nkep\r\n\r\nOK\r\n"
            assert host.line.take(len(wanted)) == wanted
            host.line.say(b"AT+MIPREAD=1,100\r")
            wanted = b"\r\n+MIPDATA: 1,1\r\nt\r\n\r\nOK\r\n"
            assert host.line.take(len(wanted)) == wanted
        host.closed(1)
        assert peer.recv(1) == b""
    host.command('AT+GTSET="IPRFMT",0')


def _opened(host: FibocomHost, stage: Stage) -> socket.socket:
    """Socket 1's peer, whatever the form of what is received."""
    host.command(f'AT+MIPOPEN=1,,"{HOLD}",{HOLD_PORT},0')
    assert host.event("+MIPOPEN: 1,", limit_s=30) == "+MIPOPEN: 1,1"
    return stage.servers.hold.arrived()

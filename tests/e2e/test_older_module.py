"""A wipSoft 2.01 module behind an eDSoft host, and hosts of the family on modules of it: real lines and sockets."""

from __future__ import annotations

import socket

import pytest
from support.rig import Rig, Terminal, hold, read_exactly, read_to_end, unused_port

OK = b"\r\nOK\r\n"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
ALL = bytes(range(256)) * 8
ESCAPED = ALL.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


class TestEdsoftHost:
    """What the newer module does, the older one does too, with fewer commands and codes."""

    def up(self, rig: Rig) -> Terminal:
        rig.module(dialect="wipsoft-2.01")
        rig.bridge(module_dialect="wipsoft-2.01")
        host = rig.terminal("host")
        assert host.answer('ATE0;#GPRSMODE=1;#APNSERV="internet"').endswith("OK")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Ok_Info_GprsActivation\r\n")
        return host

    def test_a_day(self, rig: Rig) -> None:
        echo, silent = rig.server(), rig.server(hold)
        host = self.up(rig)
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{echo.port}') == "OK"
        for _ in range(2):  # the same index again, behind the close that the module tells
            host.say(b"AT#OTCP=1\r")
            assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING
            assert host.stream(ESCAPED, ESCAPED) == ESCAPED
            host.say(b"\x03")
            assert host.until(OK) == CLOSED
        assert host.answer(f"AT#TCPPORT=1,{silent.port}") == "OK"
        host.say(b"AT#OTCP=1\r")
        assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING
        connection = silent.arrived()
        connection.sendall(b"last words")
        connection.close()
        assert host.until(OK) == b"last words\x03" + CLOSED
        assert host.answer(f"AT#TCPPORT=1,{unused_port()}") == "OK"
        assert "#CME ERROR: " in host.answer("AT#OTCP=1")
        assert host.answer('AT#PINGREMOTE="127.0.0.1";#PINGNUM=1') == "OK"
        assert "127.0.0.1" in host.answer("AT#PING")
        assert host.answer("AT#CONNECTIONSTOP") == "OK"

    def test_a_client_comes(self, rig: Rig) -> None:
        host, port = self.up(rig), unused_port()
        assert host.answer(f'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,{port};#LTCPSTART=1') == "OK"
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.settimeout(10)
            assert host.until(WAITING) == WAITING
            client.sendall(b"hello")
            assert host.until(b"hello") == b"hello"
            host.say(b"answer\x03")
            assert read_to_end(client) == b"answer"
            assert host.until(OK) == CLOSED


@pytest.mark.parametrize(("dialect", "module"), [("wipsoft-5.57", "wipsoft-2.01"), ("wipsoft-2.01", "wipsoft-5.57")])
def test_a_host_of_the_family_on_a_module_of_it(rig: Rig, dialect: str, module: str) -> None:
    """Data mode, back to AT mode, data mode again; the peer's end in the host's own words."""
    server = rig.server(hold)
    rig.module(dialect=module)
    rig.bridge(host_dialect=dialect, module_dialect=module)
    host = rig.terminal("host")
    assert host.answer("ATE0;+CMEE=1;+WIPCFG=1;+WIPBR=1,6;+WIPBR=4,6,0").endswith("OK")
    host.say(f'AT+WIPCREATE=2,1,"127.0.0.1",{server.port}\r'.encode())
    assert host.until(b"+WIPREADY: 2,1\r\n") == OK + b"\r\n+WIPREADY: 2,1\r\n"
    peer = server.arrived()
    assert host.answer("AT+WIPDATA=2,1,1") == "CONNECT"
    host.say(ESCAPED)
    assert read_exactly(peer, len(ALL)) == ALL
    host.silent_for(1.1)
    host.say(b"+++")
    assert host.until(OK) == OK
    assert host.answer("AT+WIPDATA=2,1,1") == "CONNECT"
    if dialect == "wipsoft-5.57":
        assert read_exactly(peer, 3) == b"+++"  # its option 13 is 0
    peer.sendall(ALL)
    assert host.take(len(ESCAPED)) == ESCAPED
    host.say(b"bye\x03")
    assert read_to_end(peer) == b"bye"
    peer.close()
    sign = b"\r\nSHUTDOWN\r\n" if dialect == "wipsoft-5.57" else b"\x03"
    assert host.until(sign) == sign
    host.say(b"+++")
    assert host.until(b"+WIPPEERCLOSE: 2,1\r\n") == OK + b"\r\n+WIPPEERCLOSE: 2,1\r\n"
    assert host.answer("AT+WIPBR=5,6;+WIPBR=0,6;+WIPCFG=0") == "OK"

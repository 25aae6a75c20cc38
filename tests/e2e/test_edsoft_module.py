"""An eDSoft 3.02 module behind hosts of both families: real lines and sockets, one service at a time."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest
from support.files import Files
from support.rig import Rig, Terminal, hold, read_exactly, read_to_end, unused_port

OK = b"\r\nOK\r\n"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
ALL = bytes(range(256)) * 64


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


def lines(rig: Rig, dialect: str, *module: str, bridge: tuple[str, ...] = ()) -> Terminal:
    """Module, bridge and host."""
    rig.module(*module, dialect="edsoft-3.02")
    rig.bridge(*bridge, host_dialect=dialect, module_dialect="edsoft-3.02")
    return rig.terminal("host")


class TestWipsoftHost:
    """Guide 4111846, as far as a module with one service at a time can follow it."""

    def up(self, rig: Rig, *module: str) -> Terminal:
        host = lines(rig, "wipsoft-5.57", *module)
        assert host.answer('ATE0;+CMEE=1;+WIPCFG=1;+WIPCFG=2,13,1;+WIPBR=1,6;+WIPBR=2,6,11,"internet"').endswith("OK")
        assert host.answer("AT+WIPBR=4,6,0") == "OK"
        assert re.fullmatch(r'\+WIPBR: 6,15,"[\d.]+" \| OK', host.answer("AT+WIPBR=3,6,15"))
        return host

    def test_data_mode_and_back(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = self.up(rig)
        host.say(f'AT+WIPCREATE=2,1,"127.0.0.1",{server.port}\r'.encode())
        assert host.until(b"+WIPREADY: 2,1\r\n") == OK + b"\r\n+WIPREADY: 2,1\r\n"
        peer = server.arrived()
        peer.sendall(b"x" * 200_000)  # far more than is kept: the line holds the peer back
        assert host.until(b"+WIPDATA: 2,1,").endswith(b"\r\n+WIPDATA: 2,1,")
        host.until(b"\r\n")
        assert host.answer("AT+CSQ") == "ERROR"
        host.say(f'AT+WIPCREATE=2,2,"127.0.0.1",{server.port}\r'.encode())
        assert host.until(b"ERROR: 838\r\n") == OK + b"\r\n+CME ERROR: 838\r\n"
        assert host.answer("AT+WIPDATA=2,1,1") == "CONNECT"
        assert host.take(200_000) == b"x" * 200_000
        host.say(escape(ALL))
        assert read_exactly(peer, len(ALL)) == ALL
        host.silent_for(1.1)
        host.say(b"+++")
        assert host.until(OK) == OK
        assert host.answer("AT+WIPDATA=2,1,1") == "CONNECT"
        peer.sendall(ALL)
        assert host.take(len(escape(ALL))) == escape(ALL)
        peer.close()
        assert host.until(b"SHUTDOWN\r\n") == b"\r\nSHUTDOWN\r\n"
        host.say(b"+++")
        assert host.until(b"+WIPPEERCLOSE: 2,1\r\n") == OK + b"\r\n+WIPPEERCLOSE: 2,1\r\n"
        assert host.answer("AT+WIPCLOSE=2,1") == "OK"
        assert host.answer("AT+CSQ").endswith("OK")
        assert host.answer("AT+WIPBR=5,6;+WIPBR=0,6;+WIPCFG=0") == "OK"

    def test_the_end_of_the_sending_waits_for_what_still_comes(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = self.up(rig)
        host.say(f'AT+WIPCREATE=2,1,"127.0.0.1",{server.port}\r'.encode())
        host.until(b"+WIPREADY: 2,1\r\n")
        assert host.answer("AT+WIPDATA=2,1,1") == "CONNECT"
        peer = server.arrived()
        host.say(b"request\x03")
        assert read_exactly(peer, 7) == b"request"
        peer.sendall(b"answer")
        assert host.until(b"answer") == b"answer"
        assert read_to_end(peer) == b""  # the silence behind it
        assert host.until(b"SHUTDOWN\r\n") == b"\r\nSHUTDOWN\r\n"

    def test_a_server_goes_on_behind_each_peer(self, rig: Rig) -> None:
        host, port = self.up(rig), unused_port()
        assert host.answer(f"AT+WIPCREATE=3,1,{port},5,8") == "OK"
        for index in (5, 5):
            peer = _called(port)
            accepted = f"\r\n+WIPACCEPT: 1,{index}\r\n".encode()
            assert host.until(accepted) == accepted
            peer.sendall(b"hello")
            assert host.until(b"+WIPDATA: 2,5,") == b"\r\n+WIPDATA: 2,5,"
            assert host.until(b"\r\n") in [b"%d\r\n" % size for size in range(1, 6)]  # as much as had come by then
            assert host.answer(f"AT+WIPDATA=2,{index},1") == "CONNECT"
            assert host.until(b"hello") == b"hello"
            host.say(b"back")
            assert read_exactly(peer, 4) == b"back"
            host.silent_for(1.1)
            host.say(b"+++")
            assert host.until(OK) == OK
            assert host.answer(f"AT+WIPCLOSE=2,{index}") == "OK"
            assert read_to_end(peer) == b""
            peer.close()
        assert host.answer("AT+WIPCLOSE=3,1") == "OK"

    def test_datagrams(self, rig: Rig) -> None:
        host = self.up(rig)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(10)
            host.say(f'AT+WIPCREATE=1,1,"127.0.0.1",{peer.getsockname()[1]}\r'.encode())
            host.until(b"+WIPREADY: 1,1\r\n")
            assert host.answer("AT+WIPDATA=1,1,1") == "CONNECT"
            sent = [ALL[: size + 1] for size in (0, 300, 1200)]
            for datagram in sent:
                host.say(escape(datagram) + b"\x03")
            for datagram in sent:
                data, module = peer.recvfrom(65536)
                assert data == datagram
            peer.sendto(ALL[:700], module)
            assert host.take(len(escape(ALL[:700])) + 1) == escape(ALL[:700]) + b"\x03"

    def test_files(self, rig: Rig, tmp_path: Path) -> None:
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "a.bin").write_bytes(ALL)
        server = Files(folder)
        try:
            host = self.up(rig)
            login = f'"127.0.0.1",{server.place.port},"meter","secret"'
            assert host.answer(f"AT+WIPCREATE=4,1,{login}") == "OK"
            assert host.answer("AT+WIPOPT=4,1,2,40,1;+WIPOPT=4,1,2,41,1") == "OK"
            assert host.answer('AT+WIPFILE=4,1,1,"a.bin"') == "CONNECT"
            wanted = escape(ALL) + b"\x03" + OK
            assert host.take(len(wanted)) == wanted
            assert host.answer('AT+WIPFILE=4,1,2,"./b.bin"') == "CONNECT"
            host.say(escape(ALL) + b"\x03")
            assert host.until(OK) == OK
            assert (folder / "b.bin").read_bytes() == ALL
            assert "+CME ERROR: " in host.answer('AT+WIPFILE=4,1,1,"none"')
            assert host.answer("AT+WIPCLOSE=4,1") == "OK"
        finally:
            server.close()

    def test_ping(self, rig: Rig) -> None:
        host = self.up(rig)
        host.say(b'AT+WIPPING="127.0.0.1",2,500,1000\r')
        answered = rb"\r\n\+WIPPING: [01],0,\d+\r\n\r\n\+WIPPING: [01],1,\d+\r\n"
        assert re.fullmatch(rb"\r\nOK\r\n" + answered, host.until(b",1,") + host.until(b"\r\n"))
        host.say(b'AT+WIPPING="nobody.invalid"\r')
        assert host.until(b"ERROR: 819\r\n") == OK + b"\r\n+CME ERROR: 819\r\n"


class TestEdsoftHost:
    """What the host says and what the module hears are the same words, and the gateway keeps the two apart."""

    def up(self, rig: Rig, *module: str, bridge: tuple[str, ...] = ()) -> Terminal:
        host = lines(rig, "edsoft-3.02", *module, bridge=bridge)
        assert host.answer('ATE0;#APNSERV="internet"').endswith("OK")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Ok_Info_GprsActivation\r\n")
        return host

    def opened(self, host: Terminal, port: int) -> None:
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{port}') == "OK"
        host.say(b"AT#OTCP=1\r")
        assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING

    def test_a_day(self, rig: Rig) -> None:
        echo, silent = rig.server(), rig.server(hold)
        host = self.up(rig)
        for _ in range(2):
            self.opened(host, echo.port)
            assert host.stream(escape(ALL), escape(ALL)) == escape(ALL)
            host.say(b"\x03")
            assert host.until(OK) == CLOSED
        self.opened(host, silent.port)
        connection = silent.arrived()
        connection.sendall(b"last words\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n")
        connection.close()
        assert host.until(b"\x03" + CLOSED) == b"last words" + CLOSED + b"\x03" + CLOSED
        assert host.answer(f"AT#TCPPORT=1,{unused_port()}") == "OK"
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        assert host.answer('AT#TCPSERV=1,"nobody.invalid";#OTCP=1') == "#CME ERROR: 38027"
        assert host.answer('AT#PINGREMOTE="127.0.0.1";#PINGNUM=1') == "OK"
        assert "127.0.0.1" in host.answer("AT#PING")
        assert host.answer("AT#CONNECTIONSTOP") == "OK"

    def test_files(self, rig: Rig, tmp_path: Path) -> None:
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "a.bin").write_bytes(ALL)
        server = Files(folder)
        try:
            host = self.up(rig)
            assert host.answer(f'AT#FTPSERV="127.0.0.1";#FTPPORT={server.place.port};#FTPUN="meter";#FTPMODE=1') == "OK"
            assert host.answer('AT#FTPPW="secret";#FTPGETFILENAME="a.bin";#FTPPUTFILENAME="b.bin"') == "OK"
            host.say(b"AT#FTPGET\r")
            wanted = b"\r\nOk_Info_DataBegin\r\n" + escape(ALL) + b"\x03" + OK
            assert host.take(len(wanted)) == wanted
            host.say(b"AT#FTPPUT\r")
            assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING
            host.say(escape(ALL) + b"\x03")
            assert host.until(OK) == OK
            assert (folder / "b.bin").read_bytes() == ALL
            assert host.answer('AT#FTPGETFILENAME="none";#FTPGET') == "#CME ERROR: 38024"
            assert host.answer('AT#FTPPW="wrong";#FTPGET') in ("#CME ERROR: 38081", "#CME ERROR: 38080")
        finally:
            server.close()

    def test_only_the_allowed_peer_is_let_in(self, rig: Rig) -> None:
        host, port = self.up(rig), unused_port()
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.2";#TCPPORT=1,{port};#LTCPSTART=1') == "OK"
        with _called(port) as stranger:
            assert read_to_end(stranger) == b""
        with _called(port, "127.0.0.2") as client:
            client.sendall(b"hello")
            assert host.until(b"hello") == WAITING + b"hello"
            host.say(b"answer\x03")
            assert read_to_end(client) == b"answer"
            assert host.until(OK) == CLOSED

    def test_a_module_that_falls_silent(self, rig: Rig) -> None:
        server = rig.server()
        host = self.up(rig, "--fault", "silent=#OTCP:1", bridge=("--limit", "#OTCP=2"))
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}') == "OK"
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        self.opened(host, server.port)
        assert host.stream(b"works again", b"works again") == b"works again"

    @pytest.mark.parametrize("command", ["#OTCP", "#TCPPORT"])
    def test_a_module_that_restarts(self, rig: Rig, command: str) -> None:
        server = rig.server()
        host = self.up(rig, "--fault", f"restart={command}")
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}') == "OK"
        assert re.fullmatch(r"#CME ERROR: \d{5}", host.answer("AT#OTCP=1", limit_s=40))
        due = time.monotonic() + 40
        while True:  # the host tries again, as hosts do
            host.say(b"AT#CONNECTIONSTART\r")
            said = host.until(b"Activation\r\n", b"ERROR: 35840\r\n", b"\r\n#CME ERROR: 35866\r\n", limit_s=40)
            if not said.endswith(b"35866\r\n"):
                break
            assert time.monotonic() < due
        self.opened(host, server.port)
        assert host.stream(b"works again", b"works again") == b"works again"

    def test_a_gateway_that_was_killed_in_a_data_mode(self, rig: Rig) -> None:
        """The next one finds the module in it, and brings it back by the sign that ends it."""
        server = rig.server(hold)
        rig.module(dialect="edsoft-3.02")
        bridge = rig.bridge(module_dialect="edsoft-3.02")
        host = rig.terminal("host")
        assert host.answer('ATE0;#APNSERV="internet"').endswith("OK")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Ok_Info_GprsActivation\r\n")
        self.opened(host, server.port)
        peer = server.arrived()
        bridge.process.kill()
        bridge.wait()
        rig.bridge(module_dialect="edsoft-3.02")
        assert read_to_end(peer).replace(b"AT\r", b"").strip(b"\r") == b""
        host = rig.terminal("host")
        due = time.monotonic() + 20
        while "CONNECTED" not in host.answer("AT#VSTATE"):  # it found the bearer, too
            assert time.monotonic() < due
        host.ask("ATE0")
        self.opened(host, server.port)


def _called(port: int, source: str = "127.0.0.1") -> socket.socket:
    """A connection to a port where somebody will listen soon."""
    due = time.monotonic() + 15
    while True:
        try:
            peer = socket.create_connection(("127.0.0.1", port), 15, source_address=(source, 0))
        except ConnectionRefusedError:
            assert time.monotonic() < due, "nobody listens"
            time.sleep(0.01)
        else:
            peer.settimeout(15)
            return peer

"""eDSoft and WIPSoft hosts on a virtual Fibocom L610 module: real pseudo-terminals, real sockets, programs as users start
them."""

from __future__ import annotations

import hashlib
import random
import re
import socket
from collections.abc import Callable

import pytest
from support.rig import Rig, Terminal, hold, read_exactly, read_to_end, unused_port

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
OK = b"\r\nOK\r\n"
MIB = 1 << 20
HABITS = {
    "as the manual": (),
    "results before OK": ("--switch", "open_result=after", "--switch", "peer_close=2"),
    "OK before results": ("--switch", "inline_result=before", "--switch", "push_length=yes"),
}
"""Switches of the virtual module."""


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX (eDSoft manual, #DLEMODE; 5.57 guide, section 6.2.2.4)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


def payload(size: int, seed: int = 7) -> bytes:
    """All byte values in order, then noise."""
    return (bytes(range(256)) + random.Random(seed).randbytes(max(0, size - 256)))[:size]


def bridged(rig: Rig, *module: str, host_dialect: str = "edsoft-3.02") -> Terminal:
    """Module, bridge and host."""
    rig.module(*module, dialect="fibocom-l610")
    rig.bridge(host_dialect=host_dialect, module_dialect="fibocom-l610")
    host = rig.terminal("host")
    assert host.answer("ATE0") == "OK"
    return host


def up(rig: Rig, *module: str) -> Terminal:
    """An eDSoft host whose bearer is started."""
    host = bridged(rig, *module)
    assert host.answer('AT#GPRSMODE=1;#APNSERV="internet";#APNUN="user";#APNPW="s3cret"') == "OK"
    host.say(b"AT#CONNECTIONSTART\r")
    assert host.until(b"Ok_Info_GprsActivation\r\n", b"ERROR: ").endswith(b"\r\nOk_Info_GprsActivation\r\n")
    return host


def point(host: Terminal, port: int, name: str = "127.0.0.1") -> None:
    """Name the server of the first socket."""
    assert host.answer(f'AT#TCPSERV=1,"{name}";#TCPPORT=1,{port}') == "OK"


def opened(host: Terminal, command: str = "AT#OTCP=1") -> None:
    host.say(command.encode() + b"\r")
    assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING


class TestTcp:
    """Chapter 5 of the eDSoft manual."""

    @pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
    def test_the_main_job(self, rig: Rig, habits: tuple[str, ...]) -> None:
        server = rig.server()
        host = up(rig, "--map", f"meter.example:80=127.0.0.1:{server.port}", *habits)
        assert re.fullmatch(r"MY IP: [\d.]+ \| Gateway IP: [\d.]+ \| OK", host.answer("AT#DISPLAYIP"))
        point(host, 80, "meter.example")
        for _ in range(8):  # more often than the module has sockets
            opened(host)
            host.say(b"hello\r\n\x10\x03")
            assert host.until(b"\x10\x03") == b"hello\r\n\x10\x03"
            host.say(b"\x03")
            assert host.until(OK) == CLOSED
        assert host.answer("AT#VSTATE") == '#STATE: "CONNECTED" | OK'
        assert host.answer("AT#CONNECTIONSTOP") == "OK"
        assert host.answer("AT#VSTATE") == '#STATE: "IDLE" | OK'

    def test_every_byte_and_a_mebibyte_each_way(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig)
        point(host, server.port)
        opened(host)
        data = escape(payload(MIB))
        assert host.stream(data, data) == data
        host.say(b"\x03")
        assert host.until(OK) == CLOSED

    def test_without_escapes(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig)
        assert host.answer("AT#DLEMODE=1,0") == "OK"
        point(host, server.port)
        opened(host)
        data = payload(MIB)
        assert host.stream(data, data) == data
        assert host.stream(b"+++more", b"+++more") == b"+++more"

    def test_byte_by_byte(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = up(rig)
        point(host, server.port)
        opened(host)
        connection = server.arrived()
        for value in escape(bytes(range(256))):
            host.say(bytes((value,)))
        assert read_exactly(connection, 256) == bytes(range(256))
        for value in range(256):
            connection.sendall(bytes((value,)))
        wanted = escape(bytes(range(256)))
        assert host.take(len(wanted)) == wanted

    @pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
    def test_the_peer_closes_behind_its_last_bytes(self, rig: Rig, habits: tuple[str, ...]) -> None:
        data = payload(100_000)

        def serve(connection: socket.socket) -> None:
            connection.sendall(data)
            connection.close()

        server = rig.server(serve)
        host = up(rig, *habits)
        point(host, server.port)
        for _ in range(2):
            opened(host)
            wanted = escape(data) + b"\x03" + CLOSED
            assert host.take(len(wanted)) == wanted

    def test_what_was_sent_before_etx_reaches_the_server(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = up(rig)
        point(host, server.port)
        opened(host)
        connection = server.arrived()
        data = payload(50_000)
        host.say(escape(data) + b"\x03")
        assert read_to_end(connection) == data
        assert host.until(OK).endswith(CLOSED)

    def test_refused_and_unknown(self, rig: Rig) -> None:
        host = up(rig, "--map", "nowhere.example:*=")
        point(host, unused_port())
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        point(host, 80, "nowhere.example")
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38027"

    def test_a_slow_host_loses_nothing(self, rig: Rig) -> None:
        data = payload(2 * MIB)
        server = rig.server(lambda connection: connection.sendall(data))
        host = up(rig)
        point(host, server.port)
        opened(host)
        server.arrived()
        digest, left = hashlib.sha256(), len(escape(data))
        while left:  # never more than a small piece is asked for: the line is full most of the time
            piece = host.take(min(left, 977))
            digest.update(piece)
            left -= len(piece)
        assert digest.digest() == hashlib.sha256(escape(data)).digest()

    def test_ended_in_the_middle_of_data(self, rig: Rig) -> None:
        server = rig.server(hold)
        rig.module(dialect="fibocom-l610")
        bridge = rig.bridge(module_dialect="fibocom-l610")
        host = rig.terminal("host")
        host.ask("ATE0")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        point(host, server.port)
        opened(host)
        connection = server.arrived()
        host.say(b"before the end")
        assert read_exactly(connection, 14) == b"before the end"
        assert bridge.stop() == 0
        assert read_to_end(connection) == b""
        fresh = rig.terminal("module")  # nothing is open
        assert fresh.answer("AT+MIPCLOSE?").endswith("+MIPCLOSE: 0 | OK")


class TestListening:
    """#LTCPSTART."""

    @staticmethod
    def listening(host: Terminal, allowed: str) -> int:
        port = unused_port()
        assert host.answer(f'AT#TCPPORT=1,{port};#TCPSERV=1,"{allowed}"') == "OK"
        assert host.answer("AT#LTCPSTART=1") == "OK"
        return port

    def test_a_client_comes(self, rig: Rig) -> None:
        host = up(rig)
        port = self.listening(host, "255.255.255.255")
        with socket.create_connection(("127.0.0.1", port), 10) as peer:
            assert host.until(b"WaitingForData\r\n") == WAITING
            host.say(escape(bytes(range(256))))
            peer.settimeout(10)
            assert read_exactly(peer, 256) == bytes(range(256))
            peer.sendall(bytes(range(256)))
            wanted = escape(bytes(range(256)))
            assert host.take(len(wanted)) == wanted
        assert host.until(OK) == b"\x03" + CLOSED

    def test_only_the_allowed_address(self, rig: Rig) -> None:
        host = up(rig)
        port = self.listening(host, "127.0.0.7")
        with socket.create_connection(("127.0.0.1", port), 10) as stranger:
            stranger.settimeout(10)
            assert stranger.recv(1) == b""
        connect_until(lambda: socket.create_connection(("127.0.0.1", port), 10, source_address=("127.0.0.7", 0)), host)


def connect_until(connect: Callable[[], socket.socket], host: Terminal) -> None:
    """The port is listened at again when the stranger is gone."""
    for _ in range(1000):
        try:
            peer = connect()
        except ConnectionRefusedError:
            continue
        with peer:
            assert host.until(b"WaitingForData\r\n") == WAITING
            peer.sendall(b"allowed")
            assert host.take(7) == b"allowed"
        return
    raise AssertionError("nobody listens again")


class TestUdp:
    """Chapter 6."""

    def test_datagrams_both_ways(self, rig: Rig) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(10)
            host = up(rig)
            assert host.answer(f'AT#UDPSERV="127.0.0.1";#UDPPORT={peer.getsockname()[1]};#UDPTXDELAY=100') == "OK"
            opened(host, "AT#OUDP")
            host.say(escape(payload(1400)))
            data, address = peer.recvfrom(9000)
            assert data == payload(1400)
            peer.sendto(payload(1400), address)
            wanted = escape(payload(1400))
            assert host.take(len(wanted)) == wanted
            host.say(b"next")
            assert peer.recvfrom(9000)[0] == b"next"
            host.say(b"\x03")
            assert host.until(OK) == CLOSED

    def test_listening_answers_whoever_spoke_first_and_is_allowed(self, rig: Rig) -> None:
        port = unused_port(socket.SOCK_DGRAM)
        host = up(rig)
        assert host.answer(f'AT#UDPPORT={port};#UDPSERV="127.0.0.8";#UDPTXDELAY=0') == "OK"
        assert host.answer("AT#LUDPSTART") == "OK"
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        ):
            stranger.bind(("127.0.0.1", 0))
            peer.bind(("127.0.0.8", 0))
            peer.settimeout(10)
            stranger.sendto(b"stranger", ("127.0.0.1", port))
            peer.sendto(b"first", ("127.0.0.1", port))
            assert host.until(b"first") == WAITING + b"first"
            host.say(b"answer")
            assert peer.recvfrom(100)[0] == b"answer"


class TestWipsoftHost:
    """The 5.57 guide: several sockets at once, servers with children."""

    @staticmethod
    def up(rig: Rig) -> Terminal:
        host = bridged(rig, host_dialect="wipsoft-5.57")
        for command in ("AT+CMEE=1", "AT+WIPCFG=1", "AT+WIPCFG=2,13,1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"):
            assert host.answer(command) == "OK", command
        return host

    def test_two_sockets_in_turn(self, rig: Rig) -> None:
        servers = [rig.server(), rig.server()]
        host = self.up(rig)
        for index, server in enumerate(servers, 1):
            assert host.answer(f'AT+WIPCREATE=2,{index},"127.0.0.1",{server.port}') == "OK"
            assert host.until(b"\r\n+WIPREADY: 2,%d\r\n" % index)
        for index in (1, 2, 1):
            host.say(b"AT+WIPDATA=2,%d,1\r" % index)
            assert host.until(b"CONNECT\r\n") == b"\r\nCONNECT\r\n"
            host.say(b"to %d" % index)
            assert host.until(b"%d" % index) == b"to %d" % index
            assert host.silent_for(1.1) == b""
            host.say(b"+++")
            assert host.until(OK) == OK
        for index in (1, 2):
            assert host.answer(f"AT+WIPCLOSE=2,{index}") == "OK"

    def test_a_server_with_children(self, rig: Rig) -> None:
        port = unused_port()
        host = self.up(rig)
        assert host.answer(f"AT+WIPCREATE=3,1,{port},1,2") == "OK"
        peers = []
        for index in (1, 2):
            peers.append(_connected(port))
            assert host.until(b"+WIPACCEPT: 1,%d\r\n" % index)
        for index, peer in enumerate(peers, 1):
            peer.sendall(b"from %d" % index)
            host.until(b"+WIPDATA: 2,%d,6\r\n" % index)
            host.say(b"AT+WIPDATA=2,%d,1\r" % index)
            assert host.until(b"CONNECT\r\n", b"ERROR").endswith(b"CONNECT\r\n")
            assert host.until(b"%d" % index) == b"from %d" % index
            assert host.silent_for(1.1) == b""
            host.say(b"+++")
            assert host.until(OK) == OK
        for peer in peers:
            peer.close()


def _connected(port: int) -> socket.socket:
    for _ in range(1000):
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            continue
    raise AssertionError("nobody listens")

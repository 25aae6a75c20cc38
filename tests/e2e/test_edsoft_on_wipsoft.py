"""An eDSoft host on a virtual WIPSoft 5.57 module: real pseudo-terminals, real sockets, programs as users start them."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import select
import signal
import socket
import threading
from pathlib import Path

import pytest
from support.rig import Rig, Terminal, abort, hold, read_exactly, read_to_end, unused_port

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
OK = b"\r\nOK\r\n"
MIB = 1 << 20


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX (eDSoft manual, #DLEMODE)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


def payload(size: int, seed: int = 7) -> bytes:
    """All byte values in order, then noise, never '+++' in a silence."""
    return (bytes(range(256)) + random.Random(seed).randbytes(max(0, size - 256)))[:size]


def up(rig: Rig, *module: str, bridge: tuple[str, ...] = (), host_dialect: str = "edsoft-3.02") -> Terminal:
    """Module, bridge and host; the bearer is started."""
    rig.module(*module)
    rig.bridge(*bridge, host_dialect=host_dialect)
    host = rig.terminal("host")
    assert host.answer("ATE0") == "OK"
    assert host.answer('AT#GPRSMODE=1;#APNSERV="internet";#APNUN="user";#APNPW="s3cret"') == "OK"
    host.say(b"AT#CONNECTIONSTART\r")
    assert host.until(b"Ok_Info_GprsActivation\r\n").endswith(b"\r\nOk_Info_GprsActivation\r\n")
    return host


def point(host: Terminal, port: int, name: str = "127.0.0.1", number: int = 1) -> None:
    """Name the server of a socket."""
    assert host.answer(f'AT#TCPSERV={number},"{name}";#TCPPORT={number},{port}') == "OK"


def opened(host: Terminal, command: str = "AT#OTCP=1") -> None:
    host.say(command.encode() + b"\r")
    assert host.until(b"WaitingForData\r\n", b"ERROR: ") == WAITING


class TestTcp:
    """Chapter 5 of the eDSoft manual."""

    def test_the_main_job(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig, "--map", f"meter.example:80=127.0.0.1:{server.port}")
        address = host.answer("AT#DISPLAYIP")
        assert re.fullmatch(r"MY IP: [\d.]+ \| Gateway IP: [\d.]+ \| OK", address)
        point(host, 80, "meter.example")
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
        data = payload(MIB)
        assert host.stream(escape(data), escape(data)) == escape(data)
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
        assert host.silent_for(1.1) == b""
        host.say(b"+++")
        assert host.until(OK) == CLOSED

    def test_without_escapes_the_server_may_send_etx(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = up(rig)
        assert host.answer("AT#DLEMODE=1,0") == "OK"
        point(host, server.port)
        opened(host)
        data = payload(4096)
        server.arrived().sendall(data)
        assert host.take(len(data)) == data

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

    def test_plus_signs_in_silence_are_payload(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig)
        point(host, server.port)
        opened(host)
        assert host.stream(b"+++", b"+++") == b"+++"
        assert host.stream(b"more", b"more") == b"more"

    def test_the_peer_closes_behind_its_last_bytes(self, rig: Rig) -> None:
        data = payload(100_000)

        def serve(connection: socket.socket) -> None:
            connection.sendall(data)
            connection.close()

        server = rig.server(serve)
        host = up(rig)
        point(host, server.port)
        opened(host)
        wanted = escape(data) + b"\x03" + CLOSED
        assert host.take(len(wanted)) == wanted
        opened(host)

    def test_the_peer_closes_in_silence(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = up(rig)
        point(host, server.port)
        opened(host)
        server.arrived().shutdown(socket.SHUT_RDWR)
        assert host.until(OK) == b"\x03" + CLOSED
        assert host.answer("AT") == "OK"

    def test_both_socket_ids(self, rig: Rig) -> None:
        first, second = rig.server(hold), rig.server(hold)
        host = up(rig)
        point(host, first.port, number=1)
        point(host, second.port, number=2)
        for number, server in ((1, first), (2, second), (1, first)):
            opened(host, f"AT#OTCP={number}")
            connection = server.arrived()
            host.say(b"to %d" % number)
            assert read_exactly(connection, 4) == b"to %d" % number
            host.say(b"\x03")
            assert host.until(OK) == CLOSED
            assert read_to_end(connection) == b""

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

    def test_refused_unknown_and_reset(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = up(rig, "--map", "nowhere.example:*=")
        point(host, unused_port())
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        point(host, 80, "nowhere.example")
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38027"
        point(host, server.port)
        opened(host)
        connection = server.arrived()
        abort(connection)
        assert b"#CME ERROR: 37952\r\n" in host.until(b"37952\r\n", b"OK\r\n")
        opened(host)

    def test_a_slow_host_loses_nothing(self, rig: Rig) -> None:
        data = payload(4 * MIB)
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

    def test_a_slow_server_holds_the_host_back(self, rig: Rig) -> None:
        go = threading.Event()
        received = bytearray()
        done = threading.Event()

        def serve(connection: socket.socket) -> None:
            go.wait(60)
            while data := connection.recv(65536):
                received.extend(data)
            done.set()

        server = rig.server(serve)
        host = up(rig)
        point(host, server.port)
        opened(host)
        server.arrived()
        data = escape(payload(24 * MIB))
        sent = 0
        os.set_blocking(host.fd, False)

        while sent < len(data):  # until the line takes nothing for a second
            if not select.select([], [host.fd], [], 1.0)[1]:
                break
            try:
                sent += os.write(host.fd, data[sent : sent + 4096])
            except BlockingIOError:
                continue
        assert sent < len(data), "nothing held the host back"
        go.set()
        cut = data[:sent]
        if len(cut) - len(cut.rstrip(b"\x10")) & 1:
            host.say(data[sent : sent + 1])
            cut = data[: sent + 1]
        host.say(b"\x03")
        assert host.until(OK, limit_s=60) == CLOSED
        assert done.wait(30)
        assert escape(bytes(received)) == cut


class TestListening:
    """#LTCPSTART, #LTCPSTOP."""

    @staticmethod
    def listening(rig: Rig, host: Terminal, allowed: str, number: int = 1) -> int:
        port = unused_port()
        assert host.answer(f'AT#TCPPORT={number},{port};#TCPSERV={number},"{allowed}"') == "OK"
        assert host.answer(f"AT#LTCPSTART={number}") == "OK"
        return port

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_client_comes(self, rig: Rig, number: int) -> None:
        host = up(rig)
        port = self.listening(rig, host, "255.255.255.255", number)
        with socket.create_connection(("127.0.0.1", port), 10) as peer:
            assert host.until(b"WaitingForData\r\n") == WAITING
            host.say(escape(bytes(range(256))))
            peer.settimeout(10)
            assert read_exactly(peer, 256) == bytes(range(256))
            peer.sendall(bytes(range(256)))
            wanted = escape(bytes(range(256)))
            assert host.take(len(wanted)) == wanted
        assert host.until(OK) == b"\x03" + CLOSED
        assert host.answer("AT") == "OK"

    def test_only_the_allowed_address(self, rig: Rig) -> None:
        host = up(rig)
        port = self.listening(rig, host, "127.0.0.7")
        with socket.create_connection(("127.0.0.1", port), 10) as stranger:
            stranger.settimeout(10)
            assert stranger.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), 10, source_address=("127.0.0.7", 0)) as peer:
            assert host.until(b"WaitingForData\r\n") == WAITING
            peer.sendall(b"allowed")
            assert host.take(7) == b"allowed"

    def test_stopped_while_waiting(self, rig: Rig) -> None:
        host = up(rig)
        port = self.listening(rig, host, "255.255.255.255")
        assert host.answer("AT#LTCPSTOP=1") == "OK"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)

    def test_etx_ends_the_waiting(self, rig: Rig) -> None:
        host = up(rig)
        self.listening(rig, host, "255.255.255.255")
        host.say(b"\x03")
        assert host.until(OK) == CLOSED
        server = rig.server()
        point(host, server.port)
        opened(host)


class TestUdp:
    """Chapter 6."""

    def test_datagrams_both_ways(self, rig: Rig) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(10)
            host = up(rig)
            assert host.answer(f'AT#UDPSERV="127.0.0.1";#UDPPORT={peer.getsockname()[1]};#UDPTXDELAY=100') == "OK"
            opened(host, "AT#OUDP")
            host.say(escape(bytes(range(256))))
            data, address = peer.recvfrom(9000)
            assert data == bytes(range(256))
            peer.sendto(bytes(range(256)), address)
            wanted = escape(bytes(range(256)))
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
            host.say(b"\x03")
            assert host.until(OK) == CLOSED


class TestLine:
    """The gateway is the modem."""

    def test_pass_through_with_prompt_and_local_answers(self, rig: Rig) -> None:
        rig.module()
        rig.bridge()
        host = rig.terminal("host")
        assert re.fullmatch(rb"AT\+CSQ\r\r\n\+CSQ: \d+,99\r\n\r\nOK\r\n", host.ask("AT+CSQ"))
        host.say(b'at+cmgs="123"\r')
        assert host.until(b"> ").endswith(b"\r\n> ")
        host.say(b"some text\x1a")
        assert host.until(OK).startswith(b"some text")
        assert host.ask("at;+wind=0;+cmee=1").endswith(OK)
        assert host.ask("AT+WOPEN=1").endswith(OK)

    def test_two_commands_and_every_line_end(self, rig: Rig) -> None:
        rig.module()
        rig.bridge()
        host = rig.terminal("host")
        assert host.ask("ATE0") == b"ATE0\r" + OK
        for end in (b"\r", b"\r\n", b"\n", b"\n\r"):
            host.say(b"AT" + end)
            assert host.until(OK) == OK
        host.say(b"at#tcp")
        host.say(b"port=1,")
        host.say(b"31000\r")
        assert host.until(OK) == OK
        assert "31000" in host.answer("AT#VTCP")
        host.say(b"\x03\x03\x03AT\r")
        assert host.until(OK) == OK
        host.say(b"+++AT\r")
        assert host.until(OK) == OK

    def test_nonsense_never_harms(self, rig: Rig) -> None:
        rig.module()
        bridge = rig.bridge()
        host = rig.terminal("host")
        host.ask("ATE0")
        noise = random.Random(3)
        for _ in range(40):
            line = noise.randbytes(noise.randrange(1, 200)).translate(None, b"\r\n\x1a\x1b")
            host.say(b"AT" + line + b"\r")
            host.say(line + b"\r\n")
        host.say(b"AT#TCPSERV=" + b"x" * 5000 + b"\r")
        host.say(b'AT#APNSERV="unfinished\r')
        host.say(b"\x1b\x1a\r")
        host.say(b"ATE0V1Q0\r")
        host.say(b"AT#TCPPORT=2,5151;#VTCP\r")
        host.until(b"5151", limit_s=60)
        assert host.until(OK).endswith(OK)
        assert host.answer("AT+CSQ").endswith(" | OK")
        assert bridge.process.poll() is None
        assert "Traceback" not in bridge.complaint()

    def test_rate(self, rig: Rig) -> None:
        rig.module()
        rig.bridge()
        host = rig.terminal("host")
        assert host.answer("AT+IPR=9600") == "OK"
        assert host.answer("AT+IPR?") == "+IPR: 9600 | OK"
        assert host.answer("AT") == "OK"


class TestRestart:
    """What survives what."""

    def test_parameters_survive_a_kill(self, rig: Rig) -> None:
        rig.module()
        bridge = rig.bridge("--state", rig.path("state"))
        host = rig.terminal("host")
        assert host.answer('AT#APNSERV="kept";#TCPPORT=2,4242') == "OK"
        bridge.process.kill()
        bridge.wait()
        host.close()
        Path(rig.path("host")).unlink(missing_ok=True)
        rig._open.remove(host)
        rig.bridge("--state", rig.path("state"))
        host = rig.terminal("host")
        assert '#APNSERV: "kept"' in host.answer("AT#VGPRS")
        assert "4242" in host.answer("AT#VTCP")
        assert host.answer("AT#DELFLASH") == "OK"
        assert '#APNSERV: "kept"' in host.answer("AT#VGPRS")
        assert host.answer("AT+CFUN=1") == "OK"
        assert "kept" not in host.answer("AT#VGPRS")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_ended_in_the_middle_of_data(self, rig: Rig, number: int) -> None:
        server = rig.server(hold)
        module = rig.module("--trace", rig.path("module.jsonl"))
        bridge = rig.bridge()
        host = rig.terminal("host")
        host.ask("ATE0")
        host.ask('AT#APNSERV="internet"')
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        point(host, server.port)
        opened(host)
        connection = server.arrived()
        host.say(b"before the end")
        assert read_exactly(connection, 14) == b"before the end"
        assert bridge.stop(number) == 0
        assert read_to_end(connection) == b""
        assert not os.path.lexists(rig.path("host"))
        fresh = rig.terminal("module")  # the module is in command mode, nothing is open
        assert fresh.answer("AT") in ("OK", "AT | OK")
        assert fresh.answer("AT+WIPCREATE?").endswith("OK")
        assert "+WIPREADY" not in fresh.seen.decode("latin-1")
        assert module.stop() == 0
        assert not os.path.lexists(rig.path("module"))

    def test_a_module_that_comes_late(self, rig: Rig) -> None:
        link = rig.path("module")
        module = rig.module()
        module.stop()
        with_nothing = rig.start(
            "bridge", "--host", f"pty:{rig.path('host')}", "--host-dialect", "edsoft", "--module", link,
            "--module-dialect", "wipsoft", ready=False,
        )  # fmt: skip
        assert with_nothing.wait() == 3
        assert "Traceback" not in with_nothing.complaint()
        assert len(with_nothing.complaint().strip().splitlines()) <= 2


class TestBadDay:
    """--fault of the virtual module, and what the host hears."""

    def test_a_bearer_that_is_refused(self, rig: Rig) -> None:
        rig.module("--fault", "bearer-refused")
        rig.bridge()
        host = rig.terminal("host")
        host.ask("ATE0")
        host.say(b"AT#CONNECTIONSTART\r")
        assert host.until(b"#CME ERROR: ").endswith(b"#CME ERROR: ")
        host.until(b"\r\n")
        assert host.answer("AT#VSTATE") == '#STATE: "IDLE" | OK'

    def test_a_module_that_falls_silent(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig, "--fault", "silent=+WIPCREATE:1", bridge=("--limit", "+WIPCREATE=2"))
        point(host, server.port)
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        assert host.answer("AT+CSQ").endswith("OK")

    def test_noise_on_the_line(self, rig: Rig) -> None:
        rig.module("--fault", "noise=40")
        rig.bridge()
        host = rig.terminal("host")
        host.ask("ATE0")
        for _ in range(20):
            assert host.answer("AT")


class TestTrace:
    """--trace, and the way to read it."""

    def test_both_sides_and_what_they_became(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig, bridge=("--trace", rig.path("trace.jsonl")))
        point(host, server.port)
        opened(host)
        host.say(b"hello")
        host.until(b"hello")
        host.say(b"\x03")
        host.until(OK)
        point(host, unused_port())
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38016"
        records = [json.loads(line) for line in Path(rig.path("trace.jsonl")).read_text().splitlines()]
        assert all(isinstance(record, dict) for record in records)
        kinds = {record.get("kind") for record in records}
        assert {"line", "request", "plan", "result"} <= kinds
        text = Path(rig.path("trace.jsonl")).read_text()
        assert "s3cret" not in text
        shown = rig.start("trace", "show", rig.path("trace.jsonl"), ready=False)
        assert shown.process.stdout is not None
        lanes = shown.process.stdout.read().decode()
        assert shown.wait() == 0
        assert "AT#OTCP=1" in lanes and "AT+WIPCREATE=2,1" in lanes and "38016" in lanes

    def test_follow_ends_with_a_signal(self, rig: Rig) -> None:
        rig.module("--trace", rig.path("trace.jsonl"))
        module = rig.terminal("module")
        module.answer("AT+CSQ")
        follower = rig.start("trace", "show", "--follow", rig.path("trace.jsonl"), ready=False)
        line = ""
        while "AT+CGMM" not in line:
            if not line:
                module.say(b"AT+CGMM\r")
            line = follower.line()
        assert follower.stop(signal.SIGINT) in (0, 130)


class TestOneSocket:
    """edsoft-2.10: no ids."""

    def test_open_and_close(self, rig: Rig) -> None:
        server = rig.server()
        host = up(rig, host_dialect="edsoft-2.10")
        assert host.answer(f'AT#TCPSERV="127.0.0.1";#TCPPORT={server.port}') == "OK"
        opened(host, "AT#OTCP")
        data = payload(10_000)
        assert host.stream(escape(data), escape(data)) == escape(data)
        host.say(b"\x03")
        assert host.until(OK) == CLOSED


class TestNative:
    """--native: no module at all."""

    def test_the_main_job(self, rig: Rig) -> None:
        server = rig.server()
        rig.native("--map", f"meter.example:80=127.0.0.1:{server.port}")
        host = rig.terminal("host")
        host.ask("ATE0")
        host.ask('AT#APNSERV="internet"')
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        point(host, 80, "meter.example")
        opened(host)
        data = payload(MIB)
        assert host.stream(escape(data), escape(data)) == escape(data)
        host.say(b"\x03")
        assert host.until(OK) == CLOSED

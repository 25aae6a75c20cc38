"""Bearers, ping, faults and other links, with the real programs."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.rig import LIMIT_S, Program, Rig, Terminal, hold, read_exactly

from gateway.native import icmp

OK = b"\r\nOK\r\n"


def host_on(rig: Rig, *module: str, bridge: tuple[str, ...] = ()) -> Terminal:
    """Module, bridge and a host without echo."""
    rig.module(*module)
    rig.bridge(*bridge)
    host = rig.terminal("host")
    assert host.ask("ATE0") == b"ATE0\r" + OK
    return host


class TestBearer:
    """Chapter 2 of the eDSoft manual."""

    def test_gsm(self, rig: Rig) -> None:
        host = host_on(rig)
        assert host.answer('AT#GPRSMODE=0;#DIALN1="0123456";#ISPUN="me";#ISPPW="pw"') == "OK"
        host.say(b"AT#CONNECTIONSTART\r")
        said = host.until(b"Ok_Info_PPP\r\n").decode()
        assert re.fullmatch(
            r"\r\nDIALING\r\n\r\n0123456\r\n(\r\nCONNECT \d+\r\n)?\r\n[\d.]+\r\n\r\nOk_Info_PPP\r\n", said
        )
        assert host.answer("AT#VSTATE") == '#STATE: "CONNECTED" | OK'
        assert host.answer("AT#DISPLAYIP").startswith("MY IP: ")
        assert host.answer("AT#CONNECTIONSTOP") == "OK"

    def test_gprs_framing_byte_for_byte(self, rig: Rig) -> None:
        host = host_on(rig)
        host.say(b"AT#CONNECTIONSTART\r")
        said = host.until(b"Activation\r\n").decode()
        assert re.fullmatch(r"\r\n\d+\.\d+\.\d+\.\d+\r\n\r\nOk_Info_GprsActivation\r\n", said)
        assert host.answer("AT#CONNECTIONSTART") == "#CME ERROR: 35840"

    def test_a_start_is_broken_off(self, rig: Rig) -> None:
        host = host_on(rig, "--fault", "bearer-slow=3")
        host.say(b"AT#CONNECTIONSTART\r")
        assert host.answer("AT#VSTATE") == '#STATE: "CHECKING" | OK'
        assert host.answer("AT#CONNECTIONSTOP") == "OK"
        due = time.monotonic() + LIMIT_S
        while (state := host.answer("AT#VSTATE")) != '#STATE: "IDLE" | OK':
            assert state == '#STATE: "DISCONNECTING" | OK'
            assert time.monotonic() < due
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Ok_Info_GprsActivation\r\n")

    def test_refused_and_then_it_works(self, rig: Rig) -> None:
        host = host_on(rig, "--fault", "bearer-refused=authentication:1")
        host.say(b"AT#CONNECTIONSTART\r")
        assert re.fullmatch(rb"\r\n#CME ERROR: \d{5}\r\n", host.until(b"ERROR: ") + host.until(b"\r\n"))
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Ok_Info_GprsActivation\r\n")

    def test_lost_in_a_data_phase(self, rig: Rig) -> None:
        server = rig.server(hold)
        host = host_on(rig, "--fault", "bearer-lost=2")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}') == "OK"
        host.say(b"AT#OTCP=1\r")
        host.until(b"WaitingForData\r\n")
        host.say(b"payload")
        assert read_exactly(server.arrived(), 7) == b"payload"
        assert re.fullmatch(rb"\x03\r\n#CME ERROR: \d{5}\r\n", host.until(b"ERROR: ") + host.until(b"\r\n"))
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 35867"


class TestPing:
    """Chapter 7."""

    def test_replies_and_losses(self, rig: Rig) -> None:
        host = host_on(rig, "--fault", "ping-loss=1")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        assert host.answer('AT#PINGREMOTE="127.0.0.1";#PINGNUM=2;#PINGDELAY=1') == "OK"
        host.say(b"AT#PING\r")
        said = host.until(OK).decode()
        able = asyncio.run(icmp.echo("127.0.0.1", 1, 1.0, 32, 64)) is not None
        first = r'"127\.0\.0\.1" is alive : time = \d+ ms' if able else r'NO answer from "127\.0\.0\.1"'
        assert re.fullmatch(rf'\r\n{first}\r\n\r\nNO answer from "127\.0\.0\.1"\r\n\r\nOK\r\n', said)

    def test_an_unknown_name(self, rig: Rig) -> None:
        host = host_on(rig, "--map", "nobody.example:*=")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        assert host.answer('AT#PINGREMOTE="nobody.example"') == "OK"
        assert host.answer("AT#PING") == "#CME ERROR: 38027"


class TestFaults:
    def test_a_module_that_restarts_in_the_middle(self, rig: Rig) -> None:
        server = rig.server()
        host = host_on(rig, "--fault", "restart=+WIPDATA")
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}') == "OK"
        assert re.fullmatch(r"#CME ERROR: \d{5}", host.answer("AT#OTCP=1", limit_s=40))
        deadline = time.monotonic() + 40
        while True:  # the host tries again, as hosts do
            host.say(b"AT#CONNECTIONSTART\r")
            said = host.until(b"Activation\r\n", b"ERROR: 35840\r\n", b"\r\n#CME ERROR: 35866\r\n", limit_s=40)
            if not said.endswith(b"35866\r\n"):
                break
            assert time.monotonic() < deadline
        host.say(b"AT#OTCP=1\r")
        host.until(b"WaitingForData\r\n")
        assert host.stream(b"works again", b"works again") == b"works again"

    def test_a_restart_is_told_by_the_boot_text_alone(self, rig: Rig) -> None:
        """FIELD, modules 4: of its sockets a module that has restarted knows nothing any more."""
        server = rig.server()
        rig.module("--fault", "restart=+CSQ")
        host = rig.terminal("module")
        assert host.answer("ATE0;+WIPCFG=1;+WIPBR=1,6;+WIPBR=4,6,0").endswith("OK")
        host.say(b'AT+WIPCREATE=2,1,"127.0.0.1",%d\r' % server.port)
        host.until(b"+WIPREADY: 2,1\r\n")
        host.say(b"AT+CSQ\r")
        lines = (b"13", b"1", b"16", b"3", b"4")
        boot = b"".join(b"\r\n+WIND: %s\r\n" % line for line in lines)
        assert host.until(b"+WIND: 4\r\n") == boot

    def test_slow_answers(self, rig: Rig) -> None:
        host = host_on(rig, "--fault", "slow=0.2")
        assert host.answer("AT+CSQ").endswith(" | OK")

    def test_a_connection_that_takes_too_long(self, rig: Rig) -> None:
        server = rig.server()
        host = host_on(rig, "--fault", "connect-slow=20", bridge=("--limit", "+WIPCREATE=1"))
        host.say(b"AT#CONNECTIONSTART\r")
        host.until(b"Activation\r\n")
        assert host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}') == "OK"
        host.say(b"AT#OTCP=1\r")
        host.say(b"\x03")  # and the host gives up
        assert host.until(OK, b"ERROR: ")
        assert host.answer("AT").endswith("OK")


class TestLinks:
    """CONTRACT, Links: the same bridge over other lines."""

    def test_host_on_a_tcp_listener(self, rig: Rig) -> None:
        rig.module()
        program = rig.start(
            "bridge", "--host", "tcp-listen://127.0.0.1:0", "--host-dialect", "edsoft", "--module", rig.path("module"),
            "--module-dialect", "wipsoft", ready=False,
        )  # fmt: skip
        line = program.wait_ready()
        port = int(re.search(r":(\d+)", line.split("tcp-listen://")[1])[1])  # type: ignore[index]
        with socket.create_connection(("127.0.0.1", port), LIMIT_S) as host:
            host.sendall(b"AT\r")
            assert read_exactly(host, 9) == b"AT\r\r\nOK\r\n"

    @pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
    def test_through_socat_on_both_sides(self, rig: Rig, tmp_path: Path) -> None:
        """The independent program makes the lines; the gateway opens them as devices."""
        ends = [str(tmp_path / name) for name in ("a", "host", "b", "module")]
        runs = [
            subprocess.Popen(["socat", f"PTY,rawer,link={left}", f"PTY,rawer,link={right}"])
            for left, right in (ends[:2], ends[2:])
        ]
        try:
            due = time.monotonic() + LIMIT_S
            while not all(Path(end).exists() for end in ends):
                assert time.monotonic() < due
                time.sleep(0.01)
            rig.module(link=ends[2])
            rig.start(
                "bridge", "--host", ends[1], "--host-dialect", "edsoft",
                "--module", ends[3], "--module-dialect", "wipsoft",
            )  # fmt: skip
            server = rig.server()
            host = rig.terminal("a")
            host.ask("ATE0")
            host.say(b"AT#CONNECTIONSTART\r")
            host.until(b"Activation\r\n")
            host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port}')
            host.say(b"AT#OTCP=1\r")
            host.until(b"WaitingForData\r\n")
            data = bytes(range(256)).replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03") * 40
            assert host.stream(data, data) == data
            host.say(b"\x03")
            host.until(OK)
        finally:
            for run in runs:
                run.terminate()
                run.wait()

    def test_a_module_that_goes_and_comes_back(self, rig: Rig) -> None:
        module = rig.module()
        rig.bridge()
        host = rig.terminal("host")
        host.ask("ATE0")
        assert host.answer("AT+CSQ").endswith(" | OK")
        module.stop()
        assert host.answer("AT+CSQ", limit_s=40).endswith("ERROR")
        rig.module()
        due = time.monotonic() + 40
        while not host.answer("AT+CSQ", limit_s=40).endswith("OK"):
            assert time.monotonic() < due, "the module did not come back"


class TestMistakes:
    """A mistake of the user's: one sentence, an exit code, never a traceback."""

    @pytest.mark.parametrize(
        ("arguments", "code", "says"),
        [
            (["bridge"], 2, "--host"),
            (["bridge", "--host", "pty:/tmp/x", "--host-dialect", "edsoft"], 2, "--native"),
            (["module", "--dialect", "wipsfot", "--link", "pty:/tmp/x"], 2, "wipsoft"),
            (["module", "--dialect", "wipsoft", "--link", "/dev/nowhere"], 3, "/dev/nowhere"),
            (["module", "--dialect", "wipsoft", "--link", "/dev/null?baudrate=fast"], 2, "baudrate"),
            (["module", "--dialect", "wipsoft", "--link", "pty:/nowhere/at/all"], 3, "/nowhere/at/all"),
            (["module", "--dialect", "wipsoft", "--link", "pty:/tmp/x", "--fault", "nois=3"], 2, "noise"),
            (["module", "--dialect", "wipsoft", "--link", "pty:/tmp/x", "--map", "x"], 2, "--map"),
            (["trace", "show", "/nowhere.jsonl"], 2, "/nowhere.jsonl"),
            (["nonsense"], 2, "nonsense"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
        command = [sys.executable, "-m", "gateway", *arguments]
        run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        assert run.returncode == code, run.stderr
        assert "Traceback" not in run.stderr
        assert says in run.stderr
        assert run.stderr.count("\n") <= 2
        with suppress(FileNotFoundError):
            Path("/tmp/x").unlink()


class TestResources:
    def test_memory_of_one_bridge(self, rig: Rig) -> None:
        rig.module()
        bridge: Program = rig.bridge()
        host = rig.terminal("host")
        host.answer("AT+CSQ")
        assert bridge.memory_mib() < 60

"""What a virtual module heard, told to whoever tests a host with it."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import Any

import pytest
from support.rig import Rig, Terminal, unused_port

SECRETS = ("apn-Pa55word", "4711")


def play(host: Terminal, port: int) -> None:
    """A host's minute: good lines and bad ones, a secret, a socket that works and one that does not."""
    for command, answer in (
        ("ATE0", "OK"),
        ("AT+CMEE=1;+CREG?", "+CREG: 0,1 | OK"),
        ("AT+CREG?", "+CREG: 0,1 | OK"),
        ('AT+CPIN="4711"', "OK"),
        ("AT+XYZ=1", "ERROR"),
        ("AT+WIPNONSENSE=1", "ERROR"),
        ("AT+WIPCFG=1;+WIPBR=1,6", "OK"),
        (f'AT+WIPBR=2,6,1,"{SECRETS[0]}"', "OK"),
        ("AT+WIPBR=4,6,0", "OK"),
        ("AT+WIPCFG=1", "+CME ERROR: 844"),
        (f'AT+WIPCREATE=2,2,"127.0.0.1",{unused_port()}', "OK"),
    ):
        assert host.answer(command) == answer, command
    host.until(b"+CME ERROR: 842\r\n")
    assert host.answer(f'AT+WIPCREATE=2,1,"127.0.0.1",{port}') == "OK"
    host.until(b"+WIPREADY: 2,1\r\n")
    host.ask("AT+WIPDATA=2,1,1", b"\r\nCONNECT\r\n")
    host.say(b"\x10\x10twelve bytes")  # an escaped DLE
    host.until(b"\x10\x10twelve bytes")


def test_at_a_signal(rig: Rig) -> None:
    """Without any option, and as often as is wanted; nothing is told before."""
    server = rig.server()
    module = rig.module("--log-level", "warning")
    host = rig.terminal("module")
    play(host, server.port)
    assert module.complaint() == ""
    module.process.send_signal(signal.SIGUSR1)
    text = module.says("open\n")
    assert re.fullmatch(
        rf"heard in [0-9.]+ s: 13 lines\n"
        rf"  commands\n"
        rf"    3  AT\+WIPBR=\n    2  AT\+CREG\?\n    2  AT\+WIPCFG=\n    2  AT\+WIPCREATE=\n"
        rf"    1  ATE\n    1  AT\+CMEE=\n.*"
        rf"  errors\n"
        rf"    1  ERROR  AT\+XYZ=1\n    1  ERROR  AT\+WIPNONSENSE=1\n"
        rf"    1  \+CME ERROR: 844  AT\+WIPCFG=1\n    1  \+CME ERROR: 842  \(later\)\n"
        rf"  not known\n    1  AT\+XYZ=1\n    1  AT\+WIPNONSENSE=1\n"
        rf"  sockets\n"
        rf"    TCP to 127\.0\.0\.1:\d+: 0 bytes from the host, 0 to it, not opened \(refused\)\n"
        rf"    TCP to 127\.0\.0\.1:{server.port}: 13 bytes from the host, 13 to it, open\n",
        text,
        re.DOTALL,
    ), text
    assert not any(secret in text for secret in SECRETS)
    module.process.send_signal(signal.SIGUSR1)
    assert module.says("open\n", 2).count("heard in") == 2
    assert module.stop() == 0


def test_as_it_happens_and_at_the_end(rig: Rig) -> None:
    server = rig.server()
    module = rig.module("--heard")
    host = rig.terminal("module")
    play(host, server.port)
    live = module.says("host < <DLE><DLE>twelve bytes")
    assert re.search(r"^ +\d+\.\d{3}  host > AT\+CREG\?$", live, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d{3}  host < \+CREG: 0,1 \| OK$", live, re.MULTILINE)
    assert "AT+WIPBR=2,6,1,***" in live
    assert "  = wants ConnectTcp" in live
    server.connections[-1].shutdown(socket.SHUT_RDWR)
    host.until(b"SHUTDOWN")
    host.say(b"+++")
    host.until(b"OK\r\n")
    assert host.answer("AT+WIPCLOSE=2,1").endswith("OK")
    host.say(b"AT+WIPBR=9")  # a line that does not end
    assert module.stop() == 0
    told = module.complaint()
    assert re.search(r"heard in [0-9.]+ s: 14 lines", told)
    assert f":{server.port}: 13 bytes from the host, 13 to it, closed by the host" in told
    assert not any(secret in told for secret in SECRETS)


def test_as_json(rig: Rig) -> None:
    module = rig.module("--heard", "--log-format", "json")
    play(rig.terminal("module"), rig.server().port)
    assert module.stop() == 0
    records: list[dict[str, Any]] = [json.loads(line) for line in module.complaint().splitlines()]
    (heard,) = (record for record in records if record.get("kind") == "heard")
    assert heard["lines"] == 13 and heard["commands"]["AT+CREG?"] == 2
    assert {"count": 1, "answer": "+CME ERROR: 844", "line": "AT+WIPCFG=1"} in heard["errors"]
    assert heard["sockets"][1]["sent_bytes"] == 13
    assert any(record.get("side") == "host" and record["data"].startswith("AT+CREG?") for record in records)
    assert not any(secret in module.complaint() for secret in SECRETS)


@pytest.mark.parametrize("command", ["AT+WIPCFG=1", "AT+CREG?"])
def test_what_is_never_answered(rig: Rig, command: str) -> None:
    module = rig.module("--fault", f"silent={command.removeprefix('AT')}", "--heard")
    host = rig.terminal("module")
    host.say(f"{command}\r".encode())
    assert host.answer("AT").endswith("OK")
    assert module.stop() == 0
    assert f"  not answered\n    1  {command}\n" in module.complaint()

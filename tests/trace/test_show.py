"""``at-gateway trace show``: a recorded session as two lanes, for people (CONTRACT, The program)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.rig import LIMIT_S, Program, Rig, Terminal
from support.user import ordinary_user

from gateway.cli.trace import command
from gateway.errors import InputError
from gateway.trace.show import Lanes, payload, read_records, visible

SECRET = "s3cret-word"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of a real session: an eDSoft host on a virtual WIPSoft module, with a socket that is refused."""
    folder = tmp_path_factory.mktemp("session")
    with Rig(folder) as rig:
        server = rig.server()
        rig.module("--map", f"meter.example:80=127.0.0.1:{server.port}", "--map", "nowhere.example:*=")
        bridge = rig.bridge("--trace", rig.path("trace.jsonl"))
        host = rig.terminal("host")
        assert host.answer("ATE0").endswith("OK")
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 35867"
        for line in (f'#APNSERV="internet";#APNPW="{SECRET}"', '#TCPSERV=1,"meter.example";#TCPPORT=1,80', "+CSQ"):
            assert host.answer("AT" + line).endswith("OK")
        host.ask("AT#CONNECTIONSTART", b"Activation\r\n")
        assert host.answer('AT#TCPSERV=2,"meter.example";#OTCP=2') == "#CME ERROR: 34882"
        host.ask("AT#OTCP=1", b"WaitingForData\r\n")
        host.say(b"hello meter")
        host.until(b"hello meter")
        host.say(b"\x03")
        host.until(b"\r\nOK\r\n")
        assert host.answer('AT#TCPSERV=1,"nowhere.example"') == "OK"
        assert host.answer("AT#OTCP=1") == "#CME ERROR: 38027"
        assert host.answer("AT#NONSENSE").startswith("#CME ERROR")
        assert SECRET in host.answer("AT#VGPRS")
        assert bridge.stop() == 0
    return folder / "trace.jsonl"


def show(*arguments: str | Path) -> Result:
    """Run ``trace show``."""
    return CliRunner().invoke(command, ["show", *map(str, arguments)])


def records(path: Path) -> list[dict[str, Any]]:
    """All of a trace."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestRealSession:
    def test_every_line_is_a_record(self, session: Path) -> None:
        """Bytes of a link, or something with a kind; with the time since the session began."""
        head, *others = records(session)
        assert head["kind"] == "session" and head["host"] == "edsoft-3.02" and head["module"] == "wipsoft-5.57"
        for record in others:
            assert isinstance(record["t"], float) and 0 <= record["t"] < 120
            if "side" in record:
                assert set(record) == {"t", "side", "dir", "data"}
                assert record["side"] in ("host", "module") and record["dir"] in ("in", "out")
                assert isinstance(record["data"], str) and record["data"]
            else:
                assert isinstance(record["kind"], str)

    def test_what_was_said_and_what_it_became(self, session: Path) -> None:
        """DESIGN 2: every input and effect of a session."""
        kinds = {record.get("kind") for record in records(session)}
        assert {"line", "request", "plan", "command", "answer", "result", "refused", "failed", "phase"} <= kinds
        lines = [record["what"] for record in records(session) if record.get("kind") == "line"]
        assert "#OTCP=1" in lines and "+CSQ" in lines

    def test_no_secret(self, session: Path) -> None:
        """Neither where it was set, nor in the display, nor in what the module got."""
        text = session.read_text()
        assert SECRET not in text
        assert "#APNPW: ***" in text

    def test_two_lanes(self, session: Path) -> None:
        """The host on the left, the module on the right, what one became between them."""
        result = show(session)
        assert result.exit_code == 0 and result.stderr == ""
        lines = result.stdout.splitlines()
        assert lines[0].split() == ["seconds", "HOST", "MODULE"]
        module_at = lines[0].index("MODULE")
        host = [line for line in lines if " host " in line[:20]]
        module = [line for line in lines if line[module_at:].startswith("module ")]
        assert any("host > AT#OTCP=1" in line for line in host)
        assert any("host < Ok_Info_WaitingForData" in line for line in host)
        assert any("host < #CME ERROR: 38027" in line for line in host)
        assert any('module > AT+WIPCREATE=2,1,"meter.example",80' in line for line in module)
        assert any("module < " in line and "+WIPREADY: 2,1" in line for line in module)
        assert any("hello meter" in line for line in host) and any("hello meter" in line for line in module)
        text = result.stdout
        first = text.rindex("host > AT#OTCP=1", 0, text.index("wants ConnectTcp"))
        assert first < text.index("wants ConnectTcp") < text.index("module > AT+WIPCREATE=2,1")
        assert "composed" in text or "native" in text
        assert "! failed: name_not_resolved" in text
        assert "= the module's way: " in text, "which data mode was taken, and why"
        assert SECRET not in text

    def test_what_is_in_the_way(self, session: Path) -> None:
        """A number like 34882 has many reasons: which of them it was stands there."""
        text = show(session).stdout
        assert "! failed: no_bearer (no #CONNECTIONSTART before it)" in text
        assert "! failed: bad_value (#TCPPORT is not set)" in text

    def test_nothing_but_printable_ascii(self, session: Path) -> None:
        """A trace must not set a terminal's colours."""
        text = show(session).stdout
        assert all(character == "\n" or 32 <= ord(character) < 127 for character in text)

    def test_as_json(self, session: Path) -> None:
        """Record by record what stands in the file, for other programs."""
        result = show("--format", "json", session)
        assert [json.loads(line) for line in result.stdout.splitlines()] == records(session)

    @pytest.mark.parametrize("width", [60, 200])
    def test_width(self, session: Path, width: int) -> None:
        lines = show("--width", str(width), session).stdout.splitlines()
        assert lines[0].index("MODULE") == 10 + (width - 10) // 2

    @pytest.mark.parametrize("width", ["59", "401", "wide"])
    def test_a_wrong_width(self, session: Path, width: str) -> None:
        result = show("--width", width, session)
        assert result.exit_code == 2 and "--width" in result.stderr

    def test_by_the_program(self, session: Path, tmp_path: Path) -> None:
        """``python -W error -m gateway trace show``, and with a reader that goes away."""
        program = Program(tmp_path, "trace", "show", str(session))
        assert program.process.stdout is not None
        assert b"AT#OTCP=1" in program.process.stdout.read()
        assert (program.wait(), program.complaint()) == (0, "")
        program.close()
        many = tmp_path / "many.jsonl"
        many.write_text(session.read_text() * 200)
        program = Program(tmp_path, "trace", "show", str(many))
        assert "seconds" in program.line()
        assert program.process.stdout is not None
        program.process.stdout.close()
        program.wait()
        assert "Traceback" not in program.complaint()


class Follower:
    """A program that follows a trace; what it prints is read line by line."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.path = path
        self.program = Program(folder, "trace", "show", "--follow", str(path))
        assert self.program.process.stdout is not None
        self._out = Terminal(fd=os.dup(self.program.process.stdout.fileno()))

    def line(self) -> str:
        """The next one."""
        return self._out.until(b"\n").decode()

    def close(self) -> None:
        self._out.close()
        self.program.close()


class TestFollowing:
    @pytest.fixture
    def follower(self, tmp_path: Path) -> Iterator[Follower]:
        """One that has shown a trace with only its head."""
        path = tmp_path / "trace.jsonl"
        path.write_text('{"kind": "session", "at": "now", "host": "a", "module": "b"}\n')
        follower = Follower(tmp_path, path)
        try:
            assert "seconds" in follower.line()
            assert "session of now" in follower.line()
            yield follower
        finally:
            follower.close()

    def test_what_is_added_is_shown(self, follower: Follower) -> None:
        """Also a record that is written in two halves."""
        with follower.path.open("a") as file:
            file.write('{"t": 1.0, "side": "host", "dir": "in", "data": "AT\\r"}\n')
            file.flush()
            assert "host > AT" in follower.line()
            file.write('{"t": 2.0, "side": "host", "di')
            file.flush()
            file.write('r": "out", "data": "\\r\\nOK\\r\\n"}\n')
            file.flush()
            assert "host < OK" in follower.line()

    def test_half_a_record_waits_for_the_rest(self, tmp_path: Path) -> None:
        path = tmp_path / "trace.jsonl"
        path.write_text('{"kind": "session"}\n{"t": 1, "kind": "no')
        stops = iter([False, True, True])

        def stopped() -> bool:
            if next(stops):
                return True
            with path.open("a") as file:
                file.write('te"}\n')
            return False

        assert list(read_records(path, True, stopped)) == [{"kind": "session"}, {"t": 1, "kind": "note"}]

    def test_interrupted(self, follower: Follower) -> None:
        assert follower.program.stop(signal.SIGINT) == 0
        assert follower.program.complaint() == ""

    def test_a_wrong_line_ends_it(self, follower: Follower) -> None:
        with follower.path.open("a") as file:
            file.write("nonsense\n")
        assert follower.program.wait() == 2
        assert f"{follower.path}:2:1" in follower.program.complaint()
        assert "Traceback" not in follower.program.complaint()


class TestDamage:
    """A mistake of the user's never shows a traceback; the message names file and line."""

    def told(self, path: Path, *wanted: str) -> str:
        """The sentence about a file that cannot be shown; what is shown before it."""
        result = show(path)
        assert isinstance(result.exception, InputError), repr(result.exception)
        message = str(result.exception)
        assert str(path) in message and "\n" not in message
        for text in wanted:
            assert text in message
        return result.stdout

    def test_a_half_last_line(self, session: Path, tmp_path: Path) -> None:
        """A gateway that was killed: everything before is shown, then the line that is damaged is named."""
        path = tmp_path / "half.jsonl"
        text = session.read_text()
        path.write_text(text + '{"t": 9.0, "side": "host", "dir": "in", "da')
        assert self.told(path, f":{len(text.splitlines()) + 1}:") == show(session).stdout

    def test_a_wrong_line_in_the_middle(self, session: Path, tmp_path: Path) -> None:
        path = tmp_path / "damaged.jsonl"
        lines = session.read_text().splitlines()
        path.write_text("\n".join([*lines[:5], lines[5][:20], *lines[6:]]) + "\n")
        assert "session of" in self.told(path, ":6:1")

    @pytest.mark.parametrize("text", ["no trace\n", "[1, 2]\n", '"text"\n', "17\n", '{"a": 1}\n', "\x00\x01\n"])
    def test_no_trace(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "file"
        path.write_text(text)
        self.told(path, ":1:1")

    def test_a_binary_file(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"\x7fELF\xd0\xff\n" * 10)
        self.told(path, ":1:")

    @pytest.mark.parametrize(
        "record",
        [
            {"side": "host"},
            {"t": 1.0, "side": "host", "dir": "in"},
            {"t": 1.0, "side": "host", "dir": "sideways", "data": "AT"},
            {"t": "soon", "side": "host", "dir": "in", "data": "AT"},
            {"t": 1.0, "side": "host", "dir": "in", "data": 17},
            {"t": 1.0, "kind": "plan"},
            {"t": 10**400, "side": "host", "dir": "in", "data": "AT"},
            {"t": 1.0, "side": ["host"], "dir": "in", "data": "AT"},
            {"kind": ["list"], "side": "host"},
            {"kind": ["list"]},
        ],
    )
    def test_a_record_with_something_missing(self, tmp_path: Path, record: dict[str, Any]) -> None:
        path = tmp_path / "file"
        path.write_text('{"kind": "session"}\n' + json.dumps(record) + "\n")
        self.told(path, ":2:1")

    def test_a_line_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A device, or something else of any size, is not read until memory is full."""
        monkeypatch.setattr("gateway.trace.show.RECORD_LIMIT_BYTES", 50)
        path = tmp_path / "file"
        path.write_text('{"kind": "session"}\n' + "x" * 100)
        self.told(path, ":2:1")

    def test_a_line_that_is_nested_without_end(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_text('{"kind": "session"}\n' + "[" * 100_000 + "\n")
        self.told(path, ":2:1")

    def test_an_end_point_with_something_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_text('{"kind": "event", "what": "Odd", "value": {"peer": {"host": "a"}}}\n')
        assert "Odd" in show(path).stdout

    def test_an_empty_file(self, tmp_path: Path) -> None:
        """A session that has just begun: nothing to show, nothing wrong."""
        path = tmp_path / "empty"
        path.write_text("")
        assert show(path).exit_code == 0
        path.write_text("\n\n")
        assert show(path).exit_code == 0

    def test_no_such_file(self, tmp_path: Path) -> None:
        self.told(tmp_path / "nowhere.jsonl", "No such file or directory")

    def test_a_folder(self, tmp_path: Path) -> None:
        result = show(tmp_path)
        assert result.exit_code == 2 and str(tmp_path) in result.stderr

    def test_a_file_that_may_not_be_read(self) -> None:
        with ordinary_user() as folder:
            path = folder / "file"
            path.write_text("")
            path.chmod(0)
            self.told(path, "Permission denied")

    def test_exit_code(self, tmp_path: Path) -> None:
        """2: the input is wrong; one sentence."""
        path = tmp_path / "file"
        path.write_text("no trace\n")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "gateway", "trace", "show", str(path)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(f"at-gateway: {path}:1:1: ")


class TestSigns:
    """How bytes are shown."""

    @pytest.mark.parametrize(
        ("data", "shown"),
        [
            ("AT\r", "AT"),
            ("\r\nOK\r\n", "OK"),
            ("\r\n+CSQ: 17,99\r\n\r\nOK\r\n", "+CSQ: 17,99 | OK"),
            ("\r\n", "<line end>"),
            ("text\x1a", "text<Ctrl-Z>"),
            ("\x1b", "<ESC>"),
            ("a\x10\x03b\x03", "a<DLE><ETX>b<ETX>"),
            ("\x00\x7f\xff", "\\x00\\x7f\\xff"),
        ],
    )
    def test_lines(self, data: str, shown: str) -> None:
        assert visible(data) == shown

    @pytest.mark.parametrize(
        ("data", "shown"),
        [
            ("hello", "hello"),
            ("a\r\nb", "a\\x0d\\x0ab"),
            ("x" * 20, "x" * 20),
            ("x" * 21, "x" * 20 + "... (21 bytes)"),
            ("y" * 5000, "y" * 20 + "... (5000 bytes)"),
        ],
    )
    def test_payload(self, data: str, shown: str) -> None:
        assert payload(data) == shown

    def test_payload_is_told_from_lines_by_the_phase(self) -> None:
        lanes = Lanes()

        def line(data: str) -> str:
            (shown,) = lanes.lines({"t": 0.5, "side": "host", "dir": "in", "data": data})
            return shown

        long = "z" * 30 + "\r"
        assert line(long).endswith("host > " + "z" * 30)
        assert list(lanes.lines({"kind": "phase", "what": "open"})) == []
        assert line(long).endswith("... (31 bytes)")
        assert list(lanes.lines({"kind": "phase", "what": "closed"})) == []
        assert line(long).endswith("host > " + "z" * 30)

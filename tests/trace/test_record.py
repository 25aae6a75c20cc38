"""The format of a trace: one JSON object a line (gateway/trace/record.py)."""

from __future__ import annotations

import gc
import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.cuts import bytewise

from gateway.dialect import registry
from gateway.errors import InputError
from gateway.trace.mask import Masker
from gateway.trace.record import PIECE_BYTES, Recorder, TraceFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the trace is."""
    return tmp_path / "trace.jsonl"


def recorder(path: Path, **head: Any) -> Recorder:
    """A recorder without dialects."""
    return Recorder([TraceFile(path)], Masker(), head)


def read(path: Path) -> list[dict[str, Any]]:
    """All records; each line must be an object of its own."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    records = [json.loads(line) for line in text.split("\n")[:-1]]
    assert all(isinstance(record, dict) for record in records)
    return records


def test_the_head(path: Path) -> None:
    """When it began, and what was between what."""
    recorder(path, version="1.0", host="edsoft-3.02", module="wipsoft-5.57").close()
    (head,) = read(path)
    assert head["kind"] == "session"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", head["at"])
    assert (head["version"], head["host"], head["module"]) == ("1.0", "edsoft-3.02", "wipsoft-5.57")


def test_bytes_of_both_links_both_ways(path: Path) -> None:
    tape = recorder(path)
    for side in ("host", "module"):
        for direction in ("in", "out"):
            tape.data(side, direction, f"{side} {direction}\r".encode(), lines=True)
    tape.close()
    records = read(path)[1:]
    assert [(record["side"], record["dir"], record["data"]) for record in records] == [
        ("host", "in", "host in\r"),
        ("host", "out", "host out\r"),
        ("module", "in", "module in\r"),
        ("module", "out", "module out\r"),
    ]
    assert all(set(record) == {"t", "side", "dir", "data"} for record in records)


def test_every_byte_value(path: Path) -> None:
    """Latin-1: a character is a byte; line ends of any kind stay within their record."""
    tape = recorder(path)
    every = bytes(range(256))
    tape.data("host", "in", every, lines=False)
    tape.data("module", "in", every, lines=True)
    tape.close()
    records = read(path)[1:]
    assert records[0]["data"].encode("latin-1") == every
    assert "".join(record["data"] for record in records[1:]).encode("latin-1") == every


@pytest.mark.parametrize(
    "kind",
    [
        "line", "request", "plan", "command", "answer", "heard", "result", "event", "failed", "phase", "module_phase",
        "finding", "note",
    ],
)  # fmt: skip
def test_every_kind(path: Path, kind: str) -> None:
    """Everything else has a ``kind``, a time, and its fields as JSON can have them."""
    tape = recorder(path)
    tape.note(kind, {"what": "thing", "value": {"a": (1, 2)}, "flag": True, "nothing": None, "data": b"\xff"})
    tape.close()
    record = read(path)[1]
    assert record.pop("t") >= 0
    assert record == {
        "kind": kind,
        "what": "thing",
        "value": {"a": [1, 2]},
        "flag": True,
        "nothing": None,
        "data": "\xff",
    }


def test_a_name_that_is_no_text(path: Path) -> None:
    """A file's name may have any bytes; JSON has a way to write them."""
    tape = recorder(path)
    tape.note("finding", {"new": "pty:/tmp/\udcff"})
    tape.close()
    assert read(path)[1]["new"] == "pty:/tmp/\udcff"


def test_time_goes_on(path: Path) -> None:
    tape = recorder(path)
    for number in range(50):
        tape.note("note", {"what": str(number)})
    tape.close()
    times = [record["t"] for record in read(path)[1:]]
    assert times == sorted(times) and all(0 <= time < 60 for time in times)


def test_command_mode_is_recorded_by_lines(path: Path) -> None:
    """However the bytes came, a record ends with a line."""
    tape = recorder(path)
    for byte in bytewise(b"AT\rAT+CSQ\r\nAT+CM"):
        tape.data("host", "in", byte, lines=True)
    assert [record["data"] for record in read(path)[1:]] == ["AT\r", "AT+CSQ\r", "\n"]
    tape.data("host", "in", b'GS="1"\rtext\x1a', lines=True)
    assert [record["data"] for record in read(path)[4:]] == ['AT+CMGS="1"\rtext\x1a']
    tape.close()


def test_the_beginning_of_a_line_is_not_lost_at_the_end(path: Path) -> None:
    tape = recorder(path)
    tape.data("host", "in", b"AT+C", lines=True)
    tape.data("module", "in", b"> ", lines=True)
    tape.close()
    assert [record["data"] for record in read(path)[1:]] == ["AT+C", "> "]


def test_payload_is_recorded_as_it_came(path: Path) -> None:
    """What was typed before a data phase stands before its payload."""
    tape = recorder(path)
    tape.data("host", "in", b"begin", lines=True)
    tape.data("host", "in", b"pay", lines=False)
    tape.data("host", "in", b"load\r\n", lines=False)
    tape.close()
    assert [record["data"] for record in read(path)[1:]] == ["begin", "pay", "load\r\n"]


def test_a_line_without_end_does_not_grow_for_ever(path: Path) -> None:
    """Every buffer has a limit (DESIGN 4)."""
    tape = recorder(path)
    for _ in range(8):
        tape.data("host", "in", b"x" * 1000, lines=True)
    assert sum(len(record.get("data", "")) for record in read(path)) >= 8000 - PIECE_BYTES
    tape.close()
    assert sum(len(record.get("data", "")) for record in read(path)) == 8000


def test_what_happened_is_there_before_the_session_ends(path: Path) -> None:
    """``trace show --follow``, and a program that is killed: nothing waits in a buffer."""
    tape = recorder(path)
    tape.note("note", {"what": "now"})
    assert read(path)[1]["what"] == "now"
    tape.close()


def test_closed(path: Path) -> None:
    """Whatever still comes is nobody's, and does no harm."""
    tape = recorder(path)
    tape.close()
    tape.close()
    tape.note("note", {"what": "late"})
    tape.data("host", "in", b"late\r", lines=True)
    assert len(read(path)) == 1


def test_one_session_behind_the_other(path: Path) -> None:
    """As the files of loggers are: a start does not throw away what was there."""
    for name in ("first", "second"):
        tape = recorder(path, host=name)
        tape.note("note", {"what": name})
        tape.close()
    assert [record.get("host", record.get("what")) for record in read(path)] == ["first", "first", "second", "second"]


def test_a_record_that_was_cut_off(path: Path) -> None:
    """The power went in the middle of it: it is no record, and the next session's are."""
    recorder(path, host="first").close()
    with path.open("a") as file:
        file.write('{"t": 1.5, "side": "ho')
    recorder(path, host="second").close()
    assert [record["host"] for record in read(path)] == ["first", "second"]


@pytest.mark.parametrize("text", ["precious\n", "precious", '{"a": 1}\n'])
def test_somebody_elses_file(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match="no trace"):
        recorder(path)
    assert path.read_text() == text


def test_a_file_without_anything(path: Path) -> None:
    path.touch()
    recorder(path, host="first").close()
    assert len(read(path)) == 1


@pytest.mark.parametrize("where", ["nowhere/trace", ""])
def test_a_place_that_cannot_be_written(tmp_path: Path, where: str) -> None:
    with pytest.raises(InputError) as caught:
        recorder(tmp_path / where)
    assert str(tmp_path / where) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
class TestFullDisk:
    """A session is worth more than its trace."""

    def test_it_goes_on(self) -> None:
        tape = recorder(Path("/dev/full"))
        tape.note("note", {"what": "lost"})
        tape.data("host", "in", b"AT\r", lines=True)
        tape.close()

    def test_it_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        """Whoever looks for the trace must be able to find out why there is none (DESIGN 5)."""
        recorder(Path("/dev/full")).close()
        gc.collect()
        assert "/dev/full" in caplog.text


def test_masked_before_it_is_written(path: Path) -> None:
    """Bytes and notes, and the head too goes through no other door."""
    tape = Recorder([TraceFile(path)], Masker(registry.load("edsoft-3.02").tables), {})
    tape.data("host", "in", b'AT#APNPW="s3cret-word"\r', lines=True)
    tape.note("line", {"what": '#APNPW="s3cret-word"'})
    tape.note("heard", {"text": "the word is s3cret-word"})
    tape.close()
    assert "s3cret" not in path.read_text()
    assert len(read(path)) == 4

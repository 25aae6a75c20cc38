"""A recorded session for people: the host on the left, the module on the right, between them what one became."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gateway.errors import InputError

WIDTH = 110
_SIGNS = {13: "", 10: "", 3: "<ETX>", 16: "<DLE>", 26: "<Ctrl-Z>", 27: "<ESC>"}
_RESULT = re.compile(r"(?:\r\n[+\w][^\r\n]{1,60}\r\n)+")
RECORD_LIMIT_BYTES = 1 << 24
"""A line beyond this is none of a trace, whose records are of what a link carries at once."""
LATEST_S = 1e9
"""A time beyond this is none of a session."""
_USUAL = (("family", "four"), ("secure", False), ("answers", False))
"""Fields that are only worth a word when they are otherwise."""
SHOWN_BYTES = 20
"""Payload beyond this is shown by its length."""


def visible(data: str) -> str:
    """Text with its control characters made visible; line ends become a bar where lines go on."""
    lines = [line for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line]
    shown = " | ".join(lines) if lines else "<line end>"
    return "".join(_sign(character) for character in shown)


def _sign(character: str) -> str:
    number = ord(character)
    if number in _SIGNS:
        return _SIGNS[number]
    return character if 32 <= number < 127 else f"\\x{number:02x}"


def payload(data: str) -> str:
    """Payload: as it is when it is short text, else its length and its beginning."""
    shown = "".join(_sign(character) or f"\\x{ord(character):02x}" for character in data[:SHOWN_BYTES])
    return shown if len(data) <= SHOWN_BYTES else f"{shown}... ({len(data)} bytes)"


class Lanes:
    """Turns records into lines of two lanes."""

    def __init__(self, width: int = WIDTH) -> None:
        self._lane = (width - 10) // 2
        self._module_at = 10 + self._lane
        self._data = {"host": False, "module": False}
        self._wanted = ""

    def head(self) -> str:
        """The title of the lanes."""
        return f"{'seconds':>8}  {'HOST':<{self._lane}}MODULE"

    def lines(self, record: dict[str, Any]) -> Iterator[str]:
        """The lines of one record; none for records that only repeat what the bytes show."""
        wanted, self._wanted = self._wanted, ""
        if record.get("kind") == "plan":
            yield f"{'':>8}  {wanted or '  = ' + str(record.get('what', ''))}: {record['way']}"
            return
        if wanted:
            yield f"{'':>8}  {wanted}"
        if record.get("kind") == "request":
            self._wanted = f"  = wants {record.get('what', '')}{_fields(record.get('value'))}"
            return
        if "side" in record:
            yield self._bytes(record)
            return
        kind = record.get("kind", "")
        if kind == "session":
            self._data = {"host": False, "module": False}
        self._phases(kind, record)
        text = self._text(kind, record)
        if text:
            yield f"{'':>8}  {text}"

    def _phases(self, kind: str, record: dict[str, Any]) -> None:
        if kind == "phase":
            self._data["host"] = record.get("what") == "open"
        elif kind == "module_phase" and "reason" not in record:
            self._data["module"] = record.get("what") == "open"

    def _bytes(self, record: dict[str, Any]) -> str:
        side, data = record["side"], record["data"]
        arrow = {"in": ">", "out": "<"} if side == "host" else {"out": ">", "in": "<"}
        shown = payload(data) if self._data[side] and not _RESULT.fullmatch(data) else visible(data)
        lane = "" if side == "host" else " " * self._lane
        return f"{record['t']:8.3f}  {lane}{side} {arrow[record['dir']]} {shown}"

    def _text(self, kind: str, record: dict[str, Any]) -> str:
        what = str(record.get("what", ""))
        match kind:
            case "session":
                module = record.get("module", "native")
                return f"session of {record.get('at', '')}: host {record.get('host', '-')}, module {module}"
            case "refused":
                expected = record.get("expected", "")
                return f"  ! refused: {what}" + (f", expected {expected}" if expected else "")
            case "failed" if "said" in record:
                cause, original = record.get("cause", what), record.get("original", "")
                why = str(record.get("why", "")) or (f"module: {original}" if original else "")
                return f"  ! failed: {cause}" + (f" ({why})" if why else "")
            case "event":
                return f"  * {what}{_fields(record.get('value'))}"
            case "finding":
                return f"  ! finding: {what}: {record.get('old', '')} {record.get('new', '')}".rstrip()
            case "limit":
                return f"  ! no answer within the limit: {visible(str(record.get('text', '')))}"
            case "module":
                return f"  * the module is {what}"
            case "boot":
                return "  * the module seems to have restarted"
            case "module_phase" if "reason" in record:
                return f"  = the module's way: {what}; {record['reason']}"
            case "module_phase" if what == "mark":
                return f"  * the module's data mode shows {visible(str(record.get('mark', '')))}"
            case _:
                return ""


class Printed:
    """A sink of records for people that watch: in lanes, or without any the records themselves."""

    def __init__(self, say: Callable[[str], None], lanes: Lanes | None) -> None:
        self._say = say
        self._lanes = lanes

    def write(self, record: dict[str, Any]) -> None:
        """One more record."""
        if self._lanes is None:
            self._say(json.dumps(record, ensure_ascii=False))
            return
        for line in self._lanes.lines(record):
            self._say(line)

    def close(self) -> None:
        """Nothing waits."""


def _fields(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    shown = []
    for key, item in value.items():
        end_point = isinstance(item, dict) and "host" in item and "port" in item
        text = f"{item['host']}:{item['port']}" if end_point else str(item)
        if item not in ("", None, [], {}) and (key, item) not in _USUAL:
            shown.append(f"{key}={text}")
    return f" ({', '.join(shown)})" if shown else ""


def read_records(path: Path, follow: bool, stopped: Callable[[], bool] = lambda: False) -> Iterator[dict[str, Any]]:
    """The records of a trace; with ``follow`` also those that are still to come.

    Raises :class:`InputError` for a file that is none, with the line that is wrong.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read the trace {path}: {error.strerror}") from error
    with file:
        number, partial = 0, b""
        while True:
            partial += _piece(path, file)
            if len(partial) > RECORD_LIMIT_BYTES:
                raise InputError("is no trace: a line without end", file=str(path), line=number + 1, column=1)
            if not partial.endswith(b"\n"):
                if not follow or stopped():
                    if partial.strip():
                        yield _record(path, number + 1, partial)
                    return
                time.sleep(0.1)
                continue
            number += 1
            line, partial = partial, b""
            if line.strip():
                yield _record(path, number, line)


def _piece(path: Path, file: BinaryIO) -> bytes:
    try:
        return file.readline(RECORD_LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the trace {path}: {error.strerror}") from error


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not _is_whole(record):
        raise InputError("is not a record of a trace", file=str(path), line=number, column=1)
    return record


def _is_whole(record: dict[str, Any]) -> bool:
    """Whether a record has what every record of its sort has: see gateway/trace/record.py."""
    if "side" in record:
        time_s = record.get("t")
        return (
            record["side"] in ("host", "module")
            and record.get("dir") in ("in", "out")
            and isinstance(time_s, int | float)
            and abs(time_s) < LATEST_S
            and isinstance(record.get("data"), str)
            and "kind" not in record
        )
    kind = record.get("kind")
    return isinstance(kind, str) and (kind != "plan" or isinstance(record.get("way"), str))

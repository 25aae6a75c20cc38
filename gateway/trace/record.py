"""Recording: one JSON object a line, in the order in which it happened; sessions one behind the other, each begun by its
record ``session``.

``t`` is seconds since the session began. ``side`` and ``dir`` with ``data`` are bytes of a link, as Latin-1 text;
everything else has a ``kind``: session, line, request, plan, command, answer, heard, result, event, failed, phase,
module_phase, finding, note. In command mode bytes are recorded by lines, so that a secret is never cut in two.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

from gateway.errors import InputError
from gateway.trace.mask import TAKEN_BACK, Masker
from gateway.wire.command import ABANDON_S
from gateway.wire.settings import ETX, SUB, LineSettings

log = logging.getLogger("gateway.trace")
PIECE_BYTES = 4096
"""A line that grows beyond this is recorded in pieces; no command is so long."""
_HEAD_BYTES = 1 << 16
_CUT_BYTES = 1 << 20
"""At the end of a file so many bytes are looked at for the end of its last record."""
_Way = tuple[str, str]
"""Side and direction."""
_TYPED: _Way = ("host", "in")


@dataclass(slots=True)
class _Held:
    """The beginning of a line whose end has not come yet."""

    begun_s: float
    heard_s: float
    data: bytearray = field(default_factory=bytearray)
    endless: bool = False
    """It is a command that has grown too long, and its beginning is recorded: what is still to come may be a secret."""


class TraceFile:
    """A file of records; sessions stand one behind the other. Never raises for a full disk: a session is worth more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            _make_ready(path)
            self._file: TextIO | None = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        except OSError as error:
            raise InputError(f"cannot write the trace {path}: {error.strerror}") from error

    def write(self, record: dict[str, Any]) -> None:
        """One more record."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("the trace %s cannot be written and ends here: %s", self._path, error.strerror)
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                file.close()

    def close(self) -> None:
        """That was all."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


class Sink(Protocol):
    """Where records go."""

    def write(self, record: dict[str, Any]) -> None:
        """One more record, without secrets."""

    def close(self) -> None:
        """That was all."""


class Recorder:
    """Makes the records of a session, for each of its sinks."""

    def __init__(self, sinks: Sequence[Sink], masker: Masker, head: dict[str, Any]) -> None:
        self._sinks = sinks
        self._masker = masker
        self._begun_s = time.monotonic()
        self._held: dict[_Way, _Held] = {}
        self._settings = {"host": LineSettings(), "module": LineSettings()}
        self._write({"kind": "session", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **head})

    def follow(self, settings: LineSettings) -> None:
        """The host's settings, as they are and will be: S3 to S5 say what a line of the host's is."""
        self._settings["host"] = settings

    def data(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        """Bytes of a link; ``lines``: in command mode."""
        way = (side, direction)
        if lines and way != ("module", "out"):  # commands for the module are written whole
            self._by_lines(way, data)
            return
        self._flush(way)
        at = self._command_behind(data) if way == _TYPED else len(data)
        if data[:at]:
            self._bytes(self._now(), way, data[:at])
        if data[at:]:
            self._by_lines(way, data[at:])

    def note(self, kind: str, values: dict[str, Any]) -> None:
        """What bytes became."""
        self._write({"t": self._now(), "kind": kind, **self._masker.plain(values)})

    def close(self) -> None:
        """The session is over."""
        for way in list(self._held):
            self._flush(way)
        for sink in self._sinks:
            sink.close()

    def _by_lines(self, way: _Way, data: bytes) -> None:
        now = self._now()
        held = self._held.get(way)
        if held is not None and way == _TYPED and now - held.heard_s >= ABANDON_S:  # the modem has given it up
            self._flush(way)
            held = None
        if held is None:
            held = self._held[way] = _Held(now, now)
        held.heard_s = now
        held.data += data
        end = self._end(way[0], held.data)
        if end:
            self._take(way, held, end)
            held.begun_s, held.endless = now, False
        if len(held.data) > PIECE_BYTES:
            command = _command_at(held.data) >= 0
            self._take(way, held, len(held.data))
            held.endless |= command
        if not held.data and not held.endless:
            del self._held[way]

    def _take(self, way: _Way, held: _Held, end: int) -> None:
        """Record what is held up to ``end``."""
        data = bytes(held.data[:end])
        del held.data[:end]
        if held.endless:
            hidden = min((at for stop in self._ends(way[0]) if (at := data.find(stop)) >= 0), default=len(data))
            data = TAKEN_BACK.encode() * hidden + data[hidden:]
        self._bytes(held.begun_s, way, data)

    def _flush(self, way: _Way) -> None:
        held = self._held.pop(way, None)
        if held is not None and held.data:
            self._take(way, held, len(held.data))

    def _ends(self, side: str) -> tuple[int, int]:
        registers = self._settings[side].registers
        return registers[3], registers[4]

    def _end(self, side: str, data: bytearray) -> int:
        """Where the last whole line ends, 0 when there is none; Ctrl-Z ends text, and is nothing within a command."""
        end = max(data.rfind(stop) for stop in self._ends(side)) + 1
        text_end = data.rfind(SUB) + 1
        return text_end if text_end > end and _command_at(data[end:text_end]) < 0 else end

    def _command_behind(self, data: bytes) -> int:
        """Where a command begins that has not ended, behind the end of a data phase; the end of ``data`` without one."""
        line = max(data.rfind(stop) for stop in (*self._ends("host"), ETX)) + 1
        at = _command_at(data[line:]) if len(data) - line <= PIECE_BYTES else -1
        return line + at if at >= 0 else len(data)

    def _bytes(self, begun_s: float, way: _Way, data: bytes) -> None:
        text = self._masker.text(data.decode("latin-1"), self._settings[way[0]])
        self._write({"t": begun_s, "side": way[0], "dir": way[1], "data": text})

    def _now(self) -> float:
        return round(time.monotonic() - self._begun_s, 6)

    def _write(self, record: dict[str, Any]) -> None:
        for sink in self._sinks:
            sink.write(record)


def _make_ready(path: Path) -> None:
    """See to it that records can be added to a file: it is a trace, and a record that was cut off by the end of the
    computer's power is taken away. Raises :class:`InputError` for somebody else's file."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        begin = file.readline(_HEAD_BYTES)
        if begin and b'"kind": "session"' not in begin:
            raise InputError(f"{path} is no trace, and nothing is added to it: expected a trace, or no file yet")
        size = file.seek(0, os.SEEK_END)
        at = max(0, size - _CUT_BYTES)
        file.seek(at)
        whole = file.read().rfind(b"\n") + 1
        if whole or not at:
            file.truncate(at + whole)


def _command_at(data: bytes | bytearray) -> int:
    return data.lower().find(b"at")

"""Recording: one JSON object a line, in the order in which it happened.

``t`` is seconds since the session began. ``side`` and ``dir`` with ``data`` are bytes of a link, as Latin-1 text;
everything else has a ``kind``: session, line, request, plan, command, answer, heard, result, event, failed, phase,
module_phase, finding, note. In command mode bytes are recorded by lines, so that a secret is never cut in two.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from gateway.errors import InputError
from gateway.trace.mask import TAKEN_BACK, Masker
from gateway.wire.command import ABANDON_S
from gateway.wire.settings import ETX, SUB, LineSettings

log = logging.getLogger("gateway.trace")
PIECE_BYTES = 4096
"""A line that grows beyond this is recorded in pieces; no command is so long."""
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


class Recorder:
    """Writes a trace. Never raises for a full disk: a session is worth more than its trace."""

    def __init__(self, path: Path, masker: Masker, head: dict[str, Any]) -> None:
        try:
            self._file: TextIO | None = path.open("w", encoding="utf-8", errors="backslashreplace", buffering=1)
        except OSError as error:
            raise InputError(f"cannot write the trace {path}: {error.strerror}") from error
        self._path = path
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
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

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
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("the trace %s cannot be written and ends here: %s", self._path, error.strerror)
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                file.close()


def _command_at(data: bytes | bytearray) -> int:
    return data.lower().find(b"at")

"""Recording: one JSON object a line, in the order in which it happened.

``t`` is seconds since the session began. ``side`` and ``dir`` with ``data`` are bytes of a link, as Latin-1 text;
everything else has a ``kind``: session, line, request, plan, command, answer, heard, result, event, failed, phase,
module_phase, finding, note. In command mode bytes are recorded by lines, so that a secret is never cut in two.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, TextIO

from gateway.errors import InputError
from gateway.trace.mask import Masker

PIECE_BYTES = 4096
"""A line that grows beyond this is recorded in pieces."""


class Recorder:
    """Writes a trace. Never raises for a full disk: a session is worth more than its trace."""

    def __init__(self, path: Path, masker: Masker, head: dict[str, Any]) -> None:
        try:
            self._file: TextIO | None = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise InputError(f"cannot write the trace {path}: {error.strerror}") from error
        self._masker = masker
        self._begun_s = time.monotonic()
        self._lines: dict[tuple[str, str], tuple[float, bytearray]] = {}
        self._write({"kind": "session", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **head})

    def data(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        """Bytes of a link; ``lines``: in command mode."""
        key = (side, direction)
        if not lines or key == ("module", "out"):  # commands for the module are written whole
            self._flush(key)
            self._bytes(self._now(), key, data)
            return
        begun, held = self._lines.get(key, (self._now(), bytearray()))
        held += data
        end = max(held.rfind(b"\r"), held.rfind(b"\n"), held.rfind(b"\x1a"))
        if len(held) > PIECE_BYTES:
            end = len(held) - 1
        if end >= 0:
            self._bytes(begun, key, bytes(held[: end + 1]))
            del held[: end + 1]
        if held:
            self._lines[key] = (begun if end < 0 else self._now(), held)
        else:
            self._lines.pop(key, None)

    def note(self, kind: str, values: dict[str, Any]) -> None:
        """What bytes became."""
        self._write({"t": self._now(), "kind": kind, **self._masker.plain(values)})

    def close(self) -> None:
        """The session is over."""
        for key in list(self._lines):
            self._flush(key)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self, key: tuple[str, str]) -> None:
        begun, held = self._lines.pop(key, (0.0, bytearray()))
        if held:
            self._bytes(begun, key, bytes(held))

    def _bytes(self, begun: float, key: tuple[str, str], data: bytes) -> None:
        text = self._masker.text(data.decode("latin-1"))
        self._write({"t": begun, "side": key[0], "dir": key[1], "data": text})

    def _now(self) -> float:
        return round(time.monotonic() - self._begun_s, 6)

    def _write(self, record: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        except OSError:
            self._file = None

"""AT scripts: one command a line, ``//`` comments, lines that begin with ``>`` are payload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([rnt0\\]))")
_NAMED = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


class LineKind(StrEnum):
    """What a line of a script is."""

    COMMAND = "command"
    PAYLOAD = "payload"
    ESCAPE = "escape"
    """``+++`` alone: the escape sequence, with the silence around it."""
    EMPTY = "empty"
    """Nothing, or a comment alone."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line; ``number`` and ``column`` count from 1, ``column`` is where ``text`` begins in the file's line."""

    number: int
    kind: LineKind
    text: str = ""
    column: int = 1
    comment: str = ""
    """What stands behind ``//``, without it."""
    raw: str = ""
    """The whole line, for people."""
    wrong: int = 0
    """Payload only: the column of a backslash that begins no escape, or 0."""

    @property
    def data(self) -> bytes:
        """A payload line's bytes: ``\\xNN``, ``\\r``, ``\\n``, ``\\t``, ``\\0`` and ``\\\\`` are read, other text is
        Latin-1 where it fits and UTF-8 where it does not."""
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _NAMED[match[2]], self.text)
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode("utf-8")


def read_script(text: str) -> list[ScriptLine]:
    """The lines of a script, in order, empty ones too."""
    return [_line(number, raw) for number, raw in enumerate(text.splitlines(), 1)]


def _line(number: int, raw: str) -> ScriptLine:
    stripped = raw.lstrip(" \t\ufeff")
    start = len(raw) - len(stripped)
    if stripped.startswith(">"):
        payload = stripped[1:].removeprefix(" ") if stripped.startswith("> ") else stripped[1:]
        column = start + len(stripped) - len(payload) + 1
        wrong = _wrong_escape(payload)
        return ScriptLine(
            number, LineKind.PAYLOAD, payload, column, raw=raw, wrong=wrong + column if wrong is not None else 0
        )
    code, comment = _split_comment(stripped)
    code = code.rstrip()
    if not code:
        return ScriptLine(number, LineKind.EMPTY, "", start + 1, comment, raw)
    kind = LineKind.ESCAPE if code == "+++" else LineKind.COMMAND
    return ScriptLine(number, kind, code, start + 1, comment, raw)


def _split_comment(text: str) -> tuple[str, str]:
    """A comment begins with ``//`` at the beginning or behind a blank, outside quotes: addresses have ``//`` too."""
    quoted = False
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted and text.startswith("//", at) and (at == 0 or text[at - 1] in " \t;"):
            return text[:at], text[at + 2 :].strip()
    return text, ""


def _wrong_escape(payload: str) -> int | None:
    rest = _ESCAPE.sub(lambda match: "." * len(match[0]), payload)
    at = rest.find("\\")
    return at if at >= 0 else None

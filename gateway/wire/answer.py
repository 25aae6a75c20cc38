"""A module's lines, split out of its bytes in any split (V.250 section 5.7.1), and its prompt for text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

CR = 13
LINE_LIMIT_BYTES = 8192
"""A line that grows beyond this is given out in pieces: noise must not grow without bound."""

_ENDS = re.compile(rb"(?:\r\n?|\n)*")
_END = re.compile(rb"\r\n?|\n")
_LINE = re.compile(rb"([^\r\n]+)(\r\n?|\n)")


class TextLine(NamedTuple):
    """One line that is not empty, as Latin-1 text: a column is a byte."""

    text: str
    blank_before: bool = False
    """An empty line stood before it."""


@dataclass(frozen=True, slots=True)
class PromptSign:
    """``>`` at the beginning of a line: the module wants text."""


class AnswerReader:
    """Splits a module's output into lines. Line ends are CR LF, CR or LF; empty lines are counted, not given out.

    ``take_one`` gives items one at a time, because what follows ``CONNECT`` is payload.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._empty = 0
        self._after_prompt = False
        self.after_cr = False
        """The last line ended with a CR at the very end of what has arrived: its LF is still to come."""

    def add(self, data: bytes) -> None:
        """Add bytes that arrived."""
        if self._after_prompt and data:
            self._after_prompt = False
            data = data.removeprefix(b" ")
        if self.after_cr and data:
            self.after_cr = False
            if data[0] == 10:
                data = data[1:]
        self._buffer += data

    @property
    def pending(self) -> bool:
        """Whether an incomplete line waits."""
        return bool(self._buffer)

    def take_one(self, prompt: bool) -> TextLine | PromptSign | None:
        """The next complete line, or None. ``prompt``: a ``>`` that is not yet a line is the prompt."""
        buffer = self._buffer
        if not buffer:
            return None
        start = self._skip_ends()
        match = _LINE.match(buffer, start)
        if match is not None and match.end(1) - start <= LINE_LIMIT_BYTES:
            line, end = match[1], match.end()
            self.after_cr = end == len(buffer) and buffer[end - 1] == CR
        elif len(buffer) - start > LINE_LIMIT_BYTES:
            end = start + LINE_LIMIT_BYTES
            line = bytes(buffer[start:end])
        else:
            del buffer[:start]
            if prompt and bytes(buffer) in (b"> ", b">"):
                self._after_prompt = len(buffer) == 1
                buffer.clear()
                self._empty = 0
                return PromptSign()
            return None
        del buffer[:end]
        blank = self._empty > 1
        self._empty = 0
        if prompt and line.strip() == b">":
            return PromptSign()
        return TextLine(line.decode("latin-1"), blank)

    def _skip_ends(self) -> int:
        """Count the empty lines at the beginning; where the first other line begins."""
        match = _ENDS.match(self._buffer)
        assert match is not None
        ends, end = match[0], match.end()
        if ends:
            self._empty += 1 if len(ends) <= 2 and ends not in (b"\r\r", b"\n\n") else len(_END.findall(ends))
            self.after_cr = end == len(self._buffer) and ends.endswith(b"\r")
        return end

    def take_rest(self) -> bytes:
        """Everything not yet given out, raw: what stands behind ``CONNECT`` is payload."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._empty = 0
        return rest

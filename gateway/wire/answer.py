"""A module's lines, split out of its bytes in any split (V.250 section 5.7.1), and its prompt for text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

LINE_LIMIT_BYTES = 8192
"""A line that grows beyond this is given out in pieces: noise must not grow without bound."""

_END = re.compile(rb"\r\n?|\n")
_NEXT = re.compile(rb"((?:\r\n?|\n)*+)(?:([^\r\n]++)(\r\n?|\n))?")
"""Empty lines, and the line behind them if it is complete."""
_WHOLE = re.compile(rb"(?:\r\n(([^\r\n:]++):[^\r\n]*+)\r\n)?\r\nOK\r\n")
"""A whole answer: one line with a name at most, and the result."""


class TextLine(NamedTuple):
    """One line that is not empty, as Latin-1 text: a column is a byte."""

    text: str
    empty_before: int = 0
    """So many empty lines stood before it; before every result one does (V.250, 5.7.1)."""


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

    def whole(self, data: bytes) -> tuple[str, str] | None:
        """Whether bytes that arrived are a whole answer that ends with ``OK``: its one line and the name that this
        begins with, or two empty texts. They are not to be added then."""
        match = _WHOLE.fullmatch(data)
        begun = self._buffer or self._empty or self.after_cr or self._after_prompt
        if match is None or begun or len(data) > LINE_LIMIT_BYTES:
            return None
        line, name = match.groups(b"")
        return line.decode("latin-1"), name.decode("latin-1")

    @property
    def pending(self) -> bool:
        """Whether an incomplete line waits."""
        return bool(self._buffer)

    def take_one(self, prompt: bool) -> TextLine | PromptSign | None:
        """The next complete line, or None. ``prompt``: a ``>`` that is not yet a line is the prompt."""
        buffer = self._buffer
        if not buffer:
            return None
        end = buffer.find(b"\r", 2)
        if 2 < end <= LINE_LIMIT_BYTES and buffer.startswith(b"\r\n") and buffer.startswith(b"\r\n", end):
            line = bytes(buffer[2:end])
            if b"\n" not in line and not (prompt and line.strip() == b">"):
                # As lines are in every module's answers; payload comes in many thousands of them.
                del buffer[: end + 2]
                empty, self._empty, self.after_cr = self._empty + 1, 0, False
                return TextLine(line.decode("latin-1"), empty)
        match = _NEXT.match(buffer)
        assert match is not None
        ends, line, line_end = match.groups()
        if ends:
            self._empty += 1 if ends == b"\r\n" else len(_END.findall(ends))
        if line is None or len(line) > LINE_LIMIT_BYTES:
            del buffer[: len(ends)]
            if len(buffer) <= LINE_LIMIT_BYTES:
                self.after_cr = not buffer and ends.endswith(b"\r")
                return self._unfinished() if prompt else None
            line = bytes(buffer[:LINE_LIMIT_BYTES])
            del buffer[:LINE_LIMIT_BYTES]
        else:
            del buffer[: match.end()]
            self.after_cr = line_end == b"\r" and not buffer
        empty, self._empty = self._empty, 0
        if prompt and line.strip() == b">":
            return PromptSign()
        return TextLine(line.decode("latin-1"), empty)

    def _unfinished(self) -> PromptSign | None:
        """The prompt, if that is all that stands there."""
        buffer = self._buffer
        if bytes(buffer) not in (b"> ", b">"):
            return None
        self._after_prompt = len(buffer) == 1
        buffer.clear()
        self._empty = 0
        return PromptSign()

    def take_rest(self) -> bytes:
        """Everything not yet given out, raw: what stands behind ``CONNECT`` is payload."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._empty = 0
        return rest

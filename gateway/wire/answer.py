"""A module's lines, split out of its bytes in any split (V.250 section 5.7.1), and its prompt for text."""

from __future__ import annotations

from dataclasses import dataclass

LINE_LIMIT_BYTES = 8192
"""A line that grows beyond this is given out in pieces: noise must not grow without bound."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that is not empty; ``blank_before`` when an empty line stood before it."""

    data: bytes
    blank_before: bool = False

    @property
    def text(self) -> str:
        """The line as Latin-1 text: a column is a byte."""
        return self.data.decode("latin-1")


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
        while buffer:
            at = _line_end(buffer)
            if at < 0:
                if prompt and bytes(buffer) in (b"> ", b">"):
                    self._after_prompt = len(buffer) == 1
                    buffer.clear()
                    self._empty = 0
                    return PromptSign()
                if len(buffer) <= LINE_LIMIT_BYTES:
                    return None
                at = LINE_LIMIT_BYTES
                line, skip = bytes(buffer[:at]), at
            else:
                line = bytes(buffer[:at])
                skip = at + 1
                if buffer[at] == 13:
                    if skip == len(buffer):
                        self.after_cr = True
                    elif buffer[skip] == 10:
                        skip += 1
            del buffer[:skip]
            if not line:
                self._empty += 1
                continue
            blank = self._empty > 1
            self._empty = 0
            if prompt and line.strip() == b">":
                return PromptSign()
            return TextLine(line, blank)
        return None

    def take_rest(self) -> bytes:
        """Everything not yet given out, raw: what stands behind ``CONNECT`` is payload."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._empty = 0
        return rest


def _line_end(buffer: bytearray) -> int:
    carriage, feed = buffer.find(b"\r"), buffer.find(b"\n")
    if carriage < 0:
        return feed
    if feed < 0:
        return carriage
    return min(carriage, feed)

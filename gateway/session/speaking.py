"""What the host reads: an answer in one burst, unsolicited lines at a moment that allows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gateway.dialect.dialect import Dialect
from gateway.wire import framing
from gateway.wire.settings import LineSettings

LINES_LIMIT = 64
"""Unsolicited lines that wait for their moment; beyond this the oldest are dropped and counted."""


class Speaker:
    """Collects text; :meth:`take` gives what may go to the port."""

    def __init__(self, dialect: Dialect, settings: LineSettings) -> None:
        self.dialect = dialect
        self.settings = settings
        self.dropped = 0
        """Unsolicited lines that found no room."""
        self._out = bytearray()
        self._answer = bytearray()
        self.waiting: deque[bytes] = deque()
        """Unsolicited lines whose moment has not come."""
        self.held: deque[bytes] = deque()
        """Those that must not come before a result that is still to be given."""

    def block(self, lines: Sequence[str]) -> bytes:
        """Information text as the host is to read it; nothing where ``ATQ1`` hides it."""
        hidden = self.settings.quiet and self.dialect.framing.quiet_hides_text
        return b"" if hidden else framing.text_block(lines, self.settings)

    def result(self, words: str, *, after_text: bool = False) -> bytes:
        """A result code or an indication."""
        return framing.result(words, self.settings, self.dialect.framing, after_text=after_text)

    def now(self, data: bytes) -> None:
        """Bytes that belong to nobody's answer: echo, payload, boot text."""
        self._out += data

    def answer(self, data: bytes) -> None:
        """A part of the answer that is being given."""
        self._answer += data

    def release(self) -> None:
        """Let the answer go as far as it is known."""
        self._out += self._answer
        self._answer.clear()

    def unsolicited(self, data: bytes, *, free: bool) -> None:
        """A line between answers; ``free``: whether this is such a moment."""
        if free and not self.waiting:
            self._out += data
        elif data:
            self._wait(self.waiting, data)

    def hold(self, data: bytes) -> None:
        """A line that must not come before a result that is still to be given; see :meth:`let_go`."""
        self._wait(self.held, data)

    def let_go(self) -> None:
        """That result was given."""
        while self.held:
            self._wait(self.waiting, self.held.popleft())

    def _wait(self, lines: deque[bytes], data: bytes) -> None:
        lines.append(data)
        if len(lines) > LINES_LIMIT:
            lines.popleft()
            self.dropped += 1

    def moment(self) -> None:
        """Now unsolicited lines may be said."""
        while self.waiting:
            self._out += self.waiting.popleft()

    def clear(self) -> None:
        """Forget what was not let go yet."""
        self._answer.clear()
        self.waiting.clear()
        self.held.clear()

    def take(self) -> bytes:
        """What the host is to read now."""
        if not self._out:
            return b""
        out = bytes(self._out)
        self._out.clear()
        return out

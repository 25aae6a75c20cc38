"""What a module prints into a stream when it starts anew in the middle of it, and what a peer could send just as well.

A module that restarts in a data mode says so only by its boot text, and is in command mode then: it echoes what it is
still sent. That cannot be told from payload either. So from such a text on everything is held back as long as it is what
a module would say: its own lines, then at most an echo. Anything else shows that it was payload. What is still held when
``quiet_s`` are over is a *suspicion*: its owner asks the module.
"""

from __future__ import annotations

import re

from gateway.wire.hint import HOLD_S, QUIET_S

ECHO_BYTES = 32768
"""At least so much of what was sent last is kept to know its echo: more is never under way."""
KEPT_LIMIT_BYTES = 65536
"""What stands behind a boot text and is longer is payload."""
_PARTIAL = re.compile(rb"\r(?:\n(?:[+*^#][^\r\n]{0,80}\r?)?)?")


class BootHolder:
    """Lets payload through; ``texts`` are lines with their ends."""

    def __init__(self, texts: tuple[bytes, ...], quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._texts = texts
        lines = b"|".join(re.escape(text) for text in texts)
        self._boot = re.compile(lines or rb"(?!)")
        self._own = re.compile(rb"(?:\r\n[+*^#][^\r\n]{1,80}\r\n|" + (lines or rb"(?!)") + rb")*")
        self._sent = bytearray()
        self._begun = b""
        """The beginning of a boot text at the end of what came."""
        self._kept: bytearray | None = None
        self._due_s: float | None = None
        self.suspected: bytes | None = None

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return self._due_s

    def sent(self, data: bytes) -> None:
        """That went to the module."""
        if self._texts:
            self._sent += data
            if len(self._sent) > 2 * ECHO_BYTES:
                del self._sent[:-ECHO_BYTES]

    def feed(self, data: bytes, now: float) -> bytes:
        """Payload that can be passed on now."""
        if not self._texts:
            return data
        if self._kept is not None:
            self._kept += data
            if self._is_own(bytes(self._kept)):
                if self.suspected is not None:
                    self.suspected = bytes(self._kept)
                return b""
            return self.release()
        data, self._begun, self._due_s = self._begun + data, b"", None
        at = 0
        while (match := self._boot.search(data, at)) is not None:
            if self._is_own(data[match.start() :]):
                self._kept, self._due_s = bytearray(data[match.start() :]), now + self._quiet_s
                return data[: match.start()]
            at = match.end() - 2  # the end of a line may begin the next
        self._begun = self._beginning(data[-max(map(len, self._texts)) :])
        if self._begun:
            self._due_s = now + HOLD_S
            return data[: -len(self._begun)]
        return data

    def _is_own(self, data: bytes) -> bool:
        """Whether a module that restarts would say all that: its lines, one that is not complete, or an echo."""
        if len(data) > KEPT_LIMIT_BYTES:
            return False
        match = self._own.match(data)
        rest = data[match.end() :] if match is not None else data
        begins = _PARTIAL.fullmatch(rest) is not None or any(text.startswith(rest) for text in self._texts)
        return begins or rest in self._sent

    def _beginning(self, window: bytes) -> bytes:
        at = window.find(b"\r")
        while at >= 0:
            end = window[at:]
            if any(text.startswith(end) for text in self._texts):
                return end
            at = window.find(b"\r", at + 1)
        return b""

    def tick(self, now: float) -> bytes:
        """Payload whose hold is over; a boot text becomes ``suspected`` instead."""
        if self._due_s is None or now < self._due_s:
            return b""
        self._due_s = None
        if self._kept is not None:
            self.suspected = bytes(self._kept)
            return b""
        begun, self._begun = self._begun, b""
        return begun

    def release(self) -> bytes:
        """What is held, because it is payload."""
        held = self._begun if self._kept is None else bytes(self._kept)
        self._begun, self._kept, self._due_s, self.suspected = b"", None, None, None
        return held

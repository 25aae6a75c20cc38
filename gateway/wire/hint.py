"""Texts that a module prints into a data phase, and that a peer could send just as well.

A module says ``SHUTDOWN`` between two CR LF when the peer has ended its sending (5.57 guide, section 6.2.2.1), or its
boot text when it restarted, in the middle of the payload. Neither can be told from payload, so such a text at the end
of the stream is held back and is only a *suspicion*: its owner asks the module, and then either drops or delivers it.
"""

from __future__ import annotations

import re

HOLD_S = 0.04
"""How long the beginning of such a text is held back for the rest: twelve characters at 9600 baud take 13 ms, an USB
adapter adds 16 ms."""

CLOSING_S = 0.5
"""The same of the last words of a data mode that was told to end: a little payload can wait for so long."""

QUIET_S = 0.25
"""How long the stream must be quiet behind a whole text: after the peer's end nothing can follow it."""


class HintHolder:
    """Lets payload through and holds back what may be one of ``hints`` as long as it stands at the end."""

    def __init__(self, hints: tuple[bytes, ...], quiet_s: float = QUIET_S, hold_s: float = HOLD_S) -> None:
        self._hints = hints
        self._hold_s = hold_s
        self._quiet_s = quiet_s
        self._first = re.compile(b"|".join({re.escape(hint[:1]) for hint in hints}))
        self._longest = max((len(hint) for hint in hints), default=0)
        self._held = b""
        self._passed = b""
        self._due_s: float | None = None
        self.suspected: bytes | None = None
        """The whole text that stands at the end since ``quiet_s``."""

    @property
    def deadline(self) -> float | None:
        """When the held bytes decide."""
        return self._due_s

    def feed(self, data: bytes, now: float) -> bytes:
        """Payload that can be passed on now. What follows a suspected text shows that it was payload."""
        if not self._hints:
            return data
        if self.suspected is not None and data:
            data, self.suspected = self.suspected + data, None
        if self._held:
            data = self._held + data
        keep = self._tail(data)
        if not keep:
            self._held, self._due_s = b"", None
            self._pass(data)
            return data
        whole = self._completes(keep)
        self._held = keep
        self._due_s = now + (self._quiet_s if whole else self._hold_s)
        ready = data[: -len(keep)]
        self._pass(ready)
        return ready

    def _pass(self, data: bytes) -> None:
        self._passed = (data if len(data) >= self._longest else self._passed + data)[-self._longest :]

    def _tail(self, data: bytes) -> bytes:
        """The longest end of ``data`` that is a hint or begins one."""
        window = data[-self._longest :]
        for match in self._first.finditer(window):
            end = window[match.start() :]
            if any(hint.startswith(end) for hint in self._hints):
                return end
        return b""

    def _completes(self, held: bytes) -> bool:
        """Whether ``held`` is a hint, or ends one whose beginning was let go because the rest came late."""
        return any((self._passed + held).endswith(hint) for hint in self._hints)

    def tick(self, now: float) -> bytes:
        """Payload whose hold is over; a whole text becomes ``suspected`` instead."""
        if self._due_s is None or now < self._due_s:
            return b""
        self._due_s = None
        held = self._held
        self._held = b""
        if self._completes(held):
            self.suspected = held
            return b""
        self._pass(held)
        return held

    def release(self, *, whole: bool = True) -> bytes:
        """What is held, because the data phase is over; unless ``whole``, only what is no whole text: that one is
        the module's own word for the end, which its sign for it has made sure."""
        held, self._held, self._due_s = self._held, b"", None
        return held if whole or not self._completes(held) else b""

    def end(self) -> bytes:
        """The same where a data phase was left: a whole text is suspected, since nothing can follow it."""
        held = self.release()
        if held and self._completes(held):
            self.suspected, held = held, b""
        return held


class ClosingHolder(HintHolder):
    """The same for a module's last words: lines that it says unasked may stand behind them at once."""

    def __init__(self, hints: tuple[bytes, ...], quiet_s: float) -> None:
        super().__init__(hints, quiet_s, CLOSING_S)
        words = b"|".join(re.escape(hint) for hint in sorted(hints, key=len, reverse=True))
        own = rb"(?:\r\n[+*^#][^\r\n]{1,200}\r\n)*(?:\r(?:\n(?:[+*^#][^\r\n]{0,200}\r?)?)?)?"
        self._words = re.compile(b"(?:" + words + b")" + own + rb"\Z")

    def _tail(self, data: bytes) -> bytes:
        match = self._words.search(data)
        return data[match.start() :] if match is not None else super()._tail(data)

    def _completes(self, held: bytes) -> bool:
        return self._words.search(held) is not None or super()._completes(held)

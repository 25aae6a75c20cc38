"""``+++`` with silence around it: recognised where it comes from a host, broken where it would go to a module."""

from __future__ import annotations

PLUS = b"+++"

JITTER_S = 0.15
"""A port's jitter, taken off the leading silence: hosts wait exactly one second (field observation)."""

HASTE_S = 0.05
"""An ``AT`` that comes this much after a guarded ``+++`` is a command: many hosts do not wait behind it."""


class EscapeDetector:
    """Finds ``+++`` with at least ``guard_s`` of silence on both sides in what a host sends in data mode.

    The signs are held back until it is known what they are; held signs come out as payload, unless an escape was
    found and ``deliver_signs`` is off.
    """

    def __init__(self, guard_s: float, now: float, *, deliver_signs: bool = False) -> None:
        self._guard_s = guard_s
        self._last_s = now
        self._held = 0
        self.free = False
        """Accept ``+++`` with no silence (after the peer's end was told: hosts send it at once then)."""
        self._deliver_signs = deliver_signs

    @property
    def deadline(self) -> float | None:
        """When the silence behind held signs decides."""
        return self._last_s + self._guard_s if self._held else None

    def feed(self, data: bytes, now: float) -> tuple[bytes, bytes | None]:
        """Payload to pass on, and what stands behind an escape, or None when there was none."""
        silence_s = now - self._last_s
        if self._held == 0:
            if self.free and data.startswith(PLUS):
                return b"", data[3:]
            begins = data[:1] == b"+" and (silence_s >= self._guard_s - JITTER_S or self.free)
            self._last_s = now
            if begins and data in (b"+", b"++", b"+++"):
                self._held = len(data)
                return b"", None
            return data, None
        if self._held == 3 and silence_s >= HASTE_S and data[:2].upper() == b"AT":
            self._held = 0
            return self._signs(), data
        joined = PLUS[: self._held] + data
        self._last_s = now
        if self.free and joined.startswith(PLUS):
            self._held = 0
            return b"", joined[3:]
        self._held = len(joined) if joined in (b"++", b"+++") else 0
        return (b"" if self._held else joined), None

    def tick(self, now: float) -> tuple[bytes, bool]:
        """Payload to pass on when time has decided, and whether it was an escape."""
        if not self._held or now < self._last_s + self._guard_s:
            return b"", False
        held, self._held = self._held, 0
        self._last_s = now
        if held == 3:
            return self._signs(), True
        return PLUS[:held], False

    def _signs(self) -> bytes:
        return PLUS if self._deliver_signs else b""


class EscapeBreaker:
    """Keeps payload from being an escape for the module: the last sign of a lone ``+++`` is sent late.

    Late is ``guard_s`` and a tenth after the first two, or together with the payload that follows.
    """

    def __init__(self, guard_s: float, now: float) -> None:
        self._guard_s = guard_s
        self._last_s = now
        self._run: int | None = None
        """Signs sent since a silence, as long as nothing else was; None when something else was."""
        self._held = False

    @property
    def deadline(self) -> float | None:
        """When the held sign may go."""
        return self._last_s + self._guard_s * 1.1 if self._held else None

    @property
    def holding(self) -> bool:
        """Whether a sign waits."""
        return self._held

    def feed(self, data: bytes, now: float) -> bytes:
        """What may be sent of ``data`` now."""
        if self._held:
            self._held = False
            data = b"+" + data
            self._run = None
        elif now - self._last_s >= self._guard_s * 0.8:
            self._run = 0
        if self._run is not None:
            signs = self._run + len(data)
            if signs <= 3 and data == b"+" * len(data):
                if signs == 3:
                    self._held = True
                    self._run = None
                    data = data[:-1]
                else:
                    self._run = signs
            else:
                self._run = None
        if data:
            self._last_s = now
        return data

    def tick(self, now: float) -> bytes:
        """The held sign, once it is late enough."""
        if self._held and now >= self._last_s + self._guard_s * 1.1:
            self._held = False
            self._last_s = now
            self._run = 1
            return b"+"
        return b""

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

    Late is ``guard_s`` and a tenth after the first two, or together with the payload that follows. Whether a silence
    was long enough for the module is not known to the millisecond, so around the guard time both are reckoned with.
    """

    def __init__(self, guard_s: float, now: float) -> None:
        self._guard_s = guard_s
        self._last_s = now
        self._runs: set[int] = set()
        """How many signs, and nothing else, may have been sent since a silence."""
        self._held = 0

    @property
    def deadline(self) -> float | None:
        """When held signs may go."""
        return self._last_s + self._guard_s * 1.1 if self._held else None

    @property
    def holding(self) -> bool:
        """Whether a sign waits."""
        return self._held > 0

    def feed(self, data: bytes, now: float) -> bytes:
        """What may be sent of ``data`` now."""
        if not data:
            return data
        silence_s = now - self._last_s
        if silence_s >= self._guard_s * 1.1:
            self._runs = {0}
        elif silence_s >= self._guard_s * 0.8:
            self._runs.add(0)
        if self._held:
            data, self._held = b"+" * self._held + data, 0
        count = len(data)
        if data[0] != PLUS[0] or data != b"+" * count:
            self._runs = set()
            self._last_s = now
            return data
        return self._send(count, now)

    def tick(self, now: float) -> bytes:
        """Held signs, once they are late enough."""
        if not self._held or now < self._last_s + self._guard_s * 1.1:
            return b""
        self._runs = {0}
        count, self._held = self._held, 0
        return self._send(count, now)

    def _send(self, signs: int, now: float) -> bytes:
        """As many of ``signs`` as cannot complete an escape; the others are held."""
        ready = next(count for count in range(signs, -1, -1) if not any(run + count == 3 for run in self._runs))
        self._held = signs - ready
        self._runs = {run + ready for run in self._runs if run + ready < 3}
        if ready:
            self._last_s = now
        return PLUS[:1] * ready

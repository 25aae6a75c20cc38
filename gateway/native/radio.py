"""The rest of a virtual module: a pretended radio and card, by the table in the dialect's file, and short messages."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from gateway.dialect.patterns import CommandPatterns, squeeze
from gateway.dialect.schema import LocalAnswer
from gateway.model.results import PassedThrough, Prompted

SEND, STORE = "+CMGS", "+CMGW"
_PROMPTS = {f"{SEND}=*": SEND, f"{STORE}=*": STORE, STORE: STORE}
CLOCK = "+CCLK"
_CLOCK_FORMAT = "%y/%m/%d,%H:%M:%S"
_EPOCH = datetime(1970, 1, 1)
_CLOCK_TIME = re.compile(r'"(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)')


class Radio:
    """Answers commands outside the IP dialect as the table says; what the table does not know is an ERROR."""

    def __init__(self, answers: dict[str, LocalAnswer], restarts: Iterable[str] = ()) -> None:
        self._answers = answers
        self._restarts = CommandPatterns(restarts)
        self._prompted = SEND
        self._messages: Counter[str] = Counter()
        self._ahead: timedelta | None = None
        """What its clock shows, less the seconds that this computer counts; None before somebody sets it."""

    def answer(self, text: str) -> PassedThrough | Prompted:
        """The answer to a command, ``text`` with its AT; a short message asks for its text first."""
        squeezed = squeeze(text[2:])
        prompted = next((name for pattern, name in _PROMPTS.items() if fnmatchcase(squeezed, pattern)), None)
        if prompted is not None and squeezed.endswith("=?"):
            return PassedThrough((), "OK")
        if prompted is not None:
            self._prompted = prompted
            return Prompted()
        if squeezed.startswith(f"{CLOCK}=") and f"{CLOCK}?" in self._answers:
            return self._clock_set(squeezed)
        for pattern, answer in self._answers.items():
            if fnmatchcase(squeezed, pattern):
                lines = answer.lines if pattern != f"{CLOCK}?" else tuple(map(self._clock_shown, answer.lines))
                return PassedThrough(lines, answer.result)
        return PassedThrough((), "ERROR")

    def restarts(self, text: str) -> bool:
        """Whether the module restarts behind a command, ``text`` with its AT."""
        return self._restarts.match(squeeze(text[2:]))

    def set_clock(self, text: str) -> None:
        """Have the clock go on from a time in UTC, ``YYYY-MM-DDThh:mm:ss``."""
        self._ahead = datetime.fromisoformat(text) - _EPOCH - timedelta(seconds=time.monotonic())

    def _clock_set(self, squeezed: str) -> PassedThrough:
        match = _CLOCK_TIME.match(squeezed, len(CLOCK) + 1)
        try:
            moment = datetime.strptime(match[1], _CLOCK_FORMAT) if match else None
        except ValueError:
            moment = None
        if moment is None:
            return PassedThrough((), "ERROR")
        self.set_clock(moment.isoformat())
        return PassedThrough((), "OK")

    def _clock_shown(self, line: str) -> str:
        """The table's line with the time that it is."""
        if self._ahead is None:
            return line
        now = _EPOCH + self._ahead + timedelta(seconds=time.monotonic())
        return _CLOCK_TIME.sub(f'"{now.strftime(_CLOCK_FORMAT)}', line)

    def text(self, text: bytes) -> PassedThrough:
        """The text of a short message: taken with Ctrl-Z, given up with ESC.

        The answer has its reference, a byte, or its place in the store (3GPP TS 27.005, 3.5).
        """
        if not text.endswith(b"\x1a"):
            return PassedThrough((), "OK")
        self._messages[self._prompted] += 1
        return PassedThrough((f"{self._prompted}: {self._messages[self._prompted] % 256}",), "OK")

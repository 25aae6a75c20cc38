"""The rest of a virtual module: a pretended radio and card, by the table in the dialect's file, and short messages."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from gateway.dialect.schema import LocalAnswer
from gateway.model.results import PassedThrough, Prompted

SEND, STORE = "+CMGS", "+CMGW"
_PROMPTS = {f"{SEND}=*": SEND, f"{STORE}=*": STORE, STORE: STORE}


class Radio:
    """Answers commands outside the IP dialect as the table says; what the table does not know is an ERROR."""

    def __init__(self, answers: dict[str, LocalAnswer]) -> None:
        self._answers = answers
        self._prompted = SEND
        self._messages: Counter[str] = Counter()

    def answer(self, text: str) -> PassedThrough | Prompted:
        """The answer to a command, ``text`` with its AT; a short message asks for its text first."""
        squeezed = text[2:].replace(" ", "").upper()
        prompted = next((name for pattern, name in _PROMPTS.items() if fnmatchcase(squeezed, pattern)), None)
        if prompted is not None and squeezed.endswith("=?"):
            return PassedThrough((), "OK")
        if prompted is not None:
            self._prompted = prompted
            return Prompted()
        for pattern, answer in self._answers.items():
            if fnmatchcase(squeezed, pattern):
                return PassedThrough(answer.lines, answer.result)
        return PassedThrough((), "ERROR")

    def text(self, text: bytes) -> PassedThrough:
        """The text of a short message: taken with Ctrl-Z, given up with ESC.

        The answer has its reference, a byte, or its place in the store (3GPP TS 27.005, 3.5).
        """
        if not text.endswith(b"\x1a"):
            return PassedThrough((), "OK")
        self._messages[self._prompted] += 1
        return PassedThrough((f"{self._prompted}: {self._messages[self._prompted] % 256}",), "OK")

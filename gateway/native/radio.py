"""The rest of a virtual module: a pretended radio and card, by the table in the dialect's file, and short messages."""

from __future__ import annotations

from fnmatch import fnmatchcase

from gateway.dialect.schema import LocalAnswer
from gateway.model.results import PassedThrough, Prompted

_PROMPTS = ("+CMGS=*", "+CMGW*", "+CMGW")


class Radio:
    """Answers commands outside the IP dialect as the table says; what the table does not know is an ERROR."""

    def __init__(self, answers: dict[str, LocalAnswer]) -> None:
        self._answers = answers
        self._messages = 0

    def answer(self, text: str) -> PassedThrough | Prompted:
        """The answer to a command, ``text`` with its AT; a short message asks for its text first."""
        squeezed = text[2:].replace(" ", "").upper()
        if any(fnmatchcase(squeezed, pattern) for pattern in _PROMPTS):
            return Prompted()
        for pattern, answer in self._answers.items():
            if fnmatchcase(squeezed, pattern):
                return PassedThrough(answer.lines, answer.result)
        return PassedThrough((), "ERROR")

    def text(self, text: bytes) -> PassedThrough:
        """The text of a short message: sent with Ctrl-Z, given up with ESC."""
        if not text.endswith(b"\x1a"):
            return PassedThrough((), "OK")
        self._messages += 1
        return PassedThrough((f"+CMGS: {self._messages % 256}",), "OK")

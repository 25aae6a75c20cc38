"""What a line of a module is: a result, part of an answer, a message of its dialect, or something unasked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.patterns import CommandPatterns, squeeze
from gateway.wire.answer import TextLine

_RESULT = re.compile(
    r"OK|ERROR|CONNECT(?: .*)?|BUSY|NO ANSWER|NO DIALTONE|NO CARRIER|[+#]CM[ES] ERROR *:.*|(?:\+TCPIP )?ERROR *:.*"
)
_CODE = re.compile(r"(?:[+#]CM[ES] |\+TCPIP )?ERROR *: *([0-9]+)")
_WORDS = ("BUSY", "NO ANSWER", "NO DIALTONE", "NO CARRIER")
QUOTED_LIMIT_LINES = 10
"""A text whose quotes are not closed by then has lost one."""
ANSWER_LIMIT_LINES = 5000
_DIALS = re.compile(r"AT *[DAO]", re.IGNORECASE)


class Sort(Enum):
    """The kinds of lines."""

    ECHO = "echo"
    RESULT = "result"
    ANSWER = "answer"
    """Information text of the command in flight."""
    HEARD = "heard"
    """A message of the module's dialect that belongs to no command."""
    UNSOLICITED = "unsolicited"
    """Text that is passed on to the host."""
    BOOT = "boot"
    STRAY = "stray"
    """A result that no command waits for (erratum S49)."""


class Flight:
    """The command that was sent and has no result yet. What few commands have stands with the class."""

    answers: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    """Messages that end it as OK does."""
    passing = False
    """It is the host's own; its text is not read."""
    probe = False
    """The module's state is not known: a numeric result is one too."""
    prompts = False
    prompted = False
    resultless = False
    """It may be answered without a result."""
    texts = False
    """Its answer holds texts of people."""
    perhaps: TextLine | None = None
    """A line of such a text, or its result: what follows shows it."""
    lenient = False
    """Silence within the limit is an OK."""

    def __init__(self, text: str, due_s: float) -> None:
        self.text = text
        self.due_s = due_s
        self.heard: list[Heard] = []
        self.lines: list[str] = []

    def add(self, empty: int, *texts: str) -> None:
        """More of its answer: so many empty lines, and a text."""
        room = ANSWER_LIMIT_LINES - len(self.lines)
        if empty > 0:
            self.lines += [""] * min(empty, room)
        if room > 0:
            self.lines += texts

    @classmethod
    def probing(cls, text: str, due_s: float, *, lenient: bool = False) -> Flight:
        """A command to a module of which nothing is known."""
        flight = cls(text, due_s)
        flight.probe, flight.lenient = True, lenient
        return flight


@dataclass(frozen=True, slots=True)
class Traits:
    """What the tables of a dialect say about a command that is sent as it is."""

    limit_s: float
    guarded: bool
    prompts: bool
    resultless: bool
    texts: bool
    resets: bool


class LineSorter:
    """Sorts lines by the tables of a dialect; see the module's text."""

    def __init__(self, dialect: Dialect, limits_s: dict[str, float], late: Collection[str] = ()) -> None:
        self._dialect = dialect
        self._late = late
        self._habits = dialect.tables.module
        self._limits_s = limits_s
        self._boot = self._habits.boot
        self._unsolicited_names = tuple(self._habits.unsolicited)
        own = tuple(f"{prefix}*" for prefix in dialect.tables.own)
        self._guarded = CommandPatterns((*own, *self._habits.guarded))
        self._prompting = CommandPatterns(self._habits.prompting)
        self._no_result = CommandPatterns(self._habits.no_result)
        self._with_texts = CommandPatterns(self._habits.texts)
        self._resets = CommandPatterns(self._habits.resets)
        self._more: list[str] = []
        self._missing = 0
        self._quoted = False
        self.last_sent = "AT"
        """The last command."""
        self.plain = lru_cache(maxsize=256)(self._is_plain)
        """Whether a line ``name: ...`` behind a command can be nothing but a part of its answer."""
        self.traits = lru_cache(maxsize=256)(self._traits)
        """Of a command with its ``AT``; hosts ask the same few things again and again."""

    def _traits(self, text: str) -> Traits:
        squeezed = squeeze(text[2:])
        return Traits(
            self.limit_s(text),
            self._guarded.match(squeezed),
            self._prompting.match(squeezed),
            self._no_result.match(squeezed),
            self._with_texts.match(squeezed),
            self._resets.match(squeezed),
        )

    def limit_s(self, text: str) -> float:
        """The limit of a command: of the longest name in the table that it begins with."""
        squeezed = squeeze(text[2:])
        best = max((name for name in self._limits_s if squeezed.startswith(name)), key=len, default="*")
        return self._limits_s.get(best, 10.0)

    def _is_plain(self, name: str) -> bool:
        others = (*self._boot, *self._unsolicited_names)
        begun = any(name.startswith(other) or other.startswith(name) for other in others)
        return name.startswith("+") and not name.endswith("ERROR") and not begun and not self._dialect.may_say(name)

    def sort(self, line: TextLine, flight: Flight | None) -> tuple[Sort, Heard | None]:
        """What a line is; a message of the dialect comes with its fields."""
        text = line.text.strip()
        if self._missing:
            return Sort.UNSOLICITED, None
        if flight is not None and not flight.ends:  # nearly all lines are one of these
            if text == "OK":
                return Sort.RESULT, None
            name, colon, _ = text.partition(":")
            if colon and self.plain(name):
                return Sort.ANSWER, None
        if text == self.last_sent:  # also one that comes late: no module says such a thing of itself
            return Sort.ECHO, None
        if text.startswith(self._boot):
            return Sort.BOOT, None
        if flight is not None and flight.ends:
            heard = self._dialect.hear(text, flight.ends | flight.answers)
            if heard is not None and heard.key in flight.ends | flight.answers:
                return (Sort.RESULT if heard.key in flight.ends else Sort.ANSWER), heard
        if flight is not None and (_RESULT.fullmatch(text) or text == "0") and self._is_result(text, flight):
            return Sort.RESULT, None
        heard = self._dialect.hear(text, flight.answers if flight is not None else self._late)
        if heard is not None:
            mine = flight is not None and heard.key in flight.answers
            return (Sort.ANSWER if mine else Sort.HEARD), heard
        if flight is None:
            code = _CODE.fullmatch(text)
            if code is not None:
                return Sort.HEARD, Heard("error", {"code": code[1]})
            return (Sort.STRAY if text in ("OK", "ERROR") else Sort.UNSOLICITED), None
        return (Sort.UNSOLICITED if self._unsolicited(text, flight) else Sort.ANSWER), None

    @property
    def collecting(self) -> bool:
        """Whether the next line is the rest of an unsolicited text, whatever it says."""
        return self._missing > 0

    def collect(self, line: TextLine) -> tuple[str, ...] | None:
        """The whole of an unsolicited text, empty lines and all, or None as long as its other line is missing."""
        if not self._missing:
            self._missing = self._lines_of(line.text.strip()) - 1
            self._more = []
        else:
            self._missing = 0 if self._quoted and '"' in line.text else self._missing - 1
            self._more += [""] * min(line.empty_before, QUOTED_LIMIT_LINES)
        self._more.append(line.text)
        return tuple(self._more) if not self._missing else None

    def ended_before(self, line: TextLine) -> bool:
        """Whether the other line of a text was an empty one: ``line`` has the line end of its own before it, too."""
        return self._missing > 0 and not self._quoted and line.empty_before > 1

    def give_up(self) -> tuple[str, ...]:
        """An unsolicited text whose rest has not come, or is empty."""
        self._missing = 0
        return tuple(self._more) if self._quoted else (*self._more, "")

    def _lines_of(self, text: str) -> int:
        kinds = [urc for name, urc in self._habits.unsolicited.items() if text.startswith(name)]
        self._quoted = text.count('"') == 1 and any(urc.quoted for urc in kinds)
        return QUOTED_LIMIT_LINES if self._quoted else max((urc.lines for urc in kinds), default=1)

    def _is_result(self, text: str, flight: Flight) -> bool:
        if text == "0":
            return flight.probe
        return text != "NO CARRIER" or bool(flight.ends) or _DIALS.match(flight.text) is not None

    def _unsolicited(self, text: str, flight: Flight | None) -> bool:
        """Whether a line is printed unasked; a name that also answers the command in flight is told by its values."""
        if not text.startswith(self._unsolicited_names):
            return False
        name, urc = next(item for item in self._habits.unsolicited.items() if text.startswith(item[0]))
        asked = flight.text[2:].upper() if flight is not None else ""
        if not name.endswith(":") or not asked.startswith(name[:-1]):
            return True
        return text.partition(":")[2].count(",") + 1 in urc.fields


def code_of(text: str) -> str:
    """The number in ``+CME ERROR: 3`` and its like, or the word that says why; "" in a plain ``ERROR``."""
    match = _CODE.fullmatch(text)
    return match[1] if match else text if text in _WORDS else ""

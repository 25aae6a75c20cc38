"""Secrets taken out of what is recorded: by field where a command's shape tells, and by value where one is known.

A field is looked for in what a line means, not in how it was typed: editing carried out, control characters dropped, the
line's ends as S3 and S4 have them (V.250, 5.2), what stands within quotes no separator.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from gateway.dialect.schema import Tables
from gateway.model.values import Secret
from gateway.wire.settings import ETX, LineSettings

MASK = "***"
VALUES_LIMIT = 256
"""So many values are remembered; beyond this the oldest is forgotten, and masked by field alone."""
LONGEST = 8192
"""A line of more characters ends in a command at most, and begins with payload: only so much of its end is looked at."""
TAKEN_BACK = "*"
"""Stands for each character that the host has erased: it may have been of a secret."""
SHORTEST = 4
"""A known value shorter than this is only masked by field: it would stand in every other word."""

_STANDARD = (
    r"\+CPIN2? *= *([^;\r\n]*)",
    r"\+CPWD *= *([^;\r\n]*)",
    r"\+CLCK *= *[^,;]*, *[0-9]+ *,([^;\r\n]*)",
    r"\+CPUC *= *([^;\r\n]*)",
    r"\+EPIN *= *([^;\r\n]*)",
    r"\+CGAUTH *= *[^,]*, *[^,]*,([^;\r\n]*)",
    r"\*0[45]2? *\*([^#;\r\n]*)",  # dialled: another PIN (3GPP TS 22.030, 6.6)
    r"\*03 *\*[^*#]*\*([^#;\r\n]*)",  # dialled: another password of the network's (3GPP TS 22.030, 6.5.4)
)
_PROTOCOLS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^PASS +([^\r\n]+)",  # RFC 959, RFC 1939
        r"^(?:[!-~]+ +)?AUTH(?:ENTICATE)? +[!-~]+ +([^\r\n]+)",  # RFC 4954, RFC 5034, RFC 9051
        r"^[!-~]+ +LOGIN +[!-~]+ +([^\r\n]+)",  # RFC 9051
        r"^(?:Proxy-)?Authorization: *[!-~]+ +([^\r\n]+)",  # RFC 9110
    )
]
"""Lines of a host's payload with which it logs in where no TLS hides them. What stands there is not remembered: a peer
could make any word a secret."""
_ETX = chr(ETX)
_USUAL = LineSettings()
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED = re.compile(r'"[^"]*(?:"|\Z)')
_SEPARATORS = str.maketrans(",;", "__")
_ZEROS = re.compile(r"(?<![\w.*#])0+(?=[0-9])")


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line means, and where in the text each of its characters stands."""

    text: str
    places: Sequence[int]
    start: int
    stop: int
    payload_end: int = 0
    """Where the payload of a data phase ends, which may stand before the command: behind its last ETX."""
    taken_back: list[int] = field(default_factory=list)

    def beginnings(self) -> Iterator[int]:
        """Where a command may begin: a quote among the noise or payload before it must not turn its own inside out."""
        earliest = max(0, len(self.text) - LONGEST)
        yield earliest
        if '"' not in self.text:
            return
        for begin in {self.text.lower().find("at"), self.text.rfind("+++") + 3, self.payload_end}:
            if begin > earliest and self.text.count('"', earliest, begin) % 2:
                yield begin

    def typed(self, begin: int, end: int) -> tuple[int, int]:
        """Where the characters from ``begin`` to ``end`` were typed, with all that was erased among them."""
        first = self.places[begin - 1] + 1 if begin else self.start
        return first, self.places[end] if end < len(self.places) else self.stop


class Masker:
    """Knows the secrets of the dialects of a session; remembers values that it has seen."""

    def __init__(self, *tables: Tables) -> None:
        patterns = list(_STANDARD)
        for table in tables:
            patterns += table.secrets
            names = [name for name, parameter in table.parameters.items() if parameter.secret]
            if names:
                joined = "|".join(sorted(names, key=len, reverse=True))
                patterns.append(rf"#(?:{joined}) *(?:=|:) *([^;\r\n]*)")
        self._fields = [re.compile(pattern, re.IGNORECASE) for pattern in dict.fromkeys(patterns)]
        self._values: dict[str, None] = {}
        self._known: re.Pattern[str] | None = None

    def learn(self, value: str) -> None:
        """Remember a secret's value."""
        value = value.strip().strip('"')
        if len(value) >= SHORTEST and value not in self._values:
            self._values[value] = None
            if len(self._values) > VALUES_LIMIT:
                del self._values[next(iter(self._values))]
            written = {form for one in self._values for form in _written(one)}
            longest = sorted(written, key=len, reverse=True)
            self._known = re.compile("|".join(re.escape(one) for one in longest))

    def text(self, text: str, settings: LineSettings = _USUAL) -> str:
        """``text`` without secrets; ``settings`` of the line that it was said on."""
        lines = list(_lines(text, settings))
        hidden = [(*place, MASK) for line in lines for place in self._secret_fields(line)]
        if self._known is not None:
            hidden += [(*line.typed(*match.span()), MASK) for line in lines for match in self._known.finditer(line.text)]
        hidden += [(place, place + 1, TAKEN_BACK) for line in lines for place in line.taken_back]
        return _without(text, hidden) if hidden else text

    def _secret_fields(self, line: _Line) -> Iterator[tuple[int, int]]:
        for first in line.beginnings():
            text = line.text[first:]
            shape = _shape(text)
            for start, end in _groups(self._fields, shape):
                begin = _with_quote(text, shape, start)
                self._learn_field(text[begin:end], shape[begin:end])
                yield line.typed(first + begin, first + end)
        for start, end in _groups(_PROTOCOLS, line.text):
            yield line.typed(start, end)

    def _learn_field(self, written: str, shape: str) -> None:
        begin = 0
        for part in shape.split(","):
            self.learn(written[begin : begin + len(part)])
            begin += len(part) + 1

    def _learn_login(self, value: Any) -> None:
        """What becomes of user and password together where a server is told them (RFC 4616, RFC 7617)."""
        user, password = getattr(value, "user", None), getattr(value, "password", None)
        if isinstance(user, str) and isinstance(password, Secret) and password:
            for together in (f"\0{user}\0{password}", f"{user}:{password}"):
                self.learn(b64encode(together.encode()).decode("ascii"))

    def plain(self, value: Any) -> Any:
        """A value as JSON can have it, without secrets."""
        if isinstance(value, Secret):
            self.learn(str(value))
            return MASK if value else ""
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("latin-1"))
        if is_dataclass(value) and not isinstance(value, type):
            self._learn_login(value)
            return {item.name: self.plain(getattr(value, item.name)) for item in fields(value)}
        if isinstance(value, dict):
            return {str(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(item) for item in value]
        return value


def _lines(text: str, settings: LineSettings) -> Iterator[_Line]:
    """The lines of a text as the reader of command lines understands them (gateway/wire/command.py)."""
    ends = {chr(settings.registers[3]), chr(settings.registers[4])}
    erase = chr(settings.registers[5])
    start = 0
    for match in re.finditer("|".join(re.escape(end) for end in ends) + r"|\Z", text):
        line = text[start : match.start()]
        if erase in line or _CONTROL.search(line):
            yield _edited(line, start, erase)
        elif line:
            yield _Line(line, range(start, match.start()), start, match.start())
        start = match.end()


def _edited(line: str, start: int, erase: str) -> _Line:
    meant: list[str] = []
    places: list[int] = []
    taken_back: list[int] = []
    command_at: int | None = None
    payload_end = 0
    for place, character in enumerate(line, start):
        if character == erase:
            if meant:
                meant.pop()
                erased = places.pop()
                if command_at is not None and len(meant) < command_at:
                    command_at = None
                elif command_at is not None:
                    taken_back.append(erased)
        elif character == _ETX:
            payload_end = len(meant)
        elif not _CONTROL.match(character):
            meant.append(character)
            places.append(place)
            if command_at is None and "".join(meant[-2:]).upper() == "AT":
                command_at = len(meant)
    return _Line("".join(meant), places, start, start + len(line), payload_end, taken_back)


def _groups(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    """Where the groups of patterns stand."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            for number in range(1, pattern.groups + 1):
                if match[number]:
                    yield match.span(number)


def _written(value: str) -> Iterator[str]:
    """How a secret may stand in a stream: as it is, in base 64, and both as the digits of a module's commands."""
    data = value.encode("utf-8")
    for form in (data, b64encode(data)):
        yield form.decode("utf-8")
        yield form.hex()
        yield form.hex().upper()


def _shape(text: str) -> str:
    """A line of the same length in which commas and semicolons separate, and a number is digits and nothing else."""

    def harmless(match: re.Match[str]) -> str:
        inside = match[0].strip('"')
        bare = inside.isdigit() and len(match[0]) == len(inside) + 2
        return f" {inside} " if bare else match[0].translate(_SEPARATORS)

    return _ZEROS.sub(lambda match: " " * len(match[0]), _QUOTED.sub(harmless, text))


def _with_quote(text: str, shape: str, begin: int) -> int:
    """Where a field begins with the quote and the zeros before its number, which are blanks of its shape."""
    while begin and shape[begin - 1] == " " != text[begin - 1]:
        begin -= 1
    return begin


def _without(text: str, hidden: Iterable[tuple[int, int, str]]) -> str:
    """``text`` with other text in these places; of places that overlap the first, and then the longest, counts."""
    parts: list[str] = []
    done = 0
    for begin, end, instead in sorted(hidden, key=lambda place: (place[0], -place[1])):
        if begin >= done:
            parts += (text[done:begin], instead)
        done = max(done, end)
    return "".join(parts) + text[done:]

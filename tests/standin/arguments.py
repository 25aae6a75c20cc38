"""The values behind the ``=`` of a command (2.1): numbers, quoted texts, empty slots."""

from __future__ import annotations

import re
from dataclasses import dataclass


class Refused(Exception):  # becomes the command's error
    """``+CME ERROR: code`` under AT+CMEE=1, else ERROR; without a code always ERROR."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Argument:
    """One value."""

    text: str
    quoted: bool = False


_NEXT = re.compile(r' *(?:"([^"]*)"|([^",]*)) *(,|\Z)')


def split(text: str) -> list[Argument]:
    """The values of a list. Raises :class:`Refused` for quotes that do not pair."""
    values: list[Argument] = []
    at = 0
    while True:
        match = _NEXT.match(text, at)
        if match is None:
            raise Refused
        quoted, bare, separator = match.groups()
        values.append(Argument(bare.strip()) if quoted is None else Argument(quoted, True))
        at = match.end()
        if not separator:
            return values


def number(
    values: list[Argument],
    position: int,
    low: int = 0,
    high: int = 2**32,
    *,
    code: int = 801,
    default: int | None = None,
    missing: int | None = None,
) -> int:
    """A number of the list. ``code``: out of range; ``missing``: the error when it is left out without a default."""
    if position >= len(values) or not values[position].text:
        if default is None:
            raise Refused(missing)
        return default
    if not values[position].text.isdigit():
        raise Refused
    value = int(values[position].text)
    if not low <= value <= high:
        raise Refused(code)
    return value


def count(values: list[Argument], *allowed: int) -> None:
    """Error 851 for another number of values."""
    if len(values) not in allowed:
        raise Refused(851)

"""Values of commands: from text by their type, with the reason when they are wrong, and back to text."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.dialect.nodes import Shape, Value
from gateway.dialect.schema import ValueType
from gateway.model.values import is_dotted, is_numeric, is_six, plain

_PHONE = re.compile(r"\+?[0-9]*")
_DIGITS = re.compile(r"[0-9]{1,10}")
_QUOTED = frozenset({"string", "text", "host", "ip", "phone", "hex", "caller", "addresses", "keyword", "ip6", "address"})


class WrongValue(Exception):
    """A value does not fit its type; the text says what was expected."""


def read_value(kind: ValueType, value: Value) -> str | int:
    """The value of ``value`` as ``kind`` understands it: int for numbers and enums, str otherwise.

    Quotes are accepted around numbers and may be missing around text: hosts in the field write both (erratum U03).
    """
    text = value.text if value.shape is Shape.STRING else value.text.strip()
    match kind.kind:
        case "int" | "port" | "enum":
            return _number(kind, text)
        case "letter" | "keyword":
            wanted = text.upper()
            if wanted not in kind.values:
                raise WrongValue(f"one of {', '.join(kind.values)}")
            return wanted
        case "any":
            return text
        case _:
            return _text(kind, text)


def write_value(kind: ValueType, value: str | int) -> str:
    """``value`` as it stands on a line: text in quotes, numbers bare. Raises :class:`WrongValue` for a quote inside."""
    if kind.kind in _QUOTED or (kind.kind == "any" and isinstance(value, str)):
        text = str(value)
        if '"' in text or "\r" in text or "\n" in text:
            raise WrongValue("text without quotes and line ends")
        return f'"{text}"'
    return str(value)


def expected(kind: ValueType) -> str:
    """What a value of this type may be, in words."""
    match kind.kind:
        case "enum" | "letter" | "keyword":
            return "one of " + ", ".join(kind.values)
        case "port":
            return f"a port from {kind.minimum or 0} to 65535"
        case "int":
            step = f" in steps of {kind.step}" if kind.step else ""
            also = "".join(f", or {number}" for number in kind.also)
            return f"a number from {kind.minimum} to {kind.maximum}{step}{also}"
        case "ip":
            return "an address in dotted decimal"
        case "ip6":
            return "an IPv6 address"
        case "address":
            return "an address in dotted decimal, or an IPv6 address"
        case "phone":
            return "a telephone number"
        case "caller":
            return "0, * or a telephone number"
        case "hex":
            return "an even number of hexadecimal digits"
        case _:
            limit = f" of at most {kind.max_length} characters" if kind.max_length else ""
            return "text" + limit


def ranges(kind: ValueType) -> str:
    """What a value of this type may be, as an answer to a test form shows it: ``(0-2,60-62)``, ``(1-65535)``."""
    if kind.kind in ("enum", "letter", "keyword"):
        return f"({','.join(_runs(list(kind.values)))})"
    low, high = kind.minimum or 0, 65535 if kind.kind == "port" else kind.maximum
    return f"({low}-{high})"


def _runs(values: list[str]) -> list[str]:
    """Numbers that follow each other joined to ``first-last``."""
    found: list[list[str]] = []
    for value in values:
        last = found[-1][-1] if found else ""
        if value.isdigit() and last.isdigit() and int(value) == int(last) + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found]


def _number(kind: ValueType, text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise WrongValue(expected(kind))
    number = int(text)
    if kind.kind == "enum":
        if str(number) not in kind.values:
            raise WrongValue(expected(kind))
        return number
    if number in kind.also:
        return number
    low, high = kind.minimum, kind.maximum
    if kind.kind == "port":
        low, high = kind.minimum or 0, 65535
    if kind.kind == "port" and len(text) > 5:
        raise WrongValue(expected(kind))
    if (low is not None and number < low) or (high is not None and number > high):
        raise WrongValue(expected(kind))
    if kind.step and number % kind.step:
        raise WrongValue(expected(kind))
    return number


def _is_hex(digits: str) -> bool:
    """Whether these are pairs of digits; payload is, so that it must not take long."""
    try:
        return len(bytes.fromhex(digits)) * 2 == len(digits)
    except ValueError:
        return False


def _text(kind: ValueType, text: str) -> str:
    if not (text.isascii() and text.isprintable()) or (kind.max_length is not None and len(text) > kind.max_length):
        raise WrongValue(expected(kind))
    checks: dict[str, Callable[[str], bool]] = {
        "ip": is_dotted,
        "ip6": is_six,
        "address": lambda address: is_numeric(plain(address)),
        "phone": lambda number: _PHONE.fullmatch(number) is not None,
        "caller": lambda number: number in ("0", "*") or (_PHONE.fullmatch(number) is not None and bool(number)),
        "hex": _is_hex,
    }
    fits = checks.get(kind.kind)
    if fits is not None and not fits(text):
        raise WrongValue(expected(kind))
    return text

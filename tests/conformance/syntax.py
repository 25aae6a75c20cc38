"""The notation in which the inventories write commands and answers: ``<name>``, ``[ ]`` optional, ``|`` either."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

_TOKEN = re.compile(r'<[^<>]*>|\[|\]|\||,|"[^"]*"|"<[^<>]*>"|[^<>\[\]|,"]+')
_MANY = 200
"""More variants than this of one form are not looked at one by one."""


@dataclass(frozen=True)
class Slot:
    """One value of a variant: a parameter's name, or text that is written as it is; ``quoted`` when in quotes."""

    name: str = ""
    literal: str = ""
    quoted: bool = False


Variant = tuple[Slot | None, ...]
"""The values of one way to write a form; None: left out, its comma stays."""


def variants(values: str) -> list[Variant]:
    """Every way to write the values of a syntax line, the shortest first; a part in brackets is there or not.

    Brackets side by side that each hold one value are also written with an empty value in the place of one that is left
    out, when a later one is there (erratum F37).
    """
    values = values.replace("[...]", "")
    tokens = _TOKEN.findall(values)
    parts, rest = _sequence(tokens)
    assert not rest, values
    found = dict.fromkeys(_slots(choice) for choice in parts)
    return sorted(found, key=len)[:_MANY]


def _sequence(tokens: list[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Alternatives of a run of tokens up to its closing bracket, and what stands behind that."""
    runs: list[list[tuple[str, ...]]] = []
    while tokens:
        token, *tokens = tokens
        if token == "]":
            break
        if token == "[":
            inner, tokens = _sequence(tokens)
            runs.append([(), *inner])
        elif token == "|":
            last = runs.pop()
            other, *tokens = tokens
            runs.append([*last, (other,)])
        else:
            runs.append([(token,)])
    return [sum(choice, ()) for choice in product(*runs)] or [()], tokens


def _slots(tokens: tuple[str, ...]) -> Variant:
    slots: list[Slot | None] = []
    current: Slot | None = None
    for token in tokens:
        if token == ",":
            slots.append(current)
            current = None
        elif token.strip():
            current = _slot(token.strip())
    return (*slots, current) if tokens else ()


def _slot(token: str) -> Slot:
    inner = token.strip('"')
    quoted = inner != token
    if inner.startswith("<"):
        return Slot(name=inner[1:-1], quoted=quoted)
    return Slot(literal=inner, quoted=quoted)


def lines(text: str) -> list[str]:
    """An answer line, its optional parts there and not."""
    if "[" not in text:
        return [text]
    start = text.index("[")
    depth = [text[: at + 1].count("[") - text[: at + 1].count("]") for at in range(len(text))]
    end = next(at for at in range(start, len(text)) if depth[at] == 0)
    head, inner, tail = text[:start], text[start + 1 : end], text[end + 1 :]
    return [*lines(head + tail), *lines(head + inner + tail)]

"""Differences between two accounts of one dialect, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from gateway.dialect.dialect import Call, Dialect, Fault
from gateway.dialect.firmware import Say, Step, Surroundings
from gateway.dialect.nodes import Statement
from gateway.dialect.quirks import firmware_of
from gateway.dialect.schema import ValueType
from gateway.model.causes import Cause
from gateway.wire.settings import LineSettings

_HOLE = re.compile(r"<[^<>]*>|\{\w+\*?\}")
_QUOTED = re.compile(r'"\*(?: \*)*"')


class Comparison:
    """Collects differences; a place is a path through the inventory, as ``commands.#OTCP.forms.set``."""

    def __init__(self) -> None:
        self.differences: dict[str, str] = {}
        self.checks = 0

    def same(self, place: str, theirs: Any, ours: Any) -> None:
        """Both accounts say the same."""
        self.checks += 1
        if theirs != ours:
            self.differences[place] = f"the manual: {theirs!r}; the tables: {ours!r}"

    def true(self, place: str, truth: object, told: str) -> None:
        """Something holds; else ``told`` is the difference."""
        self.checks += 1
        if not truth:
            self.differences[place] = told

    def every(self, place: str, theirs: Collection[str], ours: Collection[str]) -> None:
        """The same names on both sides; each that is not is a difference of its own."""
        self.checks += 1
        for name in sorted(set(theirs) - set(ours)):
            self.differences[f"{place}.{name}"] = "missing in the tables"
        for name in sorted(set(ours) - set(theirs)):
            self.differences[f"{place}.{name}"] = "not in the manual"

    def keys(self, place: str, entry: dict[Any, Any], compared: str, told: str = "") -> None:
        """``entry`` has no key but those that are compared and those that are words for people (``told``): what is
        added to an inventory must not go unseen."""
        for key in set(map(str, entry)) - set(compared.split()) - set(told.split()):
            self.differences[f"{place}.{key}"] = "the comparison does not know this key"


def shape(text: str) -> str:
    """A line with a ``*`` in the place of everything that varies: ``<bid>`` or ``{bid}``."""
    return _QUOTED.sub("*", _HOLE.sub("*", text)).strip()


def bind(dialect: Dialect, text: str) -> Call | Fault | None:
    """What one command, written with its ``AT``, means; None when it is no command of the dialect."""
    pieces = dialect.pieces(text.removeprefix("AT"))
    if len(pieces) != 1 or not isinstance(pieces[0], Statement):
        return None
    return dialect.bind(pieces[0])


def is_call(dialect: Dialect, text: str) -> bool:
    """Whether one command is understood."""
    return isinstance(bind(dialect, text), Call)


def said_lines(dialect: Dialect, text: str, stored: dict[str, str | int] | None = None) -> list[str]:
    """The information lines with which a command answers that asks nothing of a module."""
    return [line for step in steps(dialect, text, stored) if isinstance(step, Say) for line in step.lines]


def steps(dialect: Dialect, text: str, stored: dict[str, str | int] | None = None) -> list[Step]:
    """All that the behaviour of such a command does."""
    call = bind(dialect, text)
    if not isinstance(call, Call):
        return []
    firmware = firmware_of(dialect)(dialect, Surroundings(LineSettings(), stored=stored or {}))
    return list(firmware.execute(call))


def answer_texts(dialect: Dialect, names: Iterable[str]) -> list[str]:
    """What a form's ``answer`` or ``then`` names: keys of messages, or words."""
    tables = dialect.tables
    texts = []
    for name in names:
        message = tables.messages.get(name) or tables.information.get(name)
        texts.append(message.text if message else name)
    return texts


def codes_sent(dialect: Dialect) -> set[str]:
    """Every code that some command may end with."""
    return {dialect.code(cause, command) for cause in Cause for command in ("", *dialect.tables.commands)}


def legal(kind: ValueType) -> str:
    """A value of this type as it stands on a command line."""
    sample: Callable[[], str] | str = {
        "int": lambda: str(kind.minimum if kind.minimum is not None else 1),
        "enum": lambda: next(iter(kind.values)),
        "letter": lambda: next(iter(kind.values)),
        "port": "80",
        "ip": '"10.0.0.1"',
        "caller": '"*"',
        "phone": '"0123"',
        "hex": '"3031"',
    }.get(kind.kind, '"a"')
    return sample if isinstance(sample, str) else sample()

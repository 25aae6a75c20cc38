"""The Lark grammars: built on first use, one parser a family, lines to nodes.

LALR with the contextual lexer; the text is Latin-1, so that all 256 byte values pass.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from gateway.dialect.nodes import AnswerLine, Basic, Broken, Foreign, Op, Piece, Shape, Statement, Value
from gateway.resources import folder

_WORDS = {
    "STRING": "a quoted string",
    "INT": "a number",
    "BARE": "a value",
    "NAME": "the name of a command",
    "READ": "?",
    "TEST": "=?",
    "SET": "=",
    "COLON": ":",
    "COMMA": "a comma",
    "$END": "the end of the command",
}
_BASIC = re.compile(r"(&?[A-Za-z]) *(\d*)")
_REGISTER = re.compile(r"[Ss] *(\d+) *(?:(=) *(\d*)|(\?))?")


class _ToNodes(Transformer[Token, Any]):
    """Turns parsed lines into nodes while they are parsed; a method a rule or alias."""

    def line(self, tokens: list[Token]) -> list[Token]:
        return tokens

    def exec(self, items: list[Token]) -> Statement:
        return Statement(str(items[0]).upper(), Op.EXEC)

    def read(self, items: list[Token]) -> Statement:
        return Statement(str(items[0]).upper(), Op.READ)

    def test(self, items: list[Token]) -> Statement:
        return Statement(str(items[0]).upper(), Op.TEST)

    def set(self, items: list[Any]) -> Statement:
        return Statement(str(items[0]).upper(), Op.SET, items[-1])

    def values(self, items: list[Value]) -> tuple[Value, ...]:
        return tuple(items)

    def string(self, items: list[Token]) -> Value:
        return Value(Shape.STRING, str(items[0])[1:-1], items[0].column or 0)

    def number(self, items: list[Token]) -> Value:
        return Value(Shape.NUMBER, str(items[0]), items[0].column or 0)

    def bareword(self, items: list[Token]) -> Value:
        return Value(Shape.BARE, str(items[0]), items[0].column or 0)

    def nothing(self, _items: list[Token]) -> Value:
        return Value(Shape.NOTHING, "")

    def named(self, items: list[Any]) -> AnswerLine:
        return AnswerLine(str(items[0]).upper(), items[-1])

    def unnamed(self, items: list[Token]) -> AnswerLine:
        return AnswerLine("", tuple(self.number([item]) for item in items))


# Rules that a family's grammar imports arrive with the name of the file that they come from.
for _rule in ("line", "exec", "read", "test", "set", "values", "string", "number", "bareword", "nothing"):
    setattr(_ToNodes, f"v250__{_rule}", getattr(_ToNodes, _rule))


LONG_CHARACTERS = 128
"""A line that is longer may carry payload."""
_PAYLOAD = "\0"
"""Stands for it."""


@cache
def parser(family: str, start: str, *, strict: bool = False) -> Lark:
    """The parser of ``grammars/<family>.lark`` for one start rule; built once. ``strict`` also rejects ambiguity."""
    return Lark.open(
        str(folder("grammars") / f"{family}.lark"),
        parser="lalr",
        start=start,
        transformer=_ToNodes(),
        maybe_placeholders=False,
        strict=strict,
    )


def parse_line(family: str, own: tuple[str, ...], text: str) -> tuple[Piece, ...]:
    """Split a command line behind its ``AT`` into pieces, left to right.

    ``own`` are the beginnings, in capitals, of the extended commands that ``family``'s grammar reads; the others come
    back as :class:`Foreign`, as they were written. Never raises: what cannot be read is a :class:`Broken` piece, and
    the last one.
    """
    if len(text) > LONG_CHARACTERS and text[-1] == '"':
        pieces = _with_payload(family, own, text)
        if pieces is not None:
            return pieces
    return parse_whole(family, own, text)


def _with_payload(family: str, own: tuple[str, ...], text: str) -> tuple[Piece, ...] | None:
    """A line that ends with a string, which is payload more often than not: what is in it does not matter to the rest
    of the line, so that is read once for all payload. None where the string is no value of its own."""
    begin = text.rfind('"', 0, -1)
    if begin < 0 or text.count('"', 0, begin) % 2:
        return None
    pieces = parse_whole(family, own, f'{text[:begin]}"{_PAYLOAD}"')
    last = pieces[-1]
    if not isinstance(last, Statement) or not last.values or last.values[-1].text != _PAYLOAD:
        return None
    value = Value(Shape.STRING, text[begin + 1 : -1], last.values[-1].column)
    return *pieces[:-1], Statement(last.name, last.op, (*last.values[:-1], value), last.column)


@lru_cache(maxsize=512)
def parse_whole(family: str, own: tuple[str, ...], text: str) -> tuple[Piece, ...]:
    """The same as :func:`parse_line`, every sign read."""
    try:
        tokens = cast(list[Token], parser("v250", "line").parse(text))
    except UnexpectedInput as error:
        return (_broken(text, error, 0),)
    pieces: list[Piece] = []
    for token in tokens:
        written, offset = str(token), (token.column or 1) - 1
        if token.type == "BASIC":
            pieces.append(_basic(written, offset + 1))
        elif token.type == "REGISTER":
            pieces.append(_register(written, offset + 1))
        elif token.type == "EXTENDED" and written.upper().replace(" ", "").startswith(own):
            piece = _own(family, written, offset)
            pieces.append(piece)
            if isinstance(piece, Broken):
                break
        else:
            pieces.append(Foreign(written, offset + 1))
    return tuple(pieces)


@lru_cache(maxsize=512)
def parse_answer(family: str, text: str) -> AnswerLine | None:
    """A line of an answer as ``family`` writes it, or None when it is not of that shape."""
    try:
        return cast(AnswerLine, parser(family, "answer").parse(text))
    except UnexpectedInput:
        return None


def _own(family: str, text: str, offset: int) -> Statement | Broken:
    try:
        statement = cast(Statement, parser(family, "command").parse(text))
    except UnexpectedInput as error:
        return _broken(text, error, offset)
    if not offset:
        return statement
    values = tuple(replace(value, column=value.column + offset) for value in statement.values)
    return replace(statement, values=values, column=offset + 1)


def _basic(text: str, column: int) -> Basic:
    match = _BASIC.fullmatch(text)
    assert match is not None
    return Basic(match[1].upper(), int(match[2]) if match[2] else None, column=column)


def _register(text: str, column: int) -> Basic:
    match = _REGISTER.fullmatch(text)
    assert match is not None
    number = int(match[3]) if match[3] else None
    return Basic("S", number, match[4] is not None or match[2] is None, int(match[1]), column)


def _broken(text: str, error: UnexpectedInput, offset: int) -> Broken:
    """Where a line stops making sense, and what could stand there, in words."""
    column = error.column if isinstance(error.column, int) and error.column > 0 else len(text) + 1
    names: set[str] = set()
    if isinstance(error, UnexpectedToken):
        names = set(error.accepts or error.expected)
        if error.token.type == "$END":
            column = len(text) + 1
    elif isinstance(error, UnexpectedCharacters):
        names = set(error.allowed or ())
    words = sorted({_WORDS.get(name.rsplit("__", 1)[-1], "a command") for name in names})
    return Broken(text, column + offset, " or ".join(words) or "a command")

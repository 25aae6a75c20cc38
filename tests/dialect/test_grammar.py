"""The grammars: unambiguous, complete, and kind in their errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark

from gateway.dialect import grammar
from gateway.dialect.nodes import AnswerLine, Basic, Broken, Foreign, Op, Shape, Statement, Value
from gateway.resources import folder

FAMILIES = [path.stem for path in sorted(folder("grammars").glob("*.lark"))]
OWN = ("#", "+WOPEN")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_grammar_is_unambiguous(family: str) -> None:
    starts = ["line", "command"] if family == "v250" else ["command", "answer"]
    for start in starts:
        grammar.parser(family, start, strict=True)


@pytest.mark.parametrize(
    "line",
    [
        '#A=1,"{}"', '#A="{}"', '#a = "{}"', '#A=1;#B=2,"{}"', '+CMGS="{}"', '#A="x","{}"', '#A="x;{}"', '"{}"', '#A"{}"',
        '#A="x"{}"', 'E0"{}"', '#A="{}""', '#A=x{}"', '#A={}', '#A="{}",1', '#A?"{}"', 'D"{}"',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "inside", ["AB" * 100, "x; y," * 60, "\0", "\x7f\xe9" * 100, "a" * 300 + '";#B=1;#C="' + "b" * 300]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_line_reads_as_a_short_one_does(family: str, line: str, inside: str) -> None:
    """Payload at the end of a line is not looked at; the line means the same."""
    text = line.format(inside)
    assert grammar.parse_line(family, OWN, text) == grammar.parse_whole(family, OWN, text)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_rule_has_its_method(family: str) -> None:
    starts = ["line", "command"] if family == "v250" else ["command", "answer"]
    path = folder("grammars") / f"{family}.lark"
    for rule in Lark.open(str(path), parser="lalr", start=starts).rules:
        name = rule.alias or rule.origin.name
        if not name.startswith("_") and name.rpartition("__")[2] not in ("item", "command", "answer"):
            assert hasattr(grammar._ToNodes, name), name


def number(text: str, column: int) -> Value:
    return Value(Shape.NUMBER, text, column)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("E0V1", (Basic("E", 0), Basic("V", 1))),
        ("&F&C1&D2", (Basic("&F"), Basic("&C", 1), Basic("&D", 2))),
        ("ZE0", (Basic("Z"), Basic("E", 0))),
        ("S3=13S4?", (Basic("S", 13, False, 3), Basic("S", None, True, 4))),
        ("&FE0V1+CREG=0", (Basic("&F"), Basic("E", 0), Basic("V", 1), Foreign("+CREG=0"))),
        ("#OTCP", (Statement("#OTCP", Op.EXEC),)),
        ("#otcp=1", (Statement("#OTCP", Op.SET, (number("1", 7),)),)),
        ("#A?;#B=?", (Statement("#A", Op.READ), Statement("#B", Op.TEST))),
        ('#A= "x;y" ', (Statement("#A", Op.SET, (Value(Shape.STRING, "x;y", 5),)),)),
        ("#A=b@c.de", (Statement("#A", Op.SET, (Value(Shape.BARE, "b@c.de", 4),)),)),
        ("#A=1,,", (Statement("#A", Op.SET, (number("1", 4), *[Value(Shape.NOTHING, "")] * 2)),)),
        ('+CMGS="1;2";#A', (Foreign('+CMGS="1;2"'), Statement("#A", Op.EXEC))),
        ("*PSSTKI=0;I3", (Foreign("*PSSTKI=0"), Basic("I", 3))),
        ("D*99#;", (Foreign("D*99#;"),)),
        ("+WOPEN=1", (Statement("+WOPEN", Op.SET, (number("1", 8),)),)),
    ],
)
def test_command_lines(text: str, pieces: tuple[object, ...]) -> None:
    assert grammar.parse_line("edsoft", OWN, text) == pieces


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ('#A="b"c', 7, "a comma"),
        ('#A=1,"open', 6, "a quoted string"),
        ("#", 1, "the name of a command"),
        ("=3", 1, "a command"),
        ("#A;#B==1", 7, "the end of the command"),
    ],
)
def test_a_mistake_has_its_place_and_what_was_expected(text: str, column: int, word: str) -> None:
    broken = grammar.parse_line("edsoft", OWN, text)[-1]
    assert isinstance(broken, Broken)
    assert broken.column == column
    assert word in broken.expected


@pytest.mark.parametrize(
    ("family", "text", "line"),
    [
        ("wipsoft", "+WIPREADY: 5, 1", AnswerLine("+WIPREADY", (number("5", 12), number("1", 15)))),
        ("wipsoft", "6,1", AnswerLine("", (number("6", 1), number("1", 3)))),
        ("edsoft", "#FTPTYPE: = I", AnswerLine("#FTPTYPE", (Value(Shape.BARE, "I", 13),))),
        ("edsoft", "#POP3SERV = x", AnswerLine("#POP3SERV", (Value(Shape.BARE, "x", 13),))),
        ("wipsoft", "OK", None),
        ("wipsoft", 'a "', None),
    ],
)
def test_answer_lines(family: str, text: str, line: AnswerLine | None) -> None:
    assert grammar.parse_answer(family, text) == line


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_any_line_gives_pieces(text: str) -> None:
    for family in ("edsoft", "wipsoft"):
        grammar.parse_line(family, OWN, text)
        grammar.parse_answer(family, text)

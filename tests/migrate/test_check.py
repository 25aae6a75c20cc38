"""What the check of scripts finds, and where; nothing in what the manuals themselves print."""

from __future__ import annotations

import pytest

from gateway.dialect import registry
from gateway.migrate.check import Problem, ProblemKind, check

GOOD = {
    "edsoft-3.02": """
// bring IP up, talk, close
ATE0
AT#APNSERV="internet"
AT#CONNECTIONSTART
AT#TCPSERV=1,"server.example"
AT#TCPPORT=1,80
AT#OTCP=1
>hello\\x03
AT#TCPPORT=2,4000;#TCPSERV=2,"255.255.255.255"
AT#LTCPSTART=2
>answer\\x03
AT+CMGS="+123"
>text\\x1A
AT#CONNECTIONSTOP
""",
    "wipsoft-5.57": """
AT+WIPCFG=1
AT+WIPBR=1,6
AT+WIPBR=2,6,11,"internet"
AT+WIPBR=4,6,0
AT+WIPCREATE=2,1,"server.example",80
AT+WIPDATA=2,1,1
>hello\\x10\\x03
+++
AT+WIPCLOSE=2,1
AT+WIPCREATE=3,1,8080,5,8
AT+WIPBR=5,6
AT+WIPCFG=0
""",
}


def found(text: str, dialect: str = "wipsoft-5.57") -> list[Problem]:
    return check(text, registry.load(dialect))


def one(text: str, dialect: str = "wipsoft-5.57") -> Problem:
    problems = found(text, dialect)
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize("dialect", GOOD)
def test_nothing_is_found_in_what_is_right(dialect: str) -> None:
    assert found(GOOD[dialect], dialect) == []


@pytest.mark.parametrize(
    ("line", "kind", "column", "length", "words"),
    [
        ('AT+WIPCRAETE=2,1,"a",80', ProblemKind.UNKNOWN, 3, 10, "did you mean +WIPCREATE?"),
        ('at+wpcreate=2,1,"a",80', ProblemKind.UNKNOWN, 3, 9, "did you mean +WIPCREATE?"),
        ("AT+WIPCLOSE=2", ProblemKind.COUNT, 14, 1, "missing"),
        ("AT+WIPCLOSE=2,1,7", ProblemKind.COUNT, 17, 1, "too many"),
        ("AT+WIPCLOSE=2,9", ProblemKind.VALUE, 15, 1, "1 to 8"),
        ("AT+WIPCLOSE=2,x", ProblemKind.VALUE, 15, 1, "1 to 8"),
        ('AT+WIPPING="host', ProblemKind.SYNTAX, 12, 5, "never closed"),
        ("hello", ProblemKind.SYNTAX, 1, 5, "begins with AT"),
        ("AT+CSQ;+WIPCLOSE=2,9", ProblemKind.VALUE, 20, 1, "1 to 8"),
        ("  AT+WIPCLOSE=2,9 // closing", ProblemKind.VALUE, 17, 1, "1 to 8"),
        ("AT+WIPPING", ProblemKind.SYNTAX, 3, 8, "AT+WIPPING?"),
    ],
)
def test_mistakes_of_a_line(line: str, kind: ProblemKind, column: int, length: int, words: str) -> None:
    problem = one(f"// before\n{line}")
    assert (problem.kind, problem.line, problem.column, problem.length) == (kind, 2, column, length)
    assert words in problem.message
    assert problem.text == line


def test_the_manuals_section_is_named() -> None:
    assert "5.2" in one("AT+WIPCLOSE=2,9").source


@pytest.mark.parametrize(
    ("lines", "line", "code"),
    [
        ('AT+WIPCREATE=2,1,"a",80', 1, "803"),
        ("AT+WIPCFG=1\nAT+WIPCFG=1", 2, "844"),
        ("AT+WIPCFG=1\nAT+WIPBR=1,6\nAT+WIPBR=1,6", 3, "804"),
        ("AT+WIPCFG=1\nAT+WIPBR=4,6,0", 2, "803"),
        ('AT+WIPCFG=1\nAT+WIPBR=1,6\nAT+WIPBR=4,6,0\nAT+WIPCREATE=2,1,"a",80\nAT+WIPCREATE=2,1,"a",80', 5, "840"),
    ],
)
def test_what_the_state_does_not_allow(lines: str, line: int, code: str) -> None:
    problem = one(lines)
    assert (problem.kind, problem.line) == (ProblemKind.ORDER, line)
    assert f": {code} (" in problem.message


def test_a_wrong_line_is_not_carried_out() -> None:
    """The mistake is told once, not again as the missing effect that it would have had."""
    assert [problem.line for problem in found("AT+WIPCFG=1\nAT+WIPCFG=7\nAT+WIPCFG=1")] == [2, 3]


def test_payload_needs_a_data_phase() -> None:
    problem = one("AT+WIPCFG=1\n>hello")
    assert (problem.kind, problem.line, problem.column) == (ProblemKind.PAYLOAD, 2, 2)


def test_a_wrong_escape_in_payload() -> None:
    problem = one("AT+CMGS=1\n>a\\q")
    assert (problem.kind, problem.line, problem.column) == (ProblemKind.PAYLOAD, 2, 3)


def test_another_dialects_commands_are_none_of_ours() -> None:
    assert found('AT+CSQ\nAT+CGDCONT=1,"IP","internet"\nATD*99#\nAT+COPS=?\nAT$X=1\nA/') == []


def test_a_line_that_is_too_long() -> None:
    limit = registry.load("wipsoft-5.57").tables.lines.limit_bytes
    assert one(f'AT+X="{"a" * limit}"').kind is ProblemKind.LENGTH


@pytest.mark.parametrize("dialect", registry.ids())
def test_noise_is_told_and_never_raises(dialect: str) -> None:
    noise = 'AT"\nAT=\nAT+\nAT#=?=\n>\nAT;;\nATS\n\x00\nAT+WIPCREATE=,,,\nAT#TCPSERV=,,"\nA/\n+++\n>\\'
    assert all(problem.line <= 13 for problem in found(noise, dialect))

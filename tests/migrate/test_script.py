"""AT scripts are read as the contract has them."""

from __future__ import annotations

import pytest

from gateway.migrate.script import LineKind, read_script


@pytest.mark.parametrize(
    ("text", "kind", "rest", "column"),
    [
        ("AT+CSQ", LineKind.COMMAND, "AT+CSQ", 1),
        ("  AT+CSQ  // quality", LineKind.COMMAND, "AT+CSQ", 3),
        ('AT+WIPFILE=5,1,1,"http://host/a"', LineKind.COMMAND, 'AT+WIPFILE=5,1,1,"http://host/a"', 1),
        ("AT+X=http://host // old", LineKind.COMMAND, "AT+X=http://host", 1),
        ("// a comment", LineKind.EMPTY, "", 1),
        ("", LineKind.EMPTY, "", 1),
        (">hello", LineKind.PAYLOAD, "hello", 2),
        ("> hello // no comment", LineKind.PAYLOAD, "hello // no comment", 3),
        ("+++", LineKind.ESCAPE, "+++", 1),
        ("\ufeffAT", LineKind.COMMAND, "AT", 2),
    ],
)
def test_kinds_of_lines(text: str, kind: LineKind, rest: str, column: int) -> None:
    line = read_script(f"AT\n{text}\n")[1] if text else read_script("AT\n\nAT")[1]
    assert (line.kind, line.text, line.column, line.number) == (kind, rest, column, 2)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (r">a\x03\x00\r\n\\\t", b"a\x03\x00\r\n\\\t"),
        (">\u00e9", b"\xe9"),
        (">\u20ac", "\u20ac".encode()),
        (">", b""),
    ],
)
def test_payload(text: str, data: bytes) -> None:
    line = read_script(text)[0]
    assert line.data == data
    assert line.wrong == 0


def test_a_backslash_that_begins_no_escape_is_told() -> None:
    assert read_script(r"> ab\qc")[0].wrong == 5


def test_a_comment_is_kept() -> None:
    assert read_script("AT // why")[0].comment == "why"

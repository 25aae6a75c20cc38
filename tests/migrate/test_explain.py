"""Commands, answers and codes in plain words."""

from __future__ import annotations

import pytest

from gateway.dialect import registry
from gateway.errors import InputError
from gateway.migrate.explain import Explanation, explain


def one(text: str, dialect: str) -> Explanation:
    found = explain(text, registry.load(dialect))
    assert len(found) == 1
    return found[0]


def test_a_command_value_by_value() -> None:
    explanation = one('AT+WIPCREATE=2,1,"server.example",80', "wipsoft")
    assert [(part.name, part.written) for part in explanation.parts] == [
        ("mode", "2"), ("index", "1"), ("host", '"server.example"'), ("port", "80"),
    ]  # fmt: skip
    assert explanation.parts[0].meaning == "TCP client"
    assert "5.1.2" in explanation.source
    assert not explanation.wrong


def test_an_option_by_its_number() -> None:
    assert "APN" in one('AT+WIPBR=2,6,11,"internet"', "wipsoft").parts[2].meaning
    assert "TTL" in one("AT+WIPOPT=2,1,2,8,20", "wipsoft").parts[3].meaning


def test_a_stored_parameter() -> None:
    explanation = one("AT#TCPPORT=1,80", "edsoft")
    assert [(part.name, part.written) for part in explanation.parts] == [("id", "1"), ("value", "80")]
    assert "default: 0" in explanation.notes
    assert "#TCPPORT" in explanation.source


def test_what_would_be_refused_and_how() -> None:
    explanation = one('AT+WIPCREATE=2,9,"a",80', "wipsoft")
    assert "1 to 8" in explanation.wrong
    assert "+CME ERROR: 830" in explanation.wrong


def test_each_command_of_a_line() -> None:
    found = explain("ATE0V1+CSQ;#OTCP=1", registry.load("edsoft"))
    assert [one.text for one in found] == ["ATE0", "ATV1", "AT+CSQ", "AT#OTCP=1"]
    assert "hands it to the module" in found[2].notes[0]


@pytest.mark.parametrize(
    ("text", "dialect", "words"),
    [
        ("+WIPREADY: 2,1", "wipsoft", "ready"),
        ("+CME ERROR: 842", "wipsoft", "unreachable"),
        ("803", "wipsoft", "stack state"),
        ("#CME ERROR: 35840", "edsoft", "running"),
        ("Ok_Info_SocketClosed", "edsoft", "closed"),
        ("OK_Info_WaitingForData", "edsoft", "open"),
        ("3086", "edsoft", "GPRS"),
        ("OK", "edsoft", "OK"),
        ("+WIPCLOSE", "wipsoft", "close"),
        ("AT", "wipsoft", "listens"),
    ],
)
def test_answers_and_codes(text: str, dialect: str, words: str) -> None:
    assert words in one(text, dialect).title


def test_every_error_code_and_message_of_every_dialect() -> None:
    for name in registry.ids():
        dialect = registry.load(name)
        for code in dialect.tables.errors:
            assert one(dialect.tables.lines.error.format(code=code) if code.isdigit() else code, name).kind == "error"
        for command in dialect.tables.commands:
            assert explain(command, dialect)
            for form in dialect.tables.commands[command].forms:
                for example in form.examples:
                    assert not explain(example, dialect)[0].wrong, example


@pytest.mark.parametrize("text", ["", "#OTPC", "+CME ERROR: 1234", "blah"])
def test_what_nobody_knows(text: str) -> None:
    with pytest.raises(InputError) as refused:
        explain(text, registry.load("edsoft"))
    if text == "#OTPC":
        assert "#OTCP" in str(refused.value)

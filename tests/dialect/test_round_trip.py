"""What the tables can write they can read: commands, answers, unsolicited lines; and answers that are made of ranges."""

from __future__ import annotations

import re

import pytest

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.nodes import Statement
from gateway.dialect.schema import Argument, Form
from gateway.model.causes import Cause
from gateway.trace.mask import Masker

DIALECTS = [registry.load(name) for name in registry.ids()]
by_id = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)
NEWEST = registry.load("fibocom")

SAMPLES: dict[str, str] = {
    "ip": "192.0.2.1", "ip6": "2001:db8::1", "address": "2001:db8::1", "host": "www.example.com", "hex": "0A1fFF",
    "string": "some text, and more", "text": "text", "phone": "+123", "caller": "*", "any": "7", "addresses": "a@b",
}  # fmt: skip


def sample(argument: Argument, *, last: bool) -> str | int:
    """A legal value: the first or the last of its range."""
    if argument.values:
        value = list(argument.values)[-1 if last else 0]
        return int(value) if argument.kind == "enum" else value
    if argument.kind in ("int", "port"):
        low, high = (1, 65535) if argument.kind == "port" else (argument.minimum, argument.maximum)
        return (high if last else low) or 0
    text = SAMPLES[argument.kind]
    return text[: argument.max_length] if argument.max_length else text


def written(dialect: Dialect, name: str, form: Form, *, last: bool, optional: bool) -> tuple[str, dict[str, str | int]]:
    """A command of a form, and what must be read of it."""
    values: dict[str, str | int] = {}
    for taken in form.takes:
        key = taken.rstrip("?")
        argument = dialect.tables.commands[name].arguments[key]
        if key in form.when:
            value = form.when[key][0]
            values[key] = value if argument.kind != "any" else str(value)
        elif not taken.endswith("?") or optional:
            values[key] = sample(argument, last=last)
    expected = dict(values)
    for taken in form.takes:
        default = dialect.tables.commands[name].arguments[taken.rstrip("?")].default
        if taken.endswith("?") and not optional and default is not None:
            expected[taken.rstrip("?")] = default
    return dialect.write(form.does, **values), expected


@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("optional", [False, True], ids=["short", "long"])
def test_every_form_is_read_as_it_is_written(last: bool, optional: bool) -> None:
    for name, command in NEWEST.tables.commands.items():
        for form in command.forms:
            text, expected = written(NEWEST, name, form, last=last, optional=optional)
            (piece,) = NEWEST.pieces(text.removeprefix("AT"))
            assert isinstance(piece, Statement), text
            call = NEWEST.bind(piece)
            assert isinstance(call, Call), f"{text}: {call}"
            assert (call.name, call.does, call.arguments) == (name, form.does, expected), text


def test_every_form_has_a_name_of_its_own() -> None:
    names = [form.does for command in NEWEST.tables.commands.values() for form in command.forms]
    assert len(names) == len(set(names))


def test_a_value_in_the_middle_may_be_left_out() -> None:
    assert NEWEST.write("open_client", id=1, host="h", port=80, protocol=0) == 'AT+MIPOPEN=1,,"h",80,0'
    assert NEWEST.write("stack_set", id=1, indication=2) == "AT+MIPCONF=1,,,,,2"
    assert NEWEST.write("stack_set", id=1) == "AT+MIPCONF=1"
    assert NEWEST.write("open_listen", id=3, source=5000, host="0.0.0.0", protocol=0) == 'AT+MIPOPEN=3,5000,"0.0.0.0",0,0'


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ('+MIPSEND=1,"31"', "send_inline"),
        ("+MIPSEND=1,31", "send_length"),
        ("+MIPSEND=1,3A", "send_inline"),
        ("+MIPSEND=1", "send_prompted"),
        ("+MIPCALL=1,1", "call_start_context"),
        ('+MIPCALL=1,"1"', "call_start"),
        ("+MIPCALL=1,internet", "call_start"),
        ("+mipopen = 1 , , 192.0.2.1 , 0 , 0", "open_listen"),
        ('+GTSET="iprfmt",5', "receive_format"),
        ("+GTSET=SENDTIME,5", "send_time"),
    ],
)
def test_values_are_told_apart_by_how_they_are_written(command: str, does: str) -> None:
    (piece,) = NEWEST.pieces(command)
    assert isinstance(piece, Statement)
    call = NEWEST.bind(piece)
    assert isinstance(call, Call), call
    assert call.does == does


def fields_of(text: str) -> list[str]:
    return re.findall(r"\{(\w+)\*?\}", text)


@by_id
def test_every_message_is_heard_as_it_is_said(dialect: Dialect) -> None:
    """The lines with a name; where another has the same shape, whoever awaits it says so."""
    for key, message in dialect.tables.messages.items():
        if not message.text.startswith("+"):
            continue
        fields: dict[str, str | int] = {}
        for number, name in enumerate(fields_of(message.text), 11):
            fixed = message.when.get(name)
            fields[name] = fixed[-1] if fixed else "AB" if name in ("dump", "data") else number
        heard = dialect.hear(dialect.say(key, **fields), first={key})
        assert heard is not None and heard.key == key, key
        assert heard.fields == {name: str(value) for name, value in fields.items()}, key


@pytest.mark.parametrize(
    ("line", "key", "fields"),
    [
        ("+MIPCALL: 0", "call_down", {}),
        ("+MIPCALL: 2", "call_busy", {}),
        ("+MIPCALL: 10.0.0.1", "call_up", {"address": "10.0.0.1"}),
        ("+MIPCALL: 1,10.0.0.1", "call_state", {"status": "1", "address": "10.0.0.1"}),
        ("+MIPCALL: 10.0.0.1,2001:db8::1", "call_up_both", {"address": "10.0.0.1", "address6": "2001:db8::1"}),
        ("+MIPOPEN: 1,1", "opened", {"id": "1", "state": "1"}),
        ("+MIPOPEN=1,1", "opened", {"id": "1", "state": "1"}),
        ("+MIPOPEN: [1,2,3]", "open_free", {"ids": "1,2,3"}),
        ("+MIPOPEN: 5,6", "open_free", {"ids": "5,6"}),
        ("+MIPOPEN: 0", "open_free", {"ids": "0"}),
        ("+MIPOPEN: 1,2,3,4", "open_free", {"ids": "1,2,3,4"}),
        ('+MIPOPEN: 1,1,"10.0.0.2",80', "open_accepted", {"id": "1", "state": "1", "peer": "10.0.0.2", "port": "80"}),
        ("+MIPCLOSE: 1,0", "closed", {"id": "1", "type": "0"}),
        ("+MIPCLOSE: 1,512,2", "closed_counted", {"id": "1", "acknowledged": "512", "type": "2"}),
        ("+MIPSEND: 1,0,2048", "sent", {"id": "1", "status": "0", "free": "2048"}),
        ("+MIPSEND: 0", "send_none", {}),
        ("+MIPPUSH: 1,0,5", "pushed_counted", {"id": "1", "status": "0", "size": "5"}),
        ("+MIPSTAT: 1,2", "status", {"id": "1", "status": "2"}),
        ("+MIPRTCP: 1,0,3132", "stream", {"id": "1", "size": "0", "data": "3132"}),
        (
            "+MPING: 192.0.2.1,0,0 ,50",
            "ping_reply",
            {"peer": "192.0.2.1", "type": "0", "code": "0", "milliseconds": "50"},
        ),
        ("+MPINGSTAT: 0", "ping_status", {"status": "0"}),
        ('+MIPDNS: "a.example",192.0.2.1', "resolved", {"name": "a.example", "address": "192.0.2.1"}),
        ("+MIPNTP: 1", "clock_result", {"result": "1"}),
        ("+MIPREAD: 1,100", "unread", {"id": "1", "size": "100"}),
        ("+MIPDATA: 1,5", "waiting", {"id": "1", "size": "5"}),
    ],
)
def test_lines_of_modules(line: str, key: str, fields: dict[str, str]) -> None:
    heard = NEWEST.hear(line)
    assert heard is not None
    assert (heard.key, heard.fields) == (key, fields)


def test_two_meanings_of_one_line() -> None:
    for awaited in ("closed", "close_active"):
        heard = NEWEST.hear("+MIPCLOSE: 1,2", first={awaited})
        assert heard is not None and heard.key == awaited


def test_errors_as_word_number_and_text() -> None:
    said = [NEWEST.error_text(Cause.INDEX_IN_USE, detail=detail) for detail in (0, 1, 2)]
    assert said == ["ERROR", "+CME ERROR: 2017", "+CME ERROR: TCPIP socket used"]
    said = [NEWEST.error_text(Cause.BAD_STATE, "+MIPCLOSE", detail=detail) for detail in (0, 1, 2)]
    assert said == ["ERROR", "+CME ERROR: 3", "+CME ERROR: operation not allowed"]
    assert len(NEWEST.tables.errors) + len(NEWEST.tables.message_errors) == 252


def test_credentials_are_masked() -> None:
    masker = Masker(NEWEST.tables)
    assert masker.text('AT+MIPCALL=1,"apn","user","sesame",1') == 'AT+MIPCALL=1,"apn",***'
    assert masker.text('at+mipcall = 1 , "a,b" , user , "x;y" ;+CSQ') == 'at+mipcall = 1 , "a,b" ,***;+CSQ'
    assert masker.text("+MIPCALL: 1,10.0.0.1") == "+MIPCALL: 1,10.0.0.1"


def test_every_cause_has_a_code() -> None:
    assert set(NEWEST.tables.causes) >= {cause for cause in Cause if not cause.startswith("server_")}

"""What is written is read as it was meant: every form of a command, every parameter, message and code of each dialect."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.nodes import Op, Statement
from gateway.dialect.schema import Command, Form, Message, ValueType
from gateway.dialect.values import write_value
from gateway.model.causes import Cause

DIALECTS = [registry.load(name) for name in registry.ids()]
LONGEST = 40
"""Characters of a text, where it may be longer: only its ends are interesting."""
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'), max_size=LONGEST)
OPTIONAL = ("?", "??")


@dataclass(frozen=True)
class Written:
    """One form of a command."""

    dialect: Dialect
    name: str
    command: Command
    form: Form

    def __str__(self) -> str:
        return f"{self.dialect.id} {self.name} {self.form.op} {self.form.does}"


FORMS = [
    Written(dialect, name, command, form)
    for dialect in DIALECTS
    for name, command in dialect.tables.commands.items()
    for form in command.forms
    if not form.switch or dialect.switch(form.switch) == "yes"
]


def values(kind: ValueType) -> st.SearchStrategy[str | int]:
    """Values that a type allows, the ends of its range among them."""
    match kind.kind:
        case "int":
            low, high = kind.minimum or 0, kind.maximum if kind.maximum is not None else 9_999_999_999
            step = kind.step or 1
            within = st.integers(-(-low // step), high // step).map(lambda number: number * step)
            return st.one_of(within, *([st.sampled_from(kind.also)] if kind.also else []))
        case "port":
            return st.integers(kind.minimum or 0, 65535)
        case "enum":
            return st.sampled_from([int(value) for value in kind.values])
        case "letter" | "keyword":
            return st.sampled_from(list(kind.values))
        case "phone":
            return st.from_regex(r"\+?[0-9]{0,20}", fullmatch=True)
        case "caller":
            return st.from_regex(r"[0*]|\+[0-9]{1,20}", fullmatch=True)
        case "ip":
            return st.ip_addresses(v=4).map(str)
        case "ip6":
            return st.ip_addresses(v=6).map(_six)
        case "address":
            return st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(_six))
        case "hex":
            longest = kind.max_length if kind.max_length is not None else 40
            return st.binary(max_size=longest // 2).map(lambda data: data.hex().upper())
        case _:
            longest = kind.max_length if kind.max_length is not None else LONGEST
            return PLAIN.map(lambda text: text[:longest])


def _six(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return str(address.exploded).upper()


@st.composite
def arguments_of(draw: st.DrawFn, written: Written) -> tuple[dict[str, str | int], tuple[str, ...]]:
    """Values for a form: those that may be left out are there or not; those that come together do."""
    form, command = written.form, written.command
    chosen: dict[str, str | int] = {}
    rest: tuple[str, ...] = ()
    names = [taken.rstrip("?*") for taken in form.takes]
    for taken, name in zip(form.takes, names, strict=True):
        if taken.endswith("*"):
            texts = draw(st.lists(PLAIN, max_size=6))
            rest = tuple(texts[: len(texts) // 2 * 2] if taken.endswith("**") else texts)
            continue
        argument = command.arguments[name]
        if taken.endswith("?") and name not in form.when and name not in form.shapes:
            there = argument.goes_with in chosen if argument.goes_with in names else draw(st.booleans())
            if not there:
                continue
        wanted = form.when.get(name)
        chosen[name] = draw(st.sampled_from(wanted) if wanted else values(argument))
    return chosen, rest


def expected_of(written: Written, chosen: dict[str, str | int]) -> dict[str, str | int]:
    """What is understood: the values given, and the defaults of those left out."""
    found = dict(chosen)
    for taken in written.form.takes:
        name = taken.rstrip("?*")
        if taken.endswith(OPTIONAL) and name not in found:
            default = written.command.arguments[name].default
            if default is not None:
                found[name] = default
    return found


def read(dialect: Dialect, text: str) -> Statement:
    """The one command of a line."""
    (piece,) = dialect.pieces(text.removeprefix("AT"))
    assert isinstance(piece, Statement), f"{text}: {piece}"
    return piece


@pytest.mark.parametrize("written", FORMS, ids=str)
@given(data=st.data())
@settings(max_examples=40)
def test_a_command_is_understood_as_it_is_written(written: Written, data: st.DataObject) -> None:
    dialect, form = written.dialect, written.form
    chosen, rest = data.draw(arguments_of(written))
    text = dialect.write_form(written.name, form, chosen, rest)
    statement = read(dialect, text)
    taken = dialect.form_of(statement)
    assume(taken is form or form.op != Op.SET or taken is None or not taken.when)  # a value chooses another form
    call = dialect.bind(statement)
    assert isinstance(call, Call), f"{text}: {call}"
    assert (call.name, call.op, call.does) == (written.name, Op(form.op), form.does), text
    if form.op == Op.SET:
        assert call.arguments == expected_of(written, chosen), text
        assert tuple(value.text for value in call.rest) == rest, text
        again = dialect.bind(read(dialect, dialect.write_form(written.name, form, call.arguments, rest)))
        assert isinstance(again, Call)
        assert (again.does, again.arguments) == (call.does, call.arguments)


PARAMETERS = [(dialect, name) for dialect in DIALECTS for name in dialect.tables.parameters]


@pytest.mark.parametrize(("dialect", "name"), PARAMETERS, ids=lambda part: getattr(part, "id", part))
@given(data=st.data())
@settings(max_examples=20)
def test_a_parameter_is_set_to_what_is_written(dialect: Dialect, name: str, data: st.DataObject) -> None:
    parameter = dialect.tables.parameters[name]
    value = data.draw(values(parameter))
    ids = dialect.tables.socket_ids if parameter.indexed else ()
    number = f"{ids[-1]}," if ids else ""
    call = dialect.bind(read(dialect, f"AT{dialect.tables.own[0]}{name}={number}{write_value(parameter, value)}"))
    assert isinstance(call, Call), call
    assert call.arguments["value"] == value
    assert call.arguments.get("id", ids[-1] if ids else None) == (ids[-1] if ids else None)


MESSAGES = [(dialect, key) for dialect in DIALECTS if "module" in dialect.tables.roles for key in dialect.tables.messages]
_FIELD = re.compile(r'("?)\{(\w+)(\*?)\}("?)')


@st.composite
def fields_of(draw: st.DrawFn, message: Message) -> dict[str, str]:
    """What stands in a message: numbers, and words where it has quotes."""
    found = {}
    for quoted, name, _, _ in _FIELD.findall(message.text):
        words = st.from_regex(r"[0-9A-Za-z.:@ -]{1,20}", fullmatch=True) if quoted else st.integers(0, 65535).map(str)
        if message.pattern and name == "address":
            words = st.ip_addresses(v=4).map(str)
        wanted = getattr(message, "when", {}).get(name)
        found[name] = str(draw(st.sampled_from(wanted))) if wanted else draw(words)
    return found


@pytest.mark.parametrize(("dialect", "key"), MESSAGES, ids=lambda part: getattr(part, "id", part))
@given(data=st.data())
@settings(max_examples=30)
def test_a_message_is_heard_as_it_is_said(dialect: Dialect, key: str, data: st.DataObject) -> None:
    fields = data.draw(fields_of(dialect.tables.messages[key]))
    text = dialect.say(key, **fields)
    heard = dialect.hear(text, {key})
    assert heard is not None, text
    assert (heard.key, heard.fields) == (key, fields), text
    first = dialect.hear(text)
    if first is None and dialect.tables.messages[key].pattern:
        return  # a line without a name is heard by whoever awaits it
    assert first is not None, text
    assert dialect.say(first.key, **first.fields) == text, "another message that says something else"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)
def test_every_cause_has_a_code_of_the_manual_or_a_word(dialect: Dialect) -> None:
    tables = dialect.tables
    for command in ("", *tables.commands):
        for cause in Cause:
            code = dialect.code(cause, command)
            assert code in tables.errors or not code.isdigit(), f"{command} {cause}: {code}"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)
def test_every_code_has_a_cause_that_is_told_to_some_host(dialect: Dialect) -> None:
    for code, entry in dialect.tables.errors.items():
        assert entry.title, code
        assert entry.source, code
        assert dialect.cause_of(code) is entry.cause
        for other in DIALECTS:
            assert other.code(entry.cause), f"{other.id} has nothing for {entry.cause}"

"""The dialects' tables against themselves and their own examples."""

from __future__ import annotations

import pytest

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.nodes import Shape, Statement, Value
from gateway.dialect.quirks import firmware_of
from gateway.dialect.values import WrongValue, read_value, write_value

DIALECTS = [registry.load(name) for name in registry.ids()]
by_id = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)


def statement(dialect: Dialect, text: str) -> Statement:
    (piece,) = dialect.pieces(text)
    assert isinstance(piece, Statement), text
    return piece


@by_id
def test_every_example_is_understood_by_its_own_form(dialect: Dialect) -> None:
    for name, command in dialect.tables.commands.items():
        for form in command.forms:
            for example in form.examples:
                call = dialect.bind(statement(dialect, example.removeprefix("AT")))
                assert isinstance(call, Call), f"{name}: {example}: {call}"
                assert call.does == form.does, example


@by_id
def test_every_example_of_a_parameter_is_understood(dialect: Dialect) -> None:
    for name, parameter in dialect.tables.parameters.items():
        for example in parameter.examples:
            call = dialect.bind(statement(dialect, example.removeprefix("AT")))
            assert isinstance(call, Call), f"{name}: {example}: {call}"
            assert call.parameter is parameter, example


@by_id
def test_every_answer_is_a_message_or_a_result(dialect: Dialect) -> None:
    tables = dialect.tables
    known = {*tables.messages, *tables.information, *tables.results}
    for name, command in tables.commands.items():
        for form in command.forms:
            named = {answer for answer in (*form.answer, *form.then) if answer.isidentifier() and answer.islower()}
            assert named <= known, f"{name}: {named - known}"


@by_id
def test_every_form_has_its_behaviour_and_its_source(dialect: Dialect) -> None:
    firmware = firmware_of(dialect)
    for name, command in dialect.tables.commands.items():
        assert command.source, name
        for form in command.forms:
            assert hasattr(firmware, f"do_{form.by or form.does}"), f"{name}: {form.does}"
            for taken in form.takes:
                assert taken.endswith("*") or taken.rstrip("?") in command.arguments, f"{name}: {taken}"


@by_id
def test_every_parameter_has_a_source_and_a_legal_default(dialect: Dialect) -> None:
    for name, parameter in dialect.tables.parameters.items():
        assert parameter.source, name
        assert parameter.title, name
        if parameter.default != "":
            assert read_value(parameter, Value(Shape.BARE, str(parameter.default))) == parameter.default, name


@by_id
def test_every_message_is_heard_as_it_is_said(dialect: Dialect) -> None:
    if "module" not in dialect.tables.roles:
        return
    for key, message in dialect.tables.messages.items():
        fields: dict[str, str | int] = {}
        for number, field in enumerate(set(_fields(message.text)), 11):
            fields[field] = "AB" if field == "dump" else "1.2.3.4" if field in ("peer", "address") else number
        fields |= {name: values[0] for name, values in message.when.items()}
        heard = dialect.hear(dialect.say(key, **fields), {key})
        assert heard is not None, key
        assert heard.fields == {name: str(value) for name, value in fields.items()}, key


def _fields(text: str) -> list[str]:
    return [part.partition("}")[0].rstrip("*") for part in text.split("{")[1:]]


@by_id
def test_values_are_written_as_they_are_read(dialect: Dialect) -> None:
    for parameter in dialect.tables.parameters.values():
        for text in ("1", "10.0.0.1", "abc", "I"):
            try:
                value = read_value(parameter, Value(Shape.BARE, text))
            except WrongValue:
                continue
            written = write_value(parameter, value)
            shape = Shape.STRING if written.startswith('"') else Shape.BARE
            assert read_value(parameter, Value(shape, written.strip('"'))) == value

"""Nothing wrong is taken: each value of each form, parameter and option of each dialect spoiled in every way."""

from __future__ import annotations

import pytest
from support.spoiled import Line, legal, lines, spoiled, statement

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect, Fault
from gateway.dialect.nodes import Op, Shape, Value
from gateway.dialect.schema import ValueType
from gateway.dialect.values import WrongValue, read_value
from gateway.model.causes import Cause

DIALECTS = [registry.load(name) for name in registry.ids()]
LINES = [line for dialect in DIALECTS for line in lines(dialect)]
PROPER = {
    Cause.BAD_VALUE,
    Cause.BAD_OPTION,
    Cause.BAD_INDEX,
    Cause.BAD_PORT,
    Cause.BAD_PROTOCOL,
    Cause.BAD_COUNT,
    Cause.BAD_SYNTAX,
    Cause.SEND_SIZE,
    Cause.TOO_LONG,
}
by_id = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)
each_line = pytest.mark.parametrize("line", LINES, ids=str)


def refused(line: Line, values: tuple[str, ...], why: str) -> None:
    """The line is a fault with a cause that the dialect has a code for, or another form's line."""
    text = line.text(values)
    read = statement(line.dialect, text)
    if read is None:
        return  # told as syntax, with its column
    bound = line.dialect.bind(read)
    if isinstance(bound, Call) and line.dialect.form_of(read) is not line.form:
        return
    assert isinstance(bound, Fault), f"AT{text} ({why}) is taken: {bound}"
    assert bound.cause in PROPER, f"AT{text} ({why}): {bound.cause}"
    assert line.dialect.code(bound.cause, line.name), text


@each_line
def test_the_legal_line_is_taken(line: Line) -> None:
    read = statement(line.dialect, line.text())
    assert read is not None
    bound = line.dialect.bind(read)
    assert isinstance(bound, Call) or line.form.refused, f"AT{line.text()}: {bound}"


@each_line
def test_spoiled_values_are_refused(line: Line) -> None:
    for at, taken in enumerate(line.taken):
        argument = line.command.arguments[taken.rstrip("?")]
        for bad in spoiled(argument):
            refused(line, (*line.values[:at], bad.text, *line.values[at + 1 :]), f"{taken}: {bad.why}")


@each_line
def test_missing_values_are_refused(line: Line) -> None:
    for at, taken in enumerate(line.taken):
        argument = line.command.arguments[taken.rstrip("?")]
        if not taken.endswith("?"):
            refused(line, line.values[:at] or ("",), f"{taken} and all behind it missing")
            if argument.default is None:
                refused(line, (*line.values[:at], "", *line.values[at + 1 :]), f"{taken} empty")


@each_line
def test_values_too_many_are_refused(line: Line) -> None:
    if any(taken.endswith("*") for taken in line.form.takes):
        return
    for more in (("1",), ('"a"',), ("", "1")):
        refused(line, (*line.values, *more), "one too many")


@by_id
def test_spoiled_parameters_are_refused(dialect: Dialect) -> None:
    for name, parameter in dialect.tables.parameters.items():
        index = "1," if parameter.indexed and dialect.tables.socket_ids else ""
        good = f"{dialect.tables.own[0]}{name}={index}{legal(parameter)}"
        assert isinstance(bind(dialect, good), Call), good
        for bad in spoiled(parameter):
            text = f"{dialect.tables.own[0]}{name}={index}{bad.text}"
            bound = bind(dialect, text)
            assert bound is None or (isinstance(bound, Fault) and bound.cause in PROPER), f"{text} ({bad.why}): {bound}"
        for text in (f"{good},1", f"{good},{legal(parameter)}", f"{good}=1", f"{dialect.tables.own[0]}{name}=?"):
            assert not isinstance(bind(dialect, text), Call), text
        if index:
            for number in ("0", str(max(dialect.tables.socket_ids) + 1), "-1", "a", ""):
                text = f"{dialect.tables.own[0]}{name}={number},{legal(parameter)}"
                bound = bind(dialect, text)
                assert bound is None or (isinstance(bound, Fault) and bound.cause is Cause.BAD_INDEX), f"{text}: {bound}"


@by_id
def test_spoiled_options_are_refused(dialect: Dialect) -> None:
    for group, table in dialect.tables.options.items():
        for number, option in table.items():
            kind = ValueType(
                option.kind, option.minimum, option.maximum, values=option.values, max_length=option.max_length
            )
            if option.kind != "none" and option.access != "none":
                read_value(kind, value_of(legal(option)))
            for bad in spoiled(option):
                with pytest.raises(WrongValue):
                    read_value(kind, value_of(bad.text))
                    pytest.fail(f"{group} {number}: {bad.text} ({bad.why}) is taken")


@by_id
def test_forms_that_a_command_has_not_are_refused(dialect: Dialect) -> None:
    for name, command in dialect.tables.commands.items():
        ops = {form.op for form in command.forms}
        for op, text in (
            (Op.EXEC, name),
            (Op.READ, f"{name}?"),
            (Op.TEST, f"{name}=?"),
            (Op.SET, f"{name}=1,1,1,1,1,1,1,1,1"),
        ):
            if op.value not in ops:
                bound = bind(dialect, text)
                assert isinstance(bound, Fault), f"{text}: {bound}"
                assert bound.cause in PROPER, f"{text}: {bound}"


@by_id
def test_unknown_names_are_refused(dialect: Dialect) -> None:
    for prefix in dialect.tables.own:
        bound = bind(dialect, f"{prefix}NOSUCHTHING=1")
        if bound is not None:
            assert isinstance(bound, Fault)
            assert bound.cause is Cause.UNKNOWN_COMMAND


def bind(dialect: Dialect, text: str) -> Call | Fault | None:
    read = statement(dialect, text)
    return None if read is None else dialect.bind(read)


def value_of(text: str) -> Value:
    inner = text.strip('"')
    return Value(Shape.STRING if inner != text else Shape.BARE, inner)

"""Commands of every dialect, changed a little at a time: reading them never raises and never takes nonsense.

What is taken must stay within its type, by rules written here a second time, and come back the same when it is written
and read again. 2,000 mutations a dialect, always the same ones; with the environment variable ``AT_GATEWAY_MUTATIONS``
set, 100,000, or as many as its number says.
"""

from __future__ import annotations

import ipaddress
import os
import random
import re
from collections.abc import Callable

import pytest
from support.spoiled import lines

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect, Fault
from gateway.dialect.nodes import Basic, Broken, Foreign, Op, Statement, Value
from gateway.dialect.schema import ValueType
from gateway.dialect.values import write_value
from gateway.model.causes import Cause

FEW, MANY = 2_000, 100_000
wished = os.environ.get("AT_GATEWAY_MUTATIONS")
COUNT = FEW if wished is None else int(wished) if wished.isdigit() and int(wished) > 1 else MANY

TOKEN = re.compile(r'"[^"]*"?|[A-Za-z_]+|[0-9]+|.', re.DOTALL)
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "00",
    "007",
    "9",
    "10",
    "255",
    "256",
    "65535",
    "65536",
    "4294967296",
    "99999999999",
    "1.5",
)
TEXTS = (
    '""',
    '"a"',
    '"10.0.0.1"',
    '"300.1.1.1"',
    '"31"',
    '"3"',
    '"a,b;c"',
    '"=?"',
    '"' + "x" * 300 + '"',
    '"\xe9"',
    '"\x00"',
)
SIGNS = (",", ";", "=", "?", "=?", '"', " ", "", "+", "#", "&", "$", ":", ",,", "\t", "\x00", "\x7f", "\xff", "AT")
CAUSES_OF_SYNTAX = {
    Cause.BAD_SYNTAX,
    Cause.UNKNOWN_COMMAND,
    Cause.BAD_VALUE,
    Cause.BAD_OPTION,
    Cause.BAD_COUNT,
    Cause.BAD_INDEX,
    Cause.BAD_PORT,
    Cause.BAD_PROTOCOL,
    Cause.SEND_SIZE,
    Cause.NOT_SUPPORTED,
}

Mutation = Callable[[random.Random, list[str]], None]


def replaced(choices: tuple[str, ...]) -> Mutation:
    def change(dice: random.Random, tokens: list[str]) -> None:
        tokens[dice.randrange(len(tokens))] = dice.choice(choices)

    return change


def inserted(dice: random.Random, tokens: list[str]) -> None:
    tokens.insert(dice.randint(0, len(tokens)), dice.choice((*SIGNS, *NUMBERS, *TEXTS)))


def dropped(dice: random.Random, tokens: list[str]) -> None:
    del tokens[dice.randrange(len(tokens))]


def doubled(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    tokens.insert(at, tokens[at])


def swapped(dice: random.Random, tokens: list[str]) -> None:
    at, other = dice.randrange(len(tokens)), dice.randrange(len(tokens))
    tokens[at], tokens[other] = tokens[other], tokens[at]


def cut(dice: random.Random, tokens: list[str]) -> None:
    del tokens[dice.randrange(len(tokens)) :]


def repeated(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    tokens[at:at] = tokens[at : at + dice.randint(1, 4)] * dice.randint(1, 3)


def unquoted(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    tokens[at] = tokens[at].strip('"') if tokens[at].startswith('"') else f'"{tokens[at]}"'


def cased(dice: random.Random, tokens: list[str]) -> None:
    at = dice.randrange(len(tokens))
    tokens[at] = tokens[at].swapcase()


MUTATIONS: tuple[Mutation, ...] = (
    replaced(NUMBERS),
    replaced(TEXTS),
    replaced(SIGNS),
    inserted,
    dropped,
    doubled,
    swapped,
    cut,
    repeated,
    unquoted,
    cased,
)


def seeds(dialect: Dialect) -> list[str]:
    """What mutations start from: all examples, and each form with legal values."""
    tables = dialect.tables
    examples = [example for command in tables.commands.values() for form in command.forms for example in form.examples]
    examples += [example for parameter in tables.parameters.values() for example in parameter.examples]
    written = [line.text() for line in lines(dialect)]
    bare = [f"{tables.own[0]}{name}{end}" for name in tables.parameters for end in ("?", "=1", '="a"', '=1,"a"', "")]
    return [example.removeprefix("AT") for example in examples] + written + bare


def mutated(dice: random.Random, seed: str, others: list[str]) -> str:
    tokens = TOKEN.findall(seed)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        if tokens:
            dice.choice(MUTATIONS)(dice, tokens)
    text = "".join(tokens)
    return f"{text};{dice.choice(others)}" if dice.random() < 0.1 else text


@pytest.mark.parametrize("name", registry.ids())
def test_mutated_commands(name: str) -> None:
    dialect = registry.load(name)
    dice = random.Random(f"mutations of {name}")
    begin = seeds(dialect)
    taken = 0
    for _ in range(COUNT):
        text = mutated(dice, dice.choice(begin), begin)
        taken += check(dialect, text)
    # Were nothing taken, nothing would be tested.
    assert taken > COUNT / 20, f"only {taken} of {COUNT} mutations were taken"


def check(dialect: Dialect, text: str) -> bool:
    """One line, read; whether a command of it was taken."""
    taken = False
    for piece in dialect.pieces(text):
        assert isinstance(piece, Statement | Basic | Foreign | Broken), f"{text!r}: {piece}"
        if isinstance(piece, Broken):
            assert 0 < piece.column <= len(text) + 1, f"{text!r}: {piece}"
            assert piece.expected, f"{text!r}: {piece}"
        if isinstance(piece, Statement):
            bound = dialect.bind(piece)
            if isinstance(bound, Fault):
                assert bound.cause in CAUSES_OF_SYNTAX, f"{text!r}: {bound}"
                assert 0 <= bound.column <= len(text) + 1, f"{text!r}: {bound}"
                assert dialect.code(bound.cause, bound.name), f"{text!r}: {bound}"
            else:
                taken = True
                is_sound(dialect, text, bound)
                comes_back(dialect, text, piece, bound)
    return taken


def is_sound(dialect: Dialect, text: str, call: Call) -> None:
    """Every value of an accepted call is one that its type allows."""
    if call.parameter is not None:
        if "id" in call.arguments:
            assert call.arguments["id"] in dialect.tables.socket_ids, f"{text!r}: {call}"
        if "value" in call.arguments:
            assert allows(call.parameter, call.arguments["value"]), f"{text!r}: {call}"
        return
    arguments = dialect.tables.commands[call.name].arguments
    for name, value in call.arguments.items():
        assert allows(arguments[name], value), f"{text!r}: {name} is {value!r}"


def allows(kind: ValueType, value: str | int) -> bool:
    """Whether a value is of a type; written apart from what reads it."""
    if isinstance(value, int):
        low, high = (0, 65535) if kind.kind == "port" else (0, 9_999_999_999)
        low = low if kind.minimum is None else kind.minimum
        high = high if kind.maximum is None else kind.maximum
        in_range = low <= value <= high and (not kind.step or value % kind.step == 0)
        return str(value) in kind.values if kind.values else value in kind.also or in_range
    if kind.kind in ("letter", "keyword"):
        return value in kind.values
    if kind.kind == "any":
        return True
    longest = kind.max_length if kind.max_length is not None else len(value)
    return len(value) <= longest and all(" " <= sign <= "~" for sign in value) and _has_form(kind.kind, value)


def _has_form(kind: str, value: str) -> bool:
    match kind:
        case "ip" | "ip6" | "address":
            try:
                version = ipaddress.ip_address(value).version
            except ValueError:
                return False
            return kind == "address" or version == (6 if kind == "ip6" else 4)
        case "hex":
            return len(value) % 2 == 0 and not value.strip("0123456789abcdefABCDEF")
        case "phone":
            return not value.removeprefix("+").strip("0123456789")
        case "caller":
            return value in ("0", "*") or (value != "" and not value.removeprefix("+").strip("0123456789"))
        case _:
            return kind in ("string", "text", "host", "addresses")


def comes_back(dialect: Dialect, text: str, statement: Statement, call: Call) -> None:
    """The call, written and read again, is the same call."""
    written = written_again(dialect, statement, call)
    pieces = dialect.pieces(written.removeprefix("AT"))
    assert len(pieces) == 1 and isinstance(pieces[0], Statement), f"{text!r} is written {written!r}: {pieces}"
    again = dialect.bind(pieces[0])
    assert isinstance(again, Call), f"{text!r} is written {written!r}: {again}"
    assert meaning(again) == meaning(call), f"{text!r} is written {written!r}"


def written_again(dialect: Dialect, statement: Statement, call: Call) -> str:
    if call.parameter is None:
        form = dialect.form_of(statement)
        assert form is not None, statement
        return dialect.write_form(call.name, form, call.arguments, tuple(value.text for value in call.rest))
    index = str(call.arguments["id"]) if "id" in call.arguments else ""
    if call.op is Op.SET:
        value = write_value(call.parameter, call.arguments["value"])
        return f"AT{call.name}={index},{value}" if index else f"AT{call.name}={value}"
    if call.op is Op.READ:
        return f"AT{call.name}={index}" if index else f"AT{call.name}?"
    return f"AT{call.name}"


def meaning(call: Call) -> tuple[object, ...]:
    return call.name, call.op, call.does, call.arguments, texts(call.rest), call.parameter


def texts(values: tuple[Value, ...]) -> list[str]:
    return [value.text for value in values]

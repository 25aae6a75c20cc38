"""Commands as the tables say they are written, and every way to spoil one value of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.dialect.dialect import Dialect
from gateway.dialect.nodes import Statement
from gateway.dialect.schema import Command, Form, Option, ValueType

LEGAL = {
    "port": "80",
    "ip": '"10.0.0.1"',
    "ip6": '"2001:db8::1"',
    "address": '"10.0.0.1"',
    "host": '"a.example"',
    "hex": '"3031"',
    "phone": '"0123"',
    "caller": '"*"',
    "any": "1",
}


@dataclass(frozen=True)
class Spoiled:
    """A value that cannot be, and why."""

    text: str
    why: str


def legal(kind: ValueType | Option) -> str:
    """A value of this type as it stands on a line."""
    if kind.values:
        first = next(iter(kind.values))
        return f'"{first}"' if kind.kind == "keyword" else first
    if kind.kind == "int":
        return str(kind.minimum if kind.minimum is not None else 1)
    return LEGAL.get(kind.kind, '"a"')


def spoiled(kind: ValueType | Option) -> Iterator[Spoiled]:
    """Values below and above the range, of another type, and too long."""
    match kind.kind:
        case "int" | "port":
            yield from _numbers(kind)
        case "enum":
            numbers = [int(value) for value in kind.values]
            gaps = set(range(max(numbers) + 2)) - set(numbers)
            yield from (Spoiled(str(number), "no value of the list") for number in sorted(gaps))
            yield from _no_number()
        case "letter" | "keyword":
            yield from (Spoiled(text, "no value of the list") for text in ("ZZ", '"ZZ"', "0"))
        case "ip":
            wrong = ('"300.1.1.1"', '"1.2.3"', '"1.2.3.4.5"', '"a.example"', '"2001:db8::1"', '"1.2.3.4 "')
            yield from (Spoiled(text, "no address") for text in wrong)
        case "ip6" | "address":
            yield from (Spoiled(text, "no address") for text in ('"300.1.1.1"', '"a.example"', '"2001:::1"'))
        case "hex":
            yield from (Spoiled(text, "no pairs of digits") for text in ('"303"', '"3G"', '"30 31"', '"\xe9\xe9"'))
        case "phone":
            yield from (Spoiled(text, "no number") for text in ('"12a"', '"++49"', '"0 1"'))
        case "caller":
            yield from (Spoiled(text, "no number") for text in ('""', '"**"', '"12a"'))
        case "any" | "none":
            return
    if kind.kind in ("string", "text", "host", "addresses", "caller", "hex", "phone"):
        yield Spoiled('"\xe9"', "no ASCII")
        yield Spoiled('"a\x01b"', "a control character")
        if kind.max_length is not None:
            filler = "30" if kind.kind == "hex" else "1"
            yield Spoiled(f'"{filler * (kind.max_length + 1)}"', "too long")


def _numbers(kind: ValueType | Option) -> Iterator[Spoiled]:
    low, high = kind.minimum, kind.maximum
    if kind.kind == "port":
        low, high = low or 0, 65535 if high is None else high
    also = kind.also if isinstance(kind, ValueType) else ()
    if low is not None:
        yield from (Spoiled(str(number), "below the range") for number in {-1, low - 1} - set(also))
    if high is not None:
        yield from (Spoiled(str(number), "above the range") for number in (high + 1, high * 10 + 9, 99999999999))
    step = kind.step if isinstance(kind, ValueType) else None
    if step and high is not None and high > step:
        yield Spoiled(str((low or 0) + step // 2), "between two steps")
    yield from _no_number()


def _no_number() -> Iterator[Spoiled]:
    for text in ("abc", '"abc"', "1.5", "+1", "0x1", "1 1", '"1 1"', '""', "\xb2"):
        yield Spoiled(text, "no number")


@dataclass(frozen=True)
class Line:
    """A form of a command with a legal value in each place."""

    dialect: Dialect
    name: str
    command: Command
    form: Form
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.dialect.id} {self.name} {self.form.op} {self.form.by or self.form.does}"

    @property
    def taken(self) -> list[str]:
        """The arguments that have a place of their own."""
        return [taken for taken in self.form.takes if not taken.endswith("*")]

    def text(self, values: tuple[str, ...] | None = None) -> str:
        """The command behind its ``AT``."""
        values = self.values if values is None else values
        return f"{self.name}=" + ",".join(values)


def lines(dialect: Dialect) -> list[Line]:
    """Every set form of a dialect, written out."""
    found = []
    for name, command in dialect.tables.commands.items():
        for form in command.forms:
            if form.op == "set" and (not form.switch or dialect.switch(form.switch) == "yes"):
                values = tuple(_value(command, form, taken) for taken in form.takes if not taken.endswith("*"))
                found.append(Line(dialect, name, command, form, values))
    return found


def _value(command: Command, form: Form, taken: str) -> str:
    name = taken.rstrip("?")
    text = str(form.when[name][0]) if name in form.when else legal(command.arguments[name])
    shapes = form.shapes.get(name, ())
    bare = text.strip('"')
    if shapes == ("string",):
        return f'"{bare}"'
    if shapes and "string" not in shapes:
        return "1" if shapes == ("number",) and not bare.isdigit() else bare
    return text


def statement(dialect: Dialect, text: str) -> Statement | None:
    """The one statement that a line is, or None when it cannot be read as one."""
    pieces = dialect.pieces(text)
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], Statement) else None

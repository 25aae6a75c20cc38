"""A loaded dialect: text to typed calls and heard messages, and back.

Longer than 400 lines because reading and writing a form stand side by side: each is the test of the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from gateway.dialect.grammar import parse_answer, parse_line
from gateway.dialect.nodes import AnswerLine, Op, Piece, Shape, Statement, Value
from gateway.dialect.patterns import CommandPatterns, squeeze
from gateway.dialect.schema import Argument, Command, Form, LocalAnswer, Parameter, Tables, ValueType
from gateway.dialect.values import WrongValue, expected, ranges, read_value, write_value
from gateway.errors import InputError, InternalError, nearest
from gateway.model.causes import Cause
from gateway.wire.framing import Framing

_TEXT = ValueType("string")
_FIELD = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """A command that was understood: which behaviour it asks for, and its values by name."""

    name: str
    op: Op
    does: str
    arguments: dict[str, str | int]
    rest: tuple[Value, ...] = ()
    parameter: Parameter | None = None
    by: str = ""
    """The behaviour, where it is not called as ``does``."""
    written: tuple[Value, ...] = field(default=(), compare=False)
    """The values as they stood on the line."""

    def number(self, name: str, default: int = 0) -> int:
        """A numeric argument."""
        value = self.arguments.get(name, default)
        return int(value)

    def text(self, name: str, default: str = "") -> str:
        """A textual argument."""
        return str(self.arguments.get(name, default))


@dataclass(frozen=True, slots=True)
class Fault:
    """A command that was not understood, and why; ``expected`` is for people."""

    name: str
    cause: Cause
    expected: str = ""
    column: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A line of a module that is one of the dialect's messages: its key and its fields by name."""

    key: str
    fields: dict[str, str]

    def number(self, name: str) -> int:
        """A field as a number; -1 when it is none."""
        value = self.fields.get(name, "").strip()
        return int(value) if value.isdigit() else -1


@dataclass(frozen=True, slots=True)
class Foreignness:
    """What a dialect's tables say about a command that is none of it."""

    always: LocalAnswer | None
    """What the gateway itself answers instead of the module."""
    refused: LocalAnswer | None
    """What it answers where the module would not have the command."""
    restarts: bool
    """A module of the dialect restarts behind it."""


@dataclass(frozen=True, slots=True)
class _Template:
    key: str
    name: str
    parts: tuple[str, ...]
    """A field's name in braces, or a literal."""
    when: dict[str, tuple[int | str, ...]]


class Dialect:
    """The tables of one dialect, and what can be done with them without any state."""

    def __init__(self, tables: Tables, switches: dict[str, str] | None = None) -> None:
        self.tables = tables
        self._switches = {name: switch.default for name, switch in tables.switches.items()} | (switches or {})
        self.prefixes = tuple(prefix.upper() for prefix in tables.own)
        self._local_answers = [(CommandPatterns((pattern,)), answer) for pattern, answer in tables.local_answers.items()]
        self._restarting = CommandPatterns(tables.restarts)
        self.foreign = lru_cache(maxsize=256)(self._foreign)
        """Of a command that is none of the dialect's, without its ``AT``; hosts say the same few again and again."""

    def warm(self) -> None:
        """Build the parsers now, so that the first command is as quick as the others."""
        self.pieces(f"E;{self.tables.own[0]}X=1")
        self.hear("+X: 1")

    @property
    def id(self) -> str:
        """For example ``name-1.0``."""
        return self.tables.id

    def switch(self, name: str) -> str:
        """The chosen value of a switch."""
        return self._switches[name]

    def with_switches(self, chosen: dict[str, str]) -> Dialect:
        """The same dialect with other readings. Raises :class:`InputError` for an unknown switch or value."""
        for name, value in chosen.items():
            switch = self.tables.switches.get(name)
            if switch is None:
                close = nearest(name, list(self.tables.switches))
                raise InputError(
                    f"{self.id} has no switch {name!r}"
                    + (f"; did you mean {close!r}?" if close else f"; it has {', '.join(self.tables.switches) or 'none'}")
                )
            if value not in switch.values:
                raise InputError(f"switch {name!r} of {self.id} is one of {', '.join(switch.values)}, not {value!r}")
        return Dialect(self.tables, self._switches | chosen)

    @cached_property
    def framing(self) -> Framing:
        """How results are framed."""
        lines = self.tables.lines
        numeric = {text: str(number) for text, number in self.tables.results.items()}
        numeric |= {
            self.information_text(key): str(message.number)
            for key, message in self.tables.information.items()
            if message.number is not None
        }
        after_text = lines.numeric_after_text or self._switches.get("read_results") == "numbers"
        return Framing(lines.numeric_result, numeric, lines.quiet_hides_text, after_text)

    # -- what a host says ------------------------------------------------------------------------------------------

    def pieces(self, text: str) -> tuple[Piece, ...]:
        """A command line behind its ``AT``, split and read."""
        return parse_line(self.tables.family, self.prefixes, text)

    def owns(self, name: str) -> bool:
        """Whether a command of this name is of this dialect."""
        return name.upper().startswith(self.prefixes)

    def _foreign(self, text: str) -> Foreignness:
        squeezed = squeeze(text)
        answers: dict[str, LocalAnswer] = {}
        for patterns, answer in self._local_answers:
            if patterns.match(squeezed):
                answers.setdefault(answer.when, answer)
        return Foreignness(answers.get("always"), answers.get("refused"), self._restarting.match(squeezed))

    def bind(self, statement: Statement) -> Call | Fault:
        """What a command asks for, its values checked against the tables."""
        parameter, entry = self._parameter(statement)
        if parameter is not None:
            return self._bind_parameter(statement, parameter, entry)
        command = self.tables.commands.get(statement.name)
        if command is None:
            close = nearest(statement.name, [*self.tables.commands, *(f"#{name}" for name in self.tables.parameters)])
            return Fault(statement.name, Cause.UNKNOWN_COMMAND, f"did you mean {close}?" if close else "")
        return self._bind_command(statement, command)

    def _parameter(self, statement: Statement) -> tuple[Parameter | None, bool]:
        """The stored parameter that a command names, and whether it opens an entry of text."""
        name = statement.name[1:]
        parameters = self.tables.parameters
        if name.endswith("ADD"):
            parameter = parameters.get(name[:-3])
            if parameter is not None and parameter.entry == "list":
                return parameter, True
        parameter = self.parameter_of(statement.name)
        if parameter is not None and statement.op is Op.EXEC and parameter.entry == "text":
            return parameter, True
        return parameter, False

    def _bind_parameter(self, statement: Statement, parameter: Parameter, entry: bool) -> Call | Fault:
        name = statement.name[1:-3] if entry and parameter.entry == "list" else statement.name[1:]
        arguments: dict[str, str | int] = {"parameter": name}
        if entry and statement.op is not Op.EXEC:
            return Fault(statement.name, Cause.BAD_SYNTAX, "nothing behind it")
        if entry:
            return Call(statement.name, statement.op, "parameter_entry", arguments, (), parameter)
        if statement.op not in (Op.READ, Op.SET):
            return Fault(statement.name, Cause.BAD_SYNTAX, "a value or ?")
        values = list(statement.values)
        ids = self.tables.socket_ids
        if parameter.indexed and ids:
            arguments["id"] = ids[0]
            if len(values) == 1 and not self._is_legacy_set(values[0], parameter):
                return self._indexed_read(statement, parameter, arguments, values[0])
            if len(values) == 2:
                wrong = self._take_id(values.pop(0), arguments)
                if wrong is not None:
                    return Fault(statement.name, Cause.BAD_INDEX, wrong)
        elif parameter.indexed and len(values) == 2 and values[0].text.strip() == "1":
            values.pop(0)
        if statement.op is Op.READ:
            return Call(statement.name, Op.READ, "parameter", arguments, (), parameter)
        if len(values) != 1:
            surplus = values[1].column if len(values) > 1 else 0
            return Fault(statement.name, Cause.BAD_COUNT, "one value", surplus)
        return self._set_parameter(statement, parameter, arguments, values[0])

    def _set_parameter(
        self, statement: Statement, parameter: Parameter, arguments: dict[str, str | int], value: Value
    ) -> Call | Fault:
        try:
            arguments["value"] = read_value(parameter, value)
        except WrongValue as error:
            return Fault(statement.name, Cause.BAD_VALUE, str(error), value.column)
        return Call(statement.name, Op.SET, "parameter", arguments, (), parameter)

    def _is_legacy_set(self, value: Value, parameter: Parameter) -> bool:
        """``AT#TCPPORT=31000``: set without the id, as hosts of stacks before 3.02 write it (erratum U19)."""
        if self._switches.get("sockets_without_id") != "yes":
            return False
        if parameter.kind in ("host", "string"):
            return value.shape is Shape.STRING or not value.text.isdigit()
        return value.text.isdigit() and len(value.text) > 1

    def _indexed_read(
        self, statement: Statement, parameter: Parameter, arguments: dict[str, str | int], value: Value
    ) -> Call | Fault:
        wrong = self._take_id(value, arguments)
        if wrong is not None:
            return Fault(statement.name, Cause.BAD_INDEX, wrong)
        return Call(statement.name, Op.READ, "parameter", arguments, (), parameter)

    def _take_id(self, value: Value, arguments: dict[str, str | int]) -> str | None:
        ids = [str(number) for number in self.tables.socket_ids]
        text = value.text.strip()
        if text not in ids:
            return f"a socket id: {' or '.join(ids)}"
        arguments["id"] = int(text)
        return None

    def _bind_command(self, statement: Statement, command: Command) -> Call | Fault:
        form = self._form(statement, command)
        if form is None:
            known = any(form.op == statement.op for form in command.forms)
            if known and statement.op is Op.SET:
                return self._no_form(statement, command)
            return Fault(statement.name, Cause.BAD_SYNTAX, "another form of the command")
        arguments: dict[str, str | int] = {}
        spread, rest, excess = spread_values(form, statement.values)
        given = {name for name, value in spread.items() if value is not None and value.shape is not Shape.NOTHING}
        for taken in form.takes[: len(spread)]:
            name, optional = taken.rstrip("?"), taken.endswith("?")
            argument, value = command.arguments[name], spread[name]
            if optional and argument.goes_with in spread:
                optional = argument.goes_with not in given
                if optional and name in given:
                    return Fault(statement.name, Cause.BAD_COUNT, f"{argument.goes_with} before {name}", _column(value))
            if value is None and not optional:
                return Fault(statement.name, Cause.BAD_COUNT, f"{name}: {expected(argument)}")
            if value is None or (name not in given and (optional or argument.default is not None)):
                if argument.default is not None:
                    arguments[name] = argument.default
                continue
            try:
                if name not in given:  # an empty text is "", nothing at all is a value that is missing
                    raise WrongValue(expected(argument))
                arguments[name] = read_value(argument, value)
            except WrongValue as error:
                return Fault(statement.name, argument.wrong or Cause.BAD_VALUE, f"{name}: {error}", value.column)
        if excess:
            wrong = self._wrong_choice(statement, command)
            return wrong or Fault(statement.name, Cause.BAD_COUNT, "fewer values", excess[0].column)
        if len(rest) % 2 and form.takes[-1].endswith("**"):
            return Fault(statement.name, Cause.BAD_COUNT, "pairs of values", rest[-1].column)
        return Call(
            statement.name, statement.op, form.does, arguments, rest, by=form.by or form.does, written=statement.values
        )

    def _form(self, statement: Statement, command: Command) -> Form | None:
        for form in command.forms:
            if form.op != statement.op or (form.switch and self._switches.get(form.switch) != "yes"):
                continue
            if all(self._fits(statement, form, name, wanted) for name, wanted in form.when.items()) and all(
                self._written_so(statement, form, name, shapes) for name, shapes in form.shapes.items()
            ):
                return form
        return None

    def _at(self, statement: Statement, form: Form, name: str) -> Value | None:
        """The value of an argument as it stands on the line."""
        at = next(index for index, taken in enumerate(form.takes) if taken.rstrip("?*") == name)
        return statement.values[at] if at < len(statement.values) else None

    def _fits(self, statement: Statement, form: Form, name: str, wanted: tuple[int | str, ...]) -> bool:
        value = self._at(statement, form, name)
        return value is not None and _plain(value.text) in wanted

    def _written_so(self, statement: Statement, form: Form, name: str, shapes: tuple[str, ...]) -> bool:
        value = self._at(statement, form, name)
        return value is not None and value.shape.value in shapes

    def _no_form(self, statement: Statement, command: Command) -> Fault:
        """None of the forms fits."""
        wrong = self._wrong_choice(statement, command)
        return wrong or Fault(statement.name, Cause.BAD_VALUE, "another combination of values")

    def _wrong_choice(self, statement: Statement, command: Command) -> Fault | None:
        """The first argument that decides between forms and is wrong or missing."""
        for form in command.forms:
            if form.op != statement.op:
                continue
            for at, taken in enumerate(form.takes):
                name = taken.rstrip("?*")
                if name not in form.when:
                    continue
                argument = command.arguments[name]
                if at >= len(statement.values):
                    if taken.endswith("?"):
                        continue
                    return Fault(statement.name, Cause.BAD_COUNT, f"{name}: {expected(argument)}")
                wanted = {number for other in command.forms for number in other.when.get(name, ())}
                if _plain(statement.values[at].text) not in wanted:
                    cause = argument.wrong or Cause.BAD_VALUE
                    return Fault(statement.name, cause, f"{name}: {expected(argument)}", statement.values[at].column)
        return None

    def source_of(self, name: str) -> str:
        """Manual and section in which a command or parameter stands, "" when it is none of this dialect's."""
        command, parameter = self.tables.commands.get(name), self.parameter_of(name)
        return self.in_manual(command.source if command else parameter.source if parameter else "")

    def in_manual(self, section: str) -> str:
        """A section with the title of the manual before it."""
        manual = next((document.title for document in self.tables.documents.values()), "")
        return f"{manual}, {section}" if section else ""

    def parameter_of(self, name: str) -> Parameter | None:
        """The stored parameter that a command of this name sets or reads."""
        return self.tables.parameters.get(name[1:]) if name[:1] in self.tables.own else None

    def may_keep(self, key: str, value: str | int) -> bool:
        """Whether a stored value is what its parameter may be: a file may have been edited, or be another dialect's."""
        parameter = self.tables.parameters.get(key.partition(".")[0])
        if parameter is None:
            return True
        try:
            return read_value(parameter, Value(Shape.STRING, str(value))) == value or parameter.kind == "addresses"
        except WrongValue:
            return False

    def form_of(self, statement: Statement) -> Form | None:
        """The form of a command in which a statement is written."""
        command = self.tables.commands.get(statement.name)
        return self._form(statement, command) if command is not None else None

    def writes(self, does: str) -> bool:
        """Whether the dialect has a command for ``does``."""
        return does in self._writers

    def write(self, does: str, *rest: str, **arguments: str | int) -> str:
        """The command, with its ``AT``, that asks for ``does``; arguments that the form fixes are filled in.

        ``rest``: the values of a form that takes any number of them. Raises :class:`WrongValue` when a value cannot be
        written (a quote inside a quoted string).
        """
        return self.write_form(*self._writers[does], arguments, rest)

    def write_form(self, name: str, form: Form, arguments: Mapping[str, str | int], rest: tuple[str, ...] = ()) -> str:
        """The command ``name`` in one of its forms; see :meth:`write`."""
        if form.op != Op.SET:
            return f"AT{name}" + {"exec": "", "read": "?", "test": "=?"}[form.op]
        command = self.tables.commands[name]
        written: list[str] = []
        gap = -1
        for taken in form.takes:
            key = taken.rstrip("?*")
            if taken.endswith("*"):
                written += [write_value(_TEXT, value) for value in rest]
            elif key in arguments or key in form.when:
                value = arguments[key] if key in arguments else form.when[key][0]
                written.append(write_value(command.arguments[key], value))
            elif taken.endswith("??"):
                gap = len(written)
            else:
                written.append("")
        while written and not written[-1]:
            written.pop()
        if 0 <= gap < len(written) and (not written[gap] or written[gap].strip('" ').isdigit()):
            written.insert(gap, "")  # what follows would be taken for it
        return f"AT{name}=" + ",".join(written)

    def test_line(self, command: str) -> str:
        """The answer to the test form of ``command``: its name, and what each of its values may be."""
        entry = self.tables.commands[command]
        arguments = [entry.arguments[name] for name in entry.ranges]
        return f"{command}: " + ",".join(f"({one.shown})" if one.shown else ranges(one) for one in arguments)

    @cached_property
    def _writers(self) -> dict[str, tuple[str, Form]]:
        result: dict[str, tuple[str, Form]] = {}
        for name, command in self.tables.commands.items():
            for form in command.forms:
                result.setdefault(form.does, (name, form))
        return result

    # -- what a module says ----------------------------------------------------------------------------------------

    def may_say(self, name: str) -> bool:
        """Whether a message begins with ``name``, which itself begins with ``+``, and a colon."""
        return name.upper() in self._templates

    def hear(self, text: str, first: Collection[str] = ()) -> Heard | None:
        """The message that a line is, or None when it is none of this dialect's.

        ``first``: the messages that are awaited; a line that could be one of them and another is one of them.
        """
        name, colon, _ = text.partition(":")
        if colon and name[:1] == "+" and not self.may_say(name):  # another dialect's: not worth parsing
            return None
        for key, pattern in self._patterns:
            match = pattern.fullmatch(text) if not pattern.groups or key in first else None
            if match is not None:
                return Heard(key, match.groupdict())
        line = parse_answer(self.tables.family, text)
        if line is None:
            return None
        found: Heard | None = None
        for template in self._templates.get(line.name, ()):
            fields = _match(template, line)
            if fields is not None:
                heard = Heard(template.key, fields)
                if not first or template.key in first:
                    return heard
                found = found or heard
        return found

    def boot_lines(self) -> tuple[bytes, ...]:
        """What a module prints when it starts, with its line ends."""
        return tuple(f"\r\n{text}\r\n".encode("latin-1") for text in self.tables.module.boot)

    def say(self, key: str, **fields: str | int) -> str:
        """The line of message ``key``."""
        return self.tables.messages[key].text.replace("*}", "}").format(**fields)

    @cached_property
    def _patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Lines that are no name with values: information messages in all their spellings, and other texts."""
        information = self.tables.information.items()
        texts = [(key, re.escape(text)) for key, known in information for text in (known.text, *known.spellings)]
        texts += [(key, message.pattern) for key, message in self.tables.messages.items() if message.pattern]
        return tuple((key, re.compile(text, re.IGNORECASE)) for key, text in texts)

    @cached_property
    def _templates(self) -> dict[str, tuple[_Template, ...]]:
        result: dict[str, tuple[_Template, ...]] = {}
        for key, message in self.tables.messages.items():
            name, colon, values = message.text.partition(":")
            if not colon:
                name, values = "", message.text
            parts = tuple(part.strip().strip('"') for part in values.split(","))
            result[name.upper()] = (*result.get(name.upper(), ()), _Template(key, name.upper(), parts, message.when))
        return result

    # -- information, results, errors ------------------------------------------------------------------------------

    def information_text(self, key: str) -> str:
        """An information message as the chosen spelling has it."""
        message = self.tables.information[key]
        begin = f"{self._switches.get('information_spelling', '')}_"
        return next((one for one in (message.text, *message.spellings) if one.startswith(begin)), message.text)

    def error_text(self, cause: Cause, command: str = "", *, detail: int = 0) -> str:
        """The result line for a failure: the code of the command that asked, or the dialect's, as its form demands.

        ``detail`` is the host's ``AT+CMEE``.
        """
        return self.error_line(self.code(cause, command), detail=detail)

    def error_line(self, code: str, *, detail: int = 0) -> str:
        """The result line that tells a code, as its form demands."""
        lines = self.tables.lines
        if not code.isdigit():
            return code
        if lines.error_needs_cmee and detail == 0:
            return lines.plain_error
        if detail == 2 and lines.error_text and code in self.tables.errors:
            return lines.error_text.format(title=self.tables.errors[code].title)
        return lines.error.format(code=code)

    def code(self, cause: Cause, command: str = "") -> str:
        """The best code for ``cause``, or a word (``ERROR``, ``BUSY``)."""
        own = self.tables.commands.get(command)
        code = (own.causes.get(cause) if own else None) or self.tables.causes.get(cause)
        if code is None:
            code = self.tables.causes.get(Cause.INTERNAL)
        if code is None:
            raise InternalError(f"{self.id} has no code for {cause}")
        return code

    def cause_of(self, code: str) -> Cause:
        """What a module means by a code; internal when the code is unknown."""
        entry = self.tables.errors.get(code)
        if entry is None and not code.isdigit():
            return next((cause for cause, word in self.tables.causes.items() if word == code), Cause.INTERNAL)
        return entry.cause if entry else Cause.INTERNAL

    def argument(self, command: str, name: str) -> Argument:
        """An argument of a command."""
        return self.tables.commands[command].arguments[name]

    def replace_tables(self, **changes: object) -> Dialect:
        """The same dialect with other tables (a bridge's own local answers)."""
        return Dialect(replace(self.tables, **changes), self._switches)  # type: ignore[arg-type]


def _plain(text: str) -> int | str:
    """A value as the ``when`` of a form has it."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else text.upper()


def spread_values(
    form: Form, written: tuple[Value, ...]
) -> tuple[dict[str, Value | None], tuple[Value, ...], tuple[Value, ...]]:
    """Which value is whose (None: left out), the values that ``*`` takes, and those that nobody takes."""
    values = list(written)
    spread: dict[str, Value | None] = {}
    for at, taken in enumerate(form.takes):
        if taken.endswith("*"):
            return spread, _without_tail(values), ()
        if taken.endswith("??") and values and not _is_its_number(values, form.takes[at + 1 :]):
            spread[taken.rstrip("?")] = None
        else:
            spread[taken.rstrip("?")] = values.pop(0) if values else None
    return spread, (), _without_tail(values)


def _without_tail(values: list[Value]) -> tuple[Value, ...]:
    """Without the empty values at the end: a comma too many is harmless (erratum S42)."""
    while values and values[-1].shape is Shape.NOTHING:
        values.pop()
    return tuple(values)


def _is_its_number(values: list[Value], behind: tuple[str, ...]) -> bool:
    """Whether the first value is the number that may be missing with its comma, not the text that follows it.

    An empty or a bare number is; a quoted one (erratum S22) where the count tells: what follows comes in pairs.
    """
    first = values[0]
    if first.shape is Shape.NOTHING:
        return True
    if not first.text.strip().isdigit():
        return False
    count = len(_without_tail(list(values)))
    more_than_all = count > len(behind) and not any(taken.endswith("*") for taken in behind)
    return first.shape is not Shape.STRING or count % 2 == 1 or more_than_all


def _column(value: Value | None) -> int:
    return value.column if value is not None else 0


def _match(template: _Template, line: AnswerLine) -> dict[str, str] | None:
    last = _FIELD.fullmatch(template.parts[-1])
    takes_all = last is not None and last[2] == "*"
    if len(template.parts) != len(line.values) and not (takes_all and len(template.parts) <= len(line.values)):
        return None
    fields: dict[str, str] = {}
    for at, (part, value) in enumerate(zip(template.parts, line.values, strict=False)):
        named = _FIELD.fullmatch(part)
        if named is None:
            if part != value.text:
                return None
        elif named[2]:
            fields[named[1]] = ",".join(rest.text for rest in line.values[at:]).strip("[]")
        else:
            fields[named[1]] = value.text
    return fields if all(_plain(fields[name]) in wanted for name, wanted in template.when.items()) else None

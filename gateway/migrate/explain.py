"""What a command, an answer, an unsolicited code or an error code means, in plain words, from a dialect's tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.dialect.dialect import Call, Dialect, Fault, spread_values
from gateway.dialect.nodes import Basic, Broken, Foreign, Op, Piece, Statement
from gateway.dialect.schema import Argument, Command, ErrorCode, Form, Option, Parameter, ValueType
from gateway.dialect.values import expected
from gateway.errors import InputError, nearest
from gateway.migrate.standard import BASIC_COMMANDS, STANDARD_COMMANDS

_CODE = re.compile(r"(?:[#+]?(?:CM[ES]|TCPIP) *ERROR *:? *|ERROR *: *)?(\d+)", re.IGNORECASE)
_FIELD = re.compile(r"\{(\w+)\}")
_OPS = {Op.EXEC: "", Op.READ: "?", Op.TEST: "=?", Op.SET: "="}
_VERBS = {Op.EXEC: "carries it out", Op.READ: "reads it", Op.TEST: "asks for its ranges", Op.SET: "sets it"}


@dataclass(frozen=True, slots=True)
class Part:
    """One value: its name, how it was written ("" when it was left out), and what it means."""

    name: str
    written: str
    meaning: str


@dataclass(slots=True)
class Explanation:
    """One thing explained."""

    kind: str
    """``command``, ``answer``, ``error``, ``result``, or ``other``: not of this dialect."""
    text: str
    title: str
    source: str = ""
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrong: str = ""
    """Why it would be refused."""


def explain(text: str, dialect: Dialect) -> list[Explanation]:
    """A command line gives an explanation for each of its commands; an answer or a code gives one.

    Raises :class:`InputError` when it is nothing that the dialect or the standard knows.
    """
    text = text.strip()
    if not text:
        raise InputError("nothing to explain")
    if text[:2].upper() == "AT" and not text[2:3].isdigit():
        return [_piece(dialect, piece) for piece in dialect.pieces(text[2:])] or [_attention()]
    for look in (_error, _result, _said, _named):
        found = look(dialect, text)
        if found is not None:
            return [found]
    known = [*dialect.tables.commands, *(f"{dialect.tables.own[0]}{name}" for name in dialect.tables.parameters)]
    close = nearest(text.partition("=")[0].partition("?")[0], known)
    hint = f"; did you mean {close}?" if close else ""
    raise InputError(f"{dialect.id} has no command, answer or code {text!r}{hint}")


def _attention() -> Explanation:
    return Explanation("command", "AT", "asks whether the module listens; it answers OK", "V.250, 6")


# -- commands ----------------------------------------------------------------------------------------------------------


def _piece(dialect: Dialect, piece: Piece) -> Explanation:
    match piece:
        case Statement():
            return _statement(dialect, piece)
        case Basic():
            title, source = BASIC_COMMANDS.get(piece.name, ("a basic command", "V.250, 6"))
            written = f"S{piece.register}" if piece.register is not None else piece.name
            number = "" if piece.number is None else str(piece.number)
            parts = [Part("value", number, "")] if number else []
            return Explanation(
                "command",
                f"AT{written}{'=' if piece.register is not None and number else ''}{number}",
                title,
                source,
                parts,
            )
        case Foreign():
            return _foreign(dialect, piece)
        case Broken():
            return Explanation(
                "command",
                f"AT{piece.text}",
                "cannot be read",
                wrong=f"column {piece.column + 2}: expected {piece.expected}",
            )


def _foreign(dialect: Dialect, piece: Foreign) -> Explanation:
    name = re.split(r"[=?]", piece.text, maxsplit=1)[0].strip().upper()
    title, source = STANDARD_COMMANDS.get(name, ("", ""))
    notes = ["not of this dialect: the gateway hands it to the module as it is"]
    foreign = dialect.foreign(piece.text)
    local = foreign.always or foreign.refused
    if local is not None:
        when = "always" if local.when == "always" else "when the module refuses it"
        answer = " / ".join((*local.lines, local.result))
        notes = [f"not of this dialect: the gateway answers {answer} itself, {when}"]
    return Explanation("other", f"AT{piece.text}", title or "a command of another dialect", source, notes=notes)


def _statement(dialect: Dialect, statement: Statement) -> Explanation:
    call = dialect.bind(statement)
    parameter = dialect.parameter_of(statement.name)
    command = dialect.tables.commands.get(statement.name)
    written = f"AT{statement.name}{_OPS[statement.op]}" + ",".join(value.written() for value in statement.values)
    if parameter is not None and (command is None or (isinstance(call, Call) and call.parameter is not None)):
        explanation = _parameter(dialect, statement, parameter, written)
    elif command is not None:
        explanation = _command(dialect, statement, command, written)
    else:
        explanation = Explanation("command", written, "unknown")
    if isinstance(call, Fault):
        explanation.wrong = _why(call)
        code = dialect.error_text(call.cause, call.name, detail=1)
        explanation.wrong += f"; the answer is {code}"
    return explanation


def _why(fault: Fault) -> str:
    what = fault.expected or fault.cause.value.replace("_", " ")
    return f"{fault.cause.value.replace('_', ' ')}: {what}" if fault.expected else what


def _parameter(dialect: Dialect, statement: Statement, parameter: Parameter, written: str) -> Explanation:
    title = f"{parameter.title}: a stored parameter; this {_VERBS[statement.op]}"
    explanation = Explanation("command", written, title, dialect.source_of(statement.name))
    values = list(statement.values)
    if parameter.indexed and dialect.tables.socket_ids and (len(values) > 1 or (values and statement.op is Op.READ)):
        explanation.parts.append(Part("id", values.pop(0).written(), "socket id"))
    shown = values[0].written() if values else ""
    explanation.parts.append(Part("value", shown, _meaning(parameter, shown.strip('"'))))
    if parameter.default is not None:
        explanation.notes.append(
            f"default: {parameter.default!r}" if isinstance(parameter.default, str) else f"default: {parameter.default}"
        )
    if parameter.entry:
        explanation.notes.append("without a value it opens an entry of text that Ctrl-Z ends")
    if parameter.effect == "kept":
        explanation.notes.append("kept and answered, without effect on a module that has nothing of the kind")
    if parameter.effect == "calls":
        explanation.notes.append("answers and calls only where the module takes GSM data calls; elsewhere it is kept")
    if parameter.secret:
        explanation.notes.append("a secret: never shown in logs and traces")
    return _with_errata(explanation, parameter.errata)


def _command(dialect: Dialect, statement: Statement, command: Command, written: str) -> Explanation:
    form = dialect.form_of(statement)
    source = form.source if form is not None and form.source else command.source
    explanation = Explanation("command", written, command.title, dialect.in_manual(source))
    if form is not None:
        spread, rest, excess = spread_values(form, statement.values)
        for key, value in spread.items():
            shown = value.written() if value is not None else ""
            meaning = _argument(dialect, statement, command.arguments[key], key, shown.strip('"'))
            explanation.parts.append(Part(key, shown, meaning))
        explanation.parts += [Part(form.takes[-1].rstrip("*"), value.written(), "") for value in rest]
        explanation.parts += [Part("", value.written(), "") for value in excess]
    elif statement.op is Op.SET:
        explanation.parts += [Part("", value.written(), "") for value in statement.values]
    _form_notes(explanation, form, command)
    return _with_errata(explanation, (*command.errata, *(form.errata if form is not None else ())))


def _form_notes(explanation: Explanation, form: Form | None, command: Command) -> None:
    if form is not None:
        if form.answer:
            explanation.notes.append("answer: " + ", ".join(form.answer))
        if form.then:
            explanation.notes.append("then, unasked: " + ", ".join(form.then))
        if form.phase:
            explanation.notes.append(f"opens a data phase: {form.phase}")
    if command.stored:
        explanation.notes.append(f"kept: {command.stored}")
    if command.limit_s:
        explanation.notes.append(f"may take {command.limit_s} s")


def _argument(dialect: Dialect, statement: Statement, argument: Argument, key: str, shown: str) -> str:
    meaning = _meaning(argument, shown)
    if key == "option" and shown.isdigit():
        option = _option(dialect, statement, shown)
        if option is not None:
            return f"{option.title} ({_type(option)})"
    title = argument.title
    return f"{title}: {meaning}" if title else meaning


def _option(dialect: Dialect, statement: Statement, number: str) -> Option | None:
    groups = dialect.tables.options
    own = groups.get(statement.name, {}).get(number)
    if own is not None or statement.name in groups:
        return own
    return next((group[number] for name, group in groups.items() if not name.startswith("+") and number in group), None)


def _meaning(kind: ValueType, shown: str) -> str:
    """What a value says, or what it may be."""
    named = kind.values.get(shown.upper()) or kind.values.get(shown) if shown else None
    if named:
        return str(named)
    if not shown and isinstance(kind, Argument) and kind.default is not None:
        return f"left out: {kind.default} ({_range(kind)})"
    return _range(kind)


def _range(kind: ValueType) -> str:
    if kind.kind in ("enum", "letter"):
        return "; ".join(f"{value} {text}".strip() for value, text in kind.values.items())
    unit = f" {kind.unit}" if kind.unit else ""
    return expected(kind) + unit


def _type(option: Option) -> str:
    parts = []
    if option.values:
        parts.append("; ".join(f"{value} {text}" for value, text in option.values.items()))
    elif option.minimum is not None and option.maximum is not None:
        parts.append(f"{option.minimum} to {option.maximum}")
    else:
        parts.append(option.kind)
    if option.unit:
        parts.append(option.unit)
    if option.default is not None:
        parts.append(f"default {option.default}")
    return ", ".join(parts)


# -- what a module says ------------------------------------------------------------------------------------------------


def _error(dialect: Dialect, text: str) -> Explanation | None:
    match = _CODE.fullmatch(text)
    if match is None:
        return None
    entry: ErrorCode | None = dialect.tables.errors.get(match[1])
    if entry is None:
        if not text.isdigit():
            raise InputError(f"{dialect.id} has no error code {match[1]}")
        return None
    explanation = Explanation("error", text, f"{match[1]}: {entry.title}", dialect.in_manual(entry.source))
    explanation.notes.append(f"cause, whatever the dialect: {entry.cause.value.replace('_', ' ')}")
    return _with_errata(explanation, entry.errata)


def _result(dialect: Dialect, text: str) -> Explanation | None:
    for key, message in dialect.tables.information.items():
        texts = {dialect.information_text(key).lower(), message.text.lower(), *(one.lower() for one in message.spellings)}
        if text.lower() in texts or (text.isdigit() and message.number == int(text)):
            explanation = Explanation("answer", text, message.title, dialect.in_manual(message.source))
            if message.number is not None:
                explanation.notes.append(f"{message.number} under ATV0")
            return _with_errata(explanation, message.errata)
    for word, number in dialect.tables.results.items():
        if text.upper() == word.upper() or text == str(number):
            return Explanation("result", text, f"the result code {word}; {number} under ATV0", "V.250, 5.7")
    return None


def _said(dialect: Dialect, text: str) -> Explanation | None:
    heard = dialect.hear(text)
    if heard is not None:
        message = dialect.tables.messages[heard.key]
        title = message.title or heard.key.replace("_", " ")
        explanation = Explanation("answer", text, title, dialect.in_manual(message.source))
        explanation.parts = [Part(name, value, "") for name, value in heard.fields.items()]
        return _with_errata(explanation, message.errata)
    for name, urc in dialect.tables.module.unsolicited.items():
        if text.startswith(name):
            return Explanation("other", text, urc.title or "unsolicited; of another dialect: passed on to the host")
    return None


def _named(dialect: Dialect, text: str) -> Explanation | None:
    """A command's or a message's bare name."""
    name = text.upper()
    command = dialect.tables.commands.get(name)
    if command is not None:
        explanation = Explanation("command", name, command.title, dialect.source_of(name))
        for form in command.forms:
            written = ",".join(f"[{one.rstrip('?*')}]" if one.endswith("?") else one.rstrip("*") for one in form.takes)
            explanation.parts.append(Part(form.does.replace("_", " "), f"AT{name}{_OPS[Op(form.op)]}{written}", ""))
        return explanation
    if dialect.parameter_of(name) is not None:
        return _statement(dialect, Statement(name, Op.READ))
    for message in dialect.tables.messages.values():
        if message.text.partition(":")[0].upper() == name.rstrip(": "):
            fields = [Part(one, "", "") for one in _FIELD.findall(message.text)]
            return Explanation("answer", message.text, message.title, dialect.in_manual(message.source), fields)
    return None


def _with_errata(explanation: Explanation, errata: tuple[str, ...]) -> Explanation:
    if errata:
        explanation.notes.append("the manuals disagree here (errata " + ", ".join(dict.fromkeys(errata)) + ")")
    return explanation

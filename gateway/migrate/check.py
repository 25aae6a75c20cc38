"""Finds what is wrong in AT scripts: line by line against a dialect's tables, then against its rules of state."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from gateway.dialect.dialect import Dialect, Fault
from gateway.dialect.nodes import Broken, Foreign, Op, Piece, Statement
from gateway.errors import InputError, nearest
from gateway.migrate.agreeing import AgreeingScript
from gateway.migrate.script import LineKind, ScriptLine, read_script
from gateway.model.causes import Cause
from gateway.session.effects import Note

_NAME = re.compile(r"[+#*$^!@%\\]?[A-Za-z][A-Za-z0-9_]*")
_WRITTEN = {Op.EXEC: "", Op.READ: "?", Op.TEST: "=?", Op.SET: "=..."}
_CLOSE = 0.8
"""How like a command of the dialect another name must be to be taken for a slip of the pen."""


class ProblemKind(StrEnum):
    """What sort of mistake."""

    SYNTAX = "syntax"
    UNKNOWN = "unknown"
    COUNT = "count"
    VALUE = "value"
    LENGTH = "length"
    ORDER = "order"
    """Right by itself, but refused in the state that the lines before it lead to."""
    PAYLOAD = "payload"


_KINDS = {
    Cause.UNKNOWN_COMMAND: ProblemKind.UNKNOWN,
    Cause.BAD_COUNT: ProblemKind.COUNT,
    Cause.BAD_SYNTAX: ProblemKind.SYNTAX,
    Cause.TOO_LONG: ProblemKind.LENGTH,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: line and column count from 1 in the file, ``length`` is how many characters the caret marks."""

    line: int
    column: int
    length: int
    kind: ProblemKind
    message: str
    text: str
    """The whole line."""
    source: str = ""
    """Where the manual says so."""


def check(text: str, dialect: Dialect) -> list[Problem]:
    """Everything that is wrong in a script, in order."""
    return _Checker(dialect).check(read_script(text))


class _Checker:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._host: AgreeingScript | None = None
        with suppress(InputError):  # where nobody can play the dialect there are no rules of state
            self._host = AgreeingScript(dialect)
        self._names = [
            *dialect.tables.commands,
            *(f"{dialect.tables.own[0]}{name}" for name in dialect.tables.parameters),
        ]
        self._problems: list[Problem] = []
        self._doubtful = False
        """The line before was wrong: whether a data phase is open is not known."""

    def check(self, lines: list[ScriptLine]) -> list[Problem]:
        for line in lines:
            match line.kind:
                case LineKind.COMMAND:
                    self._command(line)
                case LineKind.PAYLOAD:
                    self._payload(line)
                case LineKind.ESCAPE:
                    if self._host is not None and self._host.in_data:
                        self._host.leave()
                case LineKind.EMPTY:
                    pass
        return self._problems

    def _command(self, line: ScriptLine) -> None:
        before = len(self._problems)
        if line.text[:2].upper() == "A/" and len(line.text) == 2:
            self._follow(line)
            return
        if line.text[:2].upper() != "AT":
            self._problem(line, 1, len(line.text.split()[0]), ProblemKind.SYNTAX, "a command line begins with AT")
        elif len(line.text) - 2 > self._dialect.tables.lines.limit_bytes:
            limit = self._dialect.tables.lines.limit_bytes
            self._problem(line, limit + 2, 1, ProblemKind.LENGTH, f"a line has at most {limit} characters behind its AT")
        else:
            for piece in self._dialect.pieces(line.text[2:]):
                self._piece(line, piece)
        self._doubtful = len(self._problems) > before
        if not self._doubtful:
            self._follow(line)

    # -- the line by itself --------------------------------------------------------------------------------------------

    def _piece(self, line: ScriptLine, piece: Piece) -> None:
        match piece:
            case Broken():
                self._broken(line, piece)
            case Foreign():
                self._foreign(line, piece)
            case Statement():
                if not self._quotes(line, piece.column):
                    return
                call = self._dialect.bind(piece)
                if isinstance(call, Fault):
                    self._fault(line, piece, call)

    def _broken(self, line: ScriptLine, piece: Broken) -> None:
        text = line.text[2:]
        start = max(0, piece.column - 1 - len(piece.text))
        if self._quotes(line, start + 1):
            found = text[piece.column - 1 : piece.column]
            what = f"{found!r}" if found else "the end of the line"
            self._problem(
                line,
                piece.column + 2,
                1,
                ProblemKind.SYNTAX,
                f"expected {piece.expected}, found {what}",
                self._source(text),
            )

    def _quotes(self, line: ScriptLine, column: int) -> bool:
        """Whether every quote of the line is closed; told once, at the quote that is not."""
        if line.text.count('"') % 2 == 0:
            return True
        at = line.text.rindex('"')
        if at >= column:
            self._problem(line, at + 1, len(line.text) - at, ProblemKind.SYNTAX, "this quote is never closed")
        return False

    def _foreign(self, line: ScriptLine, piece: Foreign) -> None:
        """Another dialect's command is right as it is, unless it looks like a slip of the pen."""
        match = _NAME.match(piece.text)
        name = match[0].upper() if match else ""
        if len(name) < 4 or self._known_elsewhere(name):
            return
        close = nearest(name, self._names, cutoff=_CLOSE)
        if close is not None:
            self._problem(
                line,
                piece.column + 2,
                len(name),
                ProblemKind.UNKNOWN,
                f"unknown command {name}; did you mean {close}?",
                self._dialect.source_of(close),
            )

    def _known_elsewhere(self, name: str) -> bool:
        tables = self._dialect.tables
        known = [*tables.local_answers, *tables.virtual_answers, *tables.module.limits_s, *tables.module.unsolicited]
        return any(_NAME.match(entry) is not None and _NAME.findall(entry)[0] == name for entry in known)

    def _fault(self, line: ScriptLine, piece: Statement, fault: Fault) -> None:
        kind = _KINDS.get(fault.cause, ProblemKind.VALUE)
        value = next((value for value in piece.values if fault.column and value.column == fault.column), None)
        if kind is ProblemKind.UNKNOWN:
            message = f"unknown command {fault.name}" + (f"; {fault.expected}" if fault.expected else "")
            column, length = piece.column, len(piece.name)
        elif value is not None and kind is ProblemKind.COUNT:
            message = f"{fault.name}: {value.written()!r} is one value too many"
            column, length = value.column, len(value.written())
        elif value is not None:
            message = f"{fault.name}: expected {fault.expected}, found {value.written()!r}"
            column, length = value.column, len(value.written())
        elif kind is ProblemKind.COUNT:
            message = f"{fault.name}: a value is missing: {fault.expected}"
            column, length = len(line.text) - 1, 1
        elif kind is ProblemKind.SYNTAX and self._forms(fault.name):
            message = f"{fault.name} is not written like this; it has: {self._forms(fault.name)}"
            column, length = piece.column, len(piece.name)
        else:
            message = f"{fault.name}: expected {fault.expected or fault.cause.value}"
            column, length = piece.column, len(piece.name)
        self._problem(line, column + 2, length, kind, message, self._dialect.source_of(fault.name))

    def _forms(self, name: str) -> str:
        command = self._dialect.tables.commands.get(name)
        ops = dict.fromkeys(form.op for form in command.forms) if command else {}
        return ", ".join(f"AT{name}{_WRITTEN[Op(op)]}" for op in ops)

    # -- the line in its place -----------------------------------------------------------------------------------------

    def _follow(self, line: ScriptLine) -> None:
        """Have the line carried out by a module that agrees to everything its own rules allow."""
        host = self._host
        if host is None:
            return
        if host.in_data:
            host.leave()
        host.module.notes.clear()
        host.say(line.text)
        failed = next((note for note in host.module.notes if note.kind == "failed"), None)
        if failed is not None and failed.fields["what"] != Cause.NOT_SUPPORTED.value:
            self._refused(line, failed)
        self._doubtful = failed is not None

    def _refused(self, line: ScriptLine, failed: Note) -> None:
        said = str(failed.fields.get("said", ""))
        code = re.search(r"(\d+)\s*$", said)
        entry = self._dialect.tables.errors.get(code[1]) if code else None
        title = f" ({entry.title})" if entry is not None and entry.title else ""
        name = next(
            (piece.name for piece in self._dialect.pieces(line.text[2:]) if isinstance(piece, Statement)), line.text
        )
        why = f", {failed.fields['why']}" if failed.fields.get("why") else ""
        message = f"{name} is refused here, after the lines before it: {said}{title}{why}"
        self._problem(line, 1, len(line.text), ProblemKind.ORDER, message, self._dialect.source_of(name))

    def _payload(self, line: ScriptLine) -> None:
        if line.wrong:
            self._add(line, line.wrong, 1, ProblemKind.PAYLOAD, r"expected \xNN, \r, \n, \t, \0 or \\ behind a backslash")
        host = self._host
        if host is None or self._doubtful:
            return
        if not host.in_data:
            host.module.call_in()
        if not host.in_data:
            self._add(
                line, line.column, 1, ProblemKind.PAYLOAD, "payload, but no command before it has opened a data phase"
            )
            self._doubtful = True
            return
        host.send(line.data)

    # -- telling -------------------------------------------------------------------------------------------------------

    def _source(self, text: str) -> str:
        match = _NAME.match(text)
        return self._dialect.source_of(match[0].upper()) if match else ""

    def _problem(
        self, line: ScriptLine, column: int, length: int, kind: ProblemKind, message: str, source: str = ""
    ) -> None:
        """``column`` counts in the command's own text."""
        self._add(line, line.column + column - 1, length, kind, message, source)

    def _add(self, line: ScriptLine, column: int, length: int, kind: ProblemKind, message: str, source: str = "") -> None:
        self._problems.append(Problem(line.number, column, max(length, 1), kind, message, line.raw, source))

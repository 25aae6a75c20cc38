"""The host's command lines: what is in them, one piece behind the other, and their one result."""

from __future__ import annotations

from collections import deque

from gateway.dialect.dialect import Fault
from gateway.dialect.firmware import Fail, Ok, Outcome, Silent, Word
from gateway.dialect.nodes import Basic, Broken, Foreign, Piece, Statement
from gateway.dialect.schema import LocalAnswer
from gateway.model.causes import Cause
from gateway.model.findings import FindingKind
from gateway.model.requests import PassThrough
from gateway.model.results import PassedThrough, Prompted, Relayed
from gateway.session import discipline
from gateway.session.effects import SetPort
from gateway.session.host_data import HostDataSide
from gateway.session.host_worker import PROFILE
from gateway.session.tasks import Run, Task
from gateway.wire.command import Abandoned, Control, Item, Line, TooLong

_ERRORS = ("ERROR", "+CME ERROR", "+CMS ERROR")


class LinesOfHost(HostDataSide):
    """See the module's text."""

    def _item(self, item: Item, now: float) -> None:
        match item:
            case Line():
                self._last_line = item.data
                self._begin(item.data, now)
            case TooLong(data):
                self._refuse(data, Cause.TOO_LONG)
            case Abandoned(data):
                self._refuse(data, Cause.BAD_SYNTAX)
            case Control(_):
                steps = self.firmware.abort()
                if steps is not None:
                    self._spawn(steps, "abort", now)
            case _:
                if self._last_line:
                    self._begin(self._last_line, now)

    def _refuse(self, data: bytes, cause: Cause) -> None:
        text = data.decode("latin-1")[2:]
        self._note("line", text[:80])
        own = self.dialect.owns(text.lstrip())
        self._note("refused", cause.value)
        self._outcome(Fail(cause) if own else Word("ERROR"), text=False)

    def _begin(self, data: bytes, now: float) -> None:
        text = data[2:].decode("latin-1")
        if self.tracing:
            self._note("line", text)
        if self._swallows is not None and self._swallows(text):
            return
        pieces = deque(self.dialect.pieces(text))
        self._run = Run(pieces, alone=len(pieces) == 1)
        self._next_piece(now)

    def _next_piece(self, now: float) -> None:
        """Carry out pieces until one must wait or the line is done."""
        while self._run is not None and self._foreground is None:
            if not self._run.pieces:
                self._finish_line(Ok(self._run.text))
                return
            outcome = self._start(self._run.pieces.popleft(), now)
            if outcome is not None:
                self._settle(outcome)

    def _settle(self, outcome: Outcome) -> None:
        """A piece of the line has ended: go on, or end the line."""
        if self._run is None:
            self._outcome(outcome, text=False)
            return
        if isinstance(outcome, Ok):
            self._run.text |= outcome.after_text
        if self._run.pieces and isinstance(outcome, Ok | Silent):
            return
        self._finish_line(outcome)

    def _finish_line(self, outcome: Outcome) -> None:
        assert self._run is not None
        text = self._run.text
        self._run = None
        self._outcome(outcome, text=text)

    def _start(self, piece: Piece, now: float) -> Outcome | None:
        """Begin a piece; its outcome, or None when it became a task."""
        match piece:
            case Foreign():
                return self._pass_through(piece.text, now)
            case Basic():
                handled = discipline.basic(piece, self.settings, self._saved)
                if handled is not None:
                    if piece.name == "&W":
                        self._store({PROFILE: self._saved.profile()}, erase=False)
                    return self._handled(handled)
                return self._pass_through(_basic_text(piece), now)
            case Broken(text, column, expected):
                self._note("refused", Cause.BAD_SYNTAX.value, column=column, expected=expected)
                return Fail(Cause.BAD_SYNTAX) if self.dialect.owns(text.lstrip()) else Word("ERROR")
            case Statement():
                call = self.dialect.bind(piece)
                if isinstance(call, Fault):
                    self._note("refused", call.cause.value, command=call.name, expected=call.expected)
                    return Fail(call.cause, call.name)
                return self._task(Task(self.firmware.execute(call), "command", call.name, foreground=True), now)

    def _handled(self, handled: discipline.Handled) -> Outcome:
        if handled.rate is not None or handled.flow is not None:
            self._after_answer = SetPort(handled.rate, handled.flow)
        if handled.lines:
            self._speaker.answer(self._speaker.block(handled.lines))
        return Ok() if handled.ok else Word("ERROR")

    def _pass_through(self, text: str, now: float) -> Outcome | None:
        handled = discipline.standard(text, self.settings)
        if handled is not None:
            return self._handled(handled)
        if text[0] in "Oo" and text.upper() in ("O", "O0", "O1"):
            steps = self.firmware.resume()
            if steps is None:
                return Word("NO CARRIER")
            return self._task(Task(steps, "resume", text, foreground=True), now)
        local = self.dialect.foreign(text).always
        if local is not None:
            return self._answer_locally(local)
        task = self._foreground = Task(None, "command", text, foreground=True)
        self._tasks.append(task)
        self._ask(task, PassThrough("AT" + text))
        return None

    def _passed(self, task: Task, result: object) -> Outcome | None:
        """The module's answer in the host's own framing, or what the dialect's file says where it is refused."""
        if isinstance(result, Prompted | Relayed):
            return None
        answer = result if isinstance(result, PassedThrough) else PassedThrough((), "ERROR")
        foreign = self.dialect.foreign(task.command)
        if answer.final == "OK":
            if answer.lines:
                self._speaker.answer(self._speaker.block(answer.lines))
            if foreign.restarts:
                self._reset()
            return Ok()
        refused = answer.final.startswith(_ERRORS)
        if refused and foreign.refused is not None:
            return self._answer_locally(foreign.refused)
        if answer.lines:
            self._speaker.answer(self._speaker.block(answer.lines))
        if not answer.final and self._run is not None and not self._run.alone:
            return Ok()  # others stand on the line: they are not left out, nor is its one result
        return Word("ERROR" if refused and self.settings.error_detail == 0 else answer.final)

    def _answer_locally(self, answer: LocalAnswer) -> Outcome:
        self._note("finding", FindingKind.EMULATED.value, old="answered locally")
        if answer.lines:
            self._speaker.answer(self._speaker.block(answer.lines))
        return Ok(bool(answer.lines)) if answer.result == "OK" else Word(answer.result)

    def _echo(self) -> None:
        if self.settings.echo:
            self._speaker.now(bytes(self._reader.echo))
        self._reader.echo.clear()


def _basic_text(piece: Basic) -> str:
    if piece.register is not None:
        written = "?" if piece.reads else f"={piece.number if piece.number is not None else ''}"
        return f"S{piece.register}{written}"
    return piece.name + ("" if piece.number is None else str(piece.number))

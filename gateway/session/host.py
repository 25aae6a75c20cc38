"""The host's side of a session: the line discipline, the commands, the data phases, and when the host may be told what.

It runs a dialect's behaviour (:mod:`gateway.dialect.firmware`), knows no dialect, and puts out effects. Longer than
400 lines because command line, tasks and data phase hand one stream of bytes to each other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast, get_args

from gateway.dialect.dialect import Dialect, Fault
from gateway.dialect.firmware import (
    Ask,
    Background,
    Break,
    Cancel,
    Claim,
    Data,
    DataEnd,
    EndReason,
    Expect,
    Fail,
    Finish,
    Firmware,
    GiveUp,
    Interrupted,
    More,
    Ok,
    Order,
    Outcome,
    Port,
    Raw,
    Say,
    Send,
    Silent,
    Spawn,
    Step,
    Steps,
    Store,
    Surroundings,
    Tell,
    Text,
    Turn,
    Wait,
    Waiting,
    Word,
)
from gateway.dialect.nodes import Basic, Broken, Foreign, Piece, Statement
from gateway.dialect.schema import LocalAnswer
from gateway.errors import InternalError
from gateway.model.causes import Cause
from gateway.model.events import Event, ModuleText, PeerClosed, Received, SocketLost
from gateway.model.findings import Finding, FindingKind
from gateway.model.requests import CloseSocket, ShutdownTcp
from gateway.model.results import Done, Failed, PassedThrough, Progress, Prompted, Relayed, Result
from gateway.model.tuning import Tuned
from gateway.model.values import Ticket
from gateway.session import discipline
from gateway.session.early import EarlyData
from gateway.session.effects import (
    Carrier,
    Effect,
    Keep,
    Note,
    Payload,
    SetPort,
    Submit,
    TextFor,
    ToHost,
    Withdraw,
)
from gateway.session.passing import passing
from gateway.session.speaking import Speaker
from gateway.session.tasks import Mode, Run, Task
from gateway.wire.command import Abandoned, CommandLineReader, Control, Item, Line, TooLong
from gateway.wire.phase import Taken
from gateway.wire.settings import ESC, SUB, LineSettings

PENDING_LIMIT_BYTES = 16384
"""Bytes of the host that wait for a command to end; beyond this its port is not read."""

_ETX = re.compile(rb"(?<!\x10)(?:\x10\x10)*\x03")
"""An ETX; behind a DLE it is payload of a phase that opens only now."""
PROFILE = "&W"
"""The name under which the line's settings are kept, beside the dialect's own values."""


class HostSide:
    """See the module's text. Feed it with what happens; then take ``effects``."""

    def __init__(
        self,
        dialect: Dialect,
        firmware: type[Firmware],
        *,
        stored: dict[str, str | int] | None = None,
        policy: str = "lenient",
        tracing: bool = False,
        rate: int = 115200,
        swallows: Callable[[str], bool] | None = None,
    ) -> None:
        dialect.warm()
        self.dialect = dialect
        self._firmware = firmware
        self._swallows = swallows
        """Asked about each command line; a line that it takes is never answered."""
        self.settings = LineSettings(rate=rate)
        stored = {key: value for key, value in (stored or {}).items() if key == PROFILE or dialect.may_keep(key, value)}
        self.settings.load(str(stored.get(PROFILE, "")))
        self._saved = self.settings.copy()
        self.around = Surroundings(self.settings, policy, _dialects_own(stored))
        self.firmware = firmware(dialect, self.around)
        self.effects: list[Effect] = []
        self.tracing = tracing
        self.mode = Mode.COMMAND
        self._reader = CommandLineReader(self.settings, dialect.tables.lines.limit_bytes)
        self._pending = bytearray()
        self._speaker = Speaker(dialect, self.settings)
        self._run: Run | None = None
        self._foreground: Task | None = None
        self._tasks: list[Task] = []
        self._running: Task | None = None
        self._data: Task | None = None
        self._entry = bytearray()
        self._early = EarlyData()
        self._tickets = 0
        self._last_line = b""
        self._kept = dict(stored)
        self._erased = False
        self._after_answer: SetPort | None = None
        self._closing: Data | None = None
        """The host has ended this data phase and has not been told that it is closed: what still arrives is delivered."""
        self._deaf = False
        """The connection ended and the host has not been told yet: what it sends is payload for nobody."""

    # -- what happens --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the host."""
        self.around.now = now
        if self._deaf:
            self._finding(Finding(FindingKind.LOST, f"{len(data)} bytes", "the connection had ended"))
            return
        if self._pending:
            self._pending += data
        elif self._data is not None:
            self._from_host(data, now)
        elif self._run is None and not self._tasks and self.mode is Mode.COMMAND:
            self._command(data, now)
        else:
            self._pending += data
        self._work(now)

    def deliver(self, ticket: Ticket, result: Result | Progress, now: float) -> None:
        """A request has a result, or news before it."""
        self.around.now = now
        for task in self._tasks:
            if task.ticket == ticket:
                break
        else:
            return
        self._note_result(result)
        if not isinstance(result, Progress):
            task.ticket = None
            if task.waits:
                task.waits, task.due_s = False, None
            if task is self._data:
                self._result_in_data(task)
        self._advance(task, result, now)
        self._work(now)

    def event(self, event: Event, now: float) -> None:
        """Something happened unasked."""
        self.around.now = now
        if isinstance(event, Received) and not self.firmware.tells_data(event.socket):
            self._received(event, now)
        else:
            self._note("event", type(event).__name__, event)
            if isinstance(event, ModuleText) and event.lines[0] in self.dialect.tables.results:
                self._unsolicited(self._speaker.result(event.lines[0]))  # RING: a number under ATV0
            elif not self._for_data(event, now) and not self._for_waiting(event, now):
                self._perform_all(self.firmware.event(event), now)
        self._work(now)

    def relayed(self, data: bytes) -> None:
        """Bytes came from a module that is in a data call."""
        self._speaker.now(data)
        self._flush()

    def tick(self, now: float) -> None:
        """Time has come; see ``deadline``."""
        self.around.now = now
        if self._data is not None and self._data.data is not None:
            phase = self._data.data.phase
            if phase.deadline is not None and now >= phase.deadline:
                self._taken(phase.tick(now), now)
        abandoned = self._reader.tick(now)
        if abandoned is not None:
            self._echo()
            self._item(abandoned, now)
        for task in list(self._tasks):
            if task.due_s is not None and now >= task.due_s and task in self._tasks:
                task.due_s, task.waits = None, False
                self._advance(task, None if task.text is None else self._typed(task), now)
        started = self.firmware.tick(now)
        if started is not None:
            self._spawn(*started, now)
        self._work(now)

    def terminal_ready(self, ready: bool, now: float) -> None:
        """The host's DTR (circuit 108) changed; ``AT&D`` says what that means."""
        self.around.now = now
        if not ready and self.settings.terminal_ready:
            if self._data is not None:
                self._end_data(DataEnd(EndReason.TERMINAL), now)
            self._pending.clear()
        self._work(now)

    def restart(self, lines: Sequence[str], now: float) -> None:
        """The module that this side plays restarts: everything is forgotten but what is stored; ``lines`` are said."""
        self.around.now = now
        for task in list(self._tasks):
            self._cancel(task)
        self._run = self._foreground = self._data = None
        self.mode = Mode.COMMAND
        self._pending.clear()
        self._speaker.clear()
        self._early.clear()
        self._deaf = False
        self.settings.assign(self._saved)
        if self._erased:
            self.around.stored.clear()
            self.around.stored.update(_dialects_own(self._kept))
            self._erased = False
        self.firmware = self._firmware(self.dialect, self.around)
        for line in lines:
            self._speaker.now(self._speaker.block((line,)))
        self._flush()

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called next."""
        due, other = self._reader.deadline, self.firmware.deadline
        if other is not None and (due is None or other < due):
            due = other
        if self._data is not None and self._data.data is not None:
            other = self._data.data.phase.deadline
            if other is not None and (due is None or other < due):
                due = other
        for task in self._tasks:
            if task.due_s is not None and (due is None or task.due_s < due):
                due = task.due_s
        return due

    @property
    def waits_for_peers(self) -> bool:
        """Whether the host's port should not be read while a peer reads too slowly."""
        return self._data is not None or not self.firmware.tells_congestion

    @property
    def holds_host(self) -> bool:
        """Whether the host's port should not be read just now."""
        return len(self._pending) > PENDING_LIMIT_BYTES

    @property
    def holds_module(self) -> bool:
        """Whether the other side should not be read just now."""
        return self._early.full

    @property
    def busy(self) -> bool:
        """Whether a command line is being carried out."""
        return self._run is not None

    # -- the host's bytes ----------------------------------------------------------------------------------------------

    def _work(self, now: float) -> None:
        """Go on with what is there, until something must be waited for; then let the bytes go."""
        while True:
            if (self._tasks or self._speaker.waiting) and self._run is None:
                self._when_free(now)
            if not self._pending:
                break
            if self.mode is Mode.COMMAND and self._run is None:
                data = bytes(self._pending)
                self._pending.clear()
                self._command(data, now)
            elif self.mode is Mode.COMMAND:
                if not self._while_busy(now):
                    break
            else:
                data = bytes(self._pending)
                self._pending.clear()
                self._from_host(data, now)
        self._flush()

    def _command(self, data: bytes, now: float) -> None:
        """The line is free: take one item; what stands behind it waits."""
        item, position = self._reader.feed(data, 0, now)
        if position < len(data):
            self._pending += data[position:]
        self._echo()
        if item is not None:
            self._item(item, now)

    def _from_host(self, data: bytes, now: float) -> None:
        if data and self._reader.after_cr and self._reader.late_lf(data[0]):
            data = data[1:]
        if not data:
            return
        if self._data is not None:
            assert self._data.data is not None
            self._taken(self._data.data.phase.from_host(data, now), now)
        elif self.mode is Mode.TEXT:
            self._text(data, now)
        elif self._foreground is not None and self._foreground.ticket is not None:
            self._text_for_module(data, self._foreground.ticket)

    def _while_busy(self, now: float) -> bool:
        """The host sends while a command is being carried out: True when something changed by it."""
        if self._reader.after_cr and self._reader.late_lf(self._pending[0]):
            del self._pending[:1]
            return True
        task = self._foreground
        if task is None or task.passing or not self.firmware.etx_aborts(task.name):
            return False
        etx = _ETX.search(self._pending)
        if etx is not None:
            del self._pending[: etx.end()]
            self._interrupt(task, Cause.ABORTED, now)
            return True
        return False

    def _echo(self) -> None:
        if self.settings.echo:
            self._speaker.now(bytes(self._reader.echo))
        self._reader.echo.clear()

    def _item(self, item: Item, now: float) -> None:
        match item:
            case Line(data):
                self._last_line = data
                self._begin(data, now)
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

    # -- command lines -------------------------------------------------------------------------------------------------

    def _begin(self, data: bytes, now: float) -> None:
        text = data[2:].decode("latin-1")
        if self.tracing:
            self._note("line", text)
        if self._swallows is not None and self._swallows(text):
            return
        self._run = Run(deque(self.dialect.pieces(text)))
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
            case Basic():
                handled = discipline.basic(piece, self.settings, self._saved)
                if handled is not None:
                    if piece.name == "&W":
                        self._store({PROFILE: self._saved.profile()}, erase=False)
                    return self._handled(handled)
                return self._pass_through(_basic_text(piece), now)
            case Foreign(text):
                return self._pass_through(text, now)
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

    def _task(self, task: Task, now: float) -> Outcome | None:
        """Run a new task as far as it goes at once."""
        self._tasks.append(task)
        if not task.foreground:
            return self._go(task, None, now)
        self._foreground = task
        outcome = self._go(task, None, now)
        if outcome is not None and not task.foreground:  # it had let the line go before it ended
            self._outcome_later(outcome)
            return None
        return outcome

    def _pass_through(self, text: str, now: float) -> Outcome | None:
        handled = discipline.standard(text, self.settings)
        if handled is not None:
            return self._handled(handled)
        if text[0] in "Oo" and text.upper() in ("O", "O0", "O1"):
            steps = self.firmware.resume()
            if steps is None:
                return Word("NO CARRIER")
            return self._task(Task(steps, "resume", text, foreground=True), now)
        local = self.dialect.local_answer(text, "always")
        if local is not None:
            return self._answer_locally(local)
        steps = passing(self.dialect, self.settings, text, locally=self._answer_locally, was_reset=self._reset)
        return self._task(Task(steps, "command", text, foreground=True, passing=True), now)

    def _answer_locally(self, answer: LocalAnswer) -> Outcome:
        self._note("finding", FindingKind.EMULATED.value, old="answered locally")
        if answer.lines:
            self._speaker.answer(self._speaker.block(answer.lines))
        return Ok(bool(answer.lines)) if answer.result == "OK" else Word(answer.result)

    def _reset(self) -> None:
        """The host has reset the module: what was erased is gone now."""
        if self._erased:
            self.around.stored.clear()
            self.around.stored.update(_dialects_own(self._kept))
            self._erased = False
        self.firmware.restarted()

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def _advance(self, task: Task, value: object, now: float) -> None:
        """Give a waiting task what it waits for."""
        held = task.foreground
        outcome = self._go(task, value, now)
        if outcome is not None:
            if task.foreground:
                self._settle(outcome)
            else:
                self._outcome_later(outcome)
        if held and (outcome is not None or not task.foreground):
            self._next_piece(now)

    def _interrupt(self, task: Task, cause: Cause, now: float) -> None:
        """Break a task off: end its data phase, or raise in it."""
        if task is self._running or task not in self._tasks:
            return
        if self._data is task:
            self._end_data(DataEnd(EndReason.LOST, cause), now)
            return
        if task.ticket is not None:
            self.effects.append(Withdraw(task.ticket))
        task.ticket = task.due_s = task.data = None
        task.waits = False
        self._advance(task, Interrupted(cause), now)

    def _go(self, task: Task, value: object, now: float) -> Outcome | None:
        """Run a task until it waits (None) or ends (its outcome)."""
        before, self._running = self._running, task
        try:
            while True:
                try:
                    steps = task.steps
                    step = steps.throw(value) if isinstance(value, Interrupted) else steps.send(value)
                except StopIteration as stop:
                    self._drop(task)
                    outcome: Outcome = stop.value
                    return outcome
                except Interrupted as interrupted:  # a behaviour that does not care to be interrupted
                    self._drop(task)
                    return Fail(interrupted.cause)
                value = self._perform(step, task, now)
                if value is _WAITS:
                    return None
        finally:
            self._running = before

    def _drop(self, task: Task) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
        if self._foreground is task:
            self._foreground = None

    def _perform_all(self, steps: Iterable[Step], now: float) -> None:
        for step in steps:
            self._perform(step, None, now)

    def _perform(self, step: Step, task: Task | None, now: float) -> object:
        """Do what a step says: what the generator gets back, or _WAITS."""
        if type(step) in _WAITING:
            if task is None:
                raise InternalError(f"{step} needs a task")
            return self._wait_for(cast(Waiting, step), task, now)
        match step:
            case Say(lines, at_once):
                self._speak(self._speaker.block(lines), task)
                if task is not None and task.foreground and not task.passing and self._run is not None:
                    self._run.text = True
                if at_once:
                    self._speaker.release()
            case Tell(text):
                self._speak(self._speaker.result(text), task)
                self._speaker.release()
            case Raw(data):
                self._speak(data, task)
            case Store(values, erase):
                self._store(values, erase)
            case Send(socket, data):
                self.effects.append(Payload(socket, data))
            case Order(request):
                self.effects.append(Submit(Ticket(0), request))
            case Port(rate, flow):
                self.effects.append(SetPort(rate, flow))
            case Spawn(steps, name):
                self._spawn(steps, name, now)
            case Claim(name):
                assert task is not None
                task.name = name
            case GiveUp():
                assert task is not None
                if task.ticket is not None:
                    self.effects.append(Withdraw(task.ticket))
                    task.ticket = None
            case Expect(wanted):
                assert task is not None
                task.expects = wanted
            case Cancel(name):
                for other in [other for other in self._tasks if other.name == name]:
                    self._cancel(other)
            case Break(name, cause):
                self._break(name, cause, now)
            case _:
                raise InternalError(f"unknown step {step}")
        return None

    def _wait_for(self, step: Waiting, task: Task, now: float) -> object:
        match step:
            case Ask(request):
                self._tickets += 1
                task.ticket = Ticket(self._tickets)
                if self.tracing:
                    self._note("request", type(request).__name__, request)
                if isinstance(request, CloseSocket):
                    self._early.take(request.socket)
                self.effects.append(Submit(task.ticket, request))
            case More():
                pass
            case Wait(seconds):
                if task.expected:
                    return task.expected.popleft()
                task.waits = True
                task.due_s = now + seconds if seconds is not None else None
            case Text(_, length, seconds):
                self._speaker.release()
                if length == 0:
                    return b""
                task.text = step
                task.due_s = now + seconds if seconds is not None else None
                self._entry.clear()
                self.mode = Mode.TEXT
            case Turn():
                if self._free and not self._speaker.waiting:
                    return None
                task.turns = True
            case Data():
                task.data = step
                if task.foreground:
                    self._open_data(task, now)
                    return _WAITS
            case Background(name):
                if self._run is not None and self._run.pieces:
                    task.name = name  # what stands behind it on the line must wait for its end
                else:
                    self._release(task, name, Silent())
                return None
            case Finish(outcome, name):
                self._release(task, name, outcome)
                return None
            case _:
                raise InternalError(f"unknown step {step}")
        return _WAITS

    def _release(self, task: Task, name: str, outcome: Outcome) -> None:
        """Let the command line go; the task goes on behind it."""
        task.name, task.foreground = name, False
        self._foreground = None
        self._settle(outcome)

    def _spawn(self, steps: Steps, name: str, now: float) -> None:
        outcome = self._task(Task(steps, name), now)
        if outcome is not None:
            self._outcome_later(outcome)

    def _cancel(self, task: Task) -> None:
        if task.ticket is not None:
            self.effects.append(Withdraw(task.ticket))
        self._drop(task)
        if self._data is task:
            self._data = None
            self.mode = Mode.COMMAND
        task.steps.close()

    def _break(self, name: str, cause: Cause, now: float) -> None:
        for task in [task for task in self._tasks if task.name == name]:
            self._interrupt(task, cause, now)

    def _for_waiting(self, event: Event, now: float) -> bool:
        for task in self._tasks:
            if task.expects is not None and task.expects(event):
                if task.waits:
                    task.waits, task.due_s = False, None
                    self._advance(task, event, now)
                else:
                    task.keep(event)
                return True
        return False

    def _store(self, values: dict[str, str | int], erase: bool) -> None:
        if erase:
            self._kept = {name: value for name, value in self._kept.items() if name == PROFILE}
            self._erased = True
        self._kept.update(values)
        self.effects.append(Keep(dict(self._kept)))

    # -- what the host reads -------------------------------------------------------------------------------------------

    @property
    def _free(self) -> bool:
        """Whether an unsolicited line may be said now."""
        return self.mode is Mode.COMMAND and self._run is None and self._data is None and not self._reader.partial

    def _speak(self, data: bytes, task: Task | None) -> None:
        """Text of a task: part of the running answer, or unsolicited."""
        if task is not None and (task.foreground or task is self._data):
            self._speaker.answer(data)
        else:
            self._unsolicited(data)

    def _unsolicited(self, data: bytes) -> None:
        dropped = self._speaker.dropped
        self._speaker.unsolicited(data, free=self._free)
        if self._speaker.dropped > dropped:
            self._finding(Finding(FindingKind.LOST, "an unsolicited line", "too many waited"))

    def _outcome(self, outcome: Outcome, *, text: bool) -> None:
        """The result of a line."""
        self._deaf = False
        self._closing = None
        self._speaker.release()
        self._speaker.now(self._result(outcome, text=text))
        if self._after_answer is not None:
            self._flush()
            self.effects.append(self._after_answer)
            self._after_answer = None

    def _outcome_later(self, outcome: Outcome) -> None:
        """The result of a task that let its command line go."""
        self._unsolicited(self._result(outcome, text=False))

    def _result(self, outcome: Outcome, *, text: bool) -> bytes:
        match outcome:
            case Silent():
                return b""
            case Ok(after_text):
                words, behind = "OK", text or after_text
            case Word(word):
                words, behind = word, text
            case Fail(cause, command, original, why):
                words = self.dialect.error_text(cause, command, detail=self.settings.error_detail)
                behind = text
                self._note("failed", cause.value, said=words, original=original, why=why)
        if self.tracing:
            self._note("result", words)
        return self._speaker.result(words, after_text=behind)

    def _when_free(self, now: float) -> None:
        """The command line is free: say what waits, open a data phase that waits."""
        if not self._free:
            return
        self._speaker.moment()
        for task in [task for task in self._tasks if task.turns]:
            if task in self._tasks and self._free:
                task.turns = False
                self._advance(task, None, now)
        for task in self._tasks:
            if task.data is not None and self._data is None:
                self._open_data(task, now)
                return

    def _flush(self) -> None:
        out = self._speaker.take()
        if out:
            self.effects.append(ToHost(out))

    # -- data phases ---------------------------------------------------------------------------------------------------

    def _open_data(self, task: Task, now: float) -> None:
        assert task.data is not None
        self._speaker.release()
        self._data = task
        self._flush()
        self.mode = Mode.DATA
        self._note("phase", "open", escaped=task.data.phase.escaped)
        if self.settings.carrier == 1:
            self.effects.append(Carrier(True))
        early = self._early.take(task.data.socket)
        if early is None:
            return
        for data in early.data:
            self._speaker.now(task.data.phase.to_host(data))
        if early.end is not None:
            self._end_or_tell(early.end, now)

    def _received(self, event: Received, now: float) -> None:
        task = self._data
        if task is not None and task.data is not None and task.data.socket == event.socket:
            self._speaker.now(task.data.phase.to_host(event.data))
            self.firmware.touch(now)
            self._flush()
            return
        if self._closing is not None and self._closing.socket == event.socket:
            self._speaker.now(self._closing.phase.to_host(event.data))
            return
        self._early.add(event.socket, event.data)

    def _for_data(self, event: Event, now: float) -> bool:
        """Whether an event is the data phase's own."""
        if not isinstance(event, PeerClosed | SocketLost):
            return False
        end = DataEnd(EndReason.PEER)
        if isinstance(event, SocketLost):
            end = DataEnd(EndReason.LOST, event.cause)
        if self._data is not None and self._data.data is not None and self._data.data.socket == event.socket:
            return self._end_or_tell(end, now)
        waits = any(task.data is not None and task.data.socket == event.socket for task in self._tasks)
        if event.socket not in self._early and not waits:
            return False
        self._early.end(event.socket, end)
        return True

    def _end_or_tell(self, end: DataEnd, now: float) -> bool:
        """End the data phase, or only show the host that the peer has closed (False)."""
        assert self._data is not None and self._data.data is not None
        if end.reason is EndReason.PEER:
            text = self._data.data.phase.peer_closed()
            if text is not None:
                self._speaker.now(text)
                return False
        self._end_data(end, now)
        return True

    def _taken(self, taken: Taken, now: float) -> None:
        """Send on what the phase made of the host's bytes, and end it when they say so."""
        task = self._data
        assert task is not None and task.data is not None
        socket = task.data.socket
        for payload in taken.payload:
            self.effects.append(Payload(socket, payload))
        if taken.payload:
            self.firmware.touch(now)
        if taken.dropped:
            self._finding(Finding(FindingKind.LOST, f"{taken.dropped} bytes", "the sending was ended before"))
        if taken.shutdown:
            self.effects.append(Submit(Ticket(0), ShutdownTcp(socket)))
        if taken.expired:
            self._end_data(DataEnd(EndReason.LOST, Cause.SEND_FAILED), now)
        elif taken.ended:
            if self.settings.echo and not taken.escaped:
                self._speaker.now(task.data.echo)
            self._pending[:0] = taken.rest
            self._end_data(DataEnd(EndReason.ESCAPE if taken.escaped else EndReason.HOST), now)

    def _end_data(self, end: DataEnd, now: float) -> None:
        task = self._data
        assert task is not None and task.data is not None
        left = task.data.phase.finish()
        if end.reason in (EndReason.HOST, EndReason.ESCAPE, EndReason.TERMINAL):
            for payload in left:
                self.effects.append(Payload(task.data.socket, payload))
        else:
            self._lose(left)
        self._deaf = end.reason in (EndReason.PEER, EndReason.LOST)
        self._closing = task.data if end.reason is EndReason.HOST else None
        self._close_data(task, end.reason.value)
        self._advance(task, end, now)

    def _result_in_data(self, task: Task) -> None:
        """What the data phase was opened for is done, or has failed: that ends it."""
        assert task.data is not None
        self._lose(task.data.phase.finish())
        self._close_data(task, "result")

    def _lose(self, left: list[bytes]) -> None:
        """Bytes of the host that are of use to nobody."""
        lost = sum(len(part) for part in left) + len(self._pending)
        self._pending.clear()
        if lost:
            self._finding(Finding(FindingKind.LOST, f"{lost} bytes", "the connection ended before they were sent"))

    def _close_data(self, task: Task, reason: str) -> None:
        self._note("phase", "closed", reason=reason)
        self._data = None
        task.data = None
        self.mode = Mode.COMMAND
        if self.settings.carrier == 1:
            self.effects.append(Carrier(False))
        if not task.foreground and self._run is None:
            # The line is the task's own until it has said how the session ended.
            task.foreground, self._foreground = True, task
            self._run = Run(deque())

    def _text(self, data: bytes, now: float) -> None:
        """Text for an entry of the dialect's own: Ctrl-Z ends it, ESC gives it up."""
        task = next(task for task in self._tasks if task.text is not None)
        assert task.text is not None
        ends: tuple[int, ...] = (SUB,) if task.text.binary else (SUB, ESC)
        if task.text.length is not None:
            room = task.text.length - len(self._entry)
            self._entry += data[:room]
            self._echo_text(data[:room])
            if len(data) >= room:
                self._pending[:0] = data[room:]
                self._advance(task, self._typed(task), now)
            return
        for at, byte in enumerate(data):
            if byte in ends:
                self._pending[:0] = data[at + 1 :]
                self._echo_text(data[:at])
                text = bytes(self._entry) if byte == SUB and len(self._entry) <= task.text.limit_bytes else None
                too_long = byte == SUB and text is None
                self._typed(task)
                self._advance(task, Interrupted(Cause.TOO_LONG) if too_long else text, now)
                return
            if len(self._entry) <= task.text.limit_bytes:
                self._entry.append(byte)
        self._echo_text(data)

    def _typed(self, task: Task) -> bytes:
        """Text is not taken any more; what came of it."""
        task.text = task.due_s = None
        self.mode = Mode.COMMAND
        return bytes(self._entry)

    def _text_for_module(self, data: bytes, ticket: Ticket) -> None:
        """Text for a command of the module's: Ctrl-Z and ESC are its own ends; a data call takes everything."""
        if self.mode is Mode.RELAY:
            self.effects.append(TextFor(ticket, data, False))
            return
        at = min((at for at in (data.find(SUB), data.find(ESC)) if at >= 0), default=-1)
        if at < 0:
            self._echo_text(data)
            self.effects.append(TextFor(ticket, data, False))
            return
        self._echo_text(data[:at])
        self.effects.append(TextFor(ticket, data[: at + 1], True))
        self.mode = Mode.COMMAND
        self._pending[:0] = data[at + 1 :]

    def _echo_text(self, data: bytes) -> None:
        if self.settings.echo:
            self._speaker.now(data)

    # -- for people ----------------------------------------------------------------------------------------------------

    def _note_result(self, result: Result | Progress) -> None:
        if self.mode is Mode.PROMPT or self.mode is Mode.RELAY:
            self.mode = Mode.COMMAND
        match result:
            case PassedThrough():
                self._note("result_of_request", "PassedThrough", result)
            case Prompted(lines):
                self.mode = Mode.PROMPT
                self._speaker.answer(self._speaker.block(lines) + self.settings.end + b"> ")
                self._speaker.release()
            case Relayed((*lines, words)):
                self.mode = Mode.RELAY
                self._speaker.answer(self._speaker.block(lines))
                self._speaker.answer(self._speaker.result(words))
                self._speaker.release()
            case Failed():
                self._note("result_of_request", "failed", cause=result.cause.value, original=result.original)
            case Done(Tuned(ignored)):
                for tuning in ignored:
                    self._finding(Finding(FindingKind.EMULATED, tuning, "kept here, without effect on the network"))
            case Done():
                pass
            case _:
                self._note("result_of_request", type(result).__name__, result)

    def _finding(self, finding: Finding) -> None:
        self.effects.append(Note("finding", {"what": finding.kind.value, "old": finding.old, "new": finding.new}))

    def _note(self, kind: str, what: str, value: object = None, **fields: Any) -> None:
        if self.tracing:
            if value is not None:
                fields["value"] = value
            self.effects.append(Note(kind, {"what": what, **fields}))


def _dialects_own(kept: dict[str, str | int]) -> dict[str, str | int]:
    return {name: value for name, value in kept.items() if name != PROFILE}


def _basic_text(piece: Basic) -> str:
    if piece.register is not None:
        written = "?" if piece.reads else f"={piece.number if piece.number is not None else ''}"
        return f"S{piece.register}{written}"
    return piece.name + ("" if piece.number is None else str(piece.number))


_WAITING = frozenset(get_args(Waiting))
_WAITS = object()
"""What :meth:`HostSide._perform` gives when the generator must wait."""

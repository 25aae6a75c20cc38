"""The tasks of the host's side: a dialect's behaviour runs as generators, and their steps are carried out here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import cast, get_args

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
    Found,
    GiveUp,
    Interrupted,
    More,
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
    Tell,
    Text,
    Turn,
    Wait,
    Waiting,
)
from gateway.errors import InternalError
from gateway.model.causes import Cause
from gateway.model.events import Event
from gateway.model.requests import CloseSocket, Request
from gateway.model.values import Ticket
from gateway.session.effects import Payload, SetPort, Submit, Withdraw
from gateway.session.host_worker import HostWorker
from gateway.session.tasks import Mode, Task

_WAITING = frozenset(get_args(Waiting))
_WAITS = object()
"""What :meth:`TasksSide._perform` gives when the generator must wait."""


class TasksSide(HostWorker, ABC):
    """See the module's text."""

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
        steps = task.steps
        if steps is None:
            passed = self._passed(task, value)
            if passed is not None:
                self._drop(task)
            return passed
        before, self._running = self._running, task
        try:
            while True:
                try:
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
                if task is not None and task.foreground and self._run is not None:
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
            case Found(finding):
                self._finding(finding)
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
                if isinstance(request, CloseSocket):
                    self._early.take(request.socket)
                self._ask(task, request)
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
            case Background(name, answers):
                task.answers = answers
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

    def _ask(self, task: Task, request: Request) -> None:
        """Have something done for a task."""
        self._tickets += 1
        task.ticket = Ticket(self._tickets)
        if self.tracing:
            self._note("request", type(request).__name__, request)
        self.effects.append(Submit(task.ticket, request))

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
        if task.steps is not None:
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

    # -- what other layers do ------------------------------------------------------------------------------------------

    @abstractmethod
    def _passed(self, task: Task, result: object) -> Outcome | None:
        """What a command comes to that the module carries out; None as long as its result is missing."""

    @abstractmethod
    def _settle(self, outcome: Outcome) -> None:
        """A piece of the command line has ended."""

    @abstractmethod
    def _next_piece(self, now: float) -> None:
        """Go on with the command line."""

    @abstractmethod
    def _open_data(self, task: Task, now: float) -> None:
        """The data phase that a task wants begins."""

    @abstractmethod
    def _end_data(self, end: DataEnd, now: float) -> None:
        """The data phase ends."""

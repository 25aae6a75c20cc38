"""What the module's side works at: jobs by their steps, the commands of drivers and of the host, their limits."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Command,
    Deliver,
    DriverStep,
    Emit,
    End,
    EndSending,
    Enter,
    Final,
    Forget,
    Keep,
    Leave,
    Moved,
    Put,
    Quiet,
    Remark,
    Report,
    Rest,
    Resume,
    Route,
    Stay,
    Wanted,
)
from gateway.errors import InternalError
from gateway.model.causes import Cause
from gateway.model.events import Received
from gateway.model.findings import FindingKind
from gateway.model.results import Failed, PassedThrough, Result
from gateway.model.values import Ticket
from gateway.session.effects import News
from gateway.session.module_data import DataSide
from gateway.session.module_worker import Drained, Ending, Job, Leaving, Mail, Sleep, State, Steps
from gateway.session.sorting import Flight

RETRY_S = 1.0
"""How often a module that does not answer is tried again."""
IDLE_S = 30.0
"""How often a module is asked, when nothing else happens, whether its bearer is still there."""


class JobsSide(DataSide):
    """See the module's text."""

    def _work(self) -> None:
        """Begin jobs until one must wait."""
        while self._worker is None:
            if self._asides.ready:
                aside, heard = self._asides.ready.popleft()
                self._job, self._worker = aside.job, aside.worker
                self._resume(heard)
                continue
            if self._texts:
                self._say_texts()
            if self.state is not State.READY:
                if self._retry_s is None and self._connected and not self._finishing:
                    self._retry_s = self._now + RETRY_S
                return
            if self._jobs and self._phase is not None and self._must_wait(self._jobs[0]):
                return
            job = self._next_job()
            if job is not None:
                self._idle_s = None
                self._job = job
                self._worker = self._pass_through(job) if job.steps is None else self._carry_out(job, job.steps)
            elif self._doubtful and not self._finishing:
                self._worker = self._recover()
            else:
                if self._idle_s is None and not self._finishing and not self._asides:
                    self._idle_s = self._now + IDLE_S
                return
            self._resume(None)

    def _time(self) -> None:
        """What is waited for may be over."""
        waiting, now = self._waiting, self._now
        self._asides.expire(now)
        if self._held_s is not None and now >= self._held_s:
            self._held_s = None
            self._soon(Job(self._ask_held(), Ticket(0), "held"))  # a close that waits for the payload is no reason
        if isinstance(waiting, Flight):
            if now >= waiting.due_s and self._unread_s is None:
                self._flight_over(waiting)
        elif isinstance(waiting, Mail) and now >= waiting.due_s:
            self._resume(None)
        elif isinstance(waiting, Sleep):
            if self._sleep_s is not None and now >= self._sleep_s:
                self._resume(None)
        elif isinstance(waiting, Ending) and now >= waiting.due_s:
            self._resume(None)
        elif isinstance(waiting, Drained) and now >= waiting.due_s:
            self._resume(False)
        elif isinstance(waiting, Leaving) and now >= waiting.due_s:
            self._resume(self._has_left(waiting))

    def _carry_out(self, job: Job, steps: Generator[DriverStep, Any, Any]) -> Steps:
        """Run a job's own steps; reply with its result."""
        value: object = None
        while True:
            try:
                step = steps.send(value)
            except StopIteration as stop:
                if job.closes is not None:
                    self._forget_backlog(job.closes)
                result = stop.value
                if self._restarted and isinstance(result, Failed):
                    yield from self._recover()  # then it is known what that means, and the host hears one error for it
                if result is not None:
                    self._reply(job, result)
                return
            value = yield from self._step(step, job)

    def _step(self, step: DriverStep, job: Job) -> Steps:
        match step:
            case Command():
                return (yield from self._command(step))
            case Enter():
                return (yield from self._enter(step))
            case Await(_, limit):
                limit_s = self._sorter.limit_s(f"AT{limit}") if isinstance(limit, str) else limit
                return (yield from self._await(step, limit_s, job))
            case Rest(seconds, quiet):
                if not job.withdrawn:
                    yield Sleep(self._now + seconds, seconds if quiet else None)
            case Leave(there):
                socket = self._phase_socket
                held = yield from self._leave(there)
                self._after_leaving(socket, held, b"", False)
                return held
            case Put(data):
                return self._put(data)
            case Quiet():
                if job.withdrawn or self._doubtful or not self.in_data_mode:
                    return None
                return self._now - max(self._last_write_s, self._last_read_s)
            case EndSending(over):
                self._send_backlog()
                if self._phase is not None and not self._phase_over:
                    self._write(self._phase.end_sending(self._now))
                    if over:
                        self._phase_over = self._suspended = True
                        self._line_open = False
            case Route():
                return self._route(step)
            case Keep(socket, data):
                self._kept.add(socket, data)
            case Forget(socket):
                self._kept.take(socket)
            case End(limit_s):
                return (yield from self._end(limit_s))
            case Resume() if self._phase is not None and not self._phase_over:
                self._suspended = False
                self._received(self._phase.absolve())
                self._send_backlog()
            case Resume():
                pass
            case Report(progress):
                if not job.withdrawn:
                    self.effects.append(News(job.ticket, progress))
                return not job.withdrawn
            case Emit(event):
                self._happened(event)
            case Remark("finding", fields):
                self._note_always("finding", **fields)
            case Remark(kind, fields):
                self._note(kind, **fields)
            case Moved():
                moved, self._moved = self._moved or self._unread_s is not None, False
                return None if self.state is State.DOWN or self._doubtful or job.given_up else moved
            case Wanted():
                return not job.withdrawn
            case Stay():
                job.stays = True
            case Afterwards(chores):
                self._soon(Job(chores, Ticket(0), "afterwards"))
            case Deliver(socket, data):
                self._happened(Received(socket, data))
            case _:
                raise InternalError(f"unknown step {step}")
        return None

    # -- commands --------------------------------------------------------------------------------------------------------

    def _command(self, command: Command) -> Steps:
        """Send a command of the driver's to a module that is known to be in command mode."""
        if self._doubtful:
            yield from self._recover()
        if self._phase is not None:
            if self._phase.ends_socket:
                return Answer(Final.ERROR)
            yield from self._make_room()
        if self.state is State.DOWN:
            return Answer(Final.DOWN)
        if command.text in self._unanswered:
            return Answer(Final.TIMED_OUT)
        flight = Flight(command.text, self._due(command.text, command.limit_s))
        flight.answers, flight.ends, flight.lenient = command.answers, command.ends, command.lenient
        return (yield self._sent(flight))

    def _await(self, step: Await, limit_s: float, job: Job) -> Steps:
        for heard in self._mail:
            if step.wanted(heard):
                self._mail.remove(heard)
                return heard
        if self.state is State.DOWN or self._doubtful or job.given_up:
            return None
        return (yield Mail(step.wanted, self._now + limit_s, step.aside, step.overhears))

    def _pass_through(self, job: Job) -> Steps:
        """A command of the host's that is not the gateway's business."""
        text = job.passing
        traits = self._sorter.traits(text)
        if traits.guarded:
            self._refuse(job, PassedThrough((), "ERROR"), "would break the module's known state")
            return
        if self._doubtful:
            yield from self._recover()
        if self._phase is not None:
            if self._phase.ends_socket:
                busy = "the module's data mode ends only with its socket"
                self._refuse(job, Failed(Cause.BUSY, busy), busy)
                return
            if not (yield from self._make_room(beside=True)):
                stuck = "the module takes nothing: the peer of its connection does not read"
                self._refuse(job, Failed(Cause.BUSY, stuck), stuck)
                return
        if self.state is State.DOWN:
            self._reply(job, Failed(Cause.NO_MODULE, "the module does not answer"))
            return
        flight = Flight(text, self._now + traits.limit_s)
        flight.passing, flight.prompts, flight.resultless = True, traits.prompts, traits.resultless
        flight.texts = traits.texts
        result = yield self._sent(flight)
        if traits.resets and getattr(result, "final", "") == "OK":
            self._doubtful = True
        self._reply(job, result)

    def _refuse(self, job: Job, result: Result, reason: str) -> None:
        self._note("finding", what=FindingKind.REFUSED.value, old=job.passing, new=reason)
        self._reply(job, result)

"""The module's side of a session: one command at a time, its limit, its answer, its data mode, its restarts.

It runs a driver (:mod:`gateway.dialect.driver`), knows no dialect, and puts out effects. What it does itself (send a
command, leave a data mode, bring a silent module back) is written as generators too, around the driver's: they yield
only the few things that can be waited for. Longer than 400 lines because commands, data mode and recovery share one
stream of bytes and one worker: which of them a byte is for is decided here alone.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Chores,
    Command,
    Deliver,
    Driver,
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
    Opening,
    Outlet,
    Put,
    Quiet,
    Remark,
    Report,
    Rest,
    Resume,
    Route,
    Stay,
)
from gateway.errors import InternalError
from gateway.model.causes import Cause
from gateway.model.events import BearerLost, Event, ModuleText, PeerClosed, Received, SocketLost
from gateway.model.findings import FindingKind
from gateway.model.requests import CloseSocket, PassThrough, Request, ShutdownTcp
from gateway.model.results import Done, Failed, PassedThrough, Prompted, Relayed, Result
from gateway.model.tuning import Tune, Tuned, ignored
from gateway.model.values import HostSocket, Ticket
from gateway.session.asides import Aside, Asides
from gateway.session.effects import Drain, Effect, Happened, News, Note, RelayedBytes, ToModule
from gateway.session.kept import KeptData
from gateway.session.outgoing import Outgoing
from gateway.session.sorting import Flight, LineSorter, Sort, code_of
from gateway.translate.plan import Way, plan
from gateway.wire.answer import AnswerReader, TextLine
from gateway.wire.dle import ETX
from gateway.wire.module_phase import FALL_BACK, Fed, ModulePhase
from gateway.wire.plus import PLUS

PROBE_S = 1.0
"""How long a module may take to answer AT."""
GUARD_MARGIN = 1.1
"""A guard time is kept this much longer than the module asks."""
LEAVE_S = 1.5
"""How long behind the guard time a module may take to say OK to +++."""
LEAVE_EARLY_S = 0.15
"""An OK that comes more than this before the guard time behind +++ is over is payload, if another follows in time."""
LEAVE_FREE_S = 0.3
"""So long behind the guard time that other OK may come; if not, the module did not keep its own guard time: some do not
once they have said that the peer has ended (field observation)."""
SETTLE_S = 0.06
"""How long the line must be quiet behind that OK: a peer's payload could read the same."""
END_RESULT_S = 1.0
"""How long behind the word that it is closed its OK may come."""
CLEAR_S = 0.2
"""How long an answer to what stood in the module's command line may take."""
FORGOTTEN_S = 2.0
"""So long a command may take that was under way when the module printed a line of its boot text at the start."""
LATE_S = 0.3
"""A module that answers again must be quiet for so long: a late answer is not the next command's."""
RETRY_S = 1.0
"""How often a module that does not answer is tried again."""
IDLE_S = 30.0
"""How often a module is asked, when nothing else happens, whether its bearer is still there."""
NO_RESULT_S = 0.2
"""How long to wait for the result of a command that is known to have none."""
TEXT_END_S = 0.1
"""Nothing follows a result for so long; a text that is listed goes on."""
UNHEADED_S = 2.0
"""For so long where it looks like a line of the text: some modules are careless with line ends."""
PROMPT_S = 60.0
"""How long a host may pause while it types the text that a module has asked for."""
GIVE_UP = b"\x1b"
"""Ends an entry of text without its effect (3GPP TS 27.005, 3.5.1)."""
GIVEN_UP_S = 5.0
"""How long a module may take to say OK to that: nothing is sent."""
BACKLOG_LIMIT_BYTES = 65536
HELD_RETRY_S = 1.0
"""How often a module that takes no payload for a socket is asked whether it does again."""
FLUSH_S = 20.0
"""How long a socket that is to be closed may take to have its payload sent before."""
HELD_LIMIT_BYTES = 65536
JOINED_BYTES = 32768
"""Pieces of a stream that come at once are told as one up to here."""
ANSWER_LIMIT_LINES = 5000

_LEFT = re.compile(rb"\r\nOK\r\n")
_EARLY = re.compile(rb"\r\nOK\r\n(?:\r\n\+[^\r\n]{1,200}\r\n)*(?:\r(?:\n(?:\+[^\r\n]{0,200}\r?)?)?)?\Z")
"""An OK with nothing behind it but lines of the module's own, of which the last may be incomplete."""
_NOISE = re.compile(r"[^ -~]")
_OWN_LINE = re.compile(rb"(?:\r\n(\+[A-Z]+: ?[^\r\n]*)\r\n)\Z")


class State(Enum):
    """Whether the module can be used."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class _Mail:
    """Wait for a message of the module."""

    wanted: Callable[[Heard], bool]
    due_s: float
    aside: bool = False
    """Other work goes on meanwhile."""
    overhears: bool = False


@dataclass(frozen=True, slots=True)
class _Sleep:
    """Wait for a time; ``quiet_s``: begun anew with every byte."""

    due_s: float
    quiet_s: float | None = None


@dataclass(slots=True)
class _Leaving:
    """Wait for the OK to ``+++``, in what still is payload until it comes."""

    earliest_s: float
    free_s: float
    due_s: float
    suspected: bool
    """The module seems to have said that the peer has ended: nothing that comes is payload, if it was the module."""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Wait for the end of a data mode that was told to end."""

    due_s: float


@dataclass(frozen=True, slots=True)
class _Drained:
    """Wait until everything written has gone out."""


_Waitable = Flight | _Mail | _Sleep | _Leaving | _Ending | _Drained
_Steps = Generator[_Waitable, Any, Any]


@dataclass(eq=False, slots=True)
class _Job:
    """Work for a request, or for the gateway itself (ticket 0)."""

    steps: Generator[DriverStep, Any, Any] | None
    ticket: Ticket
    name: str
    passing: str = ""
    withdrawn: bool = False
    stays: bool = False
    """It goes to its end also then."""
    closes: HostSocket | None = None
    ends: HostSocket | None = None
    """Payload that was given for this socket before is sent first."""
    flush_s: float | None = None
    """Until when it waits for that."""
    urgent: bool = False
    """It goes before payload."""

    @property
    def given_up(self) -> bool:
        """Whether it is to be ended as soon as that is possible."""
        return self.withdrawn and not self.stays


class ModuleSide:
    """See the module's text. Feed it with what happens; then take ``effects``."""

    def __init__(
        self,
        dialect: Dialect,
        driver: type[Driver],
        *,
        limits_s: dict[str, float] | None = None,
        tracing: bool = False,
    ) -> None:
        dialect.warm()
        self.dialect = dialect
        self.driver = driver(dialect)
        self.effects: list[Effect] = []
        self.tracing = tracing
        self.state = State.DOWN
        table = dialect.tables.module.limits_s
        limits_s = {name: float(limit) for name, limit in table.items()} | (limits_s or {})
        self._guard_s = dialect.tables.numbers.get("guard_ms", 1000) / 1000
        self._sorter = LineSorter(dialect, limits_s, self.driver.late)
        self._reader = AnswerReader()
        self._now = 0.0
        self._last_write_s = self._last_read_s = -1000.0
        self._line_open = False
        """What was written last does not end a command line."""
        # -- work
        self._jobs: deque[_Job] = deque()
        self._job: _Job | None = None
        self._worker: _Steps | None = None
        self._waiting: _Waitable | None = None
        self._sleep_s: float | None = None
        self._mail: deque[Heard] = deque(maxlen=64)
        self._texts: deque[tuple[str, ...]] = deque()
        self._asides: Asides[_Job] = Asides()
        # -- payload by commands
        self._payload_lines = self.driver.payload_lines
        self._outgoing = Outgoing()
        self._payload_turn = True
        """Payload goes before the next job; they take turns."""
        self._held_s: float | None = None
        """When a module that took nothing is asked again."""
        # -- data mode
        self._phase: ModulePhase | None = None
        self._phase_socket: HostSocket | None = None
        self._phase_over = False
        """Its end was seen: what comes now are lines, though the module may still be in data mode."""
        self._suspended = False
        """Its end is suspected or known: payload for it waits."""
        self._backlog: dict[HostSocket, list[bytes]] = {}
        self._moved = False
        """Payload has gone either way."""
        self._relay: Ticket | None = None
        self._delivers = True
        """What arrives is told; else it is kept."""
        self._kept = KeptData()
        # -- recovery
        self._doubtful = False
        """The module did not answer in time, or seems to have restarted: it must be brought back first."""
        self._restarted = False
        """It said so; what that means is not told yet."""
        self._start_again = False
        """It restarted while it was started."""
        self._unread_s: float | None = None
        """Since when its port has not been read."""
        self._connected = True
        self._retry_s: float | None = 0.0
        self._attempts = 0
        self._idle_s: float | None = None
        self._finishing = False

    # -- what happens --------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, request: Request, now: float) -> None:
        """Do something for the host's side."""
        self._now = now
        name = type(request).__name__
        way = plan(request, self.driver)
        if self.tracing:
            self._note("plan", what=name, way=way.value)
        if isinstance(request, PassThrough):
            job = _Job(None, ticket, name, request.text)
        elif way is Way.REFUSED or way is Way.POLYFILLED:
            self._reply(_Job(None, ticket, name), Failed(Cause.NOT_SUPPORTED))
            return
        elif way is Way.EMULATED and isinstance(request, Tune):
            self._reply(_Job(None, ticket, name), Done(Tuned(ignored(request.values, frozenset()))))
            return
        else:
            job = _Job(None, ticket, name)
            job.steps = self.driver.perform(request)
            job.closes = request.socket if isinstance(request, CloseSocket) else None
            job.ends = request.socket if isinstance(request, CloseSocket | ShutdownTcp) else None
        if self._finishing:
            self._reply(job, Failed(Cause.ABORTED))
            return
        if self.state is State.DOWN and (self._worker is None or self._attempts > 0):
            self._reply(job, Failed(Cause.NO_MODULE, "the module does not answer"))
            return
        self._jobs.append(job)
        self._work()

    def withdraw(self, ticket: Ticket, now: float) -> None:
        """The host's side waits no longer: what was begun is ended in good order, its result is dropped."""
        self._now = now
        waiting = next((job for job in self._jobs if job.ticket == ticket), None)
        if waiting is not None:
            self._jobs.remove(waiting)
        elif self._job is not None and self._job.ticket == ticket:
            if _withdraw(self._job) and isinstance(self._waiting, _Mail | _Sleep):
                self._resume(None)
        else:
            self._asides.wake(lambda job: job.ticket == ticket and _withdraw(job))
        self._work()

    def payload(self, socket: HostSocket, data: bytes, now: float) -> None:
        """Payload of the host for a socket."""
        self._now = now
        by_command = self.driver.sends_by_command
        if by_command and (self.driver.mapped != socket or socket in self._outgoing):
            self._outgoing.add(socket, data)
            self._work()
        elif socket not in self._backlog and self._sends_to(socket):
            self._send_now(data)
        else:
            self._backlog.setdefault(socket, []).append(data)

    def text(self, data: bytes, now: float) -> None:
        """What the host typed for a command that prompted, or in a data call."""
        self._now = now
        if isinstance(self._waiting, Flight):
            self._waiting.due_s = now + max(self._sorter.limit_s(self._waiting.text), PROMPT_S)
        self._write(data)

    def text_complete(self, now: float, *, given_up: bool) -> None:
        """The host has ended its text: the result must come within the command's limit, or sooner if it gave up."""
        if isinstance(self._waiting, Flight):
            self._waiting.due_s = now + (GIVEN_UP_S if given_up else self._sorter.limit_s(self._waiting.text))

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the module."""
        self._now = now
        self._take(data)
        self._work()

    def drained(self, now: float, *, just_now: bool) -> None:
        """Everything written has gone out: ``just_now``, or it had before it was asked."""
        self._now = now
        if self._phase is not None:
            self._phase.drained(now)
        if isinstance(self._waiting, _Drained):
            if just_now:
                self._last_write_s = now
            self._resume(None)
        self._work()

    def unread(self, unread: bool, now: float) -> bool:
        """Whether its port is not read just now: a command's limit stands still meanwhile. True when that is new."""
        if unread == (self._unread_s is not None):
            return False
        if self._unread_s is not None and isinstance(self._waiting, Flight):
            self._waiting.due_s += now - max(self._unread_s, self._last_write_s)
        self._unread_s = now if unread else None
        return True

    def tick(self, now: float) -> None:
        """Time has come; see ``deadline``."""
        self._now = now
        due = self._phase_deadline
        if self._phase is not None and due is not None and now >= due:
            data, fed = self._phase.tick(now)
            self._write(data)
            self._fed(fed)
            self._send_backlog()
        self._time()
        if self._worker is None and self._retry_s is not None and now >= self._retry_s and self._connected:
            self._retry_s = None
            self._worker = self._bring_back()
            self._resume(None)
        if self._idle_s is not None and now >= self._idle_s and self._worker is None:
            self._idle_s = None
            chores = self.driver.idle()
            if chores is not None and self._phase is None:
                self._jobs.append(_Job(chores, Ticket(0), "idle"))
        self._work()

    def link_lost(self, now: float) -> None:
        """The module's link is gone (unplugged)."""
        self._now = now
        self._connected = False
        before, self.effects = self.effects, []
        self._abandon()
        ended, self.effects = self.effects, []
        self._down()
        # What it means comes before what it ends: a host's side that ends its services for that tells one error.
        self.effects = [*before, *self.effects, *ended]

    def link_back(self, now: float) -> None:
        """The module's link is there again."""
        self._connected = True
        self._retry_s = now
        self._attempts = 0
        self.tick(now)

    def finish(self, now: float) -> None:
        """End in good order: no socket mapped or open, the module in command mode; see ``finished``."""
        self._now = now
        self._finishing = True
        self._retry_s = self._idle_s = None
        for job in self._jobs:
            self._reply(job, Failed(Cause.ABORTED))
        self._jobs.clear()
        if self.state is State.READY:
            self._jobs.append(_Job(self.driver.finish(), Ticket(0), "finish"))
        if isinstance(self._waiting, Flight) and self._waiting.prompted:
            self._write(GIVE_UP)
        if self._job is not None:  # also one of the gateway's own, which has no ticket
            _end(self._job)
            if isinstance(self._waiting, _Mail | _Sleep):
                self._resume(None)
        self._asides.wake(_end)
        self._work()

    @property
    def busy(self) -> bool:
        """Whether anything is being done with the module."""
        return self._worker is not None or bool(self._jobs)

    @property
    def in_data_mode(self) -> bool:
        """Whether the module's bytes are payload just now."""
        return self._phase is not None and not self._phase_over

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` is done."""
        return self._finishing and not self._jobs and self._worker is None and not self._asides

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called next."""
        waiting, times = self._waiting, []
        if isinstance(waiting, Flight):
            times.append(waiting.due_s if self._unread_s is None else None)
            if self._phase is None and not self._asides.waiting:
                return times[0]
        elif isinstance(waiting, _Sleep):
            times.append(self._sleep_s)
        elif waiting is not None and not isinstance(waiting, _Drained):
            times.append(waiting.due_s)
        if self._worker is None:
            times += (self._idle_s, self._held_s, self._retry_s if self._connected else None)
            if self._jobs:
                times.append(self._jobs[0].flush_s)
        if self._asides.waiting:
            times.append(self._asides.deadline)
        if self._phase is not None:
            times.append(self._phase_deadline)
        due = None
        for time in times:
            if time is not None and (due is None or time < due):
                due = time
        return due

    @property
    def _phase_deadline(self) -> float | None:
        """When the data mode has something to decide; while it is left its payload is looked at in another way."""
        if self._phase is None or self._phase_over or isinstance(self._waiting, _Leaving):
            return None
        return self._phase.deadline

    @property
    def holds_host(self) -> bool:
        """Whether the host should send no more just now."""
        waits = sum(len(part) for parts in self._backlog.values() for part in parts) if self._backlog else 0
        return waits + self._outgoing.size > BACKLOG_LIMIT_BYTES

    @property
    def holds_module(self) -> bool:
        """Whether the module should not be read just now; an answer must be read."""
        if self._worker is not None:
            return False
        return self.driver.full or (self.in_data_mode and not self._delivers and self._kept.full)

    # -- work ----------------------------------------------------------------------------------------------------------

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

    def _resume(self, value: object) -> None:
        """Give the worker what it waits for, and run it until it waits again or ends."""
        worker = self._worker
        if worker is None:
            return
        self._waiting = self._sleep_s = None
        try:
            waiting = worker.send(value)
        except StopIteration:
            self._worker = self._job = None
            return
        if isinstance(waiting, _Mail) and waiting.aside and self._job is not None:
            aside = Aside(self._job, worker, waiting.wanted, waiting.due_s, waiting.overhears)
            self._asides.waiting.append(aside)
            self._worker = self._job = None
            return
        self._waiting = waiting
        if isinstance(waiting, _Sleep):
            self._sleep_s = waiting.due_s

    def _time(self) -> None:
        """What is waited for may be over."""
        waiting, now = self._waiting, self._now
        self._asides.expire(now)
        if self._held_s is not None and now >= self._held_s:
            self._held_s = None
            self._jobs.append(_Job(self._ask_held(), Ticket(0), "held"))
        if isinstance(waiting, Flight):
            if now >= waiting.due_s and self._unread_s is None:
                self._flight_over(waiting)
        elif isinstance(waiting, _Mail) and now >= waiting.due_s:
            self._resume(None)
        elif isinstance(waiting, _Sleep):
            if self._sleep_s is not None and now >= self._sleep_s:
                self._resume(None)
        elif isinstance(waiting, _Ending) and now >= waiting.due_s:
            self._resume(None)
        elif isinstance(waiting, _Leaving) and now >= waiting.due_s:
            self._resume(_LEFT.search(waiting.tail) is not None)

    def _carry_out(self, job: _Job, steps: Generator[DriverStep, Any, Any]) -> _Steps:
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

    def _step(self, step: DriverStep, job: _Job) -> _Steps:
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
                    yield _Sleep(self._now + seconds, seconds if quiet else None)
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
                if self._phase is not None:
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
            case Stay():
                job.stays = True
            case Afterwards(chores):
                self._soon(_Job(chores, Ticket(0), "afterwards"))
            case Deliver(socket, data):
                self._happened(Received(socket, data))
            case _:
                raise InternalError(f"unknown step {step}")
        return None

    def _reply(self, job: _Job, result: Result) -> None:
        if isinstance(result, Failed):
            self._note("failed", what=job.name, cause=result.cause.value, original=result.original)
        if job.ticket and not job.withdrawn:
            self.effects.append(News(job.ticket, result))

    # -- commands ------------------------------------------------------------------------------------------------------

    def _command(self, command: Command) -> _Steps:
        """Send a command of the driver's to a module that is known to be in command mode."""
        if self._doubtful:
            yield from self._recover()
        if self._phase is not None:
            if self._phase.ends_socket:
                return Answer(Final.ERROR)
            yield from self._make_room()
        if self.state is State.DOWN:
            return Answer(Final.DOWN)
        flight = Flight(command.text, self._due(command.text, command.limit_s))
        flight.answers, flight.ends, flight.lenient = command.answers, command.ends, command.lenient
        return (yield self._sent(flight))

    def _sent(self, flight: Flight) -> Flight:
        """Send a command; what is waited for now."""
        self._mail.clear()
        self._sorter.last_sent = flight.text
        if self.tracing:
            self._note("command", text=flight.text)
        self._write(flight.text.encode("latin-1", "replace") + b"\r")
        return flight

    def _due(self, text: str, limit_s: float | None = None) -> float:
        return self._now + (limit_s if limit_s is not None else self._sorter.traits(text).limit_s)

    def _await(self, step: Await, limit_s: float, job: _Job) -> _Steps:
        for heard in self._mail:
            if step.wanted(heard):
                self._mail.remove(heard)
                return heard
        if self.state is State.DOWN or self._doubtful or job.given_up:
            return None
        return (yield _Mail(step.wanted, self._now + limit_s, step.aside, step.overhears))

    def _pass_through(self, job: _Job) -> _Steps:
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
            yield from self._make_room(beside=True)
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

    def _refuse(self, job: _Job, result: Result, reason: str) -> None:
        self._note("finding", what=FindingKind.REFUSED.value, old=job.passing, new=reason)
        self._reply(job, result)

    def _flight_over(self, flight: Flight) -> None:
        """The limit of a command is over."""
        if flight.resultless and flight.lines:
            self._resume(PassedThrough(tuple(flight.lines), ""))
            return
        if flight.perhaps:
            self._result(flight.perhaps, flight)
            return
        self._note("limit", text=flight.text)
        if flight.lenient:
            self._resume(Answer(Final.OK, "", tuple(flight.heard), tuple(flight.lines)))
            return
        if not flight.probe:
            self._doubtful = True
        if flight.prompted:
            self._write(GIVE_UP)
        if flight.passing:
            self._relay = None
            self._resume(Failed(Cause.TIMED_OUT, "no result within the limit"))
        else:
            self._resume(Answer(Final.TIMED_OUT, "", tuple(flight.heard), tuple(flight.lines)))

    # -- the module's bytes --------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        waiting = self._waiting
        if self._phase is None and self._relay is None and isinstance(waiting, Flight):
            self._reader.add(data)
            self._read_lines()
            return
        self._last_read_s = self._now
        if self._phase is not None and self._reader.after_cr:
            self._reader.after_cr = False
            data = data.removeprefix(b"\n")  # the rest of CONNECT's own line end
        if isinstance(waiting, _Sleep) and waiting.quiet_s is not None:
            self._sleep_s = self._now + waiting.quiet_s
        if self._relay is not None:
            self._relayed(data)
        elif isinstance(waiting, _Leaving):
            self._while_leaving(data, waiting)
        elif self._phase is not None and not self._phase_over:
            self._fed(self._phase.feed(data, self._now))
            if self._backlog:
                self._send_backlog()
        else:
            self._reader.add(data)
            self._read_lines()

    def _read_lines(self) -> None:
        while self._relay is None and (self._phase is None or self._phase_over):
            waiting = self._waiting
            flight = waiting if isinstance(waiting, Flight) else None
            item = self._reader.take_one(flight is not None and flight.prompts)
            if item is None:
                return
            if isinstance(item, TextLine):
                self._line(item, flight)
            else:
                self._prompt()
        rest = self._reader.take_rest()
        if rest:
            self._take(rest)

    def _line(self, line: TextLine, flight: Flight | None) -> None:
        if self._payload_lines and line.text.startswith(self._payload_lines) and not self._sorter.collecting:
            self._payload_line(line.text)
            return
        if flight is not None and flight.texts:
            if self._listed(line, flight):
                return
            flight = flight if self._waiting is flight else None
        sort, heard = self._sorter.sort(line, flight)
        match sort:
            case Sort.ANSWER:
                assert flight is not None
                self._answer_line(line, heard, flight)
            case Sort.RESULT:
                assert flight is not None
                if heard is not None:
                    flight.heard.append(heard)
                    self._open_by_itself(heard)
                self._result("OK" if heard is not None else line.text.strip(), flight)
            case Sort.HEARD:
                assert heard is not None
                self._heard(heard, line.text)
            case Sort.ECHO:
                # It is off in the known state: the module has restarted without a word.
                self._doubtful |= self.state is State.READY and flight is not None and not flight.probe
            case Sort.STRAY:
                self._note("stray", text=line.text)
                self._tell(Heard("result", {"text": line.text.strip()}))
            case Sort.UNSOLICITED if self._phase_over and self._is_hint(line.text):
                pass  # the end that the ETX has told already, once more in words (erratum X14)
            case Sort.UNSOLICITED:
                whole = self._sorter.collect(line)
                if whole is not None:
                    self._unasked(whole)
            case Sort.BOOT:
                self._texts.append((line.text,))
                self._booted(line.text, flight)

    def _listed(self, line: TextLine, flight: Flight) -> bool:
        """Whether a line is of a message that is listed, whatever it says; what looks like the result decides later.

        A result has a line end of its own before it, and nothing behind it.
        """
        headed, perhaps = self._reader.headed, flight.perhaps
        sort, _ = self._sorter.sort(line, flight)
        if perhaps and headed and sort in (Sort.UNSOLICITED, Sort.HEARD, Sort.BOOT):
            self._result(perhaps, flight)
            return False
        if perhaps:
            flight.lines.append(perhaps)
            flight.perhaps, flight.due_s = "", self._due(flight.text)
        if not flight.lines or (headed and sort is not Sort.RESULT):
            return False
        if sort is Sort.RESULT:
            flight.perhaps, flight.due_s = line.text, self._now + (TEXT_END_S if headed else UNHEADED_S)
        elif len(flight.lines) < ANSWER_LIMIT_LINES:
            flight.lines.append(line.text)
        return True

    def _unasked(self, lines: tuple[str, ...]) -> None:
        """Text for the host; bytes that no module begins a line with unasked are noise on the line."""
        if _NOISE.search(lines[0]):
            self._note_always("finding", what=FindingKind.ODD.value, old=lines[0][:80], new="noise on the module's line")
        else:
            self._texts.append(lines)

    def _is_hint(self, text: str) -> bool:
        return f"{{end}}{text}{{end}}" in self.dialect.tables.module.hints

    def _answer_line(self, line: TextLine, heard: Heard | None, flight: Flight) -> None:
        if heard is not None and heard.key in flight.answers:
            flight.heard.append(heard)
        elif not flight.passing and not flight.probe and not line.text.startswith(flight.text[2:].rstrip("?=")):
            # Not what the gateway asked for: it is the host's.
            self._unasked((line.text,))
            return
        if len(flight.lines) < ANSWER_LIMIT_LINES:
            if line.blank_before and flight.lines:
                flight.lines.append("")
            flight.lines.append(line.text)
        if flight.resultless:
            flight.due_s = min(flight.due_s, self._now + NO_RESULT_S)

    def _result(self, text: str, flight: Flight) -> None:
        """Take the final result of the command in flight."""
        if text != "OK" and text.startswith("CONNECT"):
            if flight.passing:
                assert self._job is not None
                self._relay = self._job.ticket
                self.effects.append(News(self._job.ticket, Relayed((*flight.lines, text))))
                flight.due_s = float("inf")
                return
            final = Final.CONNECT
        else:
            final = Final.OK if text in ("OK", "0") else Final.ERROR
        if flight.passing:
            self._resume(PassedThrough(tuple(flight.lines), text))
            return
        code = code_of(text)
        self._note("answer", what=final.value, code=code, lines=list(flight.lines))
        self._resume(Answer(final, code, tuple(flight.heard), tuple(flight.lines)))

    def _heard(self, heard: Heard, text: str) -> None:
        """A message of the module that no command waits for as its answer."""
        self._note("heard", what=heard.key, text=text)
        waited = isinstance(self._waiting, _Mail) and self._waiting.wanted(heard)
        opened = self._open_by_itself(heard)
        for event in self.driver.heard(heard):
            self._happened(event)
        chores = self.driver.chores(heard)
        if chores is not None:
            self._jobs.append(_Job(chores, Ticket(0), heard.key))
        if opened and isinstance(self._waiting, Flight):  # its command went to the peer, or was never heard
            busy = Failed(Cause.BUSY, "the module has opened its data mode by itself")
            self._resume(busy if self._waiting.passing else Answer(Final.ERROR))
        elif waited:
            self._resume(heard)
        elif not self._asides.offer(heard):
            self._mail.append(heard)

    def _tell(self, heard: Heard) -> None:
        """Give a message to whoever waits for it."""
        if isinstance(self._waiting, _Mail) and self._waiting.wanted(heard):
            self._resume(heard)
        elif not self._asides.offer(heard):
            self._mail.append(heard)

    def _say_texts(self) -> None:
        """Pass unsolicited text on; only between commands, so that it never stands inside an answer."""
        while self._texts:
            self._happened(ModuleText(self._texts.popleft()))

    def _prompt(self) -> None:
        flight = self._waiting
        assert isinstance(flight, Flight)
        if flight.prompted:
            self.effects.append(RelayedBytes(b"\r\n> "))
        elif self._job is not None:
            self.effects.append(News(self._job.ticket, Prompted(tuple(flight.lines))))
            flight.lines.clear()
        flight.prompted = True
        flight.due_s = self._now + PROMPT_S

    def _relayed(self, data: bytes) -> None:
        """A data call: everything is the host's, until the module says that it is over."""
        self.effects.append(RelayedBytes(data))
        self._reader.add(data)
        while (item := self._reader.take_one(False)) is not None:
            if isinstance(item, TextLine) and item.text in ("NO CARRIER", "OK", "ERROR"):
                self._relay = None
                self._reader.take_rest()
                self._resume(PassedThrough((), ""))
                return

    # -- data mode -----------------------------------------------------------------------------------------------------

    def _enter(self, step: Enter) -> _Steps:
        """Open the module's data mode; what stands behind its CONNECT is payload already."""
        if self._doubtful:
            yield from self._recover()
        if self._phase is not None:
            yield from self._make_room()
        if self.state is State.DOWN:
            return Answer(Final.DOWN)
        answer: Answer = yield self._sent(Flight(step.text, self._due(step.text)))
        if answer.final is Final.CONNECT:
            self._open(Opening(step.socket, step.phase, step.deliver))
        elif answer.ok:
            return Answer(Final.ERROR)
        return answer

    def _open(self, opening: Opening) -> None:
        """The module's next byte is payload."""
        opening.phase.begin(self._last_write_s)
        self._phase, self._phase_socket = opening.phase, opening.socket
        self.driver.mapped = opening.socket
        self._phase_over = self._suspended = False
        self._delivers = opening.deliver
        self._note("module_phase", what="open")
        self._send_backlog()

    def _open_by_itself(self, heard: Heard) -> bool:
        """Whether a data mode begins behind a message."""
        opening = self.driver.opens(heard)
        if opening is not None:
            self._open(opening)
        return opening is not None

    def _route(self, route: Route) -> int:
        """Give the open data mode, and what is kept, to a socket."""
        socket = route.socket
        if route.before is not None:
            self._kept.move(route.before, socket)
        if self._phase is not None and self._phase_socket in (socket, route.before):
            self._phase_socket, self._delivers = socket, route.deliver
        if route.deliver:
            for part in self._kept.take(socket):
                self._happened(Received(socket, part))
        self._send_backlog()
        return self._kept.size(socket)

    def _sends_to(self, socket: HostSocket) -> bool:
        """Whether payload for a socket may be sent now."""
        phase = self._phase
        return phase is not None and self._phase_socket == socket and not (self._suspended or phase.holds)

    def _send_backlog(self) -> None:
        """Send what waited, as far as it may be sent."""
        socket = self._phase_socket
        if socket is None or not self._sends_to(socket):
            return
        assert self._phase is not None
        parts = self._backlog.pop(socket, [])
        for at, part in enumerate(parts):
            if self._phase.holds:
                self._backlog[socket] = parts[at:]
                return
            self._send_now(part)

    def _send_now(self, payload: bytes) -> None:
        """Send payload in the open data mode."""
        phase = self._phase
        assert phase is not None
        self._moved = True
        self._write(phase.encode(payload, self._now))
        if phase.drains:
            self.effects.append(Drain())

    def _put(self, data: bytes) -> bool:
        """Send payload of the driver's in the open data mode, in its turn; whether there is one."""
        socket = self._phase_socket
        if socket is None:
            return False
        self._backlog.setdefault(socket, []).append(data)
        self._send_backlog()
        return True

    def _must_wait(self, job: _Job) -> bool:
        """Whether a socket that is to be closed still has payload that will be sent in a moment."""
        phase = self._phase
        return phase is not None and phase.holds and job.closes == self._phase_socket and job.closes in self._backlog

    def _fed(self, fed: Fed) -> None:
        """What the module's data mode gave."""
        socket = self._phase_socket
        assert socket is not None
        self._received(fed.payload)
        if fed.mark is None:
            return
        self._note("module_phase", what="mark", mark=fed.mark.decode("latin-1"))
        if isinstance(self._waiting, _Ending):
            self._phase_over = True
            self._reader.take_rest()
            self._reader.add(fed.rest if fed.mark == ETX else fed.mark)
            self._resume(fed.mark)
            self._read_lines()
            return
        if fed.mark == ETX:
            # A reset follows with its code, in command mode; or nothing, and the module still is in data mode.
            self._phase_over = True
            self._reader.take_rest()
            self._reader.add(fed.rest)
        elif fed.mark == FALL_BACK:
            self._drop_phase()
            self._reader.take_rest()
            self._reader.add(fed.rest)
        if not self._suspended:
            self._suspended = True
            if not self._finishing:
                ended = self.driver.data_ended(socket, fed.mark)
                self._soon(_Job(ended, Ticket(0), "data ended", urgent=True))
        if fed.mark in (ETX, FALL_BACK):
            self._read_lines()

    def _received(self, payloads: list[bytes]) -> None:
        """Payload of the module: told, or kept as long as nobody reads it."""
        socket = self._phase_socket
        assert socket is not None
        self._moved = self._moved or bool(payloads)
        for payload in payloads:
            if self._delivers:
                self._happened(Received(socket, payload))
            elif self._kept.add(socket, payload):
                for event in self.driver.kept(socket, len(payload)):
                    self._happened(event)

    def _end(self, limit_s: float) -> _Steps:
        """The phase's own sign; payload goes on until the module has said that the socket is closed."""
        phase = self._phase
        if phase is None:
            return self.state is State.READY
        self._suspended = True
        if not self._phase_over:
            suspected = phase.absolve()
            self._write(phase.end())
            mark = yield _Ending(self._now + limit_s)
            if mark not in (None, ETX) and not phase.restarted:  # else it has started anew, and at best echoes
                self._received(suspected)
            self._received(phase.finish())
        closed = self._phase_over
        self._drop_phase()
        if closed:
            closed = yield from self._ended()
        self._note("module_phase", what="ended" if closed else "not ended")
        if not closed and not (yield from self._to_command_mode()):
            self._down()
        return self.state is not State.DOWN

    def _ended(self) -> _Steps:
        """Wait for the OK behind the module's words, so that it is not the next command's."""
        flight = Flight.probing("", self._now + END_RESULT_S, lenient=True)
        answer: Answer = yield flight
        return answer.final is not Final.DOWN

    def _drop_phase(self) -> None:
        """There is no data mode any more; what waits for it is sent by commands where that is possible."""
        socket = self._phase_socket
        if socket in self._backlog and self.driver.sends_by_command:
            for part in reversed(self._backlog.pop(socket)):
                self._outgoing.put_back(socket, part)
        self._phase = None
        self._phase_socket = self.driver.mapped = None
        self._phase_over = False

    def _leave(self, there: bool = False) -> _Steps:
        """Silence, ``+++``, silence, OK; payload goes on until then. If it fails the module is brought back."""
        phase = self._phase
        if phase is None:
            return b""
        self._suspended = True
        if there:
            self._drop_phase()
            if not (yield from self._to_command_mode()):
                self._down()
            return b"" if self.state is not State.DOWN else None
        while phase.holding:  # a payload's own sign that is sent late
            yield _Sleep(phase.deadline or self._now)
            self._write(phase.tick(self._now)[0])
        yield from self._silence()
        if self._phase is None:  # it has left the mode by itself meanwhile
            return b""
        self._write(PLUS)
        guard_s = self._guard_s
        if self._phase_over:
            answer: Answer = yield Flight.probing("+++", self._now + guard_s + LEAVE_S)
            left = answer.ok
        else:
            earliest_s, free_s = self._now + guard_s - LEAVE_EARLY_S, self._now + guard_s + LEAVE_FREE_S
            waiting = _Leaving(earliest_s, free_s, self._now + guard_s + LEAVE_S, bool(phase.suspected))
            left = yield waiting
            self._end_leaving(waiting, left)
        held = phase.suspected
        self._drop_phase()
        self._note("module_phase", what="left" if left else "not left")
        self._read_lines()
        if not left and not (yield from self._to_command_mode()):
            self._down()
        return held if self.state is not State.DOWN else None

    def _make_room(self, beside: bool = False) -> _Steps:
        """Leave the data mode for a command; ``beside``: of the host's own."""
        socket = self._phase_socket
        held = yield from self._leave()
        self._after_leaving(socket, held, held, beside)

    def _after_leaving(self, socket: HostSocket | None, left: bytes | None, held: bytes | None, beside: bool) -> None:
        if socket is not None and left is not None and not self._finishing:
            chores = self.driver.left(socket, held or b"", beside=beside)
            self._soon(_Job(chores, Ticket(0), "left", urgent=True))

    def _silence(self) -> _Steps:
        """Wait until the module has heard nothing for its guard time."""
        self.effects.append(Drain())
        yield _Drained()
        due_s = self._last_write_s + self._guard_s * GUARD_MARGIN
        if due_s > self._now:
            yield _Sleep(due_s)

    def _while_leaving(self, data: bytes, waiting: _Leaving) -> None:
        """Payload goes on until the module's own OK; that one cannot come before its guard time is over."""
        assert self._phase is not None
        waiting.tail += data
        early = self._now < waiting.earliest_s
        if not early and _LEFT.search(waiting.tail):
            waiting.due_s = self._now + SETTLE_S
            return
        match = _EARLY.search(waiting.tail)
        if early:
            waiting.due_s = waiting.free_s if match else waiting.free_s + LEAVE_S - LEAVE_FREE_S
        if waiting.suspected and len(waiting.tail) <= HELD_LIMIT_BYTES:
            return
        if waiting.tail == PLUS[: len(waiting.tail)]:
            return  # the echo of a module that is in command mode, or payload
        held = len(waiting.tail) - match.start() if match else _begun(waiting.tail, FALL_BACK)
        ready, waiting.tail = _cut(waiting.tail, held)
        self._last_payload(self._phase.feed(ready, self._now))

    def _last_payload(self, fed: Fed) -> None:
        self._received(fed.payload)
        if fed.mark == ETX:
            self._phase_over = True
            self._reader.add(fed.rest)

    def _end_leaving(self, waiting: _Leaving, left: bool) -> None:
        """What stands before the module's OK is payload, what stands behind it are lines."""
        phase = self._phase
        assert phase is not None
        tail = waiting.tail
        if not left and (waiting.suspected or tail == PLUS):
            tail = b""  # it had left the mode before, as it seemed: its echo and its lines
        at = [match.start() for match in _LEFT.finditer(tail)][-1] if left else len(tail)
        before, behind = tail[:at], tail[at + len(FALL_BACK) :]
        own = _OWN_LINE.search(before) if left else None
        if own is not None and self.dialect.hear(own[1].decode("latin-1")) is not None:
            # Some modules say what happened in the meantime before their OK.
            before, behind = before[: own.start()], own[0] + behind
        if not self._phase_over:
            self._last_payload(phase.feed(before, self._now))
        self._received(phase.finish())
        self._reader.add(behind)

    # -- payload by commands -------------------------------------------------------------------------------------------

    def _soon(self, job: _Job) -> None:
        """Before all that waits, but for what is urgent and was there before."""
        at = next((at for at, other in enumerate(self._jobs) if not other.urgent), len(self._jobs))
        self._jobs.insert(at, job)

    def _next_job(self) -> _Job | None:
        """Jobs and payload in turn; a socket is closed, or told to end, when its payload has gone."""
        if self._jobs and self._jobs[0].urgent:
            return self._jobs.popleft()
        sending = self._sending() if self._outgoing or self.driver.stuck else None
        if not self._jobs:
            return sending
        head = self._jobs[0]
        if head.ends is not None and head.ends in self._outgoing:
            head.flush_s = head.flush_s or self._now + FLUSH_S
            if self._now < head.flush_s:
                return sending
        elif sending is not None and self._payload_turn:
            self._payload_turn = False
            return sending
        self._payload_turn = True
        return self._jobs.popleft()

    def _sending(self) -> _Job | None:
        """The next payload that the module takes."""
        held = bool(self.driver.stuck)
        for socket in self._outgoing.sockets:
            outlet = self.driver.outlet(socket)
            if outlet is None:
                self._forget_backlog(socket)
            elif outlet.limit_bytes:
                return _Job(self._send(socket, outlet), Ticket(0), "payload")
            else:
                held = True
        if held and self._held_s is None:
            self._held_s = self._now + HELD_RETRY_S
        return None

    def _send(self, socket: HostSocket, outlet: Outlet) -> Chores:
        data = self._outgoing.take(socket, outlet.limit_bytes, divided=outlet.divided)
        left = yield from self.driver.send(socket, data, more=socket in self._outgoing)
        if left:
            self._outgoing.put_back(socket, data[-left:])

    def _ask_held(self) -> Chores:
        """Whether the module takes payload again for sockets for which it did not."""
        for socket in dict.fromkeys([*self._outgoing.sockets, *self.driver.stuck]):
            outlet = self.driver.outlet(socket)
            if outlet is not None and not outlet.limit_bytes:
                yield from self.driver.send(socket, b"", more=True)

    def _payload_line(self, text: str) -> None:
        events = self.driver.arrived(text)
        if events is None:
            self._note_always("finding", what=FindingKind.ODD.value, old=text[:80], new="a damaged line with payload")
            return
        for event in events:
            if not (isinstance(event, Received) and self._joined(event)):
                self._happened(event)

    def _joined(self, event: Received) -> bool:
        """Whether a piece of a stream is told with the one before it: many lines with payload come at once."""
        last = self.effects[-1] if self.effects else None
        if event.peer is not None or not isinstance(last, Happened) or not isinstance(last.event, Received):
            return False
        before = last.event
        if before.socket != event.socket or before.peer is not None or len(before.data) > JOINED_BYTES:
            return False
        self.effects[-1] = Happened(Received(event.socket, before.data + event.data))
        return True

    # -- recovery, restarts --------------------------------------------------------------------------------------------

    def _probe(self, text: str = "AT") -> _Steps:
        if self._line_open:  # +++ or payload may stand in its command line, and would spoil the next one
            self._write(b"\r")
            yield Flight.probing("", self._now + CLEAR_S)
        answer: Answer = yield self._sent(Flight.probing(text, self._now + PROBE_S))
        return answer.ok

    def _wake(self) -> _Steps:
        """Escape and probe, with what makes a module speak whose own settings keep it quiet (ATQ1)."""
        yield from self._escape()
        return (yield from self._probe(self.dialect.tables.module.known_state[0]))

    def _escape(self) -> _Steps:
        sign = self.dialect.tables.module.escape.encode("latin-1")
        if sign == PLUS:
            yield from self._silence()
        self._write(sign)
        yield _Sleep(self._now + self._guard_s * GUARD_MARGIN + 0.2)

    def _give_up_text(self) -> _Steps:
        """Probe a module that may wait for the text of a short message, where nothing but ESC is heard."""
        self._write(GIVE_UP)
        yield _Sleep(self._now + CLEAR_S)
        return (yield from self._probe())

    def _to_command_mode(self) -> _Steps:
        """Probe, escape, probe: True when the module answers AT."""
        if (yield from self._probe()):
            return True
        for _ in range(2):
            if (yield from self._wake()):
                return True
        return (yield from self._give_up_text())

    def _recover(self) -> _Steps:
        """Bring a module back that did not answer in time or seems to have restarted; else it is down."""
        self._doubtful = self._restarted = False
        self._drop_phase()
        if not (yield from self._to_command_mode()):
            self._down()
            return
        yield _Sleep(self._now + LATE_S, LATE_S)
        self._note("module", what="recovered")
        yield from self._start()

    def _start(self) -> _Steps:
        steps = self.driver.start()
        job = _Job(steps, Ticket(0), "start")
        before, self.state = self.state, State.STARTING
        self._start_again = False
        value: object = None
        while True:
            try:
                step = steps.send(value)
            except StopIteration:
                break
            value = yield from self._step(step, job)
            if self._doubtful:  # silent again: all that follows would be too
                self._doubtful = False
                steps.close()
                self.state = before
                self._down()
                return
        self.state = State.READY
        self._attempts = 0
        self._doubtful = self._start_again
        self._note("module", what="ready")

    def _bring_back(self) -> _Steps:
        """A module that is down is asked again; when it answers it is started as if it were new."""
        alive = yield from self._probe()
        if not alive:
            first = self._attempts == 0
            self._attempts += 1
            self._down()
            if first or self._attempts % 5 == 0:  # it may be in a data mode of an earlier life
                alive = (yield from self._wake()) or (yield from self._give_up_text())
        if alive:
            yield from self._start()

    def _down(self) -> None:
        """The module does not answer: everything that waits for it fails."""
        if self.state is not State.DOWN:
            self._note("module", what="down")
        self.state = State.DOWN
        self._drop_phase()
        for event in self.driver.lost():
            self._happened(event)
        for job in self._jobs:
            self._reply(job, Failed(Cause.NO_MODULE, "the module does not answer"))
        self._jobs.clear()
        self._asides.wake()
        self._backlog.clear()
        self._outgoing.clear()
        self._kept.clear()
        self._say_texts()

    def _abandon(self) -> None:
        """The link is gone in the middle: whatever is waited for will not come."""
        self._relay = None
        waiting = self._waiting
        if isinstance(waiting, Flight):
            self.state = State.DOWN
            gone: object = Failed(Cause.NO_MODULE, "link lost") if waiting.passing else Answer(Final.DOWN)
            self._resume(gone)
        elif waiting is not None:
            self.state = State.DOWN
            self._resume(None)
        if self._worker is not None:
            self._worker.close()
            if self._job is not None:
                self._reply(self._job, Failed(Cause.NO_MODULE, "link lost"))
            self._worker = self._job = self._waiting = self._sleep_s = None
        for job in self._asides.drop():
            self._reply(job, Failed(Cause.NO_MODULE, "link lost"))

    def _booted(self, text: str, flight: Flight | None) -> None:
        """A line that a module prints when it starts: whether it has forgotten everything is asked when it is ready."""
        self._note("boot", text=text)
        if self.state is State.STARTING:
            self._start_again = True
            if flight is not None and not flight.probe:
                flight.due_s = min(flight.due_s, self._now + FORGOTTEN_S)
        if self.state is not State.READY:
            return
        self._doubtful = self._restarted = True
        self._asides.wake()  # what it has forgotten will not come
        if flight is not None and not flight.probe and not self._expected(flight):
            if flight.passing:
                self._resume(Failed(Cause.NO_MODULE, "the module restarted"))
            else:
                self._resume(Answer(Final.DOWN))
        elif isinstance(self._waiting, _Mail):
            self._resume(None)  # what it has forgotten will not come

    def _expected(self, flight: Flight) -> bool:
        """Whether the command in flight makes a module print such lines without being gone."""
        return flight.text.upper().startswith("AT+CPIN") or self._sorter.traits(flight.text).resets

    # -- bytes out, for people -----------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if data:
            self.effects.append(ToModule(data))
            self._last_write_s = self._now
            self._line_open = not data.endswith(b"\r")

    def _happened(self, event: Event) -> None:
        self.effects.append(Happened(event))
        if isinstance(event, BearerLost):
            self._asides.wake()  # what they wait for will not come
        if isinstance(event, PeerClosed | SocketLost):
            self._forget_backlog(event.socket)

    def _forget_backlog(self, socket: HostSocket) -> None:
        lost = sum(len(part) for part in self._backlog.pop(socket, [])) + self._outgoing.forget(socket)
        if lost:
            self._note_always("finding", what=FindingKind.LOST.value, old=f"{lost} bytes", new="the connection ended")

    def _note(self, kind: str, **fields: Any) -> None:
        if self.tracing:
            self.effects.append(Note(kind, fields))

    def _note_always(self, kind: str, **fields: Any) -> None:
        self.effects.append(Note(kind, fields))


def _withdraw(job: _Job) -> bool:
    """Nobody waits for its result any more; whether it ends."""
    job.withdrawn = True
    return job.given_up


def _end(job: _Job) -> bool:
    """It ends, whatever it is."""
    job.stays = False
    return _withdraw(job)


def _begun(data: bytes, text: bytes) -> int:
    """How many of the last bytes of ``data`` may be the beginning of ``text``."""
    return max((count for count in range(1, len(text)) if data.endswith(text[:count])), default=0)


def _cut(data: bytes, keep: int) -> tuple[bytes, bytes]:
    """All but the last ``keep`` bytes, and those."""
    at = len(data) - keep
    return data[:at], data[at:]

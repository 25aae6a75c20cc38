"""What the module's side does one thing at a time: its jobs, what they wait for, what it knows and puts out.

It is the lowest of the layers that make a :class:`~gateway.session.module.ModuleSide`; each knows those below it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import Driver, DriverStep
from gateway.model.events import BearerLost, Event, PeerClosed, SendingHeld, SocketLost
from gateway.model.findings import FindingKind
from gateway.model.results import Failed, Result
from gateway.model.values import HostSocket, Ticket
from gateway.session.asides import Aside, Asides
from gateway.session.effects import Effect, Happened, News, Note, ToModule
from gateway.session.holding import Holding
from gateway.session.kept import KeptData
from gateway.session.outgoing import Outgoing
from gateway.session.sorting import Flight, LineSorter
from gateway.wire.answer import AnswerReader
from gateway.wire.module_phase import ModulePhase


class State(Enum):
    """Whether the module can be used."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Mail:
    """Wait for a message of the module."""

    wanted: Callable[[Heard], bool]
    due_s: float
    aside: bool = False
    """Other work goes on meanwhile."""
    overhears: bool = False


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for a time; ``quiet_s``: begun anew with every byte."""

    due_s: float
    quiet_s: float | None = None


@dataclass(slots=True)
class Leaving:
    """Wait for the OK to ``+++``, in what still is payload until it comes."""

    earliest_s: float
    free_s: float
    due_s: float
    suspected: bool
    """The module seems to have said that the peer has ended: nothing that comes is payload, if it was the module."""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class Ending:
    """Wait for the end of a data mode that was told to end."""

    due_s: float


@dataclass(frozen=True, slots=True)
class Drained:
    """Wait until everything written has gone out."""

    due_s: float


Waitable = Flight | Mail | Sleep | Leaving | Ending | Drained
Steps = Generator[Waitable, Any, Any]


@dataclass(eq=False, slots=True)
class Job:
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


class ModuleWorker(ABC):
    """One worker: a generator that yields what it waits for. ``effects`` are what came of it."""

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
        self._draining = False
        """It is to be told when what was written has gone out."""
        self._line_open = False
        """What was written last does not end a command line."""
        # -- work
        self._jobs: deque[Job] = deque()
        self._job: Job | None = None
        self._worker: Steps | None = None
        self._waiting: Waitable | None = None
        self._sleep_s: float | None = None
        self._mail: deque[Heard] = deque(maxlen=64)
        self._texts: deque[tuple[str, ...]] = deque()
        self._asides: Asides[Job] = Asides()
        # -- payload by commands
        self._payload_lines = self.driver.payload_lines
        self._outgoing = Outgoing()
        self._payload_turn = True
        """Payload goes before the next job; they take turns."""
        self._text_due_s: float | None = None
        """Until when the rest of a text is waited for that the module has begun unasked."""
        self._held_s: float | None = None
        """When a module that took nothing is asked again."""
        self.weighs = False
        """The host can be told which sockets take no more just now."""
        self._stopped = False
        """The module takes no bytes at all just now."""
        self._holding = Holding()
        # -- data mode
        self._phase: ModulePhase | None = None
        self._phase_socket: HostSocket | None = None
        self._phase_over = False
        """Its end was seen: what comes now are lines, though the module may still be in data mode."""
        self._suspended = False
        """Its end is suspected or known: payload for it waits."""
        self._backlog: dict[HostSocket, list[bytes]] = {}
        self._reason: Heard | None = None
        """Why the last one ended, for whoever looks into that."""
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
        self._unanswered: set[str] = set()
        """Questions that it was silent to when it was started, though it was there."""
        self._unread_s: float | None = None
        """Since when its port has not been read."""
        self._connected = True
        self._retry_s: float | None = 0.0
        self._attempts = 0
        self._noisy = False
        """It makes noise while it is brought back."""
        self._found = False
        """It was there once: what is known of it is more than a guess."""
        self._idle_s: float | None = None
        self._finishing = False

    # -- work ------------------------------------------------------------------------------------------------------------

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
        if isinstance(waiting, Mail) and waiting.aside and self._job is not None:
            aside = Aside(self._job, worker, waiting.wanted, waiting.due_s, waiting.overhears)
            self._asides.waiting.append(aside)
            self._worker = self._job = None
            return
        self._waiting = waiting
        if isinstance(waiting, Sleep):
            self._sleep_s = waiting.due_s

    def _reply(self, job: Job, result: Result) -> None:
        if isinstance(result, Failed):
            self._note("failed", what=job.name, cause=result.cause.value, original=result.original)
        if job.ticket and not job.withdrawn:
            self.effects.append(News(job.ticket, result))

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

    @abstractmethod
    def _step(self, step: DriverStep, job: Job) -> Steps:
        """Carry out a driver's step; what the driver gets back."""

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """The module's bytes; whose they are depends on what it is doing."""

    # -- bytes out, for people -------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if data:
            self.effects.append(ToModule(data))
            self._last_write_s = self._now
            self._line_open = not data.endswith(b"\r")

    def _happened(self, event: Event) -> None:
        if type(event) is SendingHeld and self.weighs:
            (self._holding.by_module.add if event.held else self._holding.by_module.discard)(event.socket)
            return
        self.effects.append(Happened(event))
        if isinstance(event, BearerLost):
            self._asides.wake()  # what they wait for will not come
        if isinstance(event, PeerClosed | SocketLost):
            self._forget_backlog(event.socket)

    def _forget_backlog(self, socket: HostSocket) -> None:
        self._holding.by_module.discard(socket)
        lost = sum(len(part) for part in self._backlog.pop(socket, [])) + self._outgoing.forget(socket)
        if lost:
            self._note_always("finding", what=FindingKind.LOST.value, old=f"{lost} bytes", new="the connection ended")

    def _note(self, kind: str, **fields: Any) -> None:
        if self.tracing:
            self.effects.append(Note(kind, fields))

    def _note_always(self, kind: str, **fields: Any) -> None:
        self.effects.append(Note(kind, fields))

"""What working a module is written in: generators that yield steps, one for each request.

A driver is a set of methods, each named after the request that it carries out (:meth:`Driver.perform`).

A strictly sequential exchange (create, wait until ready, enter data mode) reads from top to bottom; whoever runs it
(a session) keeps the time limits, brings a silent module back, and knows nothing of the dialect.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from gateway.dialect.dialect import Dialect, Heard
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event
from gateway.model.record import record
from gateway.model.requests import Request, SetClock
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.values import HostSocket
from gateway.wire.module_phase import ModulePhase

TRANSFER_QUIET_S = 10.0
"""A transfer cannot be left to ask the module: so long behind its boot text it must say nothing else."""


class Final(Enum):
    """How a module's command ended."""

    OK = "ok"
    ERROR = "error"
    CONNECT = "connect"
    TIMED_OUT = "timed out"
    """No final result within the limit."""
    DOWN = "down"
    """The module does not answer, or has restarted: the command was not sent, or will never be answered."""


@record
class Answer:
    """A module's answer: how it ended, its code ("" for a plain ERROR), what was said before."""

    final: Final
    code: str = ""
    heard: tuple[Heard, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.final in (Final.OK, Final.CONNECT)

    @property
    def original(self) -> str:
        """For the trace: what the module said."""
        return self.code or self.final.value


@record
class Command:
    """Send a command, wait for its :class:`Answer`.

    ``answers`` are the messages that belong to it; ``ends``: those that end it as OK does. ``lenient``: a module that
    says nothing within the limit has accepted it. ``asks``: how the module is, for what it does not tell; one that was
    silent to it when it was started, though it was there, is not asked again.
    """

    text: str
    answers: frozenset[str] = frozenset()
    limit_s: float | None = None
    ends: frozenset[str] = frozenset()
    lenient: bool = False
    asks: bool = False


FOREVER_S = 1e9
"""A limit for what may never come: nothing waits so long."""


@record
class Await:
    """Wait for a message that ``wanted`` accepts; also one that came since the last command. None after the limit:
    seconds, or the name under which the dialect's ``limits_s`` have it. ``aside``: other work goes on meanwhile;
    ``overhears``: the message may be somebody else's too, who has it first. A result that belongs to no command is the
    message ``result`` with its ``text``."""

    wanted: Callable[[Heard], bool]
    limit: float | str
    aside: bool = False
    overhears: bool = False


@record
class Enter:
    """Send a command that opens the module's data mode on ``socket``; its :class:`Answer` is CONNECT when it did.

    ``deliver`` as in :class:`Route`.
    """

    text: str
    socket: HostSocket
    phase: ModulePhase
    deliver: bool = True


@record
class Put:
    """Send payload in the open data mode, behind what waits for it; answered by whether there is one."""

    data: bytes


@record
class Quiet:
    """How long nothing has been moved in the open data mode, either way, in seconds; None: ask no more."""


@record
class Leave:
    """Bring the module back to command mode, delivering what still arrives.

    Answered by the text that is held back because it may be the module's own (``b""`` when there is none), or by None
    when the module would not come.

    ``there``: the module has said that it is in command mode already.
    """

    there: bool = False


@record
class EndSending:
    """Tell the peer, in the module's data mode that is open, that nothing more will be sent; it may still send.

    ``over``: it will not; what the module says now are lines.
    """

    over: bool = False


@record
class Route:
    """From now on what arrives in the open data mode is ``socket``'s, and is told (``deliver``, also what waits) or kept.

    Answered by how many bytes are kept for it. ``before``: whose it was until now.
    """

    socket: HostSocket
    deliver: bool
    before: HostSocket | None = None


@record
class Keep:
    """This waits for ``socket`` behind what is kept for it, until somebody reads it."""

    socket: HostSocket
    data: bytes


@record
class Forget:
    """Nobody will read what is kept for ``socket``."""

    socket: HostSocket


@record
class End:
    """End the data mode, and its socket with it, by the sign of its phase; the payload until then goes its way.

    Answered by whether the module is in command mode.
    """

    limit_s: float = 10.0


@record
class Resume:
    """What seemed to end the data mode was payload."""


@record
class Opening:
    """The data mode that a module is about to open by itself; ``deliver`` as in :class:`Route`."""

    socket: HostSocket
    phase: ModulePhase
    deliver: bool = False


@record
class Rest:
    """Do nothing for a while; ``quiet``: until the module has been quiet for so long."""

    seconds: float
    quiet: bool = False


@record
class Report:
    """News of the request before its result; answered by whether anybody still waits for that."""

    progress: Progress


@record
class Emit:
    """Something happened."""

    event: Event


@record
class Deliver:
    """Give held payload to the host's side."""

    socket: HostSocket
    data: bytes


@record
class Moved:
    """Answered by whether payload went either way, or could not, since this was asked last; None: nobody waits, or the
    module is not to be waited for."""


@record
class Wanted:
    """Answered by whether anybody still waits for the result."""


@record
class Stay:
    """What has begun cannot be broken off: from now on it goes to its end also when nobody waits for its result."""


@record
class Afterwards:
    """Do this when the result of the request has been told."""

    chores: Generator[DriverStep, Any, None]


@record
class Remark:
    """For people and the trace: a choice and its reason, or what cannot be done as it was asked."""

    kind: str
    fields: dict[str, str] = field(default_factory=dict)


DriverStep = (
    Command | Await | Enter | Put | Quiet | Leave | EndSending | Route | Keep | Forget | End | Resume | Rest | Report
    | Emit | Deliver | Moved | Wanted | Stay | Afterwards | Remark
)  # fmt: skip
DriverSteps = Generator[DriverStep, Any, Result]
Chores = Generator[DriverStep, Any, None]
Part = Generator[DriverStep, Any, Any]
"""A piece of an exchange that gives its caller something else."""


def until_still(limit: str, goes_on: Callable[[bool], bool]) -> Part:
    """Wait for the result of a transfer; None when it will not come. ``goes_on`` is asked at each limit, with whether
    anything has moved since the last."""
    while True:
        ended: Heard | None = yield Await(lambda heard: heard.key in ("result", "error"), limit, aside=True)
        if ended is not None:
            return ended
        moved: bool | None = yield Moved()
        if moved is None or not goes_on(moved):
            return None


def gave_up(phase: ModulePhase) -> Part:
    """Leave the data mode of a transfer in which a boot text stands and nothing follows; whether that was done."""
    yield Rest(TRANSFER_QUIET_S, quiet=True)
    restarted = phase.restarted
    yield Leave(there=True) if restarted else Resume()
    return restarted


@record
class Outlet:
    """How payload goes to a socket by commands."""

    limit_bytes: int
    """How much :meth:`Driver.send` takes at once; 0: none just now."""
    divided: bool = False
    """Each piece is a datagram, whatever its size."""


@cache
def method_of(request: str) -> str:
    """The name of the method that carries out requests of a class, by the class's name."""
    return "do" + re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", request)


class Driver(ABC):
    """How a module of one dialect is worked. One object a module; it keeps what it knows of the module's state."""

    payload_lines: tuple[str, ...] = ()
    """Beginnings of the lines that carry payload; they go to :meth:`arrived` at once, unparsed."""
    late: Collection[str] = ()
    """Messages that could be another's text, and are the module's own where no command is answered: they come late."""
    sends_by_command = False
    """Payload for a socket whose data mode is not open goes by :meth:`send`."""
    mapped: HostSocket | None = None
    """Whose data mode is open; whoever runs the driver keeps it."""
    stuck: Collection[HostSocket] = ()
    """Sockets of which the module holds payload that it could not send."""
    silence_s = 0.0
    """So long a silence ends a data mode that nothing else ends, where the module may be in such a one."""
    full = False
    """So much waits for the host's side that the module should not be read just now."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @property
    def plain(self) -> Collection[HostSocket]:
        """The module's own sessions of mail in which the least is wanted, and no more."""
        return ()

    @abstractmethod
    def start(self) -> Chores:
        """Put the module into the one known state, find out what it is doing; after every (re)start."""

    def perform(self, request: Request) -> DriverSteps:
        """Carry out a request by the method of its name (``do_connect_tcp`` for ``ConnectTcp``).

        Its result is the generator's; of a request that has no method, that it is not supported.
        """
        method: Callable[[Request], DriverSteps] = getattr(self, method_of(type(request).__name__), self._unable)
        return method(request)

    def do_set_clock(self, request: SetClock) -> DriverSteps:
        """The standard's command (3GPP TS 27.007, 8.15), as the dialect's modules take the time."""
        text = "AT" + datetime.fromisoformat(request.time).strftime(self.dialect.tables.module.clock)
        answer: Answer = yield Command(text)
        return Done() if answer.ok else self.failed(answer, "+CCLK")

    def _unable(self, _request: Request) -> DriverSteps:
        yield from ()
        return Failed(Cause.NOT_SUPPORTED)

    @abstractmethod
    def heard(self, heard: Heard) -> Iterable[Event]:
        """What an unsolicited message of the dialect means."""

    def chores(self, _heard: Heard) -> Chores | None:
        """Work that an unsolicited message makes."""
        return None

    def arrived(self, _line: str) -> Iterable[Event] | None:
        """What a line with payload brings; None: it is damaged."""
        return None

    def outlet(self, _socket: HostSocket) -> Outlet | None:
        """How payload goes to a socket just now; None: there is no such socket."""
        return None

    def send(self, _socket: HostSocket, data: bytes, *, more: bool) -> Part:
        """Send payload by commands; gives how many bytes of it were not taken.

        ``more``: more will follow at once. Without data: find out whether the socket takes something again.
        """
        yield from ()
        return len(data) if more else 0

    def opens(self, _heard: Heard) -> Opening | None:
        """The data mode that begins directly behind a message; asked once for each."""
        return None

    def kept(self, socket: HostSocket, size_bytes: int) -> Iterable[Event]:
        """Payload begins to wait for a socket that nobody reads: what that means for the host's side."""
        return [DataWaiting(socket, size_bytes)]

    @abstractmethod
    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """The module's data mode ended, or seems to have: ``mark`` is its sign (ETX, or the text that was seen)."""

    def left(self, socket: HostSocket, held: bytes, *, beside: bool) -> Chores:
        """A data mode was left. ``held``: as :class:`Leave` has it, where it was left for a command; ``beside``: for one
        of the host's own."""
        del beside
        if held:
            yield Deliver(socket, held)

    @abstractmethod
    def lost(self) -> Iterable[Event]:
        """The module has forgotten everything: what that means for the host's side."""

    @abstractmethod
    def finish(self) -> Chores:
        """The gateway ends: no socket is left open."""

    def idle(self) -> Chores | None:
        """Something to do when nothing has happened for a while; None: nothing."""
        return None

    def failed(self, answer: Answer, command: str = "") -> Failed:
        """The failure that a module's answer means."""
        if answer.final in (Final.DOWN, Final.TIMED_OUT):
            cause = Cause.NO_MODULE
        elif answer.code:
            cause = self.dialect.cause_of(answer.code)
        else:
            cause = Cause.INTERNAL
        return Failed(cause, f"{command} {answer.original}".strip())

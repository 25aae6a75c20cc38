"""What a dialect's own behaviour is written in: generators that yield steps.

A command becomes a generator. It says text, asks for things to be done, opens data phases, and returns how the command
ended; whoever runs it (a session) knows nothing of the dialect. A generator may go on after its command has ended, as
a task of the session: a listener, a connection being set up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.dialect.dialect import Call, Dialect
from gateway.model.causes import Cause
from gateway.model.events import Event
from gateway.model.findings import Finding
from gateway.model.record import record
from gateway.model.requests import Request, StartBearer
from gateway.model.results import Done
from gateway.model.tuning import Tune, Tuned, Tuning, Tunings
from gateway.model.values import HostSocket
from gateway.wire.mail import MailFromHost, MailToHost
from gateway.wire.phase import HostPhase
from gateway.wire.settings import LineSettings

# -- how a command ends ------------------------------------------------------------------------------------------------


@record
class Ok:
    """``OK``. ``after_text``: it closes an answer with information text."""

    after_text: bool = False


@record
class Fail:
    """The dialect's error for a cause; ``command`` where it is not the command that runs."""

    cause: Cause
    command: str = ""
    original: str = ""
    """What the module said, for the trace."""
    why: str = ""
    """What is in the way, in words, for the trace: where the cause alone does not say it."""


@record
class Word:
    """A result of its own: ``CONNECT``, ``NO CARRIER``."""

    text: str


@record
class Silent:
    """No result: it was said before, or there is none."""


Outcome = Ok | Fail | Word | Silent

# -- steps ---------------------------------------------------------------------------------------------------------


@record
class Say:
    """Information text, one block. ``now``: do not wait for the rest of the answer."""

    lines: tuple[str, ...]
    now: bool = False


@record
class Tell:
    """An indication, which has its number under ``ATV0``; or an unsolicited line."""

    text: str


@record
class Raw:
    """Bytes for the host, as they are."""

    data: bytes


@record
class Ask:
    """Have something done; answered by its result, or by progress (then :class:`More` waits for the next)."""

    request: Request


@record
class Order:
    """Ask for something whose result nobody waits for."""

    request: Request


@record
class More:
    """Wait for the next progress or the result of what was asked last."""


@record
class GiveUp:
    """Nobody waits any more for what was asked last: it is broken off."""


@record
class Background:
    """Let the command line go without a result; the generator goes on as the task ``name``.

    ``answers``: it still has its result to give, so nothing unasked is said as long as what it asked for is under way.
    """

    name: str
    answers: bool = False


@record
class Finish:
    """Give the result now; the generator goes on as the task ``name``."""

    outcome: Outcome
    name: str


@record
class Claim:
    """Be the task ``name`` from now on, so that others can break it off; the command line is not let go."""

    name: str


@record
class Data:
    """Open a data phase on a socket; answered by :class:`DataEnd`, or by the result of the request that still runs."""

    socket: HostSocket
    phase: HostPhase | MailFromHost | MailToHost
    echo: bytes = b""
    """What is echoed, under ``ATE1``, when the host ends it."""


@record
class Send:
    """Give payload to a socket outside a data phase."""

    socket: HostSocket
    data: bytes


class EndReason(Enum):
    """Why a data phase ended."""

    HOST = "host"
    """The dialect's own sign."""
    ESCAPE = "escape"
    """``+++``."""
    TERMINAL = "terminal"
    """The host's DTR."""
    PEER = "peer"
    LOST = "lost"


@record
class DataEnd:
    """How a data phase ended; ``cause`` says more when the socket was lost."""

    reason: EndReason
    cause: Cause = Cause.CLOSED_BY_PEER


@record
class Text:
    """Take text up to Ctrl-Z; answered by its bytes, or by None after ESC. Longer text raises :class:`Interrupted`.

    ``length``: take so many bytes, whatever they are. ``seconds``: take what has come by then. ``binary``: ESC is text.
    """

    limit_bytes: int
    length: int | None = None
    seconds: float | None = None
    binary: bool = False


@record
class Expect:
    """From now on events that ``wanted`` accepts are this task's: each answers one :class:`Wait`, in order."""

    wanted: Callable[[Event], bool]


@record
class Wait:
    """Wait for the next expected event, or for ``seconds``; answered by the event or None."""

    seconds: float | None = None


@record
class Turn:
    """Wait for a moment at which the host may be told something unasked, and nothing else waits to be told."""


@record
class Spawn:
    """Start another task."""

    task: Generator[Step, Any, Outcome]
    name: str


@record
class Cancel:
    """End the task ``name`` without another word of it."""

    name: str


@record
class Break:
    """End the data phase that the task ``name`` is in, or raise :class:`Interrupted` in it."""

    name: str
    cause: Cause


@record
class Store:
    """Keep these values over a restart; ``erase``: forget everything kept, the values in use stay."""

    values: dict[str, str | int]
    erase: bool = False


@record
class Found:
    """For people: what is not done, or not as it was asked."""

    finding: Finding


@record
class Port:
    """Set the host's port: bits per second, or flow control."""

    rate: int | None = None
    flow: str | None = None


Waiting = Ask | More | Wait | Text | Turn | Data | Background | Finish
"""Steps of a task alone: it waits, or lets its command line go."""
Step = Waiting | Say | Tell | Raw | Claim | GiveUp | Order | Send | Expect | Spawn | Cancel | Break | Store | Found | Port
Steps = Generator[Step, Any, Outcome]


class Interrupted(Exception):  # a signal to a generator, not an error
    """The host has broken off what is going on (ETX), or the line has ended it."""

    def __init__(self, cause: Cause = Cause.ABORTED):
        super().__init__(cause)
        self.cause = cause


class Refusal(Exception):
    """Raised inside a behaviour to end its command with a failure."""

    def __init__(self, cause: Cause, why: str = ""):
        super().__init__(cause)
        self.cause = cause
        self.why = why


@dataclass(slots=True)
class Surroundings:
    """What a behaviour may see of the session that runs it."""

    settings: LineSettings
    policy: str = "lenient"
    stored: dict[str, str | int] = field(default_factory=dict)
    now: float = 0.0
    """Monotonic seconds, kept up to date."""
    six: bool = True
    """Whether what does the work can do it by IPv6 too."""
    calls: bool = True
    """Whether what does the work takes GSM data calls."""


class Firmware(ABC):
    """The behaviour of one dialect towards its host. One object a session; a new one after a reset."""

    tells_congestion = False
    """Whether a host in command mode is told that a peer reads too slowly; else its port is not read meanwhile."""

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        self.dialect = dialect
        self.around = around

    def execute(self, call: Call) -> Steps:
        """The generator for a command: the method ``do_<does>``."""
        behaviour: Callable[[Call], Steps] = getattr(self, f"do_{call.by or call.does}")
        return self._guarded(behaviour, call)

    def _guarded(self, behaviour: Callable[[Call], Steps], call: Call) -> Steps:
        try:
            gate = self.gate(call)
            if gate is not None:
                return gate
            return (yield from behaviour(call))
        except Refusal as refusal:
            return Fail(refusal.cause, why=refusal.why)

    def tuned(self, socket: HostSocket, values: Tunings) -> Generator[Step, Any, bool]:
        """Have a socket's packets made so; False where that has no effect and the policy wants none of those."""
        if not values:
            return True
        result = yield Ask(Tune(socket, values))
        done = isinstance(result, Done) and not (isinstance(result.value, Tuned) and result.value.ignored)
        return done or self.around.policy != "strict"

    def named(self, request: StartBearer) -> Generator[Step, Any, bool]:
        """Say where the name servers of a start have no effect; False where the policy wants none of those."""
        count = len(request.name_servers)
        return (yield from self.tuned(HostSocket(0), ((Tuning.NAME_SERVERS, count),) if count else ()))

    def gate(self, _call: Call) -> Outcome | None:
        """An outcome that stands before every command, or None."""
        return None

    @abstractmethod
    def event(self, event: Event) -> Iterable[Step]:
        """What the host is told of an event that no task waits for."""

    def overhears(self, _lines: tuple[str, ...]) -> Iterable[Step]:
        """What the module has said that is not of its IP dialect; the host is told it, or has been."""
        return ()

    def tells_data(self, _socket: HostSocket) -> bool:
        """Whether what arrives on a socket is told by :meth:`event`, not in a data phase."""
        return False

    def resume(self) -> Steps | None:
        """What ``ATO`` does; None: there is no data mode to go back to."""
        return None

    def etx_aborts(self, _task: str) -> bool:
        """Whether an ETX breaks off what a task of this name is carrying out."""
        return False

    def abort(self) -> Steps | None:
        """What an ETX in command mode does; None: nothing."""
        return None

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return None

    def tick(self, _now: float) -> tuple[Steps, str] | None:
        """A task, and its name, that time has started."""
        return None

    def touch(self, now: float) -> None:  # noqa: B027  # a behaviour without idle time has nothing to do
        """Payload went by."""

    def restarted(self) -> None:  # noqa: B027
        """The host has reset the module with a command of its own."""

    def describe(self) -> dict[str, str | int]:
        """The state in a few words, for people."""
        return {}

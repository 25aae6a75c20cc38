"""How a request ended, and what was heard of it before."""

from __future__ import annotations

from gateway.model.causes import Cause
from gateway.model.record import record
from gateway.model.services import Begun, MailList
from gateway.model.tuning import Tuned
from gateway.model.values import Addresses, Endpoint, SocketInfo


@record
class Done:
    """It is done."""

    value: Addresses | SocketInfo | Endpoint | MailList | Tuned | str | None = None


@record
class Failed:
    """It is not done; ``original`` is what the other side said, for the trace."""

    cause: Cause
    original: str = ""


@record
class PassedThrough:
    """A module's own answer: information lines as they came, and the final result, "" where it gave none."""

    lines: tuple[str, ...]
    final: str


@record
class PingEcho:
    """One echo request ended; ``milliseconds`` is None when no reply came in time."""

    index: int
    milliseconds: int | None


@record
class Prompted:
    """The module asks for text: pass what the host types until Ctrl-Z or ESC."""

    lines: tuple[str, ...] = ()


@record
class Relayed:
    """The module is in a data mode of its own (a data call): pass bytes both ways as they are."""

    lines: tuple[str, ...]


Progress = PingEcho | Prompted | Relayed | Begun
Result = Done | Failed | PassedThrough

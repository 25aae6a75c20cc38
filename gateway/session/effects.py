"""What a session wants done by whoever runs it, and what its two sides tell each other."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from gateway.model.events import Event
from gateway.model.record import record
from gateway.model.requests import Request
from gateway.model.results import Progress, Result
from gateway.model.values import HostSocket, Ticket

# -- for the links -----------------------------------------------------------------------------------------------------


@record
class ToHost:
    """Bytes for the host's link."""

    data: bytes


@record
class ToModule:
    """Bytes for the module's link."""

    data: bytes


@record
class Drain:
    """Say when everything written to the module's link has really gone out: a guard time begins then."""


@record
class SetPort:
    """Set the host's port."""

    rate: int | None = None
    flow: str | None = None


@record
class Carrier:
    """Set the host's carrier signal (circuit 109)."""

    on: bool


@record
class Keep:
    """Everything to be kept over a restart, as it is now."""

    values: dict[str, str | int]


@record
class Note:
    """A line of the trace: what bytes became. ``kind`` says what the fields are."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


# -- from the host's side to the other ---------------------------------------------------------------------------------


@record
class Submit:
    """A request of the host's side."""

    ticket: Ticket
    request: Request


@record
class Withdraw:
    """The host's side does not wait for this request any more."""

    ticket: Ticket


@record
class Payload:
    """Payload of the host for a socket: a piece of a stream, or a whole datagram."""

    socket: HostSocket
    data: bytes


@record
class TextFor:
    """What the host typed for a command that prompted, or in a data call."""

    ticket: Ticket
    data: bytes
    complete: bool


# -- between the host's side, an engine that works services over the module's sockets, and the module's side ------------


@record
class Serve:
    """A request of the host's side for the engine."""

    ticket: Ticket
    request: Request


@record
class ServePayload:
    """Payload of the host for a session of the engine's."""

    session: HostSocket
    data: bytes


@record
class ServeNoMore:
    """The host's side does not wait for this request any more."""

    ticket: Ticket


@record
class TunnelNews:
    """A request of the engine's own to the module has a result."""

    ticket: Ticket
    result: Result | Progress


@record
class TunnelEvent:
    """Something happened on a socket of the engine's own."""

    event: Event


# -- from the other side to the host's ---------------------------------------------------------------------------------


@record
class News:
    """A request has a result, or news before it."""

    ticket: Ticket
    result: Result | Progress


@record
class Happened:
    """Something happened unasked."""

    event: Event


@record
class RelayedBytes:
    """Bytes of a data call of the module's, or of its prompt: the host's, as they are."""

    data: bytes


Effect = (
    ToHost | ToModule | Drain | SetPort | Carrier | Keep | Note | Submit | Withdraw | Payload | TextFor
    | News | Happened | RelayedBytes | Serve | ServePayload | ServeNoMore | TunnelNews | TunnelEvent
)  # fmt: skip

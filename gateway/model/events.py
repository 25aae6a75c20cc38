"""What happened unasked."""

from __future__ import annotations

from gateway.model.causes import Cause
from gateway.model.record import record
from gateway.model.values import Addresses, BearerKind, Endpoint, HostSocket


@record
class BearerLost:
    """IP is gone, and with it every socket."""

    cause: Cause = Cause.BEARER_LOST


@record
class Incoming:
    """A peer called a listener; ``connection`` names it until it is accepted or refused."""

    listener: HostSocket
    connection: int
    peer: Endpoint | None


@record
class DataWaiting:
    """Something can be read from a socket that is not attached; told once until it was read."""

    socket: HostSocket
    size_bytes: int
    peer: Endpoint | None = None


@record
class Received:
    """Bytes of a stream, or one whole datagram."""

    socket: HostSocket
    data: bytes
    peer: Endpoint | None = None


@record
class PeerClosed:
    """The peer will send no more; everything that it sent was delivered before."""

    socket: HostSocket


@record
class SocketLost:
    """The socket is dead."""

    socket: HostSocket
    cause: Cause


@record
class SendingHeld:
    """The peer takes no more just now (``held``), or takes again."""

    socket: HostSocket
    held: bool


@record
class ModuleText:
    """A line of the module that is not of its IP dialect, for example ``RING``."""

    lines: tuple[str, ...]


@record
class BearerFound:
    """A module that has just been taken over has IP up already."""

    kind: BearerKind
    addresses: Addresses


@record
class ModuleRestarted:
    """The module has forgotten everything."""


Event = (
    BearerFound | BearerLost | Incoming | DataWaiting | Received | PeerClosed | SocketLost | SendingHeld | ModuleText
    | ModuleRestarted
)  # fmt: skip

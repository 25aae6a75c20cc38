"""What happened unasked."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.causes import Cause
from gateway.model.values import Addresses, BearerKind, Endpoint, HostSocket


@dataclass(frozen=True, slots=True)
class BearerLost:
    """IP is gone, and with it every socket."""

    cause: Cause = Cause.BEARER_LOST


@dataclass(frozen=True, slots=True)
class Incoming:
    """A peer called a listener; ``connection`` names it until it is accepted or refused."""

    listener: HostSocket
    connection: int
    peer: Endpoint | None


@dataclass(frozen=True, slots=True)
class DataWaiting:
    """Something can be read from a socket that is not attached; told once until it was read."""

    socket: HostSocket
    size_bytes: int
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes of a stream, or one whole datagram."""

    socket: HostSocket
    data: bytes
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The peer will send no more; everything that it sent was delivered before."""

    socket: HostSocket


@dataclass(frozen=True, slots=True)
class SocketLost:
    """The socket is dead."""

    socket: HostSocket
    cause: Cause


@dataclass(frozen=True, slots=True)
class ModuleText:
    """A line of the module that is not of its IP dialect, for example ``RING``."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BearerFound:
    """A module that has just been taken over has IP up already."""

    kind: BearerKind
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class ModuleRestarted:
    """The module has forgotten everything."""


Event = (
    BearerFound | BearerLost | Incoming | DataWaiting | Received | PeerClosed | SocketLost | ModuleText | ModuleRestarted
)  # fmt: skip

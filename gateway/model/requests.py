"""What a host wants done, complete and in no dialect's terms.

A stored-parameter dialect fills a request from its parameters, an all-in-one dialect from one command: the request is
the same. Each class says what the result means; results are in :mod:`gateway.model.results`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.values import BearerKind, Endpoint, HostSocket, Secret


@dataclass(frozen=True, slots=True)
class StartBearer:
    """Bring IP up. Result: :class:`Done` with :class:`Addresses`."""

    kind: BearerKind
    access_point: str = ""
    user: Secret = Secret("")
    password: Secret = Secret("")
    context_id: int = 1
    number: str = ""
    """Telephone number; GSM only."""
    name_servers: tuple[str, ...] = ()
    """Dotted addresses to ask for names, where the network gives none."""


@dataclass(frozen=True, slots=True)
class StopBearer:
    """Take IP down; also when it is down already."""


@dataclass(frozen=True, slots=True)
class QueryBearer:
    """Whether IP is up: :class:`Done` with :class:`Addresses`, or with None when it is down."""


@dataclass(frozen=True, slots=True)
class ConnectTcp:
    """Open a TCP connection. The result comes when it is open or has failed."""

    socket: HostSocket
    peer: Endpoint


@dataclass(frozen=True, slots=True)
class ListenTcp:
    """Listen for TCP peers; each is told as an :class:`Incoming` event. ``capacity`` is how many may be open at once."""

    listener: HostSocket
    port: int
    capacity: int = 1
    want_peer: bool = False
    """The host's side must know who calls, to filter."""


@dataclass(frozen=True, slots=True)
class AcceptTcp:
    """Take the waiting connection as ``socket``."""

    listener: HostSocket
    connection: int
    socket: HostSocket
    last: bool = False
    """No other peer is wanted after this one: stop listening."""


@dataclass(frozen=True, slots=True)
class RefuseTcp:
    """Close the waiting connection; go on listening."""

    listener: HostSocket
    connection: int


@dataclass(frozen=True, slots=True)
class OpenUdp:
    """Open a UDP socket. Without ``peer`` it answers to whoever speaks first."""

    socket: HostSocket
    local_port: int | None = None
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """From now on deliver what arrives (also what waits) and take payload. ``peer``: UDP, only this peer from now on."""

    socket: HostSocket
    peer: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Detach:
    """Deliver no more until attached again; the socket stays open."""

    socket: HostSocket


@dataclass(frozen=True, slots=True)
class FilterWaiting:
    """UDP: throw away what waits from any but ``allowed``, an address.

    Gives the peer that spoke first of the rest, or None.
    """

    socket: HostSocket
    allowed: str


@dataclass(frozen=True, slots=True)
class ShutdownTcp:
    """Send no more, go on reading."""

    socket: HostSocket


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close a socket or listener, of whatever kind; payload given before is sent first."""

    socket: HostSocket


@dataclass(frozen=True, slots=True)
class ResolveName:
    """Look a name up: :class:`Done` with the dotted address as text."""

    name: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Echo requests; each answer is a :class:`Progress` with a :class:`PingEcho`, the result comes after the last."""

    target: str
    count: int = 1
    interval_ms: int = 2000
    timeout_ms: int = 2000
    size_bytes: int = 64
    ttl: int = 64


@dataclass(frozen=True, slots=True)
class PassThrough:
    """A command that is not of the host's dialect: ``text`` with its ``AT``, without the terminator."""

    text: str


@dataclass(frozen=True, slots=True)
class TextInput:
    """Text for a command that prompted; ``data`` ends with Ctrl-Z or ESC when ``complete``."""

    data: bytes
    complete: bool


Request = (
    StartBearer | StopBearer | QueryBearer | ConnectTcp | ListenTcp | AcceptTcp | RefuseTcp | OpenUdp | Attach | Detach
    | FilterWaiting | ShutdownTcp | CloseSocket | ResolveName | Ping | PassThrough
)  # fmt: skip

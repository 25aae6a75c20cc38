"""What a host wants done, complete and in no dialect's terms.

A stored-parameter dialect fills a request from its parameters, an all-in-one dialect from one command: the request is
the same. Each class says what the result means; results are in :mod:`gateway.model.results`.
"""

from __future__ import annotations

from gateway.model.record import record
from gateway.model.services import ServiceRequest
from gateway.model.tuning import Tune
from gateway.model.values import ANY_ADDRESS, BearerKind, Endpoint, Family, HostSocket, Secret


@record
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
    family: Family = Family.FOUR
    answers: bool = False
    """Answer the call that comes in, and be the PPP server who asks for ``user`` and ``password``; GSM only."""
    waits: bool = False
    """No call rings yet: one is waited for until the request is withdrawn."""
    rings: int = 0
    """How often it rings before it is answered."""
    caller: str = ""
    """The one number that is answered; "" for all."""
    own: str = ANY_ADDRESS
    """The address of this end of a call that comes in."""
    peer: str = ANY_ADDRESS
    """The address that the caller is given."""


@record
class StopBearer:
    """Take IP down; also when it is down already."""


@record
class QueryBearer:
    """Whether IP is up: :class:`Done` with :class:`Addresses`, or with None when it is down."""


@record
class ConnectTcp:
    """Open a TCP connection. The result comes when it is open or has failed."""

    socket: HostSocket
    peer: Endpoint
    secure: bool = False
    """Speak TLS."""
    family: Family = Family.FOUR


@record
class ListenTcp:
    """Listen for TCP peers; each is told as an :class:`Incoming` event. ``capacity`` is how many may be open at once."""

    listener: HostSocket
    port: int
    capacity: int = 1
    want_peer: bool = False
    """The host's side must know who calls, to filter."""
    allowed: str = ""
    """The one address from which may be called, "" for any; the host's side checks too."""
    family: Family = Family.FOUR


@record
class AcceptTcp:
    """Take the waiting connection as ``socket``."""

    listener: HostSocket
    connection: int
    socket: HostSocket
    last: bool = False
    """No other peer is wanted after this one: stop listening."""


@record
class RefuseTcp:
    """Close the waiting connection; go on listening."""

    listener: HostSocket
    connection: int


@record
class OpenUdp:
    """Open a UDP socket. Without ``peer`` it answers to whoever speaks first.

    ``allowed``: the one host that may, "" for any; the host's side checks too where it is told who speaks.
    """

    socket: HostSocket
    local_port: int | None = None
    peer: Endpoint | None = None
    allowed: str = ""
    family: Family = Family.FOUR


@record
class SendDatagram:
    """UDP: send one datagram to ``peer``, whoever the socket's own peer is, and take what this one answers."""

    socket: HostSocket
    data: bytes
    peer: Endpoint


@record
class Attach:
    """From now on deliver what arrives (also what waits) and take payload.

    ``peer``: UDP, only this peer from now on. ``alone``: as long as it is so, the host's side hears of nothing else.
    """

    socket: HostSocket
    peer: Endpoint | None = None
    alone: bool = False


@record
class Detach:
    """Deliver no more until attached again; the socket stays open."""

    socket: HostSocket


@record
class FilterWaiting:
    """UDP: throw away what waits from any but ``allowed``, an address.

    Gives the peer that spoke first of the rest, or None.
    """

    socket: HostSocket
    allowed: str


@record
class ShutdownTcp:
    """Send no more, go on reading."""

    socket: HostSocket


@record
class CloseSocket:
    """Close a socket or listener, of whatever kind; payload given before is sent first."""

    socket: HostSocket


@record
class ResolveName:
    """Look a name up: :class:`Done` with its address of the family as text."""

    name: str
    servers: tuple[str, ...] = ()
    """Addresses to ask instead of the network's own name servers, where that is possible."""
    family: Family = Family.FOUR


@record
class Ping:
    """Echo requests; each answer is a :class:`Progress` with a :class:`PingEcho`, the result comes after the last."""

    target: str
    count: int = 1
    interval_ms: int = 2000
    timeout_ms: int = 2000
    size_bytes: int = 64
    ttl: int = 64
    tos: int = 0
    """Type of service."""
    family: Family = Family.FOUR


@record
class PassThrough:
    """A command that is not of the host's dialect: ``text`` with its ``AT``, without the terminator."""

    text: str


@record
class SetClock:
    """Set the module's clock to a time in UTC, ``YYYY-MM-DDThh:mm:ss``."""

    time: str


@record
class TextInput:
    """Text for a command that prompted; ``data`` ends with Ctrl-Z or ESC when ``complete``."""

    data: bytes
    complete: bool


Request = (
    StartBearer | StopBearer | QueryBearer | ConnectTcp | ListenTcp | AcceptTcp | RefuseTcp | OpenUdp | SendDatagram
    | Attach | Detach | FilterWaiting | ShutdownTcp | CloseSocket | Tune | ResolveName | Ping | SetClock | PassThrough
    | ServiceRequest
)  # fmt: skip

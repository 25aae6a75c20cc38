"""What a module of the MIP family remembers: the link, its sockets, settings; and what may be done in which state.

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from gateway.dialect.dialect import Dialect
from gateway.model.causes import Cause
from gateway.model.values import Endpoint, Family, HostSocket


class Link(Enum):
    """States of the link; the value is the status of AT+MIPCALL? (1.1.1.4)."""

    DOWN = 0
    UP = 1
    BUSY = 2
    """Being set up or released."""


class SocketState(Enum):
    """Where a socket is."""

    OPENING = "opening"
    """OK was said, the result is not known (1.1.2.2)."""
    LISTENING = "listening"
    """Remote port 0 (1.1.2.4)."""
    OPEN = "open"
    ONLINE = "online"
    """In online data mode, or about to be (1.1.18)."""
    PAUSED = "paused"
    """Online, and the host in pseudo-command mode (1.1.24)."""
    ENDED = "ended"
    """The connection is gone, and the host has not been given all that came before."""
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a behaviour needs: the states in which it is allowed, and why it is refused in all others."""

    links: frozenset[Link] = frozenset(Link)
    no_link: Cause = Cause.NO_BEARER
    sockets: frozenset[SocketState | None] | None = None
    """None in the set: a socket that is free; no set: the behaviour has no socket, or takes every one."""
    no_socket: Cause = Cause.BAD_STATE


SIX = 60
"""Added to the protocols of IPv4 (1.1.2.4)."""
PING_FOUR, PING_SIX = 1, 2
"""Modes of +MPING (1.1.14.4)."""
RESOLVE_SIX, RESOLVE_BOTH, CLOCK_SIX = 1, 2, 1
"""Types of address that are not IPv4's alone (1.1.21.4, 1.1.22.4)."""
ECHO_REPLY = {Family.FOUR: 0, Family.SIX: 129}
"""ICMP type (RFC 792, RFC 4443)."""
_UP = frozenset({Link.UP})
_FREE: frozenset[SocketState | None] = frozenset({None})
_OPEN: frozenset[SocketState | None] = frozenset({SocketState.OPEN})
_OPENED: frozenset[SocketState | None] = frozenset(set(SocketState) - {SocketState.CLOSING})
_READABLE: frozenset[SocketState | None] = frozenset({SocketState.OPEN, SocketState.ENDED})

RULES: dict[str, Rule] = {
    # One link, set up or released to the end before the next command (1.1.1.2).
    "call_start": Rule(frozenset({Link.DOWN}), Cause.ALREADY_CONNECTED),
    "call_stop": Rule(frozenset({Link.DOWN, Link.UP}), Cause.NOT_ALLOWED),
    "open_client": Rule(_UP, sockets=_FREE, no_socket=Cause.INDEX_IN_USE),
    "open_listen": Rule(_UP, sockets=_FREE, no_socket=Cause.INDEX_IN_USE),
    "online_client": Rule(_UP, sockets=_FREE, no_socket=Cause.INDEX_IN_USE),
    "online_listen": Rule(_UP, sockets=_FREE, no_socket=Cause.INDEX_IN_USE),
    "close": Rule(sockets=_OPENED),
    # Data need +MIPCALL and +MIPOPEN (1.1.6.1); a socket that is online has its own way.
    "send_inline": Rule(_UP, sockets=_OPEN),
    "send_prompted": Rule(_UP, sockets=_OPEN),
    "push": Rule(_UP, sockets=_OPEN),
    "flush": Rule(_UP, sockets=_OPEN),
    "read": Rule(sockets=_READABLE),
    # Before the socket is opened, while the link is up (1.1.12.1, 1.1.12.2).
    "stack_set": Rule(_UP, sockets=_FREE, no_socket=Cause.NOT_ALLOWED),
    "ping": Rule(_UP),
    "resolve": Rule(_UP),
    "clock": Rule(_UP),
}


def refusal(behaviour: str, link: Link, socket: SocketState | None) -> Cause | None:
    """Why a behaviour is not allowed just now, or None when it is."""
    rule = RULES.get(behaviour)
    if rule is None:
        return None
    if link not in rule.links:
        return rule.no_link
    if rule.sockets is not None and socket not in rule.sockets:
        return rule.no_socket
    return None


class Accumulator:
    """The accumulating buffer of a socket: filled by +MIPSEND, emptied by a push (1.1.4.1)."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def free(self) -> int:
        """Room that is left."""
        return self._size_bytes - len(self._buffer)

    def add(self, data: bytes, watermark: int) -> list[bytes]:
        """Take data in; each time that the watermark is reached all of the buffer is to be pushed: those pushes."""
        pushes: list[bytes] = []
        while data:
            room = self.free
            self._buffer += data[:room]
            data = data[room:]
            if len(self._buffer) >= watermark:
                pushes.append(self.take())
        return pushes

    def take(self) -> bytes:
        """All of it; the buffer is empty then."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data


class Arrivals:
    """What came for a socket and was not given to the host yet; datagrams keep their boundaries."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, Endpoint | None]] = deque()
        self.size = 0

    def add(self, data: bytes, peer: Endpoint | None, *, divided: bool) -> None:
        """Data came; ``divided``: this is a datagram, a piece of a stream otherwise."""
        self.size += len(data)
        if self._waiting and not divided:
            last, _ = self._waiting.pop()
            data = last + data
        self._waiting.append((data, peer))

    def take(self, limit_bytes: int) -> tuple[bytes, Endpoint | None, int]:
        """The next piece, of one datagram at most, with its sender; and how much of its datagram or stream is left."""
        data, peer = self._waiting.popleft()
        piece, left = data[:limit_bytes], data[limit_bytes:]
        if left:
            self._waiting.appendleft((left, peer))
        self.size -= len(piece)
        return piece, peer, len(left)

    def __bool__(self) -> bool:
        return bool(self._waiting)


@dataclass(eq=False, slots=True)
class Socket:
    """A socket that is not free."""

    id: int
    protocol: int
    handle: HostSocket
    buffer: Accumulator
    state: SocketState = SocketState.OPENING
    peer: Endpoint | None = None
    """Whom it was opened to."""
    target: Endpoint | None = None
    """UDP: where the next datagram goes (1.1.7.4)."""
    spoken_to: bool = False
    """UDP: somebody has sent a datagram, whether or not the module told who."""
    push_due_s: float | None = None
    pushed_bytes: int = 0
    held: bool = False
    """The peer takes no more: +MIPXOFF was said (1.1.19)."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    attached: bool = False
    """What comes is delivered, not kept back at the peer."""
    delivering: bool = False
    """A task gives the host what came."""
    ended: bool = False
    broken: bool = False
    """It ended by itself, not by its peer's closing."""
    online: bool = False
    """It was opened by +MIPODM."""
    pseudo: bool = True
    """+++ leaves online data mode (F47)."""

    @property
    def family(self) -> Family:
        """Of its protocol."""
        return family_of(self.protocol)

    @property
    def udp(self) -> bool:
        """Protocols 1 and 61."""
        return self.protocol % SIX == 1

    @property
    def secure(self) -> bool:
        """Protocols 2 and 62."""
        return self.protocol % SIX == 2


def family_of(protocol: int) -> Family:
    """The Internet Protocol of one of 0 to 2 and 60 to 62."""
    return Family.SIX if protocol >= SIX else Family.FOUR


@dataclass(slots=True)
class Settings:
    """What is set for a socket's id, whether it is open or not; until the power cycle (1.1.4, 1.1.5, 1.1.12, 1.1.16)."""

    watermark: int
    timeout_ms: int
    output_size: int
    output_span_ms: int
    stack: dict[str, int]
    servers: dict[str, list[str]]
    """By command: primary and secondary name server, "" where none is set."""


class Sockets:
    """The table of sockets 1 to 6, and the settings of their ids."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        numbers = dialect.tables.numbers
        self.ids = range(1, numbers["sockets"] + 1)
        self.sockets: dict[int, Socket] = {}
        self.settings = {id: self._initial() for id in range(1, numbers["name_server_socket"] + 1)}
        self._handles = 0

    def _initial(self) -> Settings:
        def first(command: str, name: str) -> int:
            return int(self._dialect.argument(command, name).initial or 0)

        stack = {name: first("+MIPCONF", name) for name in self._dialect.tables.commands["+MIPCONF"].ranges[1:]}
        return Settings(
            first("+MIPSETS", "size"),
            first("+MIPSETS", "timeout"),
            first("+MIPDSETS", "size"),
            first("+MIPDSETS", "span"),
            stack,
            {"+MSDNS": ["", ""], "+MSV6DNS": ["", ""]},
        )

    def new(self, id: int, protocol: int) -> Socket:
        """Take a socket."""
        self._handles += 1
        size = self._dialect.tables.numbers["accumulating_bytes"]
        socket = Socket(id, protocol, HostSocket(self._handles), Accumulator(size))
        self.sockets[id] = socket
        return socket

    def rename(self, socket: Socket) -> HostSocket:
        """A listening socket becomes a connection, which has a name of its own."""
        self._handles += 1
        socket.handle = HostSocket(self._handles)
        return socket.handle

    def state(self, id: int) -> SocketState | None:
        """Where a socket is; None: it is free."""
        return self.sockets[id].state if id in self.sockets else None

    def by_handle(self, handle: HostSocket) -> Socket | None:
        """The socket of a name."""
        return next((socket for socket in self.sockets.values() if socket.handle == handle), None)

    def has(self, socket: Socket) -> bool:
        """Whether a socket is still what it was."""
        return self.sockets.get(socket.id) is socket

    def forget(self, socket: Socket) -> None:
        """It is free again."""
        if self.has(socket):
            del self.sockets[socket.id]

    @property
    def free(self) -> list[int]:
        """Ids that can be opened."""
        return [id for id in self.ids if id not in self.sockets]

    @property
    def active(self) -> list[Socket]:
        """Sockets with a connection, in the order of their ids."""
        states = (SocketState.OPEN, SocketState.ONLINE, SocketState.PAUSED)
        return [socket for _, socket in sorted(self.sockets.items()) if socket.state in states]

"""What a WIPSoft module remembers: stack and bearers with their options, sockets, servers, the session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gateway.dialect.dialect import Dialect
from gateway.dialect.nodes import Shape, Value
from gateway.dialect.schema import Option, ValueType
from gateway.dialect.values import WrongValue, read_value
from gateway.model.causes import Cause
from gateway.model.requests import StartBearer
from gateway.model.services import Begun
from gateway.model.values import Addresses, Endpoint, HostSocket, Secret


class Refused(Exception):  # becomes the command's error
    """An option or value that cannot be."""

    def __init__(self, cause: Cause):
        super().__init__(cause)
        self.cause = cause


class Options:
    """Numbered options of one table: values in use, and the set that is stored."""

    def __init__(self, table: dict[str, Option], stored: dict[str, str | int]) -> None:
        self.table = table
        self.values: dict[str, str | int] = {}
        self.stored = stored
        self.reset()

    def reset(self) -> None:
        """The stored set, and defaults for the rest."""
        self.values = {
            number: (option.default if option.default is not None else _empty(option))
            for number, option in self.table.items()
        }
        self.values |= {number: value for number, value in self.stored.items() if number in self.values}

    def number(self, option: int, missing: int = 0) -> int:
        """A numeric option's value; ``missing`` where the dialect has no such option."""
        return int(self.values.get(str(option), missing))

    def set(self, option: int, value: Value) -> None:
        """Set an option. Raises :class:`Refused`."""
        entry = self.table.get(str(option))
        if entry is None or "w" not in entry.access:
            raise Refused(Cause.BAD_OPTION)
        kind = ValueType(entry.kind, entry.minimum, entry.maximum, values=entry.values, max_length=entry.max_length)
        try:
            self.values[str(option)] = read_value(kind, value)
        except WrongValue:
            raise Refused(Cause.BAD_VALUE) from None

    def written(self, option: int) -> str:
        """An option's value as it is printed. Raises :class:`Refused`."""
        entry = self.table.get(str(option))
        if entry is None or "r" not in entry.access:
            raise Refused(Cause.BAD_OPTION)
        return write_option(entry, self.values[str(option)])

    def to_store(self) -> dict[str, str | int]:
        """The values that a storage keeps."""
        return {number: value for number, value in self.values.items() if self.table[number].stored}


def write_option(entry: Option, value: str | int) -> str:
    """Text in quotes, numbers bare."""
    return f'"{value}"' if entry.kind in ("string", "ip") else str(value)


def _empty(option: Option) -> str | int:
    return {"ip": "0.0.0.0", "string": ""}.get(option.kind, 0)


def text_value(text: str | int) -> Value:
    """A value for :meth:`Options.set`."""
    return Value(Shape.STRING, str(text))


@dataclass(slots=True)
class Bearer:
    """An open bearer (4.2)."""

    bid: int
    options: Options
    started: bool = False
    addresses: Addresses = field(default_factory=Addresses)
    serves: StartBearer | None = None
    """The request of a server, which takes calls."""


class SocketState(Enum):
    """Where a socket is (5.1, 6.2)."""

    OPENING = "opening"
    READY = "ready"
    MAPPED = "mapped"
    OFFLINE = "offline"


@dataclass(slots=True)
class Socket:
    """A UDP socket, TCP client or spawned client."""

    protocol: int
    index: int
    handle: HostSocket
    state: SocketState = SocketState.OPENING
    local_port: int = 0
    peer: Endpoint | None = None
    located: Endpoint | None = None
    """The peer by its address, where it was named and the network has told it."""
    secure: bool = False
    """SSL (protocol 9): an index of the TCP clients all the same."""
    repointed: bool = False
    """UDP: the host has named another peer by an option."""
    bound: bool = True
    server: int | None = None
    told: bool = False
    """+WIPDATA was said and nothing was read since (6.2.6)."""
    news: str = ""
    """That line, as long as it waits for its moment."""
    waiting: int = 0
    peer_closed: bool = False
    close_told: bool = False
    carried: bytes = b""
    options: dict[str, int] = field(default_factory=dict)

    @property
    def mode(self) -> int:
        """The protocol as the host names it."""
        return 9 if self.secure else self.protocol

    def read(self, state: SocketState) -> None:
        """All that came for it goes to the host from now on, in that state."""
        self.state, self.told, self.waiting, self.news = state, False, 0, ""


class SessionState(Enum):
    """Where a session with a server is."""

    OPENING = "opening"
    """5.1.2: created, not ready."""
    READY = "ready"
    MOVING = "moving"
    """6.1: +WIPFILE moves data."""


class Deed(Enum):
    """What a host can do to a session."""

    CREATE = "create"
    CLOSE = "close"
    OPTION = "option"
    MOVE = "move"


SESSION_RULES: dict[tuple[Deed, SessionState | None], Cause | None] = {
    # One session of whatever protocol (5.1.7, 9.15).
    (Deed.CREATE, None): None,
    (Deed.CREATE, SessionState.OPENING): Cause.INDEX_IN_USE,
    (Deed.CREATE, SessionState.READY): Cause.INDEX_IN_USE,
    (Deed.CREATE, SessionState.MOVING): Cause.INDEX_IN_USE,
    (Deed.CLOSE, SessionState.OPENING): None,
    (Deed.CLOSE, SessionState.READY): None,
    (Deed.CLOSE, SessionState.MOVING): None,
    # 5.3.7
    (Deed.OPTION, None): Cause.BAD_INDEX,
    (Deed.OPTION, SessionState.READY): None,
    (Deed.OPTION, SessionState.MOVING): None,
    (Deed.MOVE, SessionState.READY): None,
}
"""Why a deed is refused when the session is so (None: there is none, or not this one); a missing pair is a bad state."""


@dataclass(slots=True)
class MmsPart:
    """A part of a message that was announced (5.3.7.6)."""

    kind: str
    """Its media type."""
    size_bytes: int
    name: str
    content_id: str
    data: bytes | None = None
    """Once +WIPFILE has brought it."""


@dataclass(slots=True)
class Session:
    """The session with a server, and what it was created with."""

    protocol: int
    index: int
    handle: HostSocket
    options: Options
    server: Endpoint | None = None
    user: str = ""
    password: Secret = Secret("")
    headers: tuple[tuple[str, str], ...] = ()
    state: SessionState = SessionState.OPENING
    listens: bool = False
    """A data phase of the host's takes what comes; otherwise that is a task's, or nobody's."""
    status: tuple[int, str] = (0, "OK")
    """What the server said last (options 60 and 70): 0 when nothing went wrong."""
    answer: Begun | None = None
    """What a web server said last."""
    parts: list[MmsPart] = field(default_factory=list)
    start_type: str = ""
    start_id: str = ""


@dataclass(slots=True)
class Server:
    """A TCP server and the client indices that it reserves (5.1.7)."""

    index: int
    handle: HostSocket
    port: int
    first: int
    last: int
    open: bool = True
    options: dict[str, int] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)
    """Indices of closed clients, where a closed client's index is not given back (S20)."""


class Sockets:
    """The tables of sockets and servers, with the rules of who may have which index."""

    def __init__(self, dialect: Dialect) -> None:
        self._reuses = dialect.switch("freed_index") == "reused"
        self.sockets: dict[tuple[int, int], Socket] = {}
        self.servers: dict[int, Server] = {}
        self.session: Session | None = None
        self._handles = 0

    def handle(self) -> HostSocket:
        """A new name for a socket."""
        self._handles += 1
        return HostSocket(self._handles)

    @property
    def count(self) -> int:
        """Sockets that count towards SOCK_MAX."""
        servers = sum(server.open for server in self.servers.values())
        return len(self.sockets) + servers + (self.session is not None)

    def refusal(self, deed: Deed, session: Session | None) -> Cause | None:
        """Why something cannot be done to a session now, or None."""
        return SESSION_RULES.get((deed, session.state if session is not None else None), Cause.BAD_STATE)

    def reserved(self, index: int) -> bool:
        """Whether a server holds a client index."""
        return any(server.first <= index <= server.last for server in self.servers.values())

    def by_handle(self, handle: HostSocket) -> Socket | None:
        """The socket of a name."""
        return next((socket for socket in self.sockets.values() if socket.handle == handle), None)

    def server_by_handle(self, handle: HostSocket) -> Server | None:
        """The server of a name."""
        return next((server for server in self.servers.values() if server.handle == handle), None)

    def free_child(self, server: Server) -> int | None:
        """The lowest index that the server can give to a new client."""
        for index in range(server.first, server.last + 1):
            if (2, index) not in self.sockets and (self._reuses or index not in server.spent):
                return index
        return None

    def forget(self, socket: Socket) -> None:
        """A socket is closed; a closed server whose last client that was gives up its range."""
        self.sockets.pop((socket.protocol, socket.index), None)
        server = self.servers.get(socket.server) if socket.server is not None else None
        if server is not None:
            server.spent.add(socket.index)
            self.release(server)

    def release(self, server: Server) -> None:
        """Give up the range of a server that is closed and has no clients left."""
        children = any(socket.server == server.index for socket in self.sockets.values())
        if not server.open and not children:
            self.servers.pop(server.index, None)

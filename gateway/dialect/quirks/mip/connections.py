"""The sockets 1 to 6 of a module of the MIP family, as the gateway keeps them: who holds which, and what came for it.

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from gateway.model.values import Endpoint, Family, HostSocket

KEPT_LIMIT_BYTES = 65536
"""So much may wait for the host's side on one socket before the module is read no more."""
KEPT_MOST_BYTES = 16 * KEPT_LIMIT_BYTES
"""And so much when it must be read all the same, because a command's answer is awaited."""


class Stage(Enum):
    """Where a socket of the module is."""

    OPENING = "opening"
    LISTENING = "listening"
    """Remote port 0; it becomes the connection (1.1.2.4)."""
    CALLED = "called"
    """A peer has come, and the host's side has neither taken nor refused it."""
    OPEN = "open"
    CLOSING = "closing"
    """AT+MIPCLOSE was said, +MIPCLOSE was not heard."""


@dataclass(eq=False, slots=True)
class Connection:
    """One socket of the module that is not free."""

    id: int
    stage: Stage
    holder: HostSocket | None
    """The host's socket; the listener's for one that listens or was called."""
    free: int
    """Room in the accumulating buffer (1.1.6.4)."""
    udp: bool = False
    peer: Endpoint | None = None
    """UDP: the only one that is heard, and spoken to."""
    fixed: bool = False
    """UDP: it was opened to its peer, so that nobody need be named with each datagram."""
    speaker: Endpoint | None = None
    """UDP without a peer: who spoke first."""
    told: bool = False
    """The host's side knows that it is open."""
    attached: bool = False
    ended: int | None = None
    """The status with which it ended (1.1.11.4)."""
    ended_by: str = ""
    """The message that said so first."""
    late_close: bool = False
    """Its +MIPCLOSE may be that of the connection that had the socket before."""
    held: bool = False
    """It takes no more payload just now (1.1.19)."""
    tries: bool = False
    """A block is tried all the same."""
    unpushed: bool = False
    """The accumulating buffer could not be pushed."""
    kept: deque[tuple[bytes, Endpoint | None]] = field(default_factory=deque)
    """What came before it was wanted."""
    kept_bytes: int = 0
    part: bytes = b""
    """UDP: the beginning of a datagram whose rest follows."""

    def keep(self, data: bytes, peer: Endpoint | None) -> bool:
        """Keep what came; False when there is no room."""
        if self.kept_bytes + len(data) > KEPT_MOST_BYTES:
            return False
        self.kept.append((data, peer))
        self.kept_bytes += len(data)
        return True

    def take(self) -> list[tuple[bytes, Endpoint | None]]:
        """All that was kept."""
        kept = list(self.kept)
        self.kept.clear()
        self.kept_bytes = 0
        return kept

    def filter(self, host: str, port: int | None = None) -> None:
        """Throw away what came from any other."""
        kept = [
            (data, peer)
            for data, peer in self.take()
            if peer is not None and peer.host == host and port in (None, peer.port)
        ]
        for data, peer in kept:
            self.keep(data, peer)


@dataclass(eq=False, slots=True)
class Listener:
    """What the host's side listens with; it outlives the module's socket, which becomes a connection."""

    holder: HostSocket
    port: int
    family: Family = Family.FOUR


class Connections:
    """All of them."""

    def __init__(self, ids: int, room_bytes: int) -> None:
        self._ids = range(1, ids + 1)
        self._room_bytes = room_bytes
        self.by_id: dict[int, Connection] = {}
        self.listeners: dict[HostSocket, Listener] = {}
        self._open: dict[HostSocket, Connection] = {}

    def take(self, holder: HostSocket, stage: Stage, *, udp: bool = False) -> Connection | None:
        """A free socket; when there is no other the one that has been closing for the longest."""
        free = next((id for id in self._ids if id not in self.by_id), None)
        late = free is None
        if late:
            free = next((id for id, one in self.by_id.items() if one.stage is Stage.CLOSING), None)
        if free is None:
            return None
        connection = Connection(free, stage, holder, self._room_bytes, udp, late_close=late)
        self.by_id[free] = connection
        if stage is not Stage.LISTENING:
            self._open[holder] = connection
        return connection

    def of(self, holder: HostSocket) -> Connection | None:
        """The connection of a host's socket that is no listener."""
        return self._open.get(holder)

    def accept(self, connection: Connection, holder: HostSocket) -> None:
        """A peer's connection is the host's from now on."""
        connection.stage, connection.holder = Stage.OPEN, holder
        self._open[holder] = connection

    def called(self, listener: HostSocket) -> list[Connection]:
        """The module's sockets that listen for a listener, or were called."""
        stages = (Stage.LISTENING, Stage.CALLED)
        return [one for one in self.by_id.values() if one.holder == listener and one.stage in stages]

    def closing(self, connection: Connection) -> None:
        """It is not the host's any more."""
        if connection.holder is not None:
            self._open.pop(connection.holder, None)
        connection.stage, connection.holder = Stage.CLOSING, None
        connection.take()
        self.by_id[connection.id] = self.by_id.pop(connection.id)  # behind those that have been closing for longer

    def release(self, connection: Connection) -> None:
        """The module's socket is free."""
        if self.by_id.get(connection.id) is connection:
            del self.by_id[connection.id]
        if connection.holder is not None and self._open.get(connection.holder) is connection:
            del self._open[connection.holder]

    def clear(self) -> list[HostSocket]:
        """Forget everything; the host's sockets there were."""
        holders = [*self._open, *self.listeners]
        self.by_id.clear()
        self.listeners.clear()
        self._open.clear()
        return holders

    @property
    def held(self) -> list[Connection]:
        """Those that the host's side holds."""
        return list(self._open.values())

    @property
    def resting(self) -> list[Listener]:
        """Listeners for which no socket of the module listens just now."""
        listening = {one.holder for one in self.by_id.values() if one.stage in (Stage.LISTENING, Stage.CALLED)}
        return [one for holder, one in self.listeners.items() if holder not in listening]

    @property
    def full(self) -> bool:
        """Whether so much waits that the module should not be read."""
        return any(one.kept_bytes > KEPT_LIMIT_BYTES for one in self.by_id.values())

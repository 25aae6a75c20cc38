"""The sockets of a WIPSoft module, as the gateway keeps them: who holds which index, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.dialect.quirks.wipsoft.numbers import SERVER, TCP, TLS, UDP
from gateway.model.causes import Cause
from gateway.model.values import Endpoint, HostSocket


@dataclass(slots=True)
class Connection:
    """One socket of the module, and who holds it on the host's side."""

    protocol: int
    index: int
    local_port: int | None = None
    peer: Endpoint | None = None
    secure: bool = False
    """SSL: an index of the TCP clients all the same."""
    last: int = 0
    """Server, and the clients that it accepted: the last of its client indices, which begin at ``first``. The module
    keeps them, and the server's own, until it and they are all closed."""
    first: int = 0
    server: int = 0
    """TCP: which server accepted it."""
    peer_closed: bool = False
    over: bool = False
    """It has ended, by ``cause`` or by its peer; something waits to be read before that is told."""
    cause: Cause | None = None
    attached: bool = False
    """The host's side takes what comes."""
    alone: bool = False
    """And as long as it does, it hears of nothing else."""
    detached: bool = False
    """The host has left the data mode of its own will."""
    waiting: bool = False
    """The module has told that something can be read, and it was not read."""
    beside: bool = False
    """The host gives commands of its own while it is open."""
    astray: bool = False
    """UDP: it was made again without its peer, to hear another too."""
    speaker: Endpoint | None = None
    """UDP: who sent the datagram that was told last."""
    kept: list[tuple[Endpoint | None, bytes]] = field(default_factory=list)
    """What was read before the host's side takes it: pieces of a stream, or datagrams with who sent them."""
    part: bytes = b""
    """UDP: the beginning of a datagram of which more blocks follow."""

    @property
    def mode(self) -> int:
        """The protocol as the module names it."""
        return TLS if self.secure else self.protocol


class Connections:
    """All of them."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._limits = {UDP: numbers["udp_sockets"], TCP: numbers["tcp_sockets"], SERVER: numbers["server_sockets"]}
        self.held: dict[HostSocket, Connection] = {}
        self.calls: dict[int, HostSocket] = {}
        """Connections that were accepted by the module and wait for the host's side: index to listener."""
        self.gone: set[int] = set()
        """Indices whose peer has closed; what it sent before can still be read."""
        self.session: Connection | None = None
        """Whose the offline session is (6.3): there is one."""

    def clear(self) -> list[HostSocket]:
        """Forget everything; the host's sockets there were."""
        holders = list(self.held)
        self.held.clear()
        self.calls.clear()
        self.session = None
        return holders

    def at(self, mode: int, index: int) -> HostSocket | None:
        """Who holds a socket of the module's; a server's is its listener."""
        return next((holder for holder, one in self.held.items() if (one.mode, one.index) == (mode, index)), None)

    def of(self, entry: Connection) -> HostSocket | None:
        """Who holds it; None when it is not open any more."""
        return next((holder for holder, one in self.held.items() if one is entry), None)

    def may_stay(self, holder: HostSocket) -> bool:
        """Whether a data mode of this socket may stay open: nothing else is wanted of the module meanwhile."""
        entry = self.held[holder]
        return (entry.attached and entry.alone) or not (len(self.held) > 1 or entry.beside or entry.astray)

    @property
    def kept_bytes(self) -> int:
        """How much waits for the host's side."""
        return sum(len(data) for one in self.held.values() for _, data in one.kept)

    def server_of(self, index: int) -> int:
        """The server that a client index belongs to, where the module does not say it (X02); 0 for none."""
        servers = (one for one in self.held.values() if one.protocol == SERVER)
        return next((one.index for one in servers if one.first <= index <= one.last), 0)

    def free_index(self, protocol: int) -> int | None:
        """The lowest index that nobody holds."""
        return next(iter(self.free_indices(protocol)), None)

    def free_indices(self, protocol: int) -> list[int]:
        """All that nobody holds."""
        used = self._used(protocol)
        return [index for index in range(1, self._limits[protocol] + 1) if index not in used]

    def free_range(self, capacity: int) -> tuple[int, int] | None:
        """The largest run of free client indices, at most ``capacity`` long."""
        used, limit = self._used(TCP), self._limits[TCP]
        best: tuple[int, int] | None = None
        start = None
        for index in range(1, limit + 2):
            if index in used or index > limit:
                if start is not None and (best is None or index - start > best[1] - best[0] + 1):
                    best = (start, min(index - 1, start + capacity - 1))
                start = None
            elif start is None:
                start = index
        return best

    def _used(self, protocol: int) -> set[int]:
        used = {one.index for one in self.held.values() if one.protocol == protocol}
        kept = [one for one in self.held.values() if one.last]  # by a server for its clients (5.1.7)
        if protocol == TCP:
            used.update(index for one in kept for index in range(one.first, one.last + 1))
        elif protocol == SERVER:
            used.update(one.server for one in kept)
        return used

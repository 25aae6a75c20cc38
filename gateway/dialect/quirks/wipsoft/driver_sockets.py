"""Sockets of a WIPSoft module come and go (5.1, 5.2), and names are looked up by them.

Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Await, Chores, Command, DriverSteps, Emit, Final, Forget, Leave, Part, Wanted
from gateway.dialect.quirks.wipsoft.connections import Connection
from gateway.dialect.quirks.wipsoft.driver_tuning import TuningDriver
from gateway.dialect.quirks.wipsoft.numbers import SERVER, TCP, TLS, UDP
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import Incoming
from gateway.model.requests import AcceptTcp, ConnectTcp, ListenTcp, OpenUdp, RefuseTcp, ResolveName
from gateway.model.results import Done, Failed
from gateway.model.values import Endpoint, HostSocket, is_dotted

PEER_PORT, PEER_ADDRESS = 1, 2
"""Socket options (5.3.7.1)."""
UNCLEAR = (
    Cause.UNREACHABLE, Cause.CREATION_FAILED, Cause.TIMED_OUT, Cause.INTERNAL, Cause.REFUSED, Cause.OPEN_FAILED
)  # fmt: skip
"""Why a socket could not be opened, where an unknown name may be behind it."""
CLOSE_ECHO_S = 0.3
"""How long after its OK a module that tells every close may take to tell it (X12)."""
ECHO_S = 1.0
"""So long behind a +WIPPEERCLOSE a +WIPREADY may still come."""


class SocketsDriver(TuningDriver):
    """See the module's text."""

    _shut_last = (0, 0)
    """Protocol and index of what was closed last, until the next is made."""
    _echoes = False
    """The module has told a close of our own, as others do always."""

    def _create(self, text: str, protocol: int, index: int) -> Part:
        """Create a socket; one that is left over from before is closed first, or the server that keeps its index."""
        self._shut_last = 0, 0
        answer: Answer = yield Command(text)
        if self._is_in_the_way(answer):
            yield from self._shut(protocol, index)
            answer = yield Command(text)
        if protocol in (TCP, TLS) and self._says(answer, "+WIPCREATE", Cause.INDEX_RESERVED):
            for server in self.connections.free_indices(SERVER):
                yield from self._shut(SERVER, server)
            answer = yield Command(text)
        return answer

    def _is_in_the_way(self, answer: Answer) -> bool:
        return self._says(answer, "+WIPCREATE", Cause.INDEX_IN_USE, Cause.INDEX_RESERVED)

    def _shut(self, protocol: int, index: int) -> Part:
        """Close a socket of the module's. What it may say of it behind its OK belongs to it, not to the next there."""
        session = self.connections.session
        if session is not None and (session.mode, session.index) == (protocol, index):
            yield from self._close_session()
        answer: Answer = yield Command(self.dialect.write("socket_close", protocol=protocol, index=index))
        self._shut_last = protocol, index
        learned = self._echoes and protocol != SERVER
        if answer.ok and (learned or self.dialect.switch("local_close") == "all"):
            echo: Heard | None = yield Await(
                lambda heard: (
                    (heard.key, heard.number("protocol"), heard.number("index")) == ("peer_closed", protocol, index)
                ),
                CLOSE_ECHO_S,
            )
            self._echoes = echo is not None if learned else self._echoes
        return answer

    def _close_session(self) -> Chores:
        """Close the offline session, if there is one (6.3)."""
        session, self.connections.session = self.connections.session, None
        if session is not None:
            yield Command(self.dialect.write("offline_close", index=session.index), frozenset({"offline_closed"}))

    def _ready(self, protocol: int, index: int) -> Part:
        """Wait until a created socket is usable: None, or why it is not."""

        def wanted(heard: Heard) -> bool:
            fields = (heard.number("mode"), heard.number("protocol"))
            return (
                heard.key in ("ready", "open_error", "peer_closed", "error")
                and (heard.key == "error" or protocol in fields)
                and (heard.key == "error" or heard.number("index") == index)
            )

        heard: Heard | None = yield Await(wanted, f"+WIPREADY={protocol}")
        if heard is None:
            return Failed(Cause.TIMED_OUT, "no +WIPREADY")
        if heard.key == "ready":
            return None
        if heard.key == "peer_closed":
            # An echo of the close of the index's last holder (X12), or how some tell that the open has failed.
            ready: Heard | None = yield Await(lambda heard: heard.key == "ready" and wanted(heard), ECHO_S)
            return Failed(Cause.REFUSED, "+WIPPEERCLOSE") if ready is None else None
        return Failed(self.dialect.cause_of(heard.fields["code"]), heard.fields["code"])

    def do_connect_tcp(self, request: ConnectTcp) -> DriverSteps:
        """OK, then ready or failed."""
        index = self.connections.free_index(TCP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        does, mode = ("tls_create", TLS) if request.secure else ("tcp_create", TCP)
        if not self.dialect.writes(does):
            return Failed(Cause.NOT_SUPPORTED)
        try:
            text = self.dialect.write(does, index=index, host=request.peer.host, port=request.peer.port)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, mode, index)
        failed: Failed | None = None if answer.ok else self.failed(answer, "+WIPCREATE")
        if failed is None:
            failed = yield from self._ready(mode, index)
        if failed is None:
            self.connections.held[request.socket] = Connection(TCP, index, peer=request.peer, secure=request.secure)
            yield from self.tune(request.socket)
            return Done()
        if failed.cause is not Cause.NO_MODULE:
            yield from self._shut(mode, index)
            failed = yield from self._why(failed, request.peer.host)
        return failed

    def _why(self, failed: Failed, host: str) -> Part:
        """The module has one code for an unknown name, a refusal and silence: find out which it was."""
        failed = yield from self._unless_gone(failed)
        unclear = (*UNCLEAR, Cause.CLOSED_BY_PEER)
        if failed.cause in unclear and not is_dotted(host) and not (yield from self._resolves(host)):
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    def _resolves(self, host: str) -> Part:
        """Whether the module can look a name up: a UDP socket to it becomes ready without any peer's help.

        So it seems, too, where nobody waits any more for the reason of what failed.
        """
        if not (yield Wanted()):
            return True
        result = yield from self.do_resolve_name(ResolveName(host), read=False)
        return isinstance(result, Done)

    def do_resolve_name(self, request: ResolveName, *, read: bool = True) -> DriverSteps:
        """By a UDP socket to it, whose peer's address can be read; not read: whether it has one."""
        index = self.connections.free_index(UDP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        try:
            text = self.dialect.write("udp_create", index=index, host=request.name, port=9)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, UDP, index)
        failed = None if answer.ok else Failed(Cause.NAME_NOT_RESOLVED, answer.original)
        if failed is None:
            failed = yield from self._ready(UDP, index)
        address = ""
        if failed is None and read:
            address = yield from self._peer_of(UDP, index)
        yield from self._shut(UDP, index)
        if failed is not None or (read and not is_dotted(address)):
            failed = Failed(Cause.NAME_NOT_RESOLVED, failed.original if failed else address)
            return (yield from self._unless_gone(failed, (Cause.NAME_NOT_RESOLVED,))) if read else failed
        return Done(address)

    def _peer_of(self, protocol: int, index: int) -> Part:
        """The address of a socket's peer, "" when the module will not tell."""
        answer: Answer = yield Command(
            self.dialect.write("option_get", protocol=protocol, index=index, option=PEER_ADDRESS),
            frozenset({"socket_option", "socket_option_other"}),
        )
        return answer.heard[0].fields["value"] if answer.ok and answer.heard else ""

    def do_listen_tcp(self, request: ListenTcp) -> DriverSteps:
        """A server, with as many client indices as the host's side takes peers, or as there are."""
        server = self.connections.free_index(SERVER)
        free = self.connections.free_range(request.capacity)
        if server is None or free is None:
            return Failed(Cause.NO_FREE_SOCKET)
        indices = {"from": free[0], "to": free[1]}
        try:
            text = self.dialect.write("server_create", server=server, server_port=request.port, **indices)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if self._is_in_the_way(answer):
            yield from self._shut(SERVER, server)
            for index in range(free[0], free[1] + 1):
                yield from self._shut(TCP, index)
            answer = yield Command(text)
        if not answer.ok:
            refused: Failed = yield from self._unless_gone(self.failed(answer, "+WIPCREATE"))
            return refused
        self.connections.held[request.listener] = Connection(SERVER, server, request.port, first=free[0], last=free[1])
        self._wants_peer = request.want_peer
        yield from self.tune(request.listener)
        return Done()

    _wants_peer = False

    def incoming(self, server: int, index: int) -> Chores:
        """A peer has called: tell the host's side, with its address when it filters."""
        listener = self.connections.at(SERVER, server)
        if listener is None:  # none of ours (any more): an eDSoft-like host takes one peer only
            yield from self._shut(TCP, index)
            return
        peer = None
        if self._wants_peer:
            peer = Endpoint((yield from self._peer_of(TCP, index)), 0)
        self.connections.calls[index] = listener
        yield Emit(Incoming(listener, index, peer))

    def do_accept_tcp(self, request: AcceptTcp) -> DriverSteps:
        """The module has accepted it already."""
        if self.connections.calls.pop(request.connection, None) is None:
            return Failed(Cause.CLOSED_BY_PEER)
        index = request.connection
        server = self.connections.held.get(request.listener, Connection(SERVER, 0))
        self.connections.held[request.socket] = Connection(
            TCP,
            index,
            peer_closed=index in self.connections.gone,
            first=server.first,
            last=server.last,
            server=server.index,
        )
        if request.last:
            entry = self.connections.held.pop(request.listener, None)
            if entry is not None:
                yield from self._shut(SERVER, entry.index)
            for index in list(self.connections.calls):
                del self.connections.calls[index]
                yield from self._shut(TCP, index)
        return Done()

    def do_refuse_tcp(self, request: RefuseTcp) -> DriverSteps:
        """Close what the module has accepted."""
        self.connections.calls.pop(request.connection, None)
        yield from self._shut(TCP, request.connection)
        return Done()

    def do_open_udp(self, request: OpenUdp) -> DriverSteps:
        """OK, then ready, or a name that nobody knows."""
        index = self.connections.free_index(UDP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        entry = Connection(UDP, index, request.local_port, request.peer)
        failed: Failed | None = yield from self._create_udp(entry)
        if failed is None:
            self.connections.held[request.socket] = entry
            yield from self.tune(request.socket)
            return Done()
        failed = yield from self._unless_gone(failed)
        if failed.cause is Cause.BEARER_LOST:
            return failed
        if request.peer is not None and failed.cause is not Cause.NO_MODULE:
            yield from self._shut(UDP, index)
            # A UDP socket needs nobody's consent: what fails is the name.
            if failed.cause in UNCLEAR:
                dotted = is_dotted(request.peer.host)
                failed = Failed(Cause.OPEN_FAILED if dotted else Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    def _create_udp(self, entry: Connection) -> Part:
        peer: dict[str, str | int] = {"host": entry.peer.host, "port": entry.peer.port} if entry.peer else {}
        local: dict[str, str | int] = {} if entry.local_port is None else {"local_port": entry.local_port}
        try:
            text = self.dialect.write("udp_create", index=entry.index, **peer, **local)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, UDP, entry.index)
        if not answer.ok and peer and not local and self._cause(answer) in (Cause.BAD_COUNT, None, Cause.BAD_PORT):
            # X10: the 5.57 syntax line wants a local port, its examples do not.
            text = self.dialect.write("udp_create", index=entry.index, local_port=49000 + entry.index, **peer)
            answer = yield from self._create(text, UDP, entry.index)
        if not answer.ok:
            return self.failed(answer, "+WIPCREATE")
        return (yield from self._ready(UDP, entry.index))

    def _close(self, socket: HostSocket) -> DriverSteps:
        entry = self.connections.held.pop(socket, None)
        if entry is None:
            return Done()
        if self.mapped == socket:
            yield Leave()
        yield Forget(socket)
        if entry.protocol == SERVER:
            for index in [index for index, listener in self.connections.calls.items() if listener == socket]:
                del self.connections.calls[index]
                yield from self._shut(TCP, index)
        answer: Answer = yield from self._shut(entry.mode, entry.index)
        return Done() if answer.ok or answer.final is Final.ERROR else self.failed(answer, "+WIPCLOSE")

    def finish(self) -> Chores:
        """No socket stays open; the bearer stays as it is: the equipment may be reached again at once."""
        for socket in list(self.connections.held):
            yield from self._close(socket)

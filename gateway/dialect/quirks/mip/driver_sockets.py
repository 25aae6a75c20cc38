"""Working the sockets of a module of the MIP family: opening, listening, closing, their end (1.1.2, 1.1.3, 1.1.11).

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Chores,
    Command,
    DriverSteps,
    Emit,
    Final,
    Part,
    Remark,
    Wanted,
)
from gateway.dialect.quirks.mip.connections import Connection, Listener, Stage
from gateway.dialect.quirks.mip.driver_tuning import TuningDriver
from gateway.dialect.quirks.mip.state import SIX
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event, Incoming, PeerClosed, SendingHeld, SocketLost
from gateway.model.findings import FindingKind
from gateway.model.requests import (
    AcceptTcp,
    CloseSocket,
    ConnectTcp,
    ListenTcp,
    OpenUdp,
    RefuseTcp,
    ResolveName,
    ShutdownTcp,
)
from gateway.model.results import Done, Failed
from gateway.model.values import ANY_ADDRESS, ANY_ADDRESS6, Endpoint, Family, HostSocket, is_numeric, plain

TCP, UDP, TLS = 0, 1, 2
"""Protocols (1.1.2.4)."""
BROKEN, CLOSED = 1, 2
"""Status of +MIPSTAT; 0 only acknowledges (1.1.11.4)."""
IN_USE = (Cause.INDEX_IN_USE, Cause.NOT_ALLOWED, Cause.SETTING_BUSY)
"""What a module answers when a socket is opened that is open already (F58)."""
CLOSED_BY = ("closed", "closed_counted")
CLOSED_WELL = 0
"""Type of a close (1.1.3.4)."""
CLOSE_WAIT_S = 10.0


class SocketsDriver(TuningDriver):
    """See the module's text."""

    # -- opening (1.1.2) -----------------------------------------------------------------------------------------------

    def do_connect_tcp(self, request: ConnectTcp) -> DriverSteps:
        """OK, then open or failed."""
        protocol = _protocol(TLS if request.secure else TCP, request.family)
        peer = request.peer
        connection = self.connections.take(request.socket, Stage.OPENING)
        if connection is None:
            return Failed(Cause.NO_FREE_SOCKET)
        try:
            text = self.dialect.write("open_client", id=connection.id, host=peer.host, port=peer.port, protocol=protocol)
        except WrongValue:
            self.connections.release(connection)
            return Failed(Cause.BAD_VALUE)
        failed: Failed | None = yield from self._open(connection, text)
        if failed is not None:
            return (yield from self._why(failed, peer.host, request.family))
        return (yield from self._is_open(connection))

    def do_open_udp(self, request: OpenUdp) -> DriverSteps:
        """To its peer, or listening to everybody."""
        peer = request.peer
        connection = self.connections.take(request.socket, Stage.OPENING, udp=True)
        if connection is None:
            return Failed(Cause.NO_FREE_SOCKET)
        fields: dict[str, str | int] = {"id": connection.id, "protocol": _protocol(UDP, request.family)}
        if request.local_port is not None:
            fields["source"] = request.local_port
        try:
            if peer is not None:
                text = self.dialect.write("open_client", **fields, host=peer.host, port=peer.port)
            else:
                text = self.dialect.write("open_listen", **fields, host=_anybody(request.family), port=0)
        except WrongValue:
            self.connections.release(connection)
            return Failed(Cause.BAD_VALUE)
        connection.fixed = peer is not None
        if peer is not None and is_numeric(peer.host):
            connection.peer = Endpoint(plain(peer.host), peer.port)
        failed: Failed | None = yield from self._open(connection, text)
        if failed is not None:
            return (yield from self._why(failed, peer.host, request.family)) if peer is not None else failed
        return (yield from self._is_open(connection))

    def _open(self, connection: Connection, text: str) -> Part:
        """Open a socket and wait until it is open: None, or why it is not."""
        failed: Failed | None = yield from self._begin(connection, text)
        if failed is not None:
            return failed
        heard: Heard | None = yield Await(lambda one: self._tells_open(connection, one), "+MIPOPEN", aside=True)
        if heard is not None and heard.key in ("opened", "open_accepted") and heard.fields["state"] == "1":
            return None
        if self.connections.by_id.get(connection.id) is not connection:
            return Failed(Cause.BEARER_LOST, "+MIPCALL: 0")  # the link went in the meantime
        if heard is None:  # or nobody waits any more
            yield from self._shut(connection)
            return Failed(Cause.TIMED_OUT, "no +MIPOPEN")
        self.connections.release(connection)
        if heard.key == "error":
            return Failed(self.dialect.cause_of(heard.fields["code"]), heard.fields["code"])
        return Failed(Cause.OPEN_FAILED, heard.key)

    def _begin(self, connection: Connection, text: str) -> Part:
        """Give the command that opens; a socket that is left over from before is closed first."""
        yield from self.tune(connection)
        answer: Answer = yield Command(text)
        if not answer.ok and (yield from self._in_use(connection.id, answer)):
            if not connection.late_close or not (yield from self._is_closed(connection.id)):
                yield from self._closed(connection.id)
            connection.late_close = False
            answer = yield Command(text)
        if answer.ok:
            return None
        self.connections.release(connection)
        failed: Failed = yield from self._unless_gone(self.failed(answer, "+MIPOPEN"))
        return failed

    def _in_use(self, id: int, answer: Answer) -> Part:
        """Whether a socket was not opened because it is open; a module that says only ERROR is asked."""
        if answer.code or answer.final is not Final.ERROR:
            return bool(answer.code) and self.dialect.cause_of(answer.code) in IN_USE
        free = yield from self._free_ids()
        return free is not None and id not in free

    def _tells_open(self, connection: Connection, heard: Heard) -> bool:
        """Whether a message says how the opening of a socket ended (F15)."""
        if self.connections.by_id.get(connection.id) is not connection:
            return False
        if heard.key == "error":
            return True
        if heard.number("id") != connection.id:
            return False
        if heard.key == "status":
            return heard.number("status") in (BROKEN, CLOSED)
        return heard.key in ("opened", "open_accepted")

    def _why(self, failed: Failed, host: str, family: Family) -> DriverSteps:
        """The module tells only that it failed: find out whether it was the name or the link."""
        failed = yield from self._unless_gone(failed)
        unclear = (Cause.OPEN_FAILED, Cause.TIMED_OUT, Cause.INTERNAL)
        if failed.cause in unclear and not is_numeric(host) and (yield Wanted()):
            found = yield from self.do_resolve_name(ResolveName(host, family=family))
            if isinstance(found, Failed) and found.cause is Cause.NAME_NOT_RESOLVED:
                return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    def _is_open(self, connection: Connection) -> DriverSteps:
        """The host's side may know; what happened in the meantime it is told behind that."""
        connection.told = True
        if connection.ended is not None:
            yield Afterwards(self._has_ended(connection))
        elif connection.kept:
            yield Afterwards(self._catch_up(connection))
        return Done()

    def _catch_up(self, connection: Connection) -> Chores:
        yield from ()
        holder = connection.holder
        if holder is None:
            return
        if connection.kept and not connection.attached:
            data, peer = connection.kept[0]
            yield Emit(DataWaiting(holder, len(data), peer))
        elif connection.ended is not None:
            yield Emit(self._end(connection, holder))

    @abstractmethod
    def do_resolve_name(self, request: ResolveName) -> DriverSteps:
        """Look a name up."""

    # -- listening -----------------------------------------------------------------------------------------------------

    def do_listen_tcp(self, request: ListenTcp) -> DriverSteps:
        """By a socket that becomes the first peer's, and another behind it."""
        listener = Listener(request.listener, request.port, request.family)
        failed: Failed | None = yield from self._begin_listening(listener)
        if failed is not None:
            return failed
        self.connections.listeners[request.listener] = listener
        return Done()

    def _begin_listening(self, listener: Listener) -> Part:
        """Open a socket that listens: None, or why there is none (F12)."""
        connection = self.connections.take(listener.holder, Stage.LISTENING)
        if connection is None:
            return Failed(Cause.NO_FREE_SOCKET)
        fields = {"id": connection.id, "source": listener.port, "port": 0, "protocol": _protocol(TCP, listener.family)}
        text = self.dialect.write("open_listen", **fields, host=_anybody(listener.family))
        return (yield from self._begin(connection, text))

    def _listen_again(self) -> Chores:
        """The module's listening socket became a connection (1.1.2.4): have another, as soon as there is one."""
        for listener in self.connections.resting:
            failed: Failed | None = yield from self._begin_listening(listener)
            if failed is not None:
                text = f"port {listener.port} listens again when a socket is free"
                yield Remark("finding", {"what": FindingKind.CHANGED.value, "old": text, "new": failed.original})
                return

    def do_accept_tcp(self, request: AcceptTcp) -> DriverSteps:
        """The module has accepted it already."""
        connection = self._called(request.connection)
        if connection is not None:
            self.connections.accept(connection, request.socket)
        if request.last:
            yield from self._stop_listening(request.listener)
        else:
            yield from self._listen_again()
        if connection is None:
            return Failed(Cause.CLOSED_BY_PEER)
        return (yield from self._is_open(connection))

    def do_refuse_tcp(self, request: RefuseTcp) -> DriverSteps:
        """Close what the module has accepted."""
        connection = self._called(request.connection)
        if connection is not None:
            yield from self._shut(connection)
        yield from self._listen_again()
        return Done()

    def _called(self, id: int) -> Connection | None:
        connection = self.connections.by_id.get(id)
        return connection if connection is not None and connection.stage is Stage.CALLED else None

    def _stop_listening(self, listener: HostSocket) -> Part:
        self.connections.listeners.pop(listener, None)
        for connection in self.connections.called(listener):
            yield from self._shut(connection)

    # -- closing (1.1.3) -----------------------------------------------------------------------------------------------

    def do_close_socket(self, request: CloseSocket) -> DriverSteps:
        """A socket or a listener, with all that has called it."""
        if request.socket in self.connections.listeners:
            yield from self._stop_listening(request.socket)
        connection = self.connections.of(request.socket)
        if connection is None:
            return Done()
        yield from self._flush(connection)
        answer: Answer | None = yield from self._shut(connection)
        yield from self._listen_again()
        if answer is None or answer.ok or answer.final is Final.ERROR:
            return Done()
        return self.failed(answer, "+MIPCLOSE")

    def _flush(self, connection: Connection) -> Part:
        """Send what the module still holds."""
        raise NotImplementedError

    def _shut(self, connection: Connection) -> Part:
        """Close the module's socket; it is free when +MIPCLOSE says so, or at once when it was closed already."""
        if self.connections.by_id.get(connection.id) is not connection or connection.stage is Stage.CLOSING:
            return None
        self.connections.closing(connection)
        answer: Answer = yield Command(self.dialect.write("close", id=connection.id))
        if not answer.ok:
            self.connections.release(connection)
        return answer

    def _closed(self, id: int) -> Chores:
        """Close a socket of the module that is none of ours (any more), and wait until it is."""
        answer: Answer = yield Command(self.dialect.write("close", id=id))
        if answer.ok:
            yield from self._is_closed(id)

    def _is_closed(self, id: int) -> Part:
        """Whether a close that is under way comes to its end."""
        heard: Heard | None = yield Await(
            lambda one: one.key in CLOSED_BY and one.number("id") == id, CLOSE_WAIT_S, aside=True
        )
        return heard is not None

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """There is only close, which would also end what the peer still sends (1.1.3): the socket stays as it is."""
        text = "the end of the sending"
        yield Remark(
            "finding", {"what": FindingKind.EMULATED.value, "old": text, "new": "told when the socket is closed"}
        )
        return Done() if self.connections.of(request.socket) is not None else Failed(Cause.CLOSED_BY_PEER)

    def finish(self) -> Chores:
        """No socket stays open; the link stays as it is: the equipment may be reached again at once."""
        self.connections.listeners.clear()
        for connection in list(self.connections.by_id.values()):
            yield from self._shut(connection)

    # -- unsolicited ---------------------------------------------------------------------------------------------------

    def heard(self, heard: Heard) -> Iterable[Event]:
        """Messages that no request waits for."""
        if heard.key == "call_down":
            return self._link_gone() if self._up else []
        connection = self.connections.by_id.get(heard.number("id"))
        if connection is None:
            return []
        match heard.key:
            case "opened" | "open_accepted" if connection.stage is Stage.LISTENING:
                return self._peer_came(connection, heard)
            case "opened" | "open_accepted" if connection.stage is Stage.OPENING and heard.fields["state"] == "1":
                connection.stage = Stage.OPEN  # who opens it may learn it later than what comes behind it
            case "status" if heard.number("status") in (BROKEN, CLOSED):
                return self._status(connection, heard, heard.number("status"))
            case "closed" | "closed_counted" if connection.stage is Stage.CLOSING:
                self.connections.release(connection)
            case "closed" | "closed_counted" if connection.late_close:
                connection.late_close = False
            case "closed" | "closed_counted":  # nobody asked for it: the peer has closed
                return self._status(connection, heard, CLOSED if heard.number("type") == CLOSED_WELL else BROKEN)
            case "flow_off" | "flow_on" if connection.holder is not None:
                connection.held, connection.tries = heard.key == "flow_off", False
                return [SendingHeld(connection.holder, connection.held)]
        return []

    def _peer_came(self, connection: Connection, heard: Heard) -> list[Event]:
        assert connection.holder is not None
        if heard.fields["state"] != "1":
            return []
        connection.stage = Stage.CALLED
        peer = Endpoint(plain(heard.fields["peer"]), heard.number("port")) if "peer" in heard.fields else None
        return [Incoming(connection.holder, connection.id, peer)]

    def _status(self, connection: Connection, heard: Heard, status: int) -> list[Event]:
        """A socket has ended; one that is open is told by :meth:`chores`."""
        if connection.stage is Stage.CLOSING:
            return []  # its +MIPCLOSE is still to come, and the socket not free before
        if connection.stage is Stage.LISTENING:
            holder = connection.holder
            self.connections.release(connection)
            if holder is not None and self.connections.listeners.pop(holder, None) is not None:
                return [SocketLost(holder, Cause.OPEN_FAILED)]
        elif connection.stage is not Stage.OPENING:
            connection.ended, connection.ended_by = status, connection.ended_by or heard.key
        return []

    def chores(self, heard: Heard) -> Chores | None:
        """Work that an unsolicited message makes."""
        connection = self.connections.by_id.get(heard.number("id"))
        if connection is not None and connection.told and heard.key == connection.ended_by:
            return self._has_ended(connection)
        if heard.key in CLOSED_BY and self.connections.resting:
            return self._listen_again()
        return None

    def _has_ended(self, connection: Connection) -> Chores:
        """A broken connection may be one of a broken link."""
        if connection.ended == BROKEN and (yield from self._is_gone()):
            yield from self._tell_gone()
            return
        if connection.attached or not connection.kept:
            yield from self._catch_up(connection)

    def _end(self, connection: Connection, holder: HostSocket) -> Event:
        """How the host's side is told; most say 1 for a peer that closes, and for what else ended it (F35)."""
        if connection.ended == BROKEN and self.dialect.switch("peer_close") == str(CLOSED):
            return SocketLost(holder, Cause.RESET)
        return PeerClosed(holder)

    def data_ended(self, _socket: HostSocket, _mark: bytes) -> Chores:
        """There is no data mode."""
        yield from ()


def _protocol(protocol: int, family: Family) -> int:
    return protocol + SIX if family is Family.SIX else protocol


def _anybody(family: Family) -> str:
    """Whom a listening socket is opened to (F12)."""
    return ANY_ADDRESS6 if family is Family.SIX else ANY_ADDRESS

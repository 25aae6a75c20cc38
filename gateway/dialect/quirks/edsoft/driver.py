"""Working an eDSoft module: parameters first, then one command that does all; one service at a time.

Opening a socket opens its data mode at once, on the only serial port, and only closing the socket ends that (ch. 5, 6,
App. B). So a socket that the host's side has opened and does not read keeps the module in data mode: what arrives is
kept, and the module's own flow control holds the peer back. As long as that is so the module hears no command. A second
socket is refused with :attr:`Cause.NO_FREE_SOCKET`, other services with :attr:`Cause.BUSY`, and so is a command of the
host's that would be passed on: its dialect's error comes at once, and the trace says why.

A listener (ch. 5 #LTCPSTART, ch. 6 #LUDPSTART) leaves the module in command mode until a peer comes. Then the data mode
opens by itself; a command that is on its way just then has gone to the peer, which no host of this dialect can help.
The listener ends with its first peer: it is started again for a host's side that goes on listening.

Sections are those of S000333 rev. C. How many sockets there are is what the manual says of the serial port (App. B),
not how many ids there are: the first is always used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Chores,
    Command,
    DriverSteps,
    Emit,
    End,
    EndSending,
    Final,
    Forget,
    Leave,
    Opening,
    Part,
    Remark,
    Report,
    Rest,
    Resume,
    Route,
)
from gateway.dialect.quirks.edsoft.transfers import TransfersDriver
from gateway.dialect.values import WrongValue, write_value
from gateway.model.causes import Cause
from gateway.model.events import (
    BearerFound,
    BearerLost,
    DataWaiting,
    Event,
    Incoming,
    ModuleRestarted,
    PeerClosed,
    SocketLost,
)
from gateway.model.findings import FindingKind
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    Ping,
    QueryBearer,
    RefuseTcp,
    Request,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed, PingEcho
from gateway.model.services import GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Endpoint, HostSocket
from gateway.wire.dle import ETX
from gateway.wire.service_phase import QUIET, ServicePhase

FIRST = 1
"""The socket id (3.02) that is used."""
NO_FILTER = "255.255.255.255"
"""As #TCPSERV or #UDPSERV of a listener (ch. 5, ch. 6)."""
IDLE_LIMIT_MIN = 255
"""#PHYTIMEOUT: whether a line is idle is the host's side's affair, so the module waits as long as it can (ch. 2)."""
UDP_DELAY_MS = 60
"""#UDPTXDELAY: what the module joins into a datagram. A gap in what the gateway writes must not divide one, and each
datagram waits so long."""
UDP_SPACING_S = 0.1
"""The silence behind a datagram: that, and the jitter of a port."""
UDP_GAP_S = 0.04
"""A silence that divides received datagrams: two chunks of an USB adapter are 16 ms apart."""
LISTEN_S = 3.0
"""How long to wait for the OK of a listener; whether there is one the manual leaves open (U10)."""
LATE_OK_S = 0.3
"""How long to wait for an OK that some firmware sends (U08, U16)."""
RESTART_QUIET_S = 2.0
"""So long after the boot text in its stream a module must say nothing else to be asked."""
CUT_OFF_S = 3.0
"""How long a module that seems to have restarted may take to close a socket, if it has not."""


@dataclass(slots=True)
class _Socket:
    """The one socket, while the host's side has it."""

    phase: ServicePhase
    listening: bool = False
    """No peer has come yet: the module is in command mode."""
    attached: bool = False
    allowed: str = ""
    ended: PeerClosed | SocketLost | None = None
    """Its end, which is told when what came before was read."""
    told: bool = False


@dataclass(slots=True)
class _Listener:
    """A TCP listener of the host's side."""

    socket: HostSocket
    port: int
    allowed: str
    call: int = 0
    """The peer that waits to be accepted."""


class EdsoftDriver(TransfersDriver):
    """See the module's text."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._written: dict[str, str] = {}
        self._up: BearerKind | None = None
        self._addresses = Addresses()
        self._sockets: dict[HostSocket, _Socket] = {}
        """The socket or listener that runs, and those that have ended and are not closed on the host's side yet."""
        self._running: HostSocket | None = None
        self._listener: _Listener | None = None
        self._calls = 0
        information = dialect.tables.information["socket_closed"]
        closed = [f"\r\n{text}\r\n" for text in (information.text, *information.spellings)]
        self._closing = tuple(
            text.encode() for text in (*(f"{text}\r\nOK\r\n" for text in closed), *closed, "\r\nOK\r\n")
        )
        self._hints = tuple(f"\r\n{text}\r\n".encode() for text in dialect.tables.module.boot)

    # -- the module's state --------------------------------------------------------------------------------------------

    def start(self) -> Chores:
        """Known state, an open stack (ch. 1); then what the module is doing already."""
        for text in self.dialect.tables.module.known_state:
            yield Command(text)
        answer: Answer = yield Command(self.dialect.write("stack_read"), frozenset({"stack"}))
        if any(heard.number("open") == 0 for heard in answer.heard):
            yield Command(self.dialect.write("stack_open", open=1))
        yield from self._find(adopt=self._up is None)

    def _find(self, *, adopt: bool) -> Chores:
        connected: bool | None = yield from self._connected()
        if connected and adopt:
            self._up = yield from self._read_addresses()
            yield Emit(BearerFound(self._up, self._addresses))
        elif connected is False:
            yield from _emit(self._bearer_gone())

    def _connected(self) -> Part:
        """Whether IP is up; None when the module does not say (ch. 8 #VSTATE)."""
        answer: Answer = yield Command(self.dialect.write("show_state"), ends=frozenset({"state"}))
        if not answer.ok:
            return None
        if not answer.heard:
            return False
        yield from self._late_result()  # OK is missing for some states (U08)
        return answer.heard[0].fields["state"].upper() == self.dialect.tables.states["connected"]

    def _late_result(self) -> Part:
        """The OK behind a message that has ended a command already, so that it is not the next command's."""
        yield Await(lambda heard: heard.key == "result", LATE_OK_S)

    def _read_addresses(self) -> Part:
        """Keep the addresses (ch. 2 #DISPLAYIP), and say what carries IP: its second line tells."""
        answer: Answer = yield Command(
            self.dialect.write("show_addresses"), frozenset({"own_address", "peer_address", "gateway_address"})
        )
        found = {heard.key: heard.fields["address"] for heard in answer.heard}
        own = found.get("own_address", self._addresses.own)
        self._addresses = Addresses(own, found.get("peer_address") or found.get("gateway_address") or ANY_ADDRESS)
        return BearerKind.GSM if "peer_address" in found else BearerKind.GPRS

    def lost(self) -> Iterable[Event]:
        """The module forgot everything but its parameters; and those may be another module's."""
        self._written.clear()
        return [*self._bearer_gone(), ModuleRestarted()]

    def _bearer_gone(self, cause: Cause = Cause.BEARER_LOST) -> list[Event]:
        if self._up is None and not self._sockets:
            return []
        sockets = list(self._sockets)
        self._up, self._running, self._listener, self._files = None, None, None, None
        self._sockets.clear()
        return [BearerLost(cause), *(SocketLost(socket, Cause.BEARER_LOST) for socket in sockets)]

    def finish(self) -> Chores:
        """No socket stays open; the bearer stays as it is: the equipment may be reached again at once."""
        self._listener = None
        for socket in list(self._sockets):
            yield from self._close(socket)

    def idle(self) -> Chores | None:
        """Whether IP is still there."""
        return self._find(adopt=False) if self._up is not None and not self._in_data_mode() else None

    def _in_data_mode(self) -> bool:
        return self._running is not None and not self._sockets[self._running].listening

    # -- requests ------------------------------------------------------------------------------------------------------

    def perform(self, request: Request) -> DriverSteps:
        """One generator a request."""
        match request:
            case StartBearer():
                return self._start_bearer(request)
            case StopBearer():
                return self._stop_bearer()
            case QueryBearer():
                return self._query_bearer()
            case ConnectTcp():
                return self._connect(request)
            case ListenTcp():
                return self._listen(request)
            case AcceptTcp():
                return self._accept(request)
            case RefuseTcp():
                return self._refuse(request)
            case OpenUdp():
                return self._open_udp(request)
            case Attach(socket):
                return self._attach(socket)
            case Detach(socket):
                return self._detach(socket)
            case FilterWaiting():
                return self._told(None)  # the module filters
            case OpenFtp():
                return self._open_ftp(request)
            case SetFtp():
                return self._set_ftp(request)
            case GetFile():
                return self._get_file(request)
            case PutFile():
                return self._put_file(request)
            case ShutdownTcp(socket) if self._files is not None and socket == self._files.session:
                return self._end_file()
            case ShutdownTcp(socket):
                return self._shutdown(socket)
            case CloseSocket(socket):
                return self._close(socket)
            case Ping():
                return self._ping(request)
            case _:
                return self._told(Failed(Cause.NOT_SUPPORTED))

    def _told(self, failed: Failed | None) -> DriverSteps:
        yield from ()
        return failed or Done()

    # -- parameters ----------------------------------------------------------------------------------------------------

    def _set(self, **wanted: str | int) -> Part:
        """Write parameters that are not as they were written last; None, or why one is not taken."""
        for name, value in wanted.items():
            parameter = self.dialect.tables.parameters.get(name)
            if parameter is None or self._written.get(name) == str(value):
                continue
            index = f"{FIRST}," if parameter.indexed and self.dialect.tables.socket_ids else ""
            try:
                text = f"AT#{name}={index}{write_value(parameter, value)}"
            except WrongValue:
                return Failed(Cause.BAD_VALUE, f"#{name}")
            answer: Answer = yield Command(text)
            if not answer.ok:
                return (yield from self._refused(self.failed(answer, f"#{name}")))
            self._written[name] = str(value)
        return None

    # -- bearer (ch. 2) ------------------------------------------------------------------------------------------------

    def _start_bearer(self, request: StartBearer) -> DriverSteps:
        if request.kind is BearerKind.GPRS:
            failed: Failed | None = yield from self._set(
                GPRSMODE=1,
                APNSERV=request.access_point,
                APNUN=request.user,
                APNPW=request.password,
                GPRSCID=request.context_id,
                PHYTIMEOUT=IDLE_LIMIT_MIN,
            )
        elif request.kind is BearerKind.GSM:
            dns1, dns2 = (*request.name_servers, ANY_ADDRESS, ANY_ADDRESS)[:2]
            # The host's side dials again itself.
            failed = yield from self._set(
                GPRSMODE=0, DIALN1=request.number, DIALSELECT=1, ISPUN=request.user, ISPPW=request.password, PPPMODE=3,
                DNSSERV1=dns1, DNSSERV2=dns2, REDIALCOUNT=0, PHYTIMEOUT=IDLE_LIMIT_MIN,
            )  # fmt: skip
        else:
            return Failed(Cause.NOT_SUPPORTED)
        if failed is not None:
            return failed
        answer: Answer = yield Command(
            self.dialect.write("bearer_start"),
            frozenset({"dialing", "number", "line_rate", "address"}),
            ends=frozenset({"gprs_activation", "ppp", "negotiation_failed"}),
        )
        keys = {heard.key for heard in answer.heard}
        if "negotiation_failed" in keys:
            return Failed(Cause.LINK_NEGOTIATION, "PPP ERROR")
        if not answer.ok:
            failed = self.failed(answer, "#CONNECTIONSTART")
            if failed.cause is not Cause.ALREADY_CONNECTED or not (yield from self._connected()):
                return failed
        elif keys & {"gprs_activation", "ppp"}:
            yield from self._late_result()  # U16
        self._up = request.kind
        own = next((heard.fields["address"] for heard in answer.heard if heard.key == "address"), ANY_ADDRESS)
        self._addresses = Addresses(own)
        yield from self._read_addresses()
        return Done(self._addresses)

    def _stop_bearer(self) -> DriverSteps:
        yield from self.finish()
        answer: Answer = yield Command(self.dialect.write("bearer_stop"))
        was_up, self._up = self._up is not None, None
        if was_up and not answer.ok and answer.final is not Final.ERROR:
            return self.failed(answer, "#CONNECTIONSTOP")
        return Done()

    def _query_bearer(self) -> DriverSteps:
        if not self._in_data_mode():
            connected: bool | None = yield from self._connected()
            if not connected:
                return Done(None)
            yield from self._read_addresses()
        return Done(self._addresses)

    # -- opening (ch. 5, ch. 6) ----------------------------------------------------------------------------------------

    def _stream(self) -> ServicePhase:
        return ServicePhase(closing=self._closing, hints=self._hints)

    def _datagrams(self) -> ServicePhase:
        return ServicePhase(closing=self._closing, hints=self._hints, gap_s=UDP_GAP_S, spacing_s=UDP_SPACING_S)

    def _run(self, socket: HostSocket, entry: _Socket, does: str) -> Part:
        """Start a service whose data mode opens now or, for a listener, later; None, or why it does not."""
        self._sockets[socket], self._running = entry, socket
        text = self._text(does)
        opens = frozenset({"waiting_for_data"})
        limit_s = LISTEN_S if entry.listening else None
        answer: Answer = yield Command(text, ends=opens, limit_s=limit_s, lenient=entry.listening)
        if answer.ok and entry.listening and answer.heard:
            yield Afterwards(_emit(self.heard(answer.heard[-1])))  # the peer was there before the OK
        if answer.ok and (entry.listening or answer.heard):
            return None
        if self._sockets.get(socket) is entry:
            del self._sockets[socket]
            self._running = None
        if answer.ok:
            return Failed(Cause.OPEN_FAILED, "OK without a data mode")
        return (yield from self._refused(self.failed(answer, text.removeprefix("AT"))))

    def _refused(self, failed: Failed) -> Part:
        """A service that is refused because IP is gone, which the module has told nobody: tell it."""
        if failed.cause not in (Cause.BEARER_LOST, Cause.BEARER_IDLE, Cause.NO_BEARER) or self._up is None:
            return failed
        yield from _emit(self._bearer_gone())
        return Failed(Cause.BEARER_LOST, failed.original)

    def _text(self, does: str) -> str:
        """A command with the socket id that it has in 3.02, and not before."""
        text = self.dialect.write(does, id=FIRST)
        return text if self.dialect.tables.socket_ids else text.partition("=")[0]

    def opens(self, heard: Heard) -> Opening | None:
        """Ok_Info_WaitingForData: what stands behind it is payload."""
        if heard.key not in ("waiting_for_data", "data_begin") or self._running is None:
            return None
        entry = self._sockets[self._running]
        return Opening(self._running, entry.phase, deliver=entry.attached)

    def _connect(self, request: ConnectTcp) -> DriverSteps:
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        failed: Failed | None = yield from self._set(TCPSERV=request.peer.host, TCPPORT=request.peer.port, DLEMODE=1)
        if failed is None:
            failed = yield from self._run(request.socket, _Socket(self._stream()), "tcp_connect")
        return failed or Done()

    def _open_udp(self, request: OpenUdp) -> DriverSteps:
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        entry = _Socket(self._datagrams(), allowed=request.allowed)
        if request.peer is not None:
            if request.local_port:
                yield _changed(f"UDP from port {request.local_port}", "from a port that the module chooses")
            does, server, port = "udp_open", request.peer.host, request.peer.port
        elif request.local_port:
            does, server, port, entry.listening = "udp_listen", request.allowed or NO_FILTER, request.local_port, True
        else:
            return Failed(Cause.NOT_SUPPORTED, "neither a port nor a peer")
        failed: Failed | None = yield from self._set(UDPSERV=server, UDPPORT=port, UDPTXDELAY=UDP_DELAY_MS)
        if failed is None:
            failed = yield from self._run(request.socket, entry, does)
        return failed or Done()

    def _listen(self, request: ListenTcp) -> DriverSteps:
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        self._listener = _Listener(request.listener, request.port, request.allowed)
        failed: Failed | None = yield from self._listen_for_next()
        if failed is not None:
            self._listener = None
        return failed or Done()

    def _listen_for_next(self) -> Part:
        listener = self._listener
        if listener is None or self._running is not None:
            return None
        failed: Failed | None = yield from self._set(
            TCPSERV=listener.allowed or NO_FILTER, TCPPORT=listener.port, DLEMODE=1
        )
        if failed is None:
            failed = yield from self._run(listener.socket, _Socket(self._stream(), listening=True), "tcp_listen")
        return failed

    def _listen_again(self) -> Chores:
        """A host's side that goes on listening has lost its peer: listen for the next one, or say that it is over."""
        failed: Failed | None = yield from self._listen_for_next()
        if failed is not None and self._listener is not None:
            socket, self._listener = self._listener.socket, None
            yield Emit(SocketLost(socket, failed.cause))

    def _accept(self, request: AcceptTcp) -> DriverSteps:
        listener = self._listener
        if listener is None or listener.call != request.connection:
            return Failed(Cause.CLOSED_BY_PEER)
        listener.call = 0
        entry = self._sockets.pop(listener.socket)
        if self._running == listener.socket:
            self._running = request.socket
        if request.last:
            self._listener = None
        self._sockets[request.socket] = entry
        if entry.ended is not None:
            entry.ended = replace(entry.ended, socket=request.socket)
        size: int = yield Route(request.socket, deliver=False, before=listener.socket)
        yield Afterwards(self._after_accept(request.socket, size))
        return Done()

    def _after_accept(self, socket: HostSocket, size: int) -> Chores:
        """What came before the host's side had the socket, its end too."""
        if size:
            yield Emit(DataWaiting(socket, size))
        else:
            yield from self._tell_end(socket)
        yield from self._listen_again()

    def _refuse(self, request: RefuseTcp) -> DriverSteps:
        listener = self._listener
        if listener is not None and listener.call == request.connection:
            listener.call = 0
            self._sockets.pop(listener.socket, None)
            if self._running == listener.socket:
                self._running = None
                yield End()
            yield Forget(listener.socket)
            yield Afterwards(self._listen_again())
        return Done()

    # -- data ----------------------------------------------------------------------------------------------------------

    def _attach(self, socket: HostSocket) -> DriverSteps:
        entry = self._sockets.get(socket)
        if entry is None:
            return Failed(Cause.CLOSED_BY_PEER)
        entry.attached = True
        yield Route(socket, deliver=True)
        if entry.ended is not None:
            yield Afterwards(self._tell_end(socket))
        return Done()

    def _detach(self, socket: HostSocket) -> DriverSteps:
        entry = self._sockets.get(socket)
        if entry is not None:
            entry.attached = False
            yield Route(socket, deliver=False)
        return Done()

    def _tell_end(self, socket: HostSocket) -> Chores:
        """All that came before the end was read: it can be told."""
        entry = self._sockets.get(socket)
        if entry is None or entry.ended is None or entry.told:
            return
        entry.told = True
        if isinstance(entry.ended, SocketLost):
            del self._sockets[socket]
        yield Emit(entry.ended)

    def _shutdown(self, socket: HostSocket) -> DriverSteps:
        """There is no half-close: the connection is closed when the peer has nothing more to say."""
        if socket == self._running:
            yield _changed("the sending is ended", "the connection is closed when nothing more comes")
            yield EndSending()
        return Done()

    def _close(self, socket: HostSocket) -> DriverSteps:
        entry = self._sockets.pop(socket, None)
        ours = self._listener is not None and self._listener.socket == socket
        if ours:
            self._listener = None
        if self._files is not None and self._files.session == socket:
            self._files = None
        if entry is None:
            return Done()
        if socket == self._running:
            self._running = None
            if not entry.listening:
                yield End()
            else:
                yield Command(self._text("udp_listen_stop" if entry.phase.datagrams else "tcp_listen_stop"))
        yield Forget(socket)
        if self._listener is not None:
            yield Afterwards(self._listen_again())
        return Done()

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """ETX: behind it stands why (ch. 5, App. B). A boot text in the stream is only a suspicion."""
        if self._running is None or self._is_transfer(self._running):  # that waits for its end itself
            return
        socket = self._running
        if mark == QUIET:
            yield End()
            yield from self._over(socket, PeerClosed(socket))
            return
        if mark != ETX:
            yield from self._perhaps_restarted(socket)
            return
        why: Heard | None = yield Await(lambda heard: heard.key in ("socket_closed", "error", "result"), "#CLOSED")
        if why is not None and why.key == "socket_closed":
            yield from self._late_result()
        yield Leave(there=True)
        cause = None
        if why is None or why.key == "error":
            cause = self.dialect.cause_of(why.fields["code"]) if why is not None else Cause.RESET
        if cause in (Cause.BEARER_LOST, Cause.BEARER_IDLE, Cause.NO_BEARER):
            yield from _emit(self._bearer_gone())
        elif cause in (None, Cause.CLOSED_BY_PEER):  # U13
            yield from self._over(socket, PeerClosed(socket))
        else:
            yield from self._over(socket, SocketLost(socket, cause))

    def _perhaps_restarted(self, socket: HostSocket) -> Chores:
        """A boot text and then nothing. No question leaves the data mode as it was: a peer that sends such a text and
        falls silent is cut off."""
        yield Rest(RESTART_QUIET_S, quiet=True)
        if not self._sockets[socket].phase.suspected:
            yield Resume()
            return
        yield End(CUT_OFF_S)
        if (yield from self._connected()):
            yield from self._over(socket, PeerClosed(socket))
            return
        yield from _emit(self.lost())
        yield from self.start()

    def _over(self, socket: HostSocket, end: PeerClosed | SocketLost) -> Chores:
        """The connection has ended and its socket with it; told when what came before was read."""
        entry = self._sockets.get(socket)
        self._running = None
        if entry is not None:
            size: int = yield Route(socket, deliver=entry.attached)
            entry.ended = end
            if self._listener is not None and self._listener.socket == socket:
                return  # the host's side has not taken it yet
            if not size:
                yield from self._tell_end(socket)
        yield from self._listen_again()

    # -- files (ch. 4) -------------------------------------------------------------------------------------------------

    def _is_transfer(self, socket: HostSocket) -> bool:
        return self._files is not None and self._files.session == socket

    def _begin(self, session: HostSocket, phase: ServicePhase) -> bool:
        if self._running is not None:
            return False
        self._sockets[session], self._running = _Socket(phase, attached=True), session
        return True

    def _end_of(self, session: HostSocket) -> bool:
        self._sockets.pop(session, None)
        if self._running != session:
            return False
        self._running = None
        return True

    # -- ping (ch. 7) --------------------------------------------------------------------------------------------------

    def _ping(self, request: Ping) -> DriverSteps:
        """One command a request: each answer is told as it comes, and the gap is the host's."""
        if self._running is not None:
            return Failed(Cause.BUSY, "one service at a time")
        wait_s = min(max(-(-request.timeout_ms // 1000), 1), 255)
        failed: Failed | None = yield from self._set(PINGREMOTE=request.target, PINGNUM=1, PINGDELAY=wait_s)
        if failed is not None:
            return failed
        for number in range(request.count):
            answer: Answer = yield Command(
                self.dialect.write("ping"), frozenset({"alive", "no_answer"}), limit_s=wait_s + 30.0
            )
            if not answer.ok:
                refused: Failed = yield from self._refused(self.failed(answer, "#PING"))
                return refused
            echo = next((heard for heard in answer.heard if heard.key == "alive"), None)
            milliseconds = echo.number("milliseconds") if echo is not None else None
            if milliseconds is not None and milliseconds > request.timeout_ms:
                milliseconds = None
            if not (yield Report(PingEcho(number, milliseconds))):
                return Failed(Cause.ABORTED)
            spent_ms = 1000 * wait_s if milliseconds is None else milliseconds
            if number + 1 < request.count and request.interval_ms > spent_ms:
                yield Rest((request.interval_ms - spent_ms) / 1000)
        return Done()

    # -- unsolicited ---------------------------------------------------------------------------------------------------

    def heard(self, heard: Heard) -> Iterable[Event]:
        """Messages that no request waits for: a peer of a listener, and the end of the link (ch. 9)."""
        if heard.key == "idle_line":
            return self._bearer_gone(Cause.BEARER_IDLE)
        if heard.key == "error":
            cause = self.dialect.cause_of(heard.fields["code"])
            if self._in_data_mode():
                return []
            if cause in (Cause.BEARER_LOST, Cause.BEARER_IDLE):
                return self._bearer_gone(cause)
            if self._running is not None:  # a listener fails
                socket, self._running, self._listener = self._running, None, None
                del self._sockets[socket]
                return [SocketLost(socket, cause)]
        if heard.key != "waiting_for_data" or self._running is None:
            return []
        entry, listener = self._sockets[self._running], self._listener
        was_listening, entry.listening = entry.listening, False
        if not was_listening or listener is None or listener.socket != self._running:
            return []
        self._calls += 1
        listener.call = self._calls
        peer = Endpoint(listener.allowed, 0) if listener.allowed else None
        return [Incoming(listener.socket, listener.call, peer)]

    def kept(self, socket: HostSocket, size_bytes: int) -> Iterable[Event]:
        """Told for sockets that the host's side knows."""
        if self._listener is not None and self._listener.socket == socket:
            return []
        allowed = self._sockets[socket].allowed if socket in self._sockets else ""
        return [DataWaiting(socket, size_bytes, Endpoint(allowed, 0) if allowed else None)]


def _emit(events: Iterable[Event]) -> Chores:
    for event in events:
        yield Emit(event)


def _changed(asked: str, done: str) -> Remark:
    """Something is not done quite as it was asked."""
    return Remark("finding", {"what": FindingKind.CHANGED.value, "old": asked, "new": done})

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
from dataclasses import replace

from gateway.dialect.dialect import Heard
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
    Forget,
    Leave,
    Opening,
    Part,
    Remark,
    Rest,
    Resume,
    Route,
    gave_up,
)
from gateway.dialect.quirks.edsoft.link import Listener, RunningSocket, changed, emit
from gateway.dialect.quirks.edsoft.post import PostDriver
from gateway.model.causes import Cause
from gateway.model.events import (
    DataWaiting,
    Event,
    Incoming,
    PeerClosed,
    SocketLost,
)
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    RefuseTcp,
    ShutdownTcp,
)
from gateway.model.results import Done, Failed
from gateway.model.values import Endpoint, HostSocket
from gateway.wire.dle import ETX
from gateway.wire.service_phase import QUIET, ServicePhase

NO_FILTER = "255.255.255.255"
"""As #TCPSERV or #UDPSERV of a listener (ch. 5, ch. 6)."""
UDP_DELAY_MS = 60
"""#UDPTXDELAY: what the module joins into a datagram. A gap in what the gateway writes must not divide one, and each
datagram waits so long."""
UDP_SPACING_S = 0.1
"""The silence behind a datagram: that, and the jitter of a port."""
UDP_GAP_S = 0.04
"""A silence that divides received datagrams: two chunks of an USB adapter are 16 ms apart."""
CHOICE = "escaped (#DLEMODE 1): no byte has two meanings, and ETX ends it without a guard time"
LISTEN_S = 3.0
"""How long to wait for the OK of a listener; whether there is one the manual leaves open (U10)."""
RESTART_QUIET_S = 2.0
"""So long after the boot text in its stream a module must say nothing else to be asked."""
CUT_OFF_S = 3.0
"""How long a module that seems to have restarted may take to close a socket, if it has not."""


class EdsoftDriver(PostDriver):
    """See the module's text."""

    # -- the module's state --------------------------------------------------------------------------------------------

    def finish(self) -> Chores:
        """No socket stays open; the bearer stays as it is: the equipment may be reached again at once."""
        self._listener = None
        for socket in list(self._sockets):
            yield from self.do_close_socket(CloseSocket(socket))

    # -- opening (ch. 5, ch. 6) ----------------------------------------------------------------------------------------

    def _stream(self) -> ServicePhase:
        return ServicePhase(closing=self._closing, boot=self._boot)

    def _datagrams(self) -> ServicePhase:
        return ServicePhase(closing=self._closing, boot=self._boot, gap_s=UDP_GAP_S, spacing_s=UDP_SPACING_S)

    def _run(self, socket: HostSocket, entry: RunningSocket, does: str) -> Part:
        """Start a service whose data mode opens now or, for a listener, later; None, or why it does not."""
        self._sockets[socket], self._running = entry, socket
        text = self._text(does)
        opens = frozenset({"waiting_for_data"})
        limit_s = LISTEN_S if entry.listening else None
        answer: Answer = yield Command(text, ends=opens, limit_s=limit_s, lenient=entry.listening)
        if answer.ok and entry.listening and answer.heard:
            yield Afterwards(emit(self.heard(answer.heard[-1])))  # the peer was there before the OK
        if answer.ok and (entry.listening or answer.heard):
            return None
        if self._sockets.get(socket) is entry:
            del self._sockets[socket]
            self._running = None
        if answer.ok:
            return Failed(Cause.OPEN_FAILED, "OK without a data mode")
        return (yield from self._refused(self.failed(answer, text.removeprefix("AT"))))

    def opens(self, heard: Heard) -> Opening | None:
        """Ok_Info_WaitingForData: what stands behind it is payload."""
        if heard.key not in ("waiting_for_data", "data_begin", "mail") or self._running is None:
            return None
        entry = self._sockets[self._running]
        return Opening(self._running, entry.phase, deliver=entry.attached)

    def do_connect_tcp(self, request: ConnectTcp) -> DriverSteps:
        """Its data mode is open when it is."""
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        failed: Failed | None = yield from self._set(TCPSERV=request.peer.host, TCPPORT=request.peer.port, DLEMODE=1)
        if failed is None:
            failed = yield from self._run(request.socket, RunningSocket(self._stream()), "tcp_connect")
        return failed or Done()

    def do_open_udp(self, request: OpenUdp) -> DriverSteps:
        """To a peer, or listening at a port."""
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        entry = RunningSocket(self._datagrams(), allowed=request.allowed)
        if request.peer is not None:
            if request.local_port:
                yield changed(f"UDP from port {request.local_port}", "from a port that the module chooses")
            does, server, port = "udp_open", request.peer.host, request.peer.port
        elif request.local_port:
            does, server, port, entry.listening = "udp_listen", request.allowed or NO_FILTER, request.local_port, True
        else:
            return Failed(Cause.NOT_SUPPORTED, "neither a port nor a peer")
        failed: Failed | None = yield from self._set(UDPSERV=server, UDPPORT=port, UDPTXDELAY=UDP_DELAY_MS)
        if failed is None:
            failed = yield from self._run(request.socket, entry, does)
        return failed or Done()

    def do_listen_tcp(self, request: ListenTcp) -> DriverSteps:
        """For one peer at a time."""
        if self._running is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        self._listener = Listener(request.listener, request.port, request.allowed)
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
            failed = yield from self._run(listener.socket, RunningSocket(self._stream(), listening=True), "tcp_listen")
        return failed

    def _listen_again(self) -> Chores:
        """A host's side that goes on listening has lost its peer: listen for the next one, or say that it is over."""
        failed: Failed | None = yield from self._listen_for_next()
        if failed is not None and self._listener is not None:
            socket, self._listener = self._listener.socket, None
            yield Emit(SocketLost(socket, failed.cause))

    def do_accept_tcp(self, request: AcceptTcp) -> DriverSteps:
        """The running service is its."""
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

    def do_refuse_tcp(self, request: RefuseTcp) -> DriverSteps:
        """End its data mode, and listen again."""
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

    def do_attach(self, request: Attach) -> DriverSteps:
        """What was kept, and from now on what comes."""
        socket = request.socket
        entry = self._sockets.get(socket)
        if entry is None:
            return Failed(Cause.CLOSED_BY_PEER)
        entry.attached = True
        yield Remark("module_phase", {"what": "escaped", "reason": CHOICE})
        yield Route(socket, deliver=True)
        if entry.ended is not None:
            entry.told = False  # who takes what comes is told the end behind it
            yield Afterwards(self._tell_end(socket))
        return Done()

    def do_detach(self, request: Detach) -> DriverSteps:
        """What comes is kept."""
        entry = self._sockets.get(request.socket)
        if entry is not None:
            entry.attached = False
            yield Route(request.socket, deliver=False)
        return Done()

    def do_filter_waiting(self, _request: FilterWaiting) -> DriverSteps:
        """The module filters."""
        yield from ()
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

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """There is no half-close: the connection is closed when the peer has nothing more to say. A file has ended."""
        if self._is_transfer(request.socket):
            return (yield from self._end_sending())
        if request.socket == self._running:
            yield changed("the sending is ended", "the connection is closed when nothing more comes")
            yield EndSending()
        return Done()

    def do_close_socket(self, request: CloseSocket) -> DriverSteps:
        """A socket, a listener or the session with a server."""
        socket = request.socket
        if self._files is not None and self._files.session == socket:
            self._files = None
            if self._moving == socket and not self._sending:  # it goes to its end: there is no other
                return Done()
        if self._post is not None and self._post.session == socket:
            self._post = None
            if self._moving == socket:  # so does a mail
                self._sending = False
                return Done()
        entry = self._sockets.pop(socket, None)
        ours = self._listener is not None and self._listener.socket == socket
        if ours:
            self._listener = None
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
        if self._running is None:
            return
        socket = self._running
        if socket == self._moving:  # that waits for its end itself
            phase = self._sockets[socket].phase
            if phase.restarted and (yield from gave_up(phase)):
                yield from self._find(adopt=False)
            return
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
            yield from emit(self._bearer_gone())
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
        yield from emit(self.lost())
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

    # -- files and mail (ch. 3, ch. 4) ---------------------------------------------------------------------------------

    def _is_transfer(self, socket: HostSocket) -> bool:
        return any(asked is not None and asked.session == socket for asked in (self._files, self._post))

    def _begin(self, session: HostSocket, phase: ServicePhase) -> bool:
        if self._running is not None:
            return False
        self._sockets[session], self._running = RunningSocket(phase, attached=True), session
        return True

    def _end_of(self, session: HostSocket) -> bool:
        self._sockets.pop(session, None)
        if self._running != session:
            return False
        self._running = None
        return True

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

"""How a WIPSoft module behaves towards its host: its data modes and events, on top of all that it has.

The layers below are ``sockets``, ``stack``, ``offline``, ``transfers`` and ``sessions``. Sections are those of the 5.57
guide; what an older application does otherwise stands in its tables and switches.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Data,
    DataEnd,
    EndReason,
    Fail,
    Finish,
    More,
    Ok,
    Raw,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Tell,
    Word,
)
from gateway.dialect.quirks.wipsoft.numbers import AUTO_SWITCH, GSM, MIN_MSS, QUIET_SIGNS, SEGMENT_WAIT, TCP, TTL, UDP
from gateway.dialect.quirks.wipsoft.sockets import WipsoftSockets
from gateway.dialect.quirks.wipsoft.state import Server, Socket, SocketState
from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Event, Incoming, ModuleText, PeerClosed, Received, SocketLost
from gateway.model.requests import AcceptTcp, Attach, Detach, Ping, RefuseTcp, ResolveName
from gateway.model.results import Done, Failed, PingEcho
from gateway.wire.gather import Gatherer
from gateway.wire.phase import Etx, HostPhase
from gateway.wire.plus import EscapeDetector


class WipsoftFirmware(WipsoftSockets):
    """See the module's text."""

    # -- data (6.2) --------------------------------------------------------------------------------------------------

    def do_data_unmap(self, call: Call) -> Steps:
        """AT+WIPDATA=protocol,index,0: from another UART; on this one nothing is mapped any more."""
        if "size" in call.arguments:
            return Word("ERROR")
        socket = self._socket(call)
        if socket is None:
            return Fail(Cause.BAD_STATE)
        if self.offline is socket:
            yield from self._end_offline(socket)
        return Ok()

    def do_data_default(self, call: Call) -> Steps:
        """AT+WIPDATA=protocol,index: as hosts in the field write it, continuous."""
        return self.do_data_continuous(call)

    def do_data_continuous(self, call: Call) -> Steps:
        """Mode 1: ETX and DLE are escaped; an ETX ends the sending (TCP) or a datagram (UDP)."""
        if call.number("protocol") == UDP and "size" in call.arguments:
            return Word("ERROR")
        socket = self._data_socket(call)
        if socket.protocol == UDP:
            limit = Gatherer(0, self.dialect.tables.numbers["udp_datagram_bytes"])
            leaves = self.dialect.switch("udp_etx") == "leaves"
            phase = HostPhase(
                escaped=True,
                etx=Etx.ENDS if leaves else Etx.DIVIDES,
                plus=self._detector(),
                gather=limit,
                carried=socket.carried,
            )
        else:
            phase = HostPhase(
                escaped=True,
                etx=Etx.SHUTS,
                plus=self._detector(),
                gather=self._segments(call),
                shutdown_text=b"" if self._switches_back else self._shutdown_text(),
            )
        return (yield from self._mapped(socket, phase))

    def do_data_transparent(self, call: Call) -> Steps:
        """Mode 2: every byte is payload."""
        socket = self._data_socket(call)
        if socket.protocol == UDP:
            numbers = self.dialect.tables.numbers
            size = call.number("size", numbers["udp_send_bytes"])
            gather: Gatherer | None = Gatherer(call.number("wait", numbers["udp_wait_100ms"]) / 10, size)
        else:
            gather = self._segments(call)
        return (yield from self._mapped(socket, HostPhase(escaped=False, plus=self._detector(), gather=gather)))

    def _detector(self) -> EscapeDetector:
        guard_s = self.dialect.tables.numbers["guard_ms"] / 1000
        return EscapeDetector(guard_s, self.around.now, deliver_signs=self.options.number(QUIET_SIGNS, 1) == 0)

    def _shutdown_text(self) -> bytes:
        end = self.around.settings.end
        text = end + b"SHUTDOWN" + end
        return {"shutdown": text, "etx": b"\x03", "both": text + b"\x03"}[self.dialect.switch("peer_shutdown")]

    @property
    def _switches_back(self) -> bool:
        """Whether the peer's end of a TCP connection ends the data mode too (option 14, 4.1.3)."""
        return self.options.number(AUTO_SWITCH) == 1

    def _segments(self, call: Call) -> Gatherer | None:
        """Packets of at least twice the preferred size, or after the time (6.2.11.4)."""
        mss = self.options.number(MIN_MSS)
        size = call.number("size", mss)
        if "size" in call.arguments and size > 2 * mss:
            raise Refusal(Cause.SEND_SIZE)
        wait = call.number("wait", self.options.number(SEGMENT_WAIT))
        return Gatherer(wait / 10, 2 * size, divided=False) if wait else None

    def _mapped(self, socket: Socket, phase: HostPhase) -> Steps:
        result = yield Ask(Attach(socket.handle, socket.peer if socket.repointed else None, alone=True))
        if isinstance(result, Failed):
            return Fail(Cause.BAD_STATE, original=result.original)
        socket.read(SocketState.MAPPED)
        socket.carried = b""
        yield Tell("CONNECT")
        switches_back = socket.protocol == TCP and self._switches_back
        if socket.peer_closed:
            text = phase.peer_closed()
            yield Raw(text or b"")
        if socket.peer_closed and switches_back:
            end = DataEnd(EndReason.PEER)
        else:
            end = yield Data(socket.handle, phase)
        socket.state = SocketState.READY
        socket.carried = phase.carry
        if end.reason is EndReason.LOST:
            self.table.forget(socket)
            yield Raw(b"\x03")
            return Fail(Cause.RESET, original=end.cause.value)
        yield Ask(Detach(socket.handle))
        if end.reason is EndReason.PEER:  # without an OK nothing else says that the data mode is over
            socket.close_told = socket.close_told and switches_back
            socket.peer_closed = True
        if socket.peer_closed:
            yield Spawn(self._tell_close(socket), "close")
        if end.reason is not EndReason.PEER:
            return Ok()
        if not switches_back:
            return Silent()
        if phase.escaped:
            yield Raw(self._shutdown_text())
        return Ok()  # as behind every other end of a data mode: the manual only says that it ends

    def resume(self) -> Steps | None:
        """ATO: refused over GPRS, never answered over a GSM data call (6.2.11.2)."""
        return self._no_way_back(self.started.bid) if self.started is not None else None

    def _no_way_back(self, bid: int) -> Steps:
        yield from ()
        if bid == GSM:
            return Silent()
        code = str(self.dialect.tables.numbers["resume_code"])
        return Word(self.dialect.error_line(code, detail=self.around.settings.error_detail))

    # -- ping (7.1) --------------------------------------------------------------------------------------------------

    def do_ping(self, call: Call) -> Steps:
        """AT+WIPPING: OK, then a line for each packet (X01)."""
        if self.started is None:
            return Fail(Cause.PING_FAILED)
        host = call.text("host")
        found = yield Ask(ResolveName(host))
        if isinstance(found, Failed) and found.cause is not Cause.NOT_SUPPORTED:  # else the ping itself will tell
            return Fail(Cause.PING_FAILED, original=found.original)
        yield Finish(Ok(), "ping")
        request = Ping(
            host,
            call.number("repeat"),
            call.number("interval"),
            call.number("timeout"),
            call.number("size"),
            call.number("ttl", self.options.number(TTL)),
        )
        answer = yield Ask(request)
        while isinstance(answer, PingEcho):
            sign = (answer.milliseconds is None) == (self.dialect.switch("ping_sign") == "expired")
            yield Tell(
                self.dialect.say("ping", sign=int(sign), number=answer.index, milliseconds=answer.milliseconds or 0)
            )
            answer = yield More()
        if isinstance(answer, Failed):
            return Fail(Cause.PING_FAILED, original=answer.original)
        return Silent()

    # -- events ------------------------------------------------------------------------------------------------------

    def event(self, event: Event) -> Iterable[Step]:
        """What is told unasked."""
        match event:
            case Incoming():
                return self._incoming(event)
            case DataWaiting(handle, size, peer):
                socket = self.table.by_handle(handle)
                if socket is not None and socket.state is SocketState.READY:
                    socket.waiting = size
                    if not socket.told:
                        socket.told, socket.news = True, self._waiting_line(socket, size, peer)
                        return [Spawn(self._tell_waiting(socket), "waiting")]
            case Received():
                return self._dumped(event)
            case PeerClosed(handle):
                socket = self.table.by_handle(handle)
                if socket is not None:
                    socket.peer_closed = True
                    in_at_mode = socket.state in (SocketState.READY, SocketState.OFFLINE)
                    if in_at_mode and not socket.told:
                        return [Spawn(self._tell_close(socket), "close")]
            case SocketLost(handle, _) if self.table.session is not None and self.table.session.handle == handle:
                return self._lose_session()
            case SocketLost(handle, _):
                socket = self.table.by_handle(handle)
                if socket is not None and socket.state is not SocketState.OPENING:
                    if self.offline is socket:
                        self.offline = None
                    self.table.forget(socket)
                    return [Tell(self._closed_line(socket))]
            case BearerLost():
                bearer = self.started
                if bearer is not None:
                    bearer.started = False
                    self.table.servers.clear()
                    return [*self._lose_session(), *self.serves_again(bearer)]
            case ModuleText(lines):
                return [Say(lines)]
            case _:
                pass
        return []

    def _incoming(self, event: Incoming) -> list[Step]:
        server = self.table.server_by_handle(event.listener)
        if server is None or not server.open:
            return []
        return [Spawn(self._spawned(server, event), f"accept {event.connection}")]

    def _spawned(self, server: Server, event: Incoming) -> Steps:
        """A peer has come: it gets the lowest free index, or is shut down at once when there is none (5.1.7)."""
        index = self.table.free_child(server)
        if index is None or self.table.count >= self.sock_max:
            yield Ask(RefuseTcp(event.listener, event.connection))
            return Silent()
        socket = Socket(TCP, index, self.table.handle(), peer=event.peer, server=server.index)
        socket.local_port = server.port
        self.table.sockets[TCP, index] = socket
        result = yield Ask(AcceptTcp(event.listener, event.connection, socket.handle))
        if not isinstance(result, Done):
            self.table.forget(socket)
            return Silent()
        socket.state = SocketState.READY
        yield Tell(self.dialect.say("accepted", server=server.index, index=index))
        return Silent()

    def describe(self) -> dict[str, str | int]:
        """Stack, bearer and sockets."""
        started = self.started
        return {"stack": int(self.stack), "bearer": started.bid if started else 0, "sockets": self.table.count}

"""Online data mode: +MIPODM, +++, ATO, +MIPDATA (1.1.18, 1.1.24)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Data,
    DataEnd,
    EndReason,
    Fail,
    Finish,
    Ok,
    Refusal,
    Silent,
    Step,
    Steps,
    Tell,
)
from gateway.dialect.quirks.mip.base import shown
from gateway.dialect.quirks.mip.opening import ACTIVE, LinkAndSockets
from gateway.dialect.quirks.mip.state import Socket, SocketState
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Incoming
from gateway.model.requests import Attach, Detach
from gateway.model.results import Failed
from gateway.model.values import Endpoint
from gateway.wire.gather import Gatherer
from gateway.wire.phase import HostPhase
from gateway.wire.plus import EscapeDetector


class Online(LinkAndSockets):
    """See the module's text."""

    def do_online_client(self, call: Call) -> Steps:
        """AT+MIPODM to a peer: OK, +MIPODM, and every byte is payload from then on (F46)."""
        socket = yield from self._online(call)
        return (yield from self._connected(socket, call))

    def do_online_listen(self, call: Call) -> Steps:
        """AT+MIPODM with remote port 0: online when the peer has come (F12)."""
        socket = yield from self._online(call)
        if socket.udp:
            return (yield from self._connected(socket, call))
        return (yield from self.listen(socket, call))

    def _online(self, call: Call) -> Generator[Step, Any, Socket]:
        if any(socket.online for socket in self.table.sockets.values()):
            raise Refusal(Cause.NOT_ALLOWED)  # one at a time (1.1.18.1)
        socket = yield from self.taken(call)
        socket.online, socket.pseudo = True, call.number("pseudo") == 0
        return socket

    def _connected(self, socket: Socket, call: Call) -> Steps:
        before = self.dialect.switch("open_result") == "before"
        if before:
            yield Finish(Ok(), f"open {socket.id}")
        failed = yield from self.connect(socket, call)
        if failed is not None:
            if not before:
                return Fail(failed.cause, call.name, failed.original)
            yield Tell(self.failed_line(socket))
            return Silent()
        line = self.dialect.say("online", id=socket.id, state=ACTIVE)
        return (yield from self._enter(socket, line))

    def _accepted(self, socket: Socket, event: Incoming) -> Steps:
        if not socket.online:
            return (yield from super()._accepted(socket, event))
        if not (yield from self.accept(socket, event)):
            return Silent()
        peer = event.peer or Endpoint("0.0.0.0", 0)
        line = self.dialect.say("online_accepted", id=socket.id, state=ACTIVE, peer=shown(peer.host), port=peer.port)
        return (yield from self._enter(socket, line))

    def _enter(self, socket: Socket, line: str) -> Steps:
        """The socket is open: its mark, and its data mode."""
        marker = self.dialect.switch("online_marker")
        marks = [*([line] if marker != "connect" else []), *(["CONNECT"] if marker != "result" else [])]
        return (yield from self._payload(socket, *marks))

    def _payload(self, socket: Socket, *marks: str) -> Steps:
        """Data mode until +++ (the socket stays), DTR or the peer.

        Its marks are told when payload can be taken: hosts begin at once.
        """
        socket.state = SocketState.ONLINE
        result = yield Ask(Attach(socket.handle, alone=True))
        if isinstance(result, Failed):
            socket.broken = True
            return (yield from self.end(socket))
        for mark in marks:
            yield Tell(mark)
        end: DataEnd = yield Data(socket.handle, self._phase(socket))
        if end.reason in (EndReason.PEER, EndReason.LOST):
            socket.broken = end.reason is EndReason.LOST
            return (yield from self.end(socket))
        if end.reason is EndReason.TERMINAL and not socket.pseudo:
            socket.broken = True
            return (yield from self.end(socket))
        socket.state = SocketState.PAUSED
        yield Ask(Detach(socket.handle))
        return Ok()

    def _phase(self, socket: Socket) -> HostPhase:
        numbers = self.dialect.tables.numbers
        gather = Gatherer(numbers["online_delay_ms"] / 1000, numbers["online_bytes"], divided=socket.udp)
        plus = EscapeDetector(numbers["guard_ms"] / 1000, self.around.now) if socket.pseudo else None
        return HostPhase(escaped=False, plus=plus, gather=gather)

    def resume(self) -> Steps | None:
        """ATO: CONNECT, and what came meanwhile (1.1.24.1, F46)."""
        socket = next((one for one in self.table.sockets.values() if one.state is SocketState.PAUSED), None)
        return self._resumed(socket) if socket is not None else None

    def _resumed(self, socket: Socket) -> Steps:
        return (yield from self._payload(socket, "CONNECT"))

    def data_waiting(self, event: DataWaiting) -> list[Step]:
        """Data come in pseudo-command mode: told until ATO."""
        socket = self.table.by_handle(event.socket)
        if socket is None or socket.state is not SocketState.PAUSED:
            return []
        return [Tell(self.dialect.say("waiting", id=socket.id, size=event.size_bytes))]

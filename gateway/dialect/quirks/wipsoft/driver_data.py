"""What the host's side asks of a socket's payload on a WIPSoft module (6.2).

Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from gateway.dialect.driver import Afterwards, Answer, DriverSteps, Emit, EndSending, Final, Route
from gateway.dialect.quirks.wipsoft.driver_offline import BUFFER_BYTES
from gateway.dialect.quirks.wipsoft.driver_phases import PhasesDriver
from gateway.dialect.quirks.wipsoft.numbers import TCP, UDP
from gateway.model.causes import Cause
from gateway.model.events import Received
from gateway.model.requests import Attach, Detach, SendDatagram, ShutdownTcp
from gateway.model.results import Done, Failed


class DataDriver(PhasesDriver):
    """See the module's text."""

    def do_attach(self, request: Attach) -> DriverSteps:
        """Enter the socket's data mode where it stays open, or where something waits; else what comes is told."""
        entry = self.connections.held.get(request.socket)
        if entry is None:
            return Failed(Cause.CLOSED_BY_PEER)
        if request.peer is not None and entry.peer is None:
            failed: Failed | None = yield from self._only(request.socket, entry, request.peer)
            if failed is not None:
                return failed
        entry.attached, entry.alone, entry.detached = True, request.alone, False
        if not entry.over and (request.alone or entry.waiting):
            answer: Answer | None = yield from self._turn_to(request.socket, entry)
            if answer is not None and answer.final is Final.ERROR:
                yield from self._close(request.socket)
                return Failed(Cause.CLOSED_BY_PEER if entry.peer_closed else Cause.OPEN_FAILED, answer.original)
            if answer is not None:
                entry.attached = False
                return self.failed(answer, "+WIPDATA")
        yield Route(request.socket, deliver=True)
        kept, entry.kept = entry.kept, []
        for peer, data in kept:
            yield Emit(Received(request.socket, data, peer))
        if entry.peer_closed:
            # It was told before the data were read, and is not told again: read what is there, then it is over.
            yield Afterwards(self._read_out(request.socket))
        return Done()

    def do_detach(self, request: Detach) -> DriverSteps:
        """Leave whatever brings its payload; where nobody needs the module otherwise, only keep it from now on."""
        entry = self.connections.held.get(request.socket)
        if entry is None or not entry.attached:
            return Done()
        entry.attached, entry.detached = False, True
        if self.connections.session is entry:
            yield from self._close_session()
        if self.mapped == request.socket:
            if not entry.alone and self.connections.may_stay(request.socket):
                yield Route(request.socket, deliver=False)
            else:
                yield from self._leave(request.socket)
        return Done()

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """An ETX in the data mode ends the sending, reading goes on (6.2.2.1)."""
        entry = self.connections.held.get(request.socket)
        if entry is None or entry.protocol != TCP:
            return Failed(Cause.BAD_STATE)
        if self.mapped != request.socket:
            answer: Answer | None = yield from self._enter(request.socket, entry)
            if answer is not None:
                return self.failed(answer, "+WIPDATA")
        yield EndSending()
        return Done()

    def do_send_datagram(self, request: SendDatagram) -> DriverSteps:
        """From the socket's own port: it is made again for that peer, then to hear everybody, this one's answer too."""
        socket, entry = request.socket, self.connections.held.get(request.socket)
        if entry is None or entry.protocol != UDP:
            return Failed(Cause.BAD_STATE)
        if not 0 < len(request.data) <= BUFFER_BYTES:
            return Failed(Cause.SEND_SIZE)
        if not self._offline:  # in a data mode nobody says who answers
            return Failed(Cause.NOT_SUPPORTED)
        entry.astray = True
        there: bool = yield from self._point_to(socket, entry, request.peer)
        left: int = (yield from self._send(socket, entry, request.data)) if there else 0
        there = there and (yield from self._point_to(socket, entry, None))
        return Failed(Cause.SEND_FAILED) if left or not there else Done()

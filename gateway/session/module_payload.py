"""Payload of the module's sockets: in its open data mode, by commands, or kept until one of both is possible."""

from __future__ import annotations

from gateway.dialect.driver import Chores, Opening, Outlet, Route
from gateway.model.events import Received
from gateway.model.findings import FindingKind
from gateway.model.values import HostSocket, Ticket
from gateway.session.effects import Drain, Happened
from gateway.session.module_worker import Job, ModuleWorker

HELD_RETRY_S = 1.0
"""How often a module that takes no payload for a socket is asked whether it does again."""
FLUSH_S = 20.0
"""How long a socket that is to be closed may take to have its payload sent before."""
JOINED_BYTES = 32768
"""Pieces of a stream that come at once are told as one up to here."""


class PayloadSide(ModuleWorker):
    """See the module's text."""

    # -- in a data mode --------------------------------------------------------------------------------------------------

    @property
    def in_data_mode(self) -> bool:
        """Whether the module's bytes are payload just now."""
        return self._phase is not None and not self._phase_over

    def _open(self, opening: Opening) -> None:
        """The module's next byte is payload."""
        opening.phase.begin(self._last_write_s)
        self._phase, self._phase_socket = opening.phase, opening.socket
        self.driver.mapped = opening.socket
        self._phase_over = self._suspended = False
        self._reason = None
        self._delivers = opening.deliver
        self._note("module_phase", what="open")
        self._send_backlog()

    def _route(self, route: Route) -> int:
        """Give the open data mode, and what is kept, to a socket."""
        socket = route.socket
        if route.before is not None:
            self._kept.move(route.before, socket)
        if self._phase is not None and self._phase_socket in (socket, route.before):
            self._phase_socket, self._delivers = socket, route.deliver
        if route.deliver:
            for part in self._kept.take(socket):
                self._happened(Received(socket, part))
        self._send_backlog()
        return self._kept.size(socket)

    def _sends_to(self, socket: HostSocket) -> bool:
        """Whether payload for a socket may be sent now."""
        phase = self._phase
        return phase is not None and self._phase_socket == socket and not (self._suspended or phase.holds)

    def _send_backlog(self) -> None:
        """Send what waited, as far as it may be sent."""
        socket = self._phase_socket
        if socket is None or not self._sends_to(socket):
            return
        assert self._phase is not None
        parts = self._backlog.pop(socket, [])
        for at, part in enumerate(parts):
            if self._phase.holds:
                self._backlog[socket] = parts[at:]
                return
            self._send_now(part)

    def _send_now(self, payload: bytes) -> None:
        """Send payload in the open data mode."""
        phase = self._phase
        assert phase is not None
        self._moved = True
        self._write(phase.encode(payload, self._now))
        if phase.drains or (phase.guard_s and not self._draining):
            self._draining = True  # a guard time begins when it has gone out
            self.effects.append(Drain())

    def _put(self, data: bytes) -> bool:
        """Send payload of the driver's in the open data mode, in its turn; whether there is one."""
        socket = self._phase_socket
        if socket is None:
            return False
        self._backlog.setdefault(socket, []).append(data)
        self._send_backlog()
        return True

    def _received(self, payloads: list[bytes]) -> None:
        """Payload of the module: told, or kept as long as nobody reads it."""
        socket = self._phase_socket
        assert socket is not None
        self._moved = self._moved or bool(payloads)
        for payload in payloads:
            if self._delivers:
                self._happened(Received(socket, payload))
            elif self._kept.add(socket, payload):
                for event in self.driver.kept(socket, len(payload)):
                    self._happened(event)

    def _drop_phase(self) -> None:
        """There is no data mode any more; what waits for it is sent by commands where that is possible."""
        socket = self._phase_socket
        if socket in self._backlog and self.driver.sends_by_command:
            for part in reversed(self._backlog.pop(socket)):
                self._outgoing.put_back(socket, part)
        self._phase = None
        self._phase_socket = self.driver.mapped = None
        self._phase_over = False

    def _must_wait(self, job: Job) -> bool:
        """Whether a socket that is to be closed still has payload that will be sent in a moment."""
        phase = self._phase
        return phase is not None and phase.holds and job.closes == self._phase_socket and job.closes in self._backlog

    def _weigh(self) -> None:
        """Tell which sockets take no more just now, or take again."""
        if self.weighs and (
            self._backlog or self._outgoing.size or self._stopped or self._holding.told or self._holding.by_module
        ):
            waiting = dict(self._outgoing.sizes)
            for socket, parts in self._backlog.items():
                waiting[socket] = waiting.get(socket, 0) + sum(map(len, parts))
            stopped = self._phase_socket if self._stopped else None
            self.effects += map(Happened, self._holding.weigh(waiting, stopped))

    # -- by commands -----------------------------------------------------------------------------------------------------

    def _soon(self, job: Job) -> None:
        """Before all that waits, but for what is urgent and was there before."""
        at = next((at for at, other in enumerate(self._jobs) if not other.urgent), len(self._jobs))
        self._jobs.insert(at, job)

    def _next_job(self) -> Job | None:
        """Jobs and payload in turn; a socket is closed, or told to end, when its payload has gone."""
        if self._jobs and self._jobs[0].urgent:
            return self._jobs.popleft()
        sending = self._sending() if self._outgoing or self.driver.stuck else None
        if not self._jobs:
            return sending
        head = self._jobs[0]
        if head.ends is not None and head.ends in self._outgoing:
            head.flush_s = head.flush_s or self._now + FLUSH_S
            if self._now < head.flush_s:
                return sending
        elif sending is not None and self._payload_turn:
            self._payload_turn = False
            return sending
        self._payload_turn = True
        return self._jobs.popleft()

    def _sending(self) -> Job | None:
        """The next payload that the module takes."""
        held = bool(self.driver.stuck)
        for socket in self._outgoing.sockets:
            outlet = self.driver.outlet(socket)
            if outlet is None:
                self._forget_backlog(socket)
            elif outlet.limit_bytes:
                return Job(self._send(socket, outlet), Ticket(0), "payload")
            else:
                held = True
        if held and self._held_s is None:
            self._held_s = self._now + HELD_RETRY_S
        return None

    def _send(self, socket: HostSocket, outlet: Outlet) -> Chores:
        data = self._outgoing.take(socket, outlet.limit_bytes, divided=outlet.divided)
        left = yield from self.driver.send(socket, data, more=socket in self._outgoing)
        if left:
            self._outgoing.put_back(socket, data[-left:])

    def _ask_held(self) -> Chores:
        """Whether the module takes payload again for sockets for which it did not."""
        for socket in dict.fromkeys([*self._outgoing.sockets, *self.driver.stuck]):
            outlet = self.driver.outlet(socket)
            if outlet is not None and not outlet.limit_bytes:
                yield from self.driver.send(socket, b"", more=True)

    def _payload_line(self, text: str) -> None:
        events = self.driver.arrived(text)
        if events is None:
            self._note_always("finding", what=FindingKind.ODD.value, old=text[:80], new="a damaged line with payload")
            return
        for event in events:
            if not (isinstance(event, Received) and self._joined(event)):
                self._happened(event)

    def _joined(self, event: Received) -> bool:
        """Whether a piece of a stream is told with the one before it: many lines with payload come at once."""
        last = self.effects[-1] if self.effects else None
        if event.peer is not None or not isinstance(last, Happened) or not isinstance(last.event, Received):
            return False
        before = last.event
        if before.socket != event.socket or before.peer is not None or len(before.data) > JOINED_BYTES:
            return False
        self.effects[-1] = Happened(Received(event.socket, before.data + event.data))
        return True

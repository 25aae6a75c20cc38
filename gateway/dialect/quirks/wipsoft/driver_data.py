"""Payload to and from a WIPSoft module: data modes and what ends them (6.2), the offline session (6.3).

Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Chores,
    Command,
    Deliver,
    DriverSteps,
    Emit,
    EndSending,
    Enter,
    Final,
    Leave,
    Part,
    Rest,
)
from gateway.dialect.quirks.wipsoft.connections import TCP, UDP, Connection
from gateway.dialect.quirks.wipsoft.driver_sockets import PEER_ADDRESS, PEER_PORT, SocketsDriver
from gateway.model.causes import Cause
from gateway.model.events import PeerClosed, SocketLost
from gateway.model.requests import Attach, Detach, FilterWaiting, ShutdownTcp
from gateway.model.results import Done, Failed
from gateway.model.values import Endpoint, HostSocket
from gateway.wire.module_phase import FALL_BACK, ModulePhase

DRAIN_QUIET_S = 0.3
"""So long after the last datagram that waited the offline session is closed again."""
CLOSE_LIMIT_S = 1.0


class DataDriver(SocketsDriver):
    """See the module's text."""

    _falls_back = False
    """The module leaves its data mode with every datagram (X15)."""

    def do_attach(self, request: Attach) -> DriverSteps:
        """Enter the socket's data mode."""
        entry = self.connections.held.get(request.socket)
        if entry is None:
            return Failed(Cause.CLOSED_BY_PEER)
        first: list[bytes] = []
        if request.peer is not None and entry.peer is None:
            # Only this peer from now on: take what waits, and make the socket again with the peer.
            drained = yield from self._drain(entry)
            first = [datagram for peer, datagram in entry.kept if peer == request.peer]
            entry.kept.clear()
            entry.peer = request.peer
            if drained or not (yield from self._point(entry, request.peer)):
                yield from self._shut(UDP, entry.index)
                failed: Failed | None = yield from self._create_udp(entry)
                if failed is not None:
                    self.connections.held.pop(request.socket, None)
                    return failed
        answer = yield from self._enter(request.socket, entry)
        if not answer.ok:
            if answer.final is Final.ERROR:
                yield from self._close(request.socket)
                return Failed(Cause.CLOSED_BY_PEER if entry.peer_closed else Cause.OPEN_FAILED, answer.original)
            return self.failed(answer, "+WIPDATA")
        for datagram in first:
            yield Deliver(request.socket, datagram)
        if entry.peer_closed:
            # It was told before the data were read, and is not told again: read what is there, then it is over.
            yield Afterwards(self._read_out(request.socket))
        return Done()

    def _point(self, entry: Connection, peer: Endpoint) -> Part:
        """Give a UDP socket its peer by options; what waits of that peer stays. False where they cannot be written."""
        for option, value in ((PEER_ADDRESS, peer.host), (PEER_PORT, peer.port)):
            if "udp:rw" not in self.dialect.tables.options["sockets"][str(option)].access:
                return False
            place = {"protocol": UDP, "index": entry.index, "option": option}
            answer: Answer = yield Command(self.dialect.write("option_set", **place, value=value))
            if not answer.ok:
                return False
        return True

    def do_detach(self, request: Detach) -> DriverSteps:
        """Leave it."""
        entry = self.connections.held.get(request.socket)
        if entry is None or not entry.attached:
            return Done()
        entry.attached, entry.detached = False, True
        held: bytes | None = yield Leave()
        if held and (yield from self._really(entry)):  # the module's own word for the end, heard in time
            yield from self._over(request.socket, None)
        elif held:
            yield Deliver(request.socket, held)
        return Done()

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """An ETX in the data mode ends the sending, reading goes on (6.2.2.1)."""
        entry = self.connections.held.get(request.socket)
        if entry is None or entry.protocol != TCP:
            return Failed(Cause.BAD_STATE)
        if not entry.attached:
            answer = yield from self._enter(request.socket, entry)
            if not answer.ok:
                return self.failed(answer, "+WIPDATA")
        yield EndSending()
        return Done()

    def _read_out(self, socket: HostSocket) -> Chores:
        yield Rest(0.5, quiet=True)
        yield from self.data_ended(socket, b"")

    def _enter(self, socket: HostSocket, entry: Connection) -> Part:
        phase = ModulePhase(
            escaped=True,
            divided=entry.protocol == UDP,
            guard_s=self.dialect.tables.numbers["guard_ms"] / 1000,
            hints=tuple(hint.replace("{end}", "\r\n").encode() for hint in self.dialect.tables.module.hints),
            boot=self.dialect.boot_lines(),
            falls_back=self._falls_back,
        )
        text = self.dialect.write("data_continuous", protocol=entry.mode, index=entry.index)
        answer: Answer = yield Enter(text, socket, phase)
        entry.attached = answer.ok
        entry.detached = False
        return answer

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """ETX is the peer's end or a reset (6.2.2.3, 6.2.5); a text is only a suspicion, and is asked about."""
        entry = self.connections.held.get(socket)
        if entry is None:
            return
        entry.attached = False
        if mark == FALL_BACK:
            yield from self._fallen_back(socket, entry)
            return
        reset = None
        if mark == b"\x03":
            reset = yield Await(lambda heard: heard.key == "error", 0.4)
        held: bytes | None = yield Leave(there=reset is not None)
        if held is None:
            return
        if reset is not None:
            cause = self.dialect.cause_of(reset.fields["code"])
            yield from self._over(socket, cause if cause is not Cause.INTERNAL else Cause.RESET)
            return
        if mark not in (b"\x03", b"") and not (held and (yield from self._really(entry))):
            if held:
                yield Deliver(socket, held)
            answer = yield from self._enter(socket, entry)
            if not answer.ok:
                yield from self._over(socket, Cause.RESET)
            return
        yield from self._over(socket, None)

    def _fallen_back(self, socket: HostSocket, entry: Connection) -> Chores:
        """The module has left its data mode: with an error the socket is dead, without one it does so each time (X15)."""
        error: Heard | None = yield Await(lambda heard: heard.key == "error", 0)
        if error is not None:
            yield from self._over(socket, self.dialect.cause_of(error.fields["code"]))
            return
        self._falls_back = True
        answer = yield from self._enter(socket, entry)
        if not answer.ok:
            yield from self._over(socket, Cause.SEND_FAILED)

    def _really(self, entry: Connection) -> Part:
        """Whether the module itself said what stood in its stream: then it also says what that means."""
        closed: Heard | None = yield Await(
            lambda heard: heard.key == "peer_closed" and heard.number("index") == entry.index, CLOSE_LIMIT_S
        )
        if closed is not None or entry.peer_closed:
            return True
        if self._is_gone((yield from self._bearer_states())):
            yield from self._tell_gone()
            return True
        return False

    def _over(self, socket: HostSocket, cause: Cause | None) -> Chores:
        """The socket has ended: close the module's, and tell whether it was the bearer."""
        entry = self.connections.held.pop(socket, None)
        if entry is None:
            return
        yield from self._shut(entry.mode, entry.index)
        if self._is_gone((yield from self._bearer_states())):
            self.connections.held[socket] = entry
            yield from self._tell_gone()
            return
        yield Emit(PeerClosed(socket) if cause is None else SocketLost(socket, cause))

    def _drain(self, entry: Connection) -> Part:
        """Read and keep the datagrams that wait, by the offline session that costs no guard time (6.3).

        False when the module has no such session.
        """
        if not self.dialect.writes("data_offline"):
            return False
        text = self.dialect.write("data_offline", protocol=UDP, index=entry.index)
        answer: Answer = yield Command(text, frozenset({"offline_opened"}))
        if not answer.ok:
            return False
        parts: list[bytes] = []
        while True:
            heard: Heard | None = yield Await(
                lambda heard: heard.key in ("offline_data", "offline_data_late", "datagram_waiting"), DRAIN_QUIET_S
            )
            if heard is None:
                break
            if heard.key == "datagram_waiting":
                entry.speaker = speaker(heard)
                continue
            parts.append(_bytes(heard.fields["dump"]))
            if heard.number("block") >= heard.number("blocks"):
                if entry.speaker is not None:
                    entry.kept.append((entry.speaker, b"".join(parts)))
                parts = []
        yield Command(self.dialect.write("offline_close", index=entry.index), frozenset({"offline_closed"}))
        return True

    def do_filter_waiting(self, request: FilterWaiting) -> DriverSteps:
        """Read what waits, to see who sent it."""
        entry = self.connections.held.get(request.socket)
        if entry is None:
            return Done()
        if not (yield from self._drain(entry)):  # a socket made anew holds nobody's datagrams
            yield from self._shut(UDP, entry.index)
            failed: Failed | None = yield from self._create_udp(entry)
            if failed is not None:
                self.connections.held.pop(request.socket, None)
                return failed
        entry.kept = [(peer, data) for peer, data in entry.kept if peer.host == request.allowed]
        return Done(entry.kept[0][0] if entry.kept else None)


def speaker(heard: Heard) -> Endpoint:
    """Who sent the datagram that is told."""
    return Endpoint(heard.fields["peer"], heard.number("port"))


def _bytes(dump: str) -> bytes:
    try:
        return bytes.fromhex(dump)
    except ValueError:
        return b""

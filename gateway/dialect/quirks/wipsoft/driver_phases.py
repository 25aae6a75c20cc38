"""Payload to and from a WIPSoft module: which phase it goes in, and what ends that (6.2, 6.3).

A socket that the host's side hears alone, or the only one, has its data mode, which stays open until a command must be
given: it is quick, and no byte has two meanings. Where several are in use at once, or the host gives commands of its own
beside one, a data mode is deaf to the others, and costs more than two guard times to leave. So they share the offline
session there, each as long as it has something to say. A module that has none stays in command mode, where it tells of
each, and enters a data mode only for the one that has something; it is left again when that one is quiet, or after a
while. So are long sendings on any module: what the offline session takes at once is little, and nothing holds its writer
back (6.3.1).

Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Await,
    Chores,
    Command,
    Deliver,
    Emit,
    Enter,
    Final,
    Keep,
    Leave,
    Outlet,
    Part,
    Put,
    Quiet,
    Remark,
    Rest,
    Route,
)
from gateway.dialect.quirks.wipsoft.connections import Connection
from gateway.dialect.quirks.wipsoft.driver_datagrams import DatagramsDriver
from gateway.dialect.quirks.wipsoft.driver_offline import BUFFER_BYTES
from gateway.dialect.quirks.wipsoft.numbers import SERVER, UDP
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, PeerClosed, SocketLost
from gateway.model.values import HostSocket
from gateway.wire.dle import ETX
from gateway.wire.module_phase import FALL_BACK, ModulePhase

UNREAD = 6
"""Socket option: how many bytes can be read (5.3.7.1)."""
CLOSE_LIMIT_S = 1.0
READ_OUT_S = 1.0
"""So long a socket whose peer has closed must be quiet to be read to its end; the guard time passes meanwhile."""
LINGER_S = 1.0
"""So long a data mode that others wait for must be quiet to be left: the guard time before the sign passes meanwhile."""
RESET_S = 1.0
"""So long behind its ETX a module may take to say that it was a reset."""
SOON_S = 0.01
VISIT_S = 5.0
"""And so long it stays open at most."""
PUT_BYTES = 65536
"""How much goes into a data mode at once."""
DATA_MODE = "continuous", "a data mode: nothing else in use, the quickest"
OFFLINE = "hexadecimal", "the offline session: other sockets or commands beside it, no guard time"
VISIT = "continuous for a while", "a data mode, left again: other sockets or commands beside, no offline session for this"


def _reset(limit_s: float) -> Await:
    """The code of a reset, which stands behind the data mode's end."""
    return Await(lambda heard: heard.key == "error", limit_s)


class PhasesDriver(DatagramsDriver):
    """See the module's text."""

    sends_by_command = True

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._falls_back = False
        """The module leaves its data mode with every datagram (X15)."""
        self._visits = 0
        """How often a data mode was entered."""
        self._choice: tuple[str, str] | None = None

    # -- the host's side -----------------------------------------------------------------------------------------------

    # -- to the module -------------------------------------------------------------------------------------------------

    def outlet(self, socket: HostSocket) -> Outlet | None:
        """As much as there is; datagrams one at a time; nothing while a file is moved."""
        entry = self.connections.held.get(socket)
        if entry is None or entry.protocol == SERVER:
            return None
        return Outlet(0 if self._occupied else PUT_BYTES, entry.protocol == UDP)

    def send(self, socket: HostSocket, data: bytes, *, more: bool) -> Part:
        """By the offline session, or in a data mode that is entered for it."""
        del more
        if not data:
            return 0
        if self.mapped == socket:
            return 0 if (yield Put(data)) else len(data)
        entry = self.connections.held.get(socket)
        if entry is None or not (yield from self._to_its_peer(socket, entry)):
            return 0
        return (yield from self._send(socket, entry, data))

    def _send(self, socket: HostSocket, entry: Connection, data: bytes) -> Part:
        answer: Answer | None = yield from self._turn_to(socket, entry, len(data))
        if answer is not None:
            yield from self._refused(socket, answer)
            return len(data) if answer.final is Final.TIMED_OUT else 0
        if self.connections.session is not entry:
            return 0 if (yield Put(data)) else len(data)
        left: int | Answer = yield from self._write(entry, data)
        if isinstance(left, int):
            return left
        if left.final is Final.TIMED_OUT:  # nobody knows whether they have gone
            yield from self._over(socket, Cause.SEND_FAILED)
        else:
            yield from self._refused(socket, left)
        return 0

    @property
    def _occupied(self) -> bool:
        """Whether the data mode that is open is none of a socket's: a file is moved."""
        return self.mapped is not None and self.mapped not in self.connections.held

    # -- the choice ----------------------------------------------------------------------------------------------------

    def _turn_to(self, socket: HostSocket, entry: Connection, size_bytes: int = 0) -> Part:
        """Open what a socket's payload goes in, of which so much is to be sent: None, or the answer that refuses it."""
        if self.mapped == socket:
            return None
        limit_bytes = BUFFER_BYTES if entry.protocol == UDP else self.dialect.tables.numbers.get("offline_tcp_bytes", 0)
        if self._offline and size_bytes <= limit_bytes and not self.connections.may_stay(socket):
            yield from self._choose(OFFLINE)
            answer: Answer | None = yield from self._open_session(entry)
            if answer is None or self._offline:
                return answer
        return (yield from self._enter(socket, entry))

    def _enter(self, socket: HostSocket, entry: Connection) -> Part:
        """Enter a data mode; None, or the answer that refuses it."""
        stays = self.connections.may_stay(socket)
        yield from self._close_session()
        yield from self._choose(DATA_MODE if stays else VISIT)
        phase = ModulePhase(
            escaped=True,
            divided=entry.protocol == UDP,
            guard_s=self.dialect.tables.numbers["guard_ms"] / 1000,
            hints=tuple(hint.replace("{end}", "\r\n").encode() for hint in self.dialect.tables.module.hints),
            boot=self.dialect.boot_lines(),
            falls_back=self._falls_back,
        )
        if not entry.attached:  # what comes now is kept behind what came before
            kept, entry.kept = entry.kept, []
            for _, data in kept:
                yield Keep(socket, data)
        text = self.dialect.write("data_continuous", protocol=entry.mode, index=entry.index)
        answer: Answer = yield Enter(text, socket, phase, deliver=entry.attached)
        if not answer.ok:
            return answer
        entry.waiting = False
        self._visits += 1
        if not stays:
            yield Afterwards(self._watch(socket, self._visits))
        return None

    def _choose(self, choice: tuple[str, str]) -> Chores:
        if choice != self._choice:
            self._choice = choice
            yield Remark("module_phase", {"what": choice[0], "reason": choice[1]})

    def _watch(self, socket: HostSocket, visit: int) -> Chores:
        """Leave a data mode that others wait for, when it is quiet or has lasted long enough; then look at those."""
        wait_s, lasted_s = LINGER_S, 0.0
        while lasted_s < VISIT_S:
            yield Await(lambda _: False, wait_s, aside=True)
            if self.mapped != socket or self._visits != visit or self.connections.may_stay(socket):
                return
            lasted_s += wait_s
            quiet_s: float | None = yield Quiet()
            if quiet_s is None:
                return
            if quiet_s >= LINGER_S:
                break
            wait_s = max(LINGER_S - quiet_s, SOON_S)
        yield from self._leave(socket)

    def _look_round(self, left: HostSocket) -> Chores:
        """Whether anything came for the others: a module need not tell behind a data mode what it kept quiet in it."""
        for socket, entry in list(self.connections.held.items()):
            if socket == left or entry.protocol == SERVER or self.mapped is not None:
                continue
            size = 0 if entry.waiting else (yield from self._unread(entry))
            if size and not entry.waiting:
                entry.waiting = True
                if not entry.attached:
                    yield Emit(DataWaiting(socket, size))
            if entry.waiting and entry.attached:
                yield Afterwards(self.visit(socket))

    def _unread(self, entry: Connection) -> Part:
        """How many bytes the module has for a socket; 0 where it will not say."""
        text = self.dialect.write("option_get", protocol=entry.mode, index=entry.index, option=UNREAD)
        answer: Answer = yield Command(text, frozenset({"socket_option", "socket_option_other"}))
        size = answer.heard[0].fields["value"] if answer.ok and answer.heard else ""
        return int(size) if size.isdigit() else 0

    # -- from the module -----------------------------------------------------------------------------------------------

    def visit(self, socket: HostSocket) -> Chores:
        """Something can be read: read it, if the host's side wants it now."""
        entry = self.connections.held.get(socket)
        if entry is None or not (entry.attached and entry.waiting) or self._occupied:
            return
        answer: Answer | None = yield from self._turn_to(socket, entry)
        if answer is not None:
            yield from self._refused(socket, answer)

    def peer_gone(self, socket: HostSocket) -> Chores:
        """The peer has closed while the module was in command mode: what it sent before is read first."""
        entry = self.connections.held.get(socket)
        if entry is None or not entry.attached:
            return
        if self.mapped == socket or (entry.waiting and not self._occupied):
            yield from self.visit(socket)
            yield from self._read_out(socket)
        else:
            yield from self._over(socket, None)

    def _read_out(self, socket: HostSocket) -> Chores:
        yield Rest(READ_OUT_S, quiet=True)
        meanwhile = (yield Quiet()) is None
        yield from self.data_ended(socket, ETX if meanwhile else b"")

    def _refused(self, socket: HostSocket, answer: Answer) -> Chores:
        """The module does not let the socket's payload flow: it is dead."""
        entry = self.connections.held.get(socket)
        if entry is not None and answer.final is Final.ERROR:
            yield from self._over(socket, None if entry.peer_closed else Cause.RESET)

    def _leave(self, socket: HostSocket) -> Chores:
        held: bytes | None = yield Leave()
        if held:
            yield from self._ask_about(socket, held)

    def left(self, socket: HostSocket, held: bytes, *, beside: bool) -> Chores:
        """Behind a data mode: others may have been overheard in it."""
        if beside and socket in self.connections.held:
            self.connections.held[socket].beside = True
        if held:
            yield from self._ask_about(socket, held)
        yield from self._look_round(socket)

    def _ask_about(self, socket: HostSocket, text: bytes) -> Chores:
        """What stood at the end of a data mode may be the module's own word for the peer's end."""
        entry = self.connections.held.get(socket)
        if entry is None:
            return
        if (yield from self._really(entry)):
            yield from self._over(socket, None)
        else:
            yield Deliver(socket, text)

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """ETX is the peer's end or a reset (6.2.2.3, 6.2.5); a text is only a suspicion, and is asked about."""
        entry = self.connections.held.get(socket)
        if entry is None:
            return
        if mark == FALL_BACK:
            yield from self._fallen_back(socket, entry)
            return
        reset: Heard | None = None
        if mark == ETX:
            reset = yield _reset(RESET_S)
        held: bytes | None = (yield Leave(there=reset is not None)) if self.mapped == socket else b""
        if held is None:
            return
        if reset is not None:
            cause = self.dialect.cause_of(reset.fields["code"])
            yield from self._over(socket, cause if cause is not Cause.INTERNAL else Cause.RESET)
            return
        if mark not in (ETX, b"") and not (held and (yield from self._really(entry))):
            if held:
                yield Deliver(socket, held)
            yield from self._again(socket, entry, Cause.RESET)
            return
        yield from self._over(socket, None)

    def _fallen_back(self, socket: HostSocket, entry: Connection) -> Chores:
        """The module has left its data mode: with an error the socket is dead, without one it does so each time (X15)."""
        error: Heard | None = yield _reset(0)
        if error is not None:
            yield from self._over(socket, self.dialect.cause_of(error.fields["code"]))
            return
        self._falls_back = True
        yield from self._again(socket, entry, Cause.SEND_FAILED)

    def _again(self, socket: HostSocket, entry: Connection, cause: Cause) -> Chores:
        """The data mode has ended for no reason of its socket's: it goes on where it may stay open."""
        if self.mapped is not None or not self.connections.may_stay(socket):
            return
        answer: Answer | None = yield from self._enter(socket, entry)
        if answer is not None:
            yield from self._over(socket, cause)

    def _really(self, entry: Connection) -> Part:
        """Whether the module itself said what stood in its stream: then it also says what that means."""
        if entry.peer_closed:
            return True
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
        """The socket has ended: close the module's, tell whether it was the bearer. What came before is read first."""
        entry = self.connections.held.get(socket)
        if entry is None:
            return
        if not entry.attached and (entry.kept or (yield Route(socket, deliver=False))):
            entry.over, entry.cause, entry.peer_closed = True, cause or entry.cause, True
            return
        cause = cause or entry.cause
        del self.connections.held[socket]
        yield from self._shut(entry.mode, entry.index)
        if self._is_gone((yield from self._bearer_states())):
            self.connections.held[socket] = entry
            yield from self._tell_gone()
            return
        yield Emit(PeerClosed(socket) if cause is None else SocketLost(socket, cause))

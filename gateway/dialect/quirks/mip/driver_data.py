"""Payload to and from a module of the MIP family, as hexadecimal digits (1.1.4, 1.1.6, 1.1.7, 1.1.9, 1.1.10).

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Afterwards, Answer, Await, Command, DriverSteps, Emit, Final, Outlet, Part, Remark
from gateway.dialect.quirks.mip.connections import Connection, Stage
from gateway.dialect.quirks.mip.driver_sockets import SocketsDriver
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event, Received, SendingHeld, SocketLost
from gateway.model.findings import FindingKind
from gateway.model.requests import Attach, Detach, FilterWaiting, SendDatagram
from gateway.model.results import Done, Failed
from gateway.model.values import Endpoint, HostSocket, plain

TAKEN = 0
FLOWED_OFF = 1
"""Status of +MIPSEND and +MIPPUSH (1.1.6.4, 1.1.7.4, F24)."""
SENT = frozenset({"sent", "pushed", "pushed_counted"})
PUSHED = frozenset({"pushed", "pushed_counted"})
ROOM = frozenset({"send_room", "send_none"})
CONFIRM_S = 5.0
"""So long behind its OK the line with the status may come (field observation)."""
ENDED_S = 0.5
"""So long behind a refused block the end of its connection may be told."""
CHOICE = "hexadecimal blocks: no byte has two meanings, several sockets at once, no guard times"


class DataDriver(SocketsDriver):
    """See the module's text."""

    payload_lines = ("+MIPRTCP", "+MIPRUDP")
    sends_by_command = True

    # -- what arrives (1.1.9, 1.1.10) ----------------------------------------------------------------------------------

    def arrived(self, line: str) -> Iterable[Event] | None:
        """``+MIPRTCP: id,left,digits`` and ``+MIPRUDP: address,port,id,left,digits``; no quotes in either."""
        udp = line.startswith("+MIPRUDP")
        values = line[8:].lstrip(" :=").split(",")
        try:
            peer = Endpoint(plain(values.pop(0).strip('" ')), int(values.pop(0))) if udp else None
            id, left, digits = values
            connection, data, rest = self.connections.by_id.get(int(id)), bytes.fromhex(digits.strip('" ')), int(left)
        except (ValueError, IndexError):
            return None
        if connection is None or connection.stage is Stage.CLOSING:
            return []
        if peer is not None:
            return self._datagram(connection, data, peer, rest)
        return self._received(connection, data, None)

    def _datagram(self, connection: Connection, data: bytes, peer: Endpoint, left: int) -> Iterable[Event]:
        data = connection.part + data
        # A piece of the full size with something left behind it is the beginning of a datagram; all others end one.
        full = self.dialect.argument("+MIPDSETS", "size").maximum or 0
        if left and len(data) % full == 0:
            connection.part = data
            return []
        connection.part = b""
        if connection.peer is not None and peer != connection.peer:
            return []
        connection.speaker = connection.speaker or peer
        return self._received(connection, data, peer)

    def _received(self, connection: Connection, data: bytes, peer: Endpoint | None) -> Iterable[Event]:
        holder = connection.holder
        if connection.attached and holder is not None:
            return [Received(holder, data, peer)]
        first = not connection.kept
        if not connection.keep(data, peer):
            # Bytes of a stream cannot be left out; a datagram can.
            connection.ended = 1
            return [SocketLost(holder, Cause.OUT_OF_MEMORY)] if holder is not None and not connection.udp else []
        if first and connection.told and holder is not None:
            return [DataWaiting(holder, len(data), peer)]
        return []

    @property
    def full(self) -> bool:  # type: ignore[override]  # a plain value where nothing is ever kept
        """Whether so much waits for the host's side that the module should not be read."""
        return self.connections.full

    def do_attach(self, request: Attach) -> DriverSteps:
        """What was kept, and from now on what comes."""
        connection = self.connections.of(request.socket)
        if connection is None:
            return Failed(Cause.CLOSED_BY_PEER)
        if request.peer is not None and connection.udp:
            connection.peer, connection.fixed = request.peer, False
            connection.filter(request.peer.host, request.peer.port)
        connection.attached = True
        yield Remark("module_phase", {"what": "hexadecimal", "reason": CHOICE})
        for data, peer in connection.take():
            yield Emit(Received(request.socket, data, peer))
        if connection.ended is not None:
            yield Afterwards(self._catch_up(connection))
        return Done()

    def do_detach(self, request: Detach) -> DriverSteps:
        """What comes is kept."""
        yield from ()
        connection = self.connections.of(request.socket)
        if connection is not None:
            connection.attached = False
        return Done()

    def do_filter_waiting(self, request: FilterWaiting) -> DriverSteps:
        """Of what is kept."""
        yield from ()
        connection = self.connections.of(request.socket)
        if connection is None:
            return Done()
        connection.filter(request.allowed)
        if not connection.kept:
            connection.speaker = None
            return Done(None)
        connection.speaker = connection.kept[0][1]
        return Done(connection.speaker)

    # -- what is sent (1.1.6, 1.1.7) -----------------------------------------------------------------------------------

    def outlet(self, socket: HostSocket) -> Outlet | None:
        """As much as the accumulating buffer holds; datagrams one at a time."""
        connection = self.connections.of(socket)
        if connection is None or connection.ended is not None:
            return None
        blocked = connection.held and not connection.tries
        if blocked or connection.unpushed or connection.stage is not Stage.OPEN:
            return Outlet(0, connection.udp)
        return Outlet(connection.free or self._room, connection.udp)

    @property
    def _room(self) -> int:
        return self.dialect.tables.numbers["accumulating_bytes"]

    def send(self, socket: HostSocket, data: bytes, *, more: bool) -> Part:
        """In blocks into the accumulating buffer, which goes out by itself when it is full; else it is pushed."""
        connection = self.connections.of(socket)
        if connection is None:
            return len(data)
        if not data:
            yield from self._ask_room(connection)
            return 0
        if connection.udp:
            return (yield from self._send_datagram(connection, data, self._target(connection)))
        left = yield from self._fill(connection, data)
        if connection.free < self._room and (not more or left):
            yield from self._push(connection, None)
        return left

    def _target(self, connection: Connection) -> Endpoint | None:
        """Whom to name with a datagram; None: nobody need be, the socket was opened to its peer."""
        return None if connection.fixed else connection.peer or connection.speaker

    def _send_datagram(self, connection: Connection, data: bytes, target: Endpoint | None) -> Part:
        unsent = None
        limit = (
            self._room if connection.fixed else self._room - 1
        )  # a full buffer goes out by itself, to whom it was last
        if not 0 < len(data) <= limit:
            unsent = f"the module sends datagrams of 1 to {limit} bytes"
        elif target is None and not connection.fixed:
            unsent = "nobody has spoken yet"
        if unsent is not None:
            fields = {"what": FindingKind.LOST.value, "old": f"a datagram of {len(data)} bytes", "new": unsent}
            yield Remark("finding", fields)
            return 0
        left = yield from self._fill(connection, data)
        if not left and connection.free < self._room:
            yield from self._push(connection, target)
        return left

    def _fill(self, connection: Connection, data: bytes) -> Part:
        """Into the accumulating buffer; how many bytes were not taken."""
        block = self.dialect.tables.numbers["inline_bytes"]
        at = 0
        while at < len(data):
            if connection.free == 0 and not (yield from self._push(connection, None)):
                break
            piece = data[at : at + min(block, connection.free)]
            if not (yield from self._put(connection, piece)):
                break
            at += len(piece)
        return len(data) - at

    def _put(self, connection: Connection, piece: bytes) -> Part:
        """One command with data (F18, F21); whether they were taken."""
        before = connection.free
        text = f'AT+MIPSEND={connection.id},"{piece.hex().upper()}"'
        answer: Answer = yield Command(text, SENT, self._send_limit_s)
        if not answer.ok:
            yield from self._refused(connection, answer)
            return False
        heard: Heard | None = _mine(answer.heard, connection.id)
        if heard is None:
            wanted = connection.id
            heard = yield Await(lambda one: one.key in SENT and one.number("id") == wanted, CONFIRM_S)
        if heard is None:  # it said OK
            connection.free = max(0, before - len(piece))
            yield from self._let_go(connection)
            return True
        if heard.number("status") == FLOWED_OFF:
            yield from self._hold(connection)
            return False
        connection.free = self._room if heard.key in PUSHED else heard.number("free")
        yield from self._let_go(connection)
        return True

    def _push(self, connection: Connection, target: Endpoint | None) -> Part:
        """Send what the buffer holds; whether it went."""
        fields: dict[str, str | int] = {"id": connection.id}
        if target is not None:
            fields |= {"host": target.host, "port": target.port}
        answer: Answer = yield Command(self.dialect.write("push", **fields), PUSHED)
        if not answer.ok:
            yield from self._refused(connection, answer)
            return False
        heard: Heard | None = _mine(answer.heard, connection.id)
        if heard is None:
            wanted = connection.id
            heard = yield Await(lambda one: one.key in PUSHED and one.number("id") == wanted, CONFIRM_S)
        if heard is not None and heard.number("status") == FLOWED_OFF:
            connection.unpushed = True
            yield from self._hold(connection)
            return False
        connection.free, connection.unpushed = self._room, False
        yield from self._let_go(connection)
        return True

    @property
    def stuck(self) -> list[HostSocket]:  # type: ignore[override]  # nothing, where nothing is ever held
        """Those whose buffer could not be pushed."""
        return [one.holder for one in self.connections.held if one.unpushed and one.holder is not None]

    def _flush(self, connection: Connection) -> Part:
        if connection.unpushed and connection.ended is None:
            yield from self._push(connection, self._target(connection) if connection.udp else None)

    @property
    def _send_limit_s(self) -> float:
        return float(self.dialect.tables.module.limits_s["+MIPSEND"])

    def _hold(self, connection: Connection) -> Part:
        """The module takes nothing on this socket until +MIPXON, or until it takes a block again."""
        connection.tries = False
        if not connection.held and connection.holder is not None:
            connection.held = True
            yield Emit(SendingHeld(connection.holder, True))

    def _let_go(self, connection: Connection) -> Part:
        """It takes again."""
        connection.tries = False
        if connection.held and connection.holder is not None:
            connection.held = False
            yield Emit(SendingHeld(connection.holder, False))

    def _ask_room(self, connection: Connection) -> Part:
        """+MIPXON may have been missed: room in the buffer does not say so, only a block that is taken."""
        if connection.ended is not None or connection.stage is not Stage.OPEN:
            return
        if connection.unpushed:
            yield from self._push(connection, self._target(connection) if connection.udp else None)
        else:
            answer: Answer = yield Command(self.dialect.write("send_read"), ROOM)
            room = next((one for one in answer.heard if one.number("id") == connection.id), None)
            if room is None or room.number("free") <= 0:
                return
            connection.free, connection.tries = room.number("free"), True

    def _refused(self, connection: Connection, answer: Answer) -> Part:
        """A block was not taken: there is no room, the connection has ended, or nobody knows what became of it."""
        full = (Cause.BUFFER_FULL, Cause.OUT_OF_MEMORY, Cause.BUSY)
        cause = self.dialect.cause_of(answer.code) if answer.code else Cause.SEND_FAILED
        if answer.final is Final.ERROR and cause in full:
            yield from self._hold(connection)
            return
        if answer.final is Final.ERROR and connection.ended is None:
            wanted = connection.id
            yield Await(lambda one: one.key in ("status", "call_down") and one.number("id") in (wanted, -1), ENDED_S)
        if connection.ended is not None or connection.holder is None or answer.final is Final.DOWN:
            return
        if self.connections.of(connection.holder) is not connection:
            return
        holder = connection.holder
        yield from self._shut(connection)
        yield Emit(SocketLost(holder, Cause.SEND_FAILED))

    def do_send_datagram(self, request: SendDatagram) -> DriverSteps:
        """Its peer is named with it."""
        connection = self.connections.of(request.socket)
        if connection is None or not connection.udp:
            return Failed(Cause.BAD_STATE)
        if connection.peer is not None:
            connection.peer = request.peer
        connection.fixed = False
        connection.speaker = request.peer
        left = yield from self._send_datagram(connection, request.data, request.peer)
        return Failed(Cause.BUFFER_FULL) if left else Done()


def _mine(heard: Iterable[Heard], id: int) -> Heard | None:
    return next((one for one in heard if one.number("id") == id), None)

"""Data as hexadecimal digits in AT mode (5.57 guide, 6.3): of one socket, or of a file that the session moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Expect,
    Fail,
    More,
    Ok,
    Order,
    Refusal,
    Say,
    Send,
    Silent,
    Spawn,
    Step,
    Steps,
    Surroundings,
    Tell,
    Turn,
    Wait,
)
from gateway.dialect.quirks.wipsoft.numbers import OFFLINE_SIZE, TCP, TLS, UDP
from gateway.dialect.quirks.wipsoft.state import Options, Session, SessionState, Socket, SocketState
from gateway.dialect.quirks.wipsoft.transfers import Exchange, Request, WipsoftTransfers
from gateway.model.causes import Cause
from gateway.model.events import Event, Received
from gateway.model.requests import Attach, Detach, ShutdownTcp
from gateway.model.results import Failed
from gateway.model.services import Begun, GetFile, PutFile
from gateway.model.values import Endpoint, HostSocket

OFFLINE_TCP_LIMIT = 5840
"""More than this in one offline write to a TCP socket is lost without an error (6.3.1)."""


@dataclass(slots=True)
class Upload:
    """A file or mail that is asked for when all of it is there: it is no longer than the buffer."""

    session: Session
    request: Request

    @property
    def index(self) -> int:
        """Of the session."""
        return self.session.index


class WipsoftOffline(WipsoftTransfers):
    """There is one offline session at a time, whatever it belongs to (6.3.1)."""

    options: Options
    """Of +WIPCFG."""

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        super().__init__(dialect, around)
        self.offline: Socket | Upload | None = None
        self._offline_buffer = bytearray()

    # -- sockets -----------------------------------------------------------------------------------------------------

    def _socket(self, call: Call) -> Socket | None:
        """The socket that a command names: UDP, TCP or SSL."""
        protocol = call.number("protocol")
        socket = self.table.sockets.get((TCP if protocol == TLS else protocol, call.number("index")))
        return socket if socket is not None and socket.mode == protocol else None

    def _data_socket(self, call: Call) -> Socket:
        socket = self._socket(call)
        if socket is None or socket.state is not SocketState.READY:
            raise Refusal(Cause.BAD_STATE)
        return socket

    def _closed_line(self, socket: Socket) -> str:
        return self.dialect.say("peer_closed", protocol=socket.mode, index=socket.index)

    def _tell_close(self, socket: Socket) -> Steps:
        """After the return to AT mode (6.2.11.1)."""
        if not socket.close_told:
            socket.close_told = True
            yield Tell(self._closed_line(socket))
        return Silent()

    def _tell_waiting(self, socket: Socket) -> Steps:
        """At a moment that allows it; what was read before then is not told (6.2.6)."""
        yield Turn()
        news, socket.news = socket.news, ""
        if news and self.table.by_handle(socket.handle) is socket:
            yield Tell(news)
        return Silent()

    def _waiting_line(self, socket: Socket, size: int, peer: Endpoint | None) -> str:
        if socket.protocol == UDP and peer is not None:
            return self.dialect.say(
                "datagram_waiting", protocol=UDP, index=socket.index, size=size, peer=peer.host, port=peer.port
            )
        return self.dialect.say("data_waiting", protocol=socket.mode, index=socket.index, size=size)

    def tells_data(self, socket: HostSocket) -> bool:
        """What the offline session takes, and what comes for nobody any more, which is dropped."""
        session = self.table.session
        if session is not None and session.handle == socket:
            return not session.listens
        own = self.table.by_handle(socket)
        return own is None or self.offline is own

    def _dumped(self, event: Received) -> list[Step]:
        socket = self.offline
        if not isinstance(socket, Socket) or socket.handle != event.socket:
            return []
        steps: list[Step] = []
        if event.peer is not None:
            steps.append(Tell(self._waiting_line(socket, len(event.data), event.peer)))
        return [*steps, *(Tell(line) for line in self._dump(socket.index, event.data))]

    def _dump(self, index: int, data: bytes) -> list[str]:
        """Blocks: how many there are, the number of each from 1 (S47)."""
        size = self.dialect.tables.numbers["offline_block_bytes"]
        blocks = [data[at : at + size].hex().upper() for at in range(0, len(data), size)]
        return [
            self.dialect.say("offline_data", index=index, blocks=len(blocks), block=number, dump=dump)
            for number, dump in enumerate(blocks, 1)
        ]

    # -- commands ----------------------------------------------------------------------------------------------------

    def do_data_offline(self, call: Call) -> Steps:
        """AT+WIPDATA=protocol,index,3."""
        self._offline_free()
        socket = self._data_socket(call)
        self.offline = socket  # what waits may come before the result does: it is told behind the answer
        result = yield Ask(Attach(socket.handle))
        if isinstance(result, Failed):
            self.offline = None
            return Fail(Cause.BAD_STATE, original=result.original)
        socket.read(SocketState.OFFLINE)
        return (yield from self._open_offline(socket))

    def _offline_free(self) -> None:
        """Raises :class:`Refusal` when there is an offline session."""
        if self._offline_now() is not None:
            raise Refusal(Cause.BAD_STATE)

    def _offline_now(self) -> Socket | Upload | None:
        """The offline session; that of a session with a server ends with it."""
        if isinstance(self.offline, Upload) and self.offline.session is not self.table.session:
            self.offline = None
        return self.offline

    def _open_offline(self, owner: Socket | Upload) -> Steps:
        self.offline = owner
        self._offline_buffer.clear()
        yield Say((self.dialect.say("offline_opened", index=owner.index),))
        return Ok(after_text=True)

    def _offline(self, call: Call) -> Socket | Upload:
        owner = self._offline_now()
        if owner is None or owner.index != call.number("index"):
            raise Refusal(Cause.BAD_STATE)
        return owner

    def do_offline_add(self, call: Call) -> Steps:
        """AT+WIPDATARW=2: into the buffer only."""
        yield from ()
        self._offline(call)
        self._add_offline(call)
        return Ok()

    def _add_offline(self, call: Call) -> None:
        data = bytes.fromhex(call.text("dump"))
        if len(self._offline_buffer) + len(data) > self.options.number(OFFLINE_SIZE):
            raise Refusal(Cause.BUFFER_FULL)
        self._offline_buffer += data

    def do_offline_send(self, call: Call) -> Steps:
        """AT+WIPDATARW=1: into the buffer, and all of it out; a file is complete with it (S46)."""
        owner = self._offline(call)
        self._add_offline(call)
        if isinstance(owner, Upload):
            return (yield from self._upload(owner))
        yield from self._send_offline(owner)
        return Ok(after_text=True)

    def _send_offline(self, socket: Socket) -> Steps:
        data = self._offline_data()
        yield Send(socket.handle, data if socket.protocol == UDP else data[:OFFLINE_TCP_LIMIT])
        yield Say((self.dialect.say("offline_sent", index=socket.index, size=len(data)),))
        return Silent()

    def _offline_data(self) -> bytes:
        data = bytes(self._offline_buffer)
        self._offline_buffer.clear()
        return data

    def do_offline_send_close(self, call: Call) -> Steps:
        """AT+WIPDATARW=3: the same, and the session ends; of sockets only (6.3.3)."""
        owner = self._offline(call)
        if isinstance(owner, Upload):
            return Fail(Cause.BAD_VALUE)
        self._add_offline(call)
        yield from self._send_offline(owner)
        yield from self._end_offline(owner)
        return Ok(after_text=True)

    def do_offline_close(self, call: Call) -> Steps:
        """AT+WIPDATARW=0: a file that has not gone is given up."""
        yield from self._end_offline(self._offline(call))
        return Ok(after_text=True)

    def _end_offline(self, owner: Socket | Upload) -> Steps:
        self.offline = None
        if isinstance(owner, Upload):
            self._rest(owner.session)
        else:
            owner.state = SocketState.READY
            yield Ask(Detach(owner.handle))
        yield Say((self.dialect.say("offline_closed", index=owner.index),))
        if isinstance(owner, Socket) and owner.peer_closed:
            yield Spawn(self._tell_close(owner), "close")
        return Silent()

    # -- files (6.1, modes 6 to 9) -------------------------------------------------------------------------------------

    def do_ftp_put_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,6."""
        return self._upload_later(call, append=False)

    def do_ftp_append_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,9."""
        return self._upload_later(call, append=True)

    def _upload_later(self, call: Call, *, append: bool) -> Steps:
        session = self._movable(call)
        return self._open_upload(Upload(session, PutFile(session.handle, call.text("filename"), append)))

    def do_smtp_send_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=6,index,6."""
        session = self._movable(call)
        return self._open_upload(Upload(session, self._mail(session)))

    def _open_upload(self, upload: Upload) -> Steps:
        self._offline_free()
        upload.session.state = SessionState.MOVING
        return (yield from self._open_offline(upload))

    def _upload(self, upload: Upload) -> Steps:
        """Ask for the file, send it and end it; the offline session is over whatever comes of it."""
        session, data = upload.session, self._offline_data()
        self.offline = None
        try:
            result = yield Ask(upload.request)
            if isinstance(result, Begun):
                yield Send(session.handle, data)
                yield Order(ShutdownTcp(session.handle))
                result = yield from self._result(session, (yield More()))
        finally:
            self._rest(session)
        outcome = self._ended(session, result)
        if isinstance(outcome, Fail):
            return outcome
        yield Say((self.dialect.say("offline_sent", index=session.index, size=len(data)),))
        yield Say((self.dialect.say("offline_closed", index=session.index),))
        return Ok(after_text=True)

    def do_ftp_get_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,7: the file in blocks, as many as the buffer holds at a time."""
        session = self._movable(call)
        return self._ended(session, (yield from self._read(session, GetFile(session.handle, call.text("filename")))))

    def do_http_get_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=5,index,7."""
        session = self._movable(call)
        return self._browsed(call, session, self._read(session, self._web(call, session)))

    def do_pop3_get_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=7,index,7."""
        session = self._movable(call)
        return self._ended(session, (yield from self._read(session, self._letter(call, session))))

    def do_pop3_take_offline(self, call: Call) -> Steps:
        """AT+WIPFILE=7,index,8: the same, and it is deleted."""
        session = self._movable(call)
        letter = self._letter(call, session)
        result = yield from self._read(session, letter)
        return self._ended(session, (yield from self._taken(session, letter, result)))

    def _read(self, session: Session, request: Request) -> Exchange:
        """What comes, in blocks; how the request ended."""
        self._offline_free()
        buffer, size = bytearray(), self.options.number(OFFLINE_SIZE)

        def mine(event: Event) -> bool:
            return isinstance(event, Received) and event.socket == session.handle

        try:
            yield Expect(mine)
            result = yield from self._begin(session, request)
            while isinstance(result, Begun | Received):
                if isinstance(result, Received):
                    buffer += result.data
                elif result.status:
                    session.answer = result
                while len(buffer) >= size:
                    yield from self._say_all(self._dump(session.index, bytes(buffer[:size])))
                    del buffer[:size]
                result = yield Wait()
            yield from self._say_all(self._dump(session.index, bytes(buffer)))
            if not isinstance(result, Failed):
                yield Say((self.dialect.say("offline_closed", index=session.index),))
            return result
        finally:
            self._rest(session)

    def _say_all(self, lines: Iterable[str]) -> Steps:
        for line in lines:
            yield Say((line,), now=True)
        return Silent()

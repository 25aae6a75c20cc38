"""What comes from the network and how the host gets it: +MIPRTCP, +MIPRUDP, raw, +MIPREAD (1.1.5, 1.1.9, 1.1.10, 1.1.23,
1.2.4)."""

from __future__ import annotations

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import Ask, Fail, Ok, Raw, Silent, Spawn, Step, Steps, Store, Tell, Turn, Wait
from gateway.dialect.quirks.mip.base import HEADED, PULLED, RAW, MipBase, shown
from gateway.dialect.quirks.mip.state import Socket, SocketState
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Received
from gateway.model.requests import Attach, Detach
from gateway.model.results import Failed
from gateway.model.values import Endpoint, HostSocket, is_numeric


class Receiving(MipBase):
    """See the module's text."""

    # -- settings (1.1.5, 1.2.4) ---------------------------------------------------------------------------------------

    def do_output_set(self, call: Call) -> Steps:
        """AT+MIPDSETS."""
        settings = self.table.settings[call.number("id")]
        settings.output_size, settings.output_span_ms = call.number("size"), call.number("span")
        return self.answer(self.dialect.say("output_set", status=0))

    def do_output_read(self, _call: Call) -> Steps:
        """AT+MIPDSETS?"""
        lines = [
            self.dialect.say("output_setting", id=socket.id, size=own.output_size, span=own.output_span_ms)
            for socket in self.table.active
            if (own := self.settings(socket))
        ]
        return self.answer(*(lines or [self.dialect.say("output_set", status=0)]))

    def do_receive_format(self, call: Call) -> Steps:
        """AT+GTSET="IPRFMT": what waited to be read is given in the new form."""
        form = call.number("format")
        if form == RAW and len(self.table.sockets) > 1:  # F31: nothing would tell the sockets apart
            return Fail(Cause.NOT_ALLOWED)
        yield from self._keep("IPRFMT", form)
        for socket in self.table.active:
            yield from self._go_on(socket)
        return Ok()

    def do_send_time(self, call: Call) -> Steps:
        """AT+GTSET="SENDTIME"."""
        yield from self._keep("SENDTIME", call.number("seconds"))
        return Ok()

    def _keep(self, name: str, value: int) -> Steps:
        self.around.stored[name] = value
        yield Store({name: value})
        return Silent()

    # -- arrivals ------------------------------------------------------------------------------------------------------

    def tells_data(self, socket: HostSocket) -> bool:
        """Outside online data mode what comes is told, or kept to be read."""
        found = self.table.by_handle(socket)
        return found is not None and found.state in (SocketState.OPEN, SocketState.ENDED)

    def received(self, event: Received) -> list[Step]:
        """Data of an open socket."""
        socket = self.table.by_handle(event.socket)
        if socket is None:
            return []
        self.spoke(event)
        socket.arrivals.add(event.data, event.peer, divided=socket.udp)
        steps = self._go_on(socket)
        if socket.attached and socket.arrivals.size > self._limit:
            steps.append(Spawn(self._hold_back(socket), f"hold {socket.id}"))
        return steps

    def spoke(self, event: DataWaiting | Received) -> None:
        """Whoever speaks first to a UDP socket is answered; not every module tells who it was, or only when data wait."""
        socket = self.table.by_handle(event.socket)
        if socket is not None and socket.udp:
            socket.spoken_to = True
            if event.peer is not None:
                socket.peer = socket.peer or event.peer
                socket.target = socket.target or event.peer

    @property
    def _limit(self) -> int:
        return self.dialect.tables.numbers["received_bytes"]

    def _hold_back(self, socket: Socket) -> Steps:
        """The host did not take at once what came: to hold the peer back may cost a module seconds."""
        if socket.attached and socket.arrivals.size > self._limit:
            socket.attached = False
            yield Ask(Detach(socket.handle))
        return Silent()

    def _go_on(self, socket: Socket) -> list[Step]:
        """See to it that a task gives the host what came."""
        if socket.delivering:
            return []
        socket.delivering = True
        return [Spawn(self._deliver(socket), f"deliver {socket.id}")]

    def _deliver(self, socket: Socket) -> Steps:
        """Give the host what came, each piece when it may be told something; the end behind the last one."""
        try:
            while self.table.has(socket) and socket.arrivals:
                yield Turn()
                if not self.table.has(socket):
                    break
                if self.format == PULLED:
                    yield Tell(self.dialect.say("unread", id=socket.id, size=socket.arrivals.size))
                    return Silent()
                settings = self.settings(socket)
                said = bytearray()
                while socket.arrivals:
                    said += self._written(socket, *socket.arrivals.take(settings.output_size))
                    if settings.output_span_ms:
                        break
                yield Raw(bytes(said))
                yield from self._flow(socket)
                if settings.output_span_ms:
                    yield Wait(settings.output_span_ms / 1000)
        finally:
            socket.delivering = False
        if socket.ended:
            yield Turn()
            return (yield from self.end(socket))
        return Silent()

    def _flow(self, socket: Socket) -> Steps:
        """Let the peer go on when there is room again."""
        if not socket.attached and socket.arrivals.size <= self._limit // 2 and not socket.ended:
            socket.attached = True
            result = yield Ask(Attach(socket.handle))
            if isinstance(result, Failed):
                socket.attached = False
        return Silent()

    def _written(self, socket: Socket, data: bytes, peer: Endpoint | None, left: int) -> bytes:
        """A piece as the host reads it: header and digits, raw alone, header and raw."""
        form = self.format
        if form == RAW:
            return data
        size = len(data) if form == HEADED else left
        text = data.decode("latin-1") if form == HEADED else data.hex().upper()
        if socket.udp:
            own = socket.peer if socket.peer is not None and is_numeric(socket.peer.host) else None
            sender = peer or own or Endpoint("0.0.0.0", 0)  # a module that has its peer does not name it
            line = self.dialect.say(
                "datagram", peer=shown(sender.host), port=sender.port, id=socket.id, size=size, data=text
            )
        else:
            line = self.dialect.say("stream", id=socket.id, size=size, data=text)
        end = self.around.settings.end
        return end + line.encode("latin-1") + end

    # -- +MIPREAD (1.1.23) ---------------------------------------------------------------------------------------------

    def do_read(self, call: Call) -> Steps:
        """AT+MIPREAD: as much as is asked for and is there; of datagrams one at a time."""
        if self.format != PULLED:
            return Fail(Cause.NOT_ALLOWED)
        socket = self.socket(call)
        if not socket.arrivals:
            return (yield from self.answer(self.dialect.say("unread", id=socket.id, size=0)))
        data, _, _ = socket.arrivals.take(call.number("length"))
        end = self.around.settings.end
        header = self.dialect.say("waiting", id=socket.id, size=len(data)).encode("latin-1")
        between = end if self.dialect.switch("read_data") == "line" else b","
        yield Raw(end + header + between + data + end)
        yield from self._flow(socket)
        if socket.ended and not socket.arrivals:
            yield from self._go_on(socket)
        return Ok(after_text=True)

    def do_read_waiting(self, _call: Call) -> Steps:
        """AT+MIPREAD?: a line for each socket with data that wait."""
        waits = [(id, socket.arrivals.size) for id, socket in sorted(self.table.sockets.items()) if socket.arrivals]
        return self.answer(*(self.dialect.say("unread", id=id, size=size) for id, size in waits))

    # -- the end -------------------------------------------------------------------------------------------------------

    def gone(self, socket: Socket, *, broken: bool) -> list[Step]:
        """A connection is gone; told when everything that came before was given."""
        socket.ended, socket.broken = True, socket.broken or broken
        socket.push_due_s = None
        if broken and socket.state is SocketState.OPEN:
            socket.state = SocketState.ENDED
        return self._go_on(socket)

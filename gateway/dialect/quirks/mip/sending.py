"""The accumulating buffer and what fills and empties it: +MIPSETS, +MIPSEND, +MIPPUSH, +MIPFLUSH (1.1.4, 1.1.6 to 1.1.8,
1.2), and the flow control of it (1.1.19, 1.1.20)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Fail,
    Finish,
    Interrupted,
    Ok,
    Raw,
    Refusal,
    Say,
    Send,
    Silent,
    Spawn,
    Step,
    Steps,
    Tell,
    Text,
)
from gateway.dialect.quirks.mip.base import MipBase
from gateway.dialect.quirks.mip.state import Socket, SocketState
from gateway.model.causes import Cause
from gateway.model.deadlines import earliest
from gateway.model.requests import SendDatagram
from gateway.model.results import Failed
from gateway.model.values import Endpoint

DONE, FLOWED_OFF, NOTHING = 0, 1, 2
"""Status of +MIPSEND and +MIPPUSH (1.1.7.4, F24)."""
ACKNOWLEDGED = 0
"""Status of +MIPSTAT that is no end (F35)."""


class Sending(MipBase):
    """See the module's text."""

    # -- settings (1.1.4) ----------------------------------------------------------------------------------------------

    def do_push_set(self, call: Call) -> Steps:
        """AT+MIPSETS: not while the buffer holds data."""
        socket = self.table.sockets.get(call.number("id"))
        if socket is not None and len(socket.buffer):
            return Fail(Cause.NOT_ALLOWED)
        settings = self.table.settings[call.number("id")]
        settings.watermark, settings.timeout_ms = call.number("size"), call.number("timeout")
        return (yield from self.answer(self.dialect.say("push_set", status=DONE)))

    def do_push_read(self, _call: Call) -> Steps:
        """AT+MIPSETS?"""
        lines = [
            self.dialect.say("push_setting", id=socket.id, size=own.watermark, timeout=own.timeout_ms)
            for socket in self.table.active
            if (own := self.settings(socket))
        ]
        return self.answer(*(lines or [self.dialect.say("push_set", status=0)]))

    # -- the buffer ----------------------------------------------------------------------------------------------------

    def _add(self, socket: Socket, data: bytes) -> Steps:
        """Into the buffer, and out of it where the watermark is reached; what is left waits for the timeout."""
        settings = self.settings(socket)
        if len(socket.buffer) + len(data) >= settings.watermark:
            self._has_target(socket)
        for push in socket.buffer.add(data, settings.watermark):
            yield from self._out(socket, push)
        due = bool(len(socket.buffer) and settings.timeout_ms)
        socket.push_due_s = self.around.now + settings.timeout_ms / 1000 if due else None
        return Silent()

    def _push(self, socket: Socket) -> Generator[Step, Any, int]:
        """Everything in the buffer to the network; the status."""
        if socket.held:
            return FLOWED_OFF
        socket.push_due_s = None
        if not len(socket.buffer):
            return NOTHING
        self._has_target(socket)
        data = socket.buffer.take()
        yield from self._out(socket, data)
        return DONE

    def _has_target(self, socket: Socket) -> None:
        if socket.udp and socket.target is None and not socket.spoken_to:
            raise Refusal(Cause.SEND_FAILED)  # nobody has spoken yet

    def _out(self, socket: Socket, data: bytes) -> Steps:
        socket.pushed_bytes += len(data)
        if socket.udp and socket.target is not None and socket.target != socket.peer:
            result = yield Ask(SendDatagram(socket.handle, data, socket.target))
            if isinstance(result, Failed):
                raise Refusal(result.cause)
        else:
            yield Send(socket.handle, data)
        if self.settings(socket).stack["indication"] == 2 and not socket.udp:
            line = self.dialect.say("status_counted", id=socket.id, status=ACKNOWLEDGED, acknowledged=socket.pushed_bytes)
            yield Spawn(self._told(line), "acknowledged")
        return Silent()

    @property
    def deadline(self) -> float | None:
        """When the next buffer is pushed by its timeout."""
        return earliest(*[socket.push_due_s for socket in self.table.sockets.values()])

    def tick(self, now: float) -> tuple[Steps, str] | None:
        """Push a buffer whose timeout is over."""
        for socket in self.table.sockets.values():
            if socket.push_due_s is not None and now >= socket.push_due_s:
                socket.push_due_s = None
                return self._late(socket), f"push {socket.id}"
        return None

    def _told(self, line: str) -> Steps:
        yield Tell(line)
        return Silent()

    def _late(self, socket: Socket) -> Steps:
        with suppress(Refusal):  # no command waits for it
            yield from self._push(socket)
        return Silent()

    # -- +MIPSEND with its data (1.1.6) --------------------------------------------------------------------------------

    def do_send_inline(self, call: Call) -> Steps:
        """AT+MIPSEND=id,"digits": at most 1024 bytes (F18)."""
        socket, data = self.socket(call), bytes.fromhex(call.text("data"))
        if len(data) > self.dialect.tables.numbers["inline_bytes"]:
            return Fail(Cause.SEND_SIZE)
        status = FLOWED_OFF if socket.held else DONE
        if not socket.held:
            yield from self._add(socket, data)
        line = self._sent(socket, status)
        if self.dialect.switch("inline_result") == "before":
            yield Finish(Ok(), f"sent {socket.id}")
            yield Tell(line)
            return Silent()
        yield Say((line,))
        return Ok(after_text=True)

    def _sent(self, socket: Socket, status: int) -> str:
        return self.dialect.say("sent", id=socket.id, status=status, free=socket.buffer.free)

    def do_send_read(self, _call: Call) -> Steps:
        """AT+MIPSEND?: room of each active socket."""
        lines = [self.dialect.say("send_room", id=socket.id, free=socket.buffer.free) for socket in self.table.active]
        return self.answer(*(lines or [self.dialect.say("send_none")]))

    # -- +MIPSEND with a prompt (1.2.1 to 1.2.3) -----------------------------------------------------------------------

    def do_send_prompted(self, call: Call) -> Steps:
        """AT+MIPSEND=id and AT+MIPSEND=id,length: raw data behind the prompt (F23), pushed when they are there (F26)."""
        socket = self.socket(call)
        end = self.around.settings.end
        yield Raw(end + b">" + {"line": end, "bare": b"", "blank": b" "}[self.dialect.switch("prompt")])
        length = call.number("length") if "length" in call.arguments else None
        limit = self.dialect.tables.numbers["accumulating_bytes"]
        try:
            data: bytes = yield Text(limit, length, self.send_time_s, binary=True)
        except Interrupted:
            return Fail(Cause.SEND_SIZE)
        if self.table.state(socket.id) is not SocketState.OPEN or not self.table.has(socket):
            return Fail(Cause.BAD_STATE)
        size = len(socket.buffer) + len(data)
        status = FLOWED_OFF if socket.held else DONE if size else NOTHING
        if status == DONE:
            yield from self._add(socket, data)
            yield from self._push(socket)
        if self.dialect.switch("prompted_answer") == "push":
            yield Tell("OK")
            yield Tell(self.dialect.say("pushed_counted", id=socket.id, status=status, size=size))
            return Silent()
        yield Tell("OK")
        if not socket.udp:
            yield Tell(self._pushed(socket, status, size))
        yield Tell(self._sent(socket, status))
        return Ok()

    @property
    def send_time_s(self) -> int:
        """SENDTIME (1.2.4.4)."""
        return int(self.around.stored.get("SENDTIME", self.dialect.argument("+GTSET", "seconds").initial or 0))

    # -- +MIPPUSH, +MIPFLUSH (1.1.7, 1.1.8) ----------------------------------------------------------------------------

    def _pushed(self, socket: Socket, status: int, size: int) -> str:
        if self.dialect.switch("push_length") == "yes" and status == DONE:
            return self.dialect.say("pushed_counted", id=socket.id, status=status, size=size)
        return self.dialect.say("pushed", id=socket.id, status=status)

    def do_push(self, call: Call) -> Steps:
        """AT+MIPPUSH: a datagram goes to the given peer, the last one, or that of +MIPOPEN."""
        socket = self.socket(call)
        if ("host" in call.arguments) != ("port" in call.arguments):
            return Fail(Cause.BAD_COUNT)
        if "host" in call.arguments:
            if not socket.udp:
                return Fail(Cause.BAD_PROTOCOL)
            self.check(call.text("host"), socket.family)
            socket.target = Endpoint(call.text("host"), call.number("port"))
        size = len(socket.buffer)
        status = yield from self._push(socket)
        return (yield from self.answer(self._pushed(socket, status, size)))

    def do_flush(self, call: Call) -> Steps:
        """AT+MIPFLUSH: the buffer is emptied."""
        socket = self.socket(call)
        socket.buffer.take()
        socket.push_due_s = None
        return self.answer(self.dialect.say("flushed", id=socket.id))

    # -- flow control (1.1.19, 1.1.20) ---------------------------------------------------------------------------------

    def sending_held(self, socket: Socket, held: bool) -> list[Step]:
        """The peer takes no more, or takes again: the host of an open socket is told."""
        if held == socket.held:
            return []
        socket.held = held
        if socket.state is not SocketState.OPEN:
            return []
        return [Tell(self.dialect.say("flow_off" if held else "flow_on", id=socket.id))]

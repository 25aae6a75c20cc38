"""Link and sockets: +MIPCALL, +MIPOPEN, +MIPCLOSE (1.1.1 to 1.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import Ask, Cancel, Fail, Finish, Ok, Refusal, Say, Silent, Spawn, Step, Steps, Tell
from gateway.dialect.quirks.mip.base import RAW, MipBase, shown
from gateway.dialect.quirks.mip.state import SIX, Link, Socket, SocketState, family_of
from gateway.model.causes import Cause
from gateway.model.events import Incoming
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    ListenTcp,
    OpenUdp,
    RefuseTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Endpoint, Family, Secret

_CARRIED = {1: Family.FOUR, 2: Family.SIX, 3: Family.BOTH}
"""What an operation of +MIPCALL brings up (1.1.1.4)."""
Opening = ConnectTcp | OpenUdp
TLS = 2
ACTIVE = 1
"""The state of a socket that is open (F10)."""


class LinkAndSockets(MipBase):
    """See the module's text."""

    # -- link (1.1.1) --------------------------------------------------------------------------------------------------

    def do_call_start(self, call: Call) -> Steps:
        """AT+MIPCALL=1: OK at once, the address or 0 when it is known."""
        family = _CARRIED[call.number("operation")]
        self.check("", family)
        if family is not Family.FOUR and not call.text("apn"):  # 1.1.1.4: those only with an access point
            return Fail(Cause.BAD_COUNT)
        request = StartBearer(
            BearerKind.GPRS,
            access_point=call.text("apn"),
            user=Secret(call.text("user")),
            password=Secret(call.text("password")),
            context_id=call.number("context", 1),
            family=family,
        )
        self.link = Link.BUSY
        yield Finish(Ok(), "call")
        result = yield Ask(request)
        if isinstance(result, Failed):
            self.link = Link.DOWN
            if self.dialect.switch("call_failure") == "error":
                return Fail(result.cause, original=result.original)
            yield Tell(self.dialect.say("call_down"))
            return Silent()
        self.link = Link.UP
        self.addresses = result.value if isinstance(result.value, Addresses) else Addresses()
        yield Tell(self._call_line("call_up"))
        return Silent()

    def _call_line(self, key: str, **fields: int) -> str:
        """A line with the addresses that there are; one of IPv6 alone stands in the first place (F09)."""
        own, own6 = self.addresses.own, shown(self.addresses.own6)
        if not own6:
            return self.dialect.say(key, **fields, address=own)
        if own == ANY_ADDRESS:
            return self.dialect.say(key, **fields, address=own6)
        return self.dialect.say(f"{key}_both", **fields, address=own, address6=own6)

    def do_call_stop(self, _call: Call) -> Steps:
        """AT+MIPCALL=0: takes the sockets with it; also when there is no link."""
        was_up = self.link is Link.UP
        self.link = Link.BUSY
        yield Finish(Ok(), "call")
        for socket in list(self.table.sockets.values()):
            yield from self.drop(socket)
        if was_up:
            yield Ask(StopBearer())
        self.link = Link.DOWN
        yield Tell(self.dialect.say("call_down"))
        return Silent()

    def do_call_read(self, _call: Call) -> Steps:
        """AT+MIPCALL? (F09)."""
        line = {
            Link.DOWN: self.dialect.say("call_down"),
            Link.BUSY: self.dialect.say("call_busy"),
            Link.UP: self._call_line("call_state", status=Link.UP.value),
        }[self.link]
        return self.answer(line)

    def drop(self, socket: Socket) -> Steps:
        """Close a socket and say nothing of it."""
        self.table.forget(socket)
        for name in (f"open {socket.id}", f"deliver {socket.id}"):
            yield Cancel(name)
        yield Ask(CloseSocket(socket.handle))
        return Silent()

    # -- opening (1.1.2) -----------------------------------------------------------------------------------------------

    def do_open_client(self, call: Call) -> Steps:
        """AT+MIPOPEN to a peer: OK, then +MIPOPEN, or +MIPSTAT when it failed (F15)."""
        socket = yield from self.taken(call)
        return (yield from self._open(socket, call, self._opened))

    def do_open_listen(self, call: Call) -> Steps:
        """AT+MIPOPEN with remote port 0: +MIPOPEN names the peer when it has come (F11, F12)."""
        socket = yield from self.taken(call)
        if socket.udp:
            return (yield from self._open(socket, call, self._opened))
        return (yield from self.listen(socket, call))

    def taken(self, call: Call) -> Generator[Step, Any, Socket]:
        """A free socket for an opening command."""
        protocol = call.number("protocol")
        listens = call.number("port") == 0
        if protocol % SIX == TLS and listens:
            raise Refusal(Cause.NOT_SUPPORTED)
        if listens and not call.number("source"):
            raise Refusal(Cause.BAD_PORT)
        if not listens and not call.text("host"):
            raise Refusal(Cause.BAD_COUNT)
        self.check("" if listens else call.text("host"), family_of(protocol))
        old = self.table.sockets.get(call.number("id"))
        if old is not None:
            yield from self.drop(old)
        if self.format == RAW and self.table.sockets:  # F31: nothing would tell the sockets apart
            raise Refusal(Cause.NO_FREE_SOCKET)
        socket = self.table.new(call.number("id"), protocol)
        socket.peer = None if listens else Endpoint(call.text("host"), call.number("port"))
        socket.target = socket.peer
        return socket

    def request(self, socket: Socket, call: Call) -> Opening:
        """What opens a client, or a UDP socket."""
        if socket.udp:
            return OpenUdp(socket.handle, call.number("source") or None, socket.peer, family=socket.family)
        assert socket.peer is not None
        return ConnectTcp(socket.handle, socket.peer, socket.secure, socket.family)

    def connect(self, socket: Socket, call: Call) -> Generator[Step, Any, Failed | None]:
        """Look the name up and open; why it failed, the socket being free again then."""
        if socket.peer is not None:
            located = yield from self.located(socket.id, socket.peer, socket.family)
            if isinstance(located, Failed):
                self.table.forget(socket)
                return located
            socket.peer = socket.target = located
        if not socket.udp:
            yield from self.tuned(socket.handle, self.tunings(socket.id))
        result = yield Ask(self.request(socket, call))
        if isinstance(result, Failed):
            self.table.forget(socket)
            return result
        return None

    def _open(self, socket: Socket, call: Call, opened: Callable[[Socket], str]) -> Steps:
        if self.dialect.switch("open_result") == "before":
            yield Finish(Ok(), f"open {socket.id}")
            failed = yield from self.connect(socket, call)
            if failed is not None:
                yield Tell(self.failed_line(socket))
                return Silent()
            yield Tell(opened(socket))
            yield from self.flowing(socket)
            return Silent()
        failed = yield from self.connect(socket, call)
        if failed is not None:
            return Fail(failed.cause, call.name, failed.original)
        yield Say((opened(socket),))
        yield Spawn(self.flowing(socket), f"open {socket.id}")
        return Ok(after_text=True)

    def _opened(self, socket: Socket) -> str:
        return self.dialect.say("opened", id=socket.id, state=ACTIVE)

    def failed_line(self, socket: Socket) -> str:
        """+MIPSTAT for a socket that could not be opened (F15)."""
        return self.dialect.say("status", id=socket.id, status=1)

    def flowing(self, socket: Socket) -> Steps:
        """An open socket: what comes is told from now on."""
        socket.state, socket.attached = SocketState.OPEN, True
        result = yield Ask(Attach(socket.handle))
        if isinstance(result, Failed) and not socket.ended:
            socket.ended = socket.broken = True
            return (yield from self.end(socket))
        return Silent()

    def listen(self, socket: Socket, call: Call) -> Steps:
        """Listen for the one peer; a port that cannot be had is an error at once."""
        yield from self.tuned(socket.handle, self.tunings(socket.id))
        port = call.number("source")
        result = yield Ask(ListenTcp(socket.handle, port, capacity=1, want_peer=True, family=socket.family))
        if isinstance(result, Failed):
            self.table.forget(socket)
            return Fail(result.cause, call.name, result.original)
        socket.state = SocketState.LISTENING
        return Ok()

    def incoming(self, event: Incoming) -> list[Step]:
        """A peer has called: the listening socket becomes its connection (SSL does not listen)."""
        socket = self.table.by_handle(event.listener)
        if socket is None or socket.state is not SocketState.LISTENING:
            return [Spawn(self._refused(event), "refuse")]
        socket.state = SocketState.OPENING
        return [Spawn(self._accepted(socket, event), f"open {socket.id}")]

    def _refused(self, event: Incoming) -> Steps:
        yield Ask(RefuseTcp(event.listener, event.connection))
        return Silent()

    def accept(self, socket: Socket, event: Incoming) -> Generator[Step, Any, bool]:
        """Take the connection in the listener's place; whether it still is there."""
        listener, handle = socket.handle, self.table.rename(socket)
        result = yield Ask(AcceptTcp(listener, event.connection, handle, last=True))
        if not isinstance(result, Done):
            socket.handle, socket.state = listener, SocketState.LISTENING
            return False
        socket.peer = event.peer
        return True

    def _accepted(self, socket: Socket, event: Incoming) -> Steps:
        if not (yield from self.accept(socket, event)):
            return Silent()
        peer = event.peer or Endpoint("0.0.0.0", 0)
        yield Tell(self.accepted_line(socket, peer))
        return (yield from self.flowing(socket))

    def accepted_line(self, socket: Socket, peer: Endpoint) -> str:
        """+MIPOPEN with the peer (F11)."""
        return self.dialect.say("open_accepted", id=socket.id, state=ACTIVE, peer=shown(peer.host), port=peer.port)

    # -- closing (1.1.3) -----------------------------------------------------------------------------------------------

    def do_close(self, call: Call) -> Steps:
        """AT+MIPCLOSE: what is in the accumulating buffer is lost."""
        socket = self.socket(call)
        ended = socket.state is SocketState.ENDED
        socket.state = SocketState.CLOSING
        socket.push_due_s = None
        for name in (f"open {socket.id}", f"deliver {socket.id}"):
            yield Cancel(name)
        yield Finish(Ok(), f"close {socket.id}")
        yield Ask(CloseSocket(socket.handle))
        self.table.forget(socket)
        kind = 2 if ended and socket.broken else 0
        if self.settings(socket).stack["indication"] and not socket.udp:
            yield Tell(self.dialect.say("closed_counted", id=socket.id, acknowledged=socket.pushed_bytes, type=kind))
        else:
            yield Tell(self.dialect.say("closed", id=socket.id, type=kind))
        return Silent()

    def do_close_read(self, call: Call) -> Steps:
        """AT+MIPCLOSE?: every socket that can be closed, or 0 (F14)."""
        ids = sorted(socket.id for socket in self.table.sockets.values() if socket.state is not SocketState.CLOSING)
        del call
        return self.answer(self.dialect.say("close_active", ids=",".join(map(str, ids)) or "0"))

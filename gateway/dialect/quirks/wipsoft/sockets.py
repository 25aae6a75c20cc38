"""Sockets of a WIPSoft module: how they come and go, and their options (5.57 guide, chapter 5)."""

from __future__ import annotations

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import Ask, Fail, Finish, Ok, Refusal, Say, Silent, Steps, Tell, Word
from gateway.dialect.quirks.wipsoft.numbers import SERVER, TCP, TLS, TTL, UDP
from gateway.dialect.quirks.wipsoft.sessions import TABLES
from gateway.dialect.quirks.wipsoft.stack import WipsoftStack
from gateway.dialect.quirks.wipsoft.state import Options, Refused, Server, Socket, SocketState, text_value, write_option
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket, ConnectTcp, ListenTcp, OpenUdp
from gateway.model.results import Failed
from gateway.model.tuning import Tuning, Tunings
from gateway.model.values import Endpoint, SocketInfo

PEER_PORT, PEER_ADDRESS = "1", "2"
"""Options of sockets (5.3.7.1)."""
STACK_TUNINGS = {0: Tuning.TTL, 1: Tuning.TOS}
"""Of the stack (4.1.3)."""
TUNINGS = {"4": Tuning.SEND_LOW_WATER, "7": Tuning.NO_DELAY, "8": Tuning.TTL, "9": Tuning.TOS}
"""Of a socket (5.3.7.1)."""


class WipsoftSockets(WipsoftStack):
    """See the module's text."""

    # -- creating sockets (5.1) --------------------------------------------------------------------------------------

    def _may_create(self) -> None:
        if not self.stack or self.started is None:
            raise Refusal(Cause.NOT_ALLOWED)

    def _room(self) -> None:
        if self.table.count >= self.sock_max:
            raise Refusal(Cause.NO_FREE_SOCKET)

    def do_udp_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=1,index[,local port][,peer,peer port] (X10)."""
        self._may_create()
        index = call.number("index")
        if (UDP, index) in self.table.sockets:
            return Fail(Cause.INDEX_IN_USE)
        self._room()
        local_port = call.number("local_port") if "local_port" in call.arguments else None
        if any(one.protocol == UDP and one.local_port == local_port for one in self.table.sockets.values()):
            return Fail(Cause.BAD_PORT)
        peer = Endpoint(call.text("host"), call.number("port")) if "host" in call.arguments else None
        socket = Socket(UDP, index, self.table.handle(), local_port=local_port or 0, peer=peer, bound=peer is not None)
        self.table.sockets[UDP, index] = socket
        yield Finish(Ok(), f"open {socket.handle}")
        return (yield from self._opened(socket, OpenUdp(socket.handle, local_port, peer)))

    def do_tcp_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=2,index,peer,port: OK at once, ready or failed when it is known."""
        self._may_create()
        index = call.number("index")
        if self.table.reserved(index):
            return Fail(Cause.INDEX_RESERVED)
        if (TCP, index) in self.table.sockets:
            return Fail(Cause.INDEX_IN_USE)
        self._room()
        secure = call.number("mode") == TLS
        others = sum(socket.secure for socket in self.table.sockets.values())
        if secure and others >= self.dialect.tables.numbers.get("ssl_sockets", 0):
            return Fail(Cause.NO_FREE_SOCKET)
        peer = Endpoint(call.text("host"), call.number("port"))
        socket = Socket(TCP, index, self.table.handle(), peer=peer, secure=secure)
        self.table.sockets[TCP, index] = socket
        yield Finish(Ok(), f"open {socket.handle}")
        return (yield from self._opened(socket, ConnectTcp(socket.handle, peer, secure)))

    do_tls_create = do_tcp_create

    def _opened(self, socket: Socket, request: ConnectTcp | OpenUdp) -> Steps:
        yield from self.tuned(socket.handle, self._stack_tunings())
        result = yield Ask(request)
        if self.table.sockets.get((socket.protocol, socket.index)) is not socket:
            return Silent()  # closed in the meantime
        if isinstance(result, Failed):
            self.table.forget(socket)
            return self._open_failed(socket, result)
        if isinstance(result.value, SocketInfo):
            socket.local_port = result.value.local.port
            socket.peer = socket.peer or result.value.peer
            socket.located = result.value.peer
        socket.state = SocketState.READY
        yield Tell(self.dialect.say("ready", mode=socket.mode, index=socket.index))
        return Silent()

    def _stack_tunings(self) -> Tunings:
        """What the host has set for all sockets (4.1.3)."""
        own = ((number, tuning, self.options.number(number)) for number, tuning in STACK_TUNINGS.items())
        table = self.options.table
        return tuple((tuning, value) for number, tuning, value in own if value != table[str(number)].default)

    def _open_failed(self, socket: Socket, result: Failed) -> Fail | Word:
        how = self.dialect.switch("connect_failure")
        if how == "peer_close":
            return Word(self._closed_line(socket))
        if how == "error_line":
            code = self.dialect.code(result.cause, "+WIPCREATE")
            return Word(self.dialect.say("open_error", mode=socket.mode, index=socket.index, code=code))
        # What keeps a UDP socket from being opened is its own port, unless the name of its peer does.
        cause = Cause.BAD_PORT if socket.protocol == UDP and result.cause is Cause.OPEN_FAILED else result.cause
        return Fail(cause, "+WIPCREATE", result.original)

    def do_server_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=3,server,port,from,to: reserves the client indices from..to (5.1.7)."""
        self._may_create()
        index, first = call.number("server"), call.number("from")
        last = min(call.number("to"), self.dialect.tables.numbers["tcp_sockets"])  # W21
        if last < first:
            return Fail(Cause.BAD_INDEX)
        taken = any(self.table.reserved(n) or (TCP, n) in self.table.sockets for n in range(first, last + 1))
        if taken:  # told before an index in use (9.11, S21)
            return Fail(Cause.INDEX_RESERVED)
        if index in self.table.servers:
            return Fail(Cause.INDEX_IN_USE if self.table.servers[index].open else Cause.INDEX_RESERVED)
        self._room()
        server = Server(index, self.table.handle(), call.number("server_port"), first, last)
        yield from self.tuned(server.handle, self._stack_tunings())
        result = yield Ask(ListenTcp(server.handle, server.port, capacity=last - first + 1))
        if isinstance(result, Failed):
            return Fail(Cause.BAD_PORT if result.cause is Cause.OPEN_FAILED else result.cause, original=result.original)
        self.table.servers[index] = server
        return Ok()

    def do_sockets(self, _call: Call) -> Steps:
        """AT+WIPCREATE? (S18, S19)."""
        lines = []
        for socket in sorted(self.table.sockets.values(), key=lambda socket: (socket.protocol, socket.index)):
            mode, index = socket.mode, socket.index
            if socket.protocol == UDP and not socket.bound:
                lines.append(self.dialect.say("serving_udp", mode=mode, index=index, port=socket.local_port))
            elif socket.peer is not None:
                lines.append(self.dialect.say("ready_peer", mode=mode, index=index, peer=socket.peer.host))
            else:
                lines.append(self.dialect.say("ready", mode=mode, index=index))
        for server in self.table.servers.values():
            if server.open:
                ends = {"from": server.first, "to": server.last}
                lines.append(self.dialect.say("serving", mode=SERVER, index=server.index, port=server.port, **ends))
        lines += self._session_lines()
        if lines:
            yield Say(tuple(lines))
        return Ok(after_text=bool(lines))

    # -- closing, options (5.2, 5.3) ---------------------------------------------------------------------------------

    def do_socket_close(self, call: Call) -> Steps:
        """AT+WIPCLOSE: OK for sockets that are not there too (5.2.7); a server's clients stay."""
        protocol, index = call.number("protocol"), call.number("index")
        if protocol in TABLES:
            return (yield from self._close_session(call))
        if protocol == SERVER and index > self.dialect.tables.numbers["server_sockets"]:
            return Fail(Cause.BAD_INDEX)
        server = self.table.servers.get(index) if protocol == SERVER else None
        socket = self._socket(call) if protocol != SERVER else None
        if server is not None and server.open:
            server.open = False
            yield Ask(CloseSocket(server.handle))
            self.table.release(server)
        elif socket is not None:
            if self.offline is socket:
                self.offline = None
            self.table.forget(socket)
            yield Ask(CloseSocket(socket.handle))
        else:
            return Ok()
        if self.dialect.switch("local_close") == "all":
            yield Finish(Ok(), "close")
            yield Tell(self.dialect.say("peer_closed", protocol=protocol, index=index))
            return Silent()
        return Ok()

    def _option(self, call: Call) -> tuple[Socket | Server, str, str]:
        """The socket, the option's number and what may be done with it."""
        protocol, number = call.number("protocol"), str(call.number("option"))
        entry = self.dialect.tables.options["sockets"].get(number)
        if entry is None:
            raise Refusal(Cause.BAD_OPTION)
        server = self.table.servers.get(call.number("index")) if protocol == SERVER else None
        target = server or (self._socket(call) if protocol != SERVER else None)
        if target is None:
            raise Refusal(Cause.BAD_INDEX)
        access = dict(part.split(":") for part in entry.access.split())
        return target, number, access[{UDP: "udp", TCP: "tcp", TLS: "tcp", SERVER: "server"}[protocol]]

    def do_option_get(self, call: Call) -> Steps:
        """AT+WIPOPT=protocol,index,1,option (5.3.7.1)."""
        if call.number("protocol") in TABLES:
            return (yield from self._get_session_option(call))
        target, number, access = self._option(call)
        if "r" not in access:
            return Fail(Cause.BAD_OPTION, original="not for this protocol")
        entry = self.dialect.tables.options["sockets"][number]
        value = write_option(entry, self._socket_value(target, number))
        place = {"protocol": call.number("protocol"), "index": call.number("index")}
        yield Say((self.dialect.say("socket_option", **place, option=number, value=value),))
        return Ok(after_text=True)

    def _socket_value(self, target: Socket | Server, number: str) -> str | int:
        if isinstance(target, Server):
            return target.port if number == "0" else self._own_option(target, number)
        peer = (None if target.repointed else target.located) or target.peer or Endpoint("0.0.0.0", 0)
        known: dict[str, str | int] = {
            "0": target.local_port,
            PEER_PORT: peer.port,
            PEER_ADDRESS: peer.host,
            "3": int(target.bound),
            "6": target.waiting,
        }
        return known[number] if number in known else self._own_option(target, number)

    def _own_option(self, target: Socket | Server, number: str) -> int:
        default = self.dialect.tables.options["sockets"][number].default
        if number == "8":
            default = self.options.number(TTL)
        return target.options.get(number, int(default or 0))

    def do_option_set(self, call: Call) -> Steps:
        """AT+WIPOPT=protocol,index,2,option,value."""
        if call.number("protocol") in TABLES:
            return (yield from self._set_session_option(call))
        target, number, access = self._option(call)
        if "w" not in access:
            return Fail(Cause.BAD_OPTION, original="not for this protocol")
        options = Options({number: self.dialect.tables.options["sockets"][number]}, {})
        try:
            options.set(int(number), text_value(call.text("value")))
        except Refused as refused:
            return Fail(refused.cause)
        value = options.values[number]
        if isinstance(target, Socket) and number in (PEER_PORT, PEER_ADDRESS):
            peer = target.peer or Endpoint("0.0.0.0", 0)
            target.peer = Endpoint(peer.host, int(value)) if number == PEER_PORT else Endpoint(str(value), peer.port)
            target.bound = target.repointed = True
        else:
            changes = int(value) != self._own_option(target, number)
            tuning = TUNINGS.get(number)
            if tuning is not None and changes and not (yield from self.tuned(target.handle, ((tuning, int(value)),))):
                return Fail(Cause.BAD_OPTION, original="without effect on this module")
            target.options[number] = int(value)
        return Ok()

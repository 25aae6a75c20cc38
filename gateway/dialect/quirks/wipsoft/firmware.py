"""How a WIPSoft module behaves towards its host: stack, bearers, sockets, data modes, with their states and errors.

Sections are those of the 5.57 guide; what an older application does otherwise stands in its tables and switches. Longer
than 400 lines because sockets, their data modes and the offline session share one table and one set of rules.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Data,
    DataEnd,
    EndReason,
    Fail,
    Finish,
    More,
    Ok,
    Raw,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Store,
    Surroundings,
    Tell,
    Word,
)
from gateway.dialect.quirks.wipsoft.offline import WipsoftOffline
from gateway.dialect.quirks.wipsoft.sessions import TABLES
from gateway.dialect.quirks.wipsoft.state import (
    Bearer,
    Options,
    Refused,
    Server,
    Socket,
    SocketState,
    text_value,
    write_option,
)
from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Event, Incoming, ModuleText, PeerClosed, Received, SocketLost
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    ListenTcp,
    OpenUdp,
    Ping,
    RefuseTcp,
    ResolveName,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed, PingEcho
from gateway.model.tuning import Tuning, Tunings
from gateway.model.values import Addresses, BearerKind, Endpoint, Secret, SocketInfo
from gateway.wire.gather import Gatherer
from gateway.wire.phase import Etx, HostPhase
from gateway.wire.plus import EscapeDetector

UDP, TCP, SERVER, TLS = 1, 2, 3, 9
GSM, GPRS = 5, 6
TTL, MIN_MSS, SOCK_MAX, SEGMENT_WAIT, QUIET_SIGNS, AUTO_SWITCH = 0, 4, 6, 12, 13, 14
"""Options of +WIPCFG (4.1.3)."""
PEER_PORT, PEER_ADDRESS = "1", "2"
"""Options of sockets (5.3.7.1)."""
STACK_TUNINGS = {0: Tuning.TTL, 1: Tuning.TOS}
"""Of the stack (4.1.3)."""
TUNINGS = {"4": Tuning.SEND_LOW_WATER, "7": Tuning.NO_DELAY, "8": Tuning.TTL, "9": Tuning.TOS}
"""Of a socket (5.3.7.1)."""
ADDRESS_OPTIONS = {15: "own", 16: "peer", 17: "dns1", 18: "dns2"}
"""Bearer options that are only true while the bearer is started (4.2.3)."""


class WipsoftFirmware(WipsoftOffline):
    """See the module's text."""

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        super().__init__(dialect, around)
        self.options = Options(dialect.tables.options["+WIPCFG"], self._stored("cfg."))
        self.stack = False
        self.sock_max = 0
        self.bearers: dict[int, Bearer] = {}

    def _stored(self, prefix: str) -> dict[str, str | int]:
        stored = self.around.stored.items()
        return {key.removeprefix(prefix): value for key, value in stored if key.startswith(prefix)}

    def execute(self, call: Call) -> Steps:
        """As of every dialect; a failure has the codes of the command that failed."""
        outcome = yield from super().execute(call)
        if isinstance(outcome, Fail) and not outcome.command:
            return Fail(outcome.cause, call.name, outcome.original)
        return outcome

    def do_test(self, _call: Call) -> Steps:
        """Every test form: OK."""
        yield from ()
        return Ok()

    do_nothing_to_read_ok = do_test

    def do_nothing_to_read(self, _call: Call) -> Steps:
        """A read form without anything to read (X18)."""
        if self.dialect.switch("test_answers") == "NONE":
            yield Say(("NONE",))
            return Silent()
        return Ok()

    # -- stack (4.1) -------------------------------------------------------------------------------------------------

    def do_stack_start(self, _call: Call) -> Steps:
        """AT+WIPCFG=1: with the stored options, when there are any."""
        yield from ()
        if self.stack:
            return Fail(Cause.ALREADY_STARTED)
        self.options.reset()
        self.stack = True
        self.sock_max = self.options.number(SOCK_MAX)
        return Ok()

    def do_stack_stop(self, _call: Call) -> Steps:
        """AT+WIPCFG=0: takes sockets and bearers with it."""
        if not self.stack:
            return Fail(Cause.NOT_STARTED)
        for bearer in list(self.bearers.values()):
            yield from self._stop(bearer)
        self.bearers.clear()
        self.stack = False
        return Ok()

    def do_stack_option(self, call: Call) -> Steps:
        """AT+WIPCFG=2,option,value."""
        yield from ()
        if not self.stack:
            return Fail(Cause.NOT_STARTED)
        try:
            self.options.set(call.number("option"), text_value(call.text("value")))
        except Refused as refused:
            return Fail(refused.cause)
        return Ok()

    def do_stack_version(self, _call: Call) -> Steps:
        """AT+WIPCFG=3 (S01)."""
        yield Say(tuple(self.dialect.tables.identity.values()))
        return Ok(after_text=True)

    def do_stack_storage(self, call: Call) -> Steps:
        """AT+WIPCFG=4,1 stores the options, AT+WIPCFG=4,0 frees the stored set."""
        values = self.options.to_store() if call.number("action") else {}
        yield from self._keep("cfg.", values)
        self.options.stored = values
        return Ok()

    def do_stack_options(self, _call: Call) -> Steps:
        """AT+WIPCFG?"""
        shown = [number for number, option in self.options.table.items() if option.shown]
        lines = [
            self.dialect.say("stack_option", option=number, value=self.options.values[number])
            for number in sorted(shown, key=int)
        ]
        yield Say(tuple(lines))
        return Ok(after_text=True)

    def _keep(self, prefix: str, values: dict[str, str | int]) -> Steps:
        stored = self.around.stored
        for key in [key for key in stored if key.startswith(prefix)]:
            del stored[key]
        stored.update({prefix + key: value for key, value in values.items()})
        yield Store(dict(stored), erase=True)
        return Silent()

    # -- bearers (4.2) -----------------------------------------------------------------------------------------------

    def _bearer(self, call: Call) -> Bearer:
        bearer = self.bearers.get(call.number("bid"))
        if bearer is None:
            raise Refusal(Cause.NOT_ALLOWED)
        return bearer

    @property
    def started(self) -> Bearer | None:
        """The one bearer that is started."""
        return next((bearer for bearer in self.bearers.values() if bearer.started), None)

    def do_bearer_open(self, call: Call) -> Steps:
        """AT+WIPBR=1,bid: with the stored options of the bearer, when there are any."""
        yield from ()
        bid = call.number("bid")
        if not self.stack:
            return Fail(Cause.NOT_ALLOWED)
        if bid in self.bearers:
            return Fail(Cause.ALREADY_OPEN)
        self.bearers[bid] = Bearer(bid, Options(self.dialect.tables.options["+WIPBR"], self._stored(f"br{bid}.")))
        return Ok()

    def do_bearer_close(self, call: Call) -> Steps:
        """AT+WIPBR=0,bid: a started one is stopped with it."""
        bearer = self._bearer(call)
        yield from self._stop(bearer)
        del self.bearers[bearer.bid]
        return Ok()

    def do_bearer_set(self, call: Call) -> Steps:
        """AT+WIPBR=2,bid,option,value."""
        yield from ()
        bearer = self._bearer(call)
        try:
            bearer.options.set(call.number("option"), text_value(call.text("value")))
        except Refused as refused:
            return Fail(refused.cause)
        return Ok()

    def do_bearer_get(self, call: Call) -> Steps:
        """AT+WIPBR=3,bid,option."""
        bearer = self._bearer(call)
        option = call.number("option")
        try:
            value = bearer.options.written(option)
        except Refused as refused:
            return Fail(refused.cause)
        if option in ADDRESS_OPTIONS:
            addresses = bearer.addresses if bearer.started else Addresses()
            value = f'"{getattr(addresses, ADDRESS_OPTIONS[option])}"'
        yield Say((self.dialect.say("bearer_option", bid=bearer.bid, option=option, value=value),))
        return Ok(after_text=True)

    def do_bearer_start(self, call: Call) -> Steps:
        """AT+WIPBR=4,bid,mode: one bearer at a time (4.2.7.1); the result comes when it is up or has failed."""
        bearer = self._bearer(call)
        server = call.number("mode") == 1
        if self.started is not None:
            return Fail(Cause.NOT_ALLOWED)
        if server and bearer.bid in (4, GPRS):
            return Fail(Cause.BAD_VALUE)
        if server and "password" not in call.arguments:
            return Fail(Cause.BAD_COUNT)
        if not server and "login" in call.arguments:
            return Fail(Cause.BAD_COUNT)
        if server:
            return Fail(Cause.NOT_SUPPORTED)  # nobody calls a virtual module
        result = yield Ask(self._start_request(bearer))
        if isinstance(result, Failed):
            return Fail(result.cause, original=result.original)
        bearer.started = True
        bearer.addresses = result.value if isinstance(result.value, Addresses) else Addresses()
        return Ok()

    def _start_request(self, bearer: Bearer) -> StartBearer:
        values = bearer.options.values
        kind = {GSM: BearerKind.GSM, GPRS: BearerKind.GPRS}.get(bearer.bid, BearerKind.OTHER)
        return StartBearer(
            kind,
            access_point=str(values["11"]) if kind is BearerKind.GPRS else "",
            user=Secret(values["0"]),
            password=Secret(values["1"]),
            context_id=int(values["12"] or 1),
            number=str(values["2"]) if kind is BearerKind.GSM else "",
        )

    def do_bearer_stop(self, call: Call) -> Steps:
        """AT+WIPBR=5,bid."""
        bearer = self._bearer(call)
        if not bearer.started:
            return Fail(Cause.NOT_ALLOWED)
        yield from self._stop(bearer)
        return Ok()

    def _stop(self, bearer: Bearer) -> Steps:
        if bearer.started:
            for handle in [socket.handle for socket in self.table.sockets.values()]:
                yield Ask(CloseSocket(handle))
            for handle in [server.handle for server in self.table.servers.values() if server.open]:
                yield Ask(CloseSocket(handle))
            if self.table.session is not None:
                yield Ask(CloseSocket(self.table.session.handle))
            self._forget_sockets()
            yield Ask(StopBearer())
            bearer.started = False
        return Silent()

    def _forget_sockets(self) -> None:
        self.table.session = None
        self.table.sockets.clear()
        self.table.servers.clear()
        self.offline = None

    def do_bearer_storage(self, call: Call) -> Steps:
        """AT+WIPBR=6,bid,1 stores the options of a bearer, AT+WIPBR=6,bid,0 frees them."""
        bid = call.number("bid")
        values: dict[str, str | int] = {}
        if call.number("action"):
            values = self._bearer(call).options.to_store()
        yield from self._keep(f"br{bid}.", values)
        return Ok()

    def do_bearer_states(self, _call: Call) -> Steps:
        """AT+WIPBR? (X06)."""
        key = "bearer_state_named" if self.dialect.switch("bearer_lines") == "named" else "bearer_state"
        lines = [
            self.dialect.say(key, bid=bid, state=int(bearer.started)) for bid, bearer in sorted(self.bearers.items())
        ]
        if lines:
            yield Say(tuple(lines))
        return Ok(after_text=bool(lines))

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
        server = Server(index, self.table.handle(), call.number("local_port"), first, last)
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

    # -- data (6.2) --------------------------------------------------------------------------------------------------

    def do_data_unmap(self, call: Call) -> Steps:
        """AT+WIPDATA=protocol,index,0: from another UART; on this one nothing is mapped any more."""
        if "size" in call.arguments:
            return Word("ERROR")
        socket = self._socket(call)
        if socket is None:
            return Fail(Cause.BAD_STATE)
        if self.offline is socket:
            yield from self._end_offline(socket)
        return Ok()

    def do_data_default(self, call: Call) -> Steps:
        """AT+WIPDATA=protocol,index: as hosts in the field write it, continuous."""
        return self.do_data_continuous(call)

    def do_data_continuous(self, call: Call) -> Steps:
        """Mode 1: ETX and DLE are escaped; an ETX ends the sending (TCP) or a datagram (UDP)."""
        if call.number("protocol") == UDP and "size" in call.arguments:
            return Word("ERROR")
        socket = self._data_socket(call)
        if socket.protocol == UDP:
            limit = Gatherer(0, self.dialect.tables.numbers["udp_datagram_bytes"])
            leaves = self.dialect.switch("udp_etx") == "leaves"
            phase = HostPhase(
                escaped=True,
                etx=Etx.ENDS if leaves else Etx.DIVIDES,
                plus=self._detector(),
                gather=limit,
                carried=socket.carried,
            )
        else:
            phase = HostPhase(
                escaped=True,
                etx=Etx.SHUTS,
                plus=self._detector(),
                gather=self._segments(call),
                shutdown_text=self._shutdown_text(),
            )
        return (yield from self._mapped(socket, phase))

    def do_data_transparent(self, call: Call) -> Steps:
        """Mode 2: every byte is payload."""
        socket = self._data_socket(call)
        if socket.protocol == UDP:
            numbers = self.dialect.tables.numbers
            size = call.number("size", numbers["udp_send_bytes"])
            gather: Gatherer | None = Gatherer(call.number("wait", numbers["udp_wait_100ms"]) / 10, size)
        else:
            gather = self._segments(call)
        return (yield from self._mapped(socket, HostPhase(escaped=False, plus=self._detector(), gather=gather)))

    def _detector(self) -> EscapeDetector:
        guard_s = self.dialect.tables.numbers["guard_ms"] / 1000
        return EscapeDetector(guard_s, self.around.now, deliver_signs=self.options.number(QUIET_SIGNS, 1) == 0)

    def _shutdown_text(self) -> bytes:
        end = self.around.settings.end
        text = end + b"SHUTDOWN" + end
        return {"shutdown": text, "etx": b"\x03", "both": text + b"\x03"}[self.dialect.switch("peer_shutdown")]

    def _segments(self, call: Call) -> Gatherer | None:
        """Packets of at least twice the preferred size, or after the time (6.2.11.4)."""
        mss = self.options.number(MIN_MSS)
        size = call.number("size", mss)
        if "size" in call.arguments and size > 2 * mss:
            raise Refusal(Cause.SEND_SIZE)
        wait = call.number("wait", self.options.number(SEGMENT_WAIT))
        return Gatherer(wait / 10, 2 * size, divided=False) if wait else None

    def _mapped(self, socket: Socket, phase: HostPhase) -> Steps:
        result = yield Ask(Attach(socket.handle, socket.peer if socket.repointed else None, alone=True))
        if isinstance(result, Failed):
            return Fail(Cause.BAD_STATE, original=result.original)
        socket.state, socket.told, socket.waiting, socket.carried = SocketState.MAPPED, False, 0, b""
        yield Tell("CONNECT")
        if socket.peer_closed:
            text = phase.peer_closed()
            yield Raw(text or b"")
        end: DataEnd = yield Data(socket.handle, phase)
        socket.state = SocketState.READY
        socket.carried = phase.carry
        if end.reason is EndReason.LOST:
            self.table.forget(socket)
            yield Raw(b"\x03")
            return Fail(Cause.RESET, original=end.cause.value)
        yield Ask(Detach(socket.handle))
        if end.reason is EndReason.PEER:
            socket.peer_closed = True
        if socket.peer_closed:
            yield Spawn(self._tell_close(socket), "close")
        return Silent() if end.reason is EndReason.PEER else Ok()

    # -- ping (7.1) --------------------------------------------------------------------------------------------------

    def do_ping(self, call: Call) -> Steps:
        """AT+WIPPING: OK, then a line for each packet (X01)."""
        if self.started is None:
            return Fail(Cause.PING_FAILED)
        host = call.text("host")
        found = yield Ask(ResolveName(host))
        if isinstance(found, Failed) and found.cause is not Cause.NOT_SUPPORTED:  # else the ping itself will tell
            return Fail(Cause.PING_FAILED, original=found.original)
        yield Finish(Ok(), "ping")
        request = Ping(
            host,
            call.number("repeat"),
            call.number("interval"),
            call.number("timeout"),
            call.number("size"),
            call.number("ttl", self.options.number(TTL)),
        )
        answer = yield Ask(request)
        while isinstance(answer, PingEcho):
            sign = (answer.milliseconds is None) == (self.dialect.switch("ping_sign") == "expired")
            yield Tell(
                self.dialect.say("ping", sign=int(sign), number=answer.index, milliseconds=answer.milliseconds or 0)
            )
            answer = yield More()
        if isinstance(answer, Failed):
            return Fail(Cause.PING_FAILED, original=answer.original)
        return Silent()

    # -- events ------------------------------------------------------------------------------------------------------

    def event(self, event: Event) -> Iterable[Step]:
        """What is told unasked."""
        match event:
            case Incoming():
                return self._incoming(event)
            case DataWaiting(handle, size, peer):
                socket = self.table.by_handle(handle)
                if socket is not None and socket.state is SocketState.READY:
                    socket.waiting = size
                    if not socket.told:
                        socket.told = True
                        return [Tell(self._waiting_line(socket, size, peer))]
            case Received():
                return self._dumped(event)
            case PeerClosed(handle):
                socket = self.table.by_handle(handle)
                if socket is not None:
                    socket.peer_closed = True
                    in_at_mode = socket.state in (SocketState.READY, SocketState.OFFLINE)
                    if in_at_mode and not socket.told:
                        return [Spawn(self._tell_close(socket), "close")]
            case SocketLost(handle, _) if self.table.session is not None and self.table.session.handle == handle:
                return self._lose_session()
            case SocketLost(handle, _):
                socket = self.table.by_handle(handle)
                if socket is not None and socket.state is not SocketState.OPENING:
                    if self.offline is socket:
                        self.offline = None
                    self.table.forget(socket)
                    return [Tell(self._closed_line(socket))]
            case BearerLost():
                bearer = self.started
                if bearer is not None:
                    bearer.started = False
                    self.table.servers.clear()
                    return self._lose_session()
            case ModuleText(lines):
                return [Say(lines)]
            case _:
                pass
        return []

    def _incoming(self, event: Incoming) -> list[Step]:
        server = self.table.server_by_handle(event.listener)
        if server is None or not server.open:
            return []
        return [Spawn(self._spawned(server, event), f"accept {event.connection}")]

    def _spawned(self, server: Server, event: Incoming) -> Steps:
        """A peer has come: it gets the lowest free index, or is shut down at once when there is none (5.1.7)."""
        index = self.table.free_child(server)
        if index is None or self.table.count >= self.sock_max:
            yield Ask(RefuseTcp(event.listener, event.connection))
            return Silent()
        socket = Socket(TCP, index, self.table.handle(), peer=event.peer, server=server.index)
        socket.local_port = server.port
        self.table.sockets[TCP, index] = socket
        result = yield Ask(AcceptTcp(event.listener, event.connection, socket.handle))
        if not isinstance(result, Done):
            self.table.forget(socket)
            return Silent()
        socket.state = SocketState.READY
        yield Tell(self.dialect.say("accepted", server=server.index, index=index))
        return Silent()

    def describe(self) -> dict[str, str | int]:
        """Stack, bearer and sockets."""
        started = self.started
        return {"stack": int(self.stack), "bearer": started.bid if started else 0, "sockets": self.table.count}

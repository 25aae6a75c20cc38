"""Working a WIPSoft module: stack, bearer, sockets and their data modes by AT+WIP commands.

Sections are those of the 5.57 guide. Errors that only say "already so" are taken as done, because a module keeps its
state when the gateway is restarted. What an older module has not (options, commands, codes) its tables tell. Longer than
400 lines because sockets, their data modes and what the module says of them share one table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.dialect.dialect import Dialect, Heard
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
    Report,
    Rest,
)
from gateway.dialect.quirks.wipsoft.files import FTP, FilesDriver
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import (
    BearerFound,
    BearerLost,
    DataWaiting,
    Event,
    Incoming,
    ModuleRestarted,
    PeerClosed,
    SocketLost,
)
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    Ping,
    QueryBearer,
    RefuseTcp,
    Request,
    ResolveName,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed, PingEcho, Result
from gateway.model.services import GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Endpoint, HostSocket, is_dotted
from gateway.wire.module_phase import FALL_BACK, ModulePhase

UDP, TCP, SERVER, TLS = 1, 2, 3, 9
"""Protocols (3.1.1)."""
BIDS = {BearerKind.GPRS: 6, BearerKind.GSM: 5}
KINDS = {bid: kind for kind, bid in BIDS.items()}
USER, PASSWORD, NUMBER, APN, CONTEXT, OWN, PEER, DNS1, DNS2, LIMIT = 0, 1, 2, 11, 12, 15, 16, 17, 18, 21
"""Bearer options (4.2.3)."""
PEER_PORT, PEER_ADDRESS = 1, 2
"""Socket option (5.3.7.1)."""
QUIET_SIGNS = 13
"""Stack option: +++ is not sent to the peer (4.1.3); a stored 0 would put it into the host's payload."""

DRAIN_QUIET_S = 0.3
"""So long after the last datagram that waited the offline session is closed again."""
UNCLEAR = (
    Cause.UNREACHABLE, Cause.CREATION_FAILED, Cause.TIMED_OUT, Cause.INTERNAL, Cause.REFUSED, Cause.OPEN_FAILED
)  # fmt: skip
"""Why a socket could not be opened, where an unknown name may be behind it."""
CLOSE_LIMIT_S = 1.0
CLOSE_ECHO_S = 0.3
"""How long after its OK a module that tells every close may take to tell it (X12)."""
PING_LIMIT_MS = 65535
"""The longest pause between echo requests, and wait for an answer (7.1.3)."""
ECHO_S = 1.0
"""So long behind a +WIPPEERCLOSE a +WIPREADY may still come."""
START_RETRIES = 2
"""After power-up a bearer is refused several times before it works (field observation)."""
START_PAUSE_S = 2.0
CONNECT_TIME_LIMIT = 600
"""Bearer option 21, in 100 ms: the module's own limit stays below the gateway's."""


@dataclass(slots=True)
class _Socket:
    """One socket of the module, and who holds it on the host's side."""

    protocol: int
    index: int
    local_port: int | None = None
    peer: Endpoint | None = None
    secure: bool = False
    """SSL: an index of the TCP clients all the same."""
    last: int = 0
    """Server: the last of the client indices that begin at ``first``."""
    first: int = 0
    peer_closed: bool = False
    attached: bool = False
    detached: bool = False
    """The host has left the data mode of its own will."""
    speaker: Endpoint | None = None
    """UDP: who sent the datagram that was told last."""
    kept: list[tuple[Endpoint, bytes]] = field(default_factory=list)
    """UDP: datagrams that were read to see who sent them."""

    @property
    def mode(self) -> int:
        """The protocol as the module names it."""
        return TLS if self.secure else self.protocol


class WipsoftDriver(FilesDriver):
    """See the module's text."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._stack = False
        self._options_set = False
        self._open: set[int] = set()
        self._started: int | None = None
        self._ever_started = False
        self._sent: dict[tuple[int, int], str] = {}
        self._sockets: dict[HostSocket, _Socket] = {}
        self._waiting: dict[int, HostSocket] = {}
        """Connections that were accepted by the module and wait for the host's side: index to listener."""
        self._falls_back = False
        """The module leaves its data mode with every datagram (X15)."""
        self._gone: set[int] = set()
        """Indices whose peer has closed; what it sent before can still be read."""

    # -- the module's state --------------------------------------------------------------------------------------------

    def start(self) -> Chores:
        """Known state; then what the module is doing already: a gateway may come in the middle."""
        for text in self.dialect.tables.module.known_state:
            yield Command(text)
        yield from self._find(adopt=not self._sockets and self._started is None)

    def _find(self, *, adopt: bool) -> Chores:
        states: dict[int, int] | None = yield from self._bearer_states()
        if states is None:
            return
        if self._is_gone(states):
            yield from self._tell_gone()
        started = [bid for bid, state in states.items() if state == 1]
        if adopt and started and started[0] in KINDS:
            self._started, self._stack = started[0], True
            yield from self._close_leftovers()
            addresses = yield from self._addresses(started[0])
            yield Emit(BearerFound(KINDS[started[0]], addresses))

    def _bearer_states(self) -> Part:
        """Open bearers and whether each is started; {} when there is none, None when the module does not say."""
        answer: Answer = yield Command(
            self.dialect.write("bearer_states"), frozenset({"bearer_state", "bearer_state_named"})
        )
        if not answer.ok and answer.final is not Final.ERROR:
            return None
        if not answer.heard:  # some modules refuse, others say OK, when there is no stack: it is started again
            self._stack = self._options_set = False
        states = {heard.number("bid"): heard.number("state") for heard in answer.heard}
        self._open = set(states)
        self._sent = {key: value for key, value in self._sent.items() if key[0] in states}
        return states

    def _is_gone(self, states: dict[int, int] | None) -> bool:
        return states is not None and self._started is not None and states.get(self._started) != 1

    def _tell_gone(self) -> Chores:
        for event in self._bearer_gone():
            yield Emit(event)

    def _close_leftovers(self) -> Chores:
        """Sockets of an earlier life; where the module does not list them, each is closed when it is in the way."""
        if not self.dialect.writes("sockets"):
            return
        answer: Answer = yield Command(
            self.dialect.write("sockets"), frozenset({"ready", "ready_peer", "serving", "serving_udp"})
        )
        for heard in answer.heard:
            yield Command(self.dialect.write("socket_close", protocol=heard.number("mode"), index=heard.number("index")))

    def lost(self) -> Iterable[Event]:
        """The module forgot everything: stack, bearer, sockets."""
        self._stack = self._options_set = False
        self._open.clear()
        self._sent.clear()
        self._ever_started = False
        events = self._bearer_gone()
        return [*events, ModuleRestarted()]

    def _bearer_gone(self) -> list[Event]:
        if self._started is None and not self._sockets:
            return []
        self._started = None
        sockets = list(self._sockets)
        self._sockets.clear()
        self._waiting.clear()
        return [BearerLost(), *(SocketLost(socket, Cause.BEARER_LOST) for socket in sockets)]

    def finish(self) -> Chores:
        """No socket stays open; the bearer stays as it is: the equipment may be reached again at once."""
        for socket in list(self._sockets):
            yield from self._close(socket)

    def idle(self) -> Chores | None:
        """Whether the bearer is still there: a module does not tell it."""
        return self._find(adopt=False) if self._started is not None else None

    # -- requests ------------------------------------------------------------------------------------------------------

    def perform(self, request: Request) -> DriverSteps:
        """One generator a request."""
        match request:
            case StartBearer():
                return self._start_bearer(request)
            case StopBearer():
                return self._stop_bearer()
            case QueryBearer():
                return self._query_bearer()
            case ConnectTcp():
                return self._connect(request)
            case ListenTcp():
                return self._listen(request)
            case AcceptTcp():
                return self._accept(request)
            case RefuseTcp():
                return self._refuse(request)
            case OpenUdp():
                return self._open_udp(request)
            case Attach():
                return self._attach(request)
            case FilterWaiting():
                return self._filter(request)
            case Detach():
                return self._detach(request)
            case ShutdownTcp(socket):
                return self._end_file() if self._is_files(socket) else self._shutdown(request)
            case CloseSocket(socket):
                return self._close_ftp() if self._is_files(socket) else self._close(socket)
            case ResolveName():
                return self._resolve(request)
            case Ping():
                return self._ping(request)
            case OpenFtp():
                return self._open_ftp(request)
            case SetFtp():
                return self._again_ftp(request)
            case GetFile():
                return self._get_file(request)
            case PutFile():
                return self._put_file(request)
            case _:
                return self._unable()

    def _unable(self) -> DriverSteps:
        yield from ()
        return Failed(Cause.NOT_SUPPORTED)

    # -- bearer (4.1, 4.2) ---------------------------------------------------------------------------------------------

    def _start_bearer(self, request: StartBearer) -> DriverSteps:
        bid = BIDS.get(request.kind)
        if bid is None:
            return Failed(Cause.NOT_SUPPORTED)
        failed: Failed | None = yield from self._start_stack()
        if failed is None and bid not in self._open:
            failed = yield from self._open_bearer(bid)
        if failed is None:
            failed = yield from self._set_options(bid, request)
        if failed is not None:
            return failed
        failed = yield from self._bring_up(bid)
        if failed is not None:
            return failed
        self._started, self._ever_started = bid, True
        addresses: Addresses = yield from self._addresses(bid)
        return Done(addresses)

    def _start_stack(self) -> Part:
        if not self._stack:
            answer: Answer = yield Command(self.dialect.write("stack_start"))
            if not answer.ok and not self._says(answer, "+WIPCFG", Cause.ALREADY_STARTED):
                return self.failed(answer, "+WIPCFG=1")
            self._stack = True
        if not self._options_set:
            if self._has("+WIPCFG", QUIET_SIGNS):
                yield Command(self.dialect.write("stack_option", option=QUIET_SIGNS, value=1))
            self._options_set = True
        return None

    def _open_bearer(self, bid: int) -> Part:
        answer: Answer = yield Command(self.dialect.write("bearer_open", bid=bid))
        if not answer.ok and self._cause(answer) in (Cause.NOT_STARTED, Cause.NOT_ALLOWED):
            # The module was restarted without a word: it knows nothing of the stack.
            self._stack = self._options_set = False
            failed = yield from self._start_stack()
            if failed is not None:
                return failed
            answer = yield Command(self.dialect.write("bearer_open", bid=bid))
        if not answer.ok and self._cause(answer) is not Cause.ALREADY_OPEN:
            return self.failed(answer, "+WIPBR=1")
        self._open.add(bid)
        return None

    def _set_options(self, bid: int, request: StartBearer) -> Part:
        """Options that differ from what the module was told before; credentials it will not take end the start."""
        wanted: dict[int, str | int] = {USER: request.user, PASSWORD: request.password}
        if request.kind is BearerKind.GPRS:
            wanted = {APN: request.access_point, **wanted, CONTEXT: request.context_id, LIMIT: CONNECT_TIME_LIMIT}
        else:
            wanted = {NUMBER: request.number, **wanted}
            wanted |= dict(zip((DNS1, DNS2), request.name_servers, strict=False))
        for option, value in wanted.items():
            before = self._sent.get((bid, option))
            if str(value) == before or (before is None and value == ""):
                continue
            if not self._has("+WIPBR", option):
                continue
            try:
                text = self.dialect.write("bearer_set", bid=bid, option=option, value=value)
            except WrongValue:
                return Failed(Cause.BAD_VALUE, f"bearer option {option}")
            answer: Answer = yield Command(text)
            if answer.ok:
                self._sent[(bid, option)] = str(value)
            elif answer.final is not Final.ERROR:
                return self.failed(answer, "+WIPBR=2")
            elif option in (APN, NUMBER, USER, PASSWORD):
                return Failed(Cause.BEARER_REFUSED, f"+WIPBR=2,{bid},{option} {answer.original}")
        return None

    def _bring_up(self, bid: int) -> Part:
        retries = 0 if self._ever_started else START_RETRIES
        while True:
            answer: Answer = yield Command(self.dialect.write("bearer_start", bid=bid, mode=0))
            if answer.ok:
                return None
            cause = self._cause(answer)
            if cause in (Cause.ALREADY_OPEN, Cause.NOT_ALLOWED):
                states = yield from self._bearer_states()
                if states is not None and states.get(bid) == 1:
                    return None  # it was up already
                if states is not None and any(states.values()):
                    return Failed(Cause.ALREADY_CONNECTED, answer.original)
            if cause not in (Cause.BEARER_FAILED, Cause.SIM_NOT_READY) or retries == 0:
                break
            retries -= 1
            yield Rest(START_PAUSE_S)
        if cause is Cause.BEARER_FAILED and (yield from self._unregistered()):
            return Failed(Cause.NOT_REGISTERED, answer.original)
        return self.failed(answer, "+WIPBR=4")

    def _unregistered(self) -> Part:
        """Whether the module says that no network has it: the host's error for that is another."""
        answer: Answer = yield Command("AT+CREG?")
        line = next((line for line in answer.lines if line.startswith("+CREG:")), "")
        fields = [part.strip() for part in line.partition(":")[2].split(",")]
        return len(fields) >= 2 and fields[1] in ("0", "2", "3")

    def _addresses(self, bid: int) -> Part:
        """What the bearer was given; options that the module will not tell stay 0.0.0.0."""
        found = {}
        for option in (OWN, PEER) if bid == BIDS[BearerKind.GSM] else (OWN,):
            answer: Answer = yield Command(
                self.dialect.write("bearer_get", bid=bid, option=option), frozenset({"bearer_option"})
            )
            if answer.ok and answer.heard:
                found[option] = answer.heard[0].fields["value"]
        return Addresses(found.get(OWN, ANY_ADDRESS), found.get(PEER, ANY_ADDRESS))

    def _stop_bearer(self) -> DriverSteps:
        yield from self.finish()
        bid, self._started = self._started, None
        for known in [bid] if bid is not None else sorted(self._open):
            answer: Answer = yield Command(self.dialect.write("bearer_stop", bid=known))
            if bid is not None and not answer.ok and answer.final is not Final.ERROR:
                return self.failed(answer, "+WIPBR=5")
        return Done()

    def _query_bearer(self) -> DriverSteps:
        states = yield from self._bearer_states()
        started = [bid for bid, state in (states or {}).items() if state == 1]
        if not started:
            return Done(None)
        return Done((yield from self._addresses(started[0])))

    def _has(self, command: str, option: int) -> bool:
        """Whether the module knows an option: an older one has fewer."""
        return str(option) in self.dialect.tables.options[command]

    def _says(self, answer: Answer, command: str, *causes: Cause) -> bool:
        """Whether a refusal has the code that the module has for one of ``causes``; an older one has fewer codes."""
        return answer.code != "" and answer.code in {self.dialect.code(cause, command) for cause in causes}

    def _cause(self, answer: Answer) -> Cause | None:
        return self.dialect.cause_of(answer.code) if answer.code else None

    # -- sockets (5.1, 5.2) --------------------------------------------------------------------------------------------

    def _free_index(self, protocol: int) -> int | None:
        limit = self.dialect.tables.numbers["udp_sockets" if protocol == UDP else "tcp_sockets"]
        used = {entry.index for entry in self._sockets.values() if entry.protocol == protocol}
        return next((index for index in range(1, limit + 1) if index not in used), None)

    def _create(self, text: str, protocol: int, index: int) -> Part:
        """Create a socket; one that is left over from before is closed first."""
        answer: Answer = yield Command(text)
        if self._says(answer, "+WIPCREATE", Cause.INDEX_IN_USE, Cause.INDEX_RESERVED):
            yield from self._shut(protocol, index)
            answer = yield Command(text)
        return answer

    def _shut(self, protocol: int, index: int) -> Part:
        """Close a socket of the module's. What it may say of it behind its OK belongs to it, not to the next there."""
        answer: Answer = yield Command(self.dialect.write("socket_close", protocol=protocol, index=index))
        if answer.ok and self.dialect.switch("local_close") == "all":
            yield Await(
                lambda heard: (
                    (heard.key, heard.number("protocol"), heard.number("index")) == ("peer_closed", protocol, index)
                ),
                CLOSE_ECHO_S,
            )
        return answer

    def _ready(self, protocol: int, index: int) -> Part:
        """Wait until a created socket is usable: None, or why it is not."""

        def wanted(heard: Heard) -> bool:
            fields = (heard.number("mode"), heard.number("protocol"))
            return (
                heard.key in ("ready", "open_error", "peer_closed", "error")
                and (heard.key == "error" or protocol in fields)
                and (heard.key == "error" or heard.number("index") == index)
            )

        heard: Heard | None = yield Await(wanted, f"+WIPREADY={protocol}")
        if heard is None:
            return Failed(Cause.TIMED_OUT, "no +WIPREADY")
        if heard.key == "ready":
            return None
        if heard.key == "peer_closed":
            # An echo of the close of the index's last holder (X12), or how some tell that the open has failed.
            ready: Heard | None = yield Await(lambda heard: heard.key == "ready" and wanted(heard), ECHO_S)
            return Failed(Cause.REFUSED, "+WIPPEERCLOSE") if ready is None else None
        return Failed(self.dialect.cause_of(heard.fields["code"]), heard.fields["code"])

    def _connect(self, request: ConnectTcp) -> DriverSteps:
        index = self._free_index(TCP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        does, mode = ("tls_create", TLS) if request.secure else ("tcp_create", TCP)
        if not self.dialect.writes(does):
            return Failed(Cause.NOT_SUPPORTED)
        try:
            text = self.dialect.write(does, index=index, host=request.peer.host, port=request.peer.port)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, mode, index)
        failed: Failed | None = None if answer.ok else self.failed(answer, "+WIPCREATE")
        if failed is None:
            failed = yield from self._ready(mode, index)
        if failed is None:
            self._sockets[request.socket] = _Socket(TCP, index, peer=request.peer, secure=request.secure)
            return Done()
        if failed.cause is not Cause.NO_MODULE:
            yield from self._shut(mode, index)
            failed = yield from self._why(failed, request.peer.host)
        return failed

    def _unless_gone(self, failed: Failed) -> Part:
        """A refusal; where the bearer behind it is gone (the module restarted without a word), that instead."""
        doubtful = (Cause.NOT_ALLOWED, Cause.BAD_STATE, Cause.NOT_STARTED, Cause.INTERNAL, Cause.OPEN_FAILED)
        if failed.cause in doubtful and self._is_gone((yield from self._bearer_states())):
            yield from self._tell_gone()
            return Failed(Cause.BEARER_LOST, failed.original)
        return failed

    def _why(self, failed: Failed, host: str) -> Part:
        """The module has one code for an unknown name, a refusal and silence: find out which it was."""
        failed = yield from self._unless_gone(failed)
        unclear = (*UNCLEAR, Cause.CLOSED_BY_PEER)
        if failed.cause in unclear and not is_dotted(host) and not (yield from self._resolves(host)):
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    def _resolves(self, host: str) -> Part:
        """Whether the module can look a name up: a UDP socket to it becomes ready without any peer's help."""
        result = yield from self._resolve(ResolveName(host), read=False)
        return isinstance(result, Done)

    def _resolve(self, request: ResolveName, *, read: bool = True) -> DriverSteps:
        index = self._free_index(UDP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        try:
            text = self.dialect.write("udp_create", index=index, host=request.name, port=9)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, UDP, index)
        failed = None if answer.ok else Failed(Cause.NAME_NOT_RESOLVED, answer.original)
        if failed is None:
            failed = yield from self._ready(UDP, index)
        address = ""
        if failed is None and read:
            address = yield from self._peer_of(UDP, index)
        yield from self._shut(UDP, index)
        if failed is not None or (read and not is_dotted(address)):
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original if failed else address)
        return Done(address)

    def _peer_of(self, protocol: int, index: int) -> Part:
        """The address of a socket's peer, "" when the module will not tell."""
        answer: Answer = yield Command(
            self.dialect.write("option_get", protocol=protocol, index=index, option=PEER_ADDRESS),
            frozenset({"socket_option", "socket_option_other"}),
        )
        return answer.heard[0].fields["value"] if answer.ok and answer.heard else ""

    def _listen(self, request: ListenTcp) -> DriverSteps:
        used = {entry.index for entry in self._sockets.values() if entry.protocol == SERVER}
        server = next((n for n in range(1, self.dialect.tables.numbers["server_sockets"] + 1) if n not in used), None)
        free = self._free_range(request.capacity)
        if server is None or free is None:
            return Failed(Cause.NO_FREE_SOCKET)
        text = self.dialect.write(
            "server_create", server=server, local_port=request.port, **{"from": free[0], "to": free[1]}
        )
        answer: Answer = yield Command(text)
        if self._says(answer, "+WIPCREATE", Cause.INDEX_IN_USE, Cause.INDEX_RESERVED):
            yield from self._shut(SERVER, server)
            for index in range(free[0], free[1] + 1):
                yield from self._shut(TCP, index)
            answer = yield Command(text)
        if not answer.ok:
            refused: Failed = yield from self._unless_gone(self.failed(answer, "+WIPCREATE"))
            return refused
        self._sockets[request.listener] = _Socket(SERVER, server, request.port, first=free[0], last=free[1])
        self._wants_peer = request.want_peer
        return Done()

    _wants_peer = False

    def _free_range(self, capacity: int) -> tuple[int, int] | None:
        """The largest run of free client indices, at most ``capacity`` long."""
        used = {entry.index for entry in self._sockets.values() if entry.protocol == TCP}
        best: tuple[int, int] | None = None
        start = None
        for index in range(1, self.dialect.tables.numbers["tcp_sockets"] + 2):
            if index in used or index > self.dialect.tables.numbers["tcp_sockets"]:
                if start is not None and (best is None or index - start > best[1] - best[0] + 1):
                    best = (start, min(index - 1, start + capacity - 1))
                start = None
            elif start is None:
                start = index
        return best

    def incoming(self, server: int, index: int) -> Chores:
        """A peer has called: tell the host's side, with its address when it filters."""
        listener = next(
            (s for s, entry in self._sockets.items() if (entry.protocol, entry.index) == (SERVER, server)), None
        )
        if listener is None:  # none of ours (any more): an eDSoft-like host takes one peer only
            yield from self._shut(TCP, index)
            return
        peer = None
        if self._wants_peer:
            peer = Endpoint((yield from self._peer_of(TCP, index)), 0)
        self._waiting[index] = listener
        yield Emit(Incoming(listener, index, peer))

    def _accept(self, request: AcceptTcp) -> DriverSteps:
        if self._waiting.pop(request.connection, None) is None:
            return Failed(Cause.CLOSED_BY_PEER)
        self._sockets[request.socket] = _Socket(TCP, request.connection, peer_closed=request.connection in self._gone)
        if request.last:
            entry = self._sockets.pop(request.listener, None)
            if entry is not None:
                yield from self._shut(SERVER, entry.index)
            for index in list(self._waiting):
                del self._waiting[index]
                yield from self._shut(TCP, index)
        return Done()

    def _refuse(self, request: RefuseTcp) -> DriverSteps:
        self._waiting.pop(request.connection, None)
        yield from self._shut(TCP, request.connection)
        return Done()

    def _open_udp(self, request: OpenUdp) -> DriverSteps:
        index = self._free_index(UDP)
        if index is None:
            return Failed(Cause.NO_FREE_SOCKET)
        entry = _Socket(UDP, index, request.local_port, request.peer)
        failed: Failed | None = yield from self._create_udp(entry)
        if failed is None:
            self._sockets[request.socket] = entry
            return Done()
        failed = yield from self._unless_gone(failed)
        if failed.cause is Cause.BEARER_LOST:
            return failed
        if request.peer is not None and failed.cause is not Cause.NO_MODULE:
            yield from self._shut(UDP, index)
            # A UDP socket needs nobody's consent: what fails is the name.
            if failed.cause in UNCLEAR:
                dotted = is_dotted(request.peer.host)
                failed = Failed(Cause.OPEN_FAILED if dotted else Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    def _create_udp(self, entry: _Socket) -> Part:
        peer: dict[str, str | int] = {"host": entry.peer.host, "port": entry.peer.port} if entry.peer else {}
        local: dict[str, str | int] = {} if entry.local_port is None else {"local_port": entry.local_port}
        try:
            text = self.dialect.write("udp_create", index=entry.index, **peer, **local)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer = yield from self._create(text, UDP, entry.index)
        if not answer.ok and peer and not local and self._cause(answer) in (Cause.BAD_COUNT, None, Cause.BAD_PORT):
            # X10: the 5.57 syntax line wants a local port, its examples do not.
            text = self.dialect.write("udp_create", index=entry.index, local_port=49000 + entry.index, **peer)
            answer = yield from self._create(text, UDP, entry.index)
        if not answer.ok:
            return self.failed(answer, "+WIPCREATE")
        return (yield from self._ready(UDP, entry.index))

    # -- data (6.2) ----------------------------------------------------------------------------------------------------

    def _attach(self, request: Attach) -> DriverSteps:
        entry = self._sockets.get(request.socket)
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
                    self._sockets.pop(request.socket, None)
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

    def _point(self, entry: _Socket, peer: Endpoint) -> Part:
        """Give a UDP socket its peer by options; what waits of that peer stays. False where they cannot be written."""
        for option, value in ((PEER_ADDRESS, peer.host), (PEER_PORT, peer.port)):
            if "udp:rw" not in self.dialect.tables.options["sockets"][str(option)].access:
                return False
            place = {"protocol": UDP, "index": entry.index, "option": option}
            answer: Answer = yield Command(self.dialect.write("option_set", **place, value=value))
            if not answer.ok:
                return False
        return True

    def _detach(self, request: Detach) -> DriverSteps:
        entry = self._sockets.get(request.socket)
        if entry is None or not entry.attached:
            return Done()
        entry.attached, entry.detached = False, True
        held: bytes | None = yield Leave()
        if held and (yield from self._really(entry)):  # the module's own word for the end, heard in time
            yield from self._over(request.socket, None)
        elif held:
            yield Deliver(request.socket, held)
        return Done()

    def _shutdown(self, request: ShutdownTcp) -> DriverSteps:
        """An ETX in the data mode ends the sending, reading goes on (6.2.2.1)."""
        entry = self._sockets.get(request.socket)
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

    def _enter(self, socket: HostSocket, entry: _Socket) -> Part:
        phase = ModulePhase(
            escaped=True,
            divided=entry.protocol == UDP,
            guard_s=self.dialect.tables.numbers["guard_ms"] / 1000,
            hints=tuple(hint.replace("{end}", "\r\n").encode() for hint in self.dialect.tables.module.hints),
            falls_back=self._falls_back,
        )
        text = self.dialect.write("data_continuous", protocol=entry.mode, index=entry.index)
        answer: Answer = yield Enter(text, socket, phase)
        entry.attached = answer.ok
        entry.detached = False
        return answer

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """ETX is the peer's end or a reset (6.2.2.3, 6.2.5); a text is only a suspicion, and is asked about."""
        if self._is_files(socket):
            return  # the file's own request waits for what the module says of it
        entry = self._sockets.get(socket)
        if entry is None:
            return
        entry.attached = False
        if mark == FALL_BACK:
            self._falls_back = True
            answer = yield from self._enter(socket, entry)
            if not answer.ok:
                yield from self._over(socket, Cause.SEND_FAILED)
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

    def _really(self, entry: _Socket) -> Part:
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
        entry = self._sockets.pop(socket, None)
        if entry is None:
            return
        yield from self._shut(entry.mode, entry.index)
        if self._is_gone((yield from self._bearer_states())):
            self._sockets[socket] = entry
            yield from self._tell_gone()
            return
        yield Emit(PeerClosed(socket) if cause is None else SocketLost(socket, cause))

    def _close(self, socket: HostSocket) -> DriverSteps:
        entry = self._sockets.pop(socket, None)
        if entry is None:
            return Done()
        if entry.attached:
            entry.attached = False
            yield Leave()
        if entry.protocol == SERVER:
            for index in [index for index, listener in self._waiting.items() if listener == socket]:
                del self._waiting[index]
                yield from self._shut(TCP, index)
        answer: Answer = yield from self._shut(entry.mode, entry.index)
        return Done() if answer.ok or answer.final is Final.ERROR else self.failed(answer, "+WIPCLOSE")

    def _drain(self, entry: _Socket) -> Part:
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
                entry.speaker = _speaker(heard)
                continue
            parts.append(_bytes(heard.fields["dump"]))
            if heard.number("block") >= heard.number("blocks"):
                if entry.speaker is not None:
                    entry.kept.append((entry.speaker, b"".join(parts)))
                parts = []
        yield Command(self.dialect.write("offline_close", index=entry.index), frozenset({"offline_closed"}))
        return True

    def _filter(self, request: FilterWaiting) -> DriverSteps:
        entry = self._sockets.get(request.socket)
        if entry is None:
            return Done()
        if not (yield from self._drain(entry)):  # a socket made anew holds nobody's datagrams
            yield from self._shut(UDP, entry.index)
            failed: Failed | None = yield from self._create_udp(entry)
            if failed is not None:
                self._sockets.pop(request.socket, None)
                return failed
        entry.kept = [(peer, data) for peer, data in entry.kept if peer.host == request.allowed]
        return Done(entry.kept[0][0] if entry.kept else None)

    # -- ping (7.1) ----------------------------------------------------------------------------------------------------

    def _ping(self, request: Ping) -> DriverSteps:
        if max(request.interval_ms, request.timeout_ms) <= PING_LIMIT_MS:
            return (yield from self._pings(request))
        limit_ms = min(request.timeout_ms, PING_LIMIT_MS)
        one = replace(request, count=1, interval_ms=PING_LIMIT_MS, timeout_ms=limit_ms)
        for number in range(request.count):  # so long a pause is kept here
            if number:
                yield Rest(request.interval_ms / 1000)
            result: Result = yield from self._pings(one, number)
            if isinstance(result, Failed):
                return result
        return Done()

    def _pings(self, request: Ping, first: int = 0) -> DriverSteps:
        usual = request.size_bytes == (known := Ping("")).size_bytes and request.ttl == known.ttl
        try:
            text = self.dialect.write(
                "ping",
                host=request.target,
                repeat=request.count,
                interval=request.interval_ms,
                timeout=request.timeout_ms,
                **({} if usual else {"size": request.size_bytes, "ttl": request.ttl}),
            )
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if not answer.ok:
            failed: Failed = yield from self._unless_gone(self.failed(answer, "+WIPPING"))
            if failed.cause in (Cause.PING_FAILED, Cause.UNREACHABLE) and not is_dotted(request.target):
                return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
            return failed
        limit_s = (request.interval_ms + request.timeout_ms) / 1000 + 10
        for number in range(request.count):
            heard: Heard | None = yield Await(lambda heard: heard.key in ("ping", "error"), limit_s)
            if heard is None or heard.key == "error":
                failed = Failed(Cause.PING_FAILED, heard.fields["code"] if heard else "no +WIPPING")
                why: Failed = yield from self._why_ping(failed, request.target)
                return why
            answered = heard.fields["sign"] == ("0" if self.dialect.switch("ping_sign") == "expired" else "1")
            if number == 0 and not answered and not is_dotted(request.target):
                # A name that nobody knows is told as a time-out too (7.1.6).
                unknown = Failed(Cause.NAME_NOT_RESOLVED, "+WIPPING: 1")
                if not (yield from self._resolves(request.target)):
                    return unknown
            yield Report(PingEcho(first + number, heard.number("milliseconds") if answered else None))
        return Done()

    def _why_ping(self, failed: Failed, host: str) -> Part:
        if not is_dotted(host) and not (yield from self._resolves(host)):
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
        return failed

    # -- unsolicited ---------------------------------------------------------------------------------------------------

    def heard(self, heard: Heard) -> Iterable[Event]:
        """Messages that no request waits for."""
        protocol, index = heard.number("protocol"), heard.number("index")
        socket = next((s for s, e in self._sockets.items() if (e.mode, e.index) == (protocol, index)), None)
        match heard.key:
            case "datagram_waiting" | "data_waiting" if socket is not None:
                peer = None
                if heard.key == "datagram_waiting":
                    peer = self._sockets[socket].speaker = _speaker(heard)
                return [DataWaiting(socket, heard.number("size"), peer)]
            case "peer_closed":
                if protocol == FTP:
                    return self._ftp_gone()
                if protocol == UDP:
                    return []  # a datagram's peer cannot close: an echo of our own (X12)
                if protocol == TCP:
                    self._gone.add(index)
                if socket is not None:
                    self._sockets[socket].peer_closed = True
                    if not self._sockets[socket].attached:
                        # What it sent can still be read; a host that is in command mode by its own will is told.
                        return [PeerClosed(socket)] if self._sockets[socket].detached else []
            case "accepted" | "accepted_other":
                self._gone.discard(heard.number("index"))
            case "open_error" if socket is not None:
                del self._sockets[socket]
                return [SocketLost(socket, self.dialect.cause_of(heard.fields["code"]))]
            case "bearer_event" if heard.number("status") > 0:
                return self._bearer_gone()
        return []

    def _server_of(self, index: int) -> int:
        """The server that a client index belongs to, where the module does not say it (X02)."""
        servers = (entry for entry in self._sockets.values() if entry.protocol == SERVER)
        return next((entry.index for entry in servers if entry.first <= index <= entry.last), 0)

    def chores(self, heard: Heard) -> Chores | None:
        """Work that an unsolicited message makes."""
        if heard.key in ("accepted", "accepted_other"):
            index = heard.number("index")
            return self.incoming(heard.number("server") if "server" in heard.fields else self._server_of(index), index)
        return None


def _speaker(heard: Heard) -> Endpoint:
    return Endpoint(heard.fields["peer"], heard.number("port"))


def _bytes(dump: str) -> bytes:
    try:
        return bytes.fromhex(dump)
    except ValueError:
        return b""

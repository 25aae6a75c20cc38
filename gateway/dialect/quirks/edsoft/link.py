"""An eDSoft module's link: its known state, its parameters, what carries IP, pings.

The one service that runs is a socket's, a listener's or a file's: :mod:`gateway.dialect.quirks.edsoft.driver`.
Sections are those of S000333 rev. C.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import (
    FOREVER_S,
    Answer,
    Await,
    Chores,
    Command,
    Driver,
    DriverSteps,
    Emit,
    Final,
    Part,
    Remark,
    Report,
    Rest,
)
from gateway.dialect.values import WrongValue, write_value
from gateway.model.causes import Cause
from gateway.model.events import (
    BearerFound,
    BearerLost,
    Event,
    ModuleRestarted,
    PeerClosed,
    SocketLost,
)
from gateway.model.findings import FindingKind
from gateway.model.requests import Ping, QueryBearer, StartBearer, StopBearer
from gateway.model.results import Done, Failed, PingEcho, Result
from gateway.model.services import Begun, OpenFtp, OpenPop3, OpenSmtp
from gateway.model.tuning import Tune, Tuned, Tuning, ignored
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, HostSocket
from gateway.wire.service_phase import ServicePhase

FIRST = 1
"""The socket id (3.02) that is used."""
OF_A_CALL = ("line_rate", "address", "ppp", "negotiation_failed", "error", "result")
"""What is said behind the OK of #ACCEPT."""
ANSWER_LIMIT_S = 60.0
"""How long a call may take to be up."""
EVERY_CALLER = "*"
"""#CALLSCREENNUM: no caller is too bad."""
SILENCE_MORE_S = 5.0
"""So much later than it says a module may find that nobody goes on with a mail."""
LATE_OK_S = 0.3
"""How long to wait for an OK that some firmware sends (U08, U16)."""


@dataclass(slots=True)
class RunningSocket:
    """The one socket, while the host's side has it."""

    phase: ServicePhase
    listening: bool = False
    """No peer has come yet: the module is in command mode."""
    attached: bool = False
    allowed: str = ""
    ended: PeerClosed | SocketLost | None = None
    """Its end, which is told when what came before was read."""
    told: bool = False


@dataclass(slots=True)
class Listener:
    """A TCP listener of the host's side."""

    socket: HostSocket
    port: int
    allowed: str
    call: int = 0
    """The peer that waits to be accepted."""


def emit(events: Iterable[Event]) -> Chores:
    """Tell the host's side what happened."""
    for event in events:
        yield Emit(event)


class LinkDriver(Driver):
    """What :class:`EdsoftDriver` does but for its sockets and files."""

    _files: OpenFtp | None = None
    _post: OpenSmtp | OpenPop3 | None = None
    late = frozenset({"line_rate", "address", "alive", "no_answer"})

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.silence_s = self.mail_silence_s
        self._written: dict[str, str] = {}
        self._up: BearerKind | None = None
        self._addresses = Addresses()
        self._sockets: dict[HostSocket, RunningSocket] = {}
        """The socket or listener that runs, and those that have ended and are not closed on the host's side yet."""
        self._running: HostSocket | None = None
        self._listener: Listener | None = None
        self._calls = 0
        self._serving = False
        """The module answers by itself."""
        information = dialect.tables.information["socket_closed"]
        closed = [f"\r\n{text}\r\n" for text in (information.text, *information.spellings)]
        words = [*(f"{text}\r\nOK\r\n" for text in closed), *closed, "\r\nOK\r\n"]
        self._closing = tuple(word.encode() for word in words)
        self._boot = dialect.boot_lines()

    # -- the module's state --------------------------------------------------------------------------------------------

    @property
    def mail_silence_s(self) -> float:
        """Behind so much of it a module takes nothing more for a mail."""
        return self.dialect.tables.numbers["mail_silence_s"] + SILENCE_MORE_S

    def start(self) -> Chores:
        """Known state, an open stack (ch. 1); then what the module is doing already."""
        self.silence_s = 0.0
        for text in self.dialect.tables.module.known_state:
            yield Command(text)
        answer: Answer = yield Command(self.dialect.write("stack_read"), frozenset({"stack"}))
        if any(heard.number("open") == 0 for heard in answer.heard):
            yield Command(self.dialect.write("stack_open", open=1))
        if self._serving:  # of a call that was waited for: it would be answered still, and the module keeps it
            yield from self._serve_nobody()
        yield from self._find(adopt=self._up is None)

    def _find(self, *, adopt: bool) -> Chores:
        connected: bool | None = yield from self._connected()
        if connected and adopt:
            for does in (
                "tcp_listen_stop",
                "udp_listen_stop",
            ):  # of an earlier life; as long as one runs nothing can be set
                yield Command(self._text(does))
            self._up = yield from self._read_addresses()
            yield Emit(BearerFound(self._up, self._addresses))
        elif connected is False:
            yield from emit(self._bearer_gone())

    def _connected(self) -> Part:
        """Whether IP is up; None when the module does not say (ch. 8 #VSTATE)."""
        answer: Answer = yield Command(self.dialect.write("show_state"), ends=frozenset({"state"}), asks=True)
        if not answer.ok:
            return None
        if not answer.heard:
            return False
        yield from self._late_result()  # OK is missing for some states (U08)
        return answer.heard[0].fields["state"].upper() == self.dialect.tables.states["connected"]

    def _late_result(self) -> Part:
        """The OK behind a message that has ended a command already, so that it is not the next command's."""
        yield Await(lambda heard: heard.key == "result", LATE_OK_S)

    def _read_addresses(self) -> Part:
        """Keep the addresses (ch. 2 #DISPLAYIP), and say what carries IP: its second line tells."""
        answer: Answer = yield Command(
            self.dialect.write("show_addresses"), frozenset({"own_address", "peer_address", "gateway_address"})
        )
        found = {heard.key: heard.fields["address"] for heard in answer.heard}
        own = found.get("own_address", self._addresses.own)
        self._addresses = Addresses(own, found.get("peer_address") or found.get("gateway_address") or ANY_ADDRESS)
        return BearerKind.GSM if "peer_address" in found else BearerKind.GPRS

    def lost(self) -> Iterable[Event]:
        """The module forgot everything but its parameters; and those may be another module's."""
        self._written.clear()
        return [*self._bearer_gone(), ModuleRestarted()]

    def _bearer_gone(self, cause: Cause = Cause.BEARER_LOST) -> list[Event]:
        if self._up is None and not self._sockets:
            return []
        sockets = list(self._sockets)
        for asked in (self._files, self._post):
            if asked is not None and asked.session not in sockets:
                sockets.append(asked.session)
        self._up, self._running, self._listener, self._files, self._post = None, None, None, None, None
        self._sockets.clear()
        return [BearerLost(cause), *(SocketLost(socket, Cause.BEARER_LOST) for socket in sockets)]

    def idle(self) -> Chores | None:
        """Whether IP is still there."""
        return self._find(adopt=False) if self._up is not None and not self._in_data_mode() else None

    def _in_data_mode(self) -> bool:
        return self._running is not None and not self._sockets[self._running].listening

    def _text(self, does: str) -> str:
        """A command with the socket id that it has in 3.02, and not before."""
        text = self.dialect.write(does, id=FIRST)
        return text if self.dialect.tables.socket_ids else text.partition("=")[0]

    # -- parameters ----------------------------------------------------------------------------------------------------

    @property
    def _idle_limit_min(self) -> int:
        """Whether a line is idle is the host's side's affair: the module waits as long as it can."""
        return self._most("PHYTIMEOUT")

    def _most(self, parameter: str) -> int:
        """The largest number that the module takes."""
        most = self.dialect.tables.parameters[parameter].maximum
        assert most is not None, f"{parameter} has no limit"
        return most

    def _set(self, **wanted: str | int) -> Part:
        """Write parameters that are not as they were written last; None, or why one is not taken."""
        for name, value in wanted.items():
            parameter = self.dialect.tables.parameters.get(name)
            if parameter is None or self._written.get(name) == str(value):
                continue
            index = f"{FIRST}," if parameter.indexed and self.dialect.tables.socket_ids else ""
            try:
                text = f"AT#{name}={index}{write_value(parameter, value)}"
            except WrongValue:
                return Failed(Cause.BAD_VALUE, f"#{name}")
            answer: Answer = yield Command(text)
            if not answer.ok:
                return (yield from self._refused(self.failed(answer, f"#{name}")))
            self._written[name] = str(value)
        return None

    # -- link (ch. 2) --------------------------------------------------------------------------------------------------

    def do_tune(self, request: Tune) -> DriverSteps:
        """Name servers alone, of all that can be set: they go with the start."""
        yield from ()
        return Done(Tuned(ignored(request.values, frozenset({Tuning.NAME_SERVERS}))))

    def do_start_bearer(self, request: StartBearer) -> DriverSteps:
        """Parameters, then one command."""
        if request.answers:
            return (yield from self._answer(request))
        dns1, dns2 = (*request.name_servers, ANY_ADDRESS, ANY_ADDRESS)[:2]
        if request.kind is BearerKind.GPRS:
            # Ch. 3: asked where the operator names none. What is not wanted is written where it was once.
            servers = {"DNSSERV1": dns1, "DNSSERV2": dns2}
            failed: Failed | None = yield from self._set(
                GPRSMODE=1,
                APNSERV=request.access_point,
                APNUN=request.user,
                APNPW=request.password,
                GPRSCID=request.context_id,
                PHYTIMEOUT=self._idle_limit_min,
                **{name: dns for name, dns in servers.items() if request.name_servers or name in self._written},
            )
        elif request.kind is BearerKind.GSM:
            # The host's side dials again itself.
            failed = yield from self._set(
                GPRSMODE=0, DIALN1=request.number, DIALSELECT=1, ISPUN=request.user, ISPPW=request.password, PPPMODE=3,
                DNSSERV1=dns1, DNSSERV2=dns2, REDIALCOUNT=0, PHYTIMEOUT=self._idle_limit_min,
            )  # fmt: skip
        else:
            return Failed(Cause.NOT_SUPPORTED)
        if failed is not None:
            return failed
        answer: Answer = yield Command(
            self.dialect.write("bearer_start"),
            frozenset({"dialing", "number", "line_rate", "address"}),
            ends=frozenset({"gprs_activation", "ppp", "negotiation_failed"}),
        )
        keys = {heard.key for heard in answer.heard}
        if "negotiation_failed" in keys:
            return Failed(Cause.LINK_NEGOTIATION, "PPP ERROR")
        if not answer.ok:
            failed = self.failed(answer, "#CONNECTIONSTART")
            if failed.cause is not Cause.ALREADY_CONNECTED or not (yield from self._connected()):
                return failed
        elif keys & {"gprs_activation", "ppp"}:
            yield from self._late_result()  # U16
        self._up = request.kind
        own = next((heard.fields["address"] for heard in answer.heard if heard.key == "address"), ANY_ADDRESS)
        self._addresses = Addresses(own)
        yield from self._read_addresses()
        return Done(self._addresses)

    def _answer(self, request: StartBearer) -> DriverSteps:
        """A call that rings is taken by #ACCEPT, whose OK is the begin (U17); one that is waited for by #ANSWERMODE."""
        failed: Failed | None = yield from self._set(
            PPPMODE=1, PPPSERVUN=request.user, PPPSERVPW=request.password, PHYTIMEOUT=self._idle_limit_min
        )
        for name, address in (("PPPMYIP", request.own), ("PPPPEERIP", request.peer)):
            if failed is None and (address != ANY_ADDRESS or name in self._written):
                failed = yield from self._set(**{name: address})
        if failed is None and request.waits:
            failed = yield from self._serve(request)
        if failed is not None:
            return failed
        if not request.waits:
            answer: Answer = yield Command(self.dialect.write("call_accept"))
            if not answer.ok:
                return self.failed(answer, "#ACCEPT")
        result: Result = Failed(Cause.ABORTED)
        if (yield Report(Begun())):
            result = yield from self._call_up(request)
        if self._serving:
            yield from self._serve_nobody()
        return result

    def _call_up(self, request: StartBearer) -> DriverSteps:
        """What is said until IP is up; of a call that is not up yet another may come where one is waited for."""
        own, limit_s = ANY_ADDRESS, FOREVER_S if request.waits else ANSWER_LIMIT_S
        while True:
            heard: Heard | None = yield Await(lambda one: one.key in OF_A_CALL, limit_s, aside=True)
            if heard is None and request.waits:
                return Failed(Cause.BEARER_FAILED, "the module waits no more")
            if heard is None:
                return Failed(Cause.BEARER_TIMED_OUT, "no PPP behind #ACCEPT")
            if heard.key == "result" and limit_s == FOREVER_S:
                continue
            if heard.key in ("negotiation_failed", "error", "result"):
                return Failed(Cause.LINK_NEGOTIATION, heard.fields.get("code") or heard.fields.get("text") or heard.key)
            limit_s = ANSWER_LIMIT_S
            if heard.key == "address":
                own = heard.fields["address"]
            if heard.key == "ppp":
                break
        self._up, self._addresses = request.kind, Addresses(own)
        yield from self._read_addresses()
        return Done(self._addresses)

    def _serve(self, request: StartBearer) -> Part:
        """Have the module answer by itself (ch. 2 #ANSWERMODE); it knows callers only where it is told of them."""
        if request.caller:
            yield Command("AT+CLIP=1")
        most = self._most("RINGCOUNT")
        if request.rings > most:
            yield changed(f"{request.rings} rings", f"the module answers after {most}")
        failed: Failed | None = yield from self._set(
            CALLSCREENNUM=request.caller or EVERY_CALLER, RINGCOUNT=min(max(request.rings, 1), most), ANSWERMODE=1
        )
        self._serving = failed is None
        return failed

    def _serve_nobody(self) -> Part:
        """The module leaves calls alone."""
        yield from self._set(ANSWERMODE=0)
        self._serving = False

    def do_stop_bearer(self, _request: StopBearer) -> DriverSteps:
        """The service that runs goes before."""
        yield from self.finish()
        answer: Answer = yield Command(self.dialect.write("bearer_stop"))
        was_up, self._up = self._up is not None, None
        if was_up and not answer.ok and answer.final is not Final.ERROR:
            return self.failed(answer, "#CONNECTIONSTOP")
        return Done()

    def do_query_bearer(self, _request: QueryBearer) -> DriverSteps:
        """As the module says; while it runs a service, as it was."""
        if not self._in_data_mode():
            connected: bool | None = yield from self._connected()
            if not connected:
                return Done(None)
            yield from self._read_addresses()
        return Done(self._addresses)

    def _refused(self, failed: Failed) -> Part:
        """A service that is refused because IP is gone, which the module has told nobody: tell it."""
        if failed.cause not in (Cause.BEARER_LOST, Cause.BEARER_IDLE, Cause.NO_BEARER) or self._up is None:
            return failed
        yield from emit(self._bearer_gone())
        return Failed(Cause.BEARER_LOST, failed.original)

    # -- ping (ch. 7) --------------------------------------------------------------------------------------------------

    def do_ping(self, request: Ping) -> DriverSteps:
        """One command a request: each answer is told as it comes, and the gap is the host's."""
        if self._running is not None:
            return Failed(Cause.BUSY, "one service at a time")
        wait_s = min(max(-(-request.timeout_ms // 1000), 1), 255)
        failed: Failed | None = yield from self._set(PINGREMOTE=request.target, PINGNUM=1, PINGDELAY=wait_s)
        if failed is not None:
            return failed
        for number in range(request.count):
            answer: Answer = yield Command(
                self.dialect.write("ping"), frozenset({"alive", "no_answer"}), limit_s=wait_s + 30.0
            )
            if not answer.ok:
                refused: Failed = yield from self._refused(self.failed(answer, "#PING"))
                return refused
            echo = next((heard for heard in answer.heard if heard.key == "alive"), None)
            milliseconds = echo.number("milliseconds") if echo is not None else None
            if milliseconds is not None and milliseconds > request.timeout_ms:
                milliseconds = None
            if not (yield Report(PingEcho(number, milliseconds))):
                return Failed(Cause.ABORTED)
            spent_ms = 1000 * wait_s if milliseconds is None else milliseconds
            if number + 1 < request.count and request.interval_ms > spent_ms:
                yield Rest((request.interval_ms - spent_ms) / 1000)
        return Done()


def changed(asked: str, done: str) -> Remark:
    """Something is not done quite as it was asked."""
    return Remark("finding", {"what": FindingKind.CHANGED.value, "old": asked, "new": done})

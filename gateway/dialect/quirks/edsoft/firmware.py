"""How an eDSoft module behaves towards its host: stored parameters, one link, one service at a time.

Sections are those of S000333 rev. C; erratum ids stand where the manual leaves a choice. Longer than 400 lines because
it is one state machine: link, service and parameters decide about each other.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import Any

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Background,
    Break,
    Cancel,
    Claim,
    Data,
    DataEnd,
    EndReason,
    Expect,
    Fail,
    Finish,
    Found,
    Interrupted,
    More,
    Ok,
    Outcome,
    Raw,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Store,
    Tell,
    Text,
    Wait,
    Word,
)
from gateway.dialect.nodes import Op
from gateway.dialect.quirks.edsoft.base import EVERYBODY, LINK, RELEASE, SERVICE, Link
from gateway.dialect.quirks.edsoft.calls import CALLING_BACK, NEEDS_CALLS, Calls
from gateway.dialect.schema import Parameter
from gateway.model.causes import Cause
from gateway.model.events import (
    BearerFound,
    BearerLost,
    DataWaiting,
    Event,
    Incoming,
    ModuleRestarted,
    ModuleText,
    SocketLost,
)
from gateway.model.findings import Finding, FindingKind
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    Ping,
    RefuseTcp,
    ResolveName,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, Failed, PingEcho
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Endpoint, HostSocket, Secret, is_dotted
from gateway.wire.gather import Gatherer
from gateway.wire.phase import Etx, HostPhase
from gateway.wire.plus import EscapeDetector

ETX = b"\x03"
ENDING = "ending service"
PLAIN = "tcp, #DLEMODE 0"
_BUSY = (Cause.LINE_BUSY, Cause.NO_ANSWER, Cause.NO_CARRIER)
"""Why a number is dialled again."""
_CALLS = (*_BUSY, Cause.LINK_NEGOTIATION, Cause.BEARER_TIMED_OUT)


class EdsoftFirmware(Calls):
    """See the module's text."""

    listening: int | None = None
    stack_open = True
    """AT+WOPEN; open from the start, so that a host that never sends it works."""
    _idle_due_s: float | None = None
    _listener: HostSocket | None = None

    def execute(self, call: Call) -> Steps:
        """As of every dialect; a link that is told to be lost by a service's error is not told again."""
        outcome: Outcome = yield from super().execute(call)
        if isinstance(outcome, Fail) and outcome.cause is Cause.BEARER_LOST and self.link is Link.CONNECTED:
            self._unlinked()
        return outcome

    # -- parameters (ch. 1, App. B) ----------------------------------------------------------------------------------

    def gate(self, call: Call) -> Outcome | None:
        """A closed stack answers ERROR to its commands (U38)."""
        if not self.stack_open and not call.does.startswith("stack_"):
            return Word(self.dialect.tables.lines.plain_error)
        return None

    def do_parameter(self, call: Call) -> Steps:
        """AT#NAME=value, AT#NAME?, AT#NAME=id,value, AT#NAME=id."""
        name = call.text("parameter")
        number = call.number("id", 1)
        assert call.parameter is not None
        if call.op is Op.READ:
            yield Say((self._shown(name, number),))
            return Ok(after_text=True)
        value = call.arguments["value"]
        self._may_set(call.parameter, value)
        if self._is_in_vain(call.parameter, value):
            yield Found(Finding(FindingKind.EMULATED, f"#{name}={value}", "kept here: nothing takes GSM data calls"))
        yield from self._store(name, call.parameter, number, value)
        return Ok()

    def do_parameter_entry(self, call: Call) -> Steps:
        """AT#RECnADD and AT#BODYn: text up to Ctrl-Z; ESC leaves all as it was (U40)."""
        name = call.text("parameter")
        parameter = call.parameter
        assert parameter is not None
        if self.service:
            return Fail(Cause.SETTING_BUSY, why="a service runs")
        data: bytes | None = yield Text(self.dialect.tables.numbers["text_entry_bytes"])
        if data is None:
            return Ok()
        text = data.decode("latin-1")
        limit = parameter.max_length or len(text)
        if parameter.kind == "addresses":
            entries = [entry.strip() for entry in re.split(r"[\r\n]+", text) if entry.strip()]
            entries = entries[: parameter.max_items]
            if any(len(entry) > limit or not entry.isascii() for entry in entries):
                return Fail(Cause.BAD_VALUE, why=f"each address at most {limit} characters of ASCII")
            text = ";".join(entries)
        elif len(text) > limit or not text.isascii():
            return Fail(Cause.BAD_VALUE, why=f"at most {limit} characters of ASCII")
        yield from self._store(name, parameter, 1, text)
        return Ok()

    def _may_set(self, parameter: Parameter, value: str | int) -> None:
        if self.service:
            raise Refusal(Cause.SETTING_BUSY, "a service runs")
        kept = parameter.effect == "kept" and value != parameter.default
        if (kept or self._is_in_vain(parameter, value)) and self.around.policy == "strict":
            raise Refusal(Cause.NOT_SUPPORTED, "it has no effect on the module, and the policy is strict")

    def _is_in_vain(self, parameter: Parameter, value: str | int) -> bool:
        """Whether it would have calls answered or made where nothing can."""
        return parameter.effect == "calls" and value in NEEDS_CALLS and not self.around.calls

    def _store(self, name: str, parameter: Parameter, number: int, value: str | int) -> Generator[Step, Any, None]:
        key = self._key(name, parameter, number)
        self.around.stored[key] = value
        yield Store({key: value})

    def _shown(self, name: str, number: int) -> str:
        parameter = self.dialect.tables.parameters[name]
        value = self.value(name, number)
        written = str(value) if parameter.kind in ("int", "enum", "port", "letter") else f'"{value}"'
        index = f"{number}," if parameter.indexed and self.dialect.tables.socket_ids else ""
        return f"#{name}: {index}{written}"

    # -- displays (ch. 2 to 8) ---------------------------------------------------------------------------------------

    def do_show(self, call: Call) -> Steps:
        """A display: one line a parameter; blocks are separated by an empty line (U29)."""
        command = self.dialect.tables.commands[call.name]
        lines: list[str] = []
        if len(command.shows) > 1:
            lines.append(self.dialect.tables.identity["name"])
        for block in command.shows:
            if lines:
                lines.append("")
            lines += self._block(block, call)
        yield Say(tuple(lines))
        return Ok(after_text=True)

    def _block(self, block: tuple[str, ...], call: Call) -> list[str]:
        parameters = self.dialect.tables.parameters
        ids: tuple[int, ...] = (1,)
        if any(parameters[entry].indexed for entry in block if ":" not in entry):
            # AT#VTCP=id shows one socket, AT#VTCP alone all of them (C06).
            ids = (call.number("id"),) if "id" in call.arguments else self.dialect.tables.socket_ids or (1,)
        shown = []
        for number in ids:
            for entry in block:
                name, _, own = entry.partition(":")
                shown.append(self._shown(name, int(own) if own else number))
        return shown

    def do_show_addresses(self, _call: Call) -> Steps:
        """AT#DISPLAYIP (ch. 2); 35867 when no address has been given."""
        if self.link is not Link.CONNECTED or self.addresses is None:
            return Fail(Cause.NO_BEARER)
        other = "peer_address" if self.bearer is BearerKind.GSM else "gateway_address"
        lines = [
            self.dialect.say("own_address", address=self.addresses.own),
            self.dialect.say(other, address=self.addresses.peer),
        ]
        if self.dialect.switch("address_lines") == "quoted":
            lines = [re.sub(r"^(.*): (.*)$", lambda line: f'#{line[1].upper()}: "{line[2]}"', line) for line in lines]
        yield Say(tuple(lines))
        return Ok(after_text=True)

    def do_show_version(self, _call: Call) -> Steps:
        """AT#VVERSION (ch. 8)."""
        yield Say((self.dialect.say("version", version=self.dialect.tables.identity["version"]),))
        return Ok(after_text=True)

    def do_show_state(self, _call: Call) -> Steps:
        """AT#VSTATE (ch. 8)."""
        yield Say((self.dialect.say("state", state=self.dialect.tables.states[self.link.value]),))
        return Ok(after_text=True)

    def do_erase_stored(self, _call: Call) -> Steps:
        """AT#DELFLASH (ch. 8): the defaults are back after the next reset, the values in use stay until then."""
        yield Store({}, erase=True)
        return Ok()

    # -- stack (ch. 1) -----------------------------------------------------------------------------------------------

    def do_stack_open(self, call: Call) -> Steps:
        """AT+WOPEN=1 and =0; never passed on: on a newer module it would stop the very application in use."""
        self.stack_open = bool(call.number("open"))
        if not self.stack_open and self.link is not Link.IDLE:
            yield from self._release()
        return Ok()

    def do_stack_read(self, _call: Call) -> Steps:
        """AT+WOPEN?"""
        yield Say((self.dialect.say("stack", open=int(self.stack_open)),))
        return Ok(after_text=True)

    def do_stack_test(self, _call: Call) -> Steps:
        """AT+WOPEN=?"""
        yield Say((self.dialect.say("stack_values"),))
        return Ok(after_text=True)

    # -- link (ch. 2) ------------------------------------------------------------------------------------------------

    def do_bearer_start(self, _call: Call) -> Steps:
        """AT#CONNECTIONSTART: no result of its own; the outcome comes as text when it is known."""
        if self.link in (Link.CONNECTED, Link.CHECKING, Link.DIALING):
            return Fail(Cause.ALREADY_CONNECTED)
        request = self._outgoing(gsm=self.number("GPRSMODE") == 0)
        if not (yield from self.named(request)):
            return Fail(Cause.NOT_SUPPORTED, why="#DNSSERV1 and #DNSSERV2 have no effect here, and the policy is strict")
        return (yield from self._dial(request, Background(LINK, answers=True)))

    def _dial(self, request: StartBearer, begin: Step) -> Steps:
        gsm = request.kind is BearerKind.GSM
        self.bearer = request.kind
        self.link = Link.DIALING if gsm else Link.CHECKING
        try:
            yield begin
            retries = self.number("REDIALCOUNT") if gsm else 0
            while True:
                if gsm:
                    yield Tell(self.dialect.say("dialing"))
                    yield Tell(self.dialect.say("number", number=request.number))
                result = yield Ask(request)
                if isinstance(result, Done):
                    return (yield from self._connected(result))
                assert isinstance(result, Failed)
                if retries == 0 or result.cause not in _BUSY:
                    return self._failed(result)
                retries -= 1
                yield Tell(self.dialect.error_text(result.cause))
                yield Wait(seconds=self.number("REDIALDELAY"))
        finally:
            if self.link is not Link.CONNECTED:
                self.link = Link.IDLE

    def _failed(self, result: Failed) -> Fail:
        if self.bearer is BearerKind.GSM and result.cause in (Cause.AUTHENTICATION, Cause.NO_ADDRESS):
            # ch. 2, GSM mode: every failed PPP negotiation is 37120 or 38980; 49156 and 49157 speak of GPRS.
            return Fail(Cause.LINK_NEGOTIATION, "#CONNECTIONSTART", result.original)
        if self.bearer is BearerKind.GPRS and result.cause in _CALLS:
            # Ch. 2, GPRS mode: 35866 for every session that cannot be established; these speak of a call and its PPP.
            return Fail(Cause.BEARER_FAILED, "#CONNECTIONSTART", result.original)
        return Fail(result.cause, "#CONNECTIONSTART", result.original)

    def _connected(self, result: Done) -> Steps:
        self.link = Link.CONNECTED
        self.addresses = result.value if isinstance(result.value, Addresses) else Addresses()
        self.touch(self.around.now)
        key = "gprs_activation"
        if self.bearer is BearerKind.GSM:
            yield Tell(self.dialect.say("line_rate", rate=self.dialect.tables.numbers["connect_rate"]))
            key = "ppp"
        yield Tell(self.dialect.say("address", address=self.addresses.own))
        yield Tell(self.dialect.information_text(key))
        return Ok() if self.dialect.switch("activation_result") == "yes" else Silent()

    def _outgoing(self, gsm: bool, number: str = "") -> StartBearer:
        servers = (self.text(name) for name in ("DNSSERV1", "DNSSERV2"))
        named = tuple(server for server in servers if server != ANY_ADDRESS)
        if not gsm:
            return StartBearer(
                BearerKind.GPRS,
                access_point=self.text("APNSERV"),
                user=Secret(self.text("APNUN")),
                password=Secret(self.text("APNPW")),
                context_id=self.number("GPRSCID"),
                name_servers=named,
            )
        if self.number("PPPMODE") in (0, 2, 4):
            # No PPP, or the server's part on an outgoing call: no newer module has these.
            raise Refusal(Cause.NOT_SUPPORTED, "no newer module has this #PPPMODE for a call")
        number = number or self.text("DIALN1" if self.number("DIALSELECT") == 1 else "DIALN2")
        if not number:
            raise Refusal(Cause.BAD_VALUE, "the number to dial is not set")
        return StartBearer(
            BearerKind.GSM,
            user=Secret(self.text("ISPUN")),
            password=Secret(self.text("ISPPW")),
            number=number,
            name_servers=named,
        )

    def do_bearer_stop(self, _call: Call) -> Steps:
        """AT#CONNECTIONSTOP: also breaks off a start, whose end is then not waited for (the module may take minutes)."""
        yield Cancel(CALLING_BACK)
        if self.link in (Link.CHECKING, Link.DIALING):
            yield Cancel(LINK)
            self.link = Link.DISCONNECTING
            yield Spawn(self._release(), RELEASE)
        elif self.link is not Link.IDLE:
            yield from self._release()
        return Ok()

    def _release(self) -> Steps:
        self.link = Link.DISCONNECTING
        yield Break(SERVICE, Cause.NO_BEARER)
        result = yield Ask(StopBearer())
        if self.link is Link.DISCONNECTING:
            self._unlinked()
        return Fail(result.cause) if isinstance(result, Failed) else Silent()

    def _unlinked(self) -> None:
        self.link = Link.IDLE
        self.addresses = None
        self._idle_due_s = None

    # -- inactivity (ch. 2 #PHYTIMEOUT) ------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the line has been idle for #PHYTIMEOUT."""
        return self._idle_due_s

    def touch(self, now: float) -> None:
        """Data went by: the line is not idle."""
        if self.link is Link.CONNECTED:
            self._idle_due_s = now + 60 * self.number("PHYTIMEOUT")

    def tick(self, now: float) -> tuple[Steps, str] | None:
        """End an idle communication."""
        if self._idle_due_s is None or now < self._idle_due_s:
            return None
        self._idle_due_s = None
        return self._idle(), RELEASE

    def _idle(self) -> Steps:
        self.link = Link.DISCONNECTING
        yield Break(SERVICE, Cause.BEARER_IDLE)
        yield Ask(StopBearer())
        self._unlinked()
        return Fail(Cause.BEARER_IDLE)

    # -- services in general -----------------------------------------------------------------------------------------

    def _session(self, command: str, socket: HostSocket, phase: HostPhase, peer: Endpoint | None = None) -> Steps:
        """The data phase of a socket, from Ok_Info_WaitingForData to its end; UDP: with ``peer`` alone from now on."""
        result = yield Ask(Attach(socket, peer, alone=True))
        if isinstance(result, Failed):
            yield Ask(CloseSocket(socket))
            return Fail(result.cause, command, result.original)
        yield Tell(self.dialect.information_text("waiting_for_data"))
        echo = ETX if self.dialect.switch("echo_terminator") == "yes" else b""  # U15
        end: DataEnd = yield Data(socket, phase, echo)
        yield Claim(ENDING)  # what else ends it now (its socket behind its bearer) changes nothing
        if end.reason is not EndReason.LOST:
            self.service = ENDING
        sign = ETX if phase.escaped else b""  # with #DLEMODE 0 there is no clear end (App. B, U12)
        result = yield Ask(CloseSocket(socket))
        if end.reason in (EndReason.HOST, EndReason.ESCAPE, EndReason.TERMINAL):
            yield Tell(self.dialect.information_text("socket_closed"))
            return Ok()
        if end.reason is EndReason.PEER:
            yield Raw(sign)
            if self.dialect.switch("peer_close") == "code":
                return Fail(Cause.CLOSED_BY_PEER)
            yield Tell(self.dialect.information_text("socket_closed"))
            return Ok()
        yield Raw(sign)
        # What ended the link tells it itself; the socket's own error would be one too many.
        silent = end.cause in (Cause.BEARER_IDLE, Cause.NO_BEARER)
        return Silent() if silent else Fail(end.cause)

    def _stopped(self, socket: HostSocket, interrupted: Interrupted) -> Steps:
        """A service that has no data phase yet is broken off."""
        yield Claim(ENDING)
        yield Ask(CloseSocket(socket))
        if interrupted.cause is Cause.ABORTED:
            yield Tell(self.dialect.information_text("socket_closed"))
            return Ok()
        silent = interrupted.cause in (Cause.BEARER_IDLE, Cause.NO_BEARER)
        return Silent() if silent else Fail(interrupted.cause)

    def etx_aborts(self, task: str) -> bool:
        """A socket that opens and echo requests; nothing that ends already, and no file or mail (ch. 4).

        With #DLEMODE 0 no ETX asks for an end (ch. 5): while the socket opens it is payload that comes early.
        """
        return task == SERVICE and self.service not in ("session", PLAIN)

    def abort(self) -> Steps | None:
        """A lone ETX breaks a listener off (ch. 5, U26); otherwise it is nothing."""
        return self._abort() if self.service in ("listen", "udp_listen") else None

    def _abort(self) -> Steps:
        yield Break(SERVICE, Cause.ABORTED)
        return Silent()

    # -- TCP (ch. 5) -------------------------------------------------------------------------------------------------

    def _escaped(self, number: int) -> bool:
        return self.number("DLEMODE", number) == 1

    def _tcp(self, number: int) -> str:
        return "tcp" if self._escaped(number) else PLAIN

    def _tcp_phase(self, number: int) -> HostPhase:
        escaped = self._escaped(number)
        delay_s = self.number("TCPTXDELAY", number) / 1000 if "TCPTXDELAY" in self.dialect.tables.parameters else 0.0
        gather = Gatherer(delay_s, self.dialect.tables.numbers["tcp_packet_bytes"], divided=False)
        if escaped:
            return HostPhase(escaped=True, etx=Etx.ENDS, gather=gather)
        plus = None
        if self.dialect.switch("transparent_escape") == "yes":
            plus = EscapeDetector(self.dialect.tables.numbers["guard_ms"] / 1000, self.around.now)
        return HostPhase(escaped=False, plus=plus, gather=gather)

    def do_tcp_connect(self, call: Call) -> Steps:
        """AT#OTCP: answers when the socket is open or has failed."""
        number = self._free(call)
        peer = self._peer("TCPSERV", "TCPPORT", number)
        socket = self._socket()
        self.service = self._tcp(number)
        try:
            yield Claim(SERVICE)
            result = yield Ask(ConnectTcp(socket, peer))
            if isinstance(result, Failed):
                return Fail(result.cause, call.name, result.original)
            return (yield from self._session(call.name, socket, self._tcp_phase(number)))
        except Interrupted as interrupted:
            return (yield from self._stopped(socket, interrupted))
        finally:
            self.service = ""

    def do_tcp_listen(self, call: Call) -> Steps:
        """AT#LTCPSTART: one peer, that #TCPSERV allows; it stops listening when that one has come."""
        number = self._free(call)
        port = self._port("TCPPORT", number)
        allowed = self.text("TCPSERV", number)
        if not is_dotted(allowed):
            # C09, U27: dotted, and never empty, when listening
            return Fail(Cause.BAD_VALUE, why="a listener needs an address in #TCPSERV, 255.255.255.255 for everybody")
        listener = self._socket()
        self.service, self.listening, self._listener = "listen", number, listener
        open_socket = listener
        try:
            yield Claim(SERVICE)
            yield Expect(lambda event: isinstance(event, Incoming) and event.listener == listener)
            filtered = allowed != EVERYBODY
            result = yield Ask(
                ListenTcp(listener, port, capacity=8, want_peer=filtered, allowed=allowed if filtered else "")
            )
            if isinstance(result, Failed):
                return Fail(result.cause, call.name, result.original)
            if self.dialect.switch("listen_result") == "yes":
                yield Finish(Ok(), SERVICE)
            else:
                yield Background(SERVICE)
            while True:
                incoming: Incoming = yield Wait()
                if not filtered or (incoming.peer is not None and incoming.peer.host == allowed):
                    socket = self._socket()
                    result = yield Ask(AcceptTcp(listener, incoming.connection, socket, last=True))
                    if not isinstance(result, Failed):
                        break
                else:
                    yield Ask(RefuseTcp(listener, incoming.connection))
            self.service, self.listening, open_socket = self._tcp(number), None, socket
            outcome = yield from self._session(call.name, socket, self._tcp_phase(number))
            return outcome
        except Interrupted as interrupted:
            return (yield from self._stopped(open_socket, interrupted))
        finally:
            self.service, self.listening, self._listener = "", None, None

    def do_tcp_listen_stop(self, call: Call) -> Steps:
        """AT#LTCPSTOP: OK also when nothing listened."""
        yield from self._stop_listening("listen", call.number("id", 1))
        return Ok()

    def _stop_listening(self, service: str, number: int | None) -> Generator[Step, Any, None]:
        if self.service == service and self.listening == number:
            listener = self._listener
            yield Cancel(SERVICE)
            if listener is not None:
                yield Ask(CloseSocket(listener))

    # -- UDP (ch. 6) -------------------------------------------------------------------------------------------------

    def _udp_phase(self) -> HostPhase:
        gather = Gatherer(self.number("UDPTXDELAY") / 1000, self.dialect.tables.numbers["udp_datagram_bytes"])
        return HostPhase(escaped=True, etx=Etx.ENDS, gather=gather)

    def do_udp_open(self, call: Call) -> Steps:
        """AT#OUDP: with one peer."""
        self._free(call)
        peer = self._peer("UDPSERV", "UDPPORT")
        socket = self._socket()
        self.service = "udp"
        try:
            yield Claim(SERVICE)
            result = yield Ask(OpenUdp(socket, None, peer))
            if isinstance(result, Failed):
                return Fail(result.cause, call.name, result.original)
            return (yield from self._session(call.name, socket, self._udp_phase()))
        except Interrupted as interrupted:
            return (yield from self._stopped(socket, interrupted))
        finally:
            self.service = ""

    def do_udp_listen(self, call: Call) -> Steps:
        """AT#LUDPSTART: the first datagram of an allowed peer opens the session with that peer."""
        self._free(call)
        port = self._port("UDPPORT")
        allowed = self.text("UDPSERV")
        if not allowed:
            return Fail(Cause.BAD_VALUE, why="#UDPSERV is not set")  # U27
        socket = self._socket()
        self.service, self._listener = "udp_listen", socket
        try:
            yield Claim(SERVICE)
            yield Expect(lambda event: isinstance(event, DataWaiting) and event.socket == socket)
            if not is_dotted(allowed):  # U37: a name is looked up when listening begins
                found = yield Ask(ResolveName(allowed))
                if isinstance(found, Failed) and found.cause is not Cause.NOT_SUPPORTED:  # else the module may know it
                    return Fail(found.cause, call.name, found.original)
                allowed = allowed if isinstance(found, Failed) else str(found.value)
            result = yield Ask(OpenUdp(socket, port, None, "" if allowed == EVERYBODY else allowed))
            if isinstance(result, Failed):
                return Fail(result.cause, call.name, result.original)
            if self.dialect.switch("listen_result") == "yes":
                yield Finish(Ok(), SERVICE)
            else:
                yield Background(SERVICE)
            peer: Endpoint | None = None
            while peer is None:
                waiting: DataWaiting = yield Wait()
                peer = waiting.peer
                if peer is None and allowed == EVERYBODY:  # a module that keeps to its peer, and does not tell who it is
                    break
                if peer is not None and allowed not in (EVERYBODY, peer.host):
                    result = yield Ask(FilterWaiting(socket, allowed))
                    if isinstance(result, Failed):
                        return Fail(result.cause, call.name, result.original)
                    peer = result.value
            self.service, self._listener = "udp", None
            return (yield from self._session(call.name, socket, self._udp_phase(), peer))
        except Interrupted as interrupted:
            return (yield from self._stopped(socket, interrupted))
        finally:
            self.service, self._listener = "", None

    def do_udp_listen_stop(self, _call: Call) -> Steps:
        """AT#LUDPSTOP: before the first datagram."""
        yield from self._stop_listening("udp_listen", None)
        return Ok()

    # -- ping (ch. 7) ------------------------------------------------------------------------------------------------

    def do_ping(self, call: Call) -> Steps:
        """AT#PING: a line a request, told as it comes (U28); #PINGDELAY is both the time limit and the gap."""
        self._free(call)
        host = self.text("PINGREMOTE")
        if not host:
            return Fail(Cause.BAD_VALUE, why="#PINGREMOTE is not set")
        milliseconds = 1000 * self.number("PINGDELAY")
        self.service = "ping"
        try:
            yield Claim(SERVICE)
            answer = yield Ask(Ping(host, self.number("PINGNUM"), milliseconds, milliseconds))
            while isinstance(answer, PingEcho):
                if answer.milliseconds is None:
                    yield Tell(self.dialect.say("no_answer", host=host))
                else:
                    yield Tell(self.dialect.say("alive", host=host, milliseconds=answer.milliseconds))
                answer = yield More()
            if isinstance(answer, Failed):
                return Fail(answer.cause, call.name, answer.original)
            return Ok()
        except Interrupted as interrupted:
            return Ok() if interrupted.cause is Cause.ABORTED else Fail(interrupted.cause)
        finally:
            self.service = ""

    # -- events ------------------------------------------------------------------------------------------------------

    def event(self, event: Event) -> Iterable[Step]:
        """What happened unasked: text of the module is passed on; a lost link is told as 35841 (ch. 9)."""
        if isinstance(event, ModuleText):
            return [Say(event.lines)]
        if isinstance(event, BearerLost | ModuleRestarted):
            return self._lost(event)
        if isinstance(event, BearerFound) and self.link is Link.IDLE:
            # The gateway was restarted in the middle: the host still believes in its connection, and it is there.
            self.link, self.addresses, self.bearer = Link.CONNECTED, event.addresses, event.kind
            self.touch(self.around.now)
        if isinstance(event, SocketLost) and self.service:
            return [Break(SERVICE, event.cause)]
        return []

    def _lost(self, event: BearerLost | ModuleRestarted) -> list[Step]:
        if self.link is not Link.CONNECTED:
            return []
        cause = event.cause if isinstance(event, BearerLost) else Cause.BEARER_LOST
        self._unlinked()
        if self.service not in ("", ENDING):
            return [Break(SERVICE, cause)]
        return [Tell(self.dialect.error_text(cause))]

    def restarted(self) -> None:
        """A hard reset: what was erased becomes the default."""
        self._unlinked()

    def describe(self) -> dict[str, str | int]:
        """Link and service."""
        return {"link": self.link.value, "service": self.service}

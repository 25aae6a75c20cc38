"""Stack and bearers of a WIPSoft module, with their options and what is stored of them (5.57 guide, 4.1 and 4.2)."""

from __future__ import annotations

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Cancel,
    Fail,
    Finish,
    More,
    Ok,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Store,
    Surroundings,
    Tell,
)
from gateway.dialect.quirks.wipsoft.numbers import GPRS, GSM, SOCK_MAX
from gateway.dialect.quirks.wipsoft.offline import WipsoftOffline
from gateway.dialect.quirks.wipsoft.state import Bearer, Options, Refused, text_value
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket, StartBearer, StopBearer
from gateway.model.results import Done, Failed
from gateway.model.services import Begun
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Secret

CALL = "call"
SERVES_AGAIN = "27"
"""Bearer option: a server goes on behind a call that has ended (4.2.3)."""
ADDRESS_OPTIONS = {15: "own", 16: "peer", 17: "dns1", 18: "dns2"}
"""Bearer options that are only true while the bearer is started (4.2.3)."""


class WipsoftStack(WipsoftOffline):
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
            return (yield from self._serve_caller(bearer, call))
        request = self._start_request(bearer)
        if not (yield from self.named(request)):
            return Fail(Cause.NOT_SUPPORTED)
        result = yield Ask(request)
        if isinstance(result, Failed):
            return Fail(result.cause, original=result.original)
        bearer.started = True
        bearer.addresses = result.value if isinstance(result.value, Addresses) else Addresses()
        return Ok()

    def _serve_caller(self, bearer: Bearer, call: Call) -> Steps:
        """Server mode: OK when a call is waited for, a line when one is up or was in vain (4.2.2)."""
        if bearer.bid != GSM:
            return Fail(Cause.NOT_SUPPORTED)
        request = StartBearer(
            BearerKind.GSM, user=Secret(call.text("login")), password=Secret(call.text("password")), answers=True,
            waits=True, rings=int(bearer.options.values["5"] or 0),
            caller=call.text("caller") if "caller" in call.arguments else "",
            own=str(bearer.options.values["15"] or ANY_ADDRESS), peer=str(bearer.options.values["16"] or ANY_ADDRESS),
        )  # fmt: skip
        result = yield Ask(request)
        if isinstance(result, Failed):
            return Fail(result.cause, original=result.original)
        bearer.started, bearer.serves = True, request
        yield Finish(Ok(), CALL)
        yield from self._called(bearer, result)
        return Silent()

    def _called(self, bearer: Bearer, result: object) -> Steps:
        """The line that tells what became of a call."""
        if isinstance(result, Begun):
            result = yield More()
        failed = isinstance(result, Failed)
        bearer.started = bearer.started and not failed
        addresses = result.value if isinstance(result, Done) and isinstance(result.value, Addresses) else Addresses()
        bearer.addresses = addresses
        status = self.dialect.code(result.cause, "+WIPBR") if isinstance(result, Failed) else "0"
        yield Tell(
            self.dialect.say(
                "bearer_event", bid=bearer.bid, status=status, own=addresses.own, peer=addresses.peer,
                dns1=addresses.dns1, dns2=addresses.dns2,
            )
        )  # fmt: skip
        return Silent()

    def serves_again(self, bearer: Bearer) -> list[Step]:
        """Behind a call that has ended: the next one is waited for, where the host wants that (option 27)."""
        if bearer.serves is None or not int(bearer.options.values[SERVES_AGAIN] or 0):
            return []
        return [Spawn(self._serve_again(bearer, bearer.serves), CALL)]

    def _serve_again(self, bearer: Bearer, request: StartBearer) -> Steps:
        bearer.started = True
        yield from self._called(bearer, (yield Ask(request)))
        return Silent()

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
            name_servers=tuple(str(values[one]) for one in ("17", "18") if values[one] not in ("", ANY_ADDRESS)),
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
            yield Cancel(CALL)
            for handle in [socket.handle for socket in self.table.sockets.values()]:
                yield Ask(CloseSocket(handle))
            for handle in [server.handle for server in self.table.servers.values() if server.open]:
                yield Ask(CloseSocket(handle))
            if self.table.session is not None:
                yield Ask(CloseSocket(self.table.session.handle))
            self._forget_sockets()
            yield Ask(StopBearer())
            bearer.started, bearer.serves = False, None
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

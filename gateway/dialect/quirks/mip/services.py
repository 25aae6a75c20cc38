"""Ping, names, time, TCP parameters: +MPING, +MIPDNS, +MSDNS, +MSV6DNS, +MIPNTP, +MIPCONF, +MIPKEEPCONF.

Sections 1.1.12 to 1.1.17, 1.1.21, 1.1.22.
"""

from __future__ import annotations

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Cancel,
    Fail,
    Finish,
    More,
    Ok,
    Say,
    Silent,
    Step,
    Steps,
    Store,
    Surroundings,
    Tell,
)
from gateway.dialect.nodes import Shape
from gateway.dialect.quirks.mip.base import V4, V6, MipBase, shown
from gateway.dialect.quirks.mip.state import CLOCK_SIX, ECHO_REPLY, PING_SIX, RESOLVE_BOTH, RESOLVE_SIX
from gateway.dialect.quirks.mip.tuning import KEEP_ALIVE, STACK
from gateway.model.causes import Cause
from gateway.model.requests import Ping, ResolveName
from gateway.model.results import Done, Failed, PingEcho
from gateway.model.services import GetTime
from gateway.model.values import NO_SOCKET, Endpoint, Family, is_six

DONE, EXPIRED, ABORTED = 0, 1, 2
"""Status of +MPINGSTAT (1.1.15.4)."""


class Services(MipBase):
    """See the module's text."""

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        super().__init__(dialect, around)
        self.pinging = False
        argument = dialect.tables.commands["+MPING"]
        self.ping_values = {name: int(argument.arguments[name].default or 0) for name in argument.ranges}
        self.clock_server = Endpoint("", 0)

    # -- +MPING (1.1.14, 1.1.15) ---------------------------------------------------------------------------------------

    def do_ping(self, call: Call) -> Steps:
        """AT+MPING=1, AT+MPING=2: OK, a line for each reply, a summary; one at a time."""
        family = Family.SIX if call.number("mode") == PING_SIX else Family.FOUR
        self.check(call.text("host"), family)
        if not call.text("host"):
            return Fail(Cause.BAD_COUNT)
        if self.pinging:
            return Fail(Cause.NOT_ALLOWED)
        self.ping_values = {name: call.number(name) for name in self.ping_values}
        self.pinging = True
        yield Finish(Ok(), "ping")
        values = self.ping_values
        found = yield Ask(ResolveName(call.text("host"), self.servers(self._servers_id), family))
        if isinstance(found, Failed) and found.cause is not Cause.NOT_SUPPORTED:  # else the ping itself will tell
            return (yield from self._ping_aborted())
        address = call.text("host") if isinstance(found, Failed) else str(found.value)
        family = Family.SIX if is_six(address) else Family.FOUR
        pause = self.dialect.tables.numbers["ping_pause_ms"]
        request = Ping(
            address, values["count"], pause, values["timeout"], values["size"], values["ttl"], values["tos"], family
        )
        sent = 0
        times: list[int] = []
        answer = yield Ask(request)
        while isinstance(answer, PingEcho):
            sent += 1
            if answer.milliseconds is None:
                yield Tell(self.dialect.say("ping_status", status=EXPIRED))
            else:
                times.append(answer.milliseconds)
                kind = ECHO_REPLY[family]
                peer, time_ms = self._quoted(address, "both"), answer.milliseconds
                yield Tell(self.dialect.say("ping_reply", peer=peer, type=kind, code=0, milliseconds=time_ms))
            answer = yield More()
        if isinstance(answer, Failed):
            return (yield from self._ping_aborted())
        self.pinging = False
        yield Tell(self._summary(address, sent, times))
        return Silent()

    def _summary(self, address: str, sent: int, times: list[int]) -> str:
        fields: dict[str, str | int] = {
            "status": DONE, "peer": self._quoted(address, "both", "summary"), "sent": sent, "received": len(times)
        }  # fmt: skip
        if not times:
            return self.dialect.say("ping_silent", **fields)
        return self.dialect.say("ping_summary", **fields, milliseconds=sum(times) // len(times))

    def _quoted(self, address: str, *where: str) -> str:
        address = shown(address)
        return f'"{address}"' if self.dialect.switch("ping_quotes") in where else address

    def _ping_aborted(self) -> Steps:
        self.pinging = False
        yield Tell(self.dialect.say("ping_status", status=ABORTED))
        return Silent()

    def ping_lost(self) -> list[Step]:
        """The link is gone under a ping."""
        if not self.pinging:
            return []
        self.pinging = False
        return [Cancel("ping"), Tell(self.dialect.say("ping_status", status=ABORTED))]

    def do_ping_abort(self, _call: Call) -> Steps:
        """AT+MPING=0: no summary follows; an error while none runs."""
        if not self.pinging:
            return Fail(Cause.NOT_ALLOWED)
        self.pinging = False
        yield Cancel("ping")
        return Ok()

    def do_ping_read(self, _call: Call) -> Steps:
        """AT+MPING?: the values of the last ping, or the defaults."""
        return self.answer(self.dialect.say("ping_setting", **self.ping_values))

    # -- names (1.1.16, 1.1.17, 1.1.21) --------------------------------------------------------------------------------

    @property
    def _servers_id(self) -> int:
        return self.dialect.tables.numbers["name_server_socket"]

    def do_servers_set(self, call: Call) -> Steps:
        """AT+MSDNS, AT+MSV6DNS: the id alone clears both, one server leaves the other (F44)."""
        yield from ()
        own = self.table.settings[call.number("id")].servers[call.name]
        given = [name for name in ("primary", "secondary") if name in call.arguments]
        for at, name in enumerate(("primary", "secondary")):
            if name in given or not given:
                own[at] = call.text(name)
        return Ok()

    def do_servers_read(self, call: Call) -> Steps:
        """AT+MSDNS?, AT+MSV6DNS?: seven lines."""
        key = {V4: "name_servers", V6: "name_servers6"}[call.name]
        none = str(self.dialect.argument(call.name, "primary").initial)
        lines = []
        for id, settings in self.table.settings.items():
            primary, secondary = (server or none for server in settings.servers[call.name])
            lines.append(self.dialect.say(key, id=id, primary=primary, secondary=secondary))
        return self.answer(*lines)

    def do_resolve(self, call: Call) -> Steps:
        """AT+MIPDNS: the name comes back as it was written (F50)."""
        both = (Family.FOUR, Family.SIX) if self.around.six else (Family.FOUR,)
        families = {RESOLVE_SIX: (Family.SIX,), RESOLVE_BOTH: both}.get(call.number("type"), (Family.FOUR,))
        results = []
        for family in families:
            self.check("", family)
            results.append((yield Ask(ResolveName(call.text("name"), self.servers(self._servers_id), family))))
        found = [shown(str(result.value)) for result in results if isinstance(result, Done)]
        if not found:
            return Fail(results[0].cause, original=results[0].original)
        written = call.written[0]
        name = written.written() if written.shape is Shape.STRING else call.text("name")
        if len(found) == 1:
            yield Say((self.dialect.say("resolved", name=name, address=found[0]),))
        else:
            yield Say((self.dialect.say("resolved_both", name=name, address=found[0], address6=found[1]),))
        return Ok(after_text=True)

    # -- time (1.1.22) -------------------------------------------------------------------------------------------------

    def do_clock(self, call: Call) -> Steps:
        """AT+MIPNTP: OK, then 1 when the clock is set, else 0 (F51)."""
        family = Family.SIX if call.number("type") == CLOCK_SIX else Family.FOUR
        self.check(call.text("host"), family)
        self.clock_server = Endpoint(call.text("host"), call.number("port"))
        yield Finish(Ok(), "clock")
        located = yield from self.located(self._servers_id, self.clock_server, family)
        result = located if isinstance(located, Failed) else (yield Ask(GetTime(located, family)))
        yield Tell(self.dialect.say("clock_result", result=int(not isinstance(result, Failed))))
        return Silent()

    def do_clock_read(self, _call: Call) -> Steps:
        """AT+MIPNTP?: the server that was asked last."""
        server = self.clock_server
        return self.answer(self.dialect.say("clock_server", server=server.host, port=server.port))

    # -- TCP parameters (1.1.12, 1.1.13) -------------------------------------------------------------------------------

    def do_stack_set(self, call: Call) -> Steps:
        """AT+MIPCONF: what is left out stays as it is (F37)."""
        stack = self.table.settings[call.number("id")].stack
        given = {name: call.number(name) for name in stack if name in call.arguments}
        changed = tuple(
            (tuning, given[name]) for tuning, name in STACK.items() if given.get(name, stack[name]) != stack[name]
        )
        if not (yield from self.tuned(NO_SOCKET, changed)):
            return Fail(Cause.NOT_SUPPORTED)
        stack.update(given)
        return Ok()

    def do_stack_read(self, _call: Call) -> Steps:
        """AT+MIPCONF?: six lines (F38)."""
        lines = [self.dialect.say("stack_setting", id=id, **self.table.settings[id].stack) for id in self.table.ids]
        return self.answer(*lines)

    def do_keep_alive_set(self, call: Call) -> Steps:
        """AT+MIPKEEPCONF: kept over a restart (F40)."""
        if call.number("mode"):
            wanted = tuple((tuning, call.number(name)) for tuning, name in KEEP_ALIVE.items())
            if not (yield from self.tuned(NO_SOCKET, wanted)):
                return Fail(Cause.NOT_SUPPORTED)
        values = {f"KEEPCONF.{name}": value for name, value in call.arguments.items()}
        self.around.stored.update(values)
        yield Store(values)
        return Ok()

    def do_keep_alive_read(self, _call: Call) -> Steps:
        """AT+MIPKEEPCONF?"""
        arguments = self.dialect.tables.commands["+MIPKEEPCONF"].arguments
        values = {name: self.around.stored.get(f"KEEPCONF.{name}", one.initial or 0) for name, one in arguments.items()}
        if not int(values["mode"]):
            return self.answer(self.dialect.say("keep_alive_off", mode=0))
        return self.answer(self.dialect.say("keep_alive_on", **values))

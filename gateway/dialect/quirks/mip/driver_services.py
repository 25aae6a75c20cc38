"""Ping, names and the time on a module of the MIP family (1.1.14 to 1.1.16, 1.1.21, 1.1.22).

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Await, Chores, Command, DriverSteps, Final, Part, Report, Rest
from gateway.dialect.quirks.mip.driver_sockets import SocketsDriver
from gateway.dialect.quirks.mip.state import CLOCK_SIX, ECHO_REPLY, PING_FOUR, PING_SIX, RESOLVE_SIX
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.requests import Ping, ResolveName
from gateway.model.results import Done, Failed, PingEcho
from gateway.model.services import GetTime
from gateway.model.values import Family, is_dotted, is_numeric, is_six, plain

ENDED, EXPIRED, BROKEN_OFF = 0, 1, 2
"""Status of +MPINGSTAT (1.1.15.4)."""
PINGS = frozenset({"ping_reply", "ping_other", "ping_status", "ping_summary", "ping_silent", "error"})
RESOLVED = frozenset({"resolved", "resolved_both"})
NAME_LIMIT_S = 60
"""1.1.2.1: so long the look-up of a name may take."""
CLOCK = re.compile(r'\+CCLK: *"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)(?:([+-])(\d\d))?"')
"""3GPP TS 27.007, 8.15; the zone in quarters of an hour."""


class ServicesDriver(SocketsDriver):
    """See the module's text."""

    # -- ping (1.1.14) -------------------------------------------------------------------------------------------------

    def do_ping(self, request: Ping) -> DriverSteps:
        """One command a request: the module has no interval of its own that could be set."""
        for number in range(request.count):
            if number:
                yield Rest(request.interval_ms / 1000)
            echo = yield from self._ping_once(request)
            if isinstance(echo, Failed):
                failed: Failed = yield from self._unless_gone(echo)
                return failed
            yield Report(PingEcho(number, echo))
        return Done()

    def _ping_once(self, request: Ping) -> Part:
        """Milliseconds, None when nobody answered in time, or why it failed."""
        six = request.family is Family.SIX
        try:
            text = self.dialect.write(
                "ping",
                mode=PING_SIX if six else PING_FOUR,
                host=request.target,
                count=1,
                size=request.size_bytes,
                ttl=request.ttl,
                tos=request.tos,
                timeout=request.timeout_ms,
            )
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if not answer.ok:
            plain_error = answer.final is Final.ERROR and not answer.code
            unknown = (yield from self._has_no_address(request)) if plain_error else False
            return Failed(Cause.NAME_NOT_RESOLVED, "+MPING") if unknown else self.failed(answer, "+MPING")
        limit_s = request.timeout_ms / 1000 + (10 if is_numeric(request.target) else NAME_LIMIT_S)
        echo: int | None = None
        while True:
            heard: Heard | None = yield Await(lambda one: one.key in PINGS, limit_s, aside=True)
            if heard is None:  # too late, or nobody waits any more
                yield Command(self.dialect.write("ping_abort", mode=0))
                return Failed(Cause.PING_FAILED, "no +MPINGSTAT")
            if heard.key == "error":
                return Failed(self.dialect.cause_of(heard.fields["code"]), heard.fields["code"])
            if heard.key == "ping_reply" and heard.number("type") == ECHO_REPLY[request.family]:
                echo = max(0, heard.number("milliseconds"))
            status = heard.number("status") if "status" in heard.fields else None
            if status == ENDED:
                return echo
            if status == BROKEN_OFF:
                unknown = yield from self._has_no_address(request)
                return Failed(Cause.NAME_NOT_RESOLVED if unknown else Cause.PING_FAILED, "+MPINGSTAT: 2")

    def _has_no_address(self, request: Ping) -> Part:
        """Whether it was the name."""
        if is_numeric(request.target):
            return False
        found = yield from self.do_resolve_name(ResolveName(request.target, family=request.family))
        return isinstance(found, Failed)

    # -- names (1.1.16, 1.1.21) ----------------------------------------------------------------------------------------

    def do_resolve_name(self, request: ResolveName) -> DriverSteps:
        """By other servers when they are named."""
        if request.servers:
            yield from self._set_servers(request.servers)
        try:
            kind = {"type": RESOLVE_SIX} if request.family is Family.SIX else {}
            text = self.dialect.write("resolve", name=request.name, **kind)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text, RESOLVED)
        heard = answer.heard[0] if answer.heard else None
        if answer.ok and heard is None:
            heard = yield Await(lambda one: one.key in RESOLVED or one.key == "error", "+MIPDNS")
        if request.servers:
            yield from self._set_servers(request.servers, forget=True)
        if not answer.ok:
            failed = self.failed(answer, "+MIPDNS")
            unclear = failed.cause in (Cause.INTERNAL, Cause.OPEN_FAILED, Cause.NO_MODULE) and not answer.code
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original) if unclear else failed
        found = heard.fields.get("address", "") if heard is not None else ""
        if not (is_six(found) if request.family is Family.SIX else is_dotted(found)):
            return Failed(Cause.NAME_NOT_RESOLVED, heard.key if heard else "no +MIPDNS")
        return Done(plain(found))

    def _set_servers(self, servers: Iterable[str], *, forget: bool = False) -> Chores:
        """The name servers of +MIPDNS; ``forget``: those of the network again (F44)."""
        id = self.dialect.tables.numbers["name_server_socket"]
        for does, fits in (("name_servers_set", is_dotted), ("name_servers6_set", is_six)):
            own = [server for server in servers if fits(server)]
            if own:
                named = {} if forget else dict(zip(("primary", "secondary"), own, strict=False))
                yield Command(self.dialect.write(does, id=id, **named))

    # -- time (1.1.22) -------------------------------------------------------------------------------------------------

    def do_get_time(self, request: GetTime) -> DriverSteps:
        """The module sets its clock by the server; then the clock is read."""
        server = request.server
        try:
            kind = {"type": CLOCK_SIX} if request.family is Family.SIX else {}
            text = self.dialect.write("clock", host=server.host, port=server.port, **kind)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if not answer.ok:
            failed: Failed = yield from self._unless_gone(self.failed(answer, "+MIPNTP"))
            return failed
        heard: Heard | None = yield Await(lambda one: one.key in ("clock_result", "error"), "+MIPNTP", aside=True)
        if heard is None or heard.key == "error":
            return Failed(Cause.TIMED_OUT, "no +MIPNTP")
        if heard.fields["result"] != "1":
            return Failed(Cause.SERVER_NOT_READY, "+MIPNTP: 0")
        answer = yield Command("AT+CCLK?")
        match = next((found for line in answer.lines if (found := CLOCK.search(line))), None)
        time = _universal(match) if match is not None else None
        return Done(time) if time is not None else Failed(Cause.INTERNAL, "+CCLK")


def _universal(match: re.Match[str]) -> str | None:
    """A clock's time in UTC; None when there is no such time."""
    year, month, day, hour, minute, second = (int(match[number]) for number in range(1, 7))
    quarters = int(match[8] or 0) * (-1 if match[7] == "-" else 1)
    try:
        zone = timezone(timedelta(minutes=15 * quarters))
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")

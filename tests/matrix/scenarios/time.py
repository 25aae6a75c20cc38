"""The clock, by a time server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from support.clock import CHRONY, SHOWN, Chrony, TimeServer, good, refusing, silent

from matrix.fibocom import FibocomHost
from matrix.scenario import scenario
from matrix.stage import NOBODY, SERVER, Stage

DONE, FAILED = "+MIPNTP: 1", "+MIPNTP: 0"


def _asked(stage: Stage, name: str, port: int) -> str:
    """What is told of it in the end (1.1.22)."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    host.command(f'AT+MIPNTP="{name}",{port}')
    return host.event("+MIPNTP:", limit_s=65)


@scenario("time", "mip")
def the_clock_is_set(stage: Stage, _: str) -> None:
    """It is the module's clock: whoever reads it sees the server's time. A lost datagram is no reason to give up."""
    server = stage.servers.of(TimeServer)
    server.ways = [silent, good]
    assert _asked(stage, SERVER, server.port) == DONE
    clock = stage.line.ask("AT+CCLK?").decode()
    shown = SHOWN.strftime("%y/%m/%d,%H:%M")
    assert re.match(rf'\r\n\+CCLK: "{shown}:\d\d(\+00)?"\r\n', clock), clock
    said = stage.line.ask("AT+MIPNTP?").decode()
    assert said == f'\r\n+MIPNTP: "{SERVER}",{server.port}\r\n\r\nOK\r\n', said


@scenario("time", "mip")
def no_time(stage: Stage, _: str) -> None:
    """The server is silent, or will not, or has a name that nobody has."""
    server = stage.servers.of(TimeServer)
    for way in (silent, refusing):
        server.ways = [way]
        assert _asked(stage, SERVER, server.port) == FAILED
    assert _asked(stage, NOBODY, 123) == FAILED


def the_clock_of_a_daemon(stage: Stage, _: str) -> None:
    """A server that others wrote tells this computer's own time."""
    server = stage.servers.of(Chrony)
    before = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    assert _asked(stage, SERVER, server.port) == DONE
    clock = stage.line.ask("AT+CCLK?").decode()
    match = re.match(r'\r\n\+CCLK: "(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)(\+00)?"\r\n', clock)
    assert match, clock
    told = datetime.strptime(match[1], "%y/%m/%d,%H:%M:%S")  # the module tells UTC, and no zone
    assert timedelta(seconds=-1) <= told - before <= timedelta(seconds=70), (told, before)


if CHRONY:
    scenario("time", "mip")(the_clock_of_a_daemon)

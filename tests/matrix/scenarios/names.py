"""Names that are looked up for themselves."""

from __future__ import annotations

from matrix.fibocom import FibocomHost
from matrix.host import fails
from matrix.scenario import scenario
from matrix.stage import ECHO, NAME_SERVER, NOBODY, Stage


def _refused(stage: Stage, _: str) -> None:
    assert isinstance(stage.host, FibocomHost)
    with fails(stage.host.codes["not supported"]):
        stage.host.located(ECHO)


@scenario("names", "mip", refusal=_refused)
def names_and_nobody(stage: Stage, _: str) -> None:
    assert isinstance(stage.host, FibocomHost)
    assert stage.host.located(ECHO) == "127.0.0.1"
    with fails("2002"):
        stage.host.located(NOBODY)


@scenario("names by own servers", "mip")
def names_by_own_servers(stage: Stage, _: str) -> None:
    """The host's server is asked, however the module looks names up; what is no name there is none."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    host.names_server(NAME_SERVER)
    assert host.located("meter.example") == "203.0.113.7"
    assert host.located("also.example") == "203.0.113.7"
    with fails("2002"):
        host.located("someone.example")
    host.names_server()
    assert len(stage.servers.names.asked) == 3

"""Names that are looked up for themselves."""

from __future__ import annotations

import re

from matrix.edsoft import EdsoftHost
from matrix.fibocom import FibocomHost
from matrix.host import HostProgram, fails
from matrix.scenario import scenario
from matrix.stage import ECHO, NAME_SERVER, NOBODY, Stage
from matrix.wipsoft import WipsoftHost

NONE = "0.0.0.0"
NO_EFFECT = re.compile(r'"kind": "finding", "what": "emulated", "old": "name_servers", "new": "[^"]{10,}"')
WRITTEN = {"edsoft": '#DNSSERV1=\\"{}\\"', "wipsoft": '+WIPBR=2,6,17,\\"{}\\"'}
"""As modules are told of them, where they can be; by family."""


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


def _names_server(host: HostProgram, server: str) -> None:
    if isinstance(host, EdsoftHost):
        host.names_server(server)
    else:
        assert isinstance(host, WipsoftHost)
        host.name_server = "" if server == NONE else server


@scenario("bearer", "edsoft", "wipsoft", bearer=False)
def name_servers_of_a_bearer(stage: Stage, _: str) -> None:
    """The module is told, and told when they are wanted no more; where it cannot be, the trace says so."""
    host, module = stage.host, stage.pair.dialect
    written = "" if module is None else WRITTEN.get(module.tables.family, "")
    for server in (NAME_SERVER, NONE):
        _names_server(host, server)
        before = len(stage.recorded())
        host.up()
        connection = host.connect(ECHO, stage.servers.echo.port)
        connection.exchange(b"found")
        connection.close()
        host.down()
        said = stage.recorded()[before:]
        if written:
            assert written.format(server) in said
        assert bool(NO_EFFECT.search(said)) is (server == NAME_SERVER and not written)

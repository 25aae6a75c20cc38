"""Openings that fail, each with its number."""

from __future__ import annotations

from matrix.host import fails
from matrix.scenario import scenario
from matrix.stage import ECHO, NOBODY, REFUSED, UNREACHABLE, Stage


def _fails_and_then_it_works(stage: Stage, what: str, name: str, port: int) -> None:
    host = stage.host
    with fails(host.codes[what]):
        host.connect(name, port)
    connection = host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(b"better")
    connection.close()


@scenario("TCP client")
def nobody_listens(stage: Stage, _: str) -> None:
    _fails_and_then_it_works(stage, "refused", REFUSED, stage.servers.refused_port)


@scenario("TCP client")
def a_name_that_nobody_has(stage: Stage, _: str) -> None:
    _fails_and_then_it_works(stage, "unknown name", NOBODY, 80)


@scenario("TCP client")
def a_network_that_is_not_there(stage: Stage, _: str) -> None:
    _fails_and_then_it_works(stage, "unreachable", UNREACHABLE, 80)

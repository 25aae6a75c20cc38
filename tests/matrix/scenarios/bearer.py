"""Up, down, and what is said when it is so already."""

from __future__ import annotations

from matrix.host import fails
from matrix.scenario import scenario
from matrix.stage import ECHO, Stage


@scenario("bearer", bearer=False)
def without_a_bearer(stage: Stage, _: str) -> None:
    stage.host.works_without_bearer()


@scenario("bearer", bearer=False)
def up_twice_and_down(stage: Stage, _: str) -> None:
    host = stage.host
    for _time in range(2):
        host.up()
        host.goes_up_twice()
        host.down()


@scenario("TCP client", bearer=False)
def the_example_of_the_manual(stage: Stage, _: str) -> None:
    stage.host.example(ECHO, stage.servers.echo.port)


def _no_telephone(stage: Stage, _: str) -> None:
    with fails(stage.host.codes["not supported"]):
        stage.host.up("gsm")
    stage.host.gives_up()


@scenario("GSM data call", bearer=False, refusal=_no_telephone)
def a_call(stage: Stage, _: str) -> None:
    host = stage.host
    host.up("gsm")
    connection = host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(b"over the telephone")
    connection.close()
    host.down()

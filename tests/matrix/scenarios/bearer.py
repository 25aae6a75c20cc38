"""Up, down, and what is said when it is so already."""

from __future__ import annotations

from matrix.edsoft import EdsoftHost
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


def _nobody_is_answered(stage: Stage, _: str) -> None:
    with fails(stage.host.codes["not supported"]):
        stage.host.command("AT#ACCEPT")


@scenario("GSM data call in", "edsoft", bearer=False, refusal=_nobody_is_answered)
def a_call_comes_in(stage: Stage, _: str) -> None:
    """SEMANTICS 8: it rings, the host accepts it, and IP is up with the caller as the PPP client."""
    host = stage.host
    assert isinstance(host, EdsoftHost)
    stage.line.say(b"AT+CLIP=1\r")
    assert stage.line.until(b"RING\r\n") == b"\r\nOK\r\n\r\nRING\r\n"
    host.accepts()
    connection = host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(b"who calls there?")
    connection.close()
    host.down()

"""Up, down, and what is said when it is so already."""

from __future__ import annotations

from matrix.edsoft import EdsoftHost
from matrix.host import CALLER, OK, Failure, fails
from matrix.pair import NATIVE
from matrix.scenario import scenario
from matrix.stage import ECHO, RINGS_AT, Stage


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


def _somebody_calls(stage: Stage) -> None:
    stage.host.command("AT+CLIP=1")
    stage.line.say(f'AT{RINGS_AT}="GSM"\r'.encode())


def _nobody_is_answered(stage: Stage, _: str) -> None:
    host = stage.host
    with fails(host.codes["not supported"]):
        host.serves_callers()
        if isinstance(host, EdsoftHost):
            host.command("AT#ACCEPT")
    host.gives_up()


@scenario("GSM data call in", bearer=False, refusal=_nobody_is_answered)
def a_call_comes_in(stage: Stage, _: str) -> None:
    """SEMANTICS 8: it rings, it is answered, and IP is up with the caller as the PPP client."""
    host = stage.host
    host.serves_callers()
    _somebody_calls(stage)
    host.takes_call()
    connection = host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(b"who calls there?")
    connection.close()
    host.down()


def _answer_by_itself(stage: Stage, mode: int) -> None:
    stage.host.command(f'AT#ANSWERMODE={mode};#RINGCOUNT={mode};#CALLSCREENNUM="{CALLER}"')


def _nothing_by_itself(stage: Stage, _: str) -> None:
    _answer_by_itself(stage, 1)
    if stage.pair.module != NATIVE:  # a telephone rings, and no call of its can be answered
        _somebody_calls(stage)
        with fails(stage.host.codes["not supported"]):
            raise Failure(stage.line.until(b"#CME ERROR: ") and stage.line.until(b"\r\n").decode().strip())
        assert stage.line.ask("ATH").endswith(OK)  # else it rings on in the scenarios behind
    _answer_by_itself(stage, 0)


@scenario("GSM data call in", "edsoft", bearer=False, refusal=_nothing_by_itself)
def a_call_is_answered_by_itself(stage: Stage, _: str) -> None:
    """S000333 ch. 2 #ANSWERMODE: from one number, behind a ring, without a word of the host's."""
    host = stage.host
    assert isinstance(host, EdsoftHost)
    host.serves_callers()
    _answer_by_itself(stage, 1)
    _somebody_calls(stage)
    host.is_answered()
    connection = host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(b"nobody said a word")
    connection.close()
    host.down()
    _answer_by_itself(stage, 0)

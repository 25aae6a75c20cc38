"""Names that are looked up for themselves."""

from __future__ import annotations

from matrix.fibocom import FibocomHost
from matrix.host import fails
from matrix.scenario import scenario
from matrix.stage import ECHO, NOBODY, Stage


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

"""Echo requests: answered, lost, to a name that nobody has."""

from __future__ import annotations

import asyncio

from gateway.native import icmp
from matrix.host import fails
from matrix.pair import NATIVE
from matrix.scenario import scenario
from matrix.stage import LOST_PING, NOBODY, UNREACHABLE, Stage


@scenario("ping")
def replies_and_losses(stage: Stage, _: str) -> None:
    """Where the system allows no echo requests each one times out."""
    able = asyncio.run(icmp.echo("127.0.0.1", 1, 1.0, 32, 64)) is not None
    if stage.pair.module == NATIVE:
        assert stage.host.ping("127.0.0.1", 2) == [able, able]
        assert stage.host.ping(UNREACHABLE, 1) == [False]
    else:
        assert stage.host.ping("127.0.0.1", 3) == [able and number != LOST_PING for number in range(3)]


@scenario("ping")
def a_ping_to_nobody(stage: Stage, _: str) -> None:
    with fails(stage.host.codes["unknown name in a ping"]):
        stage.host.ping(NOBODY, 1)

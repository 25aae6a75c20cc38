"""Payload of TCP clients, in each way that a host has to move it."""

from __future__ import annotations

import random
import re

from support.rig import read_exactly

from matrix.host import GUARD_S
from matrix.pair import NATIVE
from matrix.scenario import scenario
from matrix.stage import ECHO, HOLD, HOLD_PORT, Stage

EVERY = bytes(range(256))
MUCH_BYTES = 1 << 20
CHOICE = re.compile(r'"kind": "module_phase", "what": "[^"]+", "reason": "[^"]{10,}"')
"""SEMANTICS 6.4: the choice and its reason stand in the trace."""
LOOK_ALIKES = (
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\nNO CARRIER\r\n",
    b"\r\nSHUTDOWN\r\n",
    b"\r\nCONNECT\r\n",
    b"\r\n+WIPPEERCLOSE: 2,1\r\n",
    b"\r\n+CME ERROR: 843\r\n",
    b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n",
    b"\r\n#CME ERROR: 37966\r\n",
    b"\r\n+MIPSTAT: 1,1\r\n",
    b"\r\n+MIPRTCP: 1,0,31\r\n",
    b"\r\n> ",
)
"""What a peer may say as well as a module."""


def noise(size: int) -> bytes:
    """All byte values in order, then others, the same at every run."""
    return (EVERY + random.Random(size).randbytes(size))[:size]


@scenario("TCP client", each_form=True)
def every_byte(stage: Stage, form: str) -> None:
    """DESIGN: all 256 byte values survive every pair of phases."""
    connection = stage.host.connect(ECHO, stage.servers.echo.port, form)
    connection.careless(EVERY)
    connection.expect(EVERY)
    connection.exchange(noise(5000))
    connection.close()
    if stage.pair.module != NATIVE:
        assert CHOICE.search(stage.recorded()), "the trace does not say how the module moves it, and why"


@scenario("TCP client", each_form=True)
def words_that_look_like_a_modules(stage: Stage, form: str) -> None:
    """Received data is never parsed, and the connection goes on."""
    connection = stage.host.connect(HOLD, HOLD_PORT, form)
    peer = stage.servers.hold.arrived()
    for words in LOOK_ALIKES:
        peer.sendall(words)
        connection.expect(words)
    connection.send(b"still here")
    assert read_exactly(peer, 10) == b"still here"
    connection.close()


@scenario("TCP client", each_form=True)
def plus_signs_in_the_payload(stage: Stage, form: str) -> None:
    """Without their silence they are nobody's escape; in it only where the host's phase has one."""
    connection = stage.host.connect(ECHO, stage.servers.echo.port, form)
    connection.exchange(b"begun+++")
    connection.exchange(b"+++++a+++b")
    if not connection.escapable:
        assert stage.line.silent_for(GUARD_S) == b""
        connection.exchange(b"+++")
        assert stage.line.silent_for(GUARD_S) == b""
        connection.exchange(b"and on")
    connection.close()


@scenario("TCP client")
def much_both_ways(stage: Stage, _: str) -> None:
    connection = stage.host.connect(ECHO, stage.servers.echo.port)
    connection.exchange(noise(MUCH_BYTES))
    connection.close()

"""Messages that a host lists: a line of one can read like a result (3GPP TS 27.005, 3.4; V.250, 5.7.1)."""

from __future__ import annotations

import pytest
from support.cuts import bytewise
from support.sim import SimBridge

HEAD = '+CMGL: 1,"REC READ","+41791234567",,"26/01/01,12:00:00+04"'
AGAIN = HEAD.replace("1,", "2,", 1)


@pytest.fixture(params=["edsoft-3.02", "wipsoft-2.01", "wipsoft-5.57", "fibocom-l610"])
def sim(request: pytest.FixtureRequest) -> SimBridge:
    made = SimBridge("wipsoft-5.57", request.param)
    made.start()
    made.host(b"ATE0\r")
    made.host_reads()
    return made


def lists(sim: SimBridge, *answer: str, command: str = "AT+CMGL") -> None:
    """The host asks, the module answers byte by byte; ``\\n`` is CR LF."""
    sim.host(command.encode() + b"\r")
    sim.module_reads()
    for part in answer:
        for byte in bytewise(part.replace("\n", "\r\n").encode()):
            sim.module(byte)


@pytest.mark.parametrize(
    "text", ["OK", "OK\nOK", "a\nOK\nb", "ERROR", "+CMS ERROR: 500", "RING", "a\n+CMTI: this is text", "\n\nOK\nx"]
)
def test_any_line_may_stand_in_one(sim: SimBridge, text: str) -> None:
    lists(sim, f"\n{HEAD}\n{text}\n{AGAIN}\n{text}\n\nOK\n")
    sim.wait(0.2)
    heard = sim.host_reads().decode().replace("\r\n", "\n")
    assert [line for line in heard.split("\n") if line] == [
        line for line in f"{HEAD}\n{text}\n{AGAIN}\n{text}\nOK".split("\n") if line
    ]
    assert heard.endswith("\n\nOK\n")


def test_a_pause_behind_such_a_line(sim: SimBridge) -> None:
    """The next message is read from a slow card."""
    lists(sim, f"\n{HEAD}\nOK\n")
    sim.wait(1.5)
    assert sim.host_reads() == b""
    lists_more = f"{AGAIN}\nbye\n\nOK\n".replace("\n", "\r\n").encode()
    sim.module(lists_more)
    sim.wait(0.2)
    assert sim.host_reads().endswith(b"\r\nOK\r\n" + AGAIN.encode() + b"\r\nbye\r\n\r\nOK\r\n")


def test_a_module_that_is_careless_with_line_ends(sim: SimBridge) -> None:
    lists(sim, f"\n{HEAD}\nhello\nOK\n")
    sim.wait(2.1)
    assert sim.host_reads().endswith(b"\r\nhello\r\n\r\nOK\r\n")


def test_none_and_one_that_is_not_there(sim: SimBridge) -> None:
    lists(sim, "\nOK\n")
    assert sim.host_reads() == b"\r\nOK\r\n"
    lists(sim, "\n+CMS ERROR: 321\n", command="AT+CMGR=9")
    assert b"ERROR" in sim.host_reads()


def test_what_comes_unasked_behind_the_result(sim: SimBridge) -> None:
    lists(sim, f"\n{HEAD}\nhello\n\nOK\n", '\n+CMTI: "SM",3\n')
    assert sim.host_reads().endswith(b'\r\nhello\r\n\r\nOK\r\n\r\n+CMTI: "SM",3\r\n')


def test_the_next_command_is_answered(sim: SimBridge) -> None:
    lists(sim, f"\n{HEAD}\nhello\n\nOK\n")
    sim.host(b"AT+CSQ\r")
    sim.wait(0.2)
    assert sim.host_reads().endswith(b"\r\nhello\r\n\r\nOK\r\n")
    assert sim.module_hears() == b"AT+CSQ"

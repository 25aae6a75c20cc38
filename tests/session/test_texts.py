"""Messages that a host lists: a line of one can read like a result (3GPP TS 27.005, 3.4; V.250, 5.7.1)."""

from __future__ import annotations

import pytest
from support.cuts import bytewise
from support.sim import SimBridge

from gateway.session.sorting import ANSWER_LIMIT_LINES

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


LINES = ["OK", "OK\nOK", "a\nOK\nb", "ERROR", "+CMS ERROR: 500", "RING", "a\n+CMTI: this is text", "\n\nOK\nx"]
EMPTY = ["one\n\nthree", "one\n\n\n\nfive", "\n\nthree", "ends\n", "ends\n\n\n", "a\n\nOK\nb", "a\n\nAT+CMGL\nb"]


@pytest.mark.parametrize("text", [*LINES, *EMPTY])
def test_any_line_may_stand_in_one(sim: SimBridge, text: str) -> None:
    lists(sim, f"\n{HEAD}\n{text}\n{AGAIN}\n{text}\n\nOK\n")
    sim.wait(0.2)
    heard = sim.host_reads().decode().replace("\r\n", "\n")
    assert heard == f"\n{HEAD}\n{text}\n{AGAIN}\n{text}\n\nOK\n"


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


def test_one_message_with_an_empty_line(sim: SimBridge) -> None:
    head = '+CMGR: "REC READ","+41791234567"'
    lists(sim, f"\n{head}\none\n\nthree\n\nOK\n", command="AT+CMGR=1")
    sim.wait(0.2)
    assert sim.host_reads() == f"\n{head}\none\n\nthree\n\nOK\n".replace("\n", "\r\n").encode()


def test_what_comes_unasked_between_two_messages(sim: SimBridge) -> None:
    """The empty line before it is the end of the first message; the one that is its own is not."""
    lists(sim, f'\n{HEAD}\nends\n\n\n+CMTI: "SM",3\n{AGAIN}\nbye\n\nOK\n')
    sim.wait(0.2)
    told = f'\n{HEAD}\nends\n\n{AGAIN}\nbye\n\nOK\n\n+CMTI: "SM",3\n'
    assert sim.host_reads() == told.replace("\n", "\r\n").encode()


def test_an_operators_text_of_two_lines_while_messages_are_listed(sim: SimBridge) -> None:
    lists(sim, f'\n{HEAD}\nhello\n\n+CUSD: 1,"Balance\n\nOK",15\n{AGAIN}\nbye\n\nOK\n')
    sim.wait(0.2)
    told = f'\n{HEAD}\nhello\n{AGAIN}\nbye\n\nOK\n\n+CUSD: 1,"Balance\n\nOK",15\n'
    assert sim.host_reads() == told.replace("\n", "\r\n").encode()


def test_an_operators_text_before_the_result(sim: SimBridge) -> None:
    """Some modules answer with it."""
    text = '+CUSD: 0,"Balance:\n\n\nOK\n3.20",15'
    lists(sim, f"\n{text}\n\nOK\n", command='AT+CUSD=1,"*100#",15')
    sim.wait(0.2)
    assert sim.host_reads() == f"\n{text}\n\nOK\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize("text", ["", "one\n\nthree", "\n\nthree"])
def test_a_message_that_is_told_unasked(sim: SimBridge, text: str) -> None:
    said = f'\n+CMT: "+491711",,"26/01/01"\n{text}\n\nRING\n'.replace("\n", "\r\n").encode()
    for byte in bytewise(said):
        sim.module(byte)
    assert sim.host_reads() == said


def test_an_empty_message_that_is_told_unasked(sim: SimBridge) -> None:
    """Behind it comes nothing, or what is not of it: the answer to a command too."""
    said = b'\r\n+CMT: "+491711",,"26/01/01"\r\n\r\n'
    sim.module(said)
    sim.wait(2.5)
    assert sim.host_reads() == said
    sim.host(b"AT+CSQ\r")
    sim.module(said + b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n")
    assert sim.host_reads() == b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n" + said


@pytest.mark.parametrize("begun", ['+CMT: "+491711",,"26/01/01"', '+CUSD: 1,"Balance'])
def test_a_text_that_comes_in_pieces(sim: SimBridge, begun: str) -> None:
    sim.module(f"\r\n{begun}\r\n".encode())
    sim.wait(1.5)
    sim.module(b"the rest")
    sim.wait(3)
    assert sim.host_reads() == b""
    sim.module(b'"\r\n')
    assert sim.host_reads() == f'\r\n{begun}\r\nthe rest"\r\n'.encode()


def test_a_quote_that_is_not_closed(sim: SimBridge) -> None:
    sim.module(b'\r\n+CUSD: 1,"Balance\r\n')
    sim.wait(2.5)
    assert sim.host_reads() == b'\r\n+CUSD: 1,"Balance\r\n'
    sim.module(b"\r\nRING\r\n")
    assert sim.host_reads() == b"\r\nRING\r\n"


def test_empty_lines_do_not_grow_without_bound(sim: SimBridge) -> None:
    lists(sim, f"\n{HEAD}\na\n")
    sim.module(b"\r\n" * 1_000_000 + b"b\r\n\r\nOK\r\n")
    sim.wait(0.2)
    assert len(sim.host_reads()) < 3 * ANSWER_LIMIT_LINES
    sim.module(b'\r\n+CUSD: 1,"a\r\n' + b"\r\n" * 1_000_000 + b'b"\r\n')
    assert 0 < len(sim.host_reads()) < 1000


def test_the_next_command_is_answered(sim: SimBridge) -> None:
    lists(sim, f"\n{HEAD}\nhello\n\nOK\n")
    sim.host(b"AT+CSQ\r")
    sim.wait(0.2)
    assert sim.host_reads().endswith(b"\r\nhello\r\n\r\nOK\r\n")
    assert sim.module_hears() == b"AT+CSQ"


def test_texts_among_the_noise_of_a_module_that_is_brought_back() -> None:
    """The rest of a data mode of its earlier life is nobody's, and what it says of itself is told all the same."""
    sim = SimBridge()
    sim.tick()
    sim.module(b"\x80\x01\r\nx\r\n0>2\r\n+CREG: 1\r\nRING\r\n")
    sim.start()
    assert sim.host_reads() == b"\r\n+CREG: 1\r\n\r\nRING\r\n"
    sim.module(b"\r\nCall Ready\r\n")
    assert sim.host_reads() == b"\r\nCall Ready\r\n"

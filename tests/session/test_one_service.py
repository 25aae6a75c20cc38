"""A module with one service at a time (S000333): what waits, what is refused, and nothing that is said harms."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.sim import SimBridge

OK = b"\r\nOK\r\n"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK
MODULE = "edsoft-3.02"


def answer_all(sim: SimBridge, last: bytes = OK) -> bytes:
    """The module says OK to parameters, and ``last`` to the first other command, which is given back."""
    while (asked := sim.module_hears()) is not None:
        if b"=" not in asked or asked.endswith((b"#OTCP=1", b"#LTCPSTART=1")):
            sim.module(last)
            return asked
        sim.module(OK)
    raise AssertionError("the module was asked nothing")


def opened(sim: SimBridge) -> None:
    """An eDSoft host has a socket open."""
    sim.host(b'AT#TCPSERV=1,"10.9.8.7";#TCPPORT=1,80;#OTCP=1\r')
    assert answer_all(sim, WAITING) == b"AT#OTCP=1"
    assert sim.host_reads() == WAITING


def up(host: str = "edsoft-3.02") -> SimBridge:
    sim = SimBridge(host, MODULE)
    sim.start(connected=True)
    sim.host(b"ATE0\r")
    sim.host_reads()
    return sim


def wipsoft() -> SimBridge:
    """A WIPSoft host with a socket open that it does not read."""
    sim = up("wipsoft-5.57")
    sim.host(b"AT+CMEE=1;+WIPCFG=1;+WIPBR=1,6;+WIPBR=4,6,0\r")
    assert answer_all(sim, b"\r\n10.0.0.1\r\n\r\nOk_Info_GprsActivation\r\n" + OK) == b"AT#CONNECTIONSTART"
    assert answer_all(sim) == b"AT#DISPLAYIP"
    assert sim.host_reads() == OK
    sim.host(b'AT+WIPCREATE=2,1,"10.9.8.7",80\r')
    assert answer_all(sim, WAITING) == b"AT#OTCP=1"
    assert sim.host_reads() == OK + b"\r\n+WIPREADY: 2,1\r\n"
    return sim


@pytest.mark.parametrize("cut", [None, 1, 26, 27, 40])
def test_a_connection_that_ends_as_it_opens(cut: int | None) -> None:
    """The end stands behind the word that it is open, before the host's side has taken it."""
    sim = up()
    sim.host(b'AT#TCPSERV=1,"10.9.8.7";#TCPPORT=1,80;#OTCP=1\r')
    said = WAITING + b"\x03" + CLOSED
    assert answer_all(sim, said[:cut]) == b"AT#OTCP=1"
    sim.module(said[len(said[:cut]) :])
    while sim.module_hears() is not None:
        sim.module(OK)
    sim.wait(0.5)
    assert sim.host_reads() == WAITING + b"\x03" + CLOSED
    sim.host(b"AT\r")
    assert sim.host_reads() == OK


class TestKept:
    """A socket that nobody reads keeps the module in data mode."""

    def test_the_line_is_held(self) -> None:
        sim = wipsoft()
        sim.module(b"x" * 20_000)
        assert sim.host_reads() == b"\r\n+WIPDATA: 2,1,20000\r\n"
        assert sim.bridge.holds_module
        sim.host(b"AT+WIPDATA=2,1,1\r")
        assert sim.host_reads() == b"\r\nCONNECT\r\n" + b"x" * 20_000
        assert not sim.bridge.holds_module

    def test_closed_without_reading(self) -> None:
        sim = wipsoft()
        sim.module(b"x" * 20_000)
        sim.host_reads()
        sim.host(b"AT+WIPCLOSE=2,1\r")
        assert not sim.bridge.holds_module
        assert sim.module_reads() == b"\x03"
        sim.module(b"y" * 100 + CLOSED)
        sim.wait(0.1)
        assert sim.host_reads() == OK
        sim.host(b'AT+WIPCREATE=2,2,"10.9.8.7",80\r')
        assert answer_all(sim, WAITING + b"z") == b"AT#OTCP=1"
        sim.host(b"AT+WIPDATA=2,2,1\r")
        assert sim.host_reads().endswith(b"\r\nCONNECT\r\nz")

    def test_an_unread_end(self) -> None:
        sim = wipsoft()
        sim.module(b"last\x03" + CLOSED)
        assert answer_all(sim) == b"AT"
        assert sim.host_reads() == b"\r\n+WIPDATA: 2,1,4\r\n"
        sim.host(b"AT+CSQ\r")  # the module is in command mode again
        assert answer_all(sim) == b"AT+CSQ"
        sim.host_reads()
        sim.host(b"AT+WIPDATA=2,1,1\r")
        assert sim.host_reads() == b"\r\nCONNECT\r\nlast\r\nSHUTDOWN\r\n"

    def test_an_end_of_an_empty_socket_is_told_at_once(self) -> None:
        sim = wipsoft()
        sim.module(b"\x03" + CLOSED)
        assert answer_all(sim) == b"AT"
        assert sim.host_reads() == b"\r\n+WIPPEERCLOSE: 2,1\r\n"


class TestEnd:
    """The sign that ends a data mode, and what may come instead of its answer."""

    def test_a_module_that_does_not_confirm(self) -> None:
        sim = up()
        opened(sim)
        sim.host(b"\x03")
        assert sim.module_reads() == b"\x03"
        sim.wait(10.0)
        assert sim.module_reads() == b"\r"
        sim.wait(0.2)
        assert answer_all(sim) == b"AT"
        assert sim.host_reads() == CLOSED

    def test_both_ends_at_once(self) -> None:
        sim = up()
        opened(sim)
        sim.host(b"\x03")
        sim.module(b"late\x03" + CLOSED + b"\r\nOk_Info_SocketClosed\r\n")
        sim.wait(1.0)
        assert sim.host_reads() == b"late" + CLOSED
        sim.host(b"AT+CSQ\r")
        assert sim.module_reads() == b"\x03AT+CSQ\r"

    def test_the_session_ends_in_a_data_mode(self) -> None:
        sim = up()
        opened(sim)
        sim.bridge.finish(sim.now)
        sim.tick()
        assert sim.module_reads() == b"\x03"
        sim.module(CLOSED)
        sim.wait(0.1)
        assert sim.bridge.finished


class TestListening:
    """The data mode opens by itself (ch. 5 #LTCPSTART)."""

    def listening(self) -> SimBridge:
        sim = up()
        sim.host(b'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,23;#LTCPSTART=1\r')
        assert answer_all(sim) == b"AT#LTCPSTART=1"
        assert sim.host_reads() == OK
        return sim

    def test_in_the_middle_of_a_command(self) -> None:
        sim = self.listening()
        sim.host(b"AT+CSQ\r")
        assert sim.module_reads() == b"AT+CSQ\r"
        sim.module(WAITING + b"hello")
        assert sim.host_reads() == b"\r\nERROR\r\n" + WAITING + b"hello"

    def test_a_peer_that_is_there_before_the_ok(self) -> None:
        sim = up()
        sim.host(b'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,23;#LTCPSTART=1\r')
        assert answer_all(sim, WAITING + b"hello") == b"AT#LTCPSTART=1"
        assert sim.host_reads() == OK + WAITING + b"hello"

    def test_a_peer_that_is_gone_before_it_is_taken(self) -> None:
        sim = self.listening()
        sim.module(WAITING + b"hello\x03" + CLOSED)
        assert answer_all(sim) == b"AT"
        assert sim.host_reads() == WAITING + b"hello\x03" + CLOSED

    def test_it_fails_later(self) -> None:
        sim = self.listening()
        sim.module(b"\r\n#CME ERROR: 38016\r\n")
        assert sim.host_reads() == b"\r\n#CME ERROR: 38016\r\n"
        sim.host(b"AT#LTCPSTART=1\r")
        assert answer_all(sim) == b"AT#LTCPSTART=1"


def test_a_module_in_a_data_mode_of_an_earlier_life_is_brought_back_by_the_sign_that_ends_it() -> None:
    sim = SimBridge("edsoft-3.02", MODULE)
    sim.tick()
    assert sim.module_reads() == b"AT\r"
    sim.wait(1.1)
    assert sim.module_reads() == b"\x03"
    sim.module(CLOSED)
    sim.wait(2.0)
    assert sim.module_reads().startswith(b"\r")


_HOST = [
    b"AT#CONNECTIONSTART\r", b"AT#CONNECTIONSTOP\r", b"AT#OTCP=1\r", b"AT#LTCPSTART=1\r", b"AT#LTCPSTOP=1\r",
    b"AT#OUDP\r", b"AT#LUDPSTART\r", b"AT#PING\r", b"AT+CSQ\r", b"\x03", b"payload", b"AT#VSTATE\r",
]  # fmt: skip
_WIPSOFT = [
    b"AT+WIPBR=4,6,0\r", b"AT+WIPBR=5,6\r", b'AT+WIPCREATE=2,1,"10.9.8.7",80\r', b"AT+WIPCREATE=3,1,80,5,8\r",
    b"AT+WIPCREATE=1,1,80\r", b'AT+WIPCREATE=1,2,"10.9.8.7",80\r', b"AT+WIPDATA=2,1,1\r", b"AT+WIPDATA=2,5,1\r",
    b"AT+WIPDATA=1,1,1\r", b"AT+WIPCLOSE=2,1\r", b"AT+WIPCLOSE=2,5\r", b"AT+WIPCLOSE=3,1\r", b"AT+WIPCLOSE=1,1\r",
    b"AT+CSQ\r", b"\x03", b"+++", b"payload",
]  # fmt: skip
_MODULE = [
    OK, WAITING, CLOSED, b"\x03", b"\x03" + CLOSED, b"\x03\r\n#CME ERROR: 37952\r\n", b"\r\n#CME ERROR: 35841\r\n",
    b"x\x10", b"\r\n#CME ERROR : 38016\r\n", b"\r\n+WIND: 13\r\n", b"\r\n10.0.0.1\r\n\r\nOk_Info_GprsActivation\r\n",
    b"\r\nTIMEOUT\r\n", b'\r\n#STATE: "CONNECTED"\r\n' + OK, b'\r\n#STATE: "IDLE"\r\n', b"\r\n#NO SERVICE\r\n",
    b'\r\nNO answer from "x"\r\n' + OK, b"\r\n+CREG: 1\r\n",
]  # fmt: skip
_STEP = st.one_of(
    st.tuples(st.just("host"), st.integers(0, 100)),
    st.tuples(st.just("module"), st.sampled_from(_MODULE)),
    st.tuples(st.just("module"), st.binary(max_size=20)),
    st.tuples(st.just("ok"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.4, 3.0, 12.0, 80.0])),
)


def calm(sim: SimBridge) -> None:
    """The module answers as it should; its data mode ends when it is told to."""
    for _ in range(60):
        while sim.to_module:
            heard, sim.to_module = sim.to_module, b""
            for line in heard.split(b"\r")[:-1]:
                if line.startswith(b"AT#CONNECTIONSTART"):
                    sim.module(b"\r\n#CME ERROR: 35866\r\n")
                elif line.startswith((b"AT#OTCP", b"AT#OUDP")):
                    sim.module(b"\r\n#CME ERROR: 35867\r\n")
                else:
                    sim.module(b'\r\n#STATE: "IDLE"\r\n' + OK if line.endswith(b"#VSTATE") else OK)
            if heard.endswith(b"\x03"):
                sim.module(CLOSED)
        sim.wait(1.0)


@settings(max_examples=150)
@given(st.lists(_STEP, max_size=25), st.booleans(), st.sampled_from(["edsoft-3.02", "wipsoft-5.57"]))
@example(
    [("host", 2), ("ok", 0), ("ok", 0), ("ok", 0), ("module", WAITING), ("module", b"\r\n+WIND: 13\r\n")],
    True,
    "edsoft-3.02",
)
def test_nothing_that_is_said_harms(steps: list[tuple[str, object]], connected: bool, host: str) -> None:
    sim = SimBridge(host, MODULE)
    sim.start(connected=connected)
    if host.startswith("edsoft"):
        says = _HOST
        sim.host(b'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,80;#UDPSERV="10.9.8.7";#UDPPORT=81;#PINGREMOTE="x"\r')
    else:
        says = _WIPSOFT
        sim.host(b"AT+WIPCFG=1;+WIPBR=1,6\r")
    for what, value in steps:
        if what == "host":
            assert isinstance(value, int)
            sim.host(says[value % len(says)])
        elif what == "module":
            assert isinstance(value, bytes)
            sim.module(value)
        elif what == "wait":
            assert isinstance(value, float)
            sim.wait(value)
        else:
            sim.module_hears()
            sim.module(OK)
    sim.wait(130.0)
    for _ in range(3):
        calm(sim)
        sim.wait(1.2)
        sim.host(b"+++" if says is _WIPSOFT else b"\x03")
        sim.wait(15.0)
        calm(sim)
    sim.host(b"\r")
    sim.host_reads()
    sim.host(b"ATE0V1Q0\r")
    sim.wait(0.1)
    sim.host_reads()
    sim.host(b"AT+CSQ\r")
    calm(sim)
    said = sim.host_reads()
    assert said.endswith((OK, b"ERROR\r\n")), said
    assert sim.bridge.module.state.value == "ready"

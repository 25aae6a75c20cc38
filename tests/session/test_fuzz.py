"""Any bytes from both sides, at any time: effects, never an exception, and the next good command works."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fake import SimModule
from support.sim import SimBridge

from gateway.dialect import registry
from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Incoming, PeerClosed, Received, SocketLost
from gateway.model.values import Endpoint

EDSOFT = registry.load("edsoft-3.02")

_VALUES = st.sampled_from(
    [
        "",
        "?",
        "=?",
        "=",
        "=1",
        "=2",
        "=1,1",
        "=2,80",
        '=1,"10.9.8.7"',
        '="x"',
        "=99999",
        '="',
        "=,",
        "=-1",
        '=1,"a",2',
        "=x",
    ]
)
_NAMES = st.sampled_from(sorted(EDSOFT.tables.commands) + [f"#{name}" for name in sorted(EDSOFT.tables.parameters)])
_COMMAND = st.one_of(
    st.builds(lambda name, value: name + value, _NAMES, _VALUES),
    st.sampled_from(
        ["+CSQ", "+CREG?", '+CMGS="1"', "E0", "E1", "V0", "V1", "Q1", "Q0", "Z", "&F", "&W", "S3=13", "S3?", "D123;", "O"]
    ),
    st.text(alphabet="AT#+=?;,\"' 019abz\b", max_size=20),
)
_LINE = st.builds(
    lambda commands, end: b"AT" + ";".join(commands).encode("latin-1", "replace") + end,
    st.lists(_COMMAND, min_size=1, max_size=3),
    st.sampled_from([b"\r", b"\r\n", b"\n", b""]),
)
_HOST = st.one_of(
    _LINE,
    st.sampled_from([b"\x03", b"+++", b"\x1a", b"\x1b", b"\x10\x03", b"A/", b"\r", b"payload", b"\r\n.\r\n"]),
    st.binary(max_size=40),
)
_MODULE = st.one_of(
    st.sampled_from(
        [
            b"\r\nOK\r\n",
            b"\r\nERROR\r\n",
            b"\r\n+CME ERROR: 842\r\n",
            b"\r\n+CME ERROR: 9999\r\n",
            b"\r\nCONNECT\r\n",
            b"\r\nSHUTDOWN\r\n",
            b"\x03",
            b"\x10\x03",
            b"\x10",
            b"\r\n> ",
            b"\r\n+WIPREADY: 2,1\r\n",
            b"\r\n+WIPREADY: 1,1\r\n",
            b"\r\n+WIPPEERCLOSE: 2,1\r\n",
            b"\r\n+WIPACCEPT: 1,1\r\n",
            b"\r\n+WIPDATA: 2,1,5\r\n",
            b'\r\n+WIPDATA: 1,1,5,"10.0.0.2",6000\r\n',
            b"\r\n+WIPDATARW: 1,1\r\n",
            b'\r\n+WIPDATARW: 2,1,1,1,"3G"\r\n',
            b"\r\n6,1\r\n\r\nOK\r\n",
            b'\r\n+WIPBR: 6,15,"10.0.0.1"\r\n\r\nOK\r\n',
            b"\r\n+WIPPING: 0,0,1\r\n",
            b"\r\n+WIND: 13\r\n",
            b"\r\n+CSQ: 1,99\r\n",
            b"\r\nRING\r\n",
            b"\r\nNO CARRIER\r\n",
            b"\r\n+WIPREADY: x,y\r\n",
            b"\r\n+WIPACCEPT: 9999999999,1\r\n",
        ]
    ),
    st.binary(max_size=40),
)
_SERVICES = [
    b'AT#TCPSERV=1,"10.0.0.2";#TCPPORT=1,80;#OTCP=1\r',
    b'AT#TCPSERV=2,"255.255.255.255";#TCPPORT=2,80;#LTCPSTART=2\r',
    b'AT#UDPSERV="10.0.0.2";#UDPPORT=80;#OUDP\r',
    b'AT#UDPSERV="255.255.255.255";#UDPPORT=80;#LUDPSTART\r',
    b"AT#LTCPSTOP=2\r",
    b"AT#LUDPSTOP\r",
    b'AT#PINGREMOTE="10.0.0.2";#PING\r',
    b"AT#CONNECTIONSTART\r",
    b"AT#CONNECTIONSTOP\r",
    b"AT#DLEMODE=1,0\r",
]
_SERVED = {
    b"AT+WIPBR?": b"\r\n6,1\r\n\r\nOK\r\n",
    b"AT+WIPBR=3,6,15": b'\r\n+WIPBR: 6,15,"10.0.0.1"\r\n\r\nOK\r\n',
    b"AT+WIPCREATE=2": b"\r\nOK\r\n\r\n+WIPREADY: 2,1\r\n",
    b"AT+WIPCREATE=1": b"\r\nOK\r\n\r\n+WIPREADY: 1,1\r\n",
    b"AT+WIPDATA=1,1,3": b"\r\n+WIPDATARW: 1,1\r\n\r\nOK\r\n",
    b"AT+WIPDATA": b"\r\nCONNECT\r\n",
    b"AT+WIPDATARW=0": b"\r\n+WIPDATARW: 0,1\r\n\r\nOK\r\n",
}
_STEP = st.one_of(
    st.tuples(st.just("host"), _HOST),
    st.tuples(st.just("module"), _MODULE),
    st.tuples(st.just("wait"), st.sampled_from([0.01, 0.5, 1.1, 11.0, 31.0, 70.0])),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("terminal"), st.booleans()),
    st.tuples(st.just("serve"), st.none()),
    st.tuples(st.just("serve"), st.none()),
    st.tuples(st.just("host"), st.sampled_from(_SERVICES)),
)


def play(sim: SimBridge, steps: list[tuple[str, object]]) -> None:
    """Do what the steps say."""
    for what, value in steps:
        match what:
            case "host":
                assert isinstance(value, bytes)
                sim.host(value)
            case "module":
                assert isinstance(value, bytes)
                sim.module(value)
            case "wait":
                assert isinstance(value, float)
                sim.wait(value)
            case "serve":
                while (asked := sim.module_hears()) is not None:
                    said = [answer for name, answer in _SERVED.items() if asked.rpartition(b"+++")[2].startswith(name)]
                    sim.module(said[0] if said else b"\r\nOK\r\n")
            case "link":
                sim.bridge.module_link(bool(value), sim.now)
                sim.tick()
            case _:
                sim.bridge.terminal_ready(bool(value), sim.now)
                sim.tick()
        assert len(sim.to_host) < 200_000
        sim.to_host = sim.to_host[-200:]


def calm(sim: SimBridge) -> None:
    """The module answers again as it should, and the host ends whatever it began."""
    sim.bridge.module_link(True, sim.now)
    sim.to_module = b""
    for _ in range(200):
        said = {b"AT+WIPBR?": b"\r\nOK\r\n"}
        while (asked := sim.module_hears()) is not None:
            sim.module(said.get(asked.rpartition(b"+++")[2], b"\r\nOK\r\n"))
        if sim.to_module.endswith(b"+++"):
            sim.to_module = b""
            sim.wait(1.0)
            sim.module(b"\r\nOK\r\n")
        sim.wait(0.5)
    sim.host(b"\x1b\x03\r")
    sim.wait(15)
    while (asked := sim.module_hears()) is not None:
        sim.module(b"\r\nOK\r\n")


@settings(max_examples=200)
@given(st.lists(_STEP, max_size=25), st.booleans(), st.sampled_from(["edsoft-3.02", "edsoft-2.10"]))
@example([("host", b"AT&D2;#OTCP=1\r"), ("module", b"\x10"), ("terminal", False)], True, "edsoft-3.02")
def test_nothing_that_is_said_harms(steps: list[tuple[str, object]], connected: bool, host: str) -> None:
    sim = SimBridge(host)
    sim.start(connected=connected)
    play(sim, steps)
    calm(sim)
    for _ in range(3):  # a phase that only the peer can end (#DLEMODE 0) ends by +++ in silence
        sim.wait(1.2)
        sim.host(b"+++")
        sim.wait(1.2)
        calm(sim)
    sim.host(b"ATE0V1Q0&F\rATE0S3=13S4=10\r\r")
    sim.wait(0.1)
    sim.host_reads()
    sim.host(b"AT#DIALSELECT=2;#DIALSELECT?\r")
    assert sim.host_reads().endswith(b"\r\n#DIALSELECT: 2\r\n\r\nOK\r\n")


def test_a_bound_for_everything_that_waits() -> None:
    """A host that never stops and a module that never answers fill no memory."""
    sim = SimBridge()
    sim.start(connected=True)
    noise = random.Random(1)
    for _ in range(300):
        sim.host(b"AT+CSQ\r" + noise.randbytes(500))
        sim.module(b"\r\n+CREG: 1\r\n" * 20 + noise.randbytes(100))
    assert sim.bridge.holds_host
    assert len(sim.to_host) < 1 << 20


WIPSOFT = registry.load("wipsoft-5.57")
_WIP_NAMES = st.sampled_from(sorted(WIPSOFT.tables.commands))
_FIELD = st.one_of(
    st.integers(-1, 20).map(str), st.sampled_from(["", '"h"', '"10.0.0.2"', "80", "70000", "x", '"', '"3030"', "99"])
)
_WIP_COMMAND = st.one_of(
    st.builds(lambda name, fields: f"{name}={','.join(fields)}", _WIP_NAMES, st.lists(_FIELD, max_size=6)),
    st.builds(lambda name, ending: name + ending, _WIP_NAMES, st.sampled_from(["", "?", "=?", "="])),
    st.sampled_from(
        [
            "+WIPCFG=1",
            "+WIPBR=1,6",
            "+WIPBR=4,6,0",
            '+WIPCREATE=2,1,"h",80',
            '+WIPCREATE=1,1,80,"h",81',
            "+WIPCREATE=1,2,80",
            "+WIPCREATE=3,1,80,2,4",
            "+WIPDATA=2,1,1",
            "+WIPDATA=1,1,1",
            "+WIPDATA=2,1,2",
            "+WIPDATA=1,1,3",
            "+WIPCLOSE=2,1",
            "+CMEE=1",
            '+WIPDATARW=1,1,"3132"',
        ]
    ),
)
_WIP_STEP = st.one_of(
    st.tuples(
        st.just("say"),
        st.builds(lambda commands: b"AT" + ";".join(commands).encode() + b"\r", st.lists(_WIP_COMMAND, max_size=2)),
    ),
    st.tuples(st.just("say"), st.sampled_from([b"\x03", b"+++", b"\x10\x03", b"payload", b"\x1a"])),
    st.tuples(st.just("say"), st.binary(max_size=30)),
    st.tuples(st.just("event"), st.sampled_from(["received", "waiting", "closed", "lost", "incoming", "bearer"])),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 1.1, 40.0])),
)


@settings(max_examples=200)
@given(st.lists(_WIP_STEP, max_size=25))
def test_nothing_that_is_said_harms_a_virtual_module(steps: list[tuple[str, object]]) -> None:
    module = SimModule().up()
    peer = Endpoint("10.0.0.2", 81)
    for what, value in steps:
        if what == "say":
            assert isinstance(value, bytes)
            module.say(value)
        elif what == "wait":
            assert isinstance(value, float)
            module.wait(value)
        elif value == "bearer":
            module.happens(BearerLost())
        elif module.sockets:
            socket = module.sockets[-1]
            events = {
                "received": Received(socket, b"data\x03\x10", peer),
                "waiting": DataWaiting(socket, 6, peer),
                "closed": PeerClosed(socket),
                "lost": SocketLost(socket, Cause.RESET),
                "incoming": Incoming(socket, 1, peer),
            }
            module.happens(events[str(value)])
        assert len(module.out) < 200_000
        module.read()
    for _ in range(3):
        module.wait(11)
        module.say(b"+++")
        module.wait(1.1)
    module.say(b"\x1b\rATV1Q0E0\r")
    module.wait(11)
    assert module.ask("AT+WIPCFG=3").endswith("| OK")

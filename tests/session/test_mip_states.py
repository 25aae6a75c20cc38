"""A virtual Fibocom L610: what transcripts do not show (storage, limits, breaking off, rubbish)."""

from __future__ import annotations

import random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake import SimModule

from gateway.dialect.quirks.mip.firmware import MipFirmware
from gateway.dialect.quirks.mip.state import RULES, Accumulator, Arrivals, Link, SocketState, refusal
from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Incoming, PeerClosed, Received, SendingHeld, SocketLost
from gateway.model.requests import (
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    ListenTcp,
    OpenUdp,
    Ping,
    RefuseTcp,
    ResolveName,
    SendDatagram,
    StartBearer,
    StopBearer,
)
from gateway.model.values import BearerKind, Endpoint, Secret

L610 = "fibocom-l610"
EVERY = bytes(range(256))


def up(**switches: str) -> SimModule:
    """A module whose link is up."""
    sim = SimModule(L610, switches=switches)
    assert sim.ask("AT+CMEE=1") == "OK"
    assert sim.ask("AT+MIPCALL=1") == "OK | +MIPCALL: 10.0.0.1"
    return sim


def connected(id: int = 1, protocol: int = 0, **switches: str) -> SimModule:
    """The same with a socket that is open."""
    sim = up(**switches)
    assert sim.ask(f'AT+MIPOPEN={id},,"192.0.2.1",80,{protocol}') == f"OK | +MIPOPEN: {id},1"
    return sim


def firmware(sim: SimModule) -> MipFirmware:
    return cast(MipFirmware, sim.side.firmware)


class TestRequests:
    """What the common model is asked."""

    def test_the_link(self) -> None:
        sim = SimModule(L610)
        sim.ask('AT+MIPCALL=1,"apn","user","secret",2')
        assert sim.requests == [StartBearer(BearerKind.GPRS, "apn", Secret("user"), Secret("secret"))]
        sim.ask("AT+MIPCALL=0")
        assert sim.requests[-1] == StopBearer()
        sim.ask("AT+MIPCALL=1,3")
        assert sim.requests[-1] == StartBearer(BearerKind.GPRS, context_id=3)

    def test_a_link_that_cannot_be_had(self) -> None:
        sim = SimModule(L610)
        sim.refuse[StartBearer] = Cause.AUTHENTICATION
        assert sim.ask("AT+MIPCALL=1") == "OK | +MIPCALL: 0"
        sim = SimModule(L610, switches={"call_failure": "error"})
        sim.refuse[StartBearer] = Cause.AUTHENTICATION
        sim.ask("AT+CMEE=2")
        assert sim.ask("AT+MIPCALL=1") == "OK | +CME ERROR: PDP authentication error"
        assert sim.ask("AT+MIPCALL?") == "+MIPCALL: 0 | OK"

    def test_sockets(self) -> None:
        sim = up()
        sim.ask('AT+MIPOPEN=1,,"192.0.2.1",443,2')
        assert ConnectTcp(sim.sockets[-1], Endpoint("192.0.2.1", 443), secure=True) in sim.requests
        sim.ask('AT+MIPOPEN=2,4000,"192.0.2.1",5000,1')
        assert OpenUdp(sim.sockets[-1], 4000, Endpoint("192.0.2.1", 5000)) in sim.requests
        assert sim.requests[-1] == Attach(sim.sockets[-1])
        sim.ask("AT+MIPCLOSE=2")
        assert sim.requests[-1] == CloseSocket(sim.sockets[-1])

    def test_own_name_servers(self) -> None:
        sim = up()
        assert sim.ask('AT+MSDNS=1,"192.0.2.53";+MSDNS=7,"192.0.2.54","192.0.2.55"') == "OK"
        sim.ask('AT+MIPOPEN=1,,"server.example",80,0')
        assert ResolveName("server.example", ("192.0.2.53",)) in sim.requests
        assert ConnectTcp(sim.sockets[-1], Endpoint("10.9.9.9", 80)) in sim.requests
        sim.ask('AT+MIPDNS="server.example"')
        assert sim.requests[-1] == ResolveName("server.example", ("192.0.2.54", "192.0.2.55"))
        assert sim.ask('AT+MIPOPEN=2,,"unknown.example",80,0') == "OK | +MIPSTAT: 2,1"

    def test_ping(self) -> None:
        sim = up()
        sim.ask('AT+MPING=1,"server.example",2,100,9,8,700')
        assert sim.requests[-1] == Ping("10.9.9.9", 2, 1000, 700, 100, 9, 8)

    def test_a_datagram_to_another(self) -> None:
        sim = connected(protocol=1)
        sim.ask('AT+MIPSEND=1,"31";+MIPPUSH=1,"192.0.2.7",7')
        assert sim.requests[-1] == SendDatagram(sim.sockets[-1], b"1", Endpoint("192.0.2.7", 7))
        sim.ask('AT+MIPSEND=1,"32";+MIPPUSH=1')
        assert sim.requests[-1] == SendDatagram(sim.sockets[-1], b"2", Endpoint("192.0.2.7", 7))
        before = len(sim.requests)
        sim.ask('AT+MIPSEND=1,"33";+MIPPUSH=1,"192.0.2.1",80')
        assert len(sim.requests) == before
        sim.refuse[SendDatagram] = Cause.NOT_SUPPORTED
        answer = sim.ask('AT+MIPSEND=1,"33";+MIPPUSH=1,"192.0.2.7",7')
        assert answer == "+MIPSEND: 1,0,2047 | +CME ERROR: 4"


class TestRules:
    """The table of states."""

    def test_every_behaviour_of_it_exists(self) -> None:
        for name in RULES:
            assert hasattr(MipFirmware, f"do_{name}"), name

    def test_what_is_missing_is_not_allowed(self) -> None:
        assert refusal("push", Link.DOWN, SocketState.OPEN) is Cause.NO_BEARER
        assert refusal("push", Link.UP, None) is Cause.BAD_STATE
        assert refusal("push", Link.UP, SocketState.PAUSED) is Cause.BAD_STATE
        assert refusal("push", Link.UP, SocketState.OPEN) is None
        assert refusal("call_stop", Link.BUSY, None) is Cause.NOT_ALLOWED
        assert refusal("test", Link.DOWN, None) is None

    def test_nothing_else_while_the_link_is_busy(self) -> None:
        sim = SimModule(L610)
        firmware(sim).link = Link.BUSY
        assert sim.ask("AT+CMEE=1;+MIPCALL?") == "+MIPCALL: 2 | OK"
        for command in ("AT+MIPCALL=1", "AT+MIPCALL=0"):
            assert sim.ask(command) == "+CME ERROR: 3"

    def test_a_port_that_cannot_be_had(self) -> None:
        sim = up()
        sim.refuse[ListenTcp] = Cause.OPEN_FAILED
        assert sim.ask("AT+MIPOPEN=1,5000,,0,0") == "+CME ERROR: 2022"
        assert sim.ask("AT+MIPOPEN?") == "+MIPOPEN: 1,2,3,4,5,6 | OK"

    def test_a_second_caller_is_refused(self) -> None:
        sim = up()
        sim.ask("AT+MIPOPEN=1,5000,,0,0")
        listener = sim.sockets[-1]
        assert sim.happens(Incoming(listener, 1, Endpoint("192.0.2.9", 1))) == b"\r\n+MIPOPEN: 1,1,192.0.2.9,1\r\n"
        assert sim.happens(Incoming(listener, 2, Endpoint("192.0.2.9", 2))) == b""
        assert sim.requests[-1] == RefuseTcp(listener, 2)


class TestBuffers:
    """§1.1.4 and SEMANTICS of the accumulating buffer."""

    @given(st.lists(st.integers(0, 2500), max_size=12), st.integers(1, 2048))
    def test_nothing_is_lost_or_doubled(self, sizes: list[int], watermark: int) -> None:
        buffer, sent, pushed = Accumulator(2048), b"", b""
        for size in sizes:
            data = (EVERY * 10)[:size]
            sent += data
            for push in buffer.add(data, watermark):
                assert watermark <= len(push) <= 2048
                pushed += push
            assert 0 <= len(buffer) < watermark
            assert buffer.free == 2048 - len(buffer)
        assert pushed + buffer.take() == sent

    @given(st.lists(st.integers(1, 50), max_size=12), st.integers(1, 60), st.booleans())
    def test_arrivals(self, sizes: list[int], limit: int, divided: bool) -> None:
        arrivals, sent, got = Arrivals(), b"", b""
        for number, size in enumerate(sizes):
            data = bytes([number]) * size
            sent += data
            arrivals.add(data, None, divided=divided)
        while arrivals:
            piece, _, left = arrivals.take(limit)
            assert 0 < len(piece) <= limit
            assert not divided or len(set(piece)) == 1
            assert divided or left == len(sent) - len(got) - len(piece)
            got += piece
        assert got == sent
        assert arrivals.size == 0

    def test_a_full_block_inline_and_one_byte_more(self) -> None:
        sim = connected()
        assert sim.ask(f'AT+MIPSEND=1,"{"00" * 1024}"') == "+MIPSEND: 1,0,1024 | OK"
        assert sim.ask(f'AT+MIPSEND=1,"{"00" * 1025}"') == "+CME ERROR: 2006"
        assert sim.ask(f'AT+MIPSEND=1,"{"01" * 1023}"') == "+MIPSEND: 1,0,1 | OK"
        assert sim.ask('AT+MIPSEND=1,"0203"') == "+MIPSEND: 1,0,2047 | OK"
        assert sim.sent == [(sim.sockets[-1], bytes(1024) + b"\x01" * 1023 + b"\x02")]

    @pytest.mark.parametrize("size", [2047, 2048, 2049])
    def test_the_limit_of_prompted_data(self, size: int) -> None:
        sim = connected()
        sim.say(b"AT+MIPSEND=1\r")
        sim.say(b"x" * size)
        sim.say(b"\x1a")
        answer = sim.read().decode()
        if size > 2048:
            assert answer.endswith("\r\n+CME ERROR: 2006\r\n")
            assert sim.sent == []
        else:
            assert answer.endswith("\r\n+MIPSEND: 1,0,2048\r\n\r\nOK\r\n")
            assert b"".join(data for _, data in sim.sent) == b"x" * size

    def test_a_host_that_does_not_listen_holds_the_peer_back(self) -> None:
        """What waits for its turn has a limit; beyond it the peer is not read."""
        sim = connected()
        socket = sim.sockets[-1]
        sim.say(b"AT+MIPSE")
        for _ in range(3):
            assert sim.happens(Received(socket, bytes(4000))) == b""
        assert sim.requests[-1] == Detach(socket)
        sim.say(b"ND?\r")
        assert sim.read().count(b"+MIPRTCP: 1,") == 6
        assert sim.requests[-1] == Attach(socket)


class TestStorage:
    """'Persistent' attributes."""

    def test_what_is_kept(self) -> None:
        sim = SimModule(L610)
        sim.ask('AT+GTSET="IPRFMT",2;+GTSET="SENDTIME",5;+MIPKEEPCONF=1,60,10,3')
        assert sim.kept["IPRFMT"] == 2 and sim.kept["SENDTIME"] == 5
        again = SimModule(L610, stored=dict(sim.kept))
        assert firmware(again).format == 2 and firmware(again).send_time_s == 5
        assert again.ask("AT+MIPKEEPCONF?") == "+MIPKEEPCONF: 1,60,10,3 | OK"

    def test_what_is_not(self) -> None:
        sim = up()
        sim.ask('AT+MIPCONF=1,6;+MSDNS=1,"192.0.2.53";+MIPSETS=1,5')
        assert sim.kept == {}


class TestOnline:
    """§1.1.18."""

    def test_dtr_leaves_like_the_escape(self) -> None:
        sim = up()
        sim.ask('AT+MIPODM=1,,"192.0.2.1",80,0')
        sim.side.terminal_ready(False, sim.now)
        sim._settle()
        assert sim.read() == b"\r\nOK\r\n"
        assert sim.ask("ATO") == "CONNECT"

    def test_dtr_ends_it_without_pseudo_command_mode(self) -> None:
        sim = up()
        sim.ask('AT+MIPODM=1,,"192.0.2.1",80,0,1')
        sim.side.terminal_ready(False, sim.now)
        sim._settle()
        assert sim.read() == b"\r\n+MIPSTAT: 1,1\r\n"
        assert sim.requests[-1] == CloseSocket(sim.sockets[-1])

    def test_an_end_in_pseudo_command_mode(self) -> None:
        sim = up()
        sim.ask('AT+MIPODM=1,,"192.0.2.1",80,0')
        sim.wait(2)
        sim.say(b"+++")
        assert sim.wait(1.1) == b"\r\nOK\r\n"
        assert sim.happens(PeerClosed(sim.sockets[-1])) == b"\r\n+MIPSTAT: 1,1\r\n"
        assert sim.ask("ATO") == "NO CARRIER"


COMMANDS = [
    "AT+MIPCALL=1", "AT+MIPCALL=0", "AT+MIPCALL?", 'AT+MIPOPEN=1,,"192.0.2.1",80,0', 'AT+MIPOPEN=2,,"192.0.2.1",80,1',
    "AT+MIPOPEN=3,5000,,0,0", 'AT+MIPOPEN=1,,"closed.example",80,0', "AT+MIPCLOSE=1", "AT+MIPCLOSE=2", "AT+MIPCLOSE=3",
    "AT+MIPSETS=1,10,100", "AT+MIPDSETS=1,3,50", 'AT+MIPSEND=1,"00FF"', "AT+MIPSEND=1,3", "AT+MIPSEND=2",
    "AT+MIPPUSH=1", 'AT+MIPPUSH=2,"192.0.2.7",7', "AT+MIPFLUSH=1", 'AT+GTSET="IPRFMT",0', 'AT+GTSET="IPRFMT",1',
    'AT+GTSET="IPRFMT",2', 'AT+GTSET="IPRFMT",5', "AT+MIPREAD=1,5", "AT+MIPREAD?", 'AT+MIPODM=4,,"192.0.2.1",80,0',
    "AT+MIPODM=4,5001,,0,0", "ATO", "+++", "abc", "\x1a", 'AT+MPING=1,"192.0.2.1",2', "AT+MPING=0", "AT+MIPCLOSE=4",
]  # fmt: skip


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_order_of_anything(seed: int) -> None:
    """Nothing raises, everything ends, no state is left behind: after it the module works as at first."""
    chance = random.Random(seed)
    sim = SimModule(L610)
    for _ in range(40):
        if chance.random() < 0.6 or not sim.sockets:
            sim.say(chance.choice(COMMANDS).encode() + b"\r")
        else:
            socket = chance.choice(sim.sockets)
            events = [
                Received(socket, chance.randbytes(chance.randrange(1, 3000)), Endpoint("192.0.2.1", 80)),
                PeerClosed(socket), SocketLost(socket, Cause.RESET), SendingHeld(socket, chance.random() < 0.5),
                DataWaiting(socket, 5), Incoming(socket, chance.randrange(9), Endpoint("192.0.2.9", 9)), BearerLost(),
            ]  # fmt: skip
            sim.happens(chance.choice(events))
        sim.wait(chance.choice([0, 0, 0.01, 2]))
    sim.wait(31)
    sim.say(b"\x1a\r")
    sim.wait(2)
    sim.say(b"+++")
    sim.wait(12)
    sim.happens(BearerLost())
    sim.ask('AT+GTSET="IPRFMT",0')
    for id in range(1, 7):
        sim.ask(f"AT+MIPCLOSE={id}")
    sim.ask("AT+MIPCALL=0")
    sim.read()
    assert sim.ask("AT+MIPCALL=1") == "OK | +MIPCALL: 10.0.0.1"
    assert sim.ask("AT+MIPOPEN?") == "+MIPOPEN: 1,2,3,4,5,6 | OK"
    assert sim.ask('AT+MIPOPEN=1,,"192.0.2.1",80,0') == "OK | +MIPOPEN: 1,1"
    assert sim.happens(Received(sim.sockets[-1], b"end")).endswith(b"656E64\r\n")

"""A module that has no data mode: payload as digits in commands and lines, many sockets, and what goes wrong."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from support.cuts import splits
from support.sim import CONNECTED, IDLE, SimBridge

from gateway.model.causes import Cause
from gateway.model.findings import FindingKind
from gateway.model.requests import ResolveName
from gateway.model.results import Done, Failed
from gateway.model.services import GetTime
from gateway.model.values import Endpoint, Ticket
from gateway.session.effects import News, ToModule
from gateway.session.module_payload import FLUSH_S

NOISE = bytes(range(256)) + random.Random(5).randbytes(100_000)
SEND = re.compile(rb'AT\+MIPSEND=(\d),"([0-9A-F]*)"')


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


def digits(data: bytes, size: int = 2048) -> bytes:
    """Received data as the module tells them."""
    lines = [data[at : at + size].hex().upper().encode() for at in range(0, len(data), size)]
    return b"".join(b"\r\n+MIPRTCP: 1,0,%s\r\n" % line for line in lines)


class Sim(SimBridge):
    """An eDSoft host in data mode, and a module that takes all payload; what it was sent is ``sent``."""

    def __init__(self) -> None:
        super().__init__("edsoft-3.02", "fibocom-l610")
        self.sent = b""
        self.asked: list[bytes] = []
        self.start(connected=True)
        self.host(b'ATE0;#TCPSERV=1,"10.0.0.2";#TCPPORT=1,80;#TCPTXDELAY=1,0\r')
        self.host_reads()

    def opened(self) -> Sim:
        self.host(b"AT#OTCP=1\r")
        assert self.module_hears() == b'AT+MIPOPEN=1,,"10.0.0.2",80,0'
        self.module(b"\r\nOK\r\n\r\n+MIPOPEN: 1,1\r\n")
        assert self.host_reads() == b"\r\nOk_Info_WaitingForData\r\n"
        return self

    def obey(self) -> None:
        """Take payload as the manual says: 2048 bytes, pushed when they are full."""
        free = 2048
        while (asked := self.module_hears()) is not None:
            self.asked.append(asked)
            match = SEND.fullmatch(asked)
            if match is not None:
                data = bytes.fromhex(match[2].decode())
                assert len(data) <= min(free, 1024)
                self.sent += data
                free = free - len(data) or 2048
                self.module(b"\r\n+MIPSEND: 1,0,%d\r\n\r\nOK\r\n" % free)
            elif asked == b"AT+MIPPUSH=1":
                free = 2048
                self.module(b"\r\n+MIPPUSH: 1,0\r\n\r\nOK\r\n")
            else:
                self.module(CONNECTED.get(asked, b"") + b"\r\nOK\r\n")

    def findings(self, kind: FindingKind) -> list[str]:
        return [note.fields["old"] for note in self.notes if note.fields.get("what") == kind.value]


@pytest.mark.parametrize("cut", [1, 700, 65536])
def test_every_byte_to_the_module(cut: int) -> None:
    sim = Sim().opened()
    data = NOISE[: 3000 if cut == 1 else None]
    wire = escape(data)
    for at in range(0, len(wire), cut):
        sim.host(wire[at : at + cut])
    sim.obey()
    assert sim.sent == data
    pushes = sum(asked.startswith(b"AT+MIPPUSH") for asked in sim.asked)
    assert pushes <= len(data) // 2048 + 2  # a full buffer goes out by itself


@settings(max_examples=20)
@given(splits(digits(NOISE[:6000])))
def test_every_byte_to_the_host_at_any_cut(parts: list[bytes]) -> None:
    sim = Sim().opened()
    for part in parts:
        sim.module(part)
    assert sim.host_reads() == escape(NOISE[:6000])


def test_lower_case_and_other_signs() -> None:
    sim = Sim().opened()
    sim.module(b"\r\n+MIPRTCP: 1,0,4a4B\r\n\n+MIPRTCP=1,0,4c\r\n+MIPRTCP:1,5,4D\r")
    assert sim.host_reads() == b"JKLM"


def test_a_damaged_line_is_told_and_nothing_else() -> None:
    sim = Sim().opened()
    for line in (b"TCP: 1,0,4X", b"TCP: 1,", b"TCP", b"UDP: 1,0,41", b"UDP", b"TCP: 6,0,41"):
        sim.module(b"\r\n+MIPR%s\r\n" % line)
    assert sim.host_reads() == b""
    assert len(sim.findings(FindingKind.ODD)) == 5


def test_what_a_short_message_says_is_no_payload() -> None:
    sim = Sim().opened()
    sim.module(b'\r\n+CMT: "+41",,"26/01/01"\r\n+MIPRTCP: 1,0,41\r\n')
    assert sim.host_reads() == b""


def test_all_in_one_read() -> None:
    """Open, data and the end, before the host's side knows that it is open."""
    sim = Sim()
    sim.host(b"AT#OTCP=1\r")
    sim.module_reads()
    sim.module(b"\r\nOK\r\n\r\n+MIPOPEN: 1,1\r\n" + digits(b"abc") + digits(b"def") + b"\r\n+MIPSTAT: 1,1\r\n")
    sim.obey()
    end = b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
    assert sim.host_reads() == b"\r\nOk_Info_WaitingForData\r\nabcdef" + end


def test_closing_waits_for_the_payload() -> None:
    sim = Sim().opened()
    sim.host(escape(NOISE) + b"\x03")
    assert not any(asked.startswith(b"AT+MIPCLOSE") for asked in sim.asked)
    sim.obey()
    assert sim.sent == NOISE
    assert sim.asked[-1] == b"AT+MIPCLOSE=1"
    assert sim.host_reads() == b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"


def test_closing_does_not_wait_for_ever() -> None:
    sim = Sim().opened()
    sim.module(b"\r\n+MIPXOFF: 1\r\n")
    sim.host(b"lost\x03")
    for _ in range(int(FLUSH_S) + 2):
        sim.wait(1)
        while (asked := sim.module_hears()) is not None:
            sim.asked.append(asked)
            sim.module(b"\r\n+MIPSEND: 1,0\r\n\r\nOK\r\n" if asked == b"AT+MIPSEND?" else b"\r\nOK\r\n")
    assert sim.asked[-1] == b"AT+MIPCLOSE=1"
    assert "4 bytes" in sim.findings(FindingKind.LOST)
    assert sim.host_reads() == b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"


def test_a_host_that_sends_too_much_is_held() -> None:
    sim = Sim().opened()
    sim.module(b"\r\n+MIPXOFF: 1\r\n")
    assert not sim.bridge.holds_host
    sim.host(b"x" * 70_000)
    assert sim.bridge.holds_host
    sim.module(b"\r\n+MIPXON: 1\r\n")
    sim.obey()
    assert not sim.bridge.holds_host
    assert len(sim.sent) == 70_000


def test_a_block_without_an_answer_ends_the_connection() -> None:
    """Nobody knows whether it went: a byte lost or doubled would be worse."""
    sim = Sim().opened()
    sim.host(b"one")
    assert sim.module_hears() == b'AT+MIPSEND=1,"6F6E65"'
    sim.wait(30.5)
    sim.obey()
    sim.wait(1)
    sim.obey()
    assert b"\x03\r\n#CME ERROR: 38017\r\n" in sim.host_reads()
    sim.host(b"AT+CSQ\r")
    assert sim.module_hears() == b"AT+CSQ"


def test_a_refused_block_of_a_connection_that_has_just_ended() -> None:
    sim = Sim().opened()
    sim.host(b"one")
    assert sim.module_hears() == b'AT+MIPSEND=1,"6F6E65"'
    sim.module(b"\r\n+CME ERROR: 2024\r\n")
    sim.module(b"\r\n+MIPSTAT: 1,2\r\n")
    sim.obey()
    assert sim.host_reads() == b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
    assert "3 bytes" in sim.findings(FindingKind.LOST)


def test_a_module_that_is_unplugged_while_a_socket_is_opened() -> None:
    sim = Sim()
    sim.host(b"AT#OTCP=1\r")
    sim.module_reads()
    sim.module(b"\r\nOK\r\n")
    sim.bridge.module_link(False, sim.now)
    sim._collect()
    assert b"#CME ERROR: " in sim.host_reads()
    sim.bridge.module_link(True, sim.now)
    sim._collect()
    while (asked := sim.module_hears()) is not None:
        sim.module(IDLE.get(asked, b"") + b"\r\nOK\r\n")
    sim.host(b"AT+CSQ\r")
    assert sim.module_hears() == b"AT+CSQ"


def test_a_restart_without_a_word_is_noticed() -> None:
    sim = Sim().opened()
    sim.wait(30)
    assert sim.module_hears() == b"AT+MIPCALL?"
    sim.module(b"\r\n+MIPCALL: 0\r\n\r\nOK\r\n")
    assert sim.host_reads() == b"\x03\r\n#CME ERROR: 35841\r\n"


def test_sockets_that_a_silent_module_has_lost() -> None:
    sim = Sim().opened()
    sim.host(b"one")
    sim.module_reads()
    sim.module(b"\r\nRDY\r\n")  # its link came back at once
    for _ in range(3):
        sim.obey()
        sim.wait(0.3)
    assert b"\x03\r\n#CME ERROR: 37952\r\n" in sim.host_reads()


def test_a_listener_that_nobody_reads_for_holds_the_module() -> None:
    sim = SimBridge("wipsoft-5.57", "fibocom-l610")
    sim.start()
    for command, answer in (
        (b"AT+WIPCFG=1;+WIPBR=1,6", b""),
        (b"AT+WIPBR=4,6,0", b"\r\nOK\r\n\r\n+MIPCALL: 10.0.0.1\r\n"),
    ):
        sim.host(command + b"\r")
        sim.module(answer)
    sim.host(b'AT+WIPCREATE=2,1,"10.0.0.2",80\r')
    sim.module(b"\r\nOK\r\n\r\n+MIPOPEN: 1,1\r\n")
    sim.module_reads()
    sim.module(digits(b"x" * 70_000))
    assert sim.bridge.holds_module
    sim.host_reads()
    sim.host(b"AT+WIPDATA=2,1,1\r")
    assert len(sim.host_reads()) == 70_000 + len(b"AT+WIPDATA=2,1,1\r\r\nCONNECT\r\n")
    assert not sim.bridge.holds_module


def test_the_end_in_the_middle_of_a_block_closes_the_socket() -> None:
    sim = Sim().opened()
    sim.host(b"one")
    assert sim.module_hears() == b'AT+MIPSEND=1,"6F6E65"'
    sim.bridge.finish(sim.now)
    sim._collect()
    sim.module(b"\r\n+MIPSEND: 1,0,2045\r\n\r\nOK\r\n")
    sim.obey()
    assert sim.asked == [b"AT+MIPPUSH=1", b"AT+MIPCLOSE=1"]
    assert sim.bridge.finished


def test_a_limit_stands_still_while_the_module_is_not_read() -> None:
    """A host that does not read for long has the module held back, its answers too."""
    sim = Sim().opened()
    sim.wait(10)
    sim.host(b"one")
    assert sim.module_hears() == b'AT+MIPSEND=1,"6F6E65"'
    assert sim.bridge.module_unread(True, sim.now)
    assert not sim.bridge.module_unread(True, sim.now)
    sim.wait(100)
    assert sim.bridge.module_unread(False, sim.now)
    sim.wait(29)
    sim.module(b"\r\n+MIPSEND: 1,0,2045\r\n\r\nOK\r\n")
    sim.obey()
    assert sim.asked == [b"AT+MIPPUSH=1"]


@pytest.mark.parametrize(
    ("clock", "time"),
    [
        ("26/01/31,23:30:00+08", "2026-01-31T21:30:00"),
        ("26/01/01,00:00:01-04", "2026-01-01T01:00:01"),
        ("26/12/24,18:00:00", "2026-12-24T18:00:00"),
        ("26/13/01,00:00:00+00", None),
    ],
)
def test_the_time_of_a_server(clock: str, time: str | None) -> None:
    """+MIPNTP sets the module's clock; what it says is local time and a zone in quarters of an hour."""
    side = Sim().bridge.module
    side.submit(Ticket(9), GetTime(Endpoint("ntp.example", 123)), 100.0)
    side.receive(b"\r\nOK\r\n\r\n+MIPNTP: 1\r\n", 100.0)
    side.receive(b'\r\n+CCLK: "%s"\r\n\r\nOK\r\n' % clock.encode(), 100.0)
    sent = [effect.data for effect in side.effects if isinstance(effect, ToModule)]
    assert sent == [b'AT+MIPNTP="ntp.example",123\r', b"AT+CCLK?\r"]
    result = next(effect.result for effect in side.effects if isinstance(effect, News))
    assert result == (Done(time) if time is not None else Failed(Cause.INTERNAL, "+CCLK"))


def test_a_name_is_looked_up_at_other_servers() -> None:
    side = Sim().bridge.module
    side.submit(Ticket(9), ResolveName("a.example", ("10.0.0.53",)), 100.0)
    for answer in (b"", b'\r\n+MIPDNS: "a.example",10.1.2.3\r\n', b""):
        side.receive(answer + b"\r\nOK\r\n", 100.0)
    sent = [effect.data for effect in side.effects if isinstance(effect, ToModule)]
    assert sent == [b'AT+MSDNS=7,"10.0.0.53"\r', b'AT+MIPDNS="a.example"\r', b"AT+MSDNS=7\r"]
    assert next(effect.result for effect in side.effects if isinstance(effect, News)) == Done("10.1.2.3")


def test_a_close_does_not_wait_for_payload_that_nobody_takes() -> None:
    """The peer has closed, the module is being asked about its link, and the gateway still had something to say."""
    sim = Sim().opened()
    sim.module(b"\r\n+MIPSTAT: 1,1\r\n")
    assert sim.module_hears() == b"AT+MIPCALL?"
    sim.host(b"last words\x03")
    sim.module(b"\r\n+MIPCALL: 1,10.0.0.1\r\n\r\nOK\r\n")
    before = sim.now
    sim.host(b"\rAT+CSQ\r")
    for _ in range(20):
        asked = sim.module_hears()
        if asked == b"AT+CSQ":
            break
        if asked is not None:
            sim.module(b"\r\nOK\r\n")
        sim.wait(0.1)
    assert asked == b"AT+CSQ"
    assert sim.now - before < FLUSH_S / 4

"""A peer that does not read: the host is told, hears what it asks for, and nothing is lost (SEMANTICS 1.6, 5.7)."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

import pytest
from matrix.fibocom import FibocomHost
from matrix.fibocom_sockets import TLS
from matrix.pair import Pair
from support import certificate

from recovery.lab import Lab
from recovery.program import HERE, Program
from recovery.programs import pairs, program
from recovery.servers import HOLD, SECURE_HOLD
from recovery.steps import come_back

BLOCK = bytes(range(256)) * 8
MUCH_BYTES = 2 << 20
PATIENCE_S = 120.0


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    return certificate.make(tmp_path_factory.mktemp("tls"))


def _of(dialect: str) -> list[Pair]:
    return [pair for pair in pairs() if pair.host == dialect]


def _opened(host: Program, port: int = HOLD, **how: int) -> None:
    host.host.start()
    host.up()
    host.host.connect(HERE, port, **how)


def _transport(writer: asyncio.StreamWriter) -> asyncio.Transport:
    """The one below, which can be told not to read."""
    return cast(asyncio.Transport, writer.transport)


class _Blocks:
    """What a Fibocom host sends, two kilobytes at a time."""

    def __init__(self, lab: Lab, secure: bool) -> None:
        self.lab = lab
        self.program = program(lab)
        assert isinstance(self.program.host, FibocomHost)
        self.host = self.program.host
        self.sent = 0
        if secure:
            _opened(self.program, SECURE_HOLD, protocol=TLS)
        else:
            _opened(self.program)
        assert lab.until(lambda: bool(lab.servers.held))
        self.reader, writer = lab.servers.held[-1]
        self.transport = _transport(writer)
        self.transport.pause_reading()

    def fill(self) -> None:
        """Until it is told that no more is taken."""
        while self.block():
            assert self.sent < MUCH_BYTES, "nothing holds the host back"
        assert self.host.event("+MIPXOFF: 1") == "+MIPXOFF: 1"

    def block(self) -> bool:
        self.host.answer(f"AT+MIPSEND=1,{len(BLOCK)}", end=">")
        self.host.line.say(BLOCK)
        said = self.host.lines_until("+MIPSEND: 1,")[-1]
        assert self.host.lines_until("OK") == ["OK"]
        assert said in ("+MIPSEND: 1,0,2048", "+MIPSEND: 1,1,2048"), said
        taken = said == "+MIPSEND: 1,0,2048"
        self.sent += len(BLOCK) * taken
        return taken

    def all_comes(self) -> None:
        self.transport.resume_reading()
        wanted = BLOCK * (self.sent // len(BLOCK))
        got = self.lab.loop.do(self.reader.readexactly(self.sent))
        at = next((at for at in range(self.sent) if got[at] != wanted[at]), -1)
        assert at < 0, f"other bytes from {at} of {self.sent} on: {got[at : at + 40]!r}"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("pair", _of("fibocom-l610"), ids=str)
class TestFibocom:
    def test_the_host_is_told_once(self, pair: Pair, secure: bool, tls: Contexts) -> None:
        """1.1.19, 1.1.20: +MIPXOFF when there is no more room on the way, +MIPXON when there is."""
        with Lab(pair.host, pair.module, tls=tls) as lab:
            blocks = _Blocks(lab, secure)
            blocks.fill()
            lab.wait(PATIENCE_S)
            assert [line for line in self._told(lab) if b"XO" in line] == [b"+MIPXOFF: 1"]
            assert blocks.host.command("AT+MIPSEND?") == "+MIPSEND: 1,2048"
            blocks.all_comes()
            assert blocks.host.event("+MIPXON: 1", limit_s=60)
            blocks.sent = 0
            assert blocks.block()
            blocks.all_comes()

    def test_other_commands_are_answered(self, pair: Pair, secure: bool, tls: Contexts) -> None:
        """A module that takes nothing at all cannot be asked: the host hears so, and its connection stays.

        An eDSoft module with a socket never can.
        """
        with Lab(pair.host, pair.module, tls=tls) as lab:
            blocks = _Blocks(lab, secure)
            blocks.fill()
            answer = blocks.host.line.answer("AT+CSQ", limit_s=30)
            assert answer.startswith("+CSQ: ") if pair.module == pair.host else answer == "ERROR"
            blocks.all_comes()
            assert blocks.host.event("+MIPXON: 1", limit_s=60)
            answer = blocks.host.line.answer("AT+CSQ", limit_s=30)
            assert answer == "ERROR" if pair.module.startswith("edsoft") else answer.startswith("+CSQ: ")
            blocks.sent = 0
            assert blocks.block()
            blocks.all_comes()

    def test_the_host_closes(self, pair: Pair, secure: bool, tls: Contexts) -> None:
        """It hears that, or that the connection is gone, within a limit; the next one works."""
        with Lab(pair.host, pair.module, tls=tls) as lab:
            blocks = _Blocks(lab, secure)
            blocks.fill()
            blocks.host.line.say(b"AT+MIPCLOSE=1\r")
            blocks.host.line.until(b"+MIPCLOSE: 1,0\r\n", b"ERROR: ", b"+MIPSTAT: 1,", b"+MIPCALL: 0\r\n", limit_s=90)
            blocks.transport.resume_reading()
            come_back(lab, blocks.program, blocks.program.talks)

    @staticmethod
    def _told(lab: Lab) -> list[bytes]:
        return bytes(lab.line.seen).split(b"\r\n")


@pytest.mark.parametrize("pair", _of("edsoft-3.02") + _of("wipsoft-5.57"), ids=str)
def test_a_host_in_data_mode_leaves_it(pair: Pair) -> None:
    """Its own line is held back meanwhile; its end is heard within a limit, and the next connection works."""
    with Lab(pair.host, pair.module) as lab:
        host = program(lab)
        _opened(host)
        assert lab.until(lambda: bool(lab.servers.held))
        _, writer = lab.servers.held[-1]
        _transport(writer).pause_reading()
        for _ in range(MUCH_BYTES // len(BLOCK)):
            lab.line.say(BLOCK.replace(b"\x10", b"x").replace(b"\x03", b"y"))
        lab.wait(5.0)
        assert not lab.line.way.reading, "nothing holds the host back"
        writer.transport.abort()
        lab.wait(60.0)
        assert lab.line.way.reading
        come_back(lab, host, host.talks)

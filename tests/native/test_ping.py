"""Echo requests (SEMANTICS 7.4): with a socket of the system, with its ``ping``, and where it allows neither."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.native import icmp


def _allowed(kind: int) -> bool:
    try:
        socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


ALLOWED = _allowed(socket.SOCK_DGRAM) or _allowed(socket.SOCK_RAW)


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system that allows no ICMP socket; the folder is all of its PATH."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(icmp, "socket", SimpleNamespace(**(vars(socket) | {"socket": refuse})))
    monkeypatch.setattr(icmp, "_told", False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _make(folder: Path, script: str) -> None:
    """The system's ``ping``."""
    program = folder / "ping"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.skipif(not ALLOWED, reason="this system allows no ICMP socket")
class TestSocket:
    @pytest.mark.parametrize("size", [0, 1, 64, 1500])
    async def test_loopback_replies(self, size: int) -> None:
        """Any size, also an odd one: the checksum is right (RFC 1071)."""
        seconds = await icmp.echo("127.0.0.1", 1, 5.0, size, 64)
        assert seconds is not None
        assert 0 <= seconds < 5

    async def test_each_sequence_number(self) -> None:
        for number in (0, 1, 65535, 65536):
            assert await icmp.echo("127.0.0.1", number, 5.0, 8, 0) is not None

    async def test_no_way_there(self) -> None:
        """The system refuses to send (nobody may ask everybody): no reply, never an exception."""
        assert await icmp.echo("255.255.255.255", 1, 5.0, 64, 64) is None


class TestPacket:
    @pytest.mark.parametrize("size", [0, 1, 7, 64])
    def test_the_checksum(self, size: int) -> None:
        """RFC 1071: the sum over everything, the checksum included, is all ones."""
        packet = icmp._request(8, 7, size)
        assert (packet[0], packet[1], len(packet)) == (8, 0, 8 + size)
        padded = packet + bytes(len(packet) % 2)
        total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        assert total == 0xFFFF


class TestProgram:
    """No socket, but ``ping``: a program of the test's own stands for it."""

    @pytest.mark.parametrize(
        ("line", "seconds"),
        [
            ("64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=12.3 ms", 0.0123),
            ("64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time<1 ms", 0.001),
            ("64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.050 ms", 0.00005),
        ],
    )
    async def test_its_time(self, forbidden: Path, line: str, seconds: float) -> None:
        _make(forbidden, f"echo '{line}'")
        assert await icmp.echo("127.0.0.1", 1, 5.0, 64, 64) == pytest.approx(seconds)

    async def test_what_it_is_asked(self, forbidden: Path) -> None:
        _make(forbidden, f'printf "%s\\n" "$@" > {forbidden}/asked')
        await icmp.echo("10.0.0.9", 1, 3.0, 100, 17)
        asked = (forbidden / "asked").read_text().split()
        options = dict(zip(asked[1:-1:2], asked[2:-1:2], strict=True))
        assert asked[0] == "-n" and asked[-1] == "10.0.0.9"
        assert options == {"-c": "1", "-W": "3", "-s": "100", "-t": "17"}

    async def test_it_heard_nothing(self, forbidden: Path) -> None:
        _make(forbidden, "echo '1 packets transmitted, 0 received'; exit 1")
        assert await icmp.echo("127.0.0.1", 1, 5.0, 64, 64) is None

    async def test_it_hangs(self, forbidden: Path) -> None:
        """It is ended after the time-out, and a second."""
        _make(forbidden, "exec /bin/sleep 60")
        assert await icmp.echo("127.0.0.1", 1, 0.0, 64, 64) is None

    async def test_nobody_wants_to_know_any_more(self, forbidden: Path) -> None:
        """The program is ended with the request."""
        _make(forbidden, f"echo $$ > {forbidden}/number; exec /bin/sleep 60")
        asked = asyncio.ensure_future(icmp.echo("127.0.0.1", 1, 50.0, 64, 64))
        number = forbidden / "number"
        while not number.exists() or not number.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        with pytest.raises(ProcessLookupError):
            os.kill(int(number.read_text()), 0)


class TestNothingAllowed:
    @pytest.mark.parametrize(
        ("says", "code"),
        [
            ("ping: socktype: SOCK_RAW\nping: socket: Operation not permitted", 2),
            ("ping: permission denied (are you root?)", 1),
            ("ping: Lacking privilege for icmp socket.", 1),
        ],
    )
    async def test_a_program_that_may_not_either(
        self, forbidden: Path, caplog: pytest.LogCaptureFixture, says: str, code: int
    ) -> None:
        """Of iputils, BusyBox, inetutils: what it says of itself is told once, and every address is silent."""
        _make(forbidden, f"printf '{says}\n' >&2; exit {code}")
        for number in range(3):
            assert await icmp.echo("127.0.0.1", number, 5.0, 64, 64) is None
        (warning,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
        assert says.rpartition("\n")[2] in warning.getMessage()

    async def test_an_address_that_nothing_leads_to_is_no_matter_of_rights(
        self, forbidden: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        _make(forbidden, "echo 'ping: connect: Network is unreachable' >&2; exit 2")
        assert await icmp.echo("192.0.2.1", 1, 5.0, 64, 64) is None
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    async def test_said_once_and_silent(self, forbidden: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Every address is silent, and the log says why, once."""
        for number in range(3):
            assert await icmp.echo("127.0.0.1", number, 0.01, 64, 64) is None
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1
        assert "ping" in warnings[0].getMessage()

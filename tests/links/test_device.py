"""A device path: the device is a real terminal, the far end of a pseudo-terminal pair (CONTRACT, Links)."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from links.ears import EVERY, MIB, Ear, fill, say, take
from support.rig import Terminal, pty_pair

from gateway.errors import LinkError
from gateway.links.link import Pump

CFLAG, IFLAG, OSPEED = 2, 0, 5


@pytest.fixture
def line() -> Iterator[tuple[Terminal, str]]:
    """The other program's end, and the path of ours."""
    with pty_pair() as pair:
        yield pair


class TestBytes:
    async def test_every_byte_both_ways(self, line: tuple[Terminal, str]) -> None:
        terminal, path = line
        ear = Ear(path)
        await ear.link.open()
        ear.link.write(EVERY * 8)
        assert await take(terminal, 2048) == EVERY * 8
        await say(terminal, EVERY * 8)
        assert await ear.take(2048) == EVERY * 8
        assert len(ear.heard) == 2048
        ear.link.close()

    async def test_a_cooked_terminal_is_made_raw(self) -> None:
        """A device is as the last program has left it: echo and line editing must not survive the opening."""
        master, slave = os.openpty()
        terminal = Terminal(fd=master)
        ear = Ear(os.ttyname(slave))
        await ear.link.open()
        ear.link.write(EVERY)
        assert await take(terminal, 256) == EVERY
        await say(terminal, EVERY)
        assert await ear.take(256) == EVERY
        ear.link.close()
        os.close(slave)
        terminal.close()

    async def test_slow_on_either_side(self, line: tuple[Terminal, str]) -> None:
        terminal, path = line
        ear = Ear(path)
        await ear.link.open()
        data = EVERY * (MIB // 256)
        ear.link.write(data)
        assert ear.congestion == [True]
        ear.link.read(False)
        assert await take(terminal, MIB) == data
        await ear.until(lambda: ear.congestion == [True, False])
        sent = await asyncio.to_thread(fill, terminal.fd, EVERY * 16)
        assert sent < MIB and not ear.heard
        ear.link.read(True)
        assert await ear.take(sent) == (EVERY * (sent // 256 + 1))[:sent]
        ear.link.close()


class TestSettings:
    """The settings behind ``?``, and AT+IPR and AT+IFC afterwards (SEMANTICS 1.1)."""

    async def test_those_of_the_link(self, line: tuple[Terminal, str]) -> None:
        terminal, path = line
        ear = Ear(f"{path}?baudrate=9600&stopbits=2&flow=rtscts")
        await ear.link.open()
        state = termios.tcgetattr(terminal.fd)
        assert state[OSPEED] == termios.B9600
        assert state[CFLAG] & termios.CSTOPB
        assert state[CFLAG] & termios.CRTSCTS
        assert not state[IFLAG] & (termios.IXON | termios.IXOFF)
        ear.link.close()

    async def test_xonxoff(self, line: tuple[Terminal, str]) -> None:
        terminal, path = line
        ear = Ear(f"{path}?flow=xonxoff")
        await ear.link.open()
        state = termios.tcgetattr(terminal.fd)
        assert state[IFLAG] & termios.IXON and state[IFLAG] & termios.IXOFF
        assert not state[CFLAG] & termios.CRTSCTS
        assert state[OSPEED] == termios.B115200
        ear.link.close()

    async def test_set_later(self, line: tuple[Terminal, str]) -> None:
        terminal, path = line
        ear = Ear(path)
        await ear.link.open()
        for rate, constant in ((300, termios.B300), (9600, termios.B9600), (230400, termios.B230400)):
            ear.link.set_port(rate, None)
            assert termios.tcgetattr(terminal.fd)[OSPEED] == constant
        ear.link.set_port(None, "rtscts")
        state = termios.tcgetattr(terminal.fd)
        assert state[CFLAG] & termios.CRTSCTS and state[OSPEED] == termios.B230400
        ear.link.set_port(None, "xonxoff")
        state = termios.tcgetattr(terminal.fd)
        assert state[IFLAG] & termios.IXON and not state[CFLAG] & termios.CRTSCTS
        ear.link.set_port(None, "none")
        state = termios.tcgetattr(terminal.fd)
        assert not state[IFLAG] & (termios.IXON | termios.IXOFF) and not state[CFLAG] & termios.CRTSCTS
        ear.link.write(b"fine")
        assert await take(terminal, 4) == b"fine"
        ear.link.close()

    async def test_no_more_waits_than_a_slow_line_carries_in_seconds(self, line: tuple[Terminal, str]) -> None:
        """Who waits for a server, or for an abort to be heard, must not wait behind a minute of payload."""
        ear = Ear(line[1])
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        pump = Pump(ear.link, writing)
        fill(writing)
        for rate, waiting in ((9600, 3840), (1200, 480)):
            pump.set_rate(rate)
            pump.write(bytes(waiting))
            assert ear.congestion == []
            pump.write(b"!")
            assert ear.congestion == [True]
            while not pump.empty:
                with suppress(BlockingIOError):
                    os.read(reading, 65536)
                await asyncio.sleep(0)
            assert ear.congestion == [True, False]
            ear.congestion.clear()
            fill(writing)
        pump.close()
        os.close(reading)
        os.close(writing)

    async def test_a_rate_that_the_driver_does_not_have(self, line: tuple[Terminal, str]) -> None:
        """A host may ask for anything: the line goes on."""
        terminal, path = line
        ear = Ear(path)
        await ear.link.open()
        ear.link.set_port(7, None)
        ear.link.set_port(123457, None)
        ear.link.set_carrier(False)
        ear.link.set_port(115200, None)
        ear.link.write(b"fine")
        assert await take(terminal, 4) == b"fine"
        ear.link.close()

    async def test_what_cannot_be_set_leaves_the_rest(
        self, line: tuple[Terminal, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A rate that was refused must not be in the way of what is set next, nor come back with the link."""
        terminal, path = line
        ear = Ear(f"{path}?baudrate=9600")
        await ear.link.open()
        ear.link.set_port(1 << 40, None)
        assert path in caplog.text and str(1 << 40) in caplog.text
        ear.link.set_port(None, "rtscts")
        state = termios.tcgetattr(terminal.fd)
        assert state[CFLAG] & termios.CRTSCTS and state[OSPEED] == termios.B9600
        ear.link.close()
        await ear.link.open()
        state = termios.tcgetattr(terminal.fd)
        assert state[CFLAG] & termios.CRTSCTS and state[OSPEED] == termios.B9600
        ear.link.close()


class TestOpening:
    async def test_no_such_device(self, tmp_path: Path) -> None:
        with pytest.raises(LinkError, match="No such file or directory") as caught:
            await Ear(f"{tmp_path}/ttyUSB9").link.open()
        assert f"{tmp_path}/ttyUSB9" in str(caught.value)

    async def test_a_device_in_use(self, line: tuple[Terminal, str]) -> None:
        """Two programs on one port would take each other's bytes."""
        _, path = line
        first, second = Ear(path), Ear(path)
        await first.link.open()
        with pytest.raises(LinkError, match="another program has it open"):
            await second.link.open()
        first.link.close()
        await second.link.open()
        second.link.close()

    @pytest.mark.parametrize(
        ("kind", "why"),
        [("file", "it is no serial port"), ("pipe", "it is no serial port"), ("folder", "Is a directory")],
    )
    @pytest.mark.parametrize("scheme", ["", "spy://"])
    async def test_no_serial_device(self, tmp_path: Path, kind: str, why: str, scheme: str) -> None:
        path = tmp_path / "thing"
        if kind == "file":
            path.write_text("text")
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir()
        with pytest.raises(LinkError) as caught:
            await Ear(f"{scheme}{path}").link.open()
        assert str(caught.value) == f"cannot open {scheme}{path}: {why}"
        assert kind != "file" or path.read_text() == "text"


class Cable(Terminal):
    """A line whose device is found at ``path``, as udev names one, until it is pulled."""

    def __init__(self, path: Path) -> None:
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        super().__init__(fd=master)

    def pull(self) -> None:
        """Both ends are gone."""
        os.close(self._slave)
        self.close()


class TestLost:
    """The cable is pulled."""

    async def test_told_once_and_harmless_afterwards(self, tmp_path: Path) -> None:
        cable = Cable(tmp_path / "tty")
        ear = Ear(f"{tmp_path}/tty")
        await ear.link.open()
        cable.pull()
        await ear.until(lambda: ear.lost == 1)
        ear.link.write(b"nobody")
        ear.link.read(False)
        ear.link.read(True)
        ear.link.set_port(9600, "none")
        ear.link.set_carrier(True)
        await ear.drained()
        ear.link.close()
        assert ear.lost == 1

    async def test_a_link_that_was_left_behind(self, tmp_path: Path) -> None:
        """Its terminal may be somebody else's by now; a new link leads to the program that has come back."""
        cable = Cable(tmp_path / "tty")
        ear = Ear(f"{tmp_path}/tty")
        await ear.link.open()
        terminal = (tmp_path / "tty").readlink()
        cable.pull()
        await ear.until(lambda: ear.lost == 1)
        ear.link.close()
        strangers = []
        while not terminal.exists():
            strangers.append(os.openpty())
            assert len(strangers) < 64
        with pytest.raises(LinkError, match="still leads to the terminal of a program that has ended"):
            await ear.link.open()
        for stranger in strangers:
            for fd in stranger:
                os.close(fd)
        cable = Cable(tmp_path / "tty")
        await ear.link.open()
        ear.link.write(b"back")
        assert await take(cable, 4) == b"back"
        ear.link.close()
        await ear.link.open()
        ear.link.close()
        cable.pull()

    async def test_found_by_writing(self, tmp_path: Path) -> None:
        """Also a link that is not read notices."""
        cable = Cable(tmp_path / "tty")
        ear = Ear(f"{tmp_path}/tty")
        await ear.link.open()
        ear.link.read(False)
        cable.pull()
        ear.link.write(b"nobody")
        assert ear.lost == 1
        ear.link.close()

    async def test_opened_again(self, tmp_path: Path) -> None:
        ear = Ear(f"{tmp_path}/tty?baudrate=9600")
        for number in range(3):
            cable = Cable(tmp_path / "tty")
            await ear.link.open()
            assert termios.tcgetattr(cable.fd)[OSPEED] == termios.B9600
            await say(cable, b"here")
            assert await ear.take(4) == b"here"
            cable.pull()
            await ear.until(lambda wanted=number + 1: ear.lost == wanted)
            ear.link.close()

    async def test_lost_while_congested(self, tmp_path: Path) -> None:
        """Whoever was held back for this link must not be held back for ever: a new line is not congested."""
        cable = Cable(tmp_path / "tty")
        ear = Ear(f"{tmp_path}/tty")
        await ear.link.open()
        ear.link.write(bytes(MIB))
        assert ear.congestion == [True]
        cable.pull()
        await ear.until(lambda: ear.lost == 1)
        ear.link.close()
        assert ear.congestion == [True, False]

    async def test_what_was_not_taken_is_counted(self, tmp_path: Path) -> None:
        """SEMANTICS 1.6: what cannot be delivered is counted and reported."""
        cable = Cable(tmp_path / "tty")
        ear = Ear(f"{tmp_path}/tty")
        await ear.link.open()
        ear.link.write(bytes(MIB))
        held = len(cable.until(b"\0"))
        cable.pull()
        await ear.until(lambda: ear.lost == 1)
        ear.link.write(b"12345")
        ear.link.close()
        ear.link.write(b"67")
        assert MIB // 2 < ear.link.undelivered_bytes - 7 <= MIB - held

    async def test_an_error_of_any_number(
        self, line: tuple[Terminal, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What a driver may report is no list that can be known: the link is lost, and the reason told."""
        terminal, path = line
        ear = Ear(path)
        await ear.link.open()

        def broken(_fd: int, _size: int) -> bytes:
            raise OSError(errno.EPROTO, "Protocol error")

        with monkeypatch.context() as patched:
            patched.setattr("gateway.links.link.os.read", broken)
            terminal.say(b"x")
            await ear.until(lambda: ear.lost == 1)
        assert "Protocol error" in caplog.text
        ear.link.close()

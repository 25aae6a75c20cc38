"""``pty:PATH``: a pseudo-terminal with a symbolic link to it (CONTRACT, Links; SEMANTICS 1.6)."""

from __future__ import annotations

import asyncio
import os
import stat
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from links.ears import EVERY, MIB, Ear, fill, open_files, say, take
from support.rig import Terminal

from gateway.errors import LinkError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the symbolic link is to be."""
    return tmp_path / "host"


class Plain(Terminal):
    """A host that opens the line and sets nothing: what it sees is what the gateway has set."""

    def __init__(self, path: Path) -> None:
        super().__init__(fd=os.open(path, os.O_RDWR | os.O_NOCTTY))


@pytest.fixture
def files() -> Iterator[None]:
    """Every descriptor that a test opens is closed in the end."""
    before = open_files()
    yield
    assert open_files() == before


@pytest.mark.usefixtures("files")
class TestSymbolicLink:
    async def test_made_and_removed(self, path: Path) -> None:
        ear = Ear(f"pty:{path}")
        assert not os.path.lexists(path), "nothing is made before the link is opened"
        await ear.link.open()
        assert path.is_symlink()
        assert stat.S_ISCHR(path.stat().st_mode)
        ear.link.close()
        assert not os.path.lexists(path)
        ear.link.close()

    async def test_a_stale_one_is_replaced(self, path: Path) -> None:
        """What a gateway that was killed has left behind."""
        path.symlink_to("/dev/pts/999999")
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        assert stat.S_ISCHR(path.stat().st_mode)
        ear.link.close()
        assert not os.path.lexists(path)

    async def test_a_file_is_not(self, path: Path) -> None:
        path.write_text("precious")
        with pytest.raises(LinkError, match=str(path)):
            await Ear(f"pty:{path}").link.open()
        assert path.read_text() == "precious"

    async def test_a_folder_is_not(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(LinkError, match=str(path)):
            await Ear(f"pty:{path}").link.open()
        assert path.is_dir()

    async def test_a_symbolic_link_to_a_file_is_not(self, path: Path) -> None:
        """Somebody's own link to a file is nothing that a gateway has left behind."""
        (path.parent / "file").write_text("precious")
        path.symlink_to(path.parent / "file")
        ear = Ear(f"pty:{path}")
        try:
            with pytest.raises(LinkError, match=str(path)):
                await ear.link.open()
        finally:
            ear.link.close()
        assert path.read_text() == "precious"

    async def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(LinkError, match="No such file or directory"):
            await Ear(f"pty:{tmp_path}/nowhere/host").link.open()

    async def test_one_that_another_has_made_meanwhile_stays(self, path: Path) -> None:
        first, second = Ear(f"pty:{path}"), Ear(f"pty:{path}")
        await first.link.open()
        await second.link.open()
        theirs = path.readlink()
        first.link.close()
        assert path.readlink() == theirs
        second.link.close()
        assert not os.path.lexists(path)

    async def test_opened_again(self, path: Path) -> None:
        """A link can be opened after it was closed: that is how it comes back."""
        ear = Ear(f"pty:{path}")
        for _ in range(2):
            await ear.link.open()
            host = Plain(path)
            await say(host, b"hello")
            assert await ear.take(5) == b"hello"
            host.close()
            ear.link.close()

    async def test_no_terminal_to_be_had(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A system without pseudo-terminals (a container without /dev/pts) is told in a sentence, exit code 3."""

        def none_left() -> tuple[int, int]:
            raise OSError(2, "out of pty devices")

        monkeypatch.setattr("pty.openpty", none_left)
        with pytest.raises(LinkError):
            await Ear(f"pty:{path}").link.open()


class TestBytes:
    async def test_raw_both_ways(self, path: Path) -> None:
        """No byte has a meaning for the line: no echo, no CR for LF, no signal for 0x03, no stop for 0x13."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        host = Plain(path)
        ear.link.write(EVERY * 8)
        assert await take(host, 2048) == EVERY * 8
        await say(host, EVERY * 8)
        assert await ear.take(2048) == EVERY * 8
        assert len(ear.heard) == 2048, "the line has echoed"
        host.close()
        ear.link.close()

    async def test_a_host_that_closes_and_opens_again(self, path: Path) -> None:
        """Hosts open their port for each job; the link lives on, raw as before, and is not told as lost."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        for number in range(3):
            host = Plain(path)
            flags = termios.tcgetattr(host.fd)[3]
            assert not flags & (termios.ECHO | termios.ICANON | termios.ISIG)
            await say(host, b"command %d" % number)
            assert await ear.take(9) == b"command %d" % number
            ear.link.write(b"answer %d" % number)
            assert await take(host, 8) == b"answer %d" % number
            host.close()
            ear.link.write(b"urc")  # while nobody has the line open
            late = Plain(path)
            assert await take(late, 3) == b"urc"
            late.close()
        assert ear.lost == 0
        ear.link.close()

    async def test_nobody_ever_opens_it(self, path: Path) -> None:
        """What nobody reads is neither an error nor kept without limit by the kernel alone."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        for _ in range(64):
            ear.link.write(EVERY * 16)
        assert ear.congestion == [True]
        assert ear.lost == 0
        ear.link.close()

    async def test_a_slow_reader_loses_nothing(self, path: Path) -> None:
        """SEMANTICS 1.6: held back by flow control, not by dropping."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        host = Plain(path)
        data = EVERY * (MIB // 256)
        ear.link.write(data)
        assert ear.congestion == [True], "told once, and at once"
        assert await take(host, len(data)) == data
        await ear.until(lambda: ear.congestion == [True, False])
        host.close()
        ear.link.close()

    async def test_a_little_is_no_congestion(self, path: Path) -> None:
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        host = Plain(path)
        for _ in range(50):
            ear.link.write(EVERY)
            assert await take(host, 256) == EVERY
        assert ear.congestion == []
        host.close()
        ear.link.close()

    async def test_a_host_is_held_back(self, path: Path) -> None:
        """While the link is not read the line fills up and takes no more; nothing of it is lost."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        host = Plain(path)
        ear.link.read(False)
        sent = await asyncio.to_thread(fill, host.fd, EVERY * 16)
        assert sent < MIB
        assert not ear.heard
        ear.link.read(True)
        heard = await ear.take(sent)
        assert heard == (EVERY * (sent // 256 + 1))[:sent]
        await say(host, b"more")
        assert await ear.take(4) == b"more"
        host.close()
        ear.link.close()

    async def test_drained(self, path: Path) -> None:
        """A guard time begins when the bytes have really gone: not before the host has taken what did not fit."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        at_once: list[bool] = []
        ear.link.drained(lambda: at_once.append(True))
        assert at_once, "nothing waits: it is told within the call"
        host = Plain(path)
        ear.link.write(bytes(MIB))
        gone = asyncio.Event()
        ear.link.drained(gone.set)
        await take(host, MIB // 2)
        assert not gone.is_set()
        await take(host, MIB // 2)
        await gone.wait()
        host.close()
        ear.link.close()

    async def test_closed_with_bytes_that_wait(self, path: Path) -> None:
        """Closing calls nothing back, and nothing is written any more."""
        ear = Ear(f"pty:{path}")
        await ear.link.open()
        ear.link.write(bytes(MIB))
        told = len(ear.congestion)
        ear.link.close()
        ear.link.write(b"late")
        ear.link.read(False)
        await ear.drained()
        assert (len(ear.congestion), ear.lost, bytes(ear.heard)) == (told, 0, b"")

    async def test_rate_and_carrier_are_no_matter(self, path: Path) -> None:
        """A pseudo-terminal has neither: AT+IPR and AT&C must not break it."""
        ear = Ear(f"pty:{path}?baudrate=9600&flow=rtscts")
        await ear.link.open()
        ear.link.set_port(300, "rtscts")
        ear.link.set_carrier(True)
        ear.link.set_carrier(False)
        host = Plain(path)
        ear.link.write(b"fine")
        assert await take(host, 4) == b"fine"
        host.close()
        ear.link.close()

"""pySerial's URLs: ``loop://``, ``spy://``, and ``rfc2217://`` to a server on loopback (CONTRACT, Links)."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import serial
import serial.rfc2217
from links.ears import EVERY, Ear, say, take
from support.rig import LIMIT_S, Terminal, pty_pair, unused_port

from gateway.errors import LinkError
from gateway.links.link import HIGH_BYTES

# pySerial 3.5 starts its threads as Python 3.9 did, and leaves the closing of sockets and logs to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:set(Daemon|Name)\\(\\) is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The threads of a link end with it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if not thread.name.startswith("asyncio_"):
            thread.join(LIMIT_S)
            assert not thread.is_alive(), thread.name
    gc.collect()  # what pySerial has left open must not be found in the middle of another test


class PortServer:
    """A serial port on the network (RFC 2217) that sends back what it gets; its port is pySerial's loop."""

    def __init__(self, port: int = 0) -> None:
        self.serial = serial.serial_for_url("loop://", timeout=0.01)
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.changed = threading.Condition()
        self._connection: socket.socket | None = None
        self._manager: serial.rfc2217.PortManager | None = None
        self._threads = [threading.Thread(target=self._serve), threading.Thread(target=self._read_port)]
        self._closed = False
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while not self._closed:
                connection, _ = self._listening.accept()
                self._connection = connection
                self._manager = serial.rfc2217.PortManager(self.serial, self)
                with suppress(OSError):
                    while data := connection.recv(4096):
                        self.serial.write(b"".join(self._manager.filter(data)))
                        with self.changed:
                            self.changed.notify_all()
                connection.close()

    def _read_port(self) -> None:
        with suppress(OSError, AttributeError):
            while not self._closed:
                data = self.serial.read(1)
                data += self.serial.read(self.serial.in_waiting)
                if data and self._manager is not None:
                    self.write(b"".join(self._manager.escape(data)))

    def write(self, data: bytes) -> None:
        """What the port manager answers."""
        if self._connection is not None:
            self._connection.sendall(data)

    def set_to(self, name: str, value: object) -> None:
        """Wait until the port has been set so."""
        with self.changed:
            there = self.changed.wait_for(lambda: getattr(self.serial, name) == value, 1.0)
        assert there, f"{name} is {getattr(self.serial, name)!r}"

    def close(self) -> None:
        """Pull the plug."""
        self._closed = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT_S)
        if self._connection is not None:
            self._connection.close()
        self.serial.close()


class TestLoop:
    async def test_what_is_written_is_heard(self) -> None:
        ear = Ear("loop://?baudrate=9600")
        await ear.link.open()
        ear.link.write(EVERY * 2)
        ear.link.write(b"end")
        assert await ear.take(515) == EVERY * 2 + b"end"
        await ear.drained()
        ear.link.set_port(300, "none")
        ear.link.set_carrier(True)
        ear.link.close()
        assert ear.lost == 0

    async def test_more_than_it_holds(self) -> None:
        """Congestion is told and ends, and nothing is lost."""
        ear = Ear("loop://")
        await ear.link.open()
        data = EVERY * (2 * HIGH_BYTES // 256)
        ear.link.write(data)
        assert ear.congestion == [True]
        assert await ear.take(len(data)) == data
        await ear.until(lambda: ear.congestion == [True, False])
        ear.link.close()

    async def test_not_reading_holds_back(self) -> None:
        ear = Ear("loop://")
        await ear.link.open()
        ear.link.write(b"begin")
        assert await ear.take(5) == b"begin"
        ear.link.read(False)
        ear.link.write(EVERY * 64)  # four times what the loop keeps
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ear.drained()
        before = len(ear.heard)
        ear.link.read(True)
        assert before <= 5 + 4096
        assert await ear.take(256 * 64) == EVERY * 64
        ear.link.close()

    async def test_a_wrong_option(self) -> None:
        """A mistake of the user's never shows a traceback."""
        with pytest.raises(LinkError, match="loud"):
            await Ear("loop://?logging=loud").link.open()

    async def test_a_wrong_pattern(self) -> None:
        with pytest.raises(LinkError):
            await Ear("hwgrep://[").link.open()

    async def test_closed_with_bytes_that_wait(self) -> None:
        """What was written still goes out; a writer that nobody reads does not live on."""
        ear = Ear("loop://")
        ear.link.write(b"before")
        await ear.link.open()
        ear.link.read(False)
        ear.link.write(bytes(HIGH_BYTES))
        ear.link.close()
        ear.link.write(b"after")
        await ear.link.closed()
        assert ear.link.undelivered_bytes == 11
        assert ear.lost == 0

    async def test_the_last_words_of_a_program(self, tmp_path: Path) -> None:
        """They are written by a thread that would end with the program."""
        with pty_pair() as (terminal, path):
            ear = Ear(f"spy://{path}?file={tmp_path}/log")
            await ear.link.open()
            ear.link.write(b"last words")
            ear.link.close()
            await ear.link.closed()
            assert await take(terminal, 10) == b"last words"


class Broken(serial.SerialBase):
    """A handler's port that does what the test wants."""

    def __init__(self, read: Exception | None = None, write: Exception | None = None) -> None:
        super().__init__()
        self.broken_read, self.broken_write = read, write
        self.closed_at_last = threading.Event()
        self.in_waiting = 0

    def _reconfigure_port(self) -> None:
        pass

    def read(self, size: int = 1) -> bytes:
        if self.broken_read is not None:
            raise self.broken_read
        self.closed_at_last.wait(0.01)
        return b""

    def write(self, data: bytes) -> int:
        if self.broken_write is not None:
            raise self.broken_write
        return len(data)

    def close(self) -> None:
        self.closed_at_last.set()


class TestBroken:
    """Handlers raise what comes to their mind: a thread that died of it would leave a link that is deaf for ever."""

    @pytest.mark.parametrize("error", [OSError(5, "gone"), ValueError("odd"), KeyError("odder")])
    async def test_reading(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        port = Broken(read=error)
        monkeypatch.setattr("serial.serial_for_url", lambda *_, **__: port)
        ear = Ear("loop://")
        await ear.link.open()
        await ear.until(lambda: ear.lost == 1)
        ear.link.close()
        assert await asyncio.to_thread(port.closed_at_last.wait, LIMIT_S)

    @pytest.mark.parametrize("error", [OSError(5, "gone"), ValueError("odd")])
    async def test_writing(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        """Told once, with all that waited, and whoever was held back is let go."""
        port = Broken(write=error)
        monkeypatch.setattr("serial.serial_for_url", lambda *_, **__: port)
        ear = Ear("loop://")
        await ear.link.open()
        ear.link.write(bytes(2 * HIGH_BYTES))
        assert ear.congestion == [True]
        await ear.until(lambda: ear.lost == 1)
        assert ear.congestion == [True, False]
        ear.link.write(b"late")
        ear.link.close()
        assert ear.link.undelivered_bytes == 2 * HIGH_BYTES + 4
        assert await asyncio.to_thread(port.closed_at_last.wait, LIMIT_S)
        assert ear.lost == 1

    async def test_given_up_while_it_is_opened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A port server that does not answer at the moment at which the program ends: the port is not kept open."""
        port, begun, go_on = Broken(), threading.Event(), threading.Event()

        def slow(*_: object, **__: object) -> Broken:
            begun.set()
            assert go_on.wait(LIMIT_S)
            return port

        monkeypatch.setattr("serial.serial_for_url", slow)
        ear = Ear("loop://")
        opening = asyncio.ensure_future(ear.link.open())
        assert await asyncio.to_thread(begun.wait, LIMIT_S)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        go_on.set()
        assert await asyncio.to_thread(port.closed_at_last.wait, LIMIT_S)


class TestSpy:
    async def test_a_device_and_the_log_of_its_bytes(self, tmp_path: Path) -> None:
        log = tmp_path / "log.txt"
        with pty_pair() as (terminal, path):
            ear = Ear(f"spy://{path}?file={log}&baudrate=9600")
            await ear.link.open()
            ear.link.write(b"to module")
            assert await take(terminal, 9) == b"to module"
            await say(terminal, EVERY)
            assert await ear.take(256) == EVERY
            ear.link.close()
        text = log.read_text()
        assert "TX" in text and "to module" in text and "RX" in text

    async def test_no_such_device(self, tmp_path: Path) -> None:
        with pytest.raises(LinkError, match="No such file"):
            await Ear(f"spy://{tmp_path}/tty").link.open()

    async def test_pulled(self) -> None:
        master, slave = os.openpty()
        terminal = Terminal(fd=master)
        ear = Ear(f"spy://{os.ttyname(slave)}?file=/dev/null")
        await ear.link.open()
        os.close(slave)
        terminal.close()
        await ear.until(lambda: ear.lost == 1)
        ear.link.close()
        assert ear.lost == 1


class TestRfc2217:
    async def test_bytes_and_settings(self) -> None:
        server = PortServer()
        ear = Ear(f"rfc2217://127.0.0.1:{server.port}?baudrate=9600&bytesize=7&parity=E&stopbits=2")
        await ear.link.open()
        for name, value in (("baudrate", 9600), ("bytesize", 7), ("parity", "E"), ("stopbits", 2)):
            await asyncio.to_thread(server.set_to, name, value)
        ear.link.write(EVERY)
        assert await ear.take(256) == EVERY  # 0xFF has a meaning in Telnet
        ear.link.set_port(19200, None)
        await asyncio.to_thread(server.set_to, "baudrate", 19200)
        ear.link.close()
        await asyncio.to_thread(server.close)
        assert ear.lost == 0

    async def test_flow_control_can_be_set(self) -> None:
        """AT+IFC acts on the host's port (SEMANTICS 1.1), and RFC 2217 can set it."""
        server = PortServer()
        ear = Ear(f"rfc2217://127.0.0.1:{server.port}")
        await ear.link.open()
        ear.link.set_port(None, "rtscts")
        try:
            await asyncio.to_thread(server.set_to, "rtscts", True)
        finally:
            ear.link.close()
            await asyncio.to_thread(server.close)

    async def test_nobody_there(self) -> None:
        port = unused_port()
        with pytest.raises(LinkError, match=str(port)):
            await Ear(f"rfc2217://127.0.0.1:{port}").link.open()

    async def test_told_when_it_goes(self) -> None:
        server = PortServer()
        ear = Ear(f"rfc2217://127.0.0.1:{server.port}")
        await ear.link.open()
        ear.link.write(b"here")
        assert await ear.take(4) == b"here"
        await asyncio.to_thread(server.close)
        await ear.until(lambda: ear.lost == 1)
        ear.link.write(b"nobody")
        ear.link.close()
        assert ear.lost == 1

    async def test_opened_again(self) -> None:
        """A port server that restarts: the link is opened again, as the runner does it, and carries bytes again."""
        server = PortServer()
        ear = Ear(f"rfc2217://127.0.0.1:{server.port}")
        await ear.link.open()
        await asyncio.to_thread(server.close)
        await ear.until(lambda: ear.lost == 1)
        ear.link.close()
        server = PortServer(server.port)
        try:
            await ear.link.open()
            ear.link.write(b"again")
            async with asyncio.timeout(1.0):
                assert await ear.take(5) == b"again"
        finally:
            ear.link.close()
            await asyncio.to_thread(server.close)
